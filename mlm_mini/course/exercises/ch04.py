"""Exercises of chapter 04, Masking the logits, and the bug clinic of Part I.

Shapes: B sentences, T positions, V tokens; `...` stands for any leading dimensions, or none.
"""

import copy

import numpy as np

from mlm_mini.course.exercise import Case, Exercise, Mistake
from mlm_mini.course.exercises import ch03
from mlm_mini.reference import (
    IGNORE_INDEX,
    corrupt,
    cross_entropy,
    exclude_tokens,
    kl_divergence,
    make_labels,
    softmax,
    total_variation,
)


def rng(seed=0):
    return np.random.default_rng(seed)


SPECIAL_IDS = np.arange(5)  # as in the scene language
SMALL_LOGITS = np.array([2.0, 0.0, 1.0])


def plain_softmax(logits):
    """The softmax of chapter 01, for wrong answers that need one."""
    exp = np.exp(logits - np.max(logits, axis=-1, keepdims=True))
    return exp / exp.sum(axis=-1, keepdims=True)


# 04.exclude


def refuse_empty_rows(out, excluded):
    if np.isneginf(out).all(axis=-1).any():
        raise ValueError("a row has no token left")
    return out


def refuse_full_lists(out, excluded):
    if len(set(np.asarray(excluded).tolist())) == out.shape[-1]:
        raise ValueError("every token is excluded")
    return out


def refuse_when_nothing_is_left(out, excluded):
    if np.isneginf(out).all():
        raise ValueError("no token is left")
    return out


def refuse_nothing(out, excluded):
    return out


REFUSALS = (refuse_full_lists, refuse_nothing)  # what people write beside a wrong value, which is no -inf to look for
LARGE = (-1e4, -1e9, -1e3, -1e5, -1e6, -1e7, -1e8, -1e10, -1e12, -1e15, -1e20, -1e30, -1e38, -1e100, -1e300)
LOWEST = tuple(float(np.finfo(kind).min) for kind in (np.float16, np.float32, np.float64))


def excluded_with(value, refuse=refuse_full_lists):
    """An `exclude_tokens` that writes `value(logits)`, and refuses what `refuse` refuses."""

    def exclude_tokens(logits, excluded):
        out = np.array(logits, dtype=np.float64)
        out[..., excluded] = value(out[..., excluded])
        return refuse(out, excluded)

    return exclude_tokens


def written(*values):
    """For each value and each refusal an `exclude_tokens`: the first, and all others."""
    return [excluded_with(lambda logits, value=value: value, refuse) for value in values for refuse in REFUSALS]


def minus_infinity(logits):
    return -np.inf


def _rows_excluded(logits, excluded):
    out = np.array(logits, dtype=np.float64)
    out[excluded] = -np.inf
    return refuse_full_lists(out, excluded)


def _rows_excluded_then_refused(logits, excluded):
    out = np.array(logits, dtype=np.float64)
    out[excluded] = -np.inf
    return refuse_empty_rows(out, excluded)


def in_place(refuse):
    def exclude_tokens(logits, excluded):
        logits[..., excluded] = -np.inf
        return refuse(logits, excluded)

    return exclude_tokens


def probabilities(renormalize, refuse=refuse_full_lists):
    """An `exclude_tokens` that sets probabilities to zero, and divides them by their sum or does not."""

    def exclude_tokens(logits, excluded):
        refuse(np.asarray(logits), excluded)
        p = plain_softmax(np.asarray(logits, dtype=np.float64))
        p[..., excluded] = 0.0
        return p / p.sum(-1, keepdims=True) if renormalize else p

    return exclude_tokens


_no_refusal = excluded_with(minus_infinity, refuse_nothing)

ZERO, NEGATIVE = written(0.0), written(*LARGE, *LOWEST)
PENALTY = [
    excluded_with(lambda logits, penalty=penalty: logits - penalty, refuse)
    for penalty in (1e4, 100.0, 1e3, 1e6, 1e9)
    for refuse in REFUSALS
]

EXCLUDE = Exercise(
    id="04.exclude",
    title="Exclude tokens before the softmax",
    reference=exclude_tokens,
    cases=(
        Case("three tokens, the last excluded", (SMALL_LOGITS, np.array([2]))),
        Case("nothing excluded", (SMALL_LOGITS, np.array([], dtype=np.int64))),
        Case("everything excluded", (SMALL_LOGITS, np.array([0, 1, 2]))),
        Case("logits that are whole numbers", (np.array([3, -1, 4, 1]), np.array([0, 2]))),
        Case("logits of -10,000", (np.array([[-1e4, -1e4 - 2, 50.0], [-1e4 - 1, -1e4, -3.0]]), np.array([2]))),
        Case("two sentences, five special tokens", (rng(1).normal(0, 3, (2, 8)), SPECIAL_IDS)),
        Case("two of three excluded, and the third is -inf already", (np.array([-np.inf, 1.0, 2.0]), np.array([1, 2]))),
        Case(
            "two rows, one of them without a token left",
            (np.array([[-np.inf, 1.0, 2.0], [0.0, 1.0, 2.0]]), np.array([1, 2])),
        ),
        Case("leading dimensions (2, 6)", (rng(2).normal(0, 30, (2, 6, 12)), np.array([0, 2, 5]))),
    ),
    minutes=10,
    mistakes=(
        Mistake(
            "a logit of zero",
            "A logit of 0 is no exclusion: exp(0) is 1, and the token may even win where the others are negative. "
            "Which logit has the exponential 0?",
            ZERO[0],
            variants=tuple(ZERO[1:]),
        ),
        Mistake(
            "a large negative number in place of minus infinity",
            "Enough for most logits, but where the others lie as low themselves the excluded token takes a share "
            "again, or all of it, and nothing shows that it was excluded. Only one value is below every number.",
            NEGATIVE[0],
            variants=tuple(NEGATIVE[1:]),
        ),
        Mistake(
            "a penalty is subtracted",
            "The excluded token keeps its place in the order, only lower: with logits that are far apart it still "
            "gets a share. The exclusion should not depend on the logit that is excluded.",
            PENALTY[0],
            variants=tuple(PENALTY[1:]),
        ),
        Mistake(
            "probabilities, set to zero after the softmax",
            "Your rows no longer sum to one: what the excluded tokens took is missing. The function is to return "
            "logits, before any softmax.",
            probabilities(renormalize=False),
            variants=(probabilities(False, refuse_nothing),),
        ),
        Mistake(
            "probabilities, set to zero and normalized again",
            "These are the right probabilities wherever the excluded tokens left any, but logits were asked for: the "
            "loss works from those, and divides by nothing that can vanish.",
            probabilities(renormalize=True),
            variants=(probabilities(True, refuse_nothing),),
        ),
        Mistake(
            "rows are excluded, not tokens",
            "You index the first axis: sentences or positions are wiped out. The tokens lie along the last one.",
            _rows_excluded,
            variants=(_rows_excluded_then_refused,),
        ),
        Mistake(
            "the logits are overwritten",
            "The answer is right, but the caller's logits are gone, and the next line may want them without the "
            "exclusion. Work on a copy.",
            in_place(refuse_empty_rows),
            variants=tuple(map(in_place, (refuse_full_lists, refuse_when_nothing_is_left, refuse_nothing))),
        ),
        Mistake(
            "nothing is said when no token is left",
            "A row of nothing but minus infinity has no softmax: it turns into NaN three functions later. The "
            "docstring promises a ValueError here, where the cause can still be seen.",
            _no_refusal,
        ),
        Mistake(
            "an error only when the list names every token",
            "You look at the list alone, but a logit may be minus infinity before you come: then a shorter list can "
            "take the last token of a row. Look at the result.",
            excluded_with(minus_infinity, refuse_full_lists),
        ),
        Mistake(
            "an error only when all rows are empty",
            "One empty row is enough to make a NaN, whatever the other rows hold. Ask the question row by row, and "
            "then whether the answer is yes for any.",
            excluded_with(minus_infinity, refuse_when_nothing_is_left),
        ),
    ),
    hints=(
        (
            "exp(z) is positive for every number z. There is one value, not a number on the line, for which NumPy's "
            "exp is 0."
        ),
        "Make a float copy first, because an array of integers cannot hold that value. The tokens are the last axis.",
        "When you index, an ellipsis stands for all the leading dimensions, however many there are.",
        "At the end, look whether a row has any finite entry left: np.isneginf and all, along the last axis.",
    ),
)


# 04.total-variation

P3, Q3 = np.array([0.5, 0.5, 0.0]), np.array([0.25, 0.5, 0.25])
MANY_P, MANY_Q = (rng(seed).dirichlet(np.ones(9), size=(2, 4)) for seed in (3, 4))

TOTAL_VARIATION = Exercise(
    id="04.total-variation",
    title="Total variation",
    reference=total_variation,
    cases=(
        Case("three tokens", (P3, Q3)),
        Case("equal distributions", (P3, P3)),
        Case("nothing in common", (np.array([1.0, 0.0]), np.array([0.0, 1.0]))),
        Case("two rows", (np.array([P3, Q3]), np.array([Q3, [0.1, 0.2, 0.7]]))),
        Case("leading dimensions (2, 4)", (MANY_P, MANY_Q)),
    ),
    minutes=5,
    mistakes=(
        Mistake(
            "the half is missing",
            "Two distributions with nothing in common come out at 2. What one gains the other loses, so every "
            "difference is counted twice.",
            lambda p, q: np.abs(p - q).sum(-1),
        ),
        Mistake(
            "differences with their signs",
            "The sum is always zero: gains and losses cancel, since both distributions sum to one.",
            lambda p, q: 0.5 * (p - q).sum(-1),
        ),
        Mistake(
            "the largest difference of a single token",
            "That finds the worst token, but an event can hold many: add up all the tokens that gained.",
            lambda p, q: np.abs(p - q).max(-1),
        ),
        Mistake(
            "the mean over the vocabulary",
            "Your distance shrinks as the vocabulary grows, even where the distributions have nothing in common. Sum.",
            lambda p, q: np.abs(p - q).mean(-1),
        ),
        Mistake(
            "squares and a root",
            "That is half the Euclidean distance. Total variation adds absolute differences, so that it is a "
            "probability.",
            lambda p, q: 0.5 * np.sqrt(((p - q) ** 2).sum(-1)),
        ),
        Mistake(
            "one number for all rows",
            "Each row is a pair of distributions and has a distance of its own: sum along the last axis only.",
            lambda p, q: 0.5 * np.abs(p - q).sum(),
        ),
    ),
    hints=(
        "Take the difference of the two probabilities of each token, without its sign.",
        "Sum along the last axis: one number for each pair of distributions.",
        (
            "Each bit of probability that moves is lost by one token and gained by another. How often has it been "
            "counted?"
        ),
    ),
)


# 04.kl-directions


def kl_directions(logits, special_ids, leaked_id):
    """(KL(buggy, correct), KL(correct, buggy)), where `buggy` forgets to exclude leaked_id, one of special_ids."""
    special_ids = np.asarray(special_ids)
    correct = softmax(exclude_tokens(logits, special_ids))
    buggy = softmax(exclude_tokens(logits, special_ids[special_ids != leaked_id]))
    return kl_divergence(buggy, correct), kl_divergence(correct, buggy)


def kl_with(kl=lambda p, q: np.where(p > 0, kl_terms(p, q), 0.0).sum(-1), swapped=False, kept_in=None):
    """A wrong `kl_directions`, made of its own softmax and a KL, a wrong order, or other tokens left in."""

    def kl_directions(logits, special_ids, leaked_id):
        left_in = [leaked_id] if kept_in is None else kept_in(special_ids, leaked_id)
        correct = plain_softmax(_no_refusal(logits, special_ids))
        buggy = plain_softmax(_no_refusal(logits, special_ids[~np.isin(special_ids, left_in)]))
        answer = kl(buggy, correct), kl(correct, buggy)
        return answer[::-1] if swapped else answer

    return kl_directions


def kl_terms(p, q):
    return p * (np.log(p) - np.log(q))


def kl_smoothed(eps, smoothed):
    """A KL whose arguments `smoothed(p, q, eps)` keeps away from zero, so that it is never infinite."""
    return lambda p, q: np.where(p > 0, p * np.log(np.divide(*smoothed(p, q, eps))), 0.0).sum(-1)


SMOOTHED = [
    kl_with(kl=kl_smoothed(eps, smoothed))
    for eps in (1e-12, 1e-9, 1e-10, 1e-8, 1e-6, 1e-15, 1e-20, 1e-30, 1e-300, float(np.finfo(np.float64).eps))
    for smoothed in (
        lambda p, q, eps: (p, np.maximum(q, eps)),
        lambda p, q, eps: (p, q + eps),
        lambda p, q, eps: (p + eps, q + eps),
    )
]


def _id_as_place(logits, special_ids, leaked_id):
    correct = plain_softmax(_no_refusal(logits, special_ids))
    buggy = plain_softmax(_no_refusal(logits, np.delete(special_ids, leaked_id)))
    return kl_divergence(buggy, correct), kl_divergence(correct, buggy)


def _infinite_without_looking(logits, special_ids, leaked_id):
    _, finite = kl_with()(logits, special_ids, leaked_id)
    return np.full(finite.shape, np.inf), finite


def _one_direction_twice(logits, special_ids, leaked_id):
    first, _ = kl_with()(logits, special_ids, leaked_id)
    return first, first


KL_DIRECTIONS = Exercise(
    id="04.kl-directions",
    title="Two directions of one leak",
    reference=kl_directions,
    cases=(
        Case("two words and two special tokens", (np.array([1.0, 0.0, 0.0, 0.0]), np.array([0, 1]), 0)),
        Case(
            "special ids in no particular order",
            (np.array([0.5, 1.0, -1.0, 2.0, 0.0, 1.5, 0.3, 0.8]), np.array([6, 2, 0, 3]), 2),
        ),
        Case("a leaked logit of 6", (np.array([0.0, 0.5, 6.0, 1.0, 0.3, 2.0, 1.0, -1.0]), SPECIAL_IDS, 2)),
        Case("a leaked logit of -20", (np.array([3.0, 0.5, -20.0, 1.0, 0.3, 2.0, 1.0, -1.0]), SPECIAL_IDS, 2)),
        Case("a leaked logit of -inf", (np.array([0.0, 0.5, -np.inf, 1.0, 0.3, 2.0, 1.0]), SPECIAL_IDS, 2)),
        Case("three positions", (rng(5).normal(0, 2, (3, 11)), SPECIAL_IDS, 2)),
        Case("leading dimensions (2, 3), another leaked token", (rng(6).normal(0, 4, (2, 3, 9)), SPECIAL_IDS, 4)),
    ),
    minutes=15,
    mistakes=(
        Mistake(
            "the two directions have changed places",
            "The infinite number stands second. KL(p, q) takes the mean over p: which of the two distributions gives "
            "[CLS] a probability at all?",
            kl_with(swapped=True),
        ),
        Mistake(
            "one direction twice",
            "Both numbers are the same. KL is no distance: exchanging the two distributions changes it.",
            _one_direction_twice,
        ),
        Mistake(
            "0 log 0 becomes NaN",
            "Excluded tokens have probability 0, and 0 * log 0 is NaN in floating point. In the sum such a term "
            "counts nothing, since p log p goes to 0 with p.",
            kl_with(kl=lambda p, q: kl_terms(p, q).sum(-1)),
        ),
        Mistake(
            "a small number added to avoid infinity",
            "Your KL(buggy, correct) is finite, and its size is set by the small number that was added. The infinity "
            "is the true answer: it says that something impossible has happened.",
            SMOOTHED[0],
            variants=tuple(SMOOTHED[1:]),
        ),
        Mistake(
            "infinite without looking",
            "Right as long as something leaks. A token whose own logit is minus infinity takes no share even when it "
            "is forgotten: the two distributions are then equal, and both divergences are 0.",
            _infinite_without_looking,
        ),
        Mistake(
            "every term with a zero is left out",
            "You skip the tokens where q is 0. Where p is 0 a term counts nothing; where q is 0 and p is not, it "
            "counts infinitely much.",
            kl_with(kl=lambda p, q: np.where((p > 0) & (q > 0), kl_terms(p, q), 0.0).sum(-1)),
        ),
        Mistake(
            "all special tokens leak",
            "Your buggy distribution excludes nothing. Only leaked_id is forgotten; the other special tokens stay out.",
            kl_with(kept_in=lambda special_ids, leaked_id: special_ids),
        ),
        Mistake(
            "the leaked token is the only one excluded",
            "Your buggy distribution excludes leaked_id and lets the other special tokens in. It is the other way "
            "round.",
            kl_with(kept_in=lambda special_ids, leaked_id: special_ids[special_ids != leaked_id]),
        ),
        Mistake(
            "the id is taken for a place in the list",
            "Right only where the special ids are 0, 1, 2 and so on, so that each stands at the place of its own "
            "number. Elsewhere you let another token in: look for the entry that equals leaked_id.",
            _id_as_place,
        ),
    ),
    hints=(
        (
            "Two distributions are needed: softmax after excluding all special ids, and softmax after excluding all "
            "but one."
        ),
        "The shorter list is what remains of special_ids after a comparison with leaked_id.",
        "KL(p, q) from chapter 02 does the rest, twice, with its arguments exchanged. KL(buggy, correct) comes first.",
    ),
)


# 04.clinic-split


def corrupt_split(ids, selected, mask_id, random_ids, rng):
    """New ids: of the selected tokens 80% become mask_id, 10% one of random_ids, and 10% stay."""
    return corrupt(ids, selected, mask_id, random_ids, rng)


def _second_draw_overwrites(ids, selected, mask_id, random_ids, rng):
    out = np.where(selected & (rng.random(ids.shape) < 0.8), mask_id, ids)
    random_here = selected & (rng.random(ids.shape) < 0.5)
    return np.where(random_here, rng.choice(random_ids, size=ids.shape), out)


def _split_in_place(ids, selected, mask_id, random_ids, rng):
    u = rng.random(ids.shape)
    ids[selected & (u < 0.8)] = mask_id
    random_here = selected & (u >= 0.8) & (u < 0.9)
    ids[random_here] = rng.choice(random_ids, size=ids.shape)[random_here]
    return ids


CLINIC_SPLIT = Exercise(
    id="04.clinic-split",
    title="Bug clinic: a split that is almost right",
    reference=corrupt_split,
    answers_in=(corrupt,),
    cases=(
        Case("nothing selected", (ch03.SHORT_IDS, np.zeros_like(ch03.SHORT_SELECTED), 4, ch03.RANDOM_IDS, rng(1))),
        Case("400,000 selected tokens", (ch03.CORRUPT_IDS, ch03.CORRUPT_SELECTED, 4, ch03.RANDOM_IDS, rng(53))),
    ),
    observe=ch03.observed_corruption,
    rtol=0.0,
    atol=0.004,
    minutes=10,
    mistakes=(
        Mistake(
            "the split is still 81/10/9",
            "[MASK] is drawn with probability 0.9 among the 90% that the first draw left over, which makes 81% of "
            "all. Multiply: which number between 0 and 1 would make it 80%?",
            ch03.corrupt_by(ch03.two_shares_in_a_row),
        ),
        Mistake(
            "72/10/18 now",
            "You draw [MASK] with probability 0.8 among the 90% that are left over, which makes 72% of all (or the "
            "random words overwrite a tenth of the masks).",
            ch03.corrupt_by(
                lambda shape, split, rng: np.where(rng.random(shape) < 0.1, 1, np.where(rng.random(shape) < 0.8, 0, 2))
            ),
        ),
        Mistake(
            "80/2/18 now",
            "[MASK] is right, but the random words are a tenth of the rest and not of all (or both draws hit the same "
            "token, and [MASK] wins). Half of the rest would do.",
            ch03.corrupt_by(ch03.random_share_of_the_rest),
        ),
        Mistake(
            "80/20/0 now",
            "Every selected token that is not [MASK] is random, and none stays as it is. The third fate has been lost.",
            ch03.corrupt_by(lambda shape, split, rng: np.where(rng.random(shape) < 0.8, 0, 1)),
        ),
        Mistake(
            "the second draw is not confined to the rest",
            "Half of all selected tokens become random, [MASK] or not: about 40/50/10. The second draw must leave "
            "alone what the first has decided.",
            _second_draw_overwrites,
        ),
        Mistake(
            "the split is repaired, and the input overwritten",
            "The shares are right now, but the array that was handed in has changed, and with it the labels that "
            "others will read from it.",
            _split_in_place,
        ),
    ),
    hints=(
        "Write the three probabilities as products: what is P(random), P(not random and [MASK]), P(neither)?",
        (
            "Either draw once and cut the interval from 0 to 1 in three, or find the probability that, among the 90% "
            "that are left over, gives 80% of all."
        ),
        "With one uniform number u per token: below 0.8, from 0.8 to 0.9, above 0.9.",
    ),
)


# 04.clinic-random

V10_SPECIAL = np.array([1, 3, 4, 9])  # special ids at one end and in the middle: only looking them up will do
V10_SELECTED = np.tile(np.array([False] * 4 + [True] * 20), (8_000, 1))


def replace_at_random(ids, selected, V, special_ids, rng):
    """New ids: every selected token becomes one of the V tokens that are not special, all equally likely."""
    regular_ids = np.setdiff1d(np.arange(V), special_ids)
    return np.where(selected, rng.choice(regular_ids, size=ids.shape), ids)


def observed_replacement(function, ids, selected, V, special_ids, rng):
    """How often each token of a small vocabulary is drawn."""
    few = ids[:200]
    same_seed = ch03.repeatable(
        lambda rng: function(few.copy(), selected[:200], V, special_ids, rng), copy.deepcopy(rng)
    )
    original = ids.copy()
    answer = ch03.checked_tokens(function(ids, selected, V, special_ids, rng), original)
    drawn = answer[selected]
    return {
        "share of the other tokens that changed": ch03.share((answer != original)[~selected]),
        "share of replacements that are special tokens": ch03.share(np.isin(drawn, special_ids)),
        "share of each token among the replacements": np.array([ch03.share(drawn == token) for token in range(V)]),
        "the same seed gives the same tokens": same_seed,
    }


def _redrawn_once(ids, selected, V, special_ids, rng):
    drawn = rng.integers(0, V, size=ids.shape)
    drawn = np.where(np.isin(drawn, special_ids), rng.integers(0, V, size=ids.shape), drawn)
    return np.where(selected, drawn, ids)


def _next_one(ids, selected, V, special_ids, rng):
    drawn = rng.integers(0, V, size=ids.shape)
    for _ in range(V):
        drawn = np.where(np.isin(drawn, special_ids), (drawn + 1) % V, drawn)
    return np.where(selected, drawn, ids)


def _kept_instead(ids, selected, V, special_ids, rng):
    drawn = rng.integers(0, V, size=ids.shape)
    return np.where(selected & ~np.isin(drawn, special_ids), drawn, ids)


def _last_one_missing(ids, selected, V, special_ids, rng):
    regular = [token for token in range(V) if token not in special_ids]
    return np.where(selected, np.array(regular)[rng.integers(0, len(regular) - 1, size=ids.shape)], ids)


def _zero_missing(ids, selected, V, special_ids, rng):
    return np.where(selected, rng.choice(np.setdiff1d(np.arange(1, V), special_ids), size=ids.shape), ids)


V10_IDS = np.full_like(V10_SELECTED, 5, dtype=np.int64)  # a regular token in every case
CLINIC_RANDOM = Exercise(
    id="04.clinic-random",
    title="Bug clinic: random words that are no words",
    reference=replace_at_random,
    cases=(
        Case("nothing selected", (np.array([[2, 5, 6]]), np.zeros((1, 3), dtype=bool), 10, V10_SPECIAL, rng(1))),
        Case("160,000 selected tokens, ten in the vocabulary", (V10_IDS, V10_SELECTED, 10, V10_SPECIAL, rng(77))),
        Case("special ids first, as in the scene language", (V10_IDS, V10_SELECTED, 9, SPECIAL_IDS, rng(45))),
    ),
    observe=observed_replacement,
    rtol=0.0,
    atol=0.01,
    minutes=10,
    mistakes=(
        Mistake(
            "special tokens are still among the replacements",
            "A draw from all V ids now and then puts [SEP] or [PAD] into the middle of a sentence. Which ids may be "
            "drawn, and how would you list them?",
            lambda ids, selected, V, special_ids, rng: np.where(selected, rng.integers(0, V, size=ids.shape), ids),
        ),
        Mistake(
            "special ids taken for the first ones",
            "Right where the special tokens come first, wrong where they are scattered, as BERT's are. Ask for "
            "membership, not for a number that is large enough.",
            lambda ids, selected, V, special_ids, rng: np.where(
                selected, rng.integers(len(special_ids), V, size=ids.shape), ids
            ),
        ),
        Mistake(
            "special tokens are drawn again, but only once",
            "Fewer special tokens than before, yet not none: the second draw can be special as well. Could they be "
            "left out of the draw from the start?",
            _redrawn_once,
        ),
        Mistake(
            "a special token gives way to its neighbor",
            "No special tokens any more, but the tokens that follow one are drawn twice as often or more. All "
            "regular tokens should be equally likely.",
            _next_one,
        ),
        Mistake(
            "where a special token was drawn the old one stays",
            "No special tokens any more, but some selected tokens are not replaced at all: the shares of the split "
            "shift without anyone noticing.",
            _kept_instead,
        ),
        Mistake(
            "the last regular token is never drawn",
            "One token never occurs. rng.integers leaves out its upper end already; has it been left out twice?",
            _last_one_missing,
        ),
        Mistake(
            "token 0 is never drawn",
            "In BERT's vocabulary 0 is [PAD], but a special token may stand anywhere, and here 0 is a regular one. "
            "special_ids says all there is to know: does your list begin at the first id?",
            _zero_missing,
        ),
    ),
    hints=(
        "Draw from a list in which no special token stands, and nothing has to be repaired afterwards.",
        "The list of regular ids is all ids from 0 to V - 1 without those in special_ids.",
        "rng.choice draws from a list, each member equally likely; np.setdiff1d makes the list.",
    ),
)


# 04.clinic-inplace


def make_example(ids, selected, mask_id):
    """(input ids, labels): mask_id where selected; the true token as label there, and -100 elsewhere."""
    return np.where(selected, mask_id, ids), make_labels(ids, selected)


def _labels_of_masks(ids, selected, mask_id):
    ids[selected] = mask_id
    return ids, np.where(selected, ids, IGNORE_INDEX)


def _labels_first(ids, selected, mask_id):
    labels = np.where(selected, ids, IGNORE_INDEX)
    ids[selected] = mask_id
    return ids, labels


def _labels_of_the_copy(ids, selected, mask_id):
    inputs = np.where(selected, mask_id, ids)
    return inputs, np.where(selected, inputs, IGNORE_INDEX)


CLINIC_INPLACE = Exercise(
    id="04.clinic-inplace",
    title="Bug clinic: the sentence that was overwritten",
    reference=make_example,
    cases=(
        Case("one word of three", (np.array([2, 7, 8, 9, 3]), np.array([False, False, True, False, False]), 4)),
        Case("two sentences", (ch03.LABEL_IDS, ch03.LABEL_SELECTED, 4)),
        Case("nothing selected", (ch03.LABEL_IDS, np.zeros_like(ch03.LABEL_SELECTED), 4)),
        Case("BERT's [MASK]", (rng(1).integers(104, 999, (3, 9)), rng(2).random((3, 9)) < 0.4, 103)),
    ),
    minutes=10,
    mistakes=(
        Mistake(
            "the label of every masked word is [MASK]",
            "The labels are read after the words are gone, so the model learns to answer [MASK], and its loss falls "
            "to zero. An assignment does not copy an array: how many arrays are there?",
            _labels_of_masks,
        ),
        Mistake(
            "the labels are saved, but the corpus is still overwritten",
            "Inputs and labels are right now, once. On the next pass over the data the words are gone: the array "
            "that was handed in has been changed.",
            _labels_first,
        ),
        Mistake(
            "a copy, and labels from the wrong one",
            "The corpus is safe now, but the labels are read from the masked copy. Which of the two arrays holds the "
            "answers?",
            _labels_of_the_copy,
        ),
        Mistake(
            "a label at every position",
            "The words are kept, but visible words have labels too. Where nothing is hidden nothing is to be "
            "predicted.",
            lambda ids, selected, mask_id: (np.where(selected, mask_id, ids), ids.copy()),
        ),
        Mistake(
            "labels where nothing is hidden",
            "The labels stand at the visible words: selected and not selected have changed places.",
            lambda ids, selected, mask_id: (
                np.where(selected, mask_id, ids),
                np.where(selected, IGNORE_INDEX, ids),
            ),
        ),
    ),
    hints=(
        "Print ids before and after the call. What has happened to it?",
        "`inputs = ids` gives the array a second name; both names mean the same numbers.",
        "Make a new array for the inputs, and read the labels from the one that still has the words.",
    ),
)


# 04.clinic-labels

TWO_POSITIONS = np.array([[[2.0, 0.0, 1.0], [0.0, 1.0, 0.0], [3.0, 0.0, 0.0]]])
LOSS_IDS = rng(1).integers(0, 9, (2, 7))


def masked_loss(logits, ids, selected):
    """The mean surprisal of the true tokens ids at the selected positions, in nats; 0.0 when none is selected."""
    return cross_entropy(logits, make_labels(ids, selected))


def token_surprisal(logits, ids):
    """-log p of each id, for wrong answers that need it."""
    return -np.log(np.take_along_axis(plain_softmax(logits), ids[..., None], axis=-1)[..., 0])


CLINIC_LABELS = Exercise(
    id="04.clinic-labels",
    title="Bug clinic: a perfect loss",
    reference=masked_loss,
    cases=(
        Case("one sentence, one word hidden", (TWO_POSITIONS, np.array([[0, 1, 2]]), np.array([[False, True, False]]))),
        Case("two sentences", (rng(2).normal(0, 2, (2, 7, 9)), LOSS_IDS, rng(3).random((2, 7)) < 0.4)),
        Case("everything selected", (rng(4).normal(0, 2, (2, 7, 9)), LOSS_IDS, np.ones((2, 7), dtype=bool))),
        Case("nothing selected", (rng(5).normal(0, 2, (2, 7, 9)), LOSS_IDS, np.zeros((2, 7), dtype=bool))),
    ),
    minutes=10,
    mistakes=(
        Mistake(
            "the loss is still exactly zero",
            "No position has a label. Look at the line that should fill them in: one sign compares two things, "
            "another gives a value.",
            lambda logits, ids, selected: 0.0,
        ),
        Mistake(
            "the loss of every position",
            "The labels are the whole sentence. The visible words are in the input, so a model can lower this loss "
            "by copying, and hardly learns to fill a blank.",
            lambda logits, ids, selected: float(token_surprisal(logits, ids).mean()),
        ),
        Mistake(
            "the loss of the visible words",
            "You measure the positions that were not selected. The model sees those words.",
            lambda logits, ids, selected: (
                float(token_surprisal(logits, ids)[~selected].mean()) if (~selected).any() else 0.0
            ),
        ),
        Mistake(
            "a sum, not a mean",
            "The loss grows with the number of hidden words, so it cannot be compared between mask ratios. Divide by "
            "how many were selected.",
            lambda logits, ids, selected: float(token_surprisal(logits, ids)[selected].sum()),
        ),
        Mistake(
            "divided by all positions",
            "The surprisals are right, but the mean is taken over every position, visible ones counting as zero. The "
            "loss then falls when fewer words are hidden.",
            lambda logits, ids, selected: float((token_surprisal(logits, ids) * selected).mean()),
        ),
    ),
    hints=(
        "A loss of exactly zero means that the model is perfect or that it was asked nothing. Print the labels.",
        "`a == b` asks whether two things are equal, and throws the answer away when nobody takes it.",
        "At the selected positions the label is the token; everywhere else it stays -100.",
    ),
)


# 04.clinic-cls

SCENE_SPECIAL = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4}
SCATTERED_SPECIAL = {"[PAD]": 0, "[UNK]": 6, "[CLS]": 7, "[SEP]": 8, "[MASK]": 9}
ANOTHER_SPECIAL = SCENE_SPECIAL | {"[EOS]": 7}
CLS_HIGH = np.array([0.1, 0.0, 6.0, 0.2, 0.3, 2.0, 1.0, -1.0])


def word_probabilities(logits, special):
    """Probabilities of the next word: exactly zero for every special token. special: dict from token to id."""
    return softmax(exclude_tokens(logits, list(special.values())))


def probabilities_without(blocked):
    """A wrong `word_probabilities` that excludes only `blocked(special)`, a list of ids."""
    return lambda logits, special: plain_softmax(_no_refusal(logits, blocked(special)))


def _zeroed_after(logits, special):
    p = plain_softmax(logits)
    p[..., list(special.values())] = 0.0
    return p


def _zero_logits(logits, special):
    out = np.array(logits, dtype=np.float64)
    out[..., list(special.values())] = 0.0
    return plain_softmax(out)


def _zeroed_and_normalized(logits, special):
    p = _zeroed_after(logits, special)
    return p / p.sum(axis=-1, keepdims=True)


def penalized(penalty):
    """A wrong `word_probabilities` that lowers the special logits by `penalty`."""

    def word_probabilities(logits, special):
        out = np.array(logits, dtype=np.float64)
        out[..., list(special.values())] -= penalty
        return plain_softmax(out)

    return word_probabilities


def lowered(value):
    """A wrong `word_probabilities` that sets the special logits to a low `value`."""

    def word_probabilities(logits, special):
        out = np.array(logits, dtype=np.float64)
        out[..., list(special.values())] = value
        return plain_softmax(out)

    return word_probabilities


CLINIC_CLS = Exercise(
    id="04.clinic-cls",
    title="Bug clinic: the answer is always [CLS]",
    reference=word_probabilities,
    cases=(
        Case("three words and five special tokens", (CLS_HIGH, SCENE_SPECIAL)),
        Case("special ids that are scattered", (rng(1).normal(0, 2, (3, 12)), SCATTERED_SPECIAL)),
        Case("one special token more", (rng(2).normal(0, 2, (2, 9)), ANOTHER_SPECIAL)),
        Case(
            "special tokens with logits of 1,000",
            (CLS_HIGH * np.array([1, 1, 1e3 / 6, 1, 1e3, 1, 1, 1]), SCENE_SPECIAL),
        ),
        Case(
            "words with logits near minus ten thousand million",
            (np.array([0.0, 0.0, 0.0, 0.0, 0.0, 2.0 - 1e10, 1.0 - 1e10, -1.0 - 1e10]), SCENE_SPECIAL),
        ),
    ),
    atol=0.0,  # zero means zero
    minutes=10,
    mistakes=(
        Mistake(
            "[CLS] is still in",
            "The list of excluded tokens was typed by hand, and one name is missing. Which token has a probability "
            "that it should not have?",
            probabilities_without(lambda special: [special[name] for name in ("[PAD]", "[UNK]", "[SEP]", "[MASK]")]),
        ),
        Mistake(
            "the list is still typed by hand",
            "[CLS] is out now, but a vocabulary with one more special token would bring the same bug back. Is there "
            "a list that cannot be incomplete?",
            probabilities_without(
                lambda special: [special[name] for name in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")]
            ),
        ),
        Mistake(
            "only [CLS] is excluded",
            "[CLS] is out, but the others are in again: the new exclusion has replaced the old ones.",
            probabilities_without(lambda special: [special["[CLS]"]]),
        ),
        Mistake(
            "special ids taken for the first ones",
            "Right for the scene language, whose special tokens come first; with other ids it removes words and "
            "leaves special tokens in.",
            probabilities_without(lambda special: list(range(len(special)))),
        ),
        Mistake(
            "set to zero after the softmax",
            "The special tokens have probability zero, but the words keep the small shares that [CLS] left them: "
            "your rows do not sum to one.",
            _zeroed_after,
        ),
        Mistake(
            "set to zero after the softmax, and divided by the sum",
            "Right until nothing is left to divide by: where a special token has taken everything, the words are 0 "
            "before you come to them, and 0 / 0 is NaN. Exclude before the softmax.",
            _zeroed_and_normalized,
        ),
        Mistake(
            "logits of zero",
            "A logit of 0 is an ordinary score: exp(0) is 1, so every special token keeps a share.",
            _zero_logits,
        ),
        Mistake(
            "a penalty that a large logit can afford",
            "Almost zero is not zero: a special token with a logit of 1,000 may win in spite of it, and any of them "
            "wins where the words lie lower still. The exclusion must not depend on how large the logits are.",
            penalized(100.0),
            variants=(
                *map(penalized, (1e3, 1e4, 1e6, 1e9)),
                *map(lowered, (-100.0, -1e3, -1e4, -1e6, -1e9)),
            ),
        ),
    ),
    hints=(
        "Print the probability of each special token. Which one is not zero?",
        "The dict knows all special tokens; a list typed by hand knows those that its author thought of.",
        "A dict can hand out all its values at once, however many there are.",
    ),
)

EXERCISES = (
    EXCLUDE,
    TOTAL_VARIATION,
    KL_DIRECTIONS,
    CLINIC_SPLIT,
    CLINIC_RANDOM,
    CLINIC_INPLACE,
    CLINIC_LABELS,
    CLINIC_CLS,
)
