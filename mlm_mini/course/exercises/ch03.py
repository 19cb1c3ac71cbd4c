"""Exercises of chapter 03, Masking.

Answers that are drawn at random are judged by shares over some 400,000 tokens. What is allowed is at least six
standard deviations of a right answer, whichever way it draws, and every known mistake strays further. The seeds are
ones whose own shares lie close to the exact ones, since the reference's draw is what others are compared with; and with
them a mistake that leaves a share right on average leaves it right here, so that a report shows what is wrong.

Shapes: B sentences, T positions.
"""

import copy

import numpy as np

from mlm_mini.course.compare import type_name
from mlm_mini.course.exercise import Case, Exercise, Mistake, WrongAnswer
from mlm_mini.reference import (
    IGNORE_INDEX,
    corrupt,
    make_labels,
    maskable_positions,
    select_positions,
)

PAD_ID, CLS_ID, SEP_ID, MASK_ID = 0, 2, 3, 4  # as in the scene language
SPECIAL_IDS = np.arange(5)
BERT_SPECIAL_IDS = np.array([0, 100, 101, 102, 103])


def rng(seed=0):
    return np.random.default_rng(seed)


# 03.maskable

MASKABLE_CASES = (
    Case("one sentence of two words", (np.array([2, 7, 5, 3]), SPECIAL_IDS)),
    Case("a sentence with padding behind it", (np.array([2, 9, 6, 3, 0, 0]), SPECIAL_IDS)),
    Case("ids as BERT numbers them", (np.array([101, 7592, 103, 42, 102, 0]), BERT_SPECIAL_IDS)),
    Case("two sentences", (np.array([[2, 5, 6, 7, 3], [2, 8, 3, 0, 0]]), SPECIAL_IDS)),
    Case("no special token at all", (np.array([[5, 6], [7, 8]]), SPECIAL_IDS)),
    Case("nothing but special tokens", (np.array([[2, 3, 0, 0]]), SPECIAL_IDS)),
    Case("leading dimensions (2, 3)", (rng().integers(0, 9, size=(2, 3, 6)), SPECIAL_IDS)),
)


def _inside_the_ends(ids, special_ids):
    maskable = np.ones(ids.shape, dtype=bool)
    maskable[..., [0, -1]] = False
    return maskable


MASKABLE = Exercise(
    id="03.maskable",
    title="Spare the special tokens",
    reference=maskable_positions,
    cases=MASKABLE_CASES,
    minutes=5,
    mistakes=(
        Mistake(
            "True and False are swapped",
            "You answer True at the special tokens: those are the ones that must be left alone. What should True mean?",
            lambda ids, special_ids: np.isin(ids, special_ids),
        ),
        Mistake(
            "only padding is spared",
            "[PAD] is spared, but [CLS] and [SEP] can still be hidden. Ask the question about every id in special_ids.",
            lambda ids, special_ids: ids != special_ids[0],
        ),
        Mistake(
            "special ids taken for the smallest ones",
            "Right here, wrong for BERT, whose [CLS] is 101 while ids such as 42 are ordinary. An id says nothing by "
            "its size: is it a member of special_ids?",
            lambda ids, special_ids: ids >= len(special_ids),
        ),
        Mistake(
            "every id up to the largest special one is spared",
            "With BERT's ids, 42 lies below [MASK] = 103 and is no special token. Between two special ids there may "
            "be ordinary ones: test for membership, not for a range.",
            lambda ids, special_ids: ids > max(special_ids),
        ),
        Mistake(
            "the first and the last position are spared instead of tokens",
            "[CLS] is first and [SEP] last only when there is no padding. Look at what stands there, not at where.",
            _inside_the_ends,
        ),
        Mistake(
            "one answer for the whole array",
            "You return a single truth value. Each position needs its own: the answer has the shape of ids.",
            lambda ids, special_ids: not np.isin(ids, special_ids).any(),
        ),
        Mistake(
            "numbers where truth values are needed",
            "Zeros and ones print well, but ~ turns 1 into -2 and indexing with them picks positions 0 and 1. Return "
            "booleans.",
            lambda ids, special_ids: 1 - np.isin(ids, special_ids).astype(np.int64),
        ),
    ),
    hints=(
        "For each position there is one question with a yes or no answer: is this id among the special ones?",
        "NumPy has a function that asks it for a whole array of any shape at once; its name starts with `is`.",
        "That function is True at the special tokens. You need the opposite, which for booleans is the operator ~.",
    ),
)


# 03.select and 03.select-fixed

SELECT_MASKABLE = np.tile(np.array([False] + [True] * 20 + [False] * 4), (20_000, 1))  # 20 maskable of 25
ENDS_SPARED = np.array([[False, True, True, True, False], [False, True, False, False, False]])


def repeatable(function, *args):
    """Whether the same seed gives the same answer, with `args` ending in a generator."""
    once, again = (function(*copy.deepcopy(args)) for _ in range(2))
    return bool(np.array_equal(once, again))


def observed_selection(function, maskable, mask_ratio, rng):
    """What is measured about a random selection: shares, because which positions it draws is up to chance."""
    may = maskable.reshape(-1, maskable.shape[-1])
    few = may[:200]
    same_seed = repeatable(function, few, mask_ratio, copy.deepcopy(rng))
    selected = checked_selection(function(maskable, mask_ratio, rng), maskable).reshape(may.shape)
    again = checked_selection(function(few, mask_ratio, rng), few)
    decided = mask_ratio in (0, 1) or not maskable.any()  # then every draw must be the same
    return {
        "share of the maskable positions that is selected": share(selected[may]),
        "share of the other positions that is selected": share(selected[~may]),
        "share selected in a sentence and in the next one, less what chance gives": covariance(
            selected[:-1], selected[1:], may[:-1] & may[1:]
        ),
        "some sentence has nothing selected": bool((~selected.any(axis=-1)).any()),
        "share selected together with the next position, less what chance gives": covariance(
            selected[:, :-1], selected[:, 1:], may[:, :-1] & may[:, 1:]
        ),
        "the next draw from the same rng is another one": bool(decided or (again != selected[:200]).any()),
        "the total varies from draw to draw as it should": decided or total_varies(function, few, mask_ratio, rng),
        "the same seed gives the same selection": same_seed,
    }


def covariance(one, other, where):
    """How much more often than by chance two selections agree on a position, among those of `where`."""
    one, other = one[where], other[where]
    return round(share(one & other) - share(one) * share(other), 4) + 0.0  # never -0.0


def total_varies(function, maskable, mask_ratio, rng):
    """Whether the total has the spread of independent draws, give or take a factor of two: six standard deviations."""
    few = maskable[:50]
    totals = [np.count_nonzero(checked_selection(function(few, mask_ratio, rng), few)) for _ in range(64)]
    return bool(0.5 < np.std(totals) / np.sqrt(few.sum() * mask_ratio * (1 - mask_ratio)) < 2)


def checked_selection(selected, maskable):
    """The answer, if it is a bool array of the right shape."""
    if not isinstance(selected, np.ndarray) or selected.dtype != bool or selected.shape != maskable.shape:
        found = type_name(selected)
        raise WrongAnswer(f"Your answer is a {found}; expected a bool array of shape {maskable.shape}, as maskable is.")
    return selected


def share(truth):
    """The share of True values, 0.0 when there are none to count."""
    return float(np.mean(truth)) if truth.size else 0.0


def _same_positions_in_every_row(maskable, mask_ratio, rng):
    return maskable & (rng.random(maskable.shape[-1]) < mask_ratio)


def _share_of_all_positions(maskable, mask_ratio, rng):
    raised = mask_ratio * maskable.shape[-1] / np.maximum(maskable.sum(-1, keepdims=True), 1)
    return maskable & (rng.random(maskable.shape) < raised)


def _same_total_in_every_draw(maskable, mask_ratio, rng):
    places = np.flatnonzero(maskable)
    selected = np.zeros(maskable.shape, dtype=bool)
    selected.flat[rng.choice(places, size=round(mask_ratio * len(places)), replace=False)] = True
    return selected


def percent(numbers):
    """A selection by whole numbers from 0 to `numbers` - 1, of which one too many counts as drawn."""

    def select_positions(maskable, mask_ratio, rng):
        return maskable & (rng.integers(0, numbers, size=maskable.shape) <= 100 * mask_ratio)

    return select_positions


def _unrepeatable(maskable, mask_ratio, rng):
    return maskable & (np.random.default_rng().random(maskable.shape) < mask_ratio)


def fixed_with(count, rank=lambda keys, maskable: ranks(keys)):
    """A selection of the k maskable positions of each row that `rank` puts first, k being `count(mask_ratio, n)`."""

    def select_fixed(maskable, mask_ratio, rng):
        k = count(mask_ratio, maskable.sum(-1, keepdims=True))
        keys = np.where(maskable, rng.random(maskable.shape), np.inf)
        return rank(keys, maskable) < k

    return select_fixed


def ranks(keys):
    """The place of each key in the sorted row."""
    return keys.argsort(-1).argsort(-1)


def half_up(mask_ratio, n):
    return np.floor(mask_ratio * n + 0.5)


SELECT = Exercise(
    id="03.select",
    title="Select positions at a ratio",
    reference=select_positions,
    cases=(
        Case("two short sentences, ratio 1", (ENDS_SPARED, 1.0, rng(1))),
        Case("two short sentences, ratio 0", (ENDS_SPARED, 0.0, rng(2))),
        Case("one sentence without a maskable position", (np.zeros(4, dtype=bool), 0.5, rng(3))),
        Case("leading dimensions (2, 3), ratio 1", (rng(7).random((2, 3, 5)) < 0.7, 1.0, rng(7))),
        Case("20,000 sentences, ratio 0.15", (SELECT_MASKABLE, 0.15, rng(561))),
        Case("20,000 sentences, ratio 0.9", (SELECT_MASKABLE, 0.9, rng(40))),
    ),
    observe=observed_selection,
    rtol=0.0,
    atol=0.004,
    minutes=10,
    mistakes=(
        Mistake(
            "special tokens are selected too",
            "The ratio is right, but [CLS], [SEP] and padding are hidden as well. A position must pass two tests: "
            "luck, and being maskable.",
            lambda maskable, mask_ratio, rng: rng.random(maskable.shape) < mask_ratio,
        ),
        Mistake(
            "the comparison points the wrong way",
            "At ratio 0.15 you select 85% of the words. A uniform number lies below 0.15 in 15% of all draws.",
            lambda maskable, mask_ratio, rng: maskable & (rng.random(maskable.shape) >= mask_ratio),
        ),
        Mistake(
            "every sentence gets the same positions",
            "Over many seeds the share is right, yet in each draw all sentences lose the same positions. How many "
            "uniform numbers are needed: one for each position, or one for each position of each sentence?",
            _same_positions_in_every_row,
        ),
        Mistake(
            "one number decides for everything",
            "Everything is selected or nothing, because a single uniform number was drawn. Each position needs a "
            "number of its own: which shape should the draw have?",
            lambda maskable, mask_ratio, rng: maskable & (rng.random() < mask_ratio),
        ),
        Mistake(
            "whole sentences are selected or left alone",
            "The share is right, but most sentences have nothing selected and the others everything. Every position "
            "deserves a draw of its own.",
            lambda maskable, mask_ratio, rng: maskable & (rng.random((*maskable.shape[:-1], 1)) < mask_ratio),
        ),
        Mistake(
            "exactly the same number in every sentence",
            "The share is right, but it is the same in every sentence, and none goes without. That is a good method "
            "too, and comes next; here each position is drawn on its own.",
            fixed_with(half_up),
        ),
        Mistake(
            "exactly the same total in every draw",
            "The share is right, but too exactly: in every draw the same number of positions is selected over all "
            "sentences together. If each is drawn on its own, the total is a matter of luck.",
            _same_total_in_every_draw,
        ),
        Mistake(
            "whole numbers, and one too many of them",
            "At 15% you select about 16%. You draw whole numbers in place of real ones: how many are there from 0 to "
            "15, and of how many?",
            percent(100),
            variants=(percent(101),),
        ),
        Mistake(
            "the ratio counts the special tokens in",
            "You select more than the ratio says, to make up for the positions that cannot be selected. Here the "
            "ratio is the chance of each maskable position.",
            _share_of_all_positions,
        ),
        Mistake(
            "rng is never used",
            "Every call returns the same selection: the model would see each sentence with the same holes for ever. "
            "Draw from the rng that is handed in, not from a fresh one with a fixed seed.",
            lambda maskable, mask_ratio, rng: maskable & (np.random.default_rng(0).random(maskable.shape) < mask_ratio),
        ),
        Mistake(
            "the draw cannot be repeated",
            "The shares are right, but the same seed gives another selection each time. Draw from the rng that is "
            "handed in, so that an experiment can be run again.",
            _unrepeatable,
        ),
    ),
    hints=(
        "Give every position a ticket: a number drawn uniformly between 0 and 1. Which tickets should win?",
        "rng.random(shape) draws a whole array of them; a number is below 0.15 in 15% of the draws.",
        "A winning ticket is not enough: the position must be maskable too. Booleans are combined with &.",
    ),
)


def select_fixed(maskable, mask_ratio, rng):
    return select_positions(maskable, mask_ratio, rng, method="fixed")


def observed_fixed_selection(function, maskable, mask_ratio, rng):
    """The number selected in each row is exact; which ones is up to chance, and alike for all positions."""
    same_seed = repeatable(function, maskable[:200], mask_ratio, copy.deepcopy(rng))
    selected = checked_selection(function(maskable, mask_ratio, rng), maskable)
    counts = selected.sum(axis=-1)
    seen = {
        "number selected in each sentence": counts,
        "share of the other positions that is selected": share(selected[~maskable]),
        "the same seed gives the same selection": same_seed,
    }
    if len(maskable) >= 10_000:  # the shares mean something
        together = selected[:, 1] & selected[:, 2]
        seen["share of sentences in which positions 1 and 2 are both selected"] = share(together)
        seen["share of sentences in which each position is selected"] = selected.mean(axis=0)
    return seen


def _of_all_positions(maskable, mask_ratio, rng):
    k = half_up(mask_ratio, maskable.shape[-1])
    return maskable & (ranks(np.where(maskable, rng.random(maskable.shape), np.inf)) < k)


def _ranked_among_all(maskable, mask_ratio, rng):
    return maskable & (ranks(rng.random(maskable.shape)) < half_up(mask_ratio, maskable.sum(-1, keepdims=True)))


def _same_ranks_in_every_row(maskable, mask_ratio, rng):
    keys = np.where(maskable, rng.random(maskable.shape[-1]), np.inf)
    return ranks(keys) < half_up(mask_ratio, maskable.sum(-1, keepdims=True))


def _with_replacement(maskable, mask_ratio, rng):
    selected = np.zeros(maskable.shape, dtype=bool)
    n = maskable.sum(-1)
    k = half_up(mask_ratio, n).astype(int)
    order = np.where(maskable, 0, 1).argsort(-1, kind="stable")  # maskable positions first
    for row in range(len(maskable)):
        if n[row]:
            selected[row, order[row, rng.integers(0, n[row], size=k[row])]] = True
    return selected


FIXED_SPARED = np.array([[False] + [True] * 10 + [False], [False] + [True] * 3 + [False] * 8])
FIXED_MASKABLE = np.tile(FIXED_SPARED[0], (20_000, 1))

SELECT_FIXED = Exercise(
    id="03.select-fixed",
    title="Select exactly k positions",
    reference=select_fixed,
    answers_in=(select_positions,),
    cases=(
        Case("ratio 0.25 of 10 and of 3 words", (FIXED_SPARED, 0.25, rng(1))),
        Case("ratio 0.15", (FIXED_SPARED, 0.15, rng(2))),
        Case("ratio 0.19", (FIXED_SPARED, 0.19, rng(3))),
        Case("ratio 0", (FIXED_SPARED, 0.0, rng(4))),
        Case("ratio 1", (FIXED_SPARED, 1.0, rng(5))),
        Case("a sentence without a maskable position", (np.zeros((1, 4), dtype=bool), 0.5, rng(6))),
        Case("20,000 sentences of 10 words, ratio 0.3", (FIXED_MASKABLE, 0.3, rng(187))),
    ),
    observe=observed_fixed_selection,
    rtol=0.0,
    atol=0.025,
    minutes=15,
    mistakes=(
        Mistake(
            "halves are rounded to the nearest even number",
            "A quarter of 10 words is 2.5, and you select 2: Python and NumPy round halves to even. The count asked "
            "for is floor(ratio * n + 1/2), which takes 3.",
            fixed_with(lambda mask_ratio, n: np.rint(mask_ratio * n)),
        ),
        Mistake(
            "the count is cut off, not rounded",
            "19% of 10 words is 1.9, and you select 1. Cutting off always errs to the same side, so a corpus of "
            "short sentences would get far fewer masks than the ratio promises.",
            fixed_with(lambda mask_ratio, n: np.floor(mask_ratio * n)),
        ),
        Mistake(
            "the count is rounded up",
            "You select one position more than asked wherever ratio * n is not whole. A short sentence suffers most: "
            "look at the one with three words.",
            fixed_with(lambda mask_ratio, n: np.ceil(mask_ratio * n)),
        ),
        Mistake(
            "at least one position is always selected",
            "Ratio 0 should select nothing. A floor of one is a choice some code makes; it raises the ratio of short "
            "sentences, and here it is not asked for.",
            fixed_with(lambda mask_ratio, n: np.minimum(np.maximum(half_up(mask_ratio, n), 1), n)),
        ),
        Mistake(
            "k is a share of all positions",
            "Padding counts in your k, so that sentences get more masks the more padding they carry. Take the share "
            "of the maskable positions of each row.",
            _of_all_positions,
        ),
        Mistake(
            "always the first k words",
            "The counts are right, but it is always the start of the sentence that is hidden. The model would never "
            "learn to fill its end.",
            fixed_with(half_up, lambda keys, maskable: np.where(maskable, maskable.cumsum(-1) - 1, np.inf)),
        ),
        Mistake(
            "every sentence gets the same positions",
            "The counts are right, but all sentences of equal length lose the same words. Each needs its own order.",
            _same_ranks_in_every_row,
        ),
        Mistake(
            "argsort taken for ranks",
            "argsort says which position comes first, second, third; you need the rank of each position. As it is, "
            "rows get the wrong number, or positions that are not maskable.",
            fixed_with(half_up, lambda keys, maskable: keys.argsort(-1)),
            variants=(
                fixed_with(half_up, lambda keys, maskable: np.where(maskable, keys.argsort(-1), np.inf)),
                lambda maskable, mask_ratio, rng: (
                    maskable
                    & (rng.random(maskable.shape).argsort(-1) < half_up(mask_ratio, maskable.sum(-1, keepdims=True)))
                ),
            ),
        ),
        Mistake(
            "the others sort first",
            "Your k positions are the ones that must be left alone. You have given them the smallest numbers, so they "
            "have the first ranks; they should have the last.",
            fixed_with(half_up, lambda keys, maskable: ranks(np.where(maskable, keys, 0.0))),
            variants=(
                fixed_with(
                    half_up, lambda keys, maskable: np.where(maskable, ranks(np.where(maskable, keys, 0.0)), np.inf)
                ),
            ),
        ),
        Mistake(
            "all positions are ranked, and the others struck out",
            "Some rows come out with fewer than k: positions that are not maskable took some of the first k ranks "
            "before you struck them out. They must not compete.",
            _ranked_among_all,
        ),
        Mistake(
            "positions are drawn with replacement",
            "Some sentences come out with fewer than k: the same position was drawn twice. Draw without replacement.",
            _with_replacement,
        ),
    ),
    hints=(
        (
            "Shuffle the maskable positions of a sentence and take the first k. With many sentences, let a random "
            "number per position decide the order."
        ),
        "k differs from row to row: floor(mask_ratio * n + 1/2), where n counts the maskable positions of that row.",
        "To keep the others out, give them a number that sorts behind all: np.inf.",
        (
            "Sorting tells which position is first; sorting that answer once more tells the rank of each position, "
            "and a rank can be compared with k."
        ),
    ),
)


# 03.no-question


def no_question(mask_ratio, n):
    """The probability (1 - mask_ratio)**n that none of n maskable tokens is selected."""
    return (1.0 - np.asarray(mask_ratio, dtype=np.float64)) ** n


NO_QUESTION = Exercise(
    id="03.no-question",
    title="A sentence without a question",
    reference=no_question,
    cases=(
        Case("one word, ratio 0.25", (0.25, 1)),
        Case("two words, ratio 0.5", (0.5, 2)),
        Case("ten words at 15%", (0.15, 10)),
        Case("ratio 0", (0.0, 7)),
        Case("ratio 1", (1.0, 7)),
        Case("sentences of several lengths", (0.15, np.array([1, 5, 10, 40]))),
    ),
    minutes=5,
    mistakes=(
        Mistake(
            "the probability that every word is selected",
            "At ratio 0.15, ten words are all selected about six times in a thousand million. The question is how "
            "often every one of them is missed.",
            lambda mask_ratio, n: np.asarray(mask_ratio, dtype=np.float64) ** n,
        ),
        Mistake(
            "the probability that at least one word is selected",
            "Your numbers grow with the length of the sentence. Long sentences are less likely to get away: you have "
            "the opposite event.",
            lambda mask_ratio, n: 1 - (1 - np.asarray(mask_ratio, dtype=np.float64)) ** n,
        ),
        Mistake(
            "not every word, taken for no word",
            "The opposite of 'all are selected' is 'at least one is missed', which is nearly certain. All must be "
            "missed.",
            lambda mask_ratio, n: 1 - np.asarray(mask_ratio, dtype=np.float64) ** n,
        ),
        Mistake(
            "probabilities are added, not multiplied",
            "With ten words at 15% your answer is negative. The words are drawn independently: what happens to the "
            "probabilities of independent events that must all occur?",
            lambda mask_ratio, n: 1.0 - np.asarray(mask_ratio, dtype=np.float64) * n,
        ),
        Mistake(
            "one factor for one of the words only",
            "Your answer does not depend on the length. One word is missed with that probability; all n must be.",
            lambda mask_ratio, n: 1.0 - mask_ratio + 0.0 * np.asarray(n),
        ),
        Mistake(
            "an exponential in place of the power",
            "Close for small ratios only: with ten words at 15% the exponential gives 0.22 where 0.20 is right, and at "
            "ratio 1 it still leaves a chance. The number of draws is whole, so no limit is needed.",
            lambda mask_ratio, n: np.exp(-mask_ratio * np.asarray(n, dtype=np.float64)),
        ),
    ),
    hints=(
        "Start with one word: with which probability is it not selected?",
        "The draws are independent, so the probability that both of two words are missed is a product.",
        "n equal factors make a power.",
    ),
)


# 03.labels

LABEL_IDS = np.array([[2, 5, 9, 7, 3, 0], [2, 6, 8, 5, 6, 3]])
LABEL_SELECTED = np.array([[0, 1, 0, 1, 0, 0], [0, 0, 0, 1, 1, 0]], dtype=bool)


def _labels_in_place(ids, selected):
    ids[~selected] = IGNORE_INDEX
    return ids


LABELS = Exercise(
    id="03.labels",
    title="Labels with an ignore index",
    reference=make_labels,
    cases=(
        Case("one word of three", (np.array([2, 7, 8, 9, 3]), np.array([False, False, True, False, False]))),
        Case("two sentences", (LABEL_IDS, LABEL_SELECTED)),
        Case("nothing selected", (LABEL_IDS, np.zeros_like(LABEL_SELECTED))),
        Case("everything selected", (LABEL_IDS, np.ones_like(LABEL_SELECTED))),
        Case("a selected token whose id is 0", (np.array([0, 4, 0]), np.array([True, False, False]))),
        Case("leading dimensions (3, 4)", (rng(1).integers(5, 50, (3, 4, 7)), rng(2).random((3, 4, 7)) < 0.3)),
    ),
    minutes=5,
    mistakes=(
        Mistake(
            "the ids themselves are overwritten",
            "The labels are right, but the sentence is gone: its unselected tokens are now -100 in the array that "
            "was handed in. Who else still needs those ids?",
            _labels_in_place,
        ),
        Mistake(
            "labels where nothing was selected",
            "The tokens that the model can see have labels, and the hidden ones have none. Which are to be predicted?",
            lambda ids, selected: np.where(selected, IGNORE_INDEX, ids),
        ),
        Mistake(
            "0 where -100 is needed",
            "0 is the id of a token, [PAD]: the loss would teach the model to predict padding at every visible word. "
            "The ignore index must be no id at all.",
            lambda ids, selected: np.where(selected, ids, 0),
        ),
        Mistake(
            "-1 where -100 is needed",
            "-1 is no id either, but as an index it means the last token of the vocabulary, and the loss skips -100 "
            "and nothing else. Both sides must use the same number.",
            lambda ids, selected: np.where(selected, ids, -1),
        ),
        Mistake(
            "a label at every position",
            "You return the whole sentence. Most of its words can be seen, and copying them is no achievement.",
            lambda ids, selected: np.array(ids),
        ),
        Mistake(
            "only the labels of selected positions, without their places",
            "The right tokens, in a flat list: nobody can tell which belongs to which position. Keep the shape of ids.",
            lambda ids, selected: ids[selected],
        ),
        Mistake(
            "labels are real numbers",
            "The values are right but are stored as floats. A label is an index into the vocabulary: an integer.",
            lambda ids, selected: np.where(selected, ids, float(IGNORE_INDEX)),
        ),
    ),
    hints=(
        "The labels have the shape of ids. Each entry is one of two things: the token, or the ignore index.",
        "Build a new array; the caller still needs the one that was handed in.",
        (
            "NumPy has a function with three arguments that picks from one array where a condition holds and from "
            "another where it does not."
        ),
    ),
)


# 03.corrupt (the same measurements serve the bug clinic of chapter 04)

CORRUPT_IDS = np.tile(np.arange(11, 55), (10_000, 1))  # no token of the sentences can be drawn as a replacement
CORRUPT_SELECTED = np.tile(np.array([False] * 4 + [True] * 40), (10_000, 1))
RANDOM_IDS = np.array([5, 6, 8, 10])  # with gaps, as a vocabulary with special tokens in between has
SHORT_IDS = np.array([[2, 11, 12, 13, 14, 3], [2, 15, 16, 3, 0, 0]])
SHORT_SELECTED = np.array([[0, 1, 0, 1, 1, 0], [0, 1, 1, 0, 0, 0]], dtype=bool)
SAME_TOKEN_IDS = np.full_like(CORRUPT_IDS, 11)
SAME_TOKEN_SELECTED = np.tile(np.array([False] * 24 + [True] * 20), (10_000, 1))


def observed_corruption(function, ids, selected, mask_id, random_ids, rng, **split):
    """What becomes of the selected tokens, as shares of them; and what must never happen, as shares that are zero."""
    few = ids[:200]
    same_seed = repeatable(
        lambda rng: function(few.copy(), selected[:200], mask_id, random_ids, rng, **split), copy.deepcopy(rng)
    )
    original = ids.copy()
    answer = checked_tokens(function(ids, selected, mask_id, random_ids, rng, **split), original)
    before, after = original[selected], answer[selected]
    masked, same = after == mask_id, after == before
    replaced = after[~masked & ~same]
    outside = int(np.count_nonzero(~np.isin(replaced, random_ids)))
    counts = [np.count_nonzero(replaced == token) / max(len(after), 1) for token in random_ids]
    return {
        "share of the other tokens that changed": share((answer != original)[~selected]),
        "share of selected tokens that read [MASK]": share(masked),
        "share of selected tokens that are as they were": share(same),
        "share of selected tokens outside random_ids": outside / max(len(after), 1),
        "share of the most and the least frequent replacement": np.array([max(counts), min(counts)]),
        "share of long sentences with one fate for all": share(_one_fate(answer == mask_id, selected)),
        "share of sentences with many replacements, all alike": share(_one_replacement(answer, original, mask_id)),
        "the same seed gives the same tokens": same_seed,
    }


def checked_tokens(answer, ids):
    """The answer, if it is an array of integers of the right shape."""
    if not isinstance(answer, np.ndarray) or answer.dtype.kind not in "iu" or answer.shape != ids.shape:
        found = type_name(answer)
        raise WrongAnswer(f"Your answer is a {found}; expected integer ids of shape {ids.shape}, as ids are.")
    return answer


def _one_fate(masked, selected):
    """For each row with many selected tokens: whether all of them read [MASK], or none does."""
    rows = selected.sum(axis=-1) >= 20
    number = (masked & selected)[rows].sum(axis=-1)
    return (number == 0) | (number == selected[rows].sum(axis=-1))


def _one_replacement(answer, original, mask_id):
    """For each row: whether it has six replacements or more, too many to be alike by chance, and they are alike."""
    replaced = (answer != original) & (answer != mask_id)
    many = replaced.sum(axis=-1) >= 6
    answer, replaced = answer[many], replaced[many]
    first = np.take_along_axis(answer, replaced.argmax(axis=-1)[:, None], axis=-1)
    alike = np.zeros(len(original), dtype=bool)
    alike[many] = ((answer == first) | ~replaced).all(axis=-1)
    return alike


def corrupt_by(fates, replacements=lambda ids, random_ids, rng: rng.choice(random_ids, size=ids.shape)):
    """A `corrupt` made of a way to draw the fates (0 [MASK], 1 random, 2 kept) and a way to draw the replacements."""

    def corrupt(ids, selected, mask_id, random_ids, rng, split=(0.8, 0.1, 0.1)):
        fate = fates(ids.shape, split, rng)
        return np.where(selected, np.choose(fate, [mask_id, replacements(ids, random_ids, rng), ids]), ids)

    return corrupt


def right_fates(shape, split, rng):
    return rng.choice(3, size=shape, p=split)


def two_shares_in_a_row(shape, split, rng):
    """Random first, then the share of kept tokens among the rest by mistake: 81/10/9."""
    random_here = rng.random(shape) < split[1]
    return np.where(random_here, 1, np.where(rng.random(shape) < split[2], 2, 0))


def random_share_of_the_rest(shape, split, rng):
    """[MASK] first, then the share of random tokens among the rest by mistake: 80/2/18."""
    masked_here = rng.random(shape) < split[0]
    return np.where(masked_here, 0, np.where(rng.random(shape) < split[1], 1, 2))


def random_over_masked(shape, split, rng):
    """Two draws that know nothing of each other; the second overwrites the first: 72/10/18."""
    masked_here = rng.random(shape) < split[0]
    return np.where(rng.random(shape) < split[1], 1, np.where(masked_here, 0, 2))


def thresholds_not_added(shape, split, rng):
    """One draw, compared with 0.8 and then with 0.1, which is never reached: 80/0/20."""
    u = rng.random(shape)
    return np.where(u < split[0], 0, np.where(u < split[1], 1, 2))


def one_fate_per_row(shape, split, rng):
    return np.broadcast_to(rng.choice(3, size=(*shape[:-1], 1), p=split), shape)


def one_fate_for_all(shape, split, rng):
    return np.full(shape, rng.choice(3, p=split))


def one_replacement_per_row(ids, random_ids, rng):
    return np.broadcast_to(rng.choice(random_ids, size=(*ids.shape[:-1], 1)), ids.shape)


def never_the_token_itself(ids, random_ids, rng):
    """A replacement that is the old token is drawn again."""
    drawn = rng.choice(random_ids, size=ids.shape)
    while (same := drawn == ids).any():
        drawn[same] = rng.choice(random_ids, size=np.count_nonzero(same))
    return drawn


def _corrupt_everything(ids, selected, mask_id, random_ids, rng, split=(0.8, 0.1, 0.1)):
    return np.choose(right_fates(ids.shape, split, rng), [mask_id, rng.choice(random_ids, size=ids.shape), ids])


def _corrupt_in_place(ids, selected, mask_id, random_ids, rng, split=(0.8, 0.1, 0.1)):
    fate = right_fates(ids.shape, split, rng)
    ids[selected & (fate == 0)] = mask_id
    ids[selected & (fate == 1)] = rng.choice(random_ids, size=ids.shape)[selected & (fate == 1)]
    return ids


ALL_MASK, ALL_KEPT = {"split": (1.0, 0.0, 0.0)}, {"split": (0.0, 0.0, 1.0)}

CORRUPT = Exercise(
    id="03.corrupt",
    title="Mask, replace or keep",
    reference=corrupt,
    cases=(
        Case(
            "two short sentences, split (1, 0, 0)", (SHORT_IDS, SHORT_SELECTED, MASK_ID, RANDOM_IDS, rng(1)), ALL_MASK
        ),
        Case(
            "two short sentences, split (0, 0, 1)", (SHORT_IDS, SHORT_SELECTED, MASK_ID, RANDOM_IDS, rng(2)), ALL_KEPT
        ),
        Case("nothing selected", (SHORT_IDS, np.zeros_like(SHORT_SELECTED), MASK_ID, RANDOM_IDS, rng(3))),
        Case("400,000 selected tokens", (CORRUPT_IDS, CORRUPT_SELECTED, MASK_ID, RANDOM_IDS, rng(53))),
        Case(
            "200,000 selected tokens, split (0, 1, 0), replacements that can equal the token",
            (SAME_TOKEN_IDS, SAME_TOKEN_SELECTED, MASK_ID, np.arange(5, 25), rng(52)),
            {"split": (0.0, 1.0, 0.0)},
        ),
    ),
    observe=observed_corruption,
    rtol=0.0,
    atol=0.004,
    minutes=20,
    mistakes=(
        Mistake(
            "the split comes out 81/10/9",
            "Nearly right, and easily overlooked: [MASK] gets 81%, not 80%. A share of what an earlier draw has left "
            "over is not the same share of all. One draw can decide among all three.",
            corrupt_by(two_shares_in_a_row),
        ),
        Mistake(
            "the split comes out 80/2/18",
            "After 80% have become [MASK], you replace a tenth of the rest, which is 2% of all (or both draws hit the "
            "same token, and [MASK] wins). What share of the remaining 20% would be a tenth of all?",
            corrupt_by(random_share_of_the_rest),
        ),
        Mistake(
            "the split comes out 72/10/18",
            "[MASK] gets 72%: the random words took their tenth out of its share, by overwriting [MASK] or by coming "
            "first. The three fates must exclude one another, and each is a share of all.",
            corrupt_by(random_over_masked),
        ),
        Mistake(
            "no token is ever replaced",
            "80% become [MASK] and 20% stay. One uniform number is compared with 0.8 and then with 0.1: whoever gets "
            "to the second question is above 0.8 already. Where does the second tenth of the interval lie?",
            corrupt_by(thresholds_not_added),
        ),
        Mistake(
            "every selected token becomes [MASK]",
            "That is a fair corruption, but one of three fates only. Fine-tuning never shows [MASK]: the split is "
            "there to make the model look at ordinary words as well.",
            corrupt_by(lambda shape, split, rng: np.zeros(shape, dtype=int)),
        ),
        Mistake(
            "the split is not used",
            "Right for 80/10/10, but those numbers stand in your code. With split (1, 0, 0) every selected token "
            "should read [MASK].",
            corrupt_by(lambda shape, split, rng: right_fates(shape, (0.8, 0.1, 0.1), rng)),
        ),
        Mistake(
            "[MASK] and random have changed places",
            "Most selected tokens become random words and only a few [MASK]. The split is in the order mask, random, "
            "keep.",
            corrupt_by(lambda shape, split, rng: right_fates(shape, (split[1], split[0], split[2]), rng)),
        ),
        Mistake(
            "one fate for a whole sentence",
            "The shares are right over many sentences, but within one all selected tokens meet the same fate. Draw "
            "for every token.",
            corrupt_by(one_fate_per_row),
        ),
        Mistake(
            "one fate for everything",
            "All selected tokens of all sentences meet the same fate: a single number was drawn, and it decided for "
            "everyone. Which shape should the draw have?",
            corrupt_by(one_fate_for_all),
        ),
        Mistake(
            "one replacement for all",
            "All random replacements are the same word. Draw as many as there are tokens.",
            corrupt_by(right_fates, lambda ids, random_ids, rng: np.full(ids.shape, rng.choice(random_ids))),
        ),
        Mistake(
            "one replacement for a whole sentence",
            "Within a sentence all random replacements are the same word. Each token needs a draw of its own.",
            corrupt_by(right_fates, one_replacement_per_row),
        ),
        Mistake(
            "places in the list taken for ids",
            "Your replacements are small numbers that are not in random_ids: they are places in that list. Which id "
            "stands at such a place?",
            corrupt_by(right_fates, lambda ids, random_ids, rng: rng.integers(0, len(random_ids), size=ids.shape)),
        ),
        Mistake(
            "replacements from a range",
            "Some replacements are not in random_ids: you draw any number between the smallest and the largest. A "
            "vocabulary has gaps where special tokens stand.",
            corrupt_by(
                right_fates,
                lambda ids, random_ids, rng: rng.integers(min(random_ids), max(random_ids) + 1, size=ids.shape),
            ),
        ),
        Mistake(
            "a replacement never equals the token",
            "Drawing uniformly, a token is now and then replaced by itself. Yours never is, which tells the model "
            "that a word it reads at a suspicious place is certainly wrong.",
            corrupt_by(right_fates, never_the_token_itself),
        ),
        Mistake(
            "tokens that were not selected change too",
            "The shares among the selected tokens are right, but the others are corrupted as well. Then no context "
            "is left that the model can trust.",
            _corrupt_everything,
        ),
        Mistake(
            "the sentences are overwritten",
            "The tokens are right, but the array that was handed in has changed. The labels are still to be read "
            "from it.",
            _corrupt_in_place,
        ),
    ),
    hints=(
        (
            "Three things can happen to a selected token, with probabilities that add up to one: that is one draw "
            "with three outcomes, not several draws in a row."
        ),
        (
            "A uniform number u settles it: below 0.8, between 0.8 and 0.9, or above. rng.choice with probabilities "
            "p does the same."
        ),
        "Draw a replacement for every position, from the list random_ids, and use it only where it is needed.",
        "Last, let only the selected positions take the new token; all others keep theirs. Build a new array.",
    ),
)


# 03.z-score


def z_score(count, n, p):
    """(count / n - p) / sqrt(p (1 - p) / n): how many standard errors a measured share lies from p."""
    return (np.asarray(count) / n - p) / np.sqrt(p * (1 - p) / n)


Z_SCORE = Exercise(
    id="03.z-score",
    title="Is the measured share compatible?",
    reference=z_score,
    cases=(
        Case("60 of 100 where half was expected: two standard errors", (60, 100, 0.5)),
        Case("exactly what was expected", (15, 100, 0.15)),
        Case("too few", (1_300, 10_000, 0.15)),
        Case("81% of 100,000, where 80% was expected", (81_000, 100_000, 0.8)),
        Case("none at all", (0, 200, 0.1)),
        Case("three shares at once", (np.array([811, 99, 90]), 1000, np.array([0.8, 0.1, 0.1]))),
    ),
    minutes=10,
    mistakes=(
        Mistake(
            "the distance is not divided by the standard error",
            "You return how far the share is off. Whether 0.01 is a lot depends on how many tokens were counted.",
            lambda count, n, p: np.asarray(count) / n - p,
        ),
        Mistake(
            "the variance in place of the standard error",
            "Your z is far too large. p (1 - p) / n is a variance; which unit does it have, compared with a share?",
            lambda count, n, p: (np.asarray(count) / n - p) / (p * (1 - p) / n),
        ),
        Mistake(
            "the spread of one token, not of the mean of n",
            "Your z does not grow when more tokens are counted. The mean of n independent draws spreads less than "
            "one draw does: by what factor?",
            lambda count, n, p: (np.asarray(count) / n - p) / np.sqrt(p * (1 - p)),
        ),
        Mistake(
            "the measured share stands in for p in the standard error",
            "Close, but you ask how far the share lies from p if p is true: then the spread is that of p as well. "
            "With nothing counted at all, yours divides by zero.",
            lambda count, n, p: (
                (np.asarray(count) / n - p) / np.sqrt((np.asarray(count) / n) * (1 - np.asarray(count) / n) / n)
            ),
        ),
        Mistake(
            "the factor 1 - p is missing",
            "Right for small p only. A share of 0.99 hardly spreads, as little as one of 0.01: the variance of one "
            "yes-or-no draw is symmetric in p and 1 - p.",
            lambda count, n, p: (np.asarray(count) / n - p) / np.sqrt(p / n),
        ),
        Mistake(
            "the sign is turned around",
            "A count that is too small gets a positive z. Measured minus expected, as is the custom.",
            lambda count, n, p: (p - np.asarray(count) / n) / np.sqrt(p * (1 - p) / n),
        ),
        Mistake(
            "the sign is lost",
            "The size is right, but too few and too many look alike. Keep the sign: it tells in which direction to "
            "look.",
            lambda count, n, p: np.abs(np.asarray(count) / n - p) / np.sqrt(p * (1 - p) / n),
        ),
    ),
    hints=(
        "Two things are needed: how far the measured share is from p, and how far it strays by chance alone.",
        (
            "One draw that is 1 with probability p and else 0 has variance p (1 - p). The mean of n such draws has "
            "an n-th of that."
        ),
        "A standard error is a standard deviation: the square root of a variance. Divide the distance by it.",
    ),
)

EXERCISES = (MASKABLE, SELECT, NO_QUESTION, SELECT_FIXED, LABELS, CORRUPT, Z_SCORE)
