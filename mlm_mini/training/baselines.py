"""What a model of real text has to beat: models that only count, asked about the same tokens in the same context.

N blanks, T positions of a row, V tokens of the vocabulary.
"""

from dataclasses import dataclass

import numpy as np
import torch

from mlm_mini.languages.ngram import Trigram
from mlm_mini.languages.tokenizer import TokenizedText
from mlm_mini.languages.vocabulary import Vocabulary
from mlm_mini.model import MaskedLM
from mlm_mini.reference import maskable_positions
from mlm_mini.training.evaluation import ROWS_AT_ONCE

REACH = 2  # tokens on either side of a blank that a trigram model looks at


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


@dataclass(frozen=True)
class Comparison:
    """Surprisal of the same N blanks in nats, (N,) each: of the model, and of two models that count."""

    model: np.ndarray
    trigram: np.ndarray
    unigram: np.ndarray

    def saved(self, baseline: str) -> tuple[float, float]:
        """How much less the model pays than "trigram" or "unigram": the mean in nats and its standard error."""
        difference = getattr(self, baseline) - self.model
        return float(difference.mean()), float(difference.std(ddof=1) / np.sqrt(len(difference)))

    def table(self) -> str:
        """One line for each, with a 95% interval."""
        lines = []
        for name, nats in (("unigram", self.unigram), ("trigram", self.trigram), ("this model", self.model)):
            margin = 1.96 * nats.std(ddof=1) / np.sqrt(len(nats))
            lines.append(f"{name:12}{nats.mean():6.3f} nats per token, 95% interval ± {margin:.3f}")
        return "\n".join(lines)


def draw_blanks(rows: np.ndarray, vocabulary: Vocabulary, n: int, rng: np.random.Generator) -> Blanks:
    """n of the tokens of rows (B, T), drawn without repetition, and in their order.

    Only tokens with REACH tokens on either side are asked for: near the edge of a row a model that counts would have
    to guess what stands behind it. Raises ValueError when there are fewer than n.
    """
    token = (rows == vocabulary.unk_id) | maskable_positions(rows, vocabulary.special_ids)
    inside = np.lib.stride_tricks.sliding_window_view(token, 2 * REACH + 1, axis=1).all(axis=-1)  # (B, T - 2 REACH)
    places = np.argwhere(inside & (rows[:, REACH:-REACH] != vocabulary.unk_id))
    if not 0 < n <= len(places):
        raise ValueError(f"n is {n}: expected from 1 to {len(places)}, the tokens with {REACH} others on either side")
    row, position = places[np.sort(rng.choice(len(places), n, replace=False))].T
    return Blanks(rows[row], position + REACH)


def compare_with_counting(model: MaskedLM, blanks: Blanks, train: TokenizedText, vocabulary: Vocabulary) -> Comparison:
    """The model beside a unigram and a trigram (interpolated Kneser-Ney) of its own training text, token by token."""
    return Comparison(
        model=model_nats(model, blanks, vocabulary),
        trigram=trigram_nats(fit_trigram(train, vocabulary), blanks, vocabulary),
        unigram=unigram_nats(train, blanks, vocabulary),
    )


@torch.no_grad()
def model_nats(model: MaskedLM, blanks: Blanks, vocabulary: Vocabulary) -> np.ndarray:
    """Surprisal of each blank under the model, with that one token hidden: (N,) nats."""
    seen = blanks.ids.copy()
    seen[np.arange(len(seen)), blanks.positions] = vocabulary.mask_id
    ids, positions = torch.from_numpy(seen), torch.from_numpy(blanks.positions)[:, None]
    device = next(model.parameters()).device
    log_p = []
    for i in range(0, len(ids), ROWS_AT_ONCE):
        rows = slice(i, i + ROWS_AT_ONCE)
        inputs = (ids[rows], ids[rows] != vocabulary.pad_id, positions[rows])
        logits = model.eval()(*(tensor.to(device) for tensor in inputs))
        log_p.append(logits[:, 0].cpu().double().log_softmax(-1))  # (n, 1, V) -> (n, V)
    return -torch.cat(log_p)[torch.arange(len(ids)), torch.from_numpy(blanks.answers)].numpy()


def unigram_nats(train: TokenizedText, blanks: Blanks, vocabulary: Vocabulary) -> np.ndarray:
    """Surprisal of each blank under the shares of the tokens in the training text, one added to every count: (N,)."""
    counts = np.bincount(train.ids, minlength=len(vocabulary))[list(vocabulary.regular_ids)] + 1.0
    nats = np.full(len(vocabulary), np.inf)
    nats[list(vocabulary.regular_ids)] = np.log(counts.sum()) - np.log(counts)
    return nats[blanks.answers]


def fit_trigram(train: TokenizedText, vocabulary: Vocabulary) -> Trigram:
    """A trigram model of the tokens of the training text, each document a sentence."""
    documents = (train.ids[start + 1 : end - 1] for start, end in zip(train.starts, train.starts[1:], strict=False))
    return Trigram.fit(vocabulary.words(document) for document in documents)


def trigram_nats(trigram: Trigram, blanks: Blanks, vocabulary: Vocabulary) -> np.ndarray:
    """Surprisal of each blank under the trigram model, from two tokens on either side of it: (N,) nats.

    What it gives to [UNK] is shared evenly by the tokens that it has not met twice.
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
