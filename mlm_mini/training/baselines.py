"""What a model of real text has to beat: models that only count, asked about the same tokens in the same context.

N blanks, T positions of a row, V tokens of the vocabulary.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from mlm_mini.languages.ngram import Trigram
from mlm_mini.languages.token_store import TokenizedText
from mlm_mini.languages.vocabulary import Vocabulary
from mlm_mini.model import MaskedLM
from mlm_mini.reference import maskable_positions
from mlm_mini.training.evaluation import ROWS_AT_ONCE

REACH = 2  # tokens on either side of a blank that a trigram model looks at
FEWEST_BLANKS = 2  # of one alone there is no standard error
MOST_COUNTED = 2_000_000  # tokens of a long text that are counted: the trigrams of all would not fit in memory


@dataclass(frozen=True)
class Blanks:
    """Rows of text in each of which one token is asked for, given all the others.

    ids: (N, T) int64, as written. positions: (N,) int64, what is hidden in each row.
    """

    ids: np.ndarray
    positions: np.ndarray

    @property
    def answers(self) -> np.ndarray:
        """The hidden tokens, (N,)."""
        return self.ids[np.arange(len(self.ids)), self.positions]


def _mean_and_error(values: np.ndarray) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


@dataclass(frozen=True)
class Comparison:
    """Surprisal of the same N blanks in nats, (N,) each: of the model, and of two models that count.

    counted: how many tokens, at the beginning of the training text, these two have counted; training: how many it has.
    """

    model: np.ndarray
    trigram: np.ndarray
    unigram: np.ndarray
    counted: int
    training: int

    def mean(self, name: str) -> tuple[float, float]:
        """What "model", "trigram" or "unigram" pays: the mean in nats and its standard error."""
        return _mean_and_error(getattr(self, name))

    def saved(self, baseline: str) -> tuple[float, float]:
        """How much less the model pays than "trigram" or "unigram": the mean in nats and its standard error."""
        return _mean_and_error(getattr(self, baseline) - self.model)

    def table(self) -> str:
        """For a reader: what was asked, what each of the three pays with a 95% interval, and what was counted."""
        lines = [f"{len(self.model):,} tokens of the validation text, hidden one at a time:"]
        for name, label in (("unigram", "unigram"), ("trigram", "trigram"), ("model", "this model")):
            mean, error = self.mean(name)
            lines.append(f"{label:12}{mean:6.3f} nats per token, 95% interval ± {1.96 * error:.3f}")
        part = "the first " if self.counted < self.training else ""
        of = f" of {self.training:,}" if part else ""
        return "\n".join(
            [*lines, f"(The unigram and the trigram have counted {part}{self.counted:,}{of} training tokens.)"]
        )

    def to_dict(self) -> dict:
        """For JSON: how many blanks and tokens, and mean and standard error of each in nats."""
        names = ("model", "trigram", "unigram")
        scores = {name: dict(zip(("nats", "error"), self.mean(name), strict=True)) for name in names}
        return {"blanks": len(self.model), "counted": self.counted, "training": self.training} | scores


def draw_blanks(rows: np.ndarray, vocabulary: Vocabulary, n: int, rng: np.random.Generator) -> Blanks:
    """Draw n tokens of rows (B, T) without repetition, or take all where there are fewer; they keep their order.

    Only tokens with REACH tokens on either side are asked for: at the edge of a row, a model that counts would not see
    the neighbors. [UNK] is never asked for, but may be a neighbor. Raises ValueError when n, or the number of tokens
    that may be asked for, is less than FEWEST_BLANKS.
    """
    places = _places(rows, vocabulary)
    if min(n, len(places)) < FEWEST_BLANKS:
        raise ValueError(
            f"n is {n}, and {len(places)} tokens have {REACH} others on either side: expected {FEWEST_BLANKS} or more"
        )
    row, position = places[np.sort(rng.choice(len(places), min(n, len(places)), replace=False))].T
    return Blanks(rows[row], position)


def _places(rows: np.ndarray, vocabulary: Vocabulary) -> np.ndarray:
    """Row and position of each token of rows (B, T) that may be asked for: (K, 2)."""
    known = maskable_positions(rows, vocabulary.special_ids)
    token = known | (rows == vocabulary.unk_id)
    if rows.shape[1] <= 2 * REACH:
        return np.empty((0, 2), dtype=np.int64)
    inside = np.lib.stride_tricks.sliding_window_view(token, 2 * REACH + 1, axis=1).all(axis=-1)  # (B, T - 2 REACH)
    return np.argwhere(inside & known[:, REACH:-REACH]) + np.array([0, REACH])


def compare_with_counting(
    model: MaskedLM, blanks: Blanks, train: TokenizedText, vocabulary: Vocabulary, most: int = MOST_COUNTED
) -> Comparison:
    """The model beside a unigram and a trigram (interpolated Kneser-Ney) of its own training text, token by token.

    most: of a longer text, only so many tokens at its beginning are counted. The model is left in eval mode.
    """
    return Comparison(
        model=blank_nats(model, blanks, vocabulary),
        trigram=trigram_nats(fit_trigram(train, vocabulary, most), blanks, vocabulary),
        unigram=unigram_nats(train, blanks, vocabulary, most),
        counted=sum(map(len, _documents(train, most))),
        training=len(train.ids) - 2 * (len(train.starts) - 1),
    )


def _documents(train: TokenizedText, most: int) -> Iterator[np.ndarray]:
    """The tokens of each document without its [CLS] and [SEP], as long as there are no more than `most` in all."""
    for start, end in zip(train.starts, train.starts[1:], strict=False):
        document = train.ids[start + 1 : min(end - 1, start + 1 + most)]
        most -= len(document)
        yield document
        if not most:
            return


@torch.no_grad()
def blank_nats(model: MaskedLM, blanks: Blanks, vocabulary: Vocabulary) -> np.ndarray:
    """Surprisal of each blank under the model, with that one token hidden: (N,) nats."""
    seen = blanks.ids.copy()
    seen[np.arange(len(seen)), blanks.positions] = vocabulary.mask_id
    ids, positions = torch.from_numpy(seen), torch.from_numpy(blanks.positions)[:, None]
    device = next(model.parameters()).device
    nats = []
    for i in range(0, len(ids), ROWS_AT_ONCE):
        rows = slice(i, i + ROWS_AT_ONCE)
        inputs = (ids[rows], ids[rows] != vocabulary.pad_id, positions[rows])
        logits = model.eval()(*(tensor.to(device) for tensor in inputs))
        log_p = logits[:, 0].cpu().double().log_softmax(-1).numpy()  # (n, 1, V) -> (n, V)
        nats.append(-log_p[np.arange(len(log_p)), blanks.answers[rows]])
    return np.concatenate(nats)


def unigram_nats(train: TokenizedText, blanks: Blanks, vocabulary: Vocabulary, most: int = MOST_COUNTED) -> np.ndarray:
    """Surprisal of each blank under the shares of the tokens in the training text, one added to every count: (N,) nats.

    The shares are those among the tokens that may be predicted, in the first `most` tokens of the text.
    """
    counts = np.bincount(np.concatenate(list(_documents(train, most))), minlength=len(vocabulary)) + 1.0
    nats = np.full(len(vocabulary), np.inf)
    regular = vocabulary.regular_ids
    nats[regular] = np.log(counts[regular].sum()) - np.log(counts[regular])
    return nats[blanks.answers]


def fit_trigram(train: TokenizedText, vocabulary: Vocabulary, most: int = MOST_COUNTED) -> Trigram:
    """A trigram model of the first `most` tokens of the training text, each document a sentence."""
    return Trigram.fit(map(vocabulary.words, _documents(train, most)))


def trigram_nats(trigram: Trigram, blanks: Blanks, vocabulary: Vocabulary) -> np.ndarray:
    """Surprisal of each blank under the trigram model, from two tokens on either side of it: (N,) nats.

    It treats tokens that it has met less than twice as [UNK]. The probability of [UNK] is shared evenly among them, so
    that its probabilities, too, sum to one over all tokens that may be predicted.
    """
    known, unk = trigram.vocabulary, trigram.vocabulary.unk_id
    sharing = np.count_nonzero(known.ids(vocabulary.words(vocabulary.regular_ids)) == unk)
    nats = np.empty(len(blanks.ids))
    for i, (ids, position) in enumerate(zip(blanks.ids, blanks.positions, strict=True)):
        window = vocabulary.words(ids[position - REACH : position + REACH + 1])
        answer = known.ids(window)[REACH]
        p = trigram.posterior(window, REACH)[answer]
        nats[i] = -np.log(p / sharing if answer == unk else p)
    return nats
