"""How gradients become steps: AdamW or Muon, what they keep from step to step, and the schedule of their rate."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mlm_mini.model import MaskedLM
from mlm_mini.training.config import MUON, TrainingConfig

# What each keeps of a weight from step to step.
MOMENTS = {"AdamW": ("step", "exp_avg", "exp_avg_sq"), "Muon": ("momentum_buffer",)}


class MuonAndAdamW:
    """Muon for the matrices of linear layers, AdamW for all else, as one optimizer.

    Muon (Jordan et al. 2024) steps along the momentum of a gradient with all its singular values brought near 1, so
    that directions of which a matrix sees little are learned as fast as the others. Scaled to the size of AdamW's steps
    (Liu et al. 2025) it has the same learning rates.
    """

    def __init__(self, muon: torch.optim.Optimizer, adamw: torch.optim.AdamW):
        self.parts = (muon, adamw)

    @property
    def param_groups(self) -> list[dict]:
        return [group for part in self.parts for group in part.param_groups]

    def zero_grad(self) -> None:
        for part in self.parts:
            part.zero_grad()

    def step(self) -> None:
        for part in self.parts:
            part.step()


Optimizer = torch.optim.Optimizer | MuonAndAdamW


def make_optimizer(model: MaskedLM, config: TrainingConfig) -> Optimizer:
    """AdamW (Loshchilov and Hutter 2019) or `MuonAndAdamW`, with weight decay for the matrices of the linear layers.

    Nothing else decays: a bias or a LayerNorm's gain has no reason to be near 0, and embeddings do not decay either.
    The table of words is a group of its own, with a learning rate that may differ. A linear layer sums over its width,
    so that the changes of its weights add up, and the wider it is, the smaller they must be; to look up a row of a
    table adds nothing up (Yang et al. 2021). Ours is the head's matrix too, which does sum over the width: its rate is
    a matter of trial.
    Raises ValueError for Muon where this PyTorch has none.
    """
    linear = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, nn.Linear)}
    decayed, table, rest = [], [], []
    for name, weight in model.named_parameters():
        group = decayed if name in linear else table if weight is model.embeddings.words.weight else rest
        group.append((name, weight))
    matrices = {"params": decayed, "weight_decay": config.weight_decay}
    groups = [
        {"params": table, "weight_decay": 0.0, "scale": config.embedding_rate},
        {"params": rest, "weight_decay": 0.0},
    ]
    if config.optimizer == MUON:
        if not hasattr(torch.optim, "Muon"):
            raise ValueError(
                f"optimizer is 'muon', which PyTorch has from 2.9 on, and this is {torch.__version__}: install a newer "
                "one, or choose 'adamw'"
            )
        muon = torch.optim.Muon([matrices], lr=config.learning_rate, adjust_lr_fn="match_rms_adamw")
        return MuonAndAdamW(muon, _adamw(groups, config))
    return _adamw([matrices, *groups], config)


def _adamw(groups: list[dict], config: TrainingConfig) -> torch.optim.AdamW:
    betas = (config.beta1, config.beta2)
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=betas, eps=config.epsilon, fused=True)


def _parts(optimizer: Optimizer) -> tuple[torch.optim.Optimizer, ...]:
    return optimizer.parts if isinstance(optimizer, MuonAndAdamW) else (optimizer,)


def moment_names(optimizer: Optimizer) -> dict[str, tuple[str, ...]]:
    """What the optimizer keeps, by the name of the weight."""
    return {
        name: MOMENTS[type(part).__name__]
        for part in _parts(optimizer)
        for group in part.param_groups
        for name in group["param_names"]
    }


def kept_moments(optimizer: Optimizer, model: MaskedLM) -> dict[str, Tensor]:
    """All that the optimizer keeps, `<weight>.<moment>`; nothing before the first step."""
    return {
        f"{name}.{key}": tensor
        for name, weight in model.named_parameters()
        for part in _parts(optimizer)
        if weight in part.state
        for key, tensor in part.state[weight].items()
    }


def load_moments(optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `kept_moments` gave. Neither names nor shapes are checked (see `stored_state.check_tensors`)."""
    for part in _parts(optimizer):
        named = part.state_dict()
        names = [name for group in named["param_groups"] for name in group["param_names"]]
        kept = MOMENTS[type(part).__name__]
        state = {i: {key: tensors[f"{name}.{key}"] for key in kept} for i, name in enumerate(names)}
        part.load_state_dict({"state": state, "param_groups": named["param_groups"]})


def set_learning_rates(optimizer: Optimizer, step: int, config: TrainingConfig) -> None:
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
