"""Chapter 01: scores become probabilities, whatever their size.

Shapes: V tokens; leading dimensions are free.
"""

import numpy as np

from mlm_mini.course.exercise import Case, Exercise

TWO = np.array([0.0, np.log(3.0)])
ROWS = np.array([[1.0, 2.0, 4.0], [0.5, -1.0, 3.0]])
SQUARE = np.array([[1.0, 2.0, 4.0], [0.5, -1.0, 3.0], [2.0, 2.5, 0.0]])
ONE_ROW = np.array([[0.0, -800.0, -810.0, -820.0, -830.0, -840.0]])
DEEP = np.array([[[0.0, 1.0, 3.0]], [[2.0, 2.0, -1.0]]])
BATCH = np.random.default_rng(1).normal(scale=3.0, size=(2, 3, 5))
HUGE = np.array([1e4, 9_999.0, 9_998.0, -1e4])
FAR_APART = np.array([[1e4, 9_999.0, 9_998.0], [2.0, 0.0, 1.0], [-1e4, -9_999.0, -9_998.0]])
EXCLUDED = np.array([[0.0, -np.inf, 1.0], [-np.inf, -np.inf, 2.0]])
# Below any number that people put in the place of -inf, so that an excluded token then wins its row; and so far apart
# that every right way of computing agrees, though numbers of this size have few digits after the point.
EXCLUDED_FAR = np.array([[-1e10, -2e10, -np.inf], [2e4, -np.inf, 19_999.0]])
FAR_BEHIND = np.array([[0.0, -800.0, -1_000.0], [30.0, 0.0, -30.0]])

SCORES = (
    Case("two scores that are log 3 apart", (TWO,)),
    Case("two rows of three scores", (ROWS,)),
    Case("three rows of three scores", (SQUARE,)),
    Case("tokens along the first axis", (ROWS.T,), {"axis": 0}),
    Case("two sentences of one position", (DEEP,)),
    Case("one row of scores, all but the first far behind", (ONE_ROW,)),
    Case("scores of ten thousand", (HUGE,)),
    Case("scores of -inf, for excluded tokens", (EXCLUDED,)),
    Case("scores of -inf beside very low and very high ones", (EXCLUDED_FAR,)),
    Case("three rows, near 10000, 0 and -10000", (FAR_APART,)),
    Case("two sentences of three positions", (BATCH,)),
    *(Case(f"three axes, tokens along axis {axis}", (BATCH[:, :, :4],), {"axis": axis}) for axis in (0, 1, -2, -3)),
)
HABITS = ("unchanged logits", "leading logits 1", "low scores logits")

LOGSUMEXP = Exercise(
    id="01.logsumexp",
    title="The log of a sum of exponentials",
    twin="mlm_mini.reference.probability:logsumexp",
    minutes=12,
    cases=SCORES,
    habits=(*HABITS, "axis"),
    atol=1e-13,  # one row has the answer 0: a small number added inside the logarithm shows there
    mistakes="""
    - no maximum subtracted: Right for small scores, but exp(10000) is inf, and where all scores are near -10000 every
      exponential is 0 and the logarithm -inf. What can be factored out of every term before the sum?
          m = logits.max(axis, keepdims=True) => m = np.zeros_like(logits.max(axis, keepdims=True))
    - the maxima lost their axis
          instead:
              m = logits.max(axis)
              return m + np.log(np.exp(logits - m).sum(axis))
    - one maximum for all rows: A row far below the largest score of the whole array underflows: its sum is 0 and its
      log -inf. Each row needs a shift of its own: along which axis is its maximum?
          m = logits.max(axis, keepdims=True) => m = np.full_like(logits.max(axis, keepdims=True), logits.max())
    - the shift is never undone: Your answer does not change when every score grows by 10, yet a sum of larger terms is
      larger. What was factored out of the sum has to come back after the logarithm.
          m + np.log => np.log
    - sums over the whole array: You return one number for all rows together. Every row is a choice of its own: along
      which axis do the tokens lie?
          instead:
              return logits.max() + np.log(np.exp(logits - logits.max()).sum())
    - sums over the whole array, with no maximum subtracted: Right for one row of small scores. Two things are left:
      every row is a choice of its own, with its own sum; and exp(10000) is inf, unless a common factor leaves the sum
      first.
          instead:
              return np.log(np.exp(logits).sum())
    - the axis is always the last
          m = => axis = -1; m =
    - clips the scores: No overflow any more, but 10000 and 9999 have become the same score, and the answer is wrong by
      thousands. Can you bring the numbers into range without losing their differences?
          m = => logits = np.clip(logits, -700, 700); m =
    - the summed axis is kept: The numbers are right, but an axis of length 1 is left over where the tokens were. An
      axis that is useful while you subtract: is it still wanted in the answer?
          np.squeeze(m + np.log(total), axis) => m + np.log(total)
    - the maxima keep the axis that the sums have lost: One of the two has an axis of length 1 where the tokens were,
      the other has none, so that NumPy pairs each row with every other. Which shape should maxima and logarithms have
      when they are added?
          np.squeeze(m + np.log(total), axis) => m + np.log(np.squeeze(total, axis))
    - every axis of length 1 is removed
          np.squeeze(m + np.log(total), axis) => np.squeeze(m + np.log(total))
    - the largest score alone: Close when one score leads by far, but two equal scores weigh more than one: your answer
      misses log 2 there. What is left of the sum once its largest term is factored out?
          m + np.log(total) => m
    - a small number added inside the logarithm: Off by 1e-12 where the answer is 0. After the shift the sum is never
      below 1, so there is nothing to protect the logarithm from: which term makes sure of that?
          np.log(total) => np.log(total + 1e-12)
    - a finite number in place of -inf: To a row whose scores all lie below your number, it is not minus infinity but
      the best score of all, and the excluded token wins. What is exp(-inf), and does it need any help?
          m = => logits = np.where(np.isneginf(logits), -100.0, logits); m =
       or m = => logits = np.where(np.isneginf(logits), -1e3, logits); m =
       or m = => logits = np.where(np.isneginf(logits), -1e4, logits); m =
       or m = => logits = np.where(np.isneginf(logits), -1e9, logits); m =
    """,
    hints="""
    - Write the formula first as it stands, and look at what np.exp makes of 1000.
    - exp(a + b) = exp(a) exp(b): a factor common to all terms can be written once, in front of the sum, and then the
      logarithm makes it a summand.
    - Factor out the largest term of each row. Every exponent is then 0 or less, so nothing overflows, and one term is
      exactly 1, so the sum is never 0.
    - For the subtraction the maxima need an axis of length 1 where the tokens were; for the last addition they do not.
      NumPy's keepdims and squeeze are made for this. `squeeze(axis)` removes exactly that one axis; a bare `squeeze()`
      removes every axis of length 1.
    """,
)

SOFTMAX = Exercise(
    id="01.softmax",
    title="Softmax that survives any score",
    twin="mlm_mini.reference.probability:softmax",
    minutes=10,
    cases=SCORES,
    habits=(*HABITS, "axis"),
    rtol=1e-10,  # a small number added to the sums shows in the tenth digit
    atol=1e-30,  # the probability of an excluded token is 0, not a small number
    mistakes="""
    - no maximum subtracted: Right for small scores, but exp(10000) is inf and inf / inf is NaN. Adding the same number
      to every score changes nothing about the answer: which number keeps every exponential within range?
          logits - logits.max(axis, keepdims=True) => logits
    - the mean is subtracted, not the maximum: Right for scores that are near each other. One that is far above the mean
      overflows, and one of -inf makes the mean -inf. Which number leaves no exponent above 0?
          logits.max(axis, keepdims=True) => logits.mean(axis, keepdims=True)
    - divides by the sum over the whole array: Your rows do not sum to one, but the whole array does. Each row is a
      distribution of its own: what should it be divided by?
          exp.sum(axis, keepdims=True) => exp.sum()
       or logits.max(axis, keepdims=True) => logits.max()
          exp.sum(axis, keepdims=True) => exp.sum()
    - NaN patched over: The NaN are gone, but those rows now sum to zero, and zero is no probability for the best word.
      The NaN came from inf / inf: what can keep the infinity from arising?
          logits - logits.max(axis, keepdims=True) => logits
          exp / exp.sum(axis, keepdims=True) => np.nan_to_num(exp / exp.sum(axis, keepdims=True))
    - a finite number in place of -inf: Right among small scores. But where every score of a row lies below your number,
      the excluded token has the best score and takes the whole probability. What is exp(-inf), and does it need help?
          shifted = => logits = np.where(np.isneginf(logits), -1e4, logits); shifted =
       or shifted = => logits = np.where(np.isneginf(logits), -1e9, logits); shifted =
    - a small number added to the sum: Your rows fall a little short of one. After the shift the sum is never below 1,
      so there is nothing to protect the division from: which term makes sure of that?
          exp.sum(axis, keepdims=True) => (exp.sum(axis, keepdims=True) + 1e-9)
       or exp.sum(axis, keepdims=True) => (exp.sum(axis, keepdims=True) + 1e-8)
    - one maximum for all rows: A row far below the largest score of the whole array underflows to zeros, and 0 / 0 is
      NaN. What does each row need to have subtracted?
          logits.max(axis, keepdims=True) => logits.max()
    - the maxima lost their axis
          logits.max(axis, keepdims=True) => logits.max(axis)
    - the maxima and the sums lost their axis
          logits.max(axis, keepdims=True) => logits.max(axis)
          exp.sum(axis, keepdims=True) => exp.sum(axis)
    - the sums lost their axis
          exp.sum(axis, keepdims=True) => exp.sum(axis)
    - the axis is always the last
          shifted = => axis = -1; shifted =
    - scores divided by their sum: They do sum to one, yet some are negative, and two scores of 0 would be 0 / 0. What
      makes any score positive before it is divided?
          exp = np.exp(shifted) => exp = logits
    - the caller's arrays are changed
          shifted = logits - => shifted = logits; shifted -=
    - never normalized: Every number is positive and the best word has exactly 1, so the rows sum to more than one. What
      turns positive weights into shares of a whole?
          exp / exp.sum(axis, keepdims=True) => exp
    """,
    hints="""
    - Two steps: make every score positive, then make every row sum to one.
    - Try your function on a score of 1000. What does np.exp answer, and what is inf / inf?
    - Add a constant to every score of a row and work out on paper what happens to the fraction.
    - Choose the constant so that the largest exponent of each row is 0, and keep the reduced axis (keepdims) so that
      maxima and sums line up with their rows.
    """,
)

LOG_SOFTMAX = Exercise(
    id="01.log-softmax",
    title="The logarithm of the softmax, for words far behind",
    twin="mlm_mini.reference.probability:log_softmax",
    minutes=6,
    cases=(*SCORES, Case("scores of 0, -800 and -1000, and of 30, 0 and -30", (FAR_BEHIND,))),
    habits=(*HABITS, "axis", "fresh"),
    mistakes="""
    - the logarithm of a finished softmax: Where you have -inf, a finite number belongs: the probability underflowed to
      0 before you took its logarithm. Take the logarithm of the formula on paper first; which exp and log undo each
      other?
          shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))
          => np.log(np.exp(shifted) / np.exp(shifted).sum(axis, keepdims=True))
    - the logarithm of an overflowing softmax: Large scores give NaN, because exp(10000) is inf. Take the logarithm of
      the formula on paper first, and look for the log-sum-exp you have already built.
          instead:
              return np.log(np.exp(logits) / np.exp(logits).sum(axis, keepdims=True))
    - the formula with no maximum subtracted: Right for small scores, but exp(10000) is inf, and its logarithm too.
      Which exercise of this chapter gives the logarithm of the sum for scores of any size?
          logits - logits.max(axis, keepdims=True) => logits
    - a small number added inside the logarithm: No -inf any more, but nothing is ever less likely than your small
      number: -800 has become -27.6, and a model would stop learning from its worst guesses. Can the underflow be
      avoided?
          shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))
          => np.log(np.exp(shifted) / np.exp(shifted).sum(axis, keepdims=True) + 1e-12)
    - the log-sum-exp lost its axis: NumPy lined up one log-sum-exp per row with the columns: an error for two rows of
      three, and in a square array each score had another row's subtracted. Which shape must a log-sum-exp have to meet
      its own row?
          instead:
              m = logits.max(axis, keepdims=True)
              return logits - (np.squeeze(m, axis) + np.log(np.exp(logits - m).sum(axis)))
    - the maxima lost their axis
          logits.max(axis, keepdims=True) => logits.max(axis)
    - the sums lost their axis
          np.exp(shifted).sum(axis, keepdims=True) => np.exp(shifted).sum(axis)
    - the maxima and the sums lost their axis
          logits.max(axis, keepdims=True) => logits.max(axis)
          np.exp(shifted).sum(axis, keepdims=True) => np.exp(shifted).sum(axis)
    - the axis is always the last
          shifted = => axis = -1; shifted =
    - subtracts the sum, not its logarithm: The exponentials of your answer do not sum to one. Dividing by a sum
      becomes, after the logarithm, the subtraction of what?
          np.log(np.exp(shifted).sum(axis, keepdims=True)) => np.exp(shifted).sum(axis, keepdims=True)
    - the shift is counted twice: Right only where the largest score is 0. You subtract the maximum from the scores and
      then a log-sum-exp that contains it already: how often should the maximum leave?
          return shifted - => return shifted - logits.max(axis, keepdims=True) -
    - one side shifted, the other not: Right only where the largest score is 0, and some of your log-probabilities are
      above 0. The sum was made from shifted scores: what must it be subtracted from?
          return shifted => return logits
    - one sum for the whole array: The exponentials of the whole array sum to one, those of your rows do not. Each row
      is a distribution of its own.
          logits.max(axis, keepdims=True) => logits.max()
          np.exp(shifted).sum(axis, keepdims=True) => np.exp(shifted).sum()
    - probabilities, not their logarithms: Your numbers lie between 0 and 1 and sum to one; log-probabilities are 0 or
      less. Can the logarithm be taken before numbers underflow?
          shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))
          => np.exp(shifted - np.log(np.exp(shifted).sum(axis, keepdims=True)))
    """,
    hints="""
    - Take the logarithm of exp(z_i) / sum_j exp(z_j) on paper. What becomes of the fraction?
    - The numerator becomes z_i itself. The denominator becomes a quantity that you have built in this chapter.
    - Subtract that quantity from the scores, row by row. There is no softmax in the code, so nothing has a chance to
      underflow before the logarithm.
    """,
)

TEMPERATURE = Exercise(
    id="01.temperature",
    title="Temperature: sharper or flatter",
    twin="mlm_mini.reference.probability:temperature",
    minutes=5,
    cases=(
        Case("two scores, temperature 1/2", (TWO, 0.5)),
        Case("two scores, temperature 2", (TWO, 2.0)),
        Case("two rows of three scores, temperature 2", (ROWS, 2.0)),
        Case("three rows of three scores, temperature 2", (SQUARE, 2.0)),
        Case("two sentences of one position, temperature 1", (DEEP, 1.0)),
        Case("scores up to 40, temperature 1/100", (np.array([[40.0, 39.99, 0.0], [-40.0, -39.99, 0.0]]), 0.01)),
        Case("scores 1000 apart, temperature 1000", (np.array([[0.0, -1_000.0], [-2_000.0, 0.0]]), 1_000.0)),
        Case("scores of -inf, temperature 3", (EXCLUDED, 3.0)),
        Case("scores of -inf beside very low and very high ones, temperature 2", (EXCLUDED_FAR, 2.0)),
        Case("three rows, near 10000, 0 and -10000, temperature 5", (FAR_APART, 5.0)),
        Case("two sentences of three positions, temperature 0.3", (BATCH, 0.3)),
    ),
    habits=HABITS,
    mistakes="""
    - multiplies by the temperature: Your heat cools: at temperature 2 the leader's lead should shrink, and yours grows.
      Which way should a large temperature move the differences between scores?
          logits / tau => logits * tau
    - divides the probabilities: Your rows sum to 1/tau instead of one: the temperature reached the probabilities, too
      late to change their proportions. Where does a temperature have to act?
          logits / tau => logits
          exp / exp.sum(-1, keepdims=True) => exp / exp.sum(-1, keepdims=True) / tau
    - powers that do not sum to one: The proportions are right, but the rows do not sum to one. What do weights need to
      become probabilities?
          logits / tau => logits
          exp / exp.sum(-1, keepdims=True) => (exp / exp.sum(-1, keepdims=True)) ** (1 / tau)
    - powers of finished probabilities: Equal on paper, and right for mild scores. But a probability of exp(-1000) is
      stored as 0, and no power brings it back. What does a power of a probability do to its logarithm, and so to the
      score?
          instead:
              exp = np.exp(logits - logits.max(-1, keepdims=True))
              powers = (exp / exp.sum(-1, keepdims=True)) ** (1 / tau)
              return powers / powers.sum(-1, keepdims=True)
    - softmax taken twice: Even at temperature 1 your answer is not the softmax: it is far too flat, because
      probabilities went in where scores belong. How many times does the formula exponentiate?
          instead:
              exp = np.exp(logits - logits.max(-1, keepdims=True))
              exp = np.exp(exp / exp.sum(-1, keepdims=True) / tau)
              return exp / exp.sum(-1, keepdims=True)
    - overflows at low temperature: Scores of 40 at temperature 0.01 are as large as 4000, and exp(4000) is inf. The
      division comes first; what did your softmax do about large scores?
          np.exp(z - z.max(-1, keepdims=True)) => np.exp(z)
    - the maxima lost their axis
          z.max(-1, keepdims=True) => z.max(-1)
    - the sums lost their axis
          exp.sum(-1, keepdims=True) => exp.sum(-1)
    - the maxima and the sums lost their axis
          z.max(-1, keepdims=True) => z.max(-1)
          exp.sum(-1, keepdims=True) => exp.sum(-1)
    - the temperature cancels: Right at temperature 1 and nowhere else: every tau gives the same answer. Either tau is
      not used, or it divides all probabilities alike and the sum below takes it out again. Where does tau stand in the
      equation?
          logits / tau => logits
    """,
    hints="""
    - Which numbers does tau touch in the equation: the scores, or the probabilities?
    - Once the scores are changed, the rest is the softmax as you know it, and it must be the stable one.
    - Test yourself: at tau = 1 nothing changes; at a very large tau all probabilities become equal.
    """,
)

JACOBIAN = Exercise(
    id="01.jacobian",
    title="How a nudge to one score moves every probability",
    twin="mlm_mini.reference.probability:softmax_jacobian",
    minutes=15,
    cases=(
        Case("two scores that are log 3 apart", (TWO,)),
        Case("one row of three scores", (ROWS[:1],)),
        Case("two sentences of one position", (DEEP[..., :2],)),
        Case("two rows of three scores", (ROWS,)),
        Case("scores of ten thousand", (HUGE,)),
        Case("scores of -inf, for excluded tokens", (EXCLUDED,)),
        Case("scores of -inf beside two very low ones", (np.array([[-1e10, -1e10, -np.inf]]),)),
        Case("scores of -inf beside very low and very high ones", (EXCLUDED_FAR,)),
        Case("two sentences of three positions", (BATCH,)),
    ),
    habits=HABITS,
    mistakes="""
    - only a score's own probability moves: Your matrix is zero off the diagonal, so its rows do not sum to zero. The
      probabilities always sum to one: if one grows, who pays for it?
          p[..., :, None] * (identity - p[..., None, :]) => (p * (1 - p))[..., None] * identity
    - the others grow as well: All your entries are positive: raising one score would raise every probability, and they
      could not go on summing to one. Which sign do the entries off the diagonal need?
          identity - => identity +
    - the diagonal's own gain is missing: All your entries are negative: raising a score would lower its own probability
      too. What does the delta in the equation add where i = j?
          identity - => 0 -
    - ones where the identity belongs: The diagonal is right, but off it your entries are positive. Delta is 1 where i =
      j and 0 elsewhere; yours is 1 everywhere.
          identity - => 1 -
    - the derivative of log p: Your entries do not depend on p_i, so even an impossible word moves. You have the slope
      of log p_i; by the chain rule, what still multiplies it?
          p[..., :, None] * => np.ones_like(p)[..., :, None] *
    - the sign is flipped: Every sign is the wrong way round: raising a score would lower its own probability and lift
      the others. In which order does the bracket of the equation subtract?
          (identity - p[..., None, :]) => (p[..., None, :] - identity)
    - p multiplies the columns, and one row of scores only: p multiplies columns here; p_i belongs to the rows. NumPy
      lines up a plain p with the last axis, j. Which axis does p need to run down the matrix, and where must it stand?
          p[..., :, None] * (identity - p[..., None, :]) => p * (identity - p)
    - p_j where p_i belongs: p multiplies columns here; p_i belongs to the rows, so yours is not symmetric. Both of your
      p's run across the matrix: which of the two has to run down?
          p[..., :, None] * => p[..., None, :] *
    - p_i where p_j belongs: Your columns do not sum to zero. Both of your p's run down the matrix, as p_i does: which
      way must the p_j inside the bracket run?
          identity - p[..., None, :] => identity - p[..., :, None]
    - one row of scores only: Right for a single array of V scores, and for no array with more axes. Each row needs a
      matrix of its own: which axes must be added, and where, so that p_i meets every p_j of its own row and no other?
          p[..., :, None] * (identity - p[..., None, :]) => np.diag(p) - np.outer(p, p)
    - every axis of length 1 is removed
          p[..., :, None] * (identity - p[..., None, :]) => (p[..., :, None] * (identity - p[..., None, :])).squeeze()
    - no maximum subtracted: Right for small scores, but exp(10000) is inf and inf / inf is NaN. Which softmax of yours
      bears scores of any size?
          ref.softmax(logits) => np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    - one sum for the whole array: All your probabilities sum to one together. Each row is a distribution of its own:
      along which axis should p sum to one?
          ref.softmax(logits) => np.exp(logits) / np.exp(logits).sum()
       or ref.softmax(logits) => np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    - slopes without the other scores: You return one slope per token; with V tokens there are V times V of them,
      because every score moves every probability. What shape does the docstring promise?
          p[..., :, None] * (identity - p[..., None, :]) => p * (1 - p)
    """,
    hints="""
    - Start with one row. Which p stands for the row of the matrix, which for its column?
    - The equation is a product of p_i with a bracket. The bracket is the identity matrix minus a matrix whose rows are
      all equal to p.
    - For many rows at once give p a last axis of length 1 in one place and a last but one in the other, and let NumPy
      broadcast them against the identity.
    - Test yourself: the matrix is symmetric, and each row sums to zero.
    """,
)

EXERCISES = (LOGSUMEXP, SOFTMAX, LOG_SOFTMAX, TEMPERATURE, JACOBIAN)
