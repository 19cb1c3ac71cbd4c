"""What a model fills into Python code: how well by kind of token, and whether its brackets close.

Shape letters: N blanks, T positions of a row.
"""

import keyword

import numpy as np

from mlm_mini.experiments.beyond.blanks import candidate_probabilities
from mlm_mini.languages.python_code import BACK, DEEPER, LINE_END
from mlm_mini.languages.tokenizer import FileTokenizer
from mlm_mini.model import MaskedLM

BRACKETS = {"(": ")", "[": "]", "{": "}"}
TOKEN_KINDS = ("bracket", "other sign", "layout", "keyword", "name or its piece", "number")
KEYWORDS = {word.lower() for word in keyword.kwlist}


def kind_of(token: str) -> str:
    """One of TOKEN_KINDS, for a token of the course's WordPiece."""
    if token in BRACKETS or token in BRACKETS.values():
        return "bracket"
    if token in (LINE_END, DEEPER, BACK):
        return "layout"
    if token in KEYWORDS:
        return "keyword"
    letters = token.removeprefix("##")
    if letters.isdigit():
        return "number"
    return "name or its piece" if letters.isalnum() else "other sign"


def bracket_pairs(tokens: list[str]) -> list[tuple[int, int]]:
    """The places of each opening bracket and of the one that closes it; those without a partner are left out."""
    stack, pairs = [], []
    for place, token in enumerate(tokens):
        if token in BRACKETS:
            stack.append((place, token))
        elif token in BRACKETS.values():
            if stack and BRACKETS[stack[-1][1]] == token:
                pairs.append((stack.pop()[0], place))
            else:
                stack.clear()
    return pairs


def fill_pairs(
    model: MaskedLM, tokenizer: FileTokenizer, rows: np.ndarray, pairs: np.ndarray, in_turn: bool
) -> np.ndarray:
    """The best guesses for two hidden tokens of each row (N, T), at `pairs` (N, 2): (N, 2) ids.

    in_turn: the first is filled in before the second is guessed; otherwise one pass guesses both.
    """
    vocabulary, each = tokenizer.vocabulary, np.arange(len(rows))
    seen = rows.copy()
    seen[each[:, None], pairs] = vocabulary.mask_id
    guesses = vocabulary.regular_ids[candidate_probabilities(model, seen, pairs, vocabulary).argmax(axis=-1)]
    if not in_turn:
        return guesses
    seen[each, pairs[:, 0]] = guesses[:, 0]
    second = candidate_probabilities(model, seen, pairs[:, 1:], vocabulary).argmax(axis=-1)[:, 0]
    return np.column_stack([guesses[:, 0], vocabulary.regular_ids[second]])


def rows_with_pairs(blank_rows: np.ndarray, tokenizer: FileTokenizer) -> tuple[np.ndarray, np.ndarray]:
    """Rows (N, T) that hold a pair of brackets with something between, and its places (N, 2): one pair of each row, the
    widest."""
    rows, pairs = [], []
    for row in blank_rows:
        inside = [pair for pair in bracket_pairs(tokenizer.tokens(row)) if pair[1] - pair[0] > 1]
        if inside:
            rows.append(row)
            pairs.append(max(inside, key=lambda pair: pair[1] - pair[0]))
    return np.array(rows), np.array(pairs)
