"""Masked language modeling, from softmax to experiments: the package the course's notebooks check the learner against.

The rooms follow the chapters: `reference` (NumPy definitions), `languages` (where text comes from), `model` (the
PyTorch encoder), `training`, `experiments`, `widgets`, `course` (exercises and notebooks), and above them all
`chapters` and `commands`. Importing the package imports none of them, so it is quick.
"""

__version__ = "0.2.0"
