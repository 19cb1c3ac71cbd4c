"""A first model whose table of positions is made of sine waves, so that it soon sees who is whose neighbor.

With random numbers at each position a model has to learn of every pair of places that they are neighbors. With waves,
as in the first Transformer (Vaswani et al. 2017), "one to the left" is the same turn everywhere, and what is learned at
one place holds at all. The table is learned on from there like all other weights.
"""

import torch

from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.training.run import first_model

LONGEST_WAVE = 1000.0  # positions, over 2 pi


def wavy_model(shape: ModelConfig, seed: int, height: float) -> MaskedLM:
    """The model that a run of this seed starts from, with waves of this height in place of its table of positions."""
    model = first_model(shape, seed)
    table = model.embeddings.positions.weight
    positions, width = table.shape
    pairs = width // 2
    turns = torch.arange(positions)[:, None] * LONGEST_WAVE ** (-torch.arange(pairs) / pairs)  # (P, D/2)
    with torch.no_grad():
        table[:, : 2 * pairs] = height * torch.cat([turns.sin(), turns.cos()], dim=1)
    return model
