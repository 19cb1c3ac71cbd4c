"""Chapter 12: the company a word keeps. Counts, information, vectors, and whether neighbors are of a kind.

Shapes: B sentences, T positions, V words, C words as company, D dimensions, k neighbors, R random orders.
"""

import numpy as np

from mlm_mini import reference as ref
from mlm_mini.course.compare import type_name
from mlm_mini.course.exercise import Case, Exercise, WrongAnswer

rng = np.random.default_rng
COMPANY = "mlm_mini.experiments.company"


def sentences(seed, B, T, V, special=(0,)):
    """Ids (B, T) with special tokens at the ends and, now and then, in the middle."""
    ids = rng(seed).integers(0, V, (B, T))
    ids[:, 0] = special[0]
    ids[:, -1] = special[-1]
    return ids


COOCCURRENCE = Exercise(
    id="12.cooccurrence",
    title="Who stands near whom",
    answers_in=(f"{COMPANY}.counts:cooccurrence",),
    minutes=15,
    cases=(
        Case("one sentence of three words, window 1", (np.array([[1, 2, 3]]), np.array([0]), 4, 1)),
        Case("a word twice in a row", (np.array([[0, 2, 2, 1, 0]]), np.array([0]), 3, 2)),
        Case("two sentences", (np.array([[0, 1, 2], [2, 3, 0]]), np.array([0]), 4, 2)),
        Case("a special token between two words", (np.array([[0, 1, 4, 2, 0]]), np.array([4, 0]), 5, 2)),
        Case("a window longer than the sentence", (np.array([[3, 1, 2]]), np.array([0]), 5, 5)),
        Case("twelve sentences, window 3", (sentences(1, 12, 9, 7, (5, 2)), np.array([5, 2]), 7, 3)),
    ),
    habits=("unchanged ids", "unchanged special_ids", "scattered ids special_ids"),
    mistakes="""
    - pairs that repeat are counted once: A pair that comes again adds nothing. With += NumPy keeps the last only: which
      function adds up where an index repeats?
          np.add.at(counts, (ids[:, :-distance][both], ids[:, distance:][both]), 1)
          => counts[ids[:, :-distance][both], ids[:, distance:][both]] += 1
       or np.add.at(counts, (ids[:, :-distance][both], ids[:, distance:][both]), 1)
          => counts[ids[:, :-distance][both], ids[:, distance:][both]] = 1
    - one side only: Your table is not symmetric: the word before has the word behind as company, but not the other way.
          counts + counts.T => counts
       or counts + counts.T => counts.T
    - equal words count once: A word next to itself is company from either of its ends.
          counts + counts.T => counts + counts.T - np.diag(np.diag(counts))
    - equal words are left out: Your diagonal is empty. Two places with the same word are a pair like any other.
          counts + counts.T => (counts + counts.T) * (1 - np.eye(V, dtype=np.int64))
    - once for each sentence: A pair that is met twice in a sentence counts twice. You count the sentences it is met in.
          instead:
              counts, word = np.zeros((V, V), dtype=np.int64), ~np.isin(ids, special_ids)
              for row, kept in zip(ids, word):
                  met = np.zeros((V, V), dtype=np.int64)
                  for i in range(len(row)):
                      for j in range(max(0, i - window), min(len(row), i + window + 1)):
                          if i != j and kept[i] and kept[j]:
                              met[row[i], row[j]] = 1
                  counts += met
              return counts
    - the window ends one place early: The farthest words of the window are missing. Where does a range end?
          range(1, window + 1) => range(1, window)
    - the window goes one place too far: You count at window + 1 places too.
          range(1, window + 1) => range(1, window + 2)
    - only at the edge of the window: You look at one distance alone. What of the words in between?
          range(1, window + 1) => range(window, window + 1)
    - a word is its own company: On the diagonal stands how often a word occurs. At which distance does company begin?
          counts + counts.T => counts + counts.T + np.diag(np.bincount(ids[word], minlength=V))
    - across the end of a sentence: The last word of a sentence and the first of the next are no company. What becomes
      of the rows when you flatten them?
          counts = np.zeros((V, V), dtype=np.int64)
          => counts = np.zeros((V, V), dtype=np.int64); ids = ids.reshape(1, -1)
    - special tokens keep company: Rows or columns of special tokens are not empty. Who must be a word, one or both?
          word = ~np.isin(ids, special_ids) => word = np.ones(ids.shape, dtype=bool)
       or word[:, :-distance] & word[:, distance:] => word[:, :-distance]
       or word[:, :-distance] & word[:, distance:] => word[:, :-distance] | word[:, distance:]
       or word = ~np.isin(ids, special_ids) => word = np.ones(ids.shape, dtype=bool)
          return counts + counts.T => counts = counts + counts.T; counts[special_ids] = 0; return counts
       or word = ~np.isin(ids, special_ids) => word = np.ones(ids.shape, dtype=bool)
          return counts + counts.T => counts = counts + counts.T; counts[:, special_ids] = 0; return counts
    - a special token ends the window: Words on both sides of a special token are company too, if they are near enough.
      It is nobody's company, but one may look past it.
          instead:
              counts, word = np.zeros((V, V), dtype=np.int64), ~np.isin(ids, special_ids)
              for row, kept in zip(ids, word):
                  for i in range(len(row)):
                      for j in range(i + 1, min(len(row), i + window + 1)):
                          if not kept[i] or not kept[j]:
                              break
                          counts[row[i], row[j]] += 1
              return counts + counts.T
    - the end joined to the beginning: The last word of a sentence has company at its beginning. What becomes of places
      before the first?
          instead:
              counts, word = np.zeros((V, V), dtype=np.int64), ~np.isin(ids, special_ids)
              for distance in range(1, window + 1):
                  both = word & np.roll(word, distance, axis=1)
                  np.add.at(counts, (ids[both], np.roll(ids, distance, axis=1)[both]), 1)
              return counts + counts.T
       or instead:
              counts, word = np.zeros((V, V), dtype=np.int64), ~np.isin(ids, special_ids)
              for row, kept in zip(ids, word):
                  for i in range(len(row)):
                      for j in range(i - window, min(len(row), i + window + 1)):
                          if i != j and kept[i] and kept[j]:
                              counts[row[i], row[j]] += 1
              return counts
       or instead:
              counts, word = np.zeros((V, V), dtype=np.int64), ~np.isin(ids, special_ids)
              for row, kept in zip(ids, word):
                  for i in range(len(row)):
                      for j in range(max(-len(row), i - window), min(len(row), i + window + 1)):
                          if i != j and kept[i] and kept[j]:
                              counts[row[i], row[j]] += 1
              return counts
    - special tokens give up their places: Words on both sides of a special token have come nearer to each other. It is
      nobody's company, but it keeps its place.
          instead:
              counts = np.zeros((V, V), dtype=np.int64)
              for row in ids:
                  row = row[~np.isin(row, special_ids)]
                  for i in range(len(row)):
                      for j in range(max(0, i - window), min(len(row), i + window + 1)):
                          if i != j:
                              counts[row[i], row[j]] += 1
              return counts
    - special ids taken for the first ones: Right where the special tokens come first. An id says nothing by its size.
          ~np.isin(ids, special_ids) => ids >= len(special_ids)
    - shares, not counts: Whole numbers are asked for. Shares come later.
          return counts + counts.T => return (counts + counts.T) / max((counts + counts.T).sum(), 1)
    """,
    hints="""
    - Go through the distances, from 1 to the window. For each, all pairs are two slices of ids: without the last
      columns, and without the first.
    - Both of a pair must be words. np.add.at(counts, (rows, columns), 1) counts every pair, those that repeat too.
    - You have counted each pair from the left word's side. The transposed table holds it from the other side.
    """,
)

COUNTS = np.array([[0, 4, 1], [4, 2, 0], [1, 0, 0]])


def company_counts(seed, V, C, mean=2.0):
    """Counts (V, C) of words of very different frequency, many of them 0."""
    rates = np.outer(rng(seed).dirichlet(np.full(V, 0.6)), rng(seed + 1).dirichlet(np.full(C, 0.6)))
    return rng(seed + 2).poisson(mean * V * C * rates)


GAPS = np.array([[3, 0, 1, 2], [0, 0, 0, 0], [5, 0, 0, 1]])

CONTEXT_DISTRIBUTION = Exercise(
    id="12.context-distribution",
    title="Rare company, made less rare",
    answers_in=(f"{COMPANY}.ppmi:context_distribution",),
    minutes=8,
    cases=(
        Case("three words, as they are", (COUNTS, 1.0)),
        Case("three words, square roots", (COUNTS, 0.5)),
        Case("three words around two", (np.array([[9, 1, 0], [16, 3, 1]]), 0.75)),
        Case("a word that was never met, all others alike", (GAPS, 0)),
        Case("a word that was never met, alpha 0.75", (GAPS, 0.75)),
        Case("many words", (company_counts(1, 9, 14), 0.75)),
    ),
    habits=("unchanged counts",),
    mistakes="""
    - summed along the wrong axis: You add up each word's company. How often was each word met *as* company?
          counts.sum(axis=0) => counts.sum(axis=1)
    - every count is smoothed: First all meetings are added up, then the sum is raised to a power. The other order is
      not the same.
          met = counts.sum(axis=0) => met = counts
          smooth = np.where(met > 0, met ** float(smoothing), 0.0)
          => smooth = np.where(met > 0, met ** float(smoothing), 0.0).sum(axis=0)
       or met = counts.sum(axis=0) => met = counts
          smooth = np.where(met > 0, met ** float(smoothing), 0.0) => smooth = (met ** float(smoothing)).sum(axis=0)
    - shares of each word's company, added up: Every word has the same say in your sum, however often it was met itself.
      What is to be added up, counts or shares?
          counts.sum(axis=0) => (counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)).sum(axis=0)
    - a word never met counts one: 0 to the power 0 is 1 for NumPy, so that with alpha 0 a word that was never met gets
      a share. What does the docstring ask for?
          np.where(met > 0, met ** float(smoothing), 0.0) => met ** float(smoothing)
    - nothing is smoothed: alpha makes no difference.
          met ** float(smoothing) => met
    - divided by the sum before the power: Your shares do not sum to one: by which sum must smoothed counts be divided?
          smooth / smooth.sum() => smooth / met.sum()
    - not yet shares: Your numbers do not sum to one. By what must they be divided?
          smooth / smooth.sum() => smooth
    - the power comes last: You raise shares to a power, after which they no longer sum to one.
          smooth / smooth.sum() => np.where(met > 0, (met / met.sum()) ** float(smoothing), 0.0)
       or smooth / smooth.sum() => (met / met.sum()) ** float(smoothing)
    - the power is one less alpha: With alpha 1 nothing should change, and with alpha 0 all words that were met should
      be alike. Yours are the other way round.
          met ** float(smoothing) => met ** (1 - float(smoothing))
       or np.where(met > 0, met ** float(smoothing), 0.0) => met ** (1 - float(smoothing))
    - multiplied, not raised to a power: alpha is an exponent. A factor is the same for all words and drops out.
          met ** float(smoothing) => met * float(smoothing)
    - added, not raised to a power: alpha is an exponent. What is added to every word is another kind of smoothing.
          met ** float(smoothing) => met + float(smoothing)
       or np.where(met > 0, met ** float(smoothing), 0.0) => met + float(smoothing)
    - one is added to every count: That is another kind of smoothing, Laplace's, which gives a share to words that were
      never met.
          counts.sum(axis=0) => (counts + 1).sum(axis=0)
       or counts.sum(axis=0) => counts.sum(axis=0) + 1
    """,
    hints="""
    - How often was each of the C words met, whoever it was met by? That is one sum.
    - Raise these sums to the power alpha, then divide by what they sum to.
    - 0 ** 0 is 1 in NumPy. Where a word was never met, put 0 yourself; np.where does it.
    """,
)


def smoothed(counts, alpha=0.75):
    """A context distribution (C,) for counts (V, C)."""
    met = counts.sum(axis=0)
    smooth = np.where(met > 0, met**alpha, 0.0)
    return smooth / smooth.sum()


RARE = np.array([[0, 1, 0], [2, 0, 0], [1, 0, 96]])

PPMI = Exercise(
    id="12.ppmi",
    title="More than by chance",
    answers_in=(f"{COMPANY}.ppmi:ppmi",),
    minutes=15,
    cases=(
        Case("two words that only meet each other", (np.array([[0, 5], [5, 0]]), np.array([0.5, 0.5]), 1)),
        Case("three words", (COUNTS, smoothed(COUNTS, 1.0), 1)),
        Case("an empty row and an empty column", (GAPS, smoothed(GAPS), 1)),
        Case("twice as often as by chance, or nothing", (COUNTS, smoothed(COUNTS), 2)),
        Case("rare words that meet each other", (RARE, smoothed(RARE, 1.0), 1.5)),
        Case("more company than words", (company_counts(2, 6, 15, 4.0), smoothed(company_counts(2, 6, 15, 4.0)), 1.5)),
    ),
    habits=("unchanged counts", "unchanged context"),
    mistakes="""
    - negative information is kept: A pair met less often than by chance has a number below 0. What does the first P of
      PPMI ask for?
          np.log(np.maximum(times / shift, 1))
          => np.where(times > 0, np.log(np.where(times > 0, times, 1) / shift), 0)
    - the absolute value: A pair met less often than by chance is not the same as one met more often.
          np.log(np.maximum(times / shift, 1))
          => np.where(times > 0, np.abs(np.log(np.where(times > 0, times, 1) / shift)), 0)
    - not cut at 0 but at the shift: First the log of k is taken off, then what is below 0 becomes 0. You do it in the
      other order.
          np.log(np.maximum(times / shift, 1)) => np.log(np.maximum(times, 1)) - np.log(shift)
       or np.log(np.maximum(times / shift, 1)) => np.where(times > 1, np.log(np.maximum(times, 1)) - np.log(shift), 0)
    - the shift is ignored: Right for a shift of 1. How often as by chance must a pair be met?
          times / shift => times
    - the shift itself is taken off: It is the *logarithm* of k that is subtracted, or the quotient is divided by k.
          np.log(np.maximum(times / shift, 1)) => np.maximum(np.log(np.maximum(times, 1)) - shift + 1, 0)
       or times / shift => times - shift + 1
       or np.log(np.maximum(times / shift, 1)) => np.maximum(np.log(np.maximum(times, 1)) - shift, 0)
    - the shift is added: With a larger k your numbers grow: it should be harder to be above chance.
          times / shift => times * shift
    - bits
          np.log( => np.log2(
    - no logarithm: You say how many times as often as by chance a pair was met. The logarithm of that is the
      information.
          np.log(np.maximum(times / shift, 1)) => np.maximum(times / shift, 1) - 1
       or np.log(np.maximum(times / shift, 1)) => np.maximum(times - shift, 0)
    - chance is not a product of two shares: Nearly all of your numbers are 0: what you divide by is too large. By
      chance a pair comes as often as two shares say together: which two?
          joint.sum(axis=1, keepdims=True) => counts.sum(axis=1, keepdims=True)
       or joint.sum(axis=1, keepdims=True) * context => np.ones((len(counts), 1)) * context
       or joint.sum(axis=1, keepdims=True) * context => joint.sum(axis=1, keepdims=True) * np.ones(len(context))
    - the share of company in place of the word's: You add up along the wrong axis. The company's share was handed to
      you; whose share is missing, and does it lie along rows or columns?
          joint.sum(axis=1, keepdims=True) => joint.sum(axis=0, keepdims=True)
       or joint.sum(axis=1, keepdims=True) => joint.sum(axis=1)
       or joint.sum(axis=1, keepdims=True) => joint.sum(axis=0)[: len(counts), None]
    - the word's share is divided out twice: The share of a pair among the pairs of its word has the word's share
      divided out already. By what is it still to be divided?
          instead:
              of_word = counts.sum(axis=1, keepdims=True)
              chance = of_word / counts.sum() * context
              row_shares = counts / np.maximum(of_word, 1)
              times = np.divide(row_shares, chance, out=np.zeros(counts.shape), where=row_shares > 0)
              return np.log(np.maximum(times / shift, 1))
    - the company's frequency without smoothing: You work out how often company is met, but it was handed to you,
      smoothed.
          keepdims=True) * context => keepdims=True) * joint.sum(axis=0)
    - each weighted by how often it comes: You multiply by the share of the pair. The sum of that would be the mutual
      information of both words; *pointwise* is without the weight.
          np.log(np.maximum(times / shift, 1)) => joint * np.log(np.maximum(times / shift, 1))
    - a small number added inside the logarithm: Nothing is infinite any more, but every number is a little off, and
      pairs of rare words by much. Which pairs need help?
          np.divide(joint, chance, out=np.zeros(joint.shape), where=joint > 0) => (joint + 1e-4) / (chance + 1e-4)
       or np.divide(joint, chance, out=np.zeros(joint.shape), where=joint > 0) => (joint + 1e-8) / (chance + 1e-8)
       or np.divide(joint, chance, out=np.zeros(joint.shape), where=joint > 0) => (joint + 1e-9) / (chance + 1e-9)
    - NaN where nothing was counted: 0 / 0 is NaN, where the answer is to be 0. Divide only where something was counted.
          np.divide(joint, chance, out=np.zeros(joint.shape), where=joint > 0)
          => joint / np.where(chance > 0, chance, np.nan)
    """,
    hints="""
    - joint = counts / counts.sum(). A word's share is the sum of its row, kept as a column; times context, that is what
      chance would give.
    - np.divide(a, b, out=zeros, where=condition) divides where the condition holds and leaves 0 elsewhere.
    - log x - log k, cut at 0, is the log of the larger of x / k and 1: so no log of 0 is ever taken.
    """,
)

ROWS = np.array([[3.0, 1.0, 0.0], [1.0, -2.0, 0.5], [0.0, 0.0, 0.0], [-4.0, 2.0, 1.0], [0.5, 2.5, -1.0]])


def vectors(seed, V, D, shift=0.0):
    """V random rows of uneven lengths, around a mean that need not be 0."""
    return rng(seed).lognormal(0, 1, (V, 1)) * (rng(seed + 1).normal(size=(V, D)) + shift)


AXES = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])

NEIGHBORS = Exercise(
    id="12.neighbors",
    title="The nearest rows",
    answers_in=(f"{COMPANY}.geometry:nearest", f"{COMPANY}.geometry:nearest_by"),
    minutes=12,
    cases=(
        Case("three rows, the nearest one", (np.array([[1.0, 0.0], [5.0, 1.0], [0.0, 2.0]]), 1)),
        Case("a long row in between", (np.array([[1.0, 0.0], [8.0, 9.0], [2.0, 1.0], [0.0, 0.5]]), 2)),
        Case("a row of zeros, and rows that look away", (ROWS, 4)),
        Case("two rows of zeros", (np.array([[0.0, 0.0], [1.0, 2.0], [0.0, 0.0], [-1.0, 1.0]]), 3)),
        Case("opposite and crossing rows", (AXES, 3)),
        Case("thirty rows", (vectors(3, 30, 6, 0.5), 5)),
        Case("forty rows in four directions", (AXES[rng(4).integers(0, 4, 40)] * rng(5).integers(1, 9, (40, 1)), 6)),
    ),
    habits=("unchanged vectors",),
    mistakes="""
    - each is its own nearest: The first neighbor of every row is the row itself, or it takes the place of another.
          np.fill_diagonal(cosines, -np.inf) => pass
    - the row itself does not always lose: Where all others are as far, or further, a row names itself. Which cosine do
      you give it with itself, and can another's be lower?
          np.fill_diagonal(cosines, -np.inf) => np.fill_diagonal(cosines, 0)
       or np.fill_diagonal(cosines, -np.inf) => np.fill_diagonal(cosines, -1)
    - of equals not the first: Your neighbors are right but for rows that are equally near, of which the one with the
      lower index is to come first. What does your sort do with equals?
          np.argsort(-cosines, axis=1, kind="stable")[:, :k] => np.argsort(-cosines, axis=1)[:, :k]
       or np.argsort(-cosines, axis=1, kind="stable")[:, :k] => np.argsort(cosines, axis=1)[:, ::-1][:, :k]
       or np.argsort(-cosines, axis=1, kind="stable")[:, :k]
          => np.argsort(cosines, axis=1, kind="stable")[:, ::-1][:, :k]
    - a small number added to every length: Rows in the same direction are equally near however long they are, and yours
      are not quite: short ones seem a little further off. Which rows need help?
          np.where(lengths > 0, lengths, 1) => (lengths + 1e-9)
    - centered first: You take off the mean before you bring rows to length 1. That comes in section 6; here the rows
      are taken as they are.
          lengths = np.linalg.norm(vectors,
          => vectors = vectors - vectors.mean(axis=0); lengths = np.linalg.norm(vectors,
    - itself is taken out by position: You drop the first of each list, taking it for the row itself. A row of zeros has
      cosine 0 with itself, and is not the first of its list.
          np.fill_diagonal(cosines, -np.inf) => pass
          [:, :k] => [:, 1 : k + 1]
    - the farthest ones: Your neighbors are the rows that look the other way. In which order does argsort sort?
          np.argsort(-cosines => np.argsort(np.where(np.isinf(cosines), np.inf, cosines)
    - the nearest comes last: Your k neighbors are right, in the wrong order.
          [:, :k] => [:, :k][:, ::-1]
       or np.argsort(-cosines, axis=1, kind="stable")[:, :k] => np.argsort(cosines, axis=1, kind="stable")[:, -k:]
    - lengths are not divided out: Long rows are everybody's neighbors. A cosine asks for directions.
          directions = vectors / np.where(lengths > 0, lengths, 1) => directions = vectors
       or directions @ directions.T => directions @ vectors.T
    - columns brought to length 1: You divide by the lengths of columns: along which axis does a row lie?
          axis=1, keepdims=True => axis=0, keepdims=True
    - another number is taken for the length: Length is the root of the sum of squares.
          np.linalg.norm(vectors, axis=1, keepdims=True) => np.abs(vectors).max(axis=1, keepdims=True)
       or np.linalg.norm(vectors, axis=1, keepdims=True) => np.abs(vectors).sum(axis=1, keepdims=True)
       or np.linalg.norm(vectors, axis=1, keepdims=True) => (vectors**2).sum(axis=1, keepdims=True)
    - by distance, not by direction: You take the rows at the shortest distance: a longer row in the same direction
      should be near.
          np.fill_diagonal(cosines, -np.inf)
          => cosines = -np.linalg.norm(vectors[:, None] - vectors, axis=2); np.fill_diagonal(cosines, -np.inf)
    - a row of zeros becomes NaN: A row of zeros has no direction, and 0 / 0 spoils its whole row and column. Which
      cosine does the docstring give it?
          np.where(lengths > 0, lengths, 1) => np.where(lengths > 0, lengths, np.nan)
    - the sign is lost: A row that looks the other way has cosine -1, which is far.
          cosines = directions @ directions.T => cosines = np.abs(directions @ directions.T)
    - sorted along the columns: Each row of your answer is not about one word. Along which axis do you sort?
          np.argsort(-cosines, axis=1, kind="stable")[:, :k] => np.argsort(-cosines, axis=0, kind="stable")[:, :k]
    - cosines, not places: Which rows are they? The places are asked for, not how near they are.
          np.argsort(-cosines, axis=1, kind="stable")[:, :k] => -np.sort(-cosines, axis=1)[:, :k]
    """,
    hints="""
    - Divide each row by its length, where it has one. The product of the result with its transpose holds all cosines.
    - No row may find itself: give the diagonal a value that always loses.
    - argsort sorts from small to large: sort the negated cosines along each row, with kind="stable", and keep k
      columns.
    """,
)


def inner_products(function, matrix, d, power):
    """What any choice of signs leaves the same."""
    answer = function(matrix, d, power)
    if type(answer) is not np.ndarray or answer.ndim != 2:
        raise WrongAnswer(f"Your answer is a {type_name(answer)}; expected an array of shape ({len(matrix)}, {d}).")
    return {
        "shape of your answer": list(answer.shape),
        "length of each column": np.linalg.norm(answer, axis=0),
        "inner products of your rows": answer @ answer.T,
    }


SVD_VECTORS = Exercise(
    id="12.svd-vectors",
    title="Short vectors",
    answers_in=(f"{COMPANY}.ppmi:svd_vectors",),
    minutes=10,
    rtol=1e-6,
    atol=1e-8,
    observe=inner_products,
    cases=(
        Case("a diagonal matrix, one dimension", (np.diag([3.0, 4.0]), 1, 1.0)),
        Case("four words, two dimensions, power 1", (vectors(5, 4, 3), 2, 1.0)),
        Case("power 0", (vectors(6, 5, 4), 2, 0)),
        Case("power one half, more company than words", (vectors(7, 4, 9, 0.3), 3, 0.5)),
        Case("all dimensions", (vectors(8, 6, 3), 3, 0.5)),
    ),
    habits=("unchanged matrix",),
    mistakes="""
    - the vectors of the company: Your answer has a row for each column of the matrix. Which factor belongs to its rows?
          U[:, :d] * s[:d] ** power => Vt[:d].T * s[:d] ** power
    - rows of U in place of columns: You keep the first rows, that is words. Dimensions lie along the other axis.
          U[:, :d] * s[:d] ** power => (U[:d] * s**power)
    - the last dimensions: You keep the directions in which rows differ least. In which order do singular values come?
          U[:, :d] * s[:d] ** power => U[:, -d:] * s[-d:] ** power
    - the power is ignored: The exponent makes no difference: how long is each column to be?
          s[:d] ** power => s[:d]
    - the singular values are missing: Your columns all have length 1, which is right for a power of 0 only. How long is
      each column to be?
          U[:, :d] * s[:d] ** power => U[:, :d]
    - the square root whatever is asked: Right for a power of one half only.
          s[:d] ** power => np.sqrt(s[:d])
    - the power of everything: U times s is raised to the power. The exponent belongs to the singular values alone.
          U[:, :d] * s[:d] ** power => np.abs(U[:, :d] * s[:d]) ** power * np.sign(U[:, :d])
    - the exponent twice: Your columns are too long, or too short: does s hold singular values or their squares?
          s[:d] ** power => s[:d] ** (2 * power)
       or s[:d] ** power => s[:d] ** (power / 2)
    - multiplied by the exponent: An exponent is no factor.
          s[:d] ** power => s[:d] * power
    - all dimensions are kept: d makes no difference.
          U[:, :d] * s[:d] ** power => U * s**power
    - one dimension too few or too many: Count your columns.
          U[:, :d] * s[:d] ** power => U[:, : d + 1] * s[: d + 1] ** power
       or U[:, :d] * s[:d] ** power => U[:, : d - 1] * s[: d - 1] ** power
    - centered first: The means of the columns were taken off. That is principal component analysis, and another matrix.
          np.linalg.svd(matrix, => np.linalg.svd(matrix - matrix.mean(axis=0),
    - the matrix approximated: Those are rows as long as before. The short vectors are asked for.
          U[:, :d] * s[:d] ** power => (U[:, :d] * s[:d] ** power) @ Vt[:d]
    """,
    hints="""
    - np.linalg.svd gives three things. The columns of the first belong to the singular values, largest first.
    - Keep the first d columns, and the first d singular values.
    - Each column is multiplied by its singular value to the power: a row of d numbers multiplies the columns.
    """,
)

HALVES = np.array([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [1.0, 0.0, 0.0], [0.2, 0.3, 0.5]])


def spread(seed, *shape):
    """Distributions (..., C) with zeros in them."""
    p = rng(seed).dirichlet(np.full(shape[-1], 0.4), shape[:-1])
    p[p < 0.05] = 0
    return p / p.sum(axis=-1, keepdims=True)


def positive(p):
    """p with 1 in place of 0, so that its logarithm is finite."""
    return np.where(p > 0, p, 1.0)


def guarded(p, q):
    """KL(p, q) of rows (..., C) by one who takes every log of 0 for 0."""
    return np.where(p > 0, p * (np.log(positive(p)) - np.log(positive(q))), 0.0).sum(axis=-1)


def two_halves(p, q):
    """JS of rows (..., C) as the mean of two KL."""
    return (guarded(p, (p + q) / 2) + guarded(q, (p + q) / 2)) / 2


DIVERGENCE = Exercise(
    id="12.divergence",
    title="How far apart two companies are",
    answers_in=(f"{COMPANY}.contexts:jensen_shannon", f"{COMPANY}.contexts:pairwise_divergence"),
    minutes=12,
    atol=1e-9,
    cases=(
        Case("two that share nothing", (np.array([1.0, 0.0]), np.array([0.0, 1.0]))),
        Case("two that share a half", (HALVES[0], HALVES[1])),
        Case("the same twice", (HALVES[3], HALVES[3].copy())),
        Case("two without zeros", (HALVES[3], np.array([0.6, 0.3, 0.1]))),
        Case("four pairs", (HALVES, HALVES[[2, 3, 1, 0]])),
        Case("two tables of pairs", (spread(1, 2, 3, 6), spread(2, 2, 3, 6))),
    ),
    habits=("unchanged p", "unchanged q", "leading p 1", "leading q 1"),
    mistakes="""
    - bits
          return ref.entropy(middle) - (ref.entropy(p) + ref.entropy(q)) / 2
          => return (ref.entropy(middle) - (ref.entropy(p) + ref.entropy(q)) / 2) / np.log(2)
    - the sum of both, not their mean: Two that share nothing are ln 2 apart, and yours are further. Each KL counts
      half.
          return ref.entropy(middle) - (ref.entropy(p) + ref.entropy(q)) / 2
          => return 2 * ref.entropy(middle) - ref.entropy(p) - ref.entropy(q)
    - the entropies are not halved: Equal distributions should be 0 apart. How much does each entropy count?
          (ref.entropy(p) + ref.entropy(q)) / 2 => (ref.entropy(p) + ref.entropy(q))
    - a bracket is missing
          (ref.entropy(p) + ref.entropy(q)) / 2 => ref.entropy(p) + ref.entropy(q) / 2
    - only one of the two against the middle: Not symmetric. What does q pay, if it expects the middle?
          instead:
              return ref.kl_divergence(p, (p + q) / 2)
       or instead:
              return ref.kl_divergence(q, (p + q) / 2)
    - the middle against each: The KL is turned round: who is true and who is expected? The first argument is what is
      true.
          instead:
              m = (p + q) / 2
              with np.errstate(divide="ignore", invalid="ignore"):
                  return (ref.kl_divergence(m, p) + ref.kl_divergence(m, q)) / 2
       or instead:
              m = (p + q) / 2
              return (guarded(m, p) + guarded(m, q)) / 2
    - no middle: KL from one to the other is infinite where the other is 0, and says too little if such places are left
      out. What is the middle for?
          instead:
              return (ref.kl_divergence(p, q) + ref.kl_divergence(q, p)) / 2
       or instead:
              return ref.kl_divergence(p, q)
       or instead:
              return guarded(p, q)
       or instead:
              return (guarded(p, q) + guarded(q, p)) / 2
       or instead:
              return np.where((p > 0) & (q > 0), p * np.log(positive(p) / positive(q)), 0.0).sum(axis=-1)
       or instead:
              both = (p > 0) & (q > 0)
              return np.where(both, (p - q) * np.log(positive(p) / positive(q)), 0.0).sum(axis=-1) / 2
    - the middle is not halved: Equal distributions should be 0 apart. By what do the sums of p and q differ from p?
          instead:
              return (guarded(p, p + q) + guarded(q, p + q)) / 2
    - 0 log 0 is NaN: Wherever p or q is 0 your answer is NaN: the logarithm of 0 is minus infinity, and 0 times that is
      no number. What is 0 log 0 to be?
          instead:
              m = (p + q) / 2
              with np.errstate(divide="ignore", invalid="ignore"):
                  return (p * np.log(p / m) + q * np.log(q / m)).sum(axis=-1) / 2
       or instead:
              m = (p + q) / 2
              with np.errstate(divide="ignore", invalid="ignore"):
                  return np.where(m > 0, p * np.log(p / m) + q * np.log(q / m), 0.0).sum(axis=-1) / 2
    - a small number is added to every probability: Your answer is a little off, because shares no longer sum to one and
      those that were 0 are not. Which terms need help, and what are they to be?
          instead:
              return two_halves(p + 1e-6, q + 1e-6)
       or instead:
              return two_halves(p + 1e-8, q + 1e-8)
       or instead:
              return two_halves(p + 1e-9, q + 1e-9)
    - the root is taken: The root of it is a distance, and is called so. The divergence has no root.
          return ref.entropy(middle) - (ref.entropy(p) + ref.entropy(q)) / 2
          => return np.sqrt(np.maximum(ref.entropy(middle) - (ref.entropy(p) + ref.entropy(q)) / 2, 0))
    - the likeness, not the divergence: Two that are the same get the largest number.
          return ref.entropy(middle) - (ref.entropy(p) + ref.entropy(q)) / 2
          => return np.log(2) - ref.entropy(middle) + (ref.entropy(p) + ref.entropy(q)) / 2
    - the wrong way round: Your numbers are negative. Is the middle more, or less, uncertain than the two?
          return ref.entropy(middle) - (ref.entropy(p) + ref.entropy(q)) / 2
          => return (ref.entropy(p) + ref.entropy(q)) / 2 - ref.entropy(middle)
    - what is 0 is left out of both: Where one of the two is 0, the other still counts.
          instead:
              m, both = (p + q) / 2, (p > 0) & (q > 0)
              p, q, m = (np.where(both, x, 1.0) for x in (p, q, m))
              return np.where(both, p * np.log(p / m) + q * np.log(q / m), 0.0).sum(axis=-1) / 2
    - total variation: That is another distance: half the sum of the absolute differences.
          instead:
              return np.abs(p - q).sum(axis=-1) / 2
    """,
    helpers={"np": np, "ref": ref, "positive": positive, "guarded": guarded, "two_halves": two_halves},
    hints="""
    - The middle m is never 0 where p or q is above 0, so that both KL are finite.
    - KL(p, m) is the cross-entropy of p and m less the entropy of p. Add up both halves: what do the cross-entropies
      come to?
    - The entropy of the middle less the mean of both entropies.
    """,
)


def likenesses(seed, V, echo=1.0):
    """Two symmetric tables (V, V) of which the second echoes the first, with large numbers without meaning on the
    diagonal."""
    x, noise = (rng(seed + i).normal(size=(V, V)) for i in (0, 1))
    x, noise = x + x.T, noise + noise.T
    y = echo * x + noise
    for table in (x, y):
        np.fill_diagonal(table, 4 * rng(seed + 2).normal(size=V).round(2) + 5)
    return x, y


def orders_of(seed, R, V):
    """R random orders of V words."""
    return np.array([rng(seed + i).permutation(V) for i in range(R)])


FOUR = (
    np.array([[2, 9, 1, 5], [9, 4, 7, 5], [1, 7, 8, 5], [5, 5, 5, 5]]),
    np.array([[9, 8, 6, 9], [8, 5, 3, 5], [6, 3, 7, 0], [9, 5, 0, 2]]),
    np.array([[0, 2, 3, 1], [1, 3, 0, 2], [0, 3, 2, 1]]),
)  # few and small enough to be shown in a report

PERMUTATION = Exercise(
    id="12.permutation",
    title="What chance would do to whole words",
    answers_in=(f"{COMPANY}.alike:mantel", f"{COMPANY}.alike:permutation_share"),
    minutes=15,
    cases=(
        Case("four words, three orders", FOUR),
        Case("the true order among those drawn", (*likenesses(2, 5), np.array([[0, 1, 2, 3, 4], [4, 2, 0, 1, 3]]))),
        Case("tables that contradict each other", (*likenesses(3, 7, -1.0), orders_of(30, 19, 7))),
        Case("ten words that hardly agree", (*likenesses(5, 10, 0.2), orders_of(60, 49, 10))),
        Case("ten words that do not agree", (*likenesses(8, 10, 0.0), orders_of(200, 49, 10))),
    ),
    habits=("unchanged x", "unchanged y", "unchanged orders"),
    mistakes="""
    - the order that was found is not counted: A p-value of 0 says that it could not happen, and it did. The order that
      was found is one of those that chance may deal.
          (1 + sum(r >= measured for r in dealt)) / (1 + len(orders)) => sum(r >= measured for r in dealt) / len(orders)
    - the 1 is added on one side only: With R orders and the true one there are R + 1. Both numbers count it.
          / (1 + len(orders)) => / len(orders)
       or (1 + sum(r >= measured for r in dealt)) => sum(r >= measured for r in dealt)
    - equals do not count: An order that comes out exactly like the one that was found has reached it.
          r >= measured => r > measured
    - the wrong tail: You count the orders that agree *less*. Which ones would make what you found no surprise?
          r >= measured => r <= measured
    - both tails: Tables that contradict each other are no sign of agreement. The question has one side.
          r >= measured => abs(r) >= abs(measured)
    - the p-value turned round: A large number says here that it was no luck. The share of orders that reach it is
      asked for.
          return (1 + sum(r >= measured for r in dealt)) / (1 + len(orders))
          => return 1 - (1 + sum(r >= measured for r in dealt)) / (1 + len(orders))
    - only rows or only columns are permuted: A row of your table is one word and its column another. What is permuted
      is the words: which of the two stays where it was?
          y[np.ix_(order, order)] => y[order]
       or y[np.ix_(order, order)] => y[:, order]
    - only the diagonal of the permuted table: With two lists of indices NumPy takes pairs of them. np.ix_ takes every
      row with every column.
          y[np.ix_(order, order)][pairs] => np.resize(y[order, order], len(pairs[0])) + 0.0 * y[pairs]
    - the inverse order: You send word a to place order[a]. The docstring has it the other way round: which word comes
      to place a?
          y[np.ix_(order, order)] => y[np.ix_(np.argsort(order), np.argsort(order))]
    - the correlation itself: You return how far the tables agree. How many orders reach that, by chance?
          return (1 + sum(r >= measured for r in dealt)) / (1 + len(orders)) => return measured
    - both tables are permuted: Permuted alike, both tables say of each other what they said before.
          np.corrcoef(x[pairs], y[np.ix_(order, order)][pairs])
          => np.corrcoef(x[np.ix_(order, order)][pairs], y[np.ix_(order, order)][pairs])
    - the diagonal is counted: A word with itself is no pair: what stands there means nothing.
          np.triu_indices(len(x), 1) => np.triu_indices(len(x))
       or np.triu_indices(len(x), 1) => tuple(i.ravel() for i in np.indices(x.shape))
    - ranks in place of the values: That would be Spearman's correlation. Here Pearson's is asked for.
          pairs = np.triu_indices(len(x), 1)
          => pairs = np.triu_indices(len(x), 1); x, y = (np.searchsorted(np.unique(t), t) for t in (x, y))
       or instead:
              pairs = np.triu_indices(len(x), 1)
              ranks = lambda table: np.argsort(np.argsort(table[pairs]))
              agreement = lambda table: np.corrcoef(ranks(x), ranks(table))[0, 1]
              reached = sum(agreement(y[np.ix_(order, order)]) >= agreement(y) for order in orders)
              return (1 + reached) / (1 + len(orders))
    """,
    helpers={"np": np},
    hints="""
    - Correlate what the two tables say of each pair of different words, each pair once.
    - Permuting words permutes rows and columns together: y[np.ix_(order, order)].
    - Count the orders whose correlation is at least the measured one. The measured order itself counts above and below.
    """,
)

KINDS = np.array(["pet", "food", "pet", "tool", "food", "pet"])


def kinds_and_neighbors(seed, V, k, C):
    """Random neighbors (V, k), none of them the word itself, and classes (V,) of unequal sizes in no order."""
    neighbors = np.array([rng([seed, i]).permutation([j for j in range(V) if j != i])[:k] for i in range(V)])
    return neighbors, rng(seed).choice(C, V, p=rng(seed + 1).dirichlet(np.ones(C)))


PURITY = Exercise(
    id="12.purity",
    title="Neighbors of a kind",
    answers_in=(f"{COMPANY}.geometry:purity", f"{COMPANY}.geometry:chance_purity"),
    minutes=12,
    cases=(
        Case("three words, one neighbor each", (np.array([[1], [0], [1]]), np.array([0, 0, 1]))),
        Case("six words of three kinds", (np.array([[2, 5], [4, 0], [0, 1], [1, 2], [3, 1], [0, 2]]), KINDS)),
        Case("a class of its own for each word", (np.array([[1, 2], [2, 0], [0, 1]]), np.array([4, 9, 7]))),
        Case("twenty words, three neighbors", kinds_and_neighbors(4, 20, 3, 5)),
        Case("as many neighbors as other words", kinds_and_neighbors(6, 9, 8, 3)),
    ),
    habits=("unchanged neighbors", "unchanged classes"),
    mistakes="""
    - a word counts as its own chance: By chance a neighbor is another word: how many others of the class are there, and
      how many others in all?
          (sizes[which] - 1).mean() / (len(classes) - 1) => sizes[which].mean() / len(classes)
       or (sizes[which] - 1).mean() => sizes[which].mean()
       or / (len(classes) - 1) => / len(classes)
    - classes are taken for equally large: With unequal classes most words are in a large one. Average over words.
          (sizes[which] - 1).mean() / (len(classes) - 1) => 1 / len(sizes)
       or (sizes[which] - 1).mean() => (sizes - 1).mean()
    - the average is one over classes: A class of two words counts as much as one of twenty. Every word is to count the
      same.
          (classes[neighbors] == classes[:, None]).mean()
          => np.mean([(classes[neighbors[classes == c]] == c).mean() for c in set(classes.tolist())])
    - only the nearest: You look at the first neighbor alone. All k count.
          (classes[neighbors] == classes[:, None]).mean() => (classes[neighbors[:, 0]] == classes).mean()
    - one is enough: You ask whether *any* neighbor is of the class, which is easier the more there are.
          (classes[neighbors] == classes[:, None]).mean() => (classes[neighbors] == classes[:, None]).any(axis=1).mean()
    - all are needed: You ask whether *all* neighbors are of the class.
          (classes[neighbors] == classes[:, None]).mean() => (classes[neighbors] == classes[:, None]).all(axis=1).mean()
    - the majority decides: You ask whether most neighbors are of the class. A share is asked for.
          (classes[neighbors] == classes[:, None]).mean()
          => ((classes[neighbors] == classes[:, None]).mean(axis=1) > 0.5).mean()
    - neighbors compared with each other: The word itself does not come in: are its neighbors of *its* class?
          classes[neighbors] == classes[:, None] => classes[neighbors] == classes[neighbors][:, :1]
    - a sum where a mean is meant
          (classes[neighbors] == classes[:, None]).mean() => float((classes[neighbors] == classes[:, None]).sum())
    - chance and measurement swapped: The measured share comes first.
          return measured, (sizes[which] - 1).mean() / (len(classes) - 1)
          => return (sizes[which] - 1).mean() / (len(classes) - 1), measured
    """,
    hints="""
    - classes[neighbors] is the class of each neighbor, (V, k). Compare it with a column of the words' own classes.
    - np.unique with return_inverse and return_counts says how many words are of each word's class.
    - By chance a neighbor is any of V - 1 other words, and all but one of the class are among them. Average over words.
    """,
)

MEAN_COSINE = Exercise(
    id="12.mean-cosine",
    title="A cone of vectors",
    answers_in=(f"{COMPANY}.geometry:mean_cosine",),
    minutes=12,
    cases=(
        Case("two crossing rows", (np.array([[1.0, 0.0], [0.0, 2.0]]),)),
        Case("three rows in a cone", (np.array([[5.0, 1.0], [6.0, -1.0], [9.0, 0.5]]),)),
        Case("a row of zeros", (ROWS,)),
        Case("a row that is the mean", (np.array([[2.0, 2.0], [1.0, 5.0], [3.0, -1.0]]),)),
        Case("forty rows far from 0", (vectors(9, 40, 5, 3.0),)),
    ),
    habits=("unchanged vectors",),
    mistakes="""
    - each with itself is counted: Every row has cosine 1 with itself, which says nothing: two *different* rows are
      asked for.
          cosines[~np.eye(len(x), dtype=bool)].mean() => cosines.mean()
    - itself taken off, and not from what is divided by: You leave out the rows with themselves above the line and count
      them below. How many pairs of different rows are there?
          cosines[~np.eye(len(x), dtype=bool)].mean() => (cosines.sum() - np.trace(cosines)) / cosines.size
    - the diagonal is taken for ones: You take off 1 for each row. Has every row cosine 1 with itself?
          cosines[~np.eye(len(x), dtype=bool)].mean() => (cosines.sum() - len(x)) / (len(x) * (len(x) - 1))
    - each pair once, divided as if twice: You add up each pair once, and divide by V (V - 1), which counts each twice.
          cosines[~np.eye(len(x), dtype=bool)].mean() => np.triu(cosines, 1).sum() / (len(x) * (len(x) - 1))
    - lengths are not divided out: Your numbers are inner products. A cosine lies between -1 and 1.
          (unit := x / np.where(lengths > 0, lengths, 1)) => (unit := x)
    - the mean is taken off each row: You take off the mean of each row's own numbers. The mean *vector* has D numbers.
          vectors.mean(axis=0) => vectors.mean(axis=1, keepdims=True)
    - one number is taken off: The mean of all numbers is the same in every dimension. The mean *vector* has D numbers.
          vectors.mean(axis=0) => vectors.mean()
    - directions are centered, not vectors: You bring rows to length 1 before their mean is taken off. Long rows weigh
      more in the mean that is asked for.
          off_diagonal(vectors - vectors.mean(axis=0))
          => off_diagonal((u := vectors / np.maximum(np.linalg.norm(vectors, axis=1), 1e-99)[:, None]) - u.mean(axis=0))
    - standardized: You also divided each dimension by its spread. Only the mean comes off.
          vectors - vectors.mean(axis=0) => (vectors - vectors.mean(axis=0)) / vectors.std(axis=0)
    - the median is taken off: The median is not the mean.
          vectors.mean(axis=0) => np.median(vectors, axis=0)
    - the absolute value: Cosines below 0 count as such: rows that look away from each other make the mean smaller.
          cosines[~np.eye(len(x), dtype=bool)].mean() => np.abs(cosines[~np.eye(len(x), dtype=bool)]).mean()
    - a row of zeros becomes NaN: A row of zeros has no direction. Which cosine does the docstring give it?
          np.where(lengths > 0, lengths, 1) => np.where(lengths > 0, lengths, np.nan)
    - rows of zeros are left out: A row of zeros counts like any other, with cosine 0.
          cosines[~np.eye(len(x), dtype=bool)].mean()
          => cosines[~np.eye(len(x), dtype=bool) & (lengths > 0) & (lengths > 0).T].mean()
    - centered twice, or not at all: The first number is of the vectors as they are, the second of the centered ones.
          return off_diagonal(vectors), => return off_diagonal(vectors - vectors.mean(axis=0)),
       or off_diagonal(vectors - vectors.mean(axis=0)) => off_diagonal(vectors)
    """,
    hints="""
    - Bring the rows to length 1, where they have one, and multiply the result by its transpose.
    - Of that table all but the diagonal counts: ~np.eye(V, dtype=bool) picks it.
    - For the second number take the mean over the rows off first, and then do the same again.
    """,
)

EXERCISES = (
    COOCCURRENCE,
    CONTEXT_DISTRIBUTION,
    PPMI,
    NEIGHBORS,
    SVD_VECTORS,
    DIVERGENCE,
    PERMUTATION,
    PURITY,
    MEAN_COSINE,
)
