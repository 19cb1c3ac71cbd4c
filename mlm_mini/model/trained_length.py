"""The length of the rows that a model was trained on: the vectors of later positions are still as they were drawn."""

from mlm_mini.model.encoder import MaskedLM

TRAINED_LENGTH = "trained_length"  # in config.json, where transformers ignores it, and in our training.json


def trained_length(model: MaskedLM) -> int | None:
    """In tokens, with [CLS] and [SEP]. None where nobody has noted it."""
    return getattr(model, TRAINED_LENGTH, None)


def note_trained_length(model: MaskedLM, length: int | None) -> MaskedLM:
    """Returns the model. Raises as `check_trained_length` does."""
    check_trained_length(length, model.config.max_position_embeddings)
    setattr(model, TRAINED_LENGTH, length)
    return model


def check_trained_length(length: int | None, positions: int) -> None:
    """Raises ValueError unless `length` is None, or a whole number from 1 to `positions`."""
    number = isinstance(length, int) and not isinstance(length, bool)
    if length is not None and not (number and 1 <= length <= positions):
        raise ValueError(f"{TRAINED_LENGTH} is {length!r}: expected a number from 1 to {positions}, its positions")
