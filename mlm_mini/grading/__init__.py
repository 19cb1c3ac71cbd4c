"""Marks for a class: submissions are taken apart, their functions run in a sandbox, and their answers are judged here.

submission.py   what of a notebook counts; nothing of it is run
sandbox.py      a process that holds nothing worth knowing, for one function at a time; `inside/` is what runs in it
proxy.py        a function that runs there, to be called from here
fresh.py        inputs that nobody has seen, from a seed
marks.py        points, the mistake and the feedback
reports.py      pages for learners and for the class
"""
