"""A first model whose table of positions is made of sine waves, so that it soon sees who is whose neighbor.

With random numbers at each position a model has to learn of every pair of places that they are neighbors. With waves,
as in the first Transformer (Vaswani et al. 2017), "one to the left" is the same turn everywhere, and what is learned at
one place holds at all. The table is learned on from there like all other weights.
"""

from dataclasses import replace

import torch

from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.training.run import first_model

WEIGHTS = 0.15  # their standard deviation: three times the usual, so that attention is uneven from the start
HEIGHT = 0.2  # of the waves
LONGEST = 1000.0  # positions, over 2 pi


def wavy_shape(shape: ModelConfig) -> ModelConfig:
    """The shape with the larger first weights."""
    return replace(shape, initializer_range=WEIGHTS)


def wavy_model(shape: ModelConfig, seed: int) -> MaskedLM:
    """The model that a run of this seed starts from, with waves in place of its table of positions."""
    model = first_model(shape, seed)
    table = model.embeddings.positions.weight
    positions, width = table.shape
    pairs = width // 2
    turns = torch.arange(positions)[:, None] * LONGEST ** (-torch.arange(pairs) / pairs)  # (P, D/2)
    with torch.no_grad():
        table[:, : 2 * pairs] = HEIGHT * torch.cat([turns.sin(), turns.cos()], dim=1)
    return model
