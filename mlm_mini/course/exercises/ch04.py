"""Exercises of chapter 04, Masking the logits, and the bug clinic of Part I.

Shapes: B sentences, T positions, V tokens; `...` stands for any leading dimensions, or none.
"""

import numpy as np

from mlm_mini import reference as ref
from mlm_mini.course import chance
from mlm_mini.course.exercise import Case, Exercise
from mlm_mini.course.exercises import ch03
from mlm_mini.course.exercises.ch03 import LABEL_IDS, LABEL_SELECTED, SPECIAL_IDS, rng


def either(old, news):
    """Edits of which each makes the same mistake, with another number."""
    return "\n       or ".join(f"{old} => {new}" for new in news)


LARGE = either("-np.inf", [f"-1e{digits}" for digits in (9, 4, 3, 5, 6, 7, 8, 10, 12, 15, 20, 30, 38, 100, 300)])
LOWEST = either("-np.inf", [f"np.finfo(np.float{bits}).min" for bits in (16, 32, 64)])
PENALTY = either("= -np.inf", [f"-= 1e{digits}" for digits in (4, 2, 3, 6, 9)])
TINY = either(
    "ref.kl_divergence(q, p)", [f"smoothed_kl(q, p, 1e-{digits})" for digits in (12, 8, 6, 9, 10, 15, 20, 30, 300)]
)

LOGITS_HABITS = ("unchanged logits", "leading logits 1", "low scores logits")
SMALL = np.array([2.0, 0.0, 1.0])
LAST, LAST_TWO = np.array([2]), np.array([2, 1])

EXCLUDE = Exercise(
    id="04.exclude",
    title="Exclude tokens before the softmax",
    twin="mlm_mini.reference.masking:exclude_tokens",
    minutes=10,
    cases=(
        Case("three tokens, the last excluded", (SMALL, LAST)),
        Case("nothing excluded", (SMALL, np.array([], dtype=np.int64))),
        Case("everything excluded", (SMALL, np.array([0, 1, 2]))),
        Case("one token named three times", (SMALL, np.array([2, 2, 2]))),
        Case("logits that are whole numbers", (np.array([3, -1, 4, 1]), np.array([0, 2]))),
        Case("logits of -10,000", (np.array([[-1e4, -1e4 - 2, 50.0], [-1e4 - 1, -1e4, -3.0]]), LAST)),
        Case("logits of -10 thousand million and of -inf", (np.array([-1e10, -2e10, 0.0, -np.inf]), LAST)),
        Case("six positions, five special tokens", (rng(1).normal(0, 3, (6, 8)), SPECIAL_IDS)),
        Case("two of three excluded, and the third is -inf already", (np.array([-np.inf, 1.0, 2.0]), LAST_TWO)),
        Case("two rows, one without a token left", (np.array([[-np.inf, 1.0, 2.0], [0.0, 1.0, 2.0]]), LAST_TWO)),
        Case("40,000 tokens", (np.zeros((1, 40_000)), np.array([39_999, 3]))),
        Case("leading dimensions (2, 6)", (rng(2).normal(0, 30, (2, 6, 12)), np.array([0, 5, 2]))),
    ),
    habits=(*LOGITS_HABITS, "unchanged excluded", "fresh", "scattered ids excluded", "large ids excluded"),
    helpers={"ref": ref},
    mistakes=f"""
    - a logit of zero: exp(0) is 1, and the token may even win where the others are negative.
          -np.inf => 0.0
    - a large negative number in place of minus infinity: Enough for most logits, but where the others lie as low
      themselves the excluded token takes a share again, or all of it. Only one value is below every number.
          {LARGE}
       or {LOWEST}
    - a penalty is subtracted: The excluded token keeps its place in the order, only lower. The exclusion should not
      depend on the logit that is excluded.
          {PENALTY}
    - probabilities, set to zero after the softmax: Your rows no longer sum to one: what the excluded tokens took is
      missing. The function is to return logits, before any softmax.
          np.array(logits, dtype=np.float64) => ref.softmax(logits)
          -np.inf => 0.0
    - probabilities, set to zero and normalized again: These are the right probabilities wherever the excluded tokens
      left any, but logits were asked for: the loss works from those, and divides by nothing that can vanish.
          np.array(logits, dtype=np.float64) => ref.softmax(logits)
          -np.inf => 0.0
          return out => return out / out.sum(axis=-1, keepdims=True)
    - special ids taken for the first ones
          out[..., excluded] => out[..., : len(excluded)]
    - rows are excluded, not tokens (raises): Whole positions are wiped out. Along which axis do the tokens lie?
          out[..., excluded] => out[excluded]
    - the excluded tokens are taken out
          out[..., excluded] = -np.inf => out = np.delete(out, excluded, axis=-1)
    - plus infinity: exp(+inf) is infinite: an excluded token takes everything. Which infinity has the exponential 0?
          -np.inf => np.inf
    - the logits are overwritten: The caller's logits are gone, and the next line may want them without the exclusion.
          np.array(logits, dtype=np.float64) => logits
       or np.array(logits, => np.asarray(logits,
    - nothing is said when no token is left: A row of nothing but minus infinity has no softmax: it turns into NaN three
      functions later. The docstring promises a ValueError here, where the cause can still be seen.
          np.isneginf(out).all(axis=-1).any() => False
    - an error only when the list names every token: You look at the list alone, but a logit may be minus infinity
      before you come: then a shorter list can take the last token of a row. Look at the result.
          np.isneginf(out).all(axis=-1).any() => len(set(excluded.tolist())) == out.shape[-1]
       or np.isneginf(out).all(axis=-1).any() => len(excluded) >= out.shape[-1]
    - an error only when all rows are empty: One empty row is enough to make a NaN. Ask the question row by row.
          .all(axis=-1).any() => .all()
    """,
    hints="""
    - exp(z) is positive for every number z. There is one value, not a number on the line, for which NumPy's exp is 0.
    - Make a float copy first, because an array of integers cannot hold that value. The tokens are the last axis.
    - When you index, an ellipsis stands for all the leading dimensions, however many there are.
    - At the end, look whether a row has any finite entry left: np.isneginf and all, along the last axis.
    """,
)

P4, Q4 = np.array([0.4, 0.4, 0.1, 0.1]), np.array([0.1, 0.2, 0.3, 0.4])
MANY_P, MANY_Q = (rng(seed).dirichlet(np.ones(9), size=(2, 4)) for seed in (3, 4))

TOTAL_VARIATION = Exercise(
    id="04.total-variation",
    title="Total variation",
    twin="mlm_mini.reference.probability:total_variation",
    minutes=5,
    cases=(
        Case("four tokens", (P4, Q4)),
        Case("equal distributions", (P4, P4)),
        Case("nothing in common", (np.array([0.5, 0.5, 0.0, 0.0]), np.array([0.0, 0.0, 0.25, 0.75]))),
        Case("two rows", (np.array([P4, Q4]), np.array([Q4, [0.1, 0.2, 0.7, 0.0]]))),
        Case("one row", (P4[None], Q4[None])),
        Case("leading dimensions (2, 4)", (MANY_P, MANY_Q)),
    ),
    habits=("unchanged p", "unchanged q", "leading p 1"),
    mistakes="""
    - the half is missing: Two distributions with nothing in common come out at 2: every difference is counted twice.
          0.5 * =>
    - differences with their signs: The sum is always zero: what one token gains others lose.
          np.abs(p - q) => (p - q)
    - the largest difference of a single token: An event can hold many tokens: add up all that gained.
          0.5 * np.abs(p - q).sum => np.abs(p - q).max
       or sum => max
       or 0.5 * np.abs(p - q).sum => (p - q).max
    - the mean over the vocabulary: Your distance shrinks as the vocabulary grows, even where the distributions have
      nothing in common.
          0.5 * np.abs(p - q).sum => np.abs(p - q).mean
       or sum => mean
    - squares in place of sizes: That is a Euclidean distance, or its square. Total variation adds absolute differences,
      so that it is a probability.
          np.abs(p - q).sum(axis=-1) => np.sqrt(((p - q) ** 2).sum(axis=-1))
       or 0.5 * np.abs(p - q).sum(axis=-1) => np.sqrt(((p - q) ** 2).sum(axis=-1))
       or np.abs(p - q) => ((p - q) ** 2)
    - the rows are added up: Each row is a pair of distributions and has a distance of its own.
          axis=-1 =>
    """,
    hints="""
    - Take the difference of the two probabilities of each token, without its sign.
    - Sum along the last axis: one number for each pair of distributions.
    - Each bit of probability that moves is lost by one token and gained by another. How often has it been counted?
    """,
)


def smoothed_kl(p, q, eps):
    """KL(p, q) with a small number below the fraction line, so that it is never infinite."""
    return np.where(p > 0, p * np.log(np.where(p > 0, p, 1) / np.maximum(q, eps)), 0.0).sum(axis=-1)


def kl_without_zeros(p, q):
    """KL(p, q) without the tokens of which q is 0."""
    return smoothed_kl(np.where(q > 0, p, 0), q, 1e-300)


LEAK_6, LEAK_20, NO_LEAK = (np.array([0.0, 0.5, leak, 1.0, 0.3, 2.0, 1.0, -1.0]) for leak in (6.0, -20.0, -np.inf))
LOW = np.array([[5.0, 9.0, -1e10, 1.0, 0.3, -1e10, -2e10], [1.0, 0.0, -np.inf, 3.0, 2.0, -1e10, -2e10]])

KL_DIRECTIONS = Exercise(
    id="04.kl-directions",
    title="Two directions of one leak",
    minutes=15,
    cases=(
        Case("two words and two special tokens", (np.array([1.0, 0.0, 0.0, 0.0]), np.array([0, 1]), 1)),
        Case("one special token", (np.array([1.0, 0.0, 0.5]), np.array([1]), 1)),
        Case("special ids in no particular order", (np.append(LEAK_6, 5.5), np.array([6, 2, 0, 3]), 2)),
        Case("a leaked logit of 6", (LEAK_6, SPECIAL_IDS, 2)),
        Case("a leaked logit of -20", (LEAK_20, SPECIAL_IDS, 2)),
        Case("a leaked logit of -inf", (NO_LEAK, SPECIAL_IDS, 2)),
        Case("words with logits of -10 thousand million", (LOW, SPECIAL_IDS, 2)),
        Case("three positions", (rng(5).normal(0, 2, (3, 11)), SPECIAL_IDS, 2)),
        Case("leading dimensions (2, 3), another leaked token", (rng(6).normal(0, 4, (2, 3, 9)), SPECIAL_IDS, 4)),
    ),
    habits=(*LOGITS_HABITS, "unchanged special_ids", "scattered ids special_ids"),
    rtol=1e-6,
    atol=1e-5,  # numbers of ten thousand million have few digits after the point
    helpers={"np": np, "smoothed_kl": smoothed_kl, "kl_without_zeros": kl_without_zeros},
    mistakes=f"""
    - the two directions have changed places: The infinite number stands second. KL(p, q) takes the mean over p: which
      of the two distributions gives [CLS] a probability at all?
          (q, p) => (p, q)
          (p, q) => (q, p)
    - one direction twice: Both numbers are the same. KL is no distance: exchanging the two distributions changes it.
          (p, q) => (q, p)
       or (q, p) => (p, q)
    - 0 log 0 becomes NaN: Excluded tokens have probability 0, and 0 * log 0 is NaN in floating point. In the sum such a
      term counts nothing, since p log p goes to 0 with p.
          ref.kl_divergence(q, p) => (q * np.log(q / p)).sum(axis=-1)
          ref.kl_divergence(p, q) => (p * np.log(p / q)).sum(axis=-1)
    - a small number added to avoid infinity: Your KL(buggy, correct) is finite, and its size is set by the small number
      that was added. The infinity is the true answer: it says that something impossible has happened.
          {TINY}
    - infinite without looking: Right as long as something leaks. A token whose own logit is minus infinity takes no
      share even when it is forgotten: the two distributions are then equal, and both divergences are 0.
          ref.kl_divergence(q, p) => np.full(logits.shape[:-1], np.inf)
    - every term with a zero is left out: You skip the tokens where q is 0. Where p is 0 a term counts nothing; where q
      is 0 and p is not, it counts infinitely much.
          ref.kl_divergence(q, p) => kl_without_zeros(q, p)
    - all special tokens leak: Only leaked_id is forgotten; the other special tokens stay out.
          special_ids[special_ids != leaked_id] => []
    - the leaked token is the only one excluded: It is the other way round: leaked_id is let in, the others stay out.
          special_ids[special_ids != leaked_id] => [leaked_id]
    - another token leaks: Right only where leaked_id stands at a certain place. Which entry of the list equals it?
          special_ids[special_ids != leaked_id] => np.delete(special_ids, leaked_id)
       or special_ids[special_ids != leaked_id] => special_ids[1:]
    """,
    hints="""
    - Two distributions are needed: softmax after excluding all special ids, and softmax after excluding all but one.
    - The shorter list is what remains of special_ids after a comparison with leaked_id.
    - KL(p, q) from chapter 02 does the rest, twice, with its arguments exchanged. KL(buggy, correct) comes first.
    """,
)

CLINIC_SPLIT = Exercise(
    id="04.clinic-split",
    title="Bug clinic: a split that is almost right",
    twin="mlm_mini.reference.masking:corrupt",
    minutes=10,
    cases=(
        Case("nothing selected", (*ch03.EMPTY, ch03.RANDOM_IDS, rng(1))),
        Case("160,000 selected tokens", (*ch03.MANY, ch03.RANDOM_IDS, rng(36))),
    ),
    habits=ch03.CORRUPTION_HABITS,
    observe=chance.corruption,
    rtol=0.0,
    atol=0.006,
    mistakes="""
    - the split comes out 81/10/9
          u = rng.random(ids.shape) => u, v = rng.random((2, *ids.shape))
          (u < 0.8) => (u >= 0.1) & (v < 0.9)
          (0.8 <= u) & (u < 0.9) => (u < 0.1)
    - the split comes out 72/10/18
          u = rng.random(ids.shape) => u, v = rng.random((2, *ids.shape))
          (u < 0.8) => (u >= 0.1) & (v < 0.8)
          (0.8 <= u) & (u < 0.9) => (u < 0.1)
    - the split comes out 80/2/18
          (0.8 <= u) & (u < 0.9) => (rng.random(ids.shape) < 0.1)
    - no token stays as it is
          (0.8 <= u) & (u < 0.9) => (0.8 <= u)
    - the second draw is not confined to the rest: Half of all selected tokens become random, [MASK] or not: about
      40/50/10. The second draw must leave alone what the first has decided.
          (u < 0.8) => (u < 0.4)
          (0.8 <= u) & (u < 0.9) => (0.4 <= u) & (u < 0.9)
    - the sentences are overwritten
          return np.where( => ids[...] = np.where(
          drawn, ids)) => drawn, ids)); return ids
    """,
    hints="""
    - Write the three probabilities as products: what is P(random), P(not random and [MASK]), P(neither)?
    - Either draw once and cut the interval from 0 to 1 in three, or find the probability that, among the 90% that are
      left over, gives 80% of all.
    - With one uniform number u per token: below 0.8, from 0.8 to 0.9, above 0.9.
    """,
)

V10_SPECIAL = np.array([4, 1, 9, 3])  # special ids at one end and in the middle: only looking them up will do
V4_IDS = np.array([[2, 1, 3, 0], [1, 2, 2, 0]])
V10 = (np.full((4_000, 24), 5), np.tile(np.array([False] * 4 + [True] * 20), (4_000, 1)))  # 5 is always a regular token

CLINIC_RANDOM = Exercise(
    id="04.clinic-random",
    title="Bug clinic: random words that are no words",
    minutes=10,
    cases=(
        Case("nothing selected", (np.array([[2, 5, 6]]), np.zeros((1, 3), dtype=bool), 10, V10_SPECIAL, rng(1))),
        Case("one regular token", (V4_IDS, V4_IDS > 0, 4, np.array([3, 0, 1]), rng(2))),
        Case("80,000 selected tokens, ten in the vocabulary", (*V10, 10, V10_SPECIAL, rng(77))),
        Case("special ids first, as in the scene language", (*V10, 9, SPECIAL_IDS, rng(45))),
    ),
    habits=("unchanged ids", "unchanged selected", "unchanged special_ids", "fresh", "rng"),
    observe=chance.replacement,
    rtol=0.0,
    atol=0.012,
    mistakes="""
    - special tokens are still among the replacements: A draw from all V ids now and then puts [SEP] or [PAD] into the
      middle of a sentence. Which ids may be drawn, and how would you list them?
          np.setdiff1d(np.arange(V), special_ids) => V
    - special ids taken for the first ones
          np.setdiff1d(np.arange(V), special_ids) => np.arange(len(special_ids), V)
    - special tokens are drawn again, but only once: Fewer special tokens than before, yet not none: the second draw can
      be special as well. Could they be left out of the draw from the start?
          return => once, again = rng.integers(0, V, size=(2, *ids.shape)); return
          rng.choice(regular_ids, size=ids.shape) => np.where(np.isin(once, special_ids), again, once)
    - a special token gives way to its neighbor: No special tokens any more, but those that follow one are drawn twice
      as often or more. All regular tokens should be equally likely.
          np.setdiff1d(np.arange(V), special_ids)
          => [next(i % V for i in range(start, 2 * V) if i % V not in special_ids) for start in range(V)]
    - where a special token was drawn the old one stays: No special tokens any more, but some selected tokens are not
      replaced at all: the shares of the split shift without anyone noticing.
          instead:
              drawn = rng.integers(0, V, size=ids.shape)
              return np.where(selected & ~np.isin(drawn, special_ids), drawn, ids)
    - the last regular token is never drawn: rng.integers leaves out its upper end already; has it been left out twice?
          special_ids) => special_ids)[:-1]
    - token 0 is never drawn: In BERT's vocabulary 0 is [PAD], but a special token may stand anywhere, and here 0 is a
      regular one. Does your list begin at the first id?
          np.arange(V) => np.arange(1, V)
    - places in the list taken for ids
          regular_ids, size => len(regular_ids), size
    - the sentences are overwritten
          return np.where( => ids[...] = np.where(
          , ids) => , ids); return ids
    - one replacement for many tokens
          size=ids.shape => size=(len(ids), 1)
       or , size=ids.shape =>
    - tokens that were not selected change too: No context is left that the model can trust.
          np.where(selected, rng.choice(regular_ids, size=ids.shape), ids) => rng.choice(regular_ids, size=ids.shape)
    """,
    hints="""
    - Draw from a list in which no special token stands, and nothing has to be repaired afterwards.
    - The list of regular ids is all ids from 0 to V - 1 without those in special_ids.
    - rng.choice draws from a list, each member equally likely; np.setdiff1d makes the list.
    """,
)

CLINIC_INPLACE = Exercise(
    id="04.clinic-inplace",
    title="Bug clinic: the sentence that was overwritten",
    minutes=10,
    cases=(
        Case("one word of three", (np.array([[2, 7, 8, 9, 3]]), np.array([[False, False, True, False, False]]), 4)),
        Case("two sentences", (LABEL_IDS, LABEL_SELECTED, 4)),
        Case("nothing selected", (LABEL_IDS, np.zeros_like(LABEL_SELECTED), 4)),
        Case("everything selected, large ids", (LABEL_IDS + 40_000, np.ones_like(LABEL_SELECTED), 103)),
        Case("BERT's [MASK]", (rng(1).integers(104, 999, (3, 9)), rng(2).random((3, 9)) < 0.4, 103)),
    ),
    habits=("unchanged ids", "unchanged selected", "fresh", "large ids ids"),
    mistakes="""
    - the label of every masked word is [MASK]: The labels are read after the words are gone, so the model learns to
      answer [MASK]. An assignment does not copy an array: how many arrays are there?
          ids.copy() => ids
    - the labels are saved, but the corpus is still overwritten: Right now, once. On the next pass over the data the
      words are gone: the array that was handed in has been changed.
          inputs = ids.copy() => inputs, ids = ids, ids.copy()
    - a copy, and labels from the wrong one: The corpus is safe now, but the labels are read from the masked copy. Which
      of the two arrays holds the answers?
          np.where(selected, ids => np.where(selected, inputs
    - a label at every position
          np.where(selected, ids, -100) => ids.copy()
    - labels where nothing is hidden
          ids, -100) => -100, ids)
    - another number where -100 is needed
          -100) => 0)
       or -100) => -1)
    - inputs and labels have changed places: The first of the two arrays is what the model reads.
          return inputs, labels => return labels, inputs
    """,
    hints="""
    - Print ids before and after the call. What has happened to it?
    - `inputs = ids` gives the array a second name; both names mean the same numbers.
    - Make a new array for the inputs, and read the labels from the one that still has the words.
    """,
)

LOSS_IDS = rng(1).integers(0, 9, (2, 7))
TOKENS_3 = np.array([[[2.0, 0.0, 1.0], [0.0, 1.0, 0.0], [3.0, 0.0, 0.0]]])
FAR_BEHIND = TOKENS_3 * 800
FAR = np.array([[[-1e10, -2e10, -np.inf], [0.0, -np.inf, 1.0]], [[2.0, 0.0, 1.0], [-3e10, -2e10, -1e10]]])
FAR_SELECTED = np.array([[True, False], [True, True]])

CLINIC_LABELS = Exercise(
    id="04.clinic-labels",
    title="Bug clinic: a perfect loss",
    minutes=10,
    cases=(
        Case("one sentence, one word hidden", (TOKENS_3, np.array([[0, 1, 2]]), np.array([[False, True, False]]))),
        Case(
            "one word hidden, 800 behind another", (FAR_BEHIND, np.array([[0, 2, 2]]), np.array([[False, True, False]]))
        ),
        Case("scores of -1e10, and of -inf at a visible word", (FAR, np.array([[0, 1], [1, 2]]), FAR_SELECTED)),
        Case("two sentences", (rng(2).normal(0, 2, (2, 7, 9)), LOSS_IDS, rng(3).random((2, 7)) < 0.4)),
        Case("everything selected", (rng(4).normal(0, 2, (2, 7, 9)), LOSS_IDS, np.ones((2, 7), dtype=bool))),
        Case("nothing selected", (rng(5).normal(0, 2, (2, 7, 9)), LOSS_IDS, np.zeros((2, 7), dtype=bool))),
    ),
    habits=("unchanged logits", "unchanged ids", "unchanged selected", "low scores logits", "unequal counts selected"),
    mistakes="""
    - the loss is still exactly zero: No position has a label. Look at the line that should fill them in: one sign
      compares two things, another gives a value.
          ] = ids => ] == ids
    - a label at every position
          labels[selected] = ids[selected] => labels = ids
    - labels where nothing is hidden
          labels[selected] = ids[selected] => labels[~selected] = ids[~selected]
    - another number where -100 is needed
          -100 => 0
    - a sum, not a mean: The loss grows with the number of hidden words, so it cannot be compared between mask ratios.
          ref.cross_entropy(logits, labels) => ref.cross_entropy(logits, labels) * selected.sum()
       or ref.cross_entropy(logits, labels) => ref.cross_entropy(logits, labels) * selected.sum() / len(ids)
    - divided by all positions: Visible words count as zero, so that the loss falls when fewer words are hidden.
          ref.cross_entropy(logits, labels) => ref.cross_entropy(logits, labels) * selected.mean()
    - a small number added inside the logarithm
          ref.cross_entropy(logits, labels) => ref.cross_entropy(np.log(ref.softmax(logits) + 1e-12), labels)
    - every sentence counts alike: A hidden word then counts more in a sentence with few of them.
          ref.cross_entropy(logits, labels) => np.mean([ref.cross_entropy(z, y) for z, y in zip(logits, labels)])
    """,
    hints="""
    - A loss of exactly zero means that the model is perfect or that it was asked nothing. Print the labels.
    - `a == b` asks whether two things are equal, and throws the answer away when nobody takes it.
    - At the selected positions the label is the token; everywhere else it stays -100.
    """,
)

SCENE_SPECIAL = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4}
SCATTERED_SPECIAL = {"[PAD]": 0, "[UNK]": 6, "[CLS]": 7, "[SEP]": 8, "[MASK]": 9}
CLS_HIGH = np.array([0.1, 0.0, 6.0, 0.2, 0.3, 2.0, 1.0, -1.0])
THOUSANDS = np.array([0.1, 0.0, 1e3, 0.2, 300.0, 2.0, 1.0, -1.0])
WITH_INF = np.where(np.arange(12) == 3, -np.inf, rng(1).normal(0, 2, (3, 12)))
WORDS_LOW = np.array([0.0, 0.0, 0.0, 0.0, 0.0, -1e10, -2e10, -np.inf, -3e10])

CLINIC_CLS = Exercise(
    id="04.clinic-cls",
    title="Bug clinic: the answer is always [CLS]",
    minutes=10,
    cases=(
        Case("three words and five special tokens", (CLS_HIGH, SCENE_SPECIAL)),
        Case("special ids that are scattered, and a word at -inf", (WITH_INF, SCATTERED_SPECIAL)),
        Case("one special token more", (rng(2).normal(0, 2, (2, 9)), SCENE_SPECIAL | {"[EOS]": 7})),
        Case("special tokens with logits of 1,000", (THOUSANDS, SCENE_SPECIAL)),
        Case("words with logits of -10 thousand million", (WORDS_LOW, SCENE_SPECIAL)),
        Case("leading dimensions (2, 3)", (rng(3).normal(0, 2, (2, 3, 7)), SCENE_SPECIAL)),
    ),
    habits=(*LOGITS_HABITS, "unchanged special"),
    atol=0.0,  # zero means zero
    helpers={"np": np},
    mistakes="""
    - [CLS] is still in: The list of excluded tokens was typed by hand, and one name is missing. Which token has a
      probability that it should not have?
          list(special.values()) => [special[name] for name in ("[PAD]", "[UNK]", "[SEP]", "[MASK]")]
    - the list is still typed by hand: [CLS] is out now, but a vocabulary with one more special token would bring the
      same bug back. Is there a list that cannot be incomplete?
          list(special.values()) => [special[name] for name in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")]
    - only [CLS] is excluded: The others are in again: the new exclusion has replaced the old ones.
          list(special.values()) => [special["[CLS]"]]
    - special ids taken for the first ones
          list(special.values()) => range(len(special))
       or list(special.values()) => range(5)
       or list(special.values()) => range(min(special.values()), max(special.values()) + 1)
    - set to zero after the softmax: The special tokens have probability zero, but the words keep the small shares that
      [CLS] left them: your rows do not sum to one.
          return ref.softmax(ref.exclude_tokens(logits, blocked))
          => p = ref.softmax(logits); p[..., blocked] = 0.0; return p
    - set to zero after the softmax, and divided by the sum: Right until nothing is left to divide by: where a special
      token has taken everything, the words are 0 before you come to them, and 0 / 0 is NaN.
          return ref.softmax(ref.exclude_tokens(logits, blocked))
          => p = ref.softmax(logits); p[..., blocked] = 0.0; return p / p.sum(axis=-1, keepdims=True)
    - logits of zero: A logit of 0 is an ordinary score: exp(0) is 1, so every special token keeps a share.
          ref.exclude_tokens(logits, blocked) => np.where(np.isin(np.arange(logits.shape[-1]), blocked), 0.0, logits)
    - a penalty that a large logit can afford: Almost zero is not zero: a special token with a logit of 1,000 may win in
      spite of it, and any of them wins where the words lie lower still.
          ref.exclude_tokens(logits, blocked) => logits - 100.0 * np.isin(np.arange(logits.shape[-1]), blocked)
       or ref.exclude_tokens(logits, blocked) => logits - 1e3 * np.isin(np.arange(logits.shape[-1]), blocked)
       or ref.exclude_tokens(logits, blocked) => logits - 1e4 * np.isin(np.arange(logits.shape[-1]), blocked)
       or ref.exclude_tokens(logits, blocked) => np.where(np.isin(np.arange(logits.shape[-1]), blocked), -100.0, logits)
    - the excluded tokens are taken out
          ref.exclude_tokens(logits, blocked) => np.delete(logits, blocked, axis=-1)
    """,
    hints="""
    - Print the probability of each special token. Which one is not zero?
    - The dict knows all special tokens; a list typed by hand knows those that its author thought of.
    - A dict can hand out all its values at once, however many there are.
    """,
)

CLINICS = (CLINIC_SPLIT, CLINIC_RANDOM, CLINIC_INPLACE, CLINIC_LABELS, CLINIC_CLS)
EXERCISES = (EXCLUDE, TOTAL_VARIATION, KL_DIRECTIONS, *CLINICS)
