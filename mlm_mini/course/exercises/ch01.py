"""Chapter 01: scores become probabilities, whatever their size.

Shapes: V tokens; leading dimensions are free.
"""

import numpy as np

from mlm_mini import reference as ref
from mlm_mini.course.exercise import Case, Exercise, Mistake

TWO = np.array([0.0, np.log(3.0)])
ROWS = np.array([[1.0, 2.0, 4.0], [0.5, -1.0, 3.0]])
BATCH = np.random.default_rng(1).normal(scale=3.0, size=(2, 3, 5))
HUGE = np.array([1e4, 9_999.0, 9_998.0, -1e4])
FAR_APART = np.array([[1e4, 9_999.0], [-1e4, -9_999.0]])
EXCLUDED = np.array([[0.0, -np.inf, 1.0], [-np.inf, -np.inf, 2.0]])
FAR_BEHIND = np.array([[0.0, -800.0, -1_000.0], [30.0, 0.0, -30.0]])

SCORES = (
    Case("two scores that are log 3 apart", (TWO,)),
    Case("two rows of three scores", (ROWS,)),
    Case("two scores, one of them 800 behind", (np.array([0.0, -800.0]),)),
    Case("scores in three dimensions", (BATCH,)),
    Case("tokens along the first axis", (ROWS.T,), {"axis": 0}),
    Case("scores of ten thousand", (HUGE,)),
    Case("one row near 10000, the other near -10000", (FAR_APART,)),
    Case("scores of -inf, for excluded tokens", (EXCLUDED,)),
)


def whole_array(logits):
    """The sum of all exponentials, whichever row they stand in."""
    return np.exp(logits - logits.max()).sum()


# 01.logsumexp


def logsumexp_unshifted(logits, axis=-1):
    return np.log(np.exp(logits).sum(axis))


def logsumexp_of_everything_unshifted(logits, axis=-1):
    return np.log(np.exp(logits).sum())


def logsumexp_one_maximum(logits, axis=-1):
    return logits.max() + np.log(np.exp(logits - logits.max()).sum(axis))


def logsumexp_not_shifted_back(logits, axis=-1):
    return np.log(np.exp(logits - logits.max(axis, keepdims=True)).sum(axis))


def logsumexp_of_everything(logits, axis=-1):
    return logits.max() + np.log(whole_array(logits))


def logsumexp_last_axis(logits, axis=-1):
    m = logits.max(-1)
    return m + np.log(np.exp(logits - m[..., None]).sum(-1))


def logsumexp_clipped(logits, axis=-1):
    return np.log(np.exp(np.clip(logits, -700, 700)).sum(axis))


def logsumexp_keeps_the_axis(logits, axis=-1):
    m = logits.max(axis, keepdims=True)
    return m + np.log(np.exp(logits - m).sum(axis, keepdims=True))


def logsumexp_is_the_maximum(logits, axis=-1):
    return logits.max(axis)


LOGSUMEXP = Exercise(
    id="01.logsumexp",
    title="The log of a sum of exponentials",
    reference=ref.logsumexp,
    cases=SCORES,
    mistakes=(
        Mistake(
            "no maximum subtracted",
            "Right for small scores, but exp(10000) is inf, and where all scores are near -10000 every exponential is "
            "0 and the logarithm -inf. Which common factor can be taken out of every term before the sum?",
            logsumexp_unshifted,
        ),
        Mistake(
            "one maximum for all rows",
            "A row far below the largest score of the whole array underflows: its sum is 0 and its log -inf. Each row "
            "needs a shift of its own; how do you keep that shape while you subtract?",
            logsumexp_one_maximum,
        ),
        Mistake(
            "the shift is never undone",
            "Your answer does not change when every score grows by 10, yet a sum of larger terms is larger. What you "
            "took out of the sum has to come back after the logarithm.",
            logsumexp_not_shifted_back,
        ),
        Mistake(
            "sums over the whole array",
            "You return one number for all rows together. Every row is a choice of its own: along which axis do the "
            "tokens lie?",
            logsumexp_of_everything,
        ),
        Mistake(
            "sums over the whole array, with no maximum subtracted",
            "Right for one row of small scores. Two things are left: every row is a choice of its own, with its own "
            "sum; and exp(10000) is inf, unless a common factor is taken out first.",
            logsumexp_of_everything_unshifted,
        ),
        Mistake(
            "the axis is always the last",
            "Right as long as the tokens lie along the last axis, but `axis` is never used. Which of your calls need "
            "it?",
            logsumexp_last_axis,
        ),
        Mistake(
            "clips the scores",
            "No overflow any more, but 10000 and 9999 have become the same score, and the answer is wrong by "
            "thousands. Can you bring the numbers into range without losing their differences?",
            logsumexp_clipped,
        ),
        Mistake(
            "the summed axis is kept",
            "The numbers are right, but an axis of length 1 is left over where the tokens were. It is useful while "
            "you subtract; is it still wanted in the answer?",
            logsumexp_keeps_the_axis,
        ),
        Mistake(
            "the largest score alone",
            "Close when one score leads by far, but two equal scores weigh more than one: your answer misses log 2 "
            "there. What is left of the sum once its largest term is taken out?",
            logsumexp_is_the_maximum,
        ),
    ),
    hints=(
        "Write the formula first as it stands, and look at what np.exp makes of 1000.",
        (
            "exp(a + b) = exp(a) exp(b): a factor common to all terms can leave the sum, and then the logarithm makes "
            "it a summand."
        ),
        (
            "Take out the largest score of each row. Every exponent is then 0 or less, so nothing overflows, and one "
            "term is exactly 1, so the sum is never 0."
        ),
        (
            "For the subtraction the maxima need an axis of length 1 where the tokens were; for the last addition "
            "they do not. NumPy's keepdims and squeeze are made for this."
        ),
    ),
    minutes=8,
)


# 01.softmax


def softmax_over_everything(logits, axis=-1):
    return np.exp(logits - logits.max()) / whole_array(logits)


def softmax_over_everything_unshifted(logits, axis=-1):
    return np.exp(logits) / np.exp(logits).sum()


def softmax_unshifted(logits, axis=-1):
    exp = np.exp(logits)
    return exp / exp.sum(axis, keepdims=True)


def softmax_patched(logits, axis=-1):
    return np.nan_to_num(softmax_unshifted(logits, axis))


def softmax_one_maximum(logits, axis=-1):
    exp = np.exp(logits - logits.max())
    return exp / exp.sum(axis, keepdims=True)


def softmax_axis_lost(logits, axis=-1):
    exp = np.exp(logits - logits.max(axis, keepdims=True))
    return exp / exp.sum(axis)


def softmax_axis_lost_unshifted(logits, axis=-1):
    return np.exp(logits) / np.exp(logits).sum(axis)


def softmax_last_axis(logits, axis=-1):
    exp = np.exp(logits - logits.max(-1, keepdims=True))
    return exp / exp.sum(-1, keepdims=True)


def softmax_without_exp(logits, axis=-1):
    return logits / logits.sum(axis, keepdims=True)


def softmax_in_place(logits, axis=-1):
    logits -= logits.max(axis, keepdims=True)
    exp = np.exp(logits)
    return exp / exp.sum(axis, keepdims=True)


def softmax_not_normalized(logits, axis=-1):
    return np.exp(logits - logits.max(axis, keepdims=True))


SOFTMAX = Exercise(
    id="01.softmax",
    title="Softmax that survives any score",
    reference=ref.softmax,
    cases=SCORES,
    mistakes=(
        Mistake(
            "divides by the sum over the whole array",
            "Your rows do not sum to one, but the whole array does. Each row is a distribution of its own: what "
            "should it be divided by?",
            softmax_over_everything,
        ),
        Mistake(
            "divides by the sum over the whole array, with no maximum subtracted",
            "Right for one row of small scores. Two things are left: your rows do not sum to one, because each needs "
            "a sum of its own; and large scores give NaN, because exp(10000) is inf.",
            softmax_over_everything_unshifted,
        ),
        Mistake(
            "no maximum subtracted",
            "Right for small scores, but exp(10000) is inf and inf / inf is NaN. Adding the same number to every "
            "score changes nothing about the answer: which number keeps every exponential within range?",
            softmax_unshifted,
        ),
        Mistake(
            "NaN patched over",
            "The NaN are gone, but those rows now sum to zero, and zero is no probability for the best word. The NaN "
            "came from inf / inf: what can keep the infinity from arising?",
            softmax_patched,
        ),
        Mistake(
            "one maximum for all rows",
            "A row far below the largest score of the whole array underflows to zeros, and 0 / 0 is NaN. What does "
            "each row need to have subtracted?",
            softmax_one_maximum,
        ),
        Mistake(
            "the summed axis is lost",
            "NumPy lines up your sums with the wrong axis: an error for most shapes, and for square ones a silent "
            "mix-up of rows. What shape must the sums have, so that each row meets its own?",
            softmax_axis_lost,
        ),
        Mistake(
            "the summed axis is lost, and no maximum subtracted",
            "Right for one row of small scores. Two things are left: NumPy lines up your sums with the wrong axis, so "
            "what shape must they have; and exp(10000) is inf, so what can be taken off every score of a row?",
            softmax_axis_lost_unshifted,
        ),
        Mistake(
            "the axis is always the last",
            "Right as long as the tokens lie along the last axis, but `axis` is never used. Which of your calls need "
            "it?",
            softmax_last_axis,
        ),
        Mistake(
            "scores divided by their sum",
            "They do sum to one, yet some are negative, and two scores of 0 would be 0 / 0. What makes any score "
            "positive before it is divided?",
            softmax_without_exp,
        ),
        Mistake(
            "the caller's scores are changed",
            "The probabilities are right, but the array that was handed in is no longer what it was, and whoever uses "
            "it next gets shifted scores. Which of your lines writes into it?",
            softmax_in_place,
        ),
        Mistake(
            "never normalized",
            "Every number is positive and the best word has exactly 1, so the rows sum to more than one. What turns "
            "positive weights into shares of a whole?",
            softmax_not_normalized,
        ),
    ),
    hints=(
        "Two steps: make every score positive, then make every row sum to one.",
        "Try your function on a score of 1000. What does np.exp answer, and what is inf / inf?",
        "Add a constant to every score of a row and work out on paper what happens to the fraction.",
        (
            "Choose the constant so that the largest exponent of each row is 0, and keep the reduced axis (keepdims) "
            "so that maxima and sums line up with their rows."
        ),
    ),
    minutes=8,
    answers_in=(ref.log_softmax, ref.temperature),
)


# 01.log-softmax


def log_of_softmax(logits, axis=-1):
    return np.log(ref.softmax(logits, axis))


def log_of_unshifted(logits, axis=-1):
    return np.log(softmax_unshifted(logits, axis))


def log_of_padded_softmax(logits, axis=-1):
    return np.log(ref.softmax(logits, axis) + 1e-12)


def sum_without_log(logits, axis=-1):
    shifted = logits - logits.max(axis, keepdims=True)
    return shifted - np.exp(shifted).sum(axis, keepdims=True)


def shift_counted_twice(logits, axis=-1):
    return logits - logits.max(axis, keepdims=True) - ref.logsumexp(logits, axis, keepdims=True)


def shift_counted_once(logits, axis=-1):
    shifted = logits - logits.max(axis, keepdims=True)
    return logits - np.log(np.exp(shifted).sum(axis, keepdims=True))


def log_softmax_over_everything(logits, axis=-1):
    return logits - logsumexp_of_everything(logits)


def log_forgotten(logits, axis=-1):
    return ref.softmax(logits, axis)


LOG_SOFTMAX = Exercise(
    id="01.log-softmax",
    title="The logarithm of the softmax, for words far behind",
    reference=ref.log_softmax,
    cases=(*SCORES, Case("scores of 0, -800 and -1000, and of 30, 0 and -30", (FAR_BEHIND,))),
    mistakes=(
        Mistake(
            "the logarithm of a finished softmax",
            "Your -inf should be -800: the probability underflowed to 0 before you took its logarithm. Take the "
            "logarithm of the formula on paper first; which exp and log undo each other?",
            log_of_softmax,
        ),
        Mistake(
            "the logarithm of an overflowing softmax",
            "Large scores give NaN, because exp(10000) is inf. Take the logarithm of the formula on paper first, and "
            "look for the log-sum-exp you have already built.",
            log_of_unshifted,
        ),
        Mistake(
            "a small number added inside the logarithm",
            "No -inf any more, but nothing is ever less likely than your small number: -800 has become -27.6, and a "
            "model would stop learning from its worst guesses. Can the underflow be avoided instead of covered?",
            log_of_padded_softmax,
        ),
        Mistake(
            "subtracts the sum, not its logarithm",
            "The exponentials of your answer do not sum to one. Dividing by a sum becomes, after the logarithm, the "
            "subtraction of what?",
            sum_without_log,
        ),
        Mistake(
            "the shift is counted twice",
            "Right only where the largest score is 0. You subtract the maximum from the scores and then a log-sum-exp "
            "that contains it already: how often should the maximum leave?",
            shift_counted_twice,
        ),
        Mistake(
            "the shift is taken out of one side only",
            "Right only where the largest score is 0, and some of your log-probabilities are above 0. The sum was "
            "made from shifted scores: what must it be subtracted from?",
            shift_counted_once,
        ),
        Mistake(
            "one sum for the whole array",
            "The exponentials of the whole array sum to one, those of your rows do not. Each row is a distribution of "
            "its own.",
            log_softmax_over_everything,
        ),
        Mistake(
            "probabilities, not their logarithms",
            "Your numbers lie between 0 and 1 and sum to one; log-probabilities are 0 or less. What is still to be "
            "done, and can it be done before numbers underflow?",
            log_forgotten,
        ),
    ),
    hints=(
        "Take the logarithm of exp(z_i) / sum_j exp(z_j) on paper. What becomes of the fraction?",
        "The numerator becomes z_i itself. The denominator becomes a quantity that you have built in this chapter.",
        (
            "Subtract that quantity from the scores, row by row. There is no softmax in the code, so nothing has a "
            "chance to underflow before the logarithm."
        ),
    ),
    minutes=5,
)


# 01.temperature


def multiplied(logits, tau):
    return ref.softmax(logits * tau)


def probabilities_divided(logits, tau):
    return ref.softmax(logits) / tau


def powers_not_normalized(logits, tau):
    return ref.softmax(logits) ** (1 / tau)


def powers_of_probabilities(logits, tau):
    powers = ref.softmax(logits) ** (1 / tau)
    return powers / powers.sum(-1, keepdims=True)


def softmax_twice(logits, tau):
    return ref.softmax(ref.softmax(logits) / tau)


def overflowing(logits, tau):
    return softmax_unshifted(logits / tau)


def temperature_ignored(logits, tau):
    return ref.softmax(logits)


TEMPERATURE = Exercise(
    id="01.temperature",
    title="Temperature: sharper or flatter",
    reference=ref.temperature,
    cases=(
        Case("two scores, temperature 1/2", (TWO, 0.5)),
        Case("two scores, temperature 2", (TWO, 2.0)),
        Case("scores in three dimensions, temperature 1", (BATCH, 1.0)),
        Case("scores in three dimensions, temperature 0.3", (BATCH, 0.3)),
        Case("scores up to 40, temperature 1/100", (np.array([[40.0, 39.99, 0.0], [-40.0, -39.99, 0.0]]), 0.01)),
        Case("scores 1000 apart, temperature 1000", (np.array([[0.0, -1_000.0], [-2_000.0, 0.0]]), 1_000.0)),
        Case("scores of -inf, temperature 3", (EXCLUDED, 3.0)),
    ),
    mistakes=(
        Mistake(
            "multiplies by the temperature",
            "Your heat cools: at temperature 2 the leader's lead should shrink, and yours grows. Which way should a "
            "large temperature move the differences between scores?",
            multiplied,
        ),
        Mistake(
            "divides the probabilities",
            "Your rows sum to 1/tau instead of one: the temperature reached the probabilities, too late to change "
            "their proportions. Where does it have to act?",
            probabilities_divided,
        ),
        Mistake(
            "powers that do not sum to one",
            "The proportions are right, but the rows do not sum to one. What do weights need to become probabilities?",
            powers_not_normalized,
        ),
        Mistake(
            "powers of finished probabilities",
            "Equal on paper, and right for mild scores. But a probability of exp(-1000) is stored as 0, and no power "
            "brings it back. Do the same to the scores, where the number is still at hand.",
            powers_of_probabilities,
        ),
        Mistake(
            "softmax taken twice",
            "Even at temperature 1 your answer is not the softmax: it is far too flat, because probabilities went in "
            "where scores belong. How many times does the formula exponentiate?",
            softmax_twice,
        ),
        Mistake(
            "overflows at low temperature",
            "Scores of 40 at temperature 0.01 are as large as 4000, and exp(4000) is inf. The division comes first; "
            "what did your softmax do about large scores?",
            overflowing,
        ),
        Mistake(
            "the temperature is not used",
            "Right at temperature 1 and nowhere else: every tau gives the same answer. Where does tau stand in the "
            "equation?",
            temperature_ignored,
        ),
    ),
    hints=(
        "Which numbers does tau touch in the equation: the scores, or the probabilities?",
        "Once the scores are changed, the rest is the softmax as you know it, and it must be the stable one.",
        "Test yourself: at tau = 1 nothing changes; at a very large tau all probabilities become equal.",
    ),
    minutes=4,
)


# 01.jacobian


def own_scores_only(logits):
    p = ref.softmax(logits)
    return (p * (1 - p))[..., None] * np.eye(p.shape[-1])


def others_gain_too(logits):
    p = ref.softmax(logits)
    return p[..., :, None] * (np.eye(p.shape[-1]) + p[..., None, :])


def no_diagonal(logits):
    p = ref.softmax(logits)
    return -p[..., :, None] * p[..., None, :]


def ones_for_the_identity(logits):
    p = ref.softmax(logits)
    return p[..., :, None] * (1 - p[..., None, :])


def of_the_logarithm(logits):
    p = ref.softmax(logits)
    return np.eye(p.shape[-1]) - np.broadcast_to(p[..., None, :], (*p.shape, p.shape[-1]))


def one_row_only(logits):
    p = ref.softmax(logits)
    return np.diag(p) - np.outer(p, p)


def vector_of_slopes(logits):
    p = ref.softmax(logits)
    return p * (1 - p)


JACOBIAN = Exercise(
    id="01.jacobian",
    title="How a nudge to one score moves every probability",
    reference=ref.softmax_jacobian,
    cases=(
        Case("two scores that are log 3 apart", (TWO,)),
        Case("three scores", (ROWS[0],)),
        Case("two rows of three scores", (ROWS,)),
        Case("scores in three dimensions", (BATCH,)),
        Case("scores of ten thousand", (HUGE,)),
        Case("scores of -inf, for excluded tokens", (EXCLUDED,)),
    ),
    mistakes=(
        Mistake(
            "only a score's own probability moves",
            "Your matrix is zero off the diagonal, so its rows do not sum to zero. The probabilities always sum to "
            "one: if one grows, who pays for it?",
            own_scores_only,
        ),
        Mistake(
            "the others grow as well",
            "All your entries are positive: raising one score would raise every probability, and they could not go on "
            "summing to one. Which sign do the entries off the diagonal need?",
            others_gain_too,
        ),
        Mistake(
            "the diagonal's own gain is missing",
            "All your entries are negative: raising a score would lower its own probability too. What does the delta "
            "in the equation add where i = j?",
            no_diagonal,
        ),
        Mistake(
            "ones where the identity belongs",
            "The diagonal is right, but off it your entries are positive. Delta is 1 where i = j and 0 elsewhere; "
            "yours is 1 everywhere.",
            ones_for_the_identity,
        ),
        Mistake(
            "the derivative of log p",
            "Your entries do not depend on p_i, so even an impossible word moves. You have the slope of log p_i; by "
            "the chain rule, what still multiplies it?",
            of_the_logarithm,
        ),
        Mistake(
            "one row of scores only",
            "Right for a single row, an error for several. Each row needs a matrix of its own: which axes must be "
            "added, and where, so that p_i meets every p_j of its own row and no other?",
            one_row_only,
        ),
        Mistake(
            "slopes without the other scores",
            "You return one slope per token; with V tokens there are V times V of them, because every score moves "
            "every probability. What shape does the docstring promise?",
            vector_of_slopes,
        ),
    ),
    hints=(
        "Start with one row. Which p stands for the row of the matrix, which for its column?",
        (
            "The equation is a product of p_i with a bracket. The bracket is the identity matrix minus a matrix whose "
            "rows are all equal to p."
        ),
        (
            "For many rows at once give p a last axis of length 1 in one place and a last but one in the other, and "
            "let NumPy broadcast them against the identity."
        ),
        "Test yourself: the matrix is symmetric, and each row sums to zero.",
    ),
    minutes=10,
)


EXERCISES = (LOGSUMEXP, SOFTMAX, LOG_SOFTMAX, TEMPERATURE, JACOBIAN)
