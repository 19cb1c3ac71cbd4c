"""How gradients become steps: AdamW (Loshchilov and Hutter 2019), its schedule, and gradients of many small batches."""

import contextlib
from collections.abc import Callable

import torch
from torch import nn

from mlm_mini.model import MaskedLM
from mlm_mini.training.config import TrainingConfig
from mlm_mini.training.objectives import Batch, surprisals
from mlm_mini.training.threaded_map import Map


def make_optimizer(model: MaskedLM, config: TrainingConfig) -> torch.optim.AdamW:
    """AdamW with weight decay for the matrices of the linear layers, and for nothing else.

    A bias or a LayerNorm's gain has no reason to be near 0, and embeddings do not decay either. The table of words is a
    group of its own, with a learning rate that may differ. A linear layer sums over its width, so that the changes of
    its weights add up, and the wider it is, the smaller they must be; to look up a row of a table adds nothing up (Yang
    et al. 2021). Ours is the head's matrix too, which does sum over the width: its rate is a matter of trial.
    """
    linear = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, nn.Linear)}
    decayed, table, rest = [], [], []
    for name, weight in model.named_parameters():
        group = decayed if name in linear else table if weight is model.embeddings.words.weight else rest
        group.append((name, weight))
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": table, "weight_decay": 0.0, "scale": config.embedding_rate},
        {"params": rest, "weight_decay": 0.0},
    ]
    betas = (config.beta1, config.beta2)
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=betas, eps=config.epsilon, fused=True)


def set_learning_rates(optimizer: torch.optim.Optimizer, step: int, config: TrainingConfig) -> None:
    """Give each group its rate for the step: `learning_rate`, times the group's "scale" if it has one."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(step, config) * group.get("scale", 1.0)


def learning_rate(step: int, config: TrainingConfig) -> float:
    """The rate of step 0, 1 ... steps - 1: it rises linearly to its highest, then falls linearly towards 0.

    Neither end is 0, so that no step is wasted.
    """
    warmup = int(config.warmup * config.steps)
    rise = (step + 1) / (warmup + 1)
    fall = (config.steps - step) / (config.steps - warmup)
    return config.learning_rate * min(rise, fall)


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
