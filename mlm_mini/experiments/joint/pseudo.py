"""Pseudo-log-likelihood: every word scored with all the others in sight, and what that counts twice.

Shape letters: B sentences, T positions, V tokens, P pieces.
"""

import numpy as np

from mlm_mini.experiments.joint.readers import BlankReader

FIRST_PIECE = 3  # letters of a long word's first piece


def pseudo_log_likelihood(reader: BlankReader, ids: np.ndarray) -> np.ndarray:
    """sum_t log p(x_t | all the others) over the words of each sentence (Salazar et al. 2020): (B, T) -> (B,) nats."""
    rows, places = np.nonzero(np.isin(ids, reader.vocabulary.regular_ids))
    seen = ids[rows]
    seen[np.arange(len(rows)), places] = reader.vocabulary.mask_id
    p = reader(seen, places[:, None])[:, 0]
    return np.bincount(rows, np.log(p[np.arange(len(rows)), ids[rows, places]]), minlength=len(ids))


def cut_words(tokens: list[str]) -> np.ndarray:
    """Two pieces for each token, as numbers (V, 2): words of more than FIRST_PIECE + 1 letters are cut behind the
    third, as "gar" and "##dener"; a short one is a piece by itself, and its second is -1. Special tokens are not cut.
    """
    numbers: dict[str, int] = {}
    cut = np.full((len(tokens), 2), -1)
    for token, row in zip(tokens, cut, strict=True):
        long = len(token) > FIRST_PIECE + 1 and not token.startswith("[")
        pieces = [token[:FIRST_PIECE], "##" + token[FIRST_PIECE:]] if long else [token]
        for place, piece in enumerate(pieces):
            row[place] = numbers.setdefault(piece, len(numbers))
    return cut


def piece_scores(p: np.ndarray, pieces: np.ndarray, word: int) -> tuple[float, float]:
    """log p(first | second seen) + log p(second | first seen), and the same with the rest of the word hidden at the
    first piece (Kauf and Ivanova 2023), in nats. The latter is log p(word).

    p: (V,) the exact distribution of a word given all the others; pieces: (V, 2). Of a word of one piece, log p twice.
    """
    whole = np.log(p[word])
    first, second = pieces[word]
    if second < 0:
        return float(whole), float(whole)
    long = pieces[:, 1] >= 0
    given_second = whole - np.log(p[pieces[:, 1] == second].sum())
    given_first = whole - np.log(p[long & (pieces[:, 0] == first)].sum())
    alone = np.log(p[long & (pieces[:, 0] == first)].sum())
    return float(given_second + given_first), float(alone + given_first)
