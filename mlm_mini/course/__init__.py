"""The course: exercises that know the mistakes, hints, progress, and the notebooks.

In a chapter: `from mlm_mini.course import check, hint`.
"""

from mlm_mini.course.judging import CheckFailed, check, hint

__all__ = ["CheckFailed", "check", "hint"]
