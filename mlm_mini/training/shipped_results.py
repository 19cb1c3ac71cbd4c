"""Results of trainings that take longer than a chapter should."""

from mlm_mini.shipped import shipped


def measured(name: str) -> dict:
    """A shipped result by name, "english" for one. Raises ValueError, with the names there are, for another."""
    return shipped("training", name)
