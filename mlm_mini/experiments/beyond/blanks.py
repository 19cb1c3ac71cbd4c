"""The questions of the chapter: single tokens of held-out documents, hidden one at a time, the same for every reader.

Shape letters: N blanks, T positions of a row, C candidates, D documents.
"""

from dataclasses import dataclass

import numpy as np

from mlm_mini.experiments.lab.asking import word_log_probabilities
from mlm_mini.languages.corpus import Corpus
from mlm_mini.languages.token_store import TokenizedText, text_tokens
from mlm_mini.languages.tokenizer import FileTokenizer
from mlm_mini.languages.vocabulary import Vocabulary
from mlm_mini.model import MaskedLM

SEEN_AROUND = 8  # tokens on either side of a blank that stand in its row, where the document has so many


@dataclass(frozen=True)
class DocumentBlanks:
    """Rows of text in each of which one token is asked for.

    ids: (N, T) int64, as written, [CLS] tokens [SEP] [PAD]... places: (N,), the position of the blank. documents: (N,),
    the number of its document; names: of the D documents. vocabulary: what the ids mean.
    """

    ids: np.ndarray
    places: np.ndarray
    documents: np.ndarray
    names: tuple[str, ...]
    vocabulary: Vocabulary

    @property
    def answers(self) -> np.ndarray:
        """The hidden tokens as candidates, (N,) from 0 to C - 1: their places among `vocabulary.regular_ids`."""
        ids = self.ids[np.arange(len(self.ids)), self.places]
        return np.searchsorted(self.vocabulary.regular_ids, ids)

    @property
    def numbers(self) -> np.ndarray:
        """The rows as n-grams have them, (N, T): candidates from 1 on, and 0 for everything else."""
        return as_numbers(self.ids, self.vocabulary)

    def per_document(self, values: np.ndarray) -> np.ndarray:
        """The mean of values (N,) in each document: (D,)."""
        counts = np.bincount(self.documents, minlength=len(self.names))
        return np.bincount(self.documents, values, minlength=len(self.names)) / counts


def as_numbers(ids: np.ndarray, vocabulary: Vocabulary) -> np.ndarray:
    """Token ids as n-grams have them: the candidates, `vocabulary.regular_ids`, are 1, 2 ... and all else is 0."""
    number = np.zeros(len(vocabulary), dtype=np.int64)
    number[vocabulary.regular_ids] = np.arange(1, len(vocabulary.regular_ids) + 1)
    return number[np.asarray(ids)]


def document_ids(text: TokenizedText) -> list[np.ndarray]:
    """The tokens of each document without its [CLS] and [SEP]."""
    return [np.asarray(text.ids[a + 1 : b - 1]) for a, b in zip(text.starts, text.starts[1:], strict=False)]


def draw_document_blanks(
    corpus: Corpus,
    split: str,
    tokenizer: FileTokenizer,
    per_document: int,
    length: int,
    rng: np.random.Generator,
    not_asked: str = "",
) -> DocumentBlanks:
    """So many tokens of each document of one side, each with `length` - 2 tokens around and including it.

    The blank's place in its row is drawn too, at least SEEN_AROUND tokens from the row's ends. A document with fewer
    tokens is asked for all of them. not_asked: characters that are tokens and no question, such as the end of a line.
    """
    vocabulary = tokenizer.vocabulary
    never = vocabulary.ids(list(not_asked)) if not_asked else []
    width = length - 2
    ids, places, documents, names = [], [], [], []
    for document, tokens in zip(
        corpus.split(split).documents, document_ids(text_tokens(corpus, split, tokenizer)), strict=True
    ):
        asked = np.flatnonzero(np.isin(tokens, vocabulary.regular_ids) & ~np.isin(tokens, never))
        if not len(asked):
            continue
        for at in np.sort(rng.choice(asked, min(per_document, len(asked)), replace=False)):
            start = at - rng.integers(SEEN_AROUND, width - SEEN_AROUND)
            start = max(0, min(start, len(tokens) - width))
            row = tokens[start : start + width]
            framed = [vocabulary.cls_id, *row, vocabulary.sep_id]
            ids.append(framed + [vocabulary.pad_id] * (length - len(framed)))
            places.append(at - start + 1)
            documents.append(len(names))
        names.append(document.name)
    return DocumentBlanks(np.array(ids), np.array(places), np.array(documents), tuple(names), vocabulary)


def model_posterior(model: MaskedLM, blanks: DocumentBlanks) -> np.ndarray:
    """The model's probability of each candidate at each blank, special tokens ruled out: (N, C) float64."""
    seen = blanks.ids.copy()
    seen[np.arange(len(seen)), blanks.places] = blanks.vocabulary.mask_id
    return candidate_probabilities(model, seen, blanks.places[:, None], blanks.vocabulary)[:, 0]


def candidate_probabilities(
    model: MaskedLM, seen: np.ndarray, positions: np.ndarray, vocabulary: Vocabulary
) -> np.ndarray:
    """What the model says at `positions` (N, k) of rows (N, T) as it sees them: (N, k, C), each row summing to one."""
    return np.exp(word_log_probabilities(model, seen, positions, vocabulary)[..., vocabulary.regular_ids])


def surprisal_of(posterior: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """-log of the probability of each answer, in nats: (N, C), (N,) -> (N,)."""
    return -np.log(np.maximum(posterior[np.arange(len(answers)), answers], 1e-300))


def top_k(scores: np.ndarray, answers: np.ndarray, k: int) -> np.ndarray:
    """The chance that each answer is among the k best, ties broken by lot: (N, C), (N,) -> (N,) from 0 to 1."""
    own = scores[np.arange(len(answers)), answers][:, None]
    better, alike = (scores > own).sum(axis=1), (scores == own).sum(axis=1)
    return np.clip((k - better) / alike, 0.0, 1.0)
