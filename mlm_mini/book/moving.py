"""Which widgets move in the book: the cell of the chapter that shows each, and the live widget behind it."""

from __future__ import annotations

from collections.abc import Callable

from mlm_mini.book.sliders import BookSlider, driven

WRITTEN_WORDS, WRITTEN_STEPS, WRITTEN_SEED = 9, 4, 1607  # the sentence that chapter 16 shows as a picture


def mask_ratio_states() -> BookSlider:
    from mlm_mini.widgets import mask_ratio_widget

    return driven(mask_ratio_widget(), "mask-ratio", "Mask ratio", ("row", "table"), "{:.2f}".format)


def leak_states() -> BookSlider:
    from mlm_mini.widgets import leak_widget

    return driven(leak_widget(), "leak", "Logit of [CLS]", ("picture",), "{:.2f}".format)


def unmasking_states() -> BookSlider:
    """By the small model of all ratios, which is trained if it is not in the cache: about a minute."""
    from mlm_mini.chapters import kept_fields
    from mlm_mini.training import cached_model
    from mlm_mini.widgets import unmasking_widget

    model = cached_model(**kept_fields("scenes", "tiny, diffusion")).model
    widget = unmasking_widget(model, words=WRITTEN_WORDS, steps=WRITTEN_STEPS, seed=WRITTEN_SEED)
    return driven(widget, "unmasking", "Step", ("row",), lambda step: f"{step:.0f} of {WRITTEN_STEPS}")


# By the id of the cell that shows the live widget.
MOVING: dict[str, Callable[[], BookSlider]] = {
    "widget-mask-ratio": mask_ratio_states,
    "widget-leak": leak_states,
    "widget-unmasking": unmasking_states,
}
