"""The course: exercises that know the mistakes, hints, progress, and the notebooks.

In a chapter: `from mlm_mini.course import check, failing, hint`.
"""

from mlm_mini.course.judging import CheckFailed, check, failing, hint

__all__ = ["CheckFailed", "check", "failing", "hint"]
