"""Chapter 01: scores become probabilities, whatever their size.

Shapes: V tokens; leading dimensions are free.
"""

import numpy as np

from mlm_mini import reference as ref
from mlm_mini.course.exercise import Case, Exercise, Mistake

TWO = np.array([0.0, np.log(3.0)])
ROWS = np.array([[1.0, 2.0, 4.0], [0.5, -1.0, 3.0]])
ONE_ROW = np.array([[0.0, -800.0, -810.0, -820.0, -830.0, -840.0]])
DEEP = np.array([[[0.0, 1.0, 3.0]], [[2.0, 2.0, -1.0]]])
BATCH = np.random.default_rng(1).normal(scale=3.0, size=(2, 3, 5))
HUGE = np.array([1e4, 9_999.0, 9_998.0, -1e4])
FAR_APART = np.array([[1e4, 9_999.0, 9_998.0], [2.0, 0.0, 1.0], [-1e4, -9_999.0, -9_998.0]])
EXCLUDED = np.array([[0.0, -np.inf, 1.0], [-np.inf, -np.inf, 2.0]])
# Below -10000, so that an excluded token whose -inf was replaced by a number of ordinary size wins its row.
EXCLUDED_FAR = np.array([[-2e4, -19_999.0, -np.inf], [2e4, -np.inf, 19_999.0]])
FAR_BEHIND = np.array([[0.0, -800.0, -1_000.0], [30.0, 0.0, -30.0]])

SCORES = (
    Case("two scores that are log 3 apart", (TWO,)),
    Case("two rows of three scores", (ROWS,)),
    Case("tokens along the first axis", (ROWS.T,), {"axis": 0}),
    Case("two sentences of one position", (DEEP,)),
    Case("one row of scores, all but the first far behind", (ONE_ROW,)),
    Case("scores of ten thousand", (HUGE,)),
    Case("scores of -inf, for excluded tokens", (EXCLUDED,)),
    Case("scores of -inf beside very low and very high ones", (EXCLUDED_FAR,)),
    Case("three rows, near 10000, 0 and -10000", (FAR_APART,)),
    Case("two sentences of three positions", (BATCH,)),
)


def whole_array(logits):
    """The sum of all exponentials, whichever row they stand in."""
    return np.exp(logits - logits.max()).sum()


def without_inf(logits, number):
    """The scores with `number` in place of every -inf."""
    return np.where(np.isneginf(logits), number, logits)


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


def logsumexp_maxima_lost_the_axis(logits, axis=-1):
    m = logits.max(axis)
    return m + np.log(np.exp(logits - m).sum(axis))


def logsumexp_squeezed_bare(logits, axis=-1):
    return np.squeeze(logsumexp_keeps_the_axis(logits, axis))


def logsumexp_padded(logits, axis=-1):
    m = logits.max(axis, keepdims=True)
    return np.squeeze(m + np.log(np.exp(logits - m).sum(axis, keepdims=True) + 1e-12), axis)


def logsumexp_with(number):
    """The log-sum-exp of someone who first replaces every -inf by `number`."""
    return lambda logits, axis=-1: logsumexp_keeps_the_axis(without_inf(logits, number), axis).squeeze(axis)


LOGSUMEXP = Exercise(
    id="01.logsumexp",
    title="The log of a sum of exponentials",
    reference=ref.logsumexp,
    cases=SCORES,
    mistakes=(
        Mistake(
            "no maximum subtracted",
            "Right for small scores, but exp(10000) is inf, and where all scores are near -10000 every exponential is "
            "0 and the logarithm -inf. What can be factored out of every term before the sum?",
            logsumexp_unshifted,
        ),
        Mistake(
            "the maxima lost their axis",
            "The maxima lost their axis. NumPy lined them up with the columns: an error for two rows of three, and in "
            "a square array each row had another row's maximum subtracted. Which argument of max keeps an axis of "
            "length 1?",
            logsumexp_maxima_lost_the_axis,
        ),
        Mistake(
            "one maximum for all rows",
            "A row far below the largest score of the whole array underflows: its sum is 0 and its log -inf. Each row "
            "needs a shift of its own; how do you keep that shape while you subtract?",
            logsumexp_one_maximum,
        ),
        Mistake(
            "the shift is never undone",
            "Your answer does not change when every score grows by 10, yet a sum of larger terms is larger. What was "
            "factored out of the sum has to come back after the logarithm.",
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
            "sum; and exp(10000) is inf, unless a common factor leaves the sum first.",
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
            "every axis of length 1 is removed",
            "The numbers are right, but a batch of one sentence, or sentences of one position, lost their axis too. "
            "Only the axis of the tokens should go: how can you name the one you mean?",
            logsumexp_squeezed_bare,
        ),
        Mistake(
            "the largest score alone",
            "Close when one score leads by far, but two equal scores weigh more than one: your answer misses log 2 "
            "there. What is left of the sum once its largest term is factored out?",
            logsumexp_is_the_maximum,
        ),
        Mistake(
            "a small number added inside the logarithm",
            "Off by 1e-12 where the answer is 0. After the shift the sum is never below 1, so there is nothing "
            "to protect the logarithm from: which term makes sure of that?",
            logsumexp_padded,
        ),
        *(
            Mistake(
                f"a finite number ({number}) in place of -inf",
                f"To a row whose scores lie near -20000, {number} is not minus infinity but the best score of all, "
                "and the excluded token wins. What is exp(-inf), and does it need any help?",
                logsumexp_with(number),
            )
            for number in (-100, -1_000, -10_000)
        ),
    ),
    hints=(
        "Write the formula first as it stands, and look at what np.exp makes of 1000.",
        (
            "exp(a + b) = exp(a) exp(b): a factor common to all terms can be written once, in front of the sum, and "
            "then the logarithm makes it a summand."
        ),
        (
            "Factor out the largest term of each row. Every exponent is then 0 or less, so nothing overflows, and one "
            "term is exactly 1, so the sum is never 0."
        ),
        (
            "For the subtraction the maxima need an axis of length 1 where the tokens were; for the last addition "
            "they do not. NumPy's keepdims and squeeze are made for this. `squeeze(axis)` removes exactly that one "
            "axis; a bare `squeeze()` removes every axis of length 1."
        ),
    ),
    minutes=12,
    atol=1e-13,  # one row has the answer 0: a small number added inside the logarithm shows there
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


def softmax_maxima_lost_the_axis(logits, axis=-1):
    exp = np.exp(logits - logits.max(axis))
    return exp / exp.sum(axis, keepdims=True)


def softmax_both_lost_the_axis(logits, axis=-1):
    exp = np.exp(logits - logits.max(axis))
    return exp / exp.sum(axis)


def softmax_padded(logits, axis=-1):
    exp = np.exp(logits - logits.max(axis, keepdims=True))
    return exp / (exp.sum(axis, keepdims=True) + 1e-9)


def softmax_without_inf(logits, axis=-1):
    finite = without_inf(logits, -1e4)
    exp = np.exp(finite - finite.max(axis, keepdims=True))
    return exp / exp.sum(axis, keepdims=True)


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
            "no maximum subtracted",
            "Right for small scores, but exp(10000) is inf and inf / inf is NaN. Adding the same number to every "
            "score changes nothing about the answer: which number keeps every exponential within range?",
            softmax_unshifted,
        ),
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
            "NaN patched over",
            "The NaN are gone, but those rows now sum to zero, and zero is no probability for the best word. The NaN "
            "came from inf / inf: what can keep the infinity from arising?",
            softmax_patched,
        ),
        Mistake(
            "a finite number in place of -inf",
            "Right among small scores. But where every score of a row lies below your number, the excluded token has "
            "the best score and takes the whole probability. What is exp(-inf), and does it need any help?",
            softmax_without_inf,
        ),
        Mistake(
            "a small number added to the sum",
            "Your rows fall short of one, by about 1e-9. After the shift the sum is never below 1, so there is "
            "nothing to protect the division from: which term makes sure of that?",
            softmax_padded,
        ),
        Mistake(
            "one maximum for all rows",
            "A row far below the largest score of the whole array underflows to zeros, and 0 / 0 is NaN. What does "
            "each row need to have subtracted?",
            softmax_one_maximum,
        ),
        Mistake(
            "the maxima lost their axis",
            "The maxima lost their axis. NumPy lined them up with the columns: an error for two rows of three, and in "
            "a square array each row had another row's maximum subtracted. Which argument of max keeps an axis of "
            "length 1?",
            softmax_maxima_lost_the_axis,
        ),
        Mistake(
            "the maxima and the sums lost their axis",
            "NumPy lined up your maxima and your sums with the columns: an error for two rows of three, and in a "
            "square array each row gets another row's. Which argument of max and of sum keeps an axis of length 1?",
            softmax_both_lost_the_axis,
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
    minutes=10,
    rtol=1e-10,  # a small number added to the sums shows in the tenth digit
    atol=1e-30,  # the probability of an excluded token is 0, not a small number
    answers_in=(ref.log_softmax, ref.temperature),
)


# 01.log-softmax


def log_of_softmax(logits, axis=-1):
    return np.log(ref.softmax(logits, axis))


def log_of_unshifted(logits, axis=-1):
    return np.log(softmax_unshifted(logits, axis))


def log_of_padded_softmax(logits, axis=-1):
    return np.log(ref.softmax(logits, axis) + 1e-12)


def logsumexp_lost_the_axis(logits, axis=-1):
    return logits - ref.logsumexp(logits, axis)


def log_softmax_maxima_lost_the_axis(logits, axis=-1):
    shifted = logits - logits.max(axis)
    return shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))


def log_softmax_sums_lost_the_axis(logits, axis=-1):
    shifted = logits - logits.max(axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis))


def log_softmax_both_lost_the_axis(logits, axis=-1):
    shifted = logits - logits.max(axis)
    return shifted - np.log(np.exp(shifted).sum(axis))


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
            "the log-sum-exp lost its axis",
            "NumPy lined up one log-sum-exp per row with the columns: an error for two rows of three, and in a square "
            "array each score had another row's subtracted. What shape must it have to meet its own row?",
            logsumexp_lost_the_axis,
        ),
        Mistake(
            "the maxima lost their axis",
            "The maxima lost their axis. NumPy lined them up with the columns: an error for two rows of three, and in "
            "a square array each row had another row's maximum subtracted. Which argument of max keeps an axis of "
            "length 1?",
            log_softmax_maxima_lost_the_axis,
        ),
        Mistake(
            "the sums lost their axis",
            "The maxima are right. NumPy lined up your sums with the columns: an error for two rows of three, and in "
            "a square array each row meets another row's sum. Which argument of sum keeps an axis of length 1?",
            log_softmax_sums_lost_the_axis,
        ),
        Mistake(
            "the maxima and the sums lost their axis",
            "NumPy lined up your maxima and your sums with the columns: an error for two rows of three, and in a "
            "square array each row gets another row's. Which argument of max and of sum keeps an axis of length 1?",
            log_softmax_both_lost_the_axis,
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
            "one side shifted, the other not",
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
    minutes=6,
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


def temperature_maxima_lost_the_axis(logits, tau):
    return softmax_maxima_lost_the_axis(logits / tau)


def temperature_sums_lost_the_axis(logits, tau):
    return softmax_axis_lost(logits / tau)


def temperature_both_lost_the_axis(logits, tau):
    return softmax_both_lost_the_axis(logits / tau)


def temperature_cancels(logits, tau):
    divided = ref.softmax(logits) / tau
    return divided / divided.sum(-1, keepdims=True)


TEMPERATURE = Exercise(
    id="01.temperature",
    title="Temperature: sharper or flatter",
    reference=ref.temperature,
    cases=(
        Case("two scores, temperature 1/2", (TWO, 0.5)),
        Case("two scores, temperature 2", (TWO, 2.0)),
        Case("two rows of three scores, temperature 2", (ROWS, 2.0)),
        Case("two sentences of one position, temperature 1", (DEEP, 1.0)),
        Case("scores up to 40, temperature 1/100", (np.array([[40.0, 39.99, 0.0], [-40.0, -39.99, 0.0]]), 0.01)),
        Case("scores 1000 apart, temperature 1000", (np.array([[0.0, -1_000.0], [-2_000.0, 0.0]]), 1_000.0)),
        Case("scores of -inf, temperature 3", (EXCLUDED, 3.0)),
        Case("three rows, near 10000, 0 and -10000, temperature 5", (FAR_APART, 5.0)),
        Case("two sentences of three positions, temperature 0.3", (BATCH, 0.3)),
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
            "the maxima lost their axis",
            "The maxima lost their axis. NumPy lined them up with the columns: an error for two rows of three, and in "
            "a square array each row had another row's maximum subtracted. Which argument of max keeps an axis of "
            "length 1?",
            temperature_maxima_lost_the_axis,
        ),
        Mistake(
            "the sums lost their axis",
            "The maxima are right. NumPy lined up your sums with the columns: an error for two rows of three, and in "
            "a square array each row meets another row's sum. Which argument of sum keeps an axis of length 1?",
            temperature_sums_lost_the_axis,
        ),
        Mistake(
            "the maxima and the sums lost their axis",
            "NumPy lined up your maxima and your sums with the columns: an error for two rows of three, and in a "
            "square array each row gets another row's. Which argument of max and of sum keeps an axis of length 1?",
            temperature_both_lost_the_axis,
        ),
        Mistake(
            "the temperature cancels",
            "Right at temperature 1 and nowhere else: every tau gives the same answer. Either tau is not used, or it "
            "divides all probabilities alike and the sum below takes it out again. Where does tau stand in the "
            "equation?",
            temperature_cancels,
        ),
    ),
    hints=(
        "Which numbers does tau touch in the equation: the scores, or the probabilities?",
        "Once the scores are changed, the rest is the softmax as you know it, and it must be the stable one.",
        "Test yourself: at tau = 1 nothing changes; at a very large tau all probabilities become equal.",
    ),
    minutes=5,
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


def sign_flipped(logits):
    p = ref.softmax(logits)
    return p[..., :, None] * (p[..., None, :] - np.eye(p.shape[-1]))


def columns_multiplied(logits):
    p = ref.softmax(logits)
    return p * (np.eye(p.shape[-1]) - p)


def p_j_twice(logits):
    p = ref.softmax(logits)
    return p[..., None, :] * (np.eye(p.shape[-1]) - p[..., None, :])


def p_i_twice(logits):
    p = ref.softmax(logits)
    return p[..., :, None] * (np.eye(p.shape[-1]) - p[..., :, None])


def jacobian_squeezed_bare(logits):
    return -sign_flipped(logits).squeeze()


def vector_of_slopes(logits):
    p = ref.softmax(logits)
    return p * (1 - p)


JACOBIAN = Exercise(
    id="01.jacobian",
    title="How a nudge to one score moves every probability",
    reference=ref.softmax_jacobian,
    cases=(
        Case("two scores that are log 3 apart", (TWO,)),
        Case("one row of three scores", (ROWS[:1],)),
        Case("two sentences of one position", (DEEP[..., :2],)),
        Case("two rows of three scores", (ROWS,)),
        Case("scores of ten thousand", (HUGE,)),
        Case("scores of -inf, for excluded tokens", (EXCLUDED,)),
        Case("two sentences of three positions", (BATCH,)),
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
            "the sign is flipped",
            "Every sign is the wrong way round: raising a score would lower its own probability and lift the others. "
            "In which order does the bracket of the equation subtract?",
            sign_flipped,
        ),
        Mistake(
            "p multiplies the columns, and one row of scores only",
            "p multiplies columns here; p_i belongs to the rows. NumPy lines up a plain p with the last axis, j. Which "
            "axis does p need so that it runs down the matrix, and where must it stand when there are many rows?",
            columns_multiplied,
        ),
        Mistake(
            "p_j where p_i belongs",
            "p multiplies columns here; p_i belongs to the rows, so yours is not symmetric. Both of your p's run "
            "across the matrix: which of the two has to run down?",
            p_j_twice,
        ),
        Mistake(
            "p_i where p_j belongs",
            "Your columns do not sum to zero. Both of your p's run down the matrix, as p_i does; inside the bracket "
            "stands p_j. Which way does that one run?",
            p_i_twice,
        ),
        Mistake(
            "one row of scores only",
            "Right for a single array of V scores, and for no array with more axes. Each row needs a matrix of its "
            "own: which axes must be added, and where, so that p_i meets every p_j of its own row and no other?",
            one_row_only,
        ),
        Mistake(
            "every axis of length 1 is removed",
            "The numbers are right, but a batch of one sentence, or sentences of one position, lost an axis. The "
            "docstring promises one axis more than the scores have: which of your lines removes too many?",
            jacobian_squeezed_bare,
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
    minutes=15,
)


EXERCISES = (LOGSUMEXP, SOFTMAX, LOG_SOFTMAX, TEMPERATURE, JACOBIAN)
