"""How a model is trained: one frozen set of numbers, checked when it is made."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from mlm_mini.training.fields import Option, check_range, check_types, options_of, text_of
from mlm_mini.training.masking import Masking

FLOAT32, BFLOAT16, FASTEST = PRECISIONS = ("float32", "bfloat16", "fastest")
OBJECTIVES = ("masked", "causal", "diffusion")
ADAMW, MUON = OPTIMIZERS = ("adamw", "muon")
BELOW_1 = ("warmup", "beta1", "beta2")
POSITIVE = ("learning_rate", "embedding_rate", "epsilon", "clip_norm")
MASKING_FIELDS = tuple(f.name for f in dataclasses.fields(Masking))


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """The recipe. Together with a model's config, the text and the machine it settles every bit of the result.

    steps: updates of the weights. batch_size: rows per update, in `micro_batches` parts. precision: "float32",
    "bfloat16" for matrix products alone, or "fastest", which times both (see `precision.py`).
    objective: "masked"; "causal", which has no use for masking; or "diffusion", which draws a ratio of its own for each
    row, so that `masking` must be left as it is. masking: how words are hidden and asked for.
    optimizer: "adamw", or "muon" for the matrices of linear layers and AdamW for the rest (see `optimizer.py`).
    learning_rate: at its highest, after a linear rise over the share `warmup` of the steps; then it falls linearly.
    embedding_rate: what the learning rate is multiplied by for the table of word embeddings.
    weight_decay: for the matrices of linear layers. clip_norm: the largest norm of a gradient.
    seed: of everything random.
    Raises TypeError for a field of the wrong type, ValueError for one out of range; the message names it.
    """

    steps: int = field(metadata=text_of("updates of the weights", "N"))
    batch_size: int = field(default=128, metadata=text_of("sentences in an update", "N"))
    micro_batches: int = field(
        default=1,
        metadata=text_of(
            "parts that a batch is cut into: 4 on a CPU, where they keep cores busy, and 1 on a GPU; more save memory",
            "N",
        ),
    )
    precision: str = field(
        default=FLOAT32,
        metadata=text_of(
            "of matrix products: float32, bfloat16, or fastest, which is bfloat16 where a trial at the first step "
            "shows that it pays",
        ),
    )
    objective: str = field(
        default="masked", metadata=text_of("masked, causal, or diffusion: all ratios, weighed so that they cancel")
    )
    masking: Masking = field(default_factory=Masking)
    optimizer: str = field(
        default=ADAMW, metadata=text_of("adamw, or muon: fewer but slower steps, for the matrices of linear layers")
    )
    learning_rate: float = field(default=3e-3, metadata=text_of("at its highest", "R"))
    embedding_rate: float = field(default=1.0, metadata=text_of("times that, for the table of words", "R"))
    warmup: float = field(default=0.1, metadata=text_of("the share of the steps in which the rate rises", "R"))
    weight_decay: float = field(default=0.01, metadata=text_of("for the matrices of linear layers", "R"))
    beta1: float = field(default=0.9, metadata=text_of("of AdamW: how much of the mean gradient stays", "R"))
    beta2: float = field(default=0.98, metadata=text_of("of AdamW: how much of the mean square stays", "R"))
    epsilon: float = field(default=1e-6, metadata=text_of("of AdamW: added to the root of the mean square", "R"))
    clip_norm: float = field(default=1.0, metadata=text_of("the largest norm of a gradient", "R"))
    seed: int = field(default=0, metadata=text_of("of everything random", "N"))

    def __post_init__(self):
        check_types(self)
        for name, known in (("objective", OBJECTIVES), ("precision", PRECISIONS), ("optimizer", OPTIMIZERS)):
            if (given := getattr(self, name)) not in known:
                *some, last = map(repr, known)
                raise ValueError(f"{name} is {given!r}: expected {', '.join(some)} or {last}")
        if self.objective == "diffusion":
            usual = Masking()
            changed = (name for name in MASKING_FIELDS if getattr(self.masking, name) != getattr(usual, name))
            refuse_masking({name: getattr(self.masking, name) for name in changed})
        check_range(self, "at least 1", lambda value: value >= 1, "steps", "batch_size", "micro_batches")
        most = f"at most batch_size, {self.batch_size}"
        check_range(self, most, lambda value: value <= self.batch_size, "micro_batches")
        check_range(self, "a number above 0", lambda value: value > 0, *POSITIVE)
        check_range(self, "0 or more", lambda value: value >= 0, "weight_decay", "seed")
        check_range(self, "from 0 up to, not including, 1", lambda value: 0 <= value < 1, *BELOW_1)

    @classmethod
    def of(cls, **fields) -> "TrainingConfig":
        """From fields of the recipe and of its masking side by side, as JSON and the command line have them."""
        masking = {name: fields.pop(name) for name in MASKING_FIELDS if name in fields}
        return cls(**fields, masking=Masking(**masking))

    def to_dict(self) -> dict:
        """All fields side by side, for JSON and for `TrainingConfig.of(**...)`."""
        flat = {}
        for name, value in dataclasses.asdict(self).items():
            flat |= value if name == "masking" else {name: value}
        return flat | {"split": list(self.masking.split)}


def refuse_masking(given: Mapping) -> None:
    """Raises ValueError for the first field of a masking that is given to the objective "diffusion"."""
    for name, value in given.items():
        if name in MASKING_FIELDS:
            raise ValueError(
                f"{name} is {value}, but the objective 'diffusion' draws a ratio from 0 to 1 for each row and hides by "
                f"[MASK] alone: leave --{name.replace('_', '-')} out"
            )


def recipe_options() -> list[Option]:
    """What the command line lets one say of a recipe: every field of it and of its masking."""
    return options_of(TrainingConfig, Masking)
