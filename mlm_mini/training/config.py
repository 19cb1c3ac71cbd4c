"""How a model is trained: one frozen set of numbers, checked when it is made."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real

OBJECTIVES = ("masked", "causal")
METHODS = ("bernoulli", "fixed")
BELOW_1 = ("warmup", "beta1", "beta2", "heavy_share")
POSITIVE = ("learning_rate", "embedding_rate", "epsilon", "clip_norm")
ALL_MASK = (1.0, 0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """The recipe. Together with a model's config, the text and the machine it settles every bit of the result.

    steps: updates of the weights. batch_size: rows per update, in `micro_batches` parts, for cores or want of memory.
    objective: "masked" or "causal". mask_ratio, method, split: as in `mlm_mini.reference.select_positions` and
    `corrupt`; prediction_ratio, heavy_share, heavy_ratio: as in `masked_batch`. "causal" has no use for them.
    learning_rate: at its highest, after a linear rise over the share `warmup` of the steps; then it falls linearly.
    embedding_rate: what the learning rate is multiplied by for the table of word embeddings.
    weight_decay: of AdamW, for matrices only. clip_norm: the largest norm of a gradient. seed: of everything random.
    Raises TypeError for a field of the wrong type, ValueError for one out of range; the message names it.
    """

    steps: int
    batch_size: int = 128
    micro_batches: int = 1
    objective: str = "masked"
    mask_ratio: float = 0.15
    method: str = "bernoulli"
    split: tuple[float, float, float] = ALL_MASK
    prediction_ratio: float | None = None
    heavy_share: float = 0.0
    heavy_ratio: float = 0.85
    learning_rate: float = 3e-3
    embedding_rate: float = 1.0
    warmup: float = 0.1
    weight_decay: float = 0.01
    beta1: float = 0.9
    beta2: float = 0.98
    epsilon: float = 1e-6
    clip_norm: float = 1.0
    seed: int = 0

    def __post_init__(self):
        for field in dataclasses.fields(self):
            if field.type in (int, float):
                object.__setattr__(self, field.name, _number(field.name, getattr(self, field.name), field.type))
        for name, allowed in (("objective", OBJECTIVES), ("method", METHODS)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is {getattr(self, name)!r}: expected {' or '.join(map(repr, allowed))}")
        self._check("at least 1", lambda value: value >= 1, "steps", "batch_size", "micro_batches")
        self._check(f"at most batch_size, {self.batch_size}", lambda value: value <= self.batch_size, "micro_batches")
        self._check("a share above 0, up to 1", lambda value: 0 < value <= 1, "mask_ratio", "heavy_ratio")
        self._check("a number above 0", lambda value: value > 0, *POSITIVE)
        self._check("0 or more", lambda value: value >= 0, "weight_decay", "seed")
        self._check("from 0 up to, not including, 1", lambda value: 0 <= value < 1, *BELOW_1)
        object.__setattr__(self, "split", _split(self.split))
        if self.prediction_ratio is not None:
            object.__setattr__(self, "prediction_ratio", _number("prediction_ratio", self.prediction_ratio, float))
            within = f"a share above 0, up to mask_ratio, {self.mask_ratio}"
            self._check(within, lambda value: 0 < value <= self.mask_ratio, "prediction_ratio")
            self._check("0 where there is a prediction_ratio", lambda value: value == 0, "heavy_share")

    def _check(self, expected: str, fits: Callable[[float], bool], *names: str) -> None:
        for name in names:
            if not fits(getattr(self, name)):
                raise ValueError(f"{name} is {getattr(self, name)}: expected {expected}")

    def to_dict(self) -> dict:
        """The fields, for JSON and for `TrainingConfig(**...)`."""
        return dataclasses.asdict(self) | {"split": list(self.split)}


def _number(name: str, value, kind: type):
    if isinstance(value, bool) or not isinstance(value, Integral if kind is int else Real):
        raise TypeError(f"{name} is {value!r}: expected {'an integer' if kind is int else 'a number'}")
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value}: expected a finite number")
    return kind(value)  # a NumPy number would not survive JSON


def _split(split) -> tuple[float, float, float]:
    shares = tuple(float(share) for share in split)
    if len(shares) != 3 or not all(share >= 0 for share in shares) or abs(sum(shares) - 1) > 1e-9:
        raise ValueError(f"split is {split}: expected three shares, of [MASK], random and stay, that sum to 1")
    return shares
