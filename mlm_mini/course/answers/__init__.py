"""The worked answers, a module per chapter, made by `course.py build` from the solution cells of `solutions/`."""
