"""Chapter 15: beyond English. Letters and groups, short lists with ties, both sides, substitutions, brackets, a beam.

Shapes: N blanks or documents, C candidates, A amino acids, L letters of a sequence, T positions of a row.
"""

import numpy as np
from scipy.stats import spearmanr

from mlm_mini.course.exercise import Case, Exercise

rng = np.random.default_rng

LETTERS = Exercise(
    id="15.letters",
    title="A token for each letter",
    minutes=10,
    rtol=0.0,
    atol=0.0,
    cases=(
        Case("three letters with room to spare", ("CAB", "ABC", 8)),
        Case("a row that is just full", ("ACDA", "ACD", 6)),
        Case("a sequence that is too long", ("ACDACDAC", "ACD", 6)),
        Case("a hidden letter and one that nobody knows", ("A?xC", "ACD", 9)),
        Case("small letters that are not in the alphabet", ("aBcA", "ABC", 6)),
        Case("an alphabet in an order of its own", ("γαβ γ", "γ βα", 10)),
        Case("no letter at all", ("", "ACD", 4)),
    ),
    helpers={"np": np},
    mistakes="""
    - the first letter has the id of [MASK]: Your ids begin one too early, so that the first letter of the alphabet is
      taken for [MASK]. Which is the first id that is free?
          5 + i => 4 + i
    - the first letter has the id of [PAD]: Your letters begin at 0, where the special tokens are. How many ids are
      taken before the first letter?
          5 + i => i
    - the ids leave a gap: Your ids begin one too late. Which is the first id that is free?
          5 + i => 6 + i
    - the letters are sorted: Right for an alphabet that is sorted already. In which order do the letters get their ids?
          enumerate(alphabet) => enumerate(sorted(alphabet))
    - a letter that nobody knows is left out: Your row becomes shorter by each unknown letter, and the letters behind it
      move to the left. Where does a reader see that something stood there?
          *(id_of.get(letter, 1) for letter in sequence[: length - 2])
          => *(id_of[letter] for letter in sequence[: length - 2] if letter in id_of)
    - a letter that nobody knows is hidden: An unknown letter becomes [MASK]: the model would be asked for what cannot
      be an answer. Which special token stands for something unknown?
          id_of.get(letter, 1) => id_of.get(letter, 4)
    - the question mark is unknown: A "?" becomes [UNK], so that no question is asked. Which special token is a
      question?
          | {"?": 4} =>
    - small letters are taken for capitals: You change the letters before you look them up. Is "a" in an alphabet of
      capitals?
          id_of.get(letter, 1) => id_of.get(letter.upper(), 1)
    - [CLS] is missing: Your row begins with a letter. Which token opens a row?
          ids = [2, *( => ids = [*(
    - [SEP] is missing: Nothing tells where your sequence ends and the padding begins. Which token closes a row?
          , 3] => ]
    - no room for [CLS] and [SEP]: A sequence that is too long makes your row longer than asked. How many letters have
      room beside the two tokens that frame them?
          sequence[: length - 2] => sequence[:length]
    - one letter too few: A sequence that is too long loses one letter more than it has to. How many letters have room
      beside the two tokens that frame them?
          sequence[: length - 2] => sequence[: length - 3]
    - nothing is cut: A sequence that is too long makes your row as long as itself. What has to happen before it is
      framed?
          sequence[: length - 2] => sequence
    - [SEP] is cut off: A row that is full has lost its [SEP]. Cut before you frame, or after?
          sequence[: length - 2] => sequence[: length - 1]
          return np.array(ids + [0] * (length - len(ids)))
          => return np.array((ids + [0] * (length - len(ids)))[:length])
    - the beginning is cut off: You keep the end of a sequence that is too long, and are asked for its beginning.
          sequence[: length - 2] => sequence[max(0, len(sequence) - length + 2) :]
    - padding on the left: Your padding stands before [CLS]. On which side does this course pad?
          ids + [0] * (length - len(ids)) => [0] * (length - len(ids)) + ids
    - no padding: Your rows differ in length, and do not fit into one array. What fills them up?
          ids + [0] * (length - len(ids)) => ids
    """,
    hints="""
    - A dict from letter to id; enumerate gives each letter of the alphabet its place.
    - dict.get(letter, 1) finds the id of a letter, or [UNK]. "?" can be in the dict as well.
    - Cut the sequence to length - 2 letters, frame it with 2 and 3, and fill up with zeros.
    """,
)

HELD_OUT = Exercise(
    id="15.held-out",
    title="Whole groups",
    minutes=10,
    rtol=0.0,
    atol=0.0,
    cases=(
        Case("two groups, a third of the documents", (np.array([0, 1, 0]), np.array([1, 0]), 1 / 3)),
        Case("a share that one group fills exactly", (np.array([3, 5, 3, 5]), np.array([5, 3]), 0.5)),
        Case("a large group first", (np.array([2, 2, 2, 7, 7, 4]), np.array([2, 4, 7]), 0.1)),
        Case("small groups first", (np.array([9, 1, 1, 1, 1, 4, 4, 9, 9, 0]), np.array([0, 4, 9, 1]), 0.3)),
        Case(
            "a share that is no whole number",
            (np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 3]), np.array([0, 1, 2, 3]), 1 / 3),
        ),
        Case(
            "a group between that is large",
            (np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 3]), np.array([0, 1, 2, 3]), 0.45),
        ),
        Case("forty documents in any order", (rng(1).integers(0, 9, 40) * 3, rng(2).permutation(9) * 3, 0.35)),
        Case("nothing is to be held out", (np.array([0, 1, 0]), np.array([1, 0]), 0.0)),
        Case("everything is to be held out", (np.array([0, 1, 0, 2]), np.array([1, 2, 0]), 1.0)),
    ),
    habits=("unchanged groups", "unchanged ranking", "any order groups"),
    helpers={"np": np},
    mistakes="""
    - documents, not groups: You hold out documents one by one, so that a group has some on either side. What was to be
      on one side as a whole?
          return np.isin(groups, ranking[before < share * len(groups)])
          => return np.arange(len(groups)) < np.ceil(share * len(groups))
    - a share of the groups: You hold out so many of the groups. Groups differ in size: of what is `share` a share?
          before < share * len(groups) => np.arange(len(ranking)) < share * len(ranking)
    - one group too few: You stop before there are enough documents. Does the group that brings their number over the
      share belong to them?
          before = sizes.cumsum() - sizes => before = sizes.cumsum()
    - one group too many: Where a group fills the share exactly you take another. What may the documents before a group
      come to, for it to be needed?
          before < share => before <= share
    - groups only as long as they fit: You stop before the share is passed, so that fewer are held out than asked for,
      or none at all. Does the group that brings their number over the share belong to them?
          before = sizes.cumsum() - sizes => before = sizes.cumsum()
          before < share => before <= share
    - a group that does not fit is passed over: You leave out a group that would pass the share and take a later,
      smaller one. May a group be skipped, and are as many held out as asked for?
          instead:
              out = np.zeros(len(groups), dtype=bool)
              for group in ranking:
                  if (out | (groups == group)).sum() <= share * len(groups):
                      out |= groups == group
              return out
    - the number asked for is rounded down: A third of 10 is 3.33: are 3 enough?
          before < share * len(groups) => before < int(share * len(groups))
    - the order of the numbers: You take groups by their numbers. In which order were they drawn?
          for group in ranking => for group in np.sort(ranking)
          ranking[before => np.sort(ranking)[before
    - sizes in another order than the ranking: You count the groups by their numbers and take them by their rank. Which
      size belongs to the first of the ranking?
          for group in ranking => for group in np.sort(ranking)
    - from the end of the ranking: You begin with the last group of the ranking.
          before = sizes.cumsum() - sizes => before = sizes[::-1].cumsum()[::-1] - sizes
    - True and False are swapped: You mark what may be read in training. What is True to say?
          return np.isin( => return ~np.isin(
    - the numbers of the groups: Your answer is a list of groups. Which documents are in them?
          return np.isin(groups, ranking[before < share * len(groups)]) => return ranking[before < share * len(groups)]
    - ranks taken for groups: You compare the number of a group with its place in the ranking. What is the group at each
      place?
          ranking[before < share * len(groups)] => np.flatnonzero(before < share * len(groups))
    """,
    hints="""
    - How many documents does each group have, in the order of the ranking?
    - A group is needed if those before it have fewer documents than share * N. A cumulative sum less the group's own
      size says how many these have.
    - np.isin(groups, chosen) says which documents are in the chosen groups.
    """,
)

TIES = np.array([[0.2, 0.2, 0.2, 0.2, 0.2], [0.1, 0.3, 0.3, 0.2, 0.1], [0.9, 0.0, 0.0, 0.05, 0.05]])

TOP_K = Exercise(
    id="15.top-k",
    title="Among the k best, ties by lot",
    minutes=12,
    twin="mlm_mini.experiments.beyond.blanks:top_k",
    cases=(
        Case("no ties", (np.array([[0.7, 0.2, 0.1], [0.2, 0.5, 0.3]]), np.array([1, 1]), 1)),
        Case("all scores are equal", (TIES[:1], np.array([3]), 2)),
        Case("ties at the edge of the list", (TIES, np.array([4, 2, 1]), 1)),
        Case("a longer list", (TIES, np.array([0, 4, 2]), 3)),
        Case("the whole vocabulary", (TIES, np.array([0, 4, 2]), 5)),
        Case("logarithms", (np.log(rng(1).dirichlet(np.ones(9), 12)).round(1), rng(2).integers(0, 9, 12), 4)),
        Case(
            "tiny probabilities", (np.array([[1e-9, 2e-9, 5e-10, 1.0], [3e-10, 1e-9, 1e-9, 2e-9]]), np.array([0, 3]), 2)
        ),
        Case("many blanks", (rng(3).integers(0, 4, (50, 8)) / 4, rng(4).integers(0, 8, 50), 3)),
    ),
    habits=("unchanged scores", "unchanged answers", "any order answers"),
    helpers={"np": np},
    mistakes="""
    - ties count as won: A model that gives all candidates the same score is always right in your count. What is the
      chance that a lot puts the answer first?
          (k - better) / alike => (k - better) * 1.0
    - ties count as lost: You count as before it whatever is as good as the answer. What is the chance that a lot puts
      the answer first?
          return np.clip((k - better) / alike, 0.0, 1.0) => return np.clip(k - better - alike + 1.0, 0.0, 1.0)
    - the order of the candidates decides: Which of equal scores comes first in your list hangs on how a computer sorts.
      By lot, each has the same chance.
          instead:
              order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
              return (order == answers[:, None]).any(axis=1).astype(float)
    - the order of the candidates turned round decides: Which of equal scores comes first in your list hangs on how a
      computer sorts, and turning the list round does not change that. By lot, each has the same chance.
          instead:
              order = np.argsort(scores, axis=1)[:, ::-1][:, :k]
              return (order == answers[:, None]).any(axis=1).astype(float)
    - what is as good counts as better: You count among the better ones those that are as good as the answer, itself
      included. How many are above it?
          (scores > own) => (scores >= own)
    - nearly equal counts as equal: Probabilities may be tiny, and one of them twice as large as the other. Which scores
      does a lot decide between?
          (scores > own).sum(axis=1), (scores == own).sum(axis=1)
          => ((scores > own) & ~np.isclose(scores, own)).sum(axis=1), np.isclose(scores, own).sum(axis=1)
    - the lowest scores: Your list begins with the worst candidates. What is better than the answer has a higher score.
          (scores > own) => (scores < own)
    - the answer is not counted among those like it: With no ties you divide by 0. Is the answer as good as itself?
          (scores == own).sum(axis=1) => (scores == own).sum(axis=1) - 1
       or / alike => / np.maximum(alike - 1, 1)
    - a list of k - 1: The answer in the last place of the list counts as missed. How many better ones may there be?
          (k - better) => (k - better - 1)
    - a list of k + 1: You count an answer in the place after the list. How many better ones may there be?
          (k - better) => (k - better + 1)
    - chances above 1 or below 0: Where there is more room than candidates, or none, your number is no chance. Between
      which numbers does a chance lie?
          np.clip((k - better) / alike, 0.0, 1.0) => (k - better) / alike
       or np.clip((k - better) / alike, 0.0, 1.0) => np.minimum((k - better) / alike, 1.0)
       or np.clip((k - better) / alike, 0.0, 1.0) => np.maximum((k - better) / alike, 0.0)
    - always the first blank's scores: Every answer is compared with its score at the first blank. How do you pair blank
      i with answer i?
          scores[np.arange(len(answers)), answers] => scores[0, answers]
    - the best score in place of the answer's: You ask about the best candidate. Whose place is asked for?
          scores[np.arange(len(answers)), answers][:, None] => scores.max(axis=1, keepdims=True)
    - one number for all blanks: You give the mean. Which chance has each blank?
          np.clip((k - better) / alike, 0.0, 1.0) => np.clip((k - better) / alike, 0.0, 1.0).mean()
    - one lot for all candidates: You divide by the number of candidates. Among which of them does the lot decide?
          / alike => / scores.shape[1]
    """,
    hints="""
    - scores[np.arange(N), answers] are the scores of the answers; [:, None] makes them comparable with whole rows.
    - Count in each row what is above the answer's score, and what equals it, the answer itself included.
    - The places left in the list, k less those above, go to those that are equal; a chance lies from 0 to 1.
    """,
)

TWO_SIDED = Exercise(
    id="15.two-sided",
    title="Both sides, independent given the token",
    minutes=8,
    twin="mlm_mini.experiments.beyond.ngrams:two_sided",
    cases=(
        Case("two candidates, one blank", (np.array([0.8, 0.2]), np.array([0.5, 0.5]), np.array([0.5, 0.5]))),
        Case(
            "both sides know only the frequencies",
            (np.array([[0.7, 0.2, 0.1]] * 2), np.array([[0.7, 0.2, 0.1]] * 2), np.array([0.7, 0.2, 0.1])),
        ),
        Case(
            "five blanks",
            (rng(1).dirichlet(np.ones(4), 5), rng(2).dirichlet(np.ones(4), 5), rng(3).dirichlet(np.ones(4))),
        ),
        Case(
            "as many blanks as candidates",
            (rng(4).dirichlet(np.ones(3), 3), rng(5).dirichlet(np.ones(3), 3), rng(6).dirichlet(np.ones(3))),
        ),
        Case(
            "rows of blanks",
            (rng(7).dirichlet(np.ones(3), (2, 4)), rng(8).dirichlet(np.ones(3), (2, 4)), rng(9).dirichlet(np.ones(3))),
        ),
    ),
    habits=("unchanged left", "unchanged right", "unchanged prior", "leading left 1"),
    helpers={"np": np},
    mistakes="""
    - how frequent a token is counts twice: Where neither side knows more than the frequencies, frequent tokens become
      more frequent still. What do both sides know in common?
          left * right / prior => left * right
    - multiplied by the prior: Frequent tokens count three times. On which side of the fraction does P(x) stand?
          left * right / prior => left * right * prior
    - the mean of both sides: Where one side rules a token out, you give it half of what the other side says. What does
      the formula do with the two?
          left * right / prior => (left + right) / 2
    - not scaled: Your rows do not sum to one. The formula says that both sides are proportional.
          return p / p.sum(axis=-1, keepdims=True) => return p
    - scaled over all blanks at once: All your rows together sum to one. What is a distribution here?
          p.sum(axis=-1, keepdims=True) => p.sum()
    - scaled over the blanks: For each candidate the blanks sum to one. Along which axis do the candidates lie?
          axis=-1 => axis=0
    - the second axis, wherever the words are
          axis=-1 => axis=1
    - the sums lost their axis
          axis=-1, keepdims=True => axis=-1
    - scaled as logits: A softmax wants logarithms, and gives every token a share. These are probabilities already.
          p / p.sum(axis=-1, keepdims=True) => np.exp(p) / np.exp(p).sum(axis=-1, keepdims=True)
    - the geometric mean: You take the root of the product: where both sides are sure, you are only as sure as one.
          left * right / prior => np.sqrt(left * right)
       or left * right / prior => np.sqrt(left * right / prior)
    - only one side: You leave out what one side says.
          left * right / prior => left / prior
       or left * right / prior => right / prior
       or left * right / prior => left * prior / prior
       or left * right / prior => right * prior / prior
    """,
    hints="""
    - Three arrays, one formula: NumPy lines up the prior with the last axis by itself.
    - "Proportional" means that a factor is missing, the same for all candidates of a blank.
    - That factor makes the candidates of a blank sum to one: divide by the sum along the last axis, keeping it.
    """,
)

LOG_ODDS = Exercise(
    id="15.log-odds",
    title="What may stand for what",
    minutes=15,
    twin="mlm_mini.experiments.beyond.substitution:substitution_scores",
    cases=(
        Case("two letters, three blanks", (np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7]]), np.array([0, 1, 1]))),
        Case("three letters, one of them frequent", (rng(1).dirichlet(np.ones(3), 7), np.array([2, 0, 0, 1, 0, 0, 2]))),
        Case("sixty blanks", (rng(2).dirichlet(np.full(5, 0.7), 60), rng(3).integers(0, 5, 60))),
        Case("a letter that stands nowhere", (rng(4).dirichlet(np.ones(4), 30), rng(5).integers(0, 3, 30))),
    ),
    habits=("unchanged posterior", "unchanged answers", "any order answers"),
    helpers={"np": np},
    mistakes="""
    - each letter is counted once: With += NumPy keeps only the last blank of each letter. Which function adds up where
      an index repeats?
          np.add.at(joint, answers, posterior) => joint[answers] += posterior
    - the mean of each letter's blanks: A letter that stands in one blank counts as much as one that stands in fifty. Is
      P(a, b) a share of all blanks, or of those with a?
          np.add.at(joint, answers, posterior)
          => np.add.at(joint, answers, posterior / np.bincount(answers, minlength=len(joint))[answers][:, None])
    - a mean for each letter: You divide the sum of each letter by the number of its own blanks, so that a rare letter
      counts as much as a frequent one. Is P(a, b) a share of all blanks, or of those with a?
          np.add.at(joint, answers, posterior)
          => np.add.at(joint, answers, posterior / np.bincount(answers, minlength=len(joint))[answers][:, None])
          (2 * len(answers)) => 2
    - not made symmetric: What you say of a in the place of b is not what you say of b in the place of a.
          joint = (joint + joint.T) / (2 * len(answers)) => joint = joint / len(answers)
    - half of it is lost: Your joint probabilities sum to more or less than one. How many times are two matrices the sum
      of one?
          (2 * len(answers)) => len(answers)
    - the margins of what stands there: You take p(a) from the answers, by how often each letter stands in the text. The
      formula takes the sums of the rows of P(a, b).
          margin = joint.sum(axis=1) => margin = (np.bincount(answers, minlength=len(joint)) + 1e-9) / len(answers)
    - divided by one margin: Your matrix is not symmetric: you have P(b given a). By how many margins does the formula
      divide?
          np.outer(margin, margin) => margin[:, None]
    - no logarithm: Your numbers are never below 0: they are odds. What makes a sum of a product?
          np.log(joint / np.outer(margin, margin)) => joint / np.outer(margin, margin)
    - bits
          np.log( => np.log2(
    - not divided by chance: Frequent letters have high scores, whatever the model thinks of them. With what is P(a, b)
      to be compared?
          np.log(joint / np.outer(margin, margin)) => np.log(joint)
    - the wrong way round: Likely replacements have scores below 0. What stands above the line?
          joint / np.outer(margin, margin) => np.outer(margin, margin) / joint
    - a number added to every pair: You add a small number, and rare pairs become more frequent than the model says.
          np.log(joint / np.outer(margin, margin)) => np.log((joint + 1e-3) / np.outer(margin, margin))
    """,
    hints="""
    - A row for what stands there, a column for what the model says. What has to happen where two blanks have one?
    - np.add.at(joint, answers, posterior) adds up where rows repeat. Then add the transposed matrix; divide by 2 N.
    - All entries now sum to one. The margins are the sums of the rows; np.outer gives the product of every two.
    """,
)


def symmetric(seed, A=6):
    """A random symmetric matrix (A, A) with ties."""
    m = rng(seed).integers(-4, 5, (A, A)).astype(float)
    return m + m.T


def shufflings(seed, n, A=6):
    """(n, A): each row a shuffling of 0 ... A - 1."""
    return np.array([rng([seed, i]).permutation(A) for i in range(n)])


NEAR = symmetric(5) + 3 * symmetric(1)

PERMUTATION = Exercise(
    id="15.permutation",
    title="Is that rho much?",
    minutes=15,
    cases=(
        Case("three letters, two shufflings", (symmetric(1, 3), symmetric(2, 3), np.array([[1, 0, 2], [2, 0, 1]]))),
        Case("a matrix with itself", (symmetric(1), symmetric(1), shufflings(1, 12))),
        Case("two that agree", (symmetric(1), NEAR, shufflings(2, 19))),
        Case("two that have nothing to do with each other", (symmetric(3), symmetric(4), shufflings(3, 25))),
        Case("names that are not shuffled", (symmetric(1), NEAR, np.array([[0, 1, 2, 3, 4, 5]] * 3))),
        Case("opposites", (symmetric(1), -symmetric(1), shufflings(4, 15))),
    ),
    habits=("unchanged one", "unchanged other", "unchanged orders"),
    helpers={"np": np, "spearmanr": spearmanr},
    mistakes="""
    - the diagonal counts too: You compare each letter with itself as well, which both matrices do best. Which places
      are below the diagonal?
          len(one), -1) => len(one), 0)
    - rows alone are shuffled: After your shuffling the matrix is no longer symmetric: a row has moved and its column
      has not. Names stand on both sides.
          other[np.ix_(order, order)] => other[order]
    - columns alone are shuffled: After your shuffling the matrix is no longer symmetric: a column has moved and its row
      has not. Names stand on both sides.
          other[np.ix_(order, order)] => other[:, order]
    - the measured order is left out: Your p can be 0, as if chance could never do it. The measured order is one of
      those that chance may draw.
          (1 + (np.array(drawn) >= rho).sum()) / (1 + len(orders)) => (np.array(drawn) >= rho).sum() / len(orders)
       or (1 + (np.array(drawn) >= rho).sum()) / (1 + len(orders)) => (np.array(drawn) >= rho).sum() / (1 + len(orders))
    - the measured order is missing below the line: You count the measured order above the line and not below it, so
      that your p can be above 1. Of how many orders in all is it one?
          (1 + (np.array(drawn) >= rho).sum()) / (1 + len(orders)) => (1 + (np.array(drawn) >= rho).sum()) / len(orders)
    - all places: You compare each pair twice, and each letter with itself as well, which both matrices do best. Which
      places are below the diagonal?
          np.tril_indices(len(one), -1) => tuple(np.indices(one.shape).reshape(2, -1))
    - only those above it: A shuffling that does as well as the measured order does not count in your p. It is as large.
          >= rho => > rho
    - the shufflings below: You count those that do worse, so that p is near 1 where the agreement is good.
          >= rho => <= rho
    - rho is lost: You give p alone. What was asked for first?
          return rho, (1 => return (1
    - Pearson's correlation: You correlate the numbers, not their ranks. What does Spearman compare?
          rho = spearmanr(one[below], other[below]).statistic => rho = np.corrcoef(one[below], other[below])[0, 1]
          spearmanr(one[below], other[np.ix_(order, order)][below]).statistic
          => np.corrcoef(one[below], other[np.ix_(order, order)][below])[0, 1]
    - the p-value of the formula: That p takes the pairs for independent. Each letter is in many of them: what do the
      shufflings say?
          (1 + (np.array(drawn) >= rho).sum()) / (1 + len(orders)) => spearmanr(one[below], other[below]).pvalue
    - two-sided: You count shufflings that are as far from 0 in either direction. Was it asked for?
          np.array(drawn) >= rho => np.abs(drawn) >= abs(rho)
    """,
    hints="""
    - m[np.tril_indices(A, -1)] are the A (A - 1) / 2 entries below the diagonal of m.
    - other[np.ix_(order, order)] is the matrix after rows and columns were given other names.
    - Count the shufflings whose rho is as large as the measured one or larger; add one above the line and below it.
    """,
)

LOG_Q = np.log(rng(6).dirichlet(np.full(4, 0.6), 6))

MUTATION = Exercise(
    id="15.mutation",
    title="A mutation scored",
    minutes=8,
    cases=(
        Case("one mutation", (LOG_Q[:2], np.array([0, 3]), np.array([1]), np.array([2]))),
        Case(
            "two mutations, the later place first", (LOG_Q[:3], np.array([0, 3, 1]), np.array([2, 0]), np.array([0, 1]))
        ),
        Case(
            "a letter that is put where it stands",
            (LOG_Q, np.array([1, 2, 0, 3, 2, 1]), np.array([3, 4]), np.array([3, 0])),
        ),
        Case(
            "as many mutations as places",
            (LOG_Q, np.array([1, 2, 0, 3, 2, 1]), np.array([5, 0, 0, 2, 3, 1]), np.array([0, 1, 3, 2, 1, 0])),
        ),
        Case(
            "two letters tried at one place",
            (LOG_Q[:4], np.array([1, 2, 0, 3]), np.array([1, 1, 3]), np.array([0, 3, 2])),
        ),
    ),
    habits=("unchanged log_q", "unchanged wild", "any order places"),
    helpers={"np": np},
    mistakes="""
    - the wrong way round: A mutation that fits worse has a score above 0 in your answer. Which of the two is taken off?
          log_q[places, mutants] - log_q[places, wild[places]] => log_q[places, wild[places]] - log_q[places, mutants]
    - what stands there is left out: You give the log-probability of the new letter. Compared with what?
          - log_q[places, wild[places]] =>
    - the letters at the start of the sequence: You take the first letters of the sequence, whatever the places are.
      Which letter stands at places[j]?
          wild[places] => wild[: len(places)]
    - places taken for letters: You look up the number of a place as if it were a letter. What stands at that place?
          log_q[places, wild[places]] => log_q[places, places % log_q.shape[1]]
    - mutations counted as places: You take the rows of the first places. At which place is each mutation?
          log_q[places, mutants] - => log_q[np.arange(len(places)), mutants] -
       or log_q[places, mutants] - log_q[places, wild[places]]
          => log_q[np.arange(len(places)), mutants] - log_q[np.arange(len(places)), wild[places]]
       or log_q[places, mutants] - log_q[places, wild[places]]
          => log_q[np.arange(len(places)), mutants] - log_q[np.arange(len(places)), wild[: len(places)]]
    - one place too far to the left: You look one place before each mutation. Does this sequence have a [CLS] in front?
          log_q[places, mutants] - log_q[places, wild[places]]
          => log_q[places - 1, mutants] - log_q[places - 1, wild[places - 1]]
    - one place too far to the right: You look one place after each mutation. Does this sequence have a [CLS] in front?
          log_q[places, mutants] - log_q[places, wild[places]]
          => log_q[(places + 1) % len(wild), mutants] - log_q[(places + 1) % len(wild), wild[(places + 1) % len(wild)]]
    - mutations pile up: Where two mutations are at one place, you compare the second with the first. Each is made in
      the sequence as it was: what stood there?
          instead:
              now, scores = wild.copy(), []
              for place, mutant in zip(places, mutants):
                  scores.append(log_q[place, mutant] - log_q[place, now[place]])
                  now[place] = mutant
              return np.array(scores)
    - every letter at every place: You have a score for each mutation at each place. How do you pair place j with mutant
      j?
          log_q[places, mutants] - log_q[places, wild[places]]
          => log_q[np.ix_(places, mutants)] - log_q[places, wild[places]][:, None]
    - the probabilities themselves: You subtract probabilities. Half of 0.001 is as bad a loss as half of 0.9.
          log_q[places, mutants] - log_q[places, wild[places]]
          => np.exp(log_q[places, mutants]) - np.exp(log_q[places, wild[places]])
    - the ratio, not its logarithm: Your scores are never below 0. The equation has a difference of logarithms.
          log_q[places, mutants] - log_q[places, wild[places]]
          => np.exp(log_q[places, mutants] - log_q[places, wild[places]])
    - divided instead of subtracted: You divide logarithms. A ratio becomes which operation?
          log_q[places, mutants] - log_q[places, wild[places]] => log_q[places, mutants] / log_q[places, wild[places]]
    - bits
          log_q[places, mutants] - log_q[places, wild[places]]
          => (log_q[places, mutants] - log_q[places, wild[places]]) / np.log(2)
    - one score for all mutations: You add the mutations up. Each has a score of its own.
          log_q[places, mutants] - log_q[places, wild[places]]
          => (log_q[places, mutants] - log_q[places, wild[places]]).sum()
    - compared with the likeliest letter: You take off the best letter of each place. What stood there may not be the
      best.
          log_q[places, wild[places]] => log_q[places].max(axis=1)
    """,
    hints="""
    - For one mutation you need two numbers, both from the row of its place. Which columns are they in?
    - log_q[places, mutants] pairs place j with mutant j, and wild[places] are the letters that stand at these places.
    - New less old, both at the same place.
    """,
)

BALANCED = Exercise(
    id="15.balanced",
    title="Brackets that close",
    minutes=10,
    rtol=0.0,
    atol=0.0,
    cases=(
        Case("a call", (["f", "(", "x", ")"],)),
        Case("one inside the other", (["a", "[", "f", "(", "{", "}", ")", "]"],)),
        Case("no bracket at all", (["x", "=", "1"],)),
        Case("no token at all", ([],)),
        Case("closed before it is opened", ([")", "("],)),
        Case("crossed", (["(", "[", ")", "]"],)),
        Case("the wrong kind", (["(", "x", "]"],)),
        Case("one too many at the end", (["(", ")", ")"],)),
        Case("one left open", (["{", "(", ")"],)),
        Case("one left open among equals", (["(", "(", ")"],)),
        Case("two after each other", (["(", ")", "[", "]"],)),
        Case("closed by two of another kind", (["[", "(", "]", ")"],)),
        Case("a curly one closed by a square one", (["{", "]"],)),
        Case("square brackets in turn", (["[", "]", "[", "x", "]"],)),
        Case("square brackets the wrong way round", (["]", "["],)),
        Case("a bracket that is quoted", (["f", "(", "'('", ")"],)),
        Case("a token of two brackets, and an empty one", (["f", "(", "([", "", ")"],)),
    ),
    habits=("unchanged tokens",),
    helpers={},
    mistakes="""
    - brackets are only counted: ")" before "(" passes, because there are as many of either. When is a bracket closed
      too early?
          instead:
              count = tokens.count
              return count("(") == count(")") and count("[") == count("]") and count("{") == count("}")
    - each kind by itself: "( [ ) ]" passes: every kind is in order, but they cross. Which bracket has to be closed
      first?
          instead:
              for opening, closing in ("()", "[]", "{}"):
                  depth = 0
                  for token in tokens:
                      depth += (token == opening) - (token == closing)
                      if depth < 0:
                          return False
                  if depth:
                      return False
              return True
    - the kind does not matter: "( ]" passes. What has to agree with what was opened last?
          opened.pop() != partner[token] => not opened.pop()
    - what is left open passes: "{ ( )" passes. When all tokens are read, what may still be in the list?
          return not opened => return True
    - only what is open at the end is looked at: You pass over a bracket that closes nothing, or the wrong one. What is
      to be said at once where a bracket does not fit?
          (not opened or opened.pop() != partner[token]) => opened and opened.pop() != partner[token]
    - round ones only: Square and curly brackets are passed over. How many kinds are there?
          {")": "(", "]": "[", "}": "{"} => {")": "("}
    - curly ones are forgotten: Right without curly brackets. How many kinds are there?
          {")": "(", "]": "[", "}": "{"} => {")": "(", "]": "["}
    - what was opened first is closed first: You compare with the bracket that was opened first. Which one has to be
      closed before all others?
          opened.pop() => opened.pop(0)
    - the bracket stays open: A bracket that is closed stays in your list, and can be closed again. What takes it off?
          opened.pop() != partner[token] => opened[-1] != partner[token]
    - characters, not tokens: You read the characters of all tokens. A bracket that is quoted is a part of another
      token: is it to be counted?
          for token in tokens => for token in "".join(tokens)
    - a part of a string: For Python, "([" and even the empty token are in "([{", as parts of it. Which tokens are
      brackets?
          token in partner.values() => token in "([{"
    - an empty list is read (raises): A bracket that closes nothing raises an error. What is to be looked at first?
          (not opened or opened.pop() != partner[token]) => opened.pop() != partner[token]
    - True and False are swapped: You say whether something is wrong with the brackets.
          return False => return True
          return not opened => return bool(opened)
    - the list of those left open: Your answer is a list. Is it empty?
          return not opened => return opened
    """,
    hints="""
    - Three counters are not enough: "( [ ) ]" is wrong, and every kind has as many of either.
    - Put every opening bracket on a list. A closing one must find its partner at the list's end, and takes it off.
    - Wrong are: a list that is empty when a bracket closes, another kind at its end, and a list that is not empty when
      all is read.
    """,
)


def checked_tuple(begun):
    """Raises TypeError where the letters begun are no tuple, as a function that looks them up in a dict would."""
    if not isinstance(begun, tuple):
        raise TypeError(f"next_log_p takes the letters so far as a tuple, not as {type(begun).__name__}")


def chain(table, first):
    """A next-letter function: the next letter hangs on the one before. table: (C, C), first: (C,), probabilities."""

    def next_log_p(begun):
        checked_tuple(begun)
        return np.log(table[begun[-1]] if begun else first)

    return next_log_p


def counted(seed, C):
    """A next-letter function that depends on all letters so far."""

    def next_log_p(begun):
        checked_tuple(begun)
        return np.log(rng([seed, len(begun), *begun]).dirichlet(np.full(C, 0.5)))

    return next_log_p


TRAP = chain(
    np.array([[0.5, 0.3, 0.2], [0.02, 0.97, 0.01], [1 / 3, 0.31, 1 - 1 / 3 - 0.31]]), np.array([0.55, 0.35, 0.1])
)

BEAM = Exercise(
    id="15.beam",
    title="A beam of beginnings",
    minutes=15,
    cases=(
        Case("one letter, a beam of two", (chain(np.eye(3) * 0.4 + 0.2, np.array([0.2, 0.5, 0.3])), 1, 2)),
        Case("the likeliest first letter leads astray", (TRAP, 2, 2)),
        Case("a beam of one", (TRAP, 3, 1)),
        Case("more room than there are texts", (TRAP, 2, 20)),
        Case("four letters", (counted(1, 4), 4, 3)),
        Case("five letters, a beam of six", (counted(2, 3), 5, 6)),
    ),
    answers_in=("mlm_mini.experiments.beyond.lacunae:beam_search",),
    helpers={"np": np},
    mistakes="""
    - only the best beginning goes on: You keep one text, so that a better one with a worse beginning is never found.
      How many are kept after each letter?
          [:beam] => [:1]
    - the worst are kept: Your list begins with the least likely text. In which order should it be sorted?
          key=lambda pair: -pair[1] => key=lambda pair: pair[1]
    - not sorted: You keep the first texts you come to. Which ones are to be kept?
          sorted(longer, key=lambda pair: -pair[1])[:beam] => longer[:beam]
    - only the last letter counts: The scores of your texts are those of their last letters. What is the logarithm of a
      product?
          total + log_p => log_p
    - the first letters count: The scores of your texts stay at 0. What does each letter add?
          total + log_p => total
    - probabilities are added: You add probabilities, which are multiplied in a chain. What is added in a product?
          total + log_p => total + np.exp(log_p)
    - logarithms are multiplied: A product of two logarithms is above 0. What is the logarithm of a product?
          total + log_p => total * log_p if begun else log_p
    - nothing is cut before the end: You keep everything until the last letter, so that ten letters would take longer
      than anyone has. When is the list cut?
          kept = sorted(longer, key=lambda pair: -pair[1])[:beam] => kept = sorted(longer, key=lambda pair: -pair[1])
          return np.array([begun for begun, _ in kept]), np.array([total for _, total in kept])
          => kept = kept[:beam]; return np.array([begun for begun, _ in kept]), np.array([total for _, total in kept])
    - nothing is cut at all: You keep every text. How many are to be left?
          sorted(longer, key=lambda pair: -pair[1])[:beam] => sorted(longer, key=lambda pair: -pair[1])
    - the letters stand in reverse: Your texts run from right to left. At which end is a letter added?
          (*begun, i) => (i, *begun)
    - every letter is asked for at the start: You ask for the next letter after nothing at all, each time: that is one
      pass. After which letters is it to be asked for?
          next_log_p(begun) => next_log_p(())
    - a list where a tuple is asked for (raises): You hand over the letters so far as a list. What does the docstring
      say that next_log_p takes?
          next_log_p(begun) => next_log_p(list(begun))
    - the last list is not cut: You give every continuation of the last beginnings. How many texts are to be left?
          for _ in range(k) => for at in range(k)
          [:beam] => [: beam if at < k - 1 else None]
    - one beginning goes on and many end: Only the best beginning goes on, and you keep several texts at the end alone.
      How many are kept after each letter?
          for _ in range(k) => for at in range(k)
          [:beam] => [: beam if at == k - 1 else 1]
    - the best text comes last: Your list ends with the best text. Which one is to be first?
          in kept]), np.array([total for _, total in kept])
          => in kept[::-1]]), np.array([total for _, total in kept[::-1]])
    - the best text alone: You give one text. How many does the docstring ask for?
          return np.array([begun for begun, _ in kept]), np.array([total for _, total in kept])
          => return np.array(kept[0][0]), np.array(kept[0][1])
    - one letter too many: Your texts have k + 1 letters.
          range(k) => range(k + 1)
    - one letter too few: Your texts have k - 1 letters.
          range(k) => range(k - 1)
    - probabilities, not their logarithms: You give probabilities. What was asked for?
          np.array([total for _, total in kept]) => np.exp([total for _, total in kept])
    - each beginning keeps its best: You keep the best letter of every beginning. All beginnings compete for the same
      places.
          instead:
              kept = [((), 0.0)]
              for _ in range(k):
                  longer = [[((*b, i), t + p) for i, p in enumerate(next_log_p(b))] for b, t in kept]
                  if len(longer) > 1:
                      longer = [[max(of, key=lambda pair: pair[1])] for of in longer]
                  kept = sorted(sum(longer, []), key=lambda pair: -pair[1])[:beam]
              return np.array([begun for begun, _ in kept]), np.array([total for _, total in kept])
    """,
    hints="""
    - Begin with [((), 0.0)]. For each of k letters, make every text of the list longer by every possible letter.
    - The score of a longer text is that of its beginning plus the log-probability of the new letter.
    - Sort by score, the highest first, and keep `beam` of them, after every letter.
    """,
)

EXERCISES = (LETTERS, HELD_OUT, TOP_K, TWO_SIDED, LOG_ODDS, PERMUTATION, MUTATION, BALANCED, BEAM)
