"""The shape of a model: one frozen set of numbers, in Hugging Face's words, with the sizes that the course uses."""

import json
import math
from dataclasses import asdict, dataclass, fields, replace
from numbers import Integral, Real

SIZES = ("tiny", "mini", "small", "base")
USUAL_POSITIONS = 128  # positions of the small sizes, unless rows are longer


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """What it takes to build the encoder. Field names and defaults are those of Hugging Face's BertConfig.

    The activation is always the erf GELU, and the decoder always tied to the word embeddings.
    Raises TypeError for a field of the wrong type, ValueError for one out of range; the message names it.
    """

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    layer_norm_eps: float = 1e-12
    initializer_range: float = 0.02

    def __post_init__(self):
        for field in fields(self):
            kind, value = field.type, getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, Integral if kind is int else Real):
                raise TypeError(f"{field.name} is {value!r}: expected {'an integer' if kind is int else 'a number'}")
            # pyrefly: ignore[not-callable] the types of these fields are int and float, not their names
            object.__setattr__(self, field.name, kind(value))  # a NumPy integer would not survive JSON
            if field.name.endswith("dropout_prob"):
                # pyrefly: ignore[unsupported-operation] the abstract numbers compare, if not for a checker
                if not 0 <= value < 1:
                    raise ValueError(f"{field.name} is {value}: expected a probability from 0 up to, not including, 1")
            # pyrefly: ignore[unsupported-operation] as above
            elif not 0 < value < math.inf:
                raise ValueError(f"{field.name} is {value}: expected a finite number above 0")
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size is {self.hidden_size} and num_attention_heads {self.num_attention_heads}: "
                "the heads share the width evenly, so their number must divide it"
            )

    @classmethod
    def of_size(cls, size: str, vocab_size: int, length: int = 0) -> "ModelConfig":
        """The config of a size by name, for rows of `length` tokens. Raises ValueError for a name not in SIZES."""
        if size not in SIZES:
            raise ValueError(f"size is {size!r}: expected one of {', '.join(SIZES)}")
        config = getattr(cls, size)(vocab_size)
        return replace(config, max_position_embeddings=max(length, config.max_position_embeddings))

    # The small sizes have no dropout: it would keep a model from memorizing its text, and these never read the same
    # sentence twice. `mini` is for a few minutes on two cores: given the same time, three such blocks, or four of width
    # 256, stayed further from the floor of the scene language.

    @classmethod
    def tiny(cls, vocab_size: int, **changes) -> "ModelConfig":
        """2 blocks of width 64: trains in seconds on two cores. `changes` are fields to set otherwise."""
        return cls._sized(vocab_size, 2, 64, 2, changes)

    @classmethod
    def mini(cls, vocab_size: int, **changes) -> "ModelConfig":
        """2 blocks of width 128: trains in minutes on two cores."""
        return cls._sized(vocab_size, 2, 128, 4, changes)

    @classmethod
    def small(cls, vocab_size: int, **changes) -> "ModelConfig":
        """4 blocks of width 256: for a GPU, or for patience."""
        return cls._sized(vocab_size, 4, 256, 8, changes)

    @classmethod
    def base(cls, vocab_size: int = 30522, **changes) -> "ModelConfig":
        """12 blocks of width 768, dropout 0.1: BERT-base (Devlin et al. 2019)."""
        dropout = {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}
        return cls._sized(vocab_size, 12, 768, 12, {"max_position_embeddings": 512} | dropout | changes)

    @classmethod
    def _sized(cls, vocab_size, blocks, width, heads, changes):
        """With BERT's proportions: four times the width inside a block, and weights that make sums of the same size.

        A sum of `width` terms grows with its root, so BERT's 0.02 at width 768 is 0.05 at 128.
        """
        sized = {
            "hidden_size": width,
            "num_hidden_layers": blocks,
            "num_attention_heads": heads,
            "intermediate_size": 4 * width,
            "max_position_embeddings": USUAL_POSITIONS,
            "hidden_dropout_prob": 0.0,
            "attention_probs_dropout_prob": 0.0,
            "initializer_range": round(0.02 * math.sqrt(768 / width), 3),
        }
        return cls(vocab_size=vocab_size, **sized | changes)

    def to_json(self) -> str:
        """The fields as a JSON object, for `from_json`."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "ModelConfig":
        """What `to_json` wrote. Raises ValueError naming the fields that are unknown, or missing."""
        try:
            given = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"a model config must be JSON: {error}") from error
        if not isinstance(given, dict):
            raise ValueError(f"a model config must be a JSON object, not {text.strip()[:40]!r}")
        known = {field.name for field in fields(cls)}
        if given.keys() != known:
            unknown, missing = sorted(given.keys() - known), sorted(known - given.keys())
            raise ValueError(f"not a model config: unknown fields {unknown}, missing fields {missing}")
        return cls(**given)

    def count_parameters(self) -> int:
        """How many numbers the model learns; the decoder's matrix is the word embeddings and counts once."""
        V, D, F = self.vocab_size, self.hidden_size, self.intermediate_size
        norm = 2 * D
        embeddings = (V + self.max_position_embeddings + self.type_vocab_size) * D + norm
        block = 4 * (D * D + D) + norm + (F * D + F) + (D * F + D) + norm
        head = D * D + D + norm + V
        return embeddings + self.num_hidden_layers * block + head

    def training_flops_per_token(self, length: int, predicted: float = 1.0) -> float:
        """Floating-point operations to train on one token of a sentence, forward and backward.

        length: T positions in the sentence; predicted: the share m of them that the head computes logits for.

            6 L (4 D^2 + 2 D F)  +  12 L T D  +  6 m (D^2 + D V)

        A weight costs 2 operations forward and 4 backward at every position; attention has no weights of its own, but
        compares and mixes T positions. Lookups, sums and norms are left out.
        """
        V, D, F = self.vocab_size, self.hidden_size, self.intermediate_size
        blocks = self.num_hidden_layers * (6 * (4 * D * D + 2 * D * F) + 12 * length * D)
        return blocks + 6 * predicted * (D * D + D * V)
