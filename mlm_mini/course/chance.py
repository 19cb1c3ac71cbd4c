"""What can be measured about an answer that is drawn at random: shares, and whether luck is each token's own.

Tolerances are the business of the exercises: at least six standard deviations of a right answer, however it draws.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from mlm_mini.course.compare import type_name
from mlm_mini.course.exercise import WrongAnswer

# What measurements are called wherever they are made: a learner reads "only this is off: ...".
NEXT_TOKEN = "how often a token and the next one fare alike, beside chance"
NEXT_SENTENCE = "how often a token and the one in the next sentence fare alike, beside chance"
NEXT_DRAW = "the next draw from the same rng is another one"
SAME_SEED = "the same seed gives the same answer"
VARIES = "totals vary from draw to draw as those of tokens that are drawn one by one"
NEW = "the answer is a new array"
WITHIN = "that share is within six standard errors of mask_ratio"

DRAWS_COUNTED = 48  # of which the spread of a total is known within a tenth
MANY = 10_000  # numbers in an array of which shares mean something
AS_OFTEN, AS_MUCH = "as often", "as they should"


def share(truth: np.ndarray) -> float:
    """The share of True values, 0.0 when there are none to count."""
    return float(np.mean(truth)) if truth.size else 0.0


def amount(truth: np.ndarray, many: bool) -> float | str:
    """The share of True values where there may be many, else "all", "some" or "none": few are up to chance."""
    if many:
        return share(truth)
    return "none" if not truth.any() else "all" if truth.all() else "some"


def together(chosen: np.ndarray, may: np.ndarray, axis: int) -> float:
    """How much more often than by chance a position and the next one along `axis` are both chosen.

    chosen, may: (B, T) truth values; only pairs of which both may be chosen count. 0 where luck is each token's own,
    below 0 where choosing one keeps the next from being chosen.
    """
    one, other = _neighbors(chosen, may, axis)
    return round(share(one & other) - share(one) * share(other), 4) + 0.0  # never -0.0


def alike(values: np.ndarray, may: np.ndarray, axis: int) -> float:
    """How much more often than by chance a position and the next one along `axis` hold the same value."""
    return round(_excess(values, may, axis)[0], 4) + 0.0


def _excess(values: np.ndarray, may: np.ndarray, axis: int) -> tuple[float, float]:
    """What `alike` says, and its standard deviation where nothing but chance is at work."""
    one, other = _neighbors(values, may, axis)
    p, q = (np.array([share(side == value) for value in np.unique(one)]) for side in (one, other))
    variance = (p @ q + (p @ q) ** 2 - 2 * (p * q) @ p) / max(one.size, 1)
    return share(one == other) - float(p @ q), float(np.sqrt(max(variance, 0.0)))


def beside_chance(excess: float, allowed: float = 0.006) -> str:
    """What `alike` found, in words: how large it is depends on the share when luck is shared."""
    return AS_OFTEN if abs(excess) <= allowed else "far more often" if excess > 0 else "less often"


def _neighbors(values: np.ndarray, may: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    values, may = np.moveaxis(values, axis, 0), np.moveaxis(may, axis, 0)
    both = may[:-1] & may[1:]
    return values[:-1][both], values[1:][both]


def repeatable(function: Callable, *args: Any, **kwargs: Any) -> bool:
    """Whether the same seed gives the same answer, with a generator among the arguments."""
    once, again = (function(*copy.deepcopy(args), **kwargs) for _ in range(2))
    return bool(np.array_equal(once, again))


def draws_anew(function: Callable, may: np.ndarray, *args: Any, **kwargs: Any) -> bool:
    """Whether two draws in a row from one generator are alike, where they may differ, no more often than by chance."""
    once, again = in_a_row(function, 2, *args, **kwargs)
    return alike(np.stack([once, again]), np.stack([may, may]), 0) < 0.2


def varies(counts: list[int], n: int, p: float | None = None) -> bool:
    """Whether that many counts have the spread that n draws of probability p have, give or take a factor of two or so.

    That is six standard deviations. By default p is what the counts say.
    """
    return 0.4 < spread(counts, n, p) < 2


def beside_independent(times: float) -> str:
    """What `spread` found, in words."""
    return AS_MUCH if 0.4 < times < 2 else "too much" if times > 1 else "too little"


def spread(counts: list[int], n: int, p: float | None = None) -> float:
    """The standard deviation of counts, beside that of n draws of probability p; 1 where nothing is left to luck."""
    p = sum(counts) / (n * len(counts)) if p is None else p
    expected = np.sqrt(n * p * (1 - p))
    return float(np.std(counts) / expected) if expected else 1.0


def in_a_row(function: Callable, draws: int, *args: Any, **kwargs: Any) -> list[np.ndarray]:
    """Answers to the same arguments, drawn one after another from a copy of the generator among them."""
    rng = next(value for value in args if isinstance(value, np.random.Generator))
    rngs = {id(rng): copy.deepcopy(rng)}  # the one thing that goes on from call to call
    return [function(*copy.deepcopy(args, dict(rngs)), **kwargs) for _ in range(draws)]


def own_luck(function: Callable, answer: np.ndarray, may: np.ndarray, *few: Any) -> dict[str, Any]:
    """Whether luck is each token's own, each sentence's, and each draw's.

    answer, may: (B, T), compared where `may` is True. `function(*few)` draws again for the first sentences, with the
    generator as it was before.
    """
    (token, deviation), (sentence, other) = (_excess(answer, may, axis) for axis in (1, 0))
    # Where luck is shared along one axis there are few independent draws, and the other axis shows more of chance.
    allowed = max(6 * deviation, 6 * other, 0.8 * abs(token), 0.8 * abs(sentence))
    return {
        NEXT_TOKEN: beside_chance(token, allowed),
        NEXT_SENTENCE: beside_chance(sentence, allowed),
        NEXT_DRAW: draws_anew(function, may[: len(few[0])], *few),
    }


def truths(answer: Any, like: np.ndarray, name: str = "your answer") -> np.ndarray:
    """The answer, if it is an array of truth values of the shape of `like`. Raises WrongAnswer."""
    if type(answer) is not np.ndarray or answer.dtype != bool or answer.shape != like.shape:
        raise WrongAnswer(f"Expected a bool array of shape {like.shape}; {name} is this: {type_name(answer)}.")
    return answer


def token_ids(answer: Any, like: np.ndarray) -> np.ndarray:
    """The answer, if it is an array of integers of the shape of `like`. Raises WrongAnswer."""
    if type(answer) is not np.ndarray or answer.dtype.kind not in "iu" or answer.shape != like.shape:
        raise WrongAnswer(f"Expected integer ids of shape {like.shape}; your answer is this: {type_name(answer)}.")
    return answer


def selection(function: Callable, maskable: np.ndarray, mask_ratio: float, rng: np.random.Generator) -> dict[str, Any]:
    """What is measured about a random selection: shares, because which positions it draws is up to chance.

    Where luck is shared a share says little, and is taken to be as it should.
    """
    given, maskable, many = maskable, maskable.copy(), maskable.size >= MANY
    few, fewer = ((maskable[:n], mask_ratio, copy.deepcopy(rng)) for n in (200, 50))
    selected = truths(function(given, mask_ratio, rng), maskable)
    drawn, again = (np.stack(in_a_row(function, DRAWS_COUNTED, *fewer)) for _ in range(2))
    chosen, may = (selected, maskable) if many else (drawn, np.broadcast_to(fewer[0], drawn.shape))
    share_chosen: Any = amount(chosen[may], many)
    seen: dict[str, Any] = {
        "share of the other positions that is selected": amount(chosen[~may], many),
        SAME_SEED: np.array_equal(drawn, again),
    }
    if many:
        times = spread(list(drawn.sum(axis=(1, 2))), int(fewer[0].sum()))
        if times > 2:  # all tokens share some luck: many draws show which better than one
            chosen, may = np.concatenate(drawn), np.tile(fewer[0], (DRAWS_COUNTED, 1))
        seen |= own_luck(function, chosen, may, *few)
        shared = not seen[NEXT_TOKEN] == seen[NEXT_SENTENCE] == AS_OFTEN
        seen[VARIES] = AS_MUCH if shared else beside_independent(times)
        if shared or times > 2:
            share_chosen = mask_ratio
        standard_error = np.sqrt(mask_ratio * (1 - mask_ratio) / maskable.sum())
        seen[WITHIN] = bool(abs(share_chosen - mask_ratio) < 6 * standard_error)
    return {"share of the maskable positions that is selected": share_chosen, **seen}


def fixed_selection(
    function: Callable, maskable: np.ndarray, mask_ratio: float, rng: np.random.Generator
) -> dict[str, Any]:
    """The number selected in each row is exact; which ones is up to chance, and alike for all positions."""
    given, maskable, many = maskable, maskable.copy(), maskable.size >= MANY
    few = (maskable[:100], mask_ratio, copy.deepcopy(rng))
    selected = truths(function(given, mask_ratio, rng), maskable)
    drawn, again = (np.stack(in_a_row(function, DRAWS_COUNTED, *few)) for _ in range(2))
    counts = drawn.sum(axis=-1)[:, :8]
    always = (counts == counts[0]).all(axis=0)
    seen: dict[str, Any] = {
        "number selected in each of the first sentences": np.where(always, counts[0].astype(str), "varies"),
        "share of the other positions that is selected": amount(drawn[:, ~few[0]], many),
        SAME_SEED: np.array_equal(drawn, again),
    }
    if many:
        n = maskable.sum(axis=1, keepdims=True)
        promised = (maskable * np.floor(mask_ratio * n + 0.5) / np.maximum(n, 1)).mean(axis=0)
        seen |= own_luck(function, selected, maskable, *few)
        shared = seen[NEXT_SENTENCE] != AS_OFTEN  # then a share says little, and is taken to be as it should
        seen["share of sentences in which each position is selected"] = promised if shared else selected.mean(axis=0)
    return seen


def fates(
    draw: Callable, ids: np.ndarray, selected: np.ndarray, rng: np.random.Generator, random_ids, split, mask_id=-2
) -> dict[str, Any]:
    """What `draw(ids, selected, rng)` makes of tokens (..., T), of which the selected ones meet one of three fates.

    split: the probabilities of mask_id (-2: no such fate), of a draw from random_ids, and of staying. Few tokens are
    drawn many times. Where many share their luck a share says little, and is taken to be as it should.
    """
    luck, before, chosen, many = copy.deepcopy(rng), ids.copy(), selected.copy(), ids.size >= MANY
    answer = token_ids(draw(ids, selected, rng), before)

    def fate_of(ids: np.ndarray, selected: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        after = draw(ids.copy(), selected, rng)
        return np.where(after == ids, -1, after)  # kept tokens are not all the same, but their fate is

    few, fewer = ((before[:n], chosen[:n], luck) for n in (200, 10))
    drawn, again = (np.stack(in_a_row(fate_of, DRAWS_COUNTED, *fewer)) for _ in range(2))
    seen: dict[str, Any] = {SAME_SEED: np.array_equal(drawn, again), NEW: not np.may_share_memory(answer, ids)}
    fate = np.where(answer == before, -1, answer) if many else drawn
    chosen = chosen if many else np.broadcast_to(chosen, drawn.shape)
    after = fate[chosen]
    outside = ~np.isin(after, [-1, mask_id, *random_ids])
    replaced = ~np.isin(after, [-1, mask_id])
    masked, kept = amount(after == mask_id, many), amount(after == -1, many)
    if many:
        itself = np.array([share(before[chosen] == token) for token in random_ids])
        kept += share(outside) * itself.mean()  # as if those had been drawn from the list
        falls = np.array([share(after[replaced & ~outside] == token) for token in random_ids])
        half, few_fates = random_ids[1::2], drawn[:, fewer[1]]
        counts = [some.sum(axis=1) for some in (np.isin(few_fates, half), few_fates == mask_id)]
        spreads = [spread(list(count), int(fewer[1].sum())) for count in counts]
        seen |= own_luck(fate_of, fate, chosen, *few)
        shared = not seen[NEXT_TOKEN] == seen[NEXT_SENTENCE] == AS_OFTEN
        seen[VARIES] = [AS_MUCH if shared else beside_independent(times) for times in spreads]
        unsure = shared or max(spreads) > 2
        if unsure:
            masked, kept = split[0], split[2] + split[1] * itself.mean()
        if unsure or share(replaced) < split[1] / 4:
            falls = (1 - itself) / (1 - itself).sum()
        seen["how the share of random tokens falls on those to draw from"] = split[1] * falls
    elif outside.any() and not split[2]:
        kept = "none"  # a token that was drawn from elsewhere may be the old one
    return {
        "share of the selected tokens that were replaced by one that is not in the list": amount(outside, many),
        "share of the other tokens that changed": amount(fate[~chosen] != -1, many),
        **({"share of the selected tokens that read [MASK]": masked} if mask_id >= 0 else {}),
        "share of the selected tokens that are as they were": kept,
        **seen,
    }


def corruption(function, ids, selected, mask_id, random_ids, rng, **split):
    """What becomes of the selected tokens, as shares of them; and what must never happen."""

    def draw(ids, selected, rng):
        return function(ids, selected, mask_id, random_ids, rng, **split)

    return fates(draw, ids, selected, rng, random_ids, split.get("split", (0.8, 0.1, 0.1)), mask_id)


def replacement(function, ids, selected, V, special_ids, rng):
    """What becomes of the selected tokens when all of them are replaced by tokens that are not special."""

    def draw(ids, selected, rng):
        return function(ids, selected, V, special_ids, rng)

    return fates(draw, ids, selected, rng, np.setdiff1d(np.arange(V), special_ids), (0.0, 1.0, 0.0))
