"""Fill in the blanks: what a trained model puts in the place of each [MASK]."""

import json
import re
from typing import NamedTuple

import torch

from mlm_mini.languages.characters import Characters
from mlm_mini.languages.tokenizer import FileTokenizer
from mlm_mini.languages.vocabulary import MASK, SPECIAL_TOKENS, UNK
from mlm_mini.languages.words import split_words_and_masks
from mlm_mini.model import MaskedLM, WordLevel, trained_length
from mlm_mini.quoting import LINE, quoted

ANY_SPECIAL_TOKEN = re.compile("|".join(map(re.escape, SPECIAL_TOKENS)))


class Candidate(NamedTuple):
    """A token for a blank, its probability, and its surprisal in nats."""

    token: str
    probability: float
    surprisal: float


@torch.no_grad()
def fill(
    model: MaskedLM, tokenizer: FileTokenizer | WordLevel, text: str, top: int = 5, all_tokens: bool = False
) -> list[list[Candidate]]:
    """The `top` likeliest tokens for each [MASK] of `text`, in order, the likeliest first.

    The probabilities are those of one pass: each blank is judged with all the others still hidden. Special tokens are
    no answer: their logits are -inf before the softmax. all_tokens: leave them in, as transformers does.
    Raises ValueError for a text without a blank, or longer than the rows that the model was trained on; for a `top`
    below 1 or above the number of candidates; for logits that are not finite; and, where the tokens are whole words or
    characters, for a word or character that is not one of them.
    """
    vocabulary = tokenizer.vocabulary
    allowed = torch.ones(len(vocabulary), dtype=torch.bool) if all_tokens else _no_special_token(tokenizer)
    most = int(allowed.sum())
    if not 1 <= top <= most:
        raise ValueError(f"top is {top}: expected a number from 1 to {most}, the tokens that may be an answer")
    if MASK not in text:
        raise ValueError(f"there is no blank in {quoted(text)}: write {MASK} where a word is to be filled in")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"{quoted(text)} holds a byte or half a character that is no text: write it in UTF-8")
    if isinstance(tokenizer, WordLevel):
        _check_words(tokenizer, text)
    elif isinstance(tokenizer, Characters):
        _check_characters(tokenizer, text)
    ids = torch.from_numpy(tokenizer.encode(text))[None].to(next(model.parameters()).device)  # (1, T)
    _check_length(model, ids.shape[1])
    blanks = (ids == vocabulary.mask_id).nonzero()[None, :, 1]  # (1, k)
    if blanks.shape[1] != text.count(MASK):
        raise ValueError(
            f"{MASK} stands in the text {text.count(MASK)} times, and the tokenizer finds it {blanks.shape[1]} times: "
            "it must be an added token that stands for itself everywhere"
        )
    logits = model.eval()(ids, positions=blanks)[0].cpu().double()  # (k, V)
    if not logits.isfinite().all():
        raise ValueError("the model gives logits that are NaN or infinite: its weights are damaged or far too large")
    log_p = logits.masked_fill(~allowed, -torch.inf).log_softmax(-1)
    return [_best(row, vocabulary.tokens, top) for row in log_p]


def _no_special_token(tokenizer: FileTokenizer | WordLevel) -> torch.Tensor:
    """Which tokens may be an answer, bool (V,): not the special ones, unused slots, or what a file calls special."""
    vocabulary = tokenizer.vocabulary
    allowed = torch.zeros(len(vocabulary), dtype=torch.bool)
    allowed[torch.from_numpy(vocabulary.regular_ids.copy())] = True
    for token in json.loads(tokenizer.to_json())["added_tokens"]:
        if token["special"]:
            allowed[token["id"]] = False
    return allowed


def unknown_words(tokenizer: FileTokenizer | WordLevel, text: str) -> list[str]:
    """The words of `text` (characters, if these are the tokens) that the model reads as [UNK], each once, in order."""
    unk_id = tokenizer.vocabulary.unk_id
    if unk_id not in tokenizer.encode(text):
        return []
    if isinstance(tokenizer, Characters):
        return list(dict.fromkeys(c for part in ANY_SPECIAL_TOKEN.split(text) for c in tokenizer.unknown_pieces(part)))
    words = dict.fromkeys(word for word in split_words_and_masks(text) if word != UNK)
    return [word for word in words if unk_id in tokenizer.encode(word)]


def _check_length(model: MaskedLM, length: int) -> None:
    given, trained = f"the text has {length} tokens with [CLS] and [SEP], and the model", trained_length(model)
    if length > model.config.max_position_embeddings:
        raise ValueError(f"{given} {model.config.max_position_embeddings} positions: shorten it")
    if trained is not None and length > trained:
        raise ValueError(
            f"{given} was trained on {trained} at most: the positions behind those mean nothing to it. Shorten the "
            "text, or train a model of real text with a larger --length"
        )


def _best(log_p: torch.Tensor, tokens: tuple[str, ...], top: int) -> list[Candidate]:
    best = zip(*log_p.topk(top), strict=True)
    return [Candidate(tokens[i], log_probability.exp().item(), -log_probability.item()) for log_probability, i in best]


def _check_words(tokenizer: WordLevel, text: str) -> None:
    vocabulary = tokenizer.vocabulary
    for word in unknown_words(tokenizer, text):
        near = vocabulary.nearest(word.lower()) if len(word) <= LINE else []
        hint = f"did you mean {' or '.join(map(quoted, near))}?" if near else "nothing in it is spelled alike"
        raise ValueError(f"{quoted(word)} is not among the model's {len(vocabulary.regular_ids)} words: {hint}")


def _check_characters(tokenizer: Characters, text: str) -> None:
    vocabulary = tokenizer.vocabulary
    for character in unknown_words(tokenizer, text):
        known, other = len(vocabulary.regular_ids), character.swapcase()
        hint = f"did you mean {quoted(other)}?" if other in vocabulary else f"leave it out, or hide it with {MASK}"
        raise ValueError(f"{quoted(character)} is not among the model's {known} characters: {hint}")
