"""What it takes to write a sentence, in floating-point operations of forward passes.

A training step counts three times a forward pass (2 operations for a weight forward, 4 backward), so that a third of
`ModelConfig.training_flops_per_token` is what a token costs to read.
"""

import numpy as np

from mlm_mini.experiments.writing.unmasking import step_counts
from mlm_mini.model import ModelConfig


def pass_flops(shape: ModelConfig, length: float, asked: float) -> float:
    """One pass over `length` tokens, of which `asked` get logits."""
    return shape.training_flops_per_token(length, asked / length) * length / 3


def unmasking_flops(shape: ModelConfig, words: int, steps: int) -> float:
    """A sentence of so many words, [CLS] and [SEP] beside them, in K steps: a pass each, with logits at all blanks."""
    counts = step_counts(np.array([words]), steps)[:, 0]
    left = words - np.cumsum(counts) + counts  # hidden before each step
    return sum(pass_flops(shape, words + 2, asked) for asked, count in zip(left, counts, strict=True) if count)


def causal_flops(shape: ModelConfig, words: int, kept: bool = True) -> float:
    """The same from left to right, [SEP] written too. kept: keys and values of earlier positions are kept, so that
    each token is read once; otherwise each step reads all tokens before it again, as `write_causal` does.

    As in training, attention is counted as if each position looked at all others: a little too much.
    """
    if kept:
        return pass_flops(shape, words + 1, words + 1)
    return sum(pass_flops(shape, read, 1) for read in range(1, words + 2))
