"""Fill in the blanks: what a trained model puts in the place of each [MASK]."""

from typing import NamedTuple

import torch

from mlm_mini.languages.tokenizer import WordPiece
from mlm_mini.languages.vocabulary import MASK
from mlm_mini.languages.words import split_words_and_masks
from mlm_mini.model import MaskedLM, WordLevel


class Candidate(NamedTuple):
    """A token for a blank, its probability, and its surprisal in nats."""

    token: str
    probability: float
    surprisal: float


@torch.no_grad()
def fill(model: MaskedLM, tokenizer: WordPiece | WordLevel, text: str, top: int = 5) -> list[list[Candidate]]:
    """The `top` likeliest tokens for each [MASK] of `text`, in order, the likeliest first.

    The probabilities are those of one pass: each blank is judged with all the others still hidden.
    Raises ValueError when there is no blank, more text than the model has positions, no such number of candidates,
    or, for a vocabulary of whole words, a word that is not in it.
    """
    vocabulary = tokenizer.vocabulary
    if not 1 <= top <= len(vocabulary):
        raise ValueError(f"top is {top}: expected a number from 1 to {len(vocabulary)}, the size of the vocabulary")
    if MASK not in text:
        raise ValueError(f"there is no blank in {text!r}: write {MASK} where a word is to be filled in")
    if isinstance(tokenizer, WordLevel):
        _check_words(tokenizer, text)
    ids = torch.from_numpy(tokenizer.encode(text))[None].to(next(model.parameters()).device)  # (1, T)
    if ids.shape[1] > model.config.max_position_embeddings:
        raise ValueError(
            f"the text has {ids.shape[1]} tokens with [CLS] and [SEP], and the model "
            f"{model.config.max_position_embeddings} positions: shorten it"
        )
    blanks = (ids == vocabulary.mask_id).nonzero()[None, :, 1]  # (1, k)
    log_p = model.eval()(ids, positions=blanks)[0].cpu().double().log_softmax(-1)  # (k, V)
    return [_best(row, vocabulary.tokens, top) for row in log_p]


def _best(log_p: torch.Tensor, tokens: tuple[str, ...], top: int) -> list[Candidate]:
    best = zip(*log_p.topk(top), strict=True)
    return [Candidate(tokens[i], log_probability.exp().item(), -log_probability.item()) for log_probability, i in best]


def _check_words(tokenizer: WordLevel, text: str) -> None:
    vocabulary = tokenizer.vocabulary
    for word in split_words_and_masks(text):
        if vocabulary.unk_id in tokenizer.encode(word):
            near = vocabulary.nearest(word.lower())
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "nothing in it is spelled alike"
            raise ValueError(f"{word!r} is not among the model's {len(vocabulary.regular_ids)} words: {hint}")
