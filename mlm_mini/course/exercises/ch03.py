"""Exercises of chapter 03, Masking.

Answers that are drawn at random are judged by what `chance.py` measures over some 100,000 tokens. The seeds are ones
whose own shares lie close to the exact ones, since others are compared with the worked answer's draw.

Shapes: B sentences, T positions.
"""

import numpy as np

from mlm_mini.course import chance
from mlm_mini.course.exercise import Case, Exercise, Twin

MASK_ID = 4  # as in the scene language
SPECIAL_IDS = np.arange(5)
BERT_SPECIAL_IDS = np.array([102, 0, 103, 100, 101])


def rng(seed=0):
    return np.random.default_rng(seed)


MASKABLE = Exercise(
    id="03.maskable",
    title="Spare the special tokens",
    twin="mlm_mini.reference.masking:maskable_positions",
    minutes=5,
    cases=(
        Case("one sentence of two words", (np.array([2, 7, 5, 3]), SPECIAL_IDS)),
        Case("a sentence with padding before it", (np.array([0, 0, 2, 9, 6, 3]), SPECIAL_IDS)),
        Case("ids as BERT numbers them", (np.array([101, 7592, 103, 42, 102, 0]), BERT_SPECIAL_IDS)),
        Case("large ids", (np.array([1, 2, 49_999, 50_001, 3, 0]), np.array([50_000, 3, 49_999, 1]))),
        Case("one special token", (np.array([[0, 1], [2, 3]]), np.array([1]))),
        Case("two sentences", (np.array([[2, 5, 6, 7, 3], [2, 8, 3, 0, 0]]), SPECIAL_IDS)),
        Case("no special token at all", (np.array([[5, 6], [7, 8]]), SPECIAL_IDS)),
        Case("leading dimensions (2, 3)", (rng().integers(0, 9, size=(2, 3, 6)), SPECIAL_IDS)),
    ),
    habits=("unchanged ids", "unchanged special_ids", "leading ids 1", "large ids ids", "scattered ids special_ids"),
    mistakes="""
    - True and False are swapped: You answer True at the special tokens, the ones that must be left alone.
          ~np.isin => np.isin
    - only padding is spared: Other special tokens, such as [CLS] and [SEP], can still be hidden.
          ~np.isin(ids, special_ids) => ids != special_ids[0]
       or ~np.isin(ids, special_ids) => ids != 0
    - special ids taken for the first ones
          ~np.isin(ids, special_ids) => ids >= len(special_ids)
       or ~np.isin(ids, special_ids) => ids > 4
       or ~np.isin(ids, special_ids) => ids > max(special_ids)
    - the first and the last position are spared instead of tokens: [CLS] is first and [SEP] last only when there is no
      padding. Look at what stands there, not at where.
          ~np.isin(ids, special_ids) => ~np.isin(np.arange(ids.shape[-1]) + 0 * ids, [0, ids.shape[-1] - 1])
    - nothing is special: True everywhere: to NumPy's membership test a set is one thing, and equals no id.
          ~np.isin(ids, special_ids) => ~np.isin(ids, set(special_ids.tolist()))
    - the arguments are swapped: You ask of each special token whether it occurs. The question is about each id.
          np.isin(ids, special_ids) => np.isin(special_ids, ids)
    - what may be hidden, not where it is: You return the tokens that may be hidden, or their places. Other functions
      want a mask: one truth value for every position.
          ~np.isin(ids, special_ids) => ids[~np.isin(ids, special_ids)]
       or ~np.isin(ids, special_ids) => np.flatnonzero(~np.isin(ids, special_ids))
    - a list for one sentence: Right for one sentence, but a list, and in a batch your loop meets whole rows. Which
      function asks the question about every entry of an array of any shape?
          ~np.isin(ids, special_ids) => [token not in special_ids for token in ids]
       or ~np.isin(ids, special_ids) => np.array([token not in special_ids for token in ids])
    - one answer for the whole array: You return a single truth value. Each position needs its own.
          ~np.isin(ids, special_ids) => not np.isin(ids, special_ids).any()
       or ~np.isin(ids, special_ids) => ids not in special_ids
    - numbers for truth values: Zeros and ones print well, but ~ turns 1 into -2. Return booleans.
          ~np.isin => 1 - np.isin
    """,
    hints="""
    - For each position there is one question with a yes or no answer: is this id among the special ones?
    - NumPy has a function that asks it for a whole array of any shape at once; its name starts with `is`.
    - That function is True at the special tokens. You need the opposite, which for booleans is the operator ~.
    """,
)


ENDS_SPARED = np.array([[False, True, True, True, False], [False, True, False, False, False]])
MANY_MASKABLE = np.tile(np.array([False] + [True] * 20 + [False] * 4), (8_000, 1))

SELECT = Exercise(
    id="03.select",
    title="Select positions at a ratio",
    twin="mlm_mini.reference.masking:select_positions",
    minutes=10,
    cases=(
        Case("two short sentences, ratio 1", (ENDS_SPARED, 1.0, rng(1))),
        Case("two short sentences, ratio 0", (ENDS_SPARED, 0.0, rng(2))),
        Case("one sentence without a maskable position", (np.zeros(4, dtype=bool), 0.5, rng(3))),
        Case("leading dimensions (2, 3), ratio 1", (rng(7).random((2, 3, 5)) < 0.7, 1.0, rng(7))),
        Case("8,000 sentences, ratio 1/3", (MANY_MASKABLE, 1 / 3, rng(324))),
        Case("8,000 sentences, ratio 0.005", (MANY_MASKABLE, 0.005, rng(69))),
        Case("8,000 sentences, ratio 0.05", (MANY_MASKABLE, 0.05, rng(120))),
    ),
    habits=("unchanged maskable", "leading maskable 1", "rng"),
    observe=chance.selection,
    rtol=0.0,
    atol=0.0072,
    helpers={"np": np},
    mistakes="""
    - special tokens are selected too: A position must pass two tests: luck, and being maskable.
          maskable & (u < mask_ratio) => u < mask_ratio
       or maskable & => maskable |
    - the comparison points the wrong way: A uniform number lies below 0.15 in 15% of all draws.
          u < => u >=
    - every sentence gets the same positions
          rng.random(maskable.shape) => rng.random(maskable.shape[-1])
    - whole sentences are selected or left alone: In a sentence everything is selected or nothing, because one number
      decides for all its positions. Which shape should the draw have?
          rng.random(maskable.shape) => rng.random()
       or rng.random(maskable.shape) => rng.random((*maskable.shape[:-1], 1))
    - exactly the same number in every sentence: That is the next exercise; here each position is drawn on its own.
          instead:
              k = np.floor(mask_ratio * maskable.sum(-1, keepdims=True) + 0.5)
              return np.where(maskable, rng.random(maskable.shape), np.inf).argsort(-1).argsort(-1) < k
       or instead:
              k = np.floor(mask_ratio * maskable.sum(-1, keepdims=True))
              return np.where(maskable, rng.random(maskable.shape), np.inf).argsort(-1).argsort(-1) < k
    - exactly the same total in every draw: The share is right, but too exactly: in every draw as many positions are
      selected over all sentences together. If each is drawn on its own, the total is a matter of luck.
          instead:
              places, selected = np.flatnonzero(maskable), np.zeros(maskable.shape, dtype=bool)
              selected.flat[rng.choice(places, size=round(mask_ratio * len(places)), replace=False)] = True
              return selected
    - whole numbers, and one too many of them: How many whole numbers are there from 0 to 15, and of how many?
          u < mask_ratio => np.floor(100 * u) <= 100 * mask_ratio
       or u < mask_ratio => np.floor(101 * u) <= 100 * mask_ratio
    - whole percents: Right for 15%, but a ratio of 1/3 or of half a percent lies between two of your numbers. Which
      numbers can any ratio be compared with?
          u < mask_ratio => np.floor(100 * u) < 100 * mask_ratio
       or u < mask_ratio => np.floor(100 * u) < round(100 * mask_ratio)
    - the ratio counts the special tokens in: It is the chance of each maskable position, whatever stands beside it.
          u < mask_ratio => u < mask_ratio * maskable.shape[-1] / np.maximum(maskable.sum(-1, keepdims=True), 1)
    - a generator of one's own
          u = => rng = np.random.default_rng(0); u =
       or u = => rng = np.random.default_rng(); u =
       or u = rng => u = np.random
    """,
    hints="""
    - Give every position a ticket: a number drawn uniformly between 0 and 1. Which tickets should win?
    - rng.random(shape) draws a whole array of them; a number is below 0.15 in 15% of the draws.
    - A winning ticket is not enough: the position must be maskable too. Booleans are combined with &.
    """,
)

NO_QUESTION = Exercise(
    id="03.no-question",
    title="A sentence without a question",
    minutes=5,
    cases=(
        Case("one word, ratio 0.25", (0.25, 1)),
        Case("two words, ratio 0.5", (0.5, 2)),
        Case("ten words at 15%", (0.15, 10)),
        Case("ratio 0", (0.0, 7)),
        Case("ratio 1", (1.0, 7)),
        Case("sentences of several lengths", (0.15, np.array([40, 1, 10, 5, 5]))),
        Case("lengths in a table, one of them 0", (0.3, np.array([[2, 0], [3, 128]]))),
    ),
    habits=("unchanged n",),
    helpers={"np": np},
    mistakes="""
    - the probability that every word is selected: The question is how often every one of them is missed.
          1 - mask_ratio => mask_ratio
    - the probability that at least one word is selected: That is the opposite event: long sentences rarely get away.
          (1 - mask_ratio) ** n => 1 - (1 - mask_ratio) ** n
    - not every word, taken for no word: The opposite of 'all are selected' is 'at least one is missed'. All must be.
          (1 - mask_ratio) ** n => 1 - mask_ratio**n
    - multiplied by n: No probability: yours is negative with ten words at 15%, or cut off at 0, or above 1. What
      happens to the probabilities of independent events that must all occur?
          (1 - mask_ratio) ** n => 1 - mask_ratio * n
       or (1 - mask_ratio) ** n => np.maximum(1 - mask_ratio * n, 0)
       or ** n => * n
    - one factor for one of the words only: Your answer does not depend on the length. All n words must be missed.
          ** n => + 0.0 * n
       or ** n =>
    - exactly one word is selected: In a sentence without a question every word is missed, and not n - 1 of them.
          (1 - mask_ratio) ** n => n * mask_ratio * (1 - mask_ratio) ** (n - 1)
    - the ratio is always 15%: Right for 15% and for no other ratio. The ratio is handed in.
          1 - mask_ratio => 0.85
    - one sentence length only (raises): Right for one n, but n may be an array, and a loop or the math module takes
      single numbers. NumPy's operators take both.
          ** n => ** (n if np.ndim(n) == 0 else range(n))
    - an exponential in place of the power: Close for small ratios only; at ratio 1 it still leaves a chance.
          (1 - mask_ratio) ** n => np.exp(-mask_ratio * n)
    """,
    hints="""
    - Start with one word: with which probability is it not selected?
    - The draws are independent, so the probability that both of two words are missed is a product.
    - n equal factors make a power.
    """,
)


FIXED_SPARED = np.array([[False] + [True] * 10 + [False], [False] + [True] * 3 + [False] * 8])
SQUARE = np.array([[True, True, False, False], [True, True, True, True], [False, False, False, True], [True] * 4])
FIXED_MASKABLE = np.tile([FIXED_SPARED[0], [False] * 4 + [True] * 7 + [False]], (5_000, 1))

SELECT_FIXED = Exercise(
    id="03.select-fixed",
    title="Select exactly k positions",
    twin=Twin(
        "mlm_mini.reference.masking:select_positions",
        adapted=lambda select, maskable, mask_ratio, rng: select(maskable, mask_ratio, rng, method="fixed"),
    ),
    minutes=15,
    cases=(
        Case("one sentence of one word, ratio 0.5", (np.array([[False, True]]), 0.5, rng(7))),
        *(Case(f"ratio {ratio:g} of 10 and of 3 words", (FIXED_SPARED, ratio, rng(1))) for ratio in (0.25, 0.15, 0.19)),
        Case("ratio 0", (FIXED_SPARED, 0.0, rng(4))),
        Case("ratio 1", (FIXED_SPARED, 1.0, rng(5))),
        Case("a sentence without a maskable position", (np.zeros((1, 4), dtype=bool), 0.5, rng(6))),
        Case("four sentences of 2, 4, 1 and 4 words, ratio 0.6", (SQUARE, 0.6, rng(8))),
        Case("10,000 sentences of 10 and of 7 words, ratio 0.3", (FIXED_MASKABLE, 0.3, rng(349))),
    ),
    habits=("unchanged maskable", "rng", "unequal counts maskable"),
    observe=chance.fixed_selection,
    rtol=0.0,
    atol=0.03,
    mistakes="""
    - halves are rounded to the nearest even number: A quarter of 10 words is 2.5, and you select 2: Python and NumPy
      round halves to even. The count asked for is floor(ratio * n + 1/2), which takes 3.
          np.floor(mask_ratio * n + 0.5) => np.rint(mask_ratio * n)
    - the count is cut off, not rounded: 19% of 10 words is 1.9, and you select 1. That always errs to the same side.
          + 0.5) => )
    - the count is rounded up: You select one more wherever ratio * n is not whole; short sentences suffer most.
          np.floor(mask_ratio * n + 0.5) => np.ceil(mask_ratio * n)
    - at least one position is always selected: Ratio 0 selects nothing. A floor of one raises short sentences' ratio.
          np.floor(mask_ratio * n + 0.5) => np.minimum(np.maximum(np.floor(mask_ratio * n + 0.5), 1), n)
    - k is a share of all positions: Sentences get more masks the more padding they carry. Of what is k a share?
          mask_ratio * n => mask_ratio * maskable.shape[-1]
          ranks < k => maskable & (ranks < k)
    - one k for all sentences: k belongs to a row: how many maskable positions does each have?
          mask_ratio * n => mask_ratio * n.sum()
          ranks < k => maskable & (ranks < k)
       or mask_ratio * n => mask_ratio * n.max()
          ranks < k => maskable & (ranks < k)
       or mask_ratio * n => mask_ratio * n[0]
    - the counts lost their axis: NumPy lined up one count per sentence with the columns: an error for two sentences of
      twelve positions, and in a square array rows meet other rows' counts. Which argument of sum keeps an axis?
          maskable.sum(axis=-1, keepdims=True) => maskable.sum(axis=-1)
    - one rank too many: Even at ratio 0 one position is selected. Ranks begin at 0: how many of them lie below k?
          ranks < k => ranks <= k
       or ranks < k => maskable & (ranks <= k)
    - each position is drawn on its own: That was the exercise before; here k of them are selected, no more and no
      fewer.
          ranks < k => keys < mask_ratio
    - always the first k words: It is always the start of the sentence that is hidden. A model would never fill its end.
          rng.random(maskable.shape) => np.arange(maskable.shape[-1])
    - every sentence gets the same positions
          rng.random(maskable.shape) => rng.random(maskable.shape[-1])
    - argsort taken for ranks: It says which position comes first, second, third; what is the rank of each position?
          keys.argsort(axis=-1).argsort(axis=-1) => keys.argsort(axis=-1)
       or keys.argsort(axis=-1).argsort(axis=-1) => keys.argsort(axis=-1)
          ranks < k => maskable & (ranks < k)
    - the others sort first: Your k positions are those that must be left alone: your smallest numbers are theirs.
          np.inf => 0.0
       or np.inf => 0.0
          ranks < k => maskable & (ranks < k)
    - all positions are ranked, and the others struck out: Some rows come out with fewer than k: positions that are not
      maskable took some of the first ranks before you struck them out. They must not compete.
          np.where(maskable, rng.random(maskable.shape), np.inf) => rng.random(maskable.shape)
          ranks < k => maskable & (ranks < k)
    - positions are drawn with replacement: Some rows come out with fewer than k: a position was drawn twice.
          instead:
              selected = np.zeros_like(maskable)
              for row, may in zip(selected, maskable):
                  places = np.flatnonzero(may)
                  row[rng.choice(places, size=int(mask_ratio * len(places) + 0.5)) if len(places) else []] = True
              return selected
    - a generator of one's own
          k = => rng = np.random.default_rng(0); k =
       or k = => rng = np.random.default_rng(); k =
       or rng.random => np.random.random
    """,
    hints="""
    - Shuffle the maskable positions of a sentence and take the first k. With many sentences, let a random number per
      position decide the order.
    - k differs from row to row: floor(mask_ratio * n + 1/2), where n counts the maskable positions of that row.
    - To keep the others out, give them a number that sorts behind all: np.inf.
    - Sorting tells which position is first; sorting that answer once more tells the rank of each position, and a rank
      can be compared with k.
    """,
)

LABEL_IDS = np.array([[2, 5, 9, 7, 3, 0], [2, 6, 8, 5, 6, 3]])
LABEL_SELECTED = np.array([[0, 1, 0, 1, 0, 0], [0, 0, 0, 1, 1, 1]], dtype=bool)

LABELS = Exercise(
    id="03.labels",
    title="Labels with an ignore index",
    twin="mlm_mini.reference.masking:make_labels",
    minutes=5,
    cases=(
        Case("one word of three", (np.array([2, 7, 8, 9, 3]), np.array([False, False, True, False, False]))),
        Case("two sentences", (LABEL_IDS, LABEL_SELECTED)),
        Case("nothing selected", (LABEL_IDS, np.zeros_like(LABEL_SELECTED))),
        Case("everything selected", (LABEL_IDS, np.ones_like(LABEL_SELECTED))),
        Case("a selected token whose id is 0", (np.array([0, 4, 0]), np.array([True, False, False]))),
        Case("ids of tens of thousands", (np.array([[40_000, 70_000]]), np.array([[True, False]]))),
        Case("leading dimensions (3, 4)", (rng(1).integers(5, 50, (3, 4, 7)), rng(2).random((3, 4, 7)) < 0.3)),
    ),
    habits=("unchanged ids", "unchanged selected", "fresh", "leading ids 1", "large ids ids"),
    mistakes="""
    - the ids themselves are overwritten: The array you were given is full of -100 now. Who else still needs its ids?
          return np.where(selected, ids, -100) => ids[~selected] = -100; return ids
    - labels where nothing is hidden
          ids, -100) => -100, ids)
    - another number where -100 is needed
          -100) => 0)
       or -100) => -1)
    - a label at every position
          np.where(selected, ids, -100) => np.array(ids)
    - only the labels of selected positions, without their places: Which label belongs to which position?
          np.where(selected, ids, -100) => ids[selected]
    - labels of one or two bytes: Large ids do not fit, and come out as other tokens. Which type do ids have?
          np.where(selected, ids, -100) => np.where(selected, ids, -100).astype(np.int16)
    - labels are real numbers: A label is an index into the vocabulary: an integer, not a float.
          -100) => -100.0)
    """,
    hints="""
    - The labels have the shape of ids. Each entry is one of two things: the token, or the ignore index.
    - Build a new array; the caller still needs the one that was handed in.
    - NumPy has a function with three arguments that picks from one array where a condition holds and from another where
      it does not.
    """,
)


ALL_MASK, ALL_RANDOM, ALL_KEPT = ({"split": tuple(row)} for row in np.eye(3).tolist())
RANDOM_IDS = np.array([10, 5, 8, 6])  # with gaps, as a vocabulary with special tokens in between has
SHORT_IDS = np.array([[2, 11, 12, 13, 14, 3], [2, 15, 16, 3, 0, 0]])
SHORT_SELECTED = np.array([[0, 1, 0, 1, 1, 0], [0, 1, 1, 0, 0, 0]], dtype=bool)
MANY_IDS = np.tile(np.arange(11, 55), (4_000, 1))  # none of which can be drawn from RANDOM_IDS
MANY_SELECTED = np.tile(np.array([False] * 4 + [True] * 40), (4_000, 1))
SHORT, EMPTY = (SHORT_IDS, SHORT_SELECTED, MASK_ID), (SHORT_IDS, np.zeros_like(SHORT_SELECTED), MASK_ID)
ONE, DEEP = (SHORT_IDS[0], SHORT_SELECTED[0], MASK_ID), (SHORT_IDS[:, None] + 40_000, SHORT_SELECTED[:, None], MASK_ID)
MANY = (MANY_IDS, MANY_SELECTED, MASK_ID)
SAME = (np.full_like(MANY_IDS, 11), MANY_SELECTED & (np.arange(44) < 24), MASK_ID)
CORRUPTION_HABITS = ("unchanged ids", "unchanged selected", "unchanged random_ids", "fresh", "rng")

CORRUPT = Exercise(
    id="03.corrupt",
    title="Mask, replace or keep",
    twin="mlm_mini.reference.masking:corrupt",
    minutes=20,
    cases=(
        Case("two sentences, split (1, 0, 0)", (*SHORT, RANDOM_IDS, rng(1)), ALL_MASK),
        Case("two sentences, split (0, 0, 1)", (*SHORT, RANDOM_IDS, rng(2)), ALL_KEPT),
        Case("two sentences, one large id to draw, split (0, 1, 0)", (*SHORT, np.array([40_000]), rng(3)), ALL_RANDOM),
        Case("nothing selected, split (1, 0, 0)", (*EMPTY, RANDOM_IDS, rng(4)), ALL_MASK),
        Case("one sentence, split (1, 0, 0)", (*ONE, RANDOM_IDS, rng(5)), ALL_MASK),
        Case("leading dimensions (2, 1), large ids, split (1, 0, 0)", (*DEEP, RANDOM_IDS, rng(6)), ALL_MASK),
        Case("160,000 selected tokens", (*MANY, RANDOM_IDS, rng(36))),
        Case(
            "80,000 selected tokens that can also be drawn, split (0, 1, 0)",
            (*SAME, np.arange(5, 25), rng(389)),
            ALL_RANDOM,
        ),
    ),
    habits=(*CORRUPTION_HABITS, "leading ids 1", "large ids ids", "large ids random_ids"),
    observe=chance.corruption,
    rtol=0.0,
    atol=0.006,
    mistakes="""
    - the split comes out 81/10/9
          u = rng.random(ids.shape) => u, v = rng.random((2, *ids.shape))
          u < split[0]) => u >= split[1]) & (v >= split[2])
          (u >= split[0]) & (u < split[0] + split[1]) => (u < split[1])
    - the split comes out 80/2/18
          (u >= split[0]) & (u < split[0] + split[1]) => (rng.random(ids.shape) < split[1])
    - the split comes out 72/10/18
          u = rng.random(ids.shape) => u, v = rng.random((2, *ids.shape))
          u < split[0]) => u >= split[1]) & (v < split[0])
          (u >= split[0]) & (u < split[0] + split[1]) => (u < split[1])
    - no token stays as it is
          & (u < split[0] + split[1]) =>
    - no token is ever replaced: One number is compared with 0.8 and then with 0.1, but whoever gets to the second
      question is above 0.8 already. Where does the second tenth of the interval lie?
          u < split[0] + split[1] => u < split[1]
    - [MASK] is overwritten: Your random words take some of the share of [MASK], or all. Where does that share end?
          (u < split[0]) => False
          (u >= split[0]) & (u <  => (u <
       or u < split[0]) => u >= split[1]) & (u < split[0])
          (u >= split[0]) & (u < split[0] + split[1]) => (u < split[1])
    - every selected token becomes [MASK]: One fate of three: the split makes a model look at ordinary words as well.
          selected & (u < split[0]) => selected
    - the split is not used: Right for 80/10/10, but those numbers stand in your code.
          u = => split = (0.8, 0.1, 0.1); u =
    - [MASK] and random have changed places: The split is in the order mask, random, keep.
          u = => split = (split[1], split[0], split[2]); u =
    - one fate for many tokens: Within a sentence all selected tokens meet the same fate, or in all sentences. Each
      token needs a number of its own: which shape should the draw have?
          rng.random(ids.shape) => rng.random((*ids.shape[:-1], 1))
       or rng.random(ids.shape) => rng.random(ids.shape[-1:])
       or rng.random(ids.shape) => rng.random()
    - one replacement for many tokens
          rng.choice(random_ids, size=ids.shape) => rng.choice(random_ids)
       or rng.choice(random_ids, size=ids.shape) => rng.choice(random_ids, size=(*ids.shape[:-1], 1))
    - places in the list taken for ids
          rng.choice(random_ids, => rng.choice(len(random_ids),
    - replacements from a range: Some are not in random_ids, which has gaps where special tokens stand.
          rng.choice(random_ids, => rng.integers(min(random_ids), max(random_ids) + 1,
       or rng.choice(random_ids, => rng.integers(0, max(random_ids) + 1,
    - a replacement never equals the token: A model learns that a word at a suspicious place is certainly wrong.
          drawn = rng.choice(random_ids, size=ids.shape)
          => drawn, again = rng.choice(random_ids, (2, *ids.shape)); drawn = np.where(drawn == ids, again, drawn)
    - tokens that were not selected change too: No context is left that the model can trust.
          selected & (u < split[0]) => u < split[0]
          selected & (u >= => (u >=
    - the sentences are overwritten
          return np.where( => ids[...] = np.where(
          drawn, ids)) => drawn, ids)); return ids
    - a generator of one's own
          u = => rng = np.random.default_rng(0); u =
       or u = => rng = np.random.default_rng(); u =
       or drawn = rng => drawn = np.random.default_rng(0)
       or drawn = rng => drawn = np.random.default_rng()
       or drawn = rng => drawn = np.random
    """,
    hints="""
    - Three things can happen to a selected token, with probabilities that add up to one: that is one draw with three
      outcomes, not several draws in a row.
    - A uniform number u settles it: below 0.8, between 0.8 and 0.9, or above. rng.choice with probabilities p does the
      same.
    - Draw a replacement for every position, from the list random_ids, and use it only where it is needed.
    - Last, let only the selected positions take the new token; all others keep theirs. Build a new array.
    """,
)

Z_SCORE = Exercise(
    id="03.z-score",
    title="Is the measured share compatible?",
    minutes=10,
    cases=(
        Case("60 of 100 where half was expected: two standard errors", (60, 100, 0.5)),
        Case("exactly what was expected", (15, 100, 0.15)),
        Case("too few", (1_300, 10_000, 0.15)),
        Case("81% of 100,000, where 80% was expected", (81_000, 100_000, 0.8)),
        Case("none at all", (0, 200, 0.1)),
        Case("three shares at once", (np.array([811, 99, 90]), 1000, np.array([0.8, 0.1, 0.1]))),
        Case("two samples of different size", (np.array([[20], [150]]), np.array([[50], [600]]), 1 / 3)),
    ),
    habits=("unchanged count", "unchanged n", "unchanged p"),
    mistakes="""
    - the distance is not divided by the standard error: Whether 0.01 is a lot depends on how many tokens were counted.
          / standard_error =>
    - the variance in place of the standard error: A variance is no distance: which unit does it have, beside a share?
          np.sqrt =>
    - n stands at the wrong place, or nowhere: Your z does not grow like the root of n. The variance of a mean of n
      draws is an n-th of that of one, and p is given, not estimated: all n count.
          / n) => )
       or / n) => ) / n
       or / n) => * n)
       or / n) => / (n - 1))
    - the count above, the share below: Above the line stands a count, below it the spread of a share. Which of the two
      has to be multiplied or divided by n?
          (count / n - p) => (count - n * p)
       or (count / n - p) => (count - p)
    - the measured share stands in for p in the standard error: Close, but you ask how far the share lies from p if p is
      true: then the spread is that of p as well. With nothing counted at all, yours divides by zero.
          p * (1 - p) / n => (count / n) * (1 - count / n) / n
    - the factor 1 - p is missing: Right for small p only: a share of 0.99 hardly spreads, as little as one of 0.01.
          * (1 - p) =>
    - the sign is turned around: A count that is too small gets a positive z. Measured minus expected, as is the custom.
          (count / n - p) => (p - count / n)
    - the sign is lost: Too few and too many look alike. The sign tells in which direction to look.
          (count / n - p) => abs(count / n - p)
    """,
    hints="""
    - Two things are needed: how far the measured share is from p, and how far it strays by chance alone.
    - One draw that is 1 with probability p and else 0 has variance p (1 - p). The mean of n such draws has an n-th of
      that.
    - A standard error is a standard deviation: the square root of a variance. Divide the distance by it.
    """,
)

EXERCISES = (MASKABLE, SELECT, NO_QUESTION, SELECT_FIXED, LABELS, CORRUPT, Z_SCORE)
