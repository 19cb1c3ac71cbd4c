"""How words are hidden and asked for: one frozen value, which travels whole from the command line to the draw.

The draw itself is `masked_batch` in `objectives.py`, by the functions of `mlm_mini/reference/masking.py`.
"""

from dataclasses import dataclass, field

from mlm_mini.languages.checks import ALL_MASK
from mlm_mini.training.fields import check_range, check_types, text_of

METHODS = ("bernoulli", "fixed")


@dataclass(frozen=True, kw_only=True)
class Masking:
    """Checked once, when it is made.

    mask_ratio, method, split: as in `mlm_mini.reference.select_positions` and `corrupt`.
    prediction_ratio: the share of the words that is asked for, at most mask_ratio, which is the share that is corrupted
    (Wettig et al. 2022 name the two); None asks for all that is corrupted.
    heavy_share: the share of the sentences, drawn anew each time, that have `heavy_ratio` in place of mask_ratio: so a
    model meets sentences of which it sees next to nothing, whatever the ratio of the others (Tay et al. 2022 mix a
    usual and an extreme way to hide likewise).
    Raises TypeError for a field of the wrong type, ValueError for one out of range; the message names it.
    """

    mask_ratio: float = field(default=0.15, metadata=text_of("the share of words to hide, up to 1", "R"))
    method: str = field(default="bernoulli", metadata=text_of("bernoulli, each word on its own, or fixed, so many"))
    split: tuple[float, float, float] = field(
        default=ALL_MASK, metadata=text_of("of hidden words: the shares of [MASK], random and kept")
    )
    prediction_ratio: float | None = field(default=None, metadata=text_of("the share of words to ask for", "R"))
    heavy_share: float = field(default=0.0, metadata=text_of("the share of sentences that hide more", "R"))
    heavy_ratio: float = field(default=0.85, metadata=text_of("the share of words that those hide", "R"))

    def __post_init__(self):
        check_types(self)
        if self.method not in METHODS:
            raise ValueError(f"method is {self.method!r}: expected {' or '.join(map(repr, METHODS))}")
        check_range(self, "a share above 0, up to 1", lambda value: 0 < value <= 1, "mask_ratio", "heavy_ratio")
        check_range(self, "from 0 up to, not including, 1", lambda value: 0 <= value < 1, "heavy_share")
        object.__setattr__(self, "split", _split(self.split))
        if self.prediction_ratio is not None:
            within = f"a share above 0, up to mask_ratio, {self.mask_ratio}"
            check_range(self, within, lambda value: 0 < value <= self.mask_ratio, "prediction_ratio")
            check_range(self, "0 where there is a prediction_ratio", lambda value: value == 0, "heavy_share")


def _split(split) -> tuple[float, float, float]:
    shares = tuple(float(share) for share in split)
    if len(shares) != 3 or not all(share >= 0 for share in shares) or abs(sum(shares) - 1) > 1e-9:
        raise ValueError(f"split is {split}: expected three shares, of [MASK], random and stay, that sum to 1")
    return shares
