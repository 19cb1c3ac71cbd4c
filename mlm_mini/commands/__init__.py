"""The commands of `python3 course.py`, a file for each kind. Rooms that take long to load are loaded when needed."""
