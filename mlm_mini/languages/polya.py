"""Bursty text: documents in which a word that was used once is likely to be used again, as in a Polya urn.

    p(x_t = v | x_1 ... x_t-1) = (concentration * base_v + number of v among them) / (concentration + t - 1)

Every word drawn goes back into the urn with a second one like it. Real documents do the same: a rare name that is met
once is no longer rare on that page (Church 2000; Madsen, Kauchak and Elkan 2005). With a low concentration a document
speaks of few things; the higher it is, the more its words look drawn one by one from `base`.

The order of the words does not matter, so that what a hidden word is depends on the visible ones by their numbers
alone: the formula above, with the visible words of the whole document in place of those before.

Shape letters: B documents, T positions ([CLS] and [SEP] included), V tokens, K words (V without the special tokens), N
asked positions in all, m asked positions of one document.
"""

from collections.abc import Sequence

import numpy as np

from mlm_mini.languages.checks import checked_shares
from mlm_mini.languages.exact import FINGERPRINT_DIGITS, Evidence, ExactLanguage
from mlm_mini.languages.sentences import Sentences
from mlm_mini.languages.vocabulary import SPECIAL_TOKENS, Vocabulary
from mlm_mini.storage import fingerprint

# What a page of a ship's log may speak of.
LOG = (
    "wind sea sail rain fog wave star harbor tide deck rope island gale anchor mast chart whale bread captain cook "
    "reef shore lantern barrel current storm moon compass cargo gull rudder leak salt fish canvas bell pilot map "
    "oar swell cable spar fever letter rat cannon flag lead"
)


class PolyaLanguage(ExactLanguage):
    """Documents of exactly `document_length` words from one urn each.

    words: K distinct tokens. base: (K,), above 0, the distribution of any one word by itself. concentration: above 0,
    how many words' worth of `base` the urn holds at first.
    Exact answers are for hidden and visible words. Words that may have been replaced raise ValueError: every way in
    which some of them are true and others are not would have to be counted.
    Raises ValueError for a base that is no distribution or has a zero, a length below 1, or a concentration that is not
    a number above 0.
    """

    def __init__(self, words: Sequence[str], base, concentration: float, *, document_length: int = 32):
        if document_length < 1:
            raise ValueError(f"document_length must be at least 1 word, got {document_length}")
        if not 0 < concentration < np.inf:
            raise ValueError(f"concentration must be a finite number above 0, got {concentration}")
        super().__init__(Vocabulary([*SPECIAL_TOKENS, *words]), document_length + 2)
        self.base = checked_shares(base, (len(words),), "base")
        if not self.base.all():
            raise ValueError(f"base gives {words[int(self.base.argmin())]!r} probability 0: leave the word out")
        self.concentration = float(concentration)
        self._urn = np.zeros(len(self.vocabulary))  # at first, by token
        self._urn[self.vocabulary.regular_ids] = self.concentration * self.base
        self._log_rising = _log_rising(self.concentration * self.base, document_length)  # (K, T - 1)
        self._log_rising_total = _log_rising(np.array([self.concentration]), document_length)[0]
        self._frame = np.full(self.length, -1)  # the token that certainly stands at a position, or -1
        self._frame[[0, -1]] = self.vocabulary.cls_id, self.vocabulary.sep_id

    def __repr__(self) -> str:
        shape = f"concentration {self.concentration:g}, documents of {self.length - 2}"
        return f"PolyaLanguage({len(self.base)} words, {shape})"

    @property
    def fingerprint(self) -> str:
        numbers = [self.base.round(FINGERPRINT_DIGITS), self.concentration]
        return fingerprint("polya", list(self.vocabulary.tokens), self.length, numbers)

    def encode(self, text: str) -> np.ndarray:
        """As `ExactLanguage.encode`; a document of another length than this language's is a ValueError."""
        ids = super().encode(text)
        if ids[-1] != self.vocabulary.sep_id:
            words = (ids != self.vocabulary.pad_id).sum() - 2
            raise ValueError(f"a document has exactly {self.length - 2} words, {text!r} has {words}")
        return ids

    def sample(self, n: int, rng: np.random.Generator) -> Sentences:
        """n independent documents."""
        if n < 0:
            raise ValueError(f"n must be a number of documents, got {n}")
        words = rng.choice(self.vocabulary.regular_ids, size=(n, self.length - 2), p=self.base)
        for t in range(1, self.length - 2):
            # A ball put there at the beginning, or the second of one drawn before: every such ball with equal chance.
            ball = rng.random(n) * (self.concentration + t)
            copied = np.flatnonzero(ball < t)
            words[copied, t] = words[copied, ball[copied].astype(np.int64)]
        ids = np.empty((n, self.length), dtype=np.int64)
        ids[:, 0], ids[:, 1:-1], ids[:, -1] = self.vocabulary.cls_id, words, self.vocabulary.sep_id
        return Sentences(self.vocabulary, ids)

    def _infer(self, evidence: Evidence, rows, positions):
        urns, impossible = self._seen(evidence)
        # The product of the formula at the top over the visible words, in any order.
        visible = (
            (urns - self._urn).round().astype(np.int64)[:, self.vocabulary.regular_ids]
        )  # how many of each, (B, K)
        log_likelihood = np.take_along_axis(self._log_rising, visible.T, axis=1).sum(axis=0)
        log_likelihood -= self._log_rising_total[visible.sum(axis=1)]
        log_likelihood[impossible] = -np.inf
        posterior = urns[rows] / urns[rows].sum(axis=1, keepdims=True)
        certain = self._frame[positions]
        known = np.flatnonzero(certain >= 0)
        posterior[known] = 0.0
        posterior[known, certain[known]] = 1.0
        return log_likelihood, posterior

    def _joint(self, evidence: Evidence, positions):
        urn = self._seen(evidence)[0][0]
        m, V = len(positions), len(urn)
        joint = np.ones((V,) * m)
        drawn: list[int] = []  # the axes of the words that were drawn from the urn before
        for axis, t in enumerate(positions):
            shape = [1] * m
            shape[axis] = V
            if self._frame[t] >= 0:
                joint = joint * np.eye(V)[self._frame[t]].reshape(shape)
                continue
            chance = urn.reshape(shape)
            for before in drawn:
                same = [V if i in (axis, before) else 1 for i in range(m)]
                chance = chance + np.eye(V).reshape(same)
            # A special token is in no urn, whatever the identity above says of it.
            joint = joint * np.where(self._urn.reshape(shape) > 0, chance, 0.0) / (urn.sum() + len(drawn))
            drawn.append(axis)
        return joint

    def _seen(self, evidence: Evidence) -> tuple[np.ndarray, np.ndarray]:
        """The urns after the visible words, (B, V), and which documents cannot be, (B,) bool."""
        ids, match, other = evidence
        visible = (match == 1) & (other == 0)
        if not (visible | ((match == 0) & (other == 1))).all():
            raise ValueError(
                "the exact answer is not known for words that may have been replaced: hide words by [MASK]"
            )
        framed = np.broadcast_to(self._frame >= 0, ids.shape)
        wrong = np.where(framed, ids != self._frame, self._urn[ids] == 0) & visible
        urns = np.tile(self._urn, (len(ids), 1))
        rows, places = np.nonzero(visible & ~framed & ~wrong)
        np.add.at(urns, (rows, ids[rows, places]), 1.0)
        return urns, wrong.any(axis=1)


def _log_rising(start: np.ndarray, most: int) -> np.ndarray:
    """log of start (start + 1) ... (start + c - 1) for c = 0 to most: (K,) -> (K, most + 1)."""
    factors = np.log(start[:, None] + np.arange(most))
    return np.concatenate([np.zeros((len(start), 1)), factors.cumsum(axis=1)], axis=1)


def polya_language(concentration: float = 4.0, document_length: int = 32) -> PolyaLanguage:
    """The bundled urn of 48 words of a ship's log, the i-th of them with probability in proportion to 1 / i (Zipf)."""
    words = LOG.split()
    base = 1 / np.arange(1, len(words) + 1)
    return PolyaLanguage(words, base / base.sum(), concentration, document_length=document_length)
