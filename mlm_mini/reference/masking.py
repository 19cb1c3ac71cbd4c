"""Which tokens to hide, what to put in their place, and which tokens may be predicted at all.

Shapes: T positions in a sentence, V tokens in the vocabulary; `...` stands for any leading dimensions, or none.
The three fates of a selected token are those of BERT (Devlin et al. 2019, section 3.1).
"""

import numpy as np

from mlm_mini.reference.checks import (
    bool_array,
    checked_distribution,
    checked_id,
    checked_id_set,
    checked_ids,
    checked_logits,
    checked_mask,
    checked_number,
    checked_rng,
    flat_array,
)
from mlm_mini.reference.loss import IGNORE_INDEX

BERT_SPLIT = (0.8, 0.1, 0.1)  # of selected tokens: [MASK], a random one, as it was


def exclude_tokens(logits, excluded):
    """z_i = -inf where i is excluded: after the softmax its probability is exactly zero, and so is its gradient.

    logits: (..., V) scores in nats; excluded: an iterable of token ids, or a bool array (V,).
    Returns a new (..., V) array.
    Raises ValueError if a row has no token left, an id is not from 0 to V - 1, the bool array is not (V,), or a logit
    is NaN or +inf; TypeError for ids that are not integers.
    """
    logits = checked_logits(logits).copy()
    V = logits.shape[-1]
    excluded = flat_array(excluded, "excluded")
    if excluded.dtype == bool:
        if len(excluded) != V:
            raise ValueError(f"excluded has {len(excluded)} booleans: expected {V}, one per token")
        excluded = np.flatnonzero(excluded)
    logits[..., checked_id_set(excluded, "excluded", V)] = -np.inf
    return checked_logits(logits)


def maskable_positions(ids, special_ids):
    """True where the token is not a special one: [CLS], [SEP], [PAD] and their like are never hidden.

    ids: (...) integer token ids; special_ids: an iterable of token ids.
    Returns (...) bool.
    Raises ValueError for a negative id, TypeError for ids that are not integers.
    """
    return ~np.isin(checked_ids(ids, "ids"), checked_id_set(special_ids, "special_ids"))


def select_positions(maskable, mask_ratio, rng, method="bernoulli"):
    """Draws the positions to predict, among the maskable ones.

    "bernoulli": each of them on its own, with probability mask_ratio, so that a row may come out empty.
    "fixed": exactly floor(mask_ratio n + 1/2) of the n in each row, every such subset equally likely.
    maskable: (..., T) bool; mask_ratio: one number from 0 (none) to 1 (all); rng: a NumPy Generator.
    Returns (..., T) bool, True only where maskable is.
    Raises ValueError for a mask_ratio outside [0, 1] or an unknown method, TypeError for a maskable that is not bool.
    """
    maskable = bool_array(maskable, "maskable")
    if maskable.ndim == 0:
        raise ValueError("maskable is a single value: expected (..., T), one per position")
    mask_ratio = checked_number(mask_ratio, "mask_ratio")
    if not 0 <= mask_ratio <= 1:
        raise ValueError(f"mask_ratio is {mask_ratio}: expected a share from 0 to 1, such as 0.15 for 15 percent")
    u = checked_rng(rng).random(maskable.shape)  # in [0, 1), so a ratio of 1 selects all and a ratio of 0 none
    if method == "bernoulli":
        return maskable & (u < mask_ratio)
    if method == "fixed":
        k = np.floor(mask_ratio * maskable.sum(-1, keepdims=True) + 0.5)
        rank = np.where(maskable, u, np.inf).argsort(-1).argsort(-1)  # positions that are not maskable rank last
        return rank < k
    raise ValueError(f'method is {method!r}: expected "bernoulli" or "fixed"')


def corrupt(ids, selected, mask_id, random_ids, rng, split=BERT_SPLIT):
    """What the model reads: each selected token becomes [MASK], a random token, or stays as it is.

    ids: (...) integer token ids; selected: (...) bool; mask_id: the id of [MASK];
    random_ids: an iterable with at least one id, drawn from uniformly: give it the regular tokens, no special ones;
    split: the probabilities of [MASK], random and stay, which sum to one. rng: a NumPy Generator.
    Returns a new (...) int64 array, equal to ids wherever selected is False.
    Raises ValueError for a split that is not three probabilities, no random_ids, a negative id or shapes that differ;
    TypeError for ids that are not integers or a selected that is not bool.
    """
    ids = checked_ids(ids, "ids")
    selected = checked_mask(selected, "selected", ids)
    mask_id = checked_id(mask_id, "mask_id")
    random_ids = checked_id_set(random_ids, "random_ids")
    if random_ids.size == 0:
        raise ValueError("random_ids is empty: expected at least one token id to draw from")
    split = checked_distribution(split, "split")
    if split.shape != (3,):
        raise ValueError(f"split has shape {split.shape}: expected three probabilities, of [MASK], random and stay")
    # One draw with three outcomes. Two draws in a row (10% random, then 90% of the rest masked) would give 81/10/9.
    fate = checked_rng(rng).choice(3, size=ids.shape, p=split / split.sum())
    drawn = rng.choice(random_ids, size=ids.shape)
    # pyrefly: ignore[no-matching-overload] NumPy's stubs know `choose` for arrays of one type only
    return np.where(selected, np.choose(fate, [mask_id, drawn, ids]), ids)


def make_labels(ids, selected):
    """y = the original token where selected, IGNORE_INDEX elsewhere: the loss sees nothing but the selection.

    ids: (...) integer token ids, before corruption; selected: (...) bool.
    Returns (...) int64.
    Raises ValueError for a negative id or shapes that differ, TypeError for ids that are not integers or a selected
    that is not bool.
    """
    ids = checked_ids(ids, "ids")
    return np.where(checked_mask(selected, "selected", ids), ids, IGNORE_INDEX)
