"""The gradient of a batch, one part of it after the other or side by side, with every token of the same weight."""

import contextlib
from collections.abc import Callable

import torch
from torch import nn

from mlm_mini.model import MaskedLM
from mlm_mini.training.objectives import Batch, surprisals
from mlm_mini.training.threaded_map import Map


def accumulate_gradient(
    model: MaskedLM,
    batch: Batch,
    micro_batches: int = 1,
    autocast: Callable[[], contextlib.AbstractContextManager] = contextlib.nullcontext,
    map: Map = map,
) -> torch.Tensor:
    """Add the gradient of the mean surprisal per predicted token of `batch`; returns that mean, in nats.

    The batch goes through the model in `micro_batches` parts. Each part's nats are divided by the number of predicted
    tokens of the whole batch: a mean of the parts' means would give a token more weight in a part that has few others.
    A batch without a label has loss 0 and gradient 0. Where a batch has weights, the loss is the sum of weight times
    surprisal, and nothing is divided.
    map: goes through the parts, like the builtin or that of `side_by_side`. The order of the sum is always the same.
    """
    tokens = max(batch.count_labels(), 1)
    weights = list(model.parameters())
    device = weights[0].device
    total = torch.zeros((), device=device)

    def part_gradient(part: Batch) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        with autocast():
            loss = part_loss(model, part.to(device), tokens)
        return loss.detach(), torch.autograd.grad(loss, weights)

    longest_first = reversed(list(batch.split(micro_batches)))  # or one core would end with a long part, alone
    for loss, gradients in map(part_gradient, longest_first):
        total += loss
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.grad = gradient if weight.grad is None else weight.grad + gradient
    return total


def part_loss(model: nn.Module, part: Batch, tokens: int) -> torch.Tensor:
    """What a part adds to the loss of its batch, in nats: (). tokens: to be predicted in the whole batch."""
    nats = surprisals(model, part)  # (B, k)
    return nats.sum() / tokens if part.weights is None else (part.weights * nats).sum()
