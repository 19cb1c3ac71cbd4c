"""Chapter 07: training, from one step of AdamW to a run that can be stopped, and the bug clinic of Part II.

Shapes: B sentences, T positions, K rows of real text. Everything here is NumPy and plain Python: what is taught are the
rules, and the tests of `mlm_mini.training` hold PyTorch's against them.
"""

import numpy as np

from mlm_mini.course.compare import type_name
from mlm_mini.course.exercise import Case, Exercise, Mistake, WrongAnswer
from mlm_mini.reference import adamw_step


def rng(seed):
    return np.random.default_rng(seed)


# 07.adamw


def wrong_adamw(
    correct=lambda moment, beta, step: moment / (1 - beta**step),
    root=lambda v, epsilon: np.sqrt(v) + epsilon,
    decayed=lambda weight, rate, decay: rate * decay * weight,
    coupled=False,
    mix=lambda old, new, beta: beta * old + (1 - beta) * new,
    square=np.square,
    swap=False,
):
    """A wrong `adamw_step`, wrong in the part that is given."""

    def step_(weight, gradient, m, v, step, rate, decay=0.01, beta1=0.9, beta2=0.98, epsilon=1e-6):
        if swap:
            beta1, beta2 = beta2, beta1
        g = gradient + decay * weight if coupled else gradient
        m, v = mix(m, g, beta1), mix(v, square(g), beta2)
        move = rate * correct(m, beta1, step) / root(correct(v, beta2, step), epsilon)
        return weight - move - (0 if coupled else decayed(weight, rate, decay)), m, v

    return step_


def adamw_case(seed, shape, step, rate=0.01, **settings):
    r = rng(seed)
    weight, gradient, m = (r.normal(size=shape) for _ in range(3))
    v = r.random(shape) * 0.3
    if step == 1:
        m, v = np.zeros(shape), np.zeros(shape)
    return (weight, gradient, m, v, step, rate), settings


def _adamw_cases():
    named = {
        "the first step, one weight": adamw_case(1, (1,), 1, 0.1),
        "the third step, a matrix": adamw_case(2, (2, 3), 3),
        "a thousand steps on": adamw_case(3, (4,), 1000),
        "strong decay": adamw_case(4, (2, 2), 2, decay=0.5),
        "no decay, other betas": adamw_case(5, (3,), 2, decay=0.0, beta1=0.5, beta2=0.9),
    }
    cases = [Case(name, args, settings) for name, (args, settings) in named.items()]
    zero = np.zeros(2)
    cases.append(Case("no gradient yet", (np.array([1.0, -2.0]), zero, zero, zero, 1, 0.1)))
    tiny = np.array([1e-6, -3e-6])
    cases.append(Case("gradients as small as epsilon", (np.ones(2), tiny, 0.1 * tiny, 0.02 * tiny**2, 2, 0.1)))
    return tuple(cases)


ADAMW = Exercise(
    id="07.adamw",
    title="One step of AdamW",
    reference=adamw_step,
    cases=_adamw_cases(),
    minutes=20,
    mistakes=(
        Mistake(
            "no bias correction",
            "Your first steps are too small or too large: m and v start at zero and have not had time to grow. Divide "
            "each by the share of its weights that has been used by step `step`.",
            wrong_adamw(correct=lambda moment, beta, step: moment),
        ),
        Mistake(
            "bias correction counts from zero",
            "At the first step your correction divides by zero, or every step is corrected as the one before. Here "
            "the first step is number 1: which power does it take?",
            wrong_adamw(
                correct=lambda moment, beta, step: moment / (1 - beta ** (step - 1) + (1e-300 if step == 1 else 0))
            ),
            variants=(wrong_adamw(correct=lambda moment, beta, step: moment / (1 - beta ** (step + 1))),),
        ),
        Mistake(
            "the decay goes through the moments",
            "You add decay times the weight to the gradient. The division by the root then undoes it for weights with "
            "large gradients: that is Adam with L2, and the W of AdamW says that the decay stays outside.",
            wrong_adamw(coupled=True),
        ),
        Mistake(
            "no decay",
            "Right where decay is zero. Where is the term that draws each weight towards zero?",
            wrong_adamw(decayed=lambda weight, rate, decay: 0.0),
        ),
        Mistake(
            "the decay does not know the rate",
            "Your weights shrink by the decay itself at each step, whatever the learning rate. In the equation both "
            "terms stand inside one bracket.",
            wrong_adamw(decayed=lambda weight, rate, decay: decay * weight),
        ),
        Mistake(
            "the decay pushes away from zero",
            "Weights grow instead of shrinking: look at the sign in front of the decay.",
            wrong_adamw(decayed=lambda weight, rate, decay: -rate * decay * weight),
        ),
        Mistake(
            "no root",
            "You divide by v, and v has the unit of a squared gradient: the step then grows when the gradients shrink.",
            wrong_adamw(root=lambda v, epsilon: v + epsilon),
        ),
        Mistake(
            "epsilon under the root",
            "For gradients of ordinary size nobody notices, for tiny ones the step is far too short: in the equation "
            "epsilon is added to the root.",
            wrong_adamw(root=lambda v, epsilon: np.sqrt(v + epsilon)),
        ),
        Mistake(
            "the new moment counts as much as the old one should",
            "In your mean the new gradient has weight beta and the past 1 - beta. Which of them is to be remembered "
            "for longer?",
            wrong_adamw(mix=lambda old, new, beta: (1 - beta) * old + beta * new),
        ),
        Mistake(
            "a sum, not a mean",
            "Your moments are not multiplied by 1 - beta, so they grow far beyond the gradients they average.",
            wrong_adamw(mix=lambda old, new, beta: beta * old + new),
        ),
        Mistake(
            "v averages the gradient, not its square",
            "v is to say how large the gradients are, whatever their sign. A mean of the gradients themselves is m.",
            wrong_adamw(square=lambda g: g),
            variants=(wrong_adamw(square=np.abs),),
        ),
        Mistake(
            "the betas are exchanged",
            "beta1 belongs to the mean of the gradients, beta2 to the mean of their squares.",
            wrong_adamw(swap=True),
        ),
    ),
    hints=(
        "Go through the four equations in order; each is a line. Which of them change m and v for good?",
        "m_hat and v_hat are used for this step alone; what is returned are m and v without the correction.",
        "The two terms of the move, the corrected gradient and the decay, are added first and then multiplied by rate.",
    ),
)


# 07.learning-rate


def learning_rate(step, steps, warmup, highest):
    rise = (step + 1) / (warmup + 1)
    fall = (steps - step) / (steps - warmup)
    return highest * min(rise, fall)


RATE_CASES = tuple(
    Case(name, args)
    for name, args in {
        "the first of ten steps": (0, 10, 2, 1.0),
        "in the middle of the rise": (1, 10, 2, 1.0),
        "the highest": (2, 10, 2, 0.003),
        "on the way down": (6, 10, 2, 1.0),
        "the last step": (9, 10, 2, 1.0),
        "no warm-up, first": (0, 5, 0, 1.0),
        "no warm-up, last": (4, 5, 0, 1.0),
        "one step in all": (0, 1, 0, 0.5),
        "a long run": (4321, 5400, 540, 3e-3),
    }.items()
)
RATE = Exercise(
    id="07.learning-rate",
    title="Warm-up and decay",
    reference=learning_rate,
    cases=RATE_CASES,
    minutes=10,
    mistakes=(
        Mistake(
            "the first step has rate zero",
            "A step with rate zero computes a gradient and throws it away. The rise should begin one part above zero.",
            lambda step, steps, warmup, highest: (
                highest * min(step / warmup if warmup else 1.0, (steps - step) / (steps - warmup))
            ),
        ),
        Mistake(
            "the last step has rate zero",
            "The last batch is read for nothing. The fall should reach zero one step after the last.",
            lambda step, steps, warmup, highest: (
                highest * min((step + 1) / (warmup + 1), (steps - 1 - step) / max(steps - 1 - warmup, 1))
            ),
            variants=(
                lambda step, steps, warmup, highest: (
                    highest * min((step + 1) / (warmup + 1), (steps - step - 1) / (steps - warmup))
                ),
            ),
        ),
        Mistake(
            "no fall",
            "The rate rises and then stays. With a rate that stays high the weights keep jittering around the optimum.",
            lambda step, steps, warmup, highest: highest * min((step + 1) / (warmup + 1), 1.0),
        ),
        Mistake(
            "no rise",
            "The rate is highest at the first step, when AdamW knows least about the gradients.",
            lambda step, steps, warmup, highest: highest * min(1.0, (steps - step) / (steps - warmup)),
            variants=(lambda step, steps, warmup, highest: highest * (steps - step) / steps,),
        ),
        Mistake(
            "the fall begins at step 0",
            "Rise and fall are multiplied, or the fall is measured from the start: at the end of the warm-up the rate "
            "is already below its highest.",
            lambda step, steps, warmup, highest: highest * min((step + 1) / (warmup + 1), (steps - step) / steps),
            variants=(
                lambda step, steps, warmup, highest: (
                    highest * min((step + 1) / (warmup + 1), 1) * (steps - step) / steps
                ),
            ),
        ),
        Mistake(
            "the larger of the two lines",
            "Rise and fall are two lines, and the rate is to stay below both.",
            lambda step, steps, warmup, highest: (
                highest * max((step + 1) / (warmup + 1), (steps - step) / (steps - warmup))
            ),
        ),
        Mistake(
            "the highest rate is reached one step early",
            "warmup steps lie before the highest rate; yours is reached at the last of them.",
            lambda step, steps, warmup, highest: (
                highest * min((step + 1) / max(warmup, 1), (steps - step) / (steps - warmup))
            ),
        ),
    ),
    hints=(
        "Two straight lines: one rises from the first step on, one falls to the end. Which one counts where?",
        "The rising line is 1 at step `warmup` and would be 0 one step before step 0.",
        "The falling line is 1 at step `warmup` and would be 0 at step `steps`, one after the last.",
    ),
)


# 07.clip-gradient


def clip_gradient(gradients, largest):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    return [g * min(1.0, largest / norm) if norm > 0 else g.copy() for g in gradients]


def _norm(gradients):
    return np.sqrt(sum((g**2).sum() for g in gradients))


def scaled(norm_of, only_down=True):
    """A wrong `clip_gradient`, which scales all arrays by largest / norm_of(gradients)."""

    def clip(gradients, largest):
        norm = norm_of(gradients)
        factor = largest / norm if norm > 0 else 1.0
        return [g * (min(1.0, factor) if only_down else factor) for g in gradients]

    return clip


def _each_by_itself(gradients, largest):
    return [scaled(_norm)([g], largest)[0] for g in gradients]


def _divides_by_zero(gradients, largest):
    norm = _norm(gradients)
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = np.float64(largest) / norm
        return [g * factor / max(1.0, factor) for g in gradients]


CLIP = Exercise(
    id="07.clip-gradient",
    title="Clip the gradient",
    reference=clip_gradient,
    cases=(
        Case("one array, too long", ([np.array([3.0, 4.0])], 1.0)),
        Case("short enough already", ([np.array([0.3, -0.4]), np.array([[0.1]])], 1.0)),
        Case("two arrays, too long together", ([np.array([0.8, 0.0]), np.array([[0.0, -0.8]])], 1.0)),
        Case("one long and one short", ([rng(1).normal(0, 9, (3, 4)), rng(2).normal(0, 0.1, 5)], 2.0)),
        Case("all zero", ([np.zeros(3), np.zeros((2, 2))], 1.0)),
    ),
    minutes=12,
    mistakes=(
        Mistake(
            "each array is clipped by itself",
            "Arrays with a large gradient shrink and the others do not: the step points elsewhere. There is one norm, "
            "of all numbers together.",
            _each_by_itself,
        ),
        Mistake(
            "every number is clipped",
            "Cutting off single numbers bends the gradient towards the corners. Scale it as a whole.",
            lambda gradients, largest: [np.clip(g, -largest, largest) for g in gradients],
        ),
        Mistake(
            "short gradients are made longer",
            "A gradient that is short enough is to stay as it is. Near the end of training yours would be blown up.",
            scaled(_norm, only_down=False),
        ),
        Mistake(
            "no root",
            "You divide by the squared norm, so that a long gradient becomes far too short.",
            scaled(lambda gradients: sum((g**2).sum() for g in gradients)),
        ),
        Mistake(
            "the norms are added",
            "The norm of everything is not the sum of the norms: add the squares, then take one root.",
            scaled(lambda gradients: sum(np.sqrt((g**2).sum()) for g in gradients)),
        ),
        Mistake(
            "the largest number instead of the norm",
            "You measure the gradient by its largest number. The norm is the root of the sum of all squares.",
            scaled(lambda gradients: max(np.abs(g).max() for g in gradients)),
        ),
        Mistake(
            "a gradient of zero becomes NaN",
            "Right but for one input: where nothing is to be learned the norm is 0, and 0 / 0 spoils every weight.",
            _divides_by_zero,
        ),
    ),
    hints=(
        "Think of all the numbers of all arrays in one long vector: how long is it?",
        "If it is longer than `largest`, every number is multiplied by the same factor. Which?",
        "Two inputs need care: a gradient that is short enough, and one of length zero.",
    ),
)


# 07.accumulate


def accumulate(gradients, counts):
    total = max(sum(counts), 1)
    return sum(np.where(n > 0, g, 0.0) * n for g, n in zip(gradients, counts, strict=True)) / total


def part_gradients(seed, counts, shape=(2, 3)):
    means = [rng(seed + i).normal(size=shape) if n else np.full(shape, np.nan) for i, n in enumerate(counts)]
    return means, list(counts)


def _zero_for_empty(gradients, counts):
    return [g if n else np.zeros_like(g) for g, n in zip(gradients, counts, strict=True)]


ACCUMULATE = Exercise(
    id="07.accumulate",
    title="A batch in parts",
    reference=accumulate,
    cases=(
        Case("one part", part_gradients(1, [4])),
        Case("two parts, 1 label and 3", part_gradients(2, [1, 3], (1,))),
        Case("three parts that differ", part_gradients(3, [5, 20, 11])),
        Case("equal parts", part_gradients(4, [7, 7])),
        Case("a part without a label", part_gradients(5, [6, 0, 2])),
        Case("no label at all", part_gradients(6, [0, 0])),
    ),
    minutes=10,
    mistakes=(
        Mistake(
            "the mean of the means",
            "Right when all parts have as many labels. Otherwise a token counts for more where it met few others: "
            "weigh each part.",
            lambda gradients, counts: sum(_zero_for_empty(gradients, counts)) / len(counts),
            variants=(
                lambda gradients, counts: sum(_zero_for_empty(gradients, counts)) / max(sum(n > 0 for n in counts), 1),
            ),
        ),
        Mistake(
            "the sum of the means",
            "With ten parts your gradient is ten times too long. The batch has one mean.",
            lambda gradients, counts: sum(_zero_for_empty(gradients, counts)),
        ),
        Mistake(
            "the sum over all labels",
            "The parts are weighed rightly, but the sum is not divided by the number of labels of the whole batch.",
            lambda gradients, counts: sum(
                g * n for g, n in zip(_zero_for_empty(gradients, counts), counts, strict=True)
            ),
        ),
        Mistake(
            "divided by the number of parts",
            "Each part is multiplied by its labels, and then divided by how many parts there are. What did you count?",
            lambda gradients, counts: (
                sum(g * n for g, n in zip(_zero_for_empty(gradients, counts), counts, strict=True)) / len(counts)
            ),
        ),
        Mistake(
            "a part without labels spoils everything",
            "The mean of no labels is 0 / 0, and NaN times 0 is still NaN. Such a part has nothing to say: leave it "
            "out before it is multiplied.",
            lambda gradients, counts: sum(g * n for g, n in zip(gradients, counts, strict=True)) / max(sum(counts), 1),
        ),
        Mistake(
            "no labels, no answer",
            "In a batch without any label you divide by zero. The gradient of nothing is zero.",
            lambda gradients, counts: (
                sum(g * n for g, n in zip(_zero_for_empty(gradients, counts), counts, strict=True))
                / (sum(counts) or np.nan)
            ),
        ),
    ),
    hints=(
        "The mean over the batch is the sum over all its labels, divided by their number. What is the sum in one part?",
        "A part's mean times its number of labels is its sum.",
        "A part with no labels has the mean NaN; zero times NaN is not zero, so it must not enter the sum.",
    ),
)


# 07.fixed-masks


def fixed_masks(ids, special_ids, mask_ratio, seed):
    draws = np.random.default_rng(seed).random(ids.shape)
    return (draws < mask_ratio) & ~np.isin(ids, special_ids)


MASK_IDS = np.array([[2] + [7 + i % 5 for i in range(18)] + [3]] * 500)
SHARE_TOLERANCE = 0.03  # six standard errors of a share among 9,000 tokens


def observed_masks(function, ids, special_ids, mask_ratio, seed):
    """What is asked of masks that are to stay the same, whichever generator draws them."""
    state = np.random.get_state()[1].copy()  # noqa: NPY002, it is what must stay as it is
    first = _checked_selection(function(ids.copy(), special_ids, mask_ratio, seed), ids)
    again = _checked_selection(function(ids.copy(), special_ids, mask_ratio, seed), ids)
    other = _checked_selection(function(ids.copy(), special_ids, mask_ratio, seed + 1), ids)
    untouched = bool((state == np.random.get_state()[1]).all())  # noqa: NPY002
    regular = ~np.isin(ids, special_ids)
    return {
        "drawn again with the same seed, the masks are the same": bool((first == again).all()),
        "another seed draws other masks": bool((first != other).any()),
        "NumPy's global generator is left alone": untouched,
        "rows differ from each other": bool((first != first[:1]).any()),
        "share of special tokens selected": float(first[~regular].mean()),
        "share of words selected": float(first[regular].mean()),
    }


def _checked_selection(selected, ids):
    if type(selected) is not np.ndarray or selected.shape != ids.shape or selected.dtype != bool:
        raise WrongAnswer(f"The answer must be an array of true and false, of shape {ids.shape}.")
    return selected


def _selection(draws, ids, special_ids, mask_ratio):
    return (draws < mask_ratio) & ~np.isin(ids, special_ids)


def _from_global_state(ids, special_ids, mask_ratio, seed):
    np.random.seed(seed)  # noqa: NPY002, a mistake that people make
    return _selection(np.random.random(ids.shape), ids, special_ids, mask_ratio)  # noqa: NPY002


def _one_generator_for_all():
    generators = {}

    def fixed(ids, special_ids, mask_ratio, seed):
        draws = generators.setdefault(seed, np.random.default_rng(seed)).random(ids.shape)
        return _selection(draws, ids, special_ids, mask_ratio)

    return fixed


FIXED_MASKS = Exercise(
    id="07.fixed-masks",
    title="Masks that stay the same",
    reference=fixed_masks,
    cases=(
        Case("500 sentences at 0.15", (MASK_IDS, [0, 1, 2, 3, 4], 0.15, 7)),
        Case("special ids that are scattered", (MASK_IDS, [2, 3, 9], 0.4, 2026)),
    ),
    observe=observed_masks,
    rtol=0.0,
    atol=SHARE_TOLERANCE,
    minutes=10,
    mistakes=(
        Mistake(
            "new masks at every call",
            "The same question twice, and two different masks: the curve would jump because the questions change. "
            "What is the seed for?",
            lambda ids, special_ids, mask_ratio, seed: _selection(
                np.random.default_rng().random(ids.shape), ids, special_ids, mask_ratio
            ),
            variants=(_one_generator_for_all(),),
        ),
        Mistake(
            "the global generator is seeded",
            "The masks are the same, but so is, from then on, every random number that anybody else draws from "
            "NumPy's global generator: training masks would start over at each evaluation. Make a generator of your "
            "own.",
            _from_global_state,
        ),
        Mistake(
            "the seed is ignored",
            "Every seed gives the same masks. A second evaluation set would not be another one.",
            lambda ids, special_ids, mask_ratio, seed: _selection(
                np.random.default_rng(0).random(ids.shape), ids, special_ids, mask_ratio
            ),
        ),
        Mistake(
            "one mask for all sentences",
            "All rows hide the same places: one row of numbers was drawn and used for every sentence.",
            lambda ids, special_ids, mask_ratio, seed: _selection(
                np.broadcast_to(np.random.default_rng(seed).random(ids.shape[1]), ids.shape),
                ids,
                special_ids,
                mask_ratio,
            ),
        ),
        Mistake(
            "special tokens are selected too",
            "[CLS] and [SEP] are hidden now and then. Nobody should be asked for them.",
            lambda ids, special_ids, mask_ratio, seed: np.random.default_rng(seed).random(ids.shape) < mask_ratio,
        ),
        Mistake(
            "the ratio the wrong way round",
            "You hide what should stay visible: a share of 1 - mask_ratio is selected.",
            lambda ids, special_ids, mask_ratio, seed: _selection(
                1 - np.random.default_rng(seed).random(ids.shape), ids, special_ids, 1 - mask_ratio
            ),
        ),
    ),
    hints=(
        "What is drawn must depend on the seed and on nothing else: not on what was drawn before.",
        "np.random.default_rng(seed) makes a new generator that always begins alike.",
        "One number from 0 to 1 for each place: it is selected if that is below the ratio and the token not special.",
    ),
)


# 07.gap


def gap(model_nats, floor_nats, counts):
    difference = model_nats - floor_nats
    mean = difference.sum() / counts.sum()
    residual = difference - mean * counts
    return mean, np.sqrt((residual**2).sum()) / counts.sum()


def per_token(model_nats, floor_nats, counts):
    """What `gap` gives, for wrong answers that begin there."""
    difference = model_nats - floor_nats
    residual = _residuals(difference, counts)
    return difference.sum() / counts.sum(), np.sqrt((residual**2).sum()) / counts.sum()


def gap_case(seed, B, empty=False):
    r = rng(seed)
    counts = r.integers(0 if empty else 1, 6, B)
    floor = r.gamma(2.0, 0.5, B) * counts
    return floor + counts * r.normal(0.1, 0.2, B), floor, counts


def _gap_of_means(model_nats, floor_nats, counts):
    difference = (model_nats - floor_nats)[counts > 0] / counts[counts > 0]
    return difference.mean(), difference.std() / np.sqrt(len(difference))


def _gap_per_sentence(model_nats, floor_nats, counts):
    difference = model_nats - floor_nats
    return difference.mean(), difference.std() / np.sqrt(len(difference))


def _residuals(nats, counts):
    return nats - nats.sum() / counts.sum() * counts


def _gap_unpaired(model_nats, floor_nats, counts):
    squares = sum((_residuals(nats, counts) ** 2).sum() for nats in (model_nats, floor_nats))
    return (model_nats - floor_nats).sum() / counts.sum(), np.sqrt(squares) / counts.sum()


def with_error(error):
    """A wrong `gap`: the right mean, and error(residuals (B,), counts)."""

    def gap_(model_nats, floor_nats, counts):
        difference = model_nats - floor_nats
        return difference.sum() / counts.sum(), error(_residuals(difference, counts), counts)

    return gap_


GAP = Exercise(
    id="07.gap",
    title="How far from perfect, and how sure",
    reference=gap,
    cases=(
        Case("two sentences, one token each", (np.array([1.5, 0.5]), np.array([1.0, 0.4]), np.array([1, 1]))),
        Case(
            "three sentences of unlike size",
            (np.array([1.0, 4.0, 0.3]), np.array([0.9, 3.0, 0.3]), np.array([1, 5, 2])),
        ),
        Case("a hundred sentences", gap_case(1, 100)),
        Case("some with nothing hidden", gap_case(2, 60, empty=True)),
        Case("a perfect model", (gap_case(3, 20)[1], gap_case(3, 20)[1], gap_case(3, 20)[2])),
    ),
    minutes=15,
    mistakes=(
        Mistake(
            "the mean of the sentences' means",
            "A sentence with one hidden word counts as much as one with five. The gap is to be per token: all nats by "
            "all tokens.",
            _gap_of_means,
        ),
        Mistake(
            "per sentence, not per token",
            "Your gap grows with the number of words hidden in a sentence. Divide by the tokens.",
            _gap_per_sentence,
        ),
        Mistake(
            "two errors where there is one",
            "The mean is right and the error far too large: you add the scatter of model and floor. Both pay for the "
            "same words; it is their difference that scatters.",
            _gap_unpaired,
        ),
        Mistake(
            "the wrong way round",
            "Your gap is negative: a model cannot, on average, pay less than the floor.",
            lambda model_nats, floor_nats, counts: (
                -per_token(model_nats, floor_nats, counts)[0],
                per_token(model_nats, floor_nats, counts)[1],
            ),
        ),
        Mistake(
            "the scatter, not the error of the mean",
            "That is how much single sentences scatter. The error of the mean shrinks as sentences are added.",
            with_error(lambda residuals, counts: np.sqrt((residuals**2).mean())),
            variants=(with_error(lambda residuals, counts: np.sqrt((residuals**2).sum())),),
        ),
        Mistake(
            "the variance, not its root",
            "An error has the unit of what it is an error of, nats; yours has squared nats.",
            with_error(lambda residuals, counts: (residuals**2).sum() / counts.sum() ** 2),
        ),
        Mistake(
            "sentences of unlike length scatter for nothing",
            "Your error takes the difference itself, not what is left of it when the mean is taken off: a sentence "
            "with five tokens then counts as noise because it has five.",
            lambda model_nats, floor_nats, counts: (
                (model_nats - floor_nats).sum() / counts.sum(),
                np.sqrt(((model_nats - floor_nats) ** 2).sum()) / counts.sum(),
            ),
            variants=(
                lambda model_nats, floor_nats, counts: (
                    (model_nats - floor_nats).sum() / counts.sum(),
                    np.sqrt((((model_nats - floor_nats) - (model_nats - floor_nats).mean()) ** 2).sum()) / counts.sum(),
                ),
            ),
        ),
    ),
    hints=(
        "The gap first: the nats that the model pays beyond the floor, over all sentences, by the number of tokens.",
        "Then, for each sentence, what is left of its difference when gap times its tokens is taken off.",
        "The error is the root of the sum of their squares, divided by the number of all tokens.",
    ),
)


# 07.save


def save(disk, name, content):
    disk.write(name + ".partial", content)
    disk.flush(name + ".partial")
    disk.rename(name + ".partial", name)


class PowerCut(BaseException):
    """The machine stops. Not an Exception: there is nobody left to catch it."""


class Disk:
    """A disk that keeps what was flushed, and may lose power before any of its operations.

    A rename takes the name at once. What was written and not flushed is lost with the power: half of it is there.
    """

    def __init__(self, files, operations):
        self._files = {name: (content, True) for name, content in files.items()}
        self._left = operations
        self.written = set()  # the names that were written to

    def _operate(self):
        if self._left == 0:
            raise PowerCut
        self._left -= 1

    def write(self, name, content):
        """Begin to write: in the disk's memory, not yet on it."""
        self._operate()
        self._files[name] = (content, False)
        self.written.add(name)

    def flush(self, name):
        """Wait until the file is really on the disk."""
        self._operate()
        self._files[name] = (self._files[name][0], True)

    def rename(self, old, new):
        """Give a file another name, in one step. A file that had the new name is gone."""
        self._operate()
        self._files[new] = self._files.pop(old)

    def delete(self, name):
        """Remove a file."""
        self._operate()
        del self._files[name]

    def exists(self, name):
        """Whether there is a file of that name."""
        return name in self._files

    def after_the_cut(self):
        return {
            name: content if safe else content[: len(content) // 2] for name, (content, safe) in self._files.items()
        }


MOST_OPERATIONS = 12


def observed_save(function, files, name, content):
    """What is left on the disk when the power goes before operation 1, 2, ... and when it does not."""
    met = set()
    for operations in range(MOST_OPERATIONS):
        disk = Disk(files, operations)
        try:
            function(disk, name, content)
        except PowerCut:
            met.add(_what_is_there(disk.after_the_cut().get(name), files.get(name), content))
            continue
        left = disk.after_the_cut()
        others = sorted(set(left) - set(files) - {name})
        return {
            "after a save without a power cut": _what_is_there(left.get(name), None, content),
            "other files left over": others,
            "the file itself is written to": name in disk.written,
            "after a power cut at the worst moment": _worst(met),
        }
    raise WrongAnswer(f"After {MOST_OPERATIONS} operations on the disk your function is still not done.")


def _what_is_there(found, old, new):
    if found == new:
        return "the new file"
    if found == old:
        return "what was there before" if old is not None else "no file"
    return "half a file" if found is not None else "no file"


def _worst(met):
    """The worst of what a reader may find. With no file before, none after is no loss."""
    order = ("half a file", "no file", "what was there before", "the new file")
    return next(what for what in order if what in met)


def _in_place(disk, name, content):
    disk.write(name, content)
    disk.flush(name)


def _in_place_unflushed(disk, name, content):
    disk.write(name, content)


def _renamed_unflushed(disk, name, content):
    disk.write(name + ".partial", content)
    disk.rename(name + ".partial", name)


def _deleted_first(disk, name, content):
    disk.write(name + ".partial", content)
    disk.flush(name + ".partial")
    if disk.exists(name):
        disk.delete(name)
    disk.rename(name + ".partial", name)


def _kept_a_copy(disk, name, content):
    disk.write(name + ".backup", content)
    disk.flush(name + ".backup")
    disk.write(name, content)
    disk.flush(name)


def _flushed_afterwards(disk, name, content):
    disk.write(name + ".partial", content)
    disk.rename(name + ".partial", name)
    disk.flush(name)


def _never_renamed(disk, name, content):
    disk.write(name + ".partial", content)
    disk.flush(name + ".partial")


def _old_one_kept(disk, name, content):
    disk.write(name + ".partial", content)
    disk.flush(name + ".partial")
    if disk.exists(name):
        disk.rename(name, name + ".old")
    disk.rename(name + ".partial", name)


SAVE = Exercise(
    id="07.save",
    title="Save so that nothing can be lost",
    reference=save,
    cases=(
        Case(
            "a checkpoint that is there already",
            ({"model": b"the weights of yesterday"}, "model", b"the weights of today"),
        ),
        Case("the first checkpoint", ({}, "model", b"the very first weights")),
        Case(
            "another file beside it",
            ({"run": b"an older run of mine", "notes": b"do not touch"}, "run", b"a newer run of mine"),
        ),
    ),
    observe=observed_save,
    minutes=12,
    mistakes=(
        Mistake(
            "written over the old file",
            "Between the first byte and the last the old file is gone and the new one is half there. Write somewhere "
            "else first.",
            _in_place,
        ),
        Mistake(
            "written over the old file, and never flushed",
            "Even when your function is done, the file may still be in the memory of the machine only; and the old "
            "one is gone from the start.",
            _in_place_unflushed,
        ),
        Mistake(
            "renamed before it was on the disk",
            "The new name is on the disk at once, its content is not: after a power cut the name belongs to half a "
            "file. Wait for the content before you rename.",
            _renamed_unflushed,
        ),
        Mistake(
            "flushed after the rename",
            "In the end all is well, but there is a moment at which the name belongs to a file that is not on the disk "
            "yet. In which order can that not happen?",
            _flushed_afterwards,
        ),
        Mistake(
            "the old file is removed first",
            "There is a moment without any file. A rename replaces the old file in the same step; nothing has to be "
            "removed.",
            _deleted_first,
        ),
        Mistake(
            "a backup beside a file that is written over",
            "The content is safe, under a name that nobody will look for, and the file itself can still be half there.",
            _kept_a_copy,
        ),
        Mistake(
            "the new file never gets its name",
            "The content is safe on the disk, under the wrong name.",
            _never_renamed,
        ),
        Mistake(
            "the old file is moved away first",
            "There is a moment in which no file has the name, and an old one is left over for good.",
            _old_one_kept,
        ),
    ),
    hints=(
        "A reader may only ever find the old file or the new one, whole. Which operation changes what a name means?",
        "The new content has to lie on the disk, complete, under some other name before that operation.",
        "Three operations, in the only order in which each can be trusted: write, flush, rename.",
    ),
)


# 07.wordpiece


def wordpiece(word, vocabulary):
    pieces, start = [], 0
    while start < len(word):
        prefix = "##" if start else ""
        ends = [end for end in range(len(word), start, -1) if prefix + word[start:end] in vocabulary]
        if not ends:
            return ["[UNK]"]
        pieces.append(prefix + word[start : ends[0]])
        start = ends[0]
    return pieces


def pieced(first_end=max, prefix="##", first_prefix="", unknown=lambda pieces: ["[UNK]"]):
    """A wrong `wordpiece`: which end is taken, how pieces are marked, what comes of a word that cannot be pieced."""

    def wordpiece(word, vocabulary):
        pieces, start = [], 0
        while start < len(word):
            mark = prefix if start else first_prefix
            ends = [end for end in range(start + 1, len(word) + 1) if mark + word[start:end] in vocabulary]
            if not ends:
                return unknown(pieces)
            end = first_end(ends)
            pieces.append(mark + word[start:end])
            start = end
        return pieces

    return wordpiece


def _unmarked(word, vocabulary):
    return [piece.removeprefix("##") for piece in pieced()(word, vocabulary)]


def _whole_or_unknown(word, vocabulary):
    return [word] if word in vocabulary else ["[UNK]"]


def _letters_when_not_whole(word, vocabulary):
    return [word] if word in vocabulary else [("##" if i else "") + letter for i, letter in enumerate(word)]


def _unknown_letters(word, vocabulary):
    pieces, start = [], 0
    while start < len(word):
        mark = "##" if start else ""
        end = next((e for e in range(len(word), start, -1) if mark + word[start:e] in vocabulary), None)
        pieces.append("[UNK]" if end is None else mark + word[start:end])
        start = start + 1 if end is None else end
    return pieces


PIECES = {"un", "break", "unbreak", "##able", "##break", "##a", "##b", "##le", "a", "able", "##s", "king", "##dom", "k"}
PIECES |= {"##i", "##n", "##g", "s", "run", "##ning", "##nin", "##ru"}
WORDPIECE = Exercise(
    id="07.wordpiece",
    title="A word in pieces",
    reference=wordpiece,
    cases=tuple(
        Case(name, (word, PIECES))
        for name, word in {
            "a word that is there": "king",
            "two pieces": "kingdom",
            "the longest first": "unbreakable",
            "three pieces": "kingdoms",
            "pieces that need their mark": "able",
            "a word with an unknown end": "kingx",
            "an unknown beginning": "xking",
            "an unknown middle": "kxing",
            "nothing but a doubled piece": "running",
            "one letter": "a",
        }.items()
    ),
    minutes=15,
    mistakes=(
        Mistake(
            "the shortest piece first",
            "You take the first piece that fits, the shortest. Begin with the whole rest and make it shorter.",
            pieced(first_end=min),
        ),
        Mistake(
            "pieces without their mark",
            "A piece inside a word has another name than the same letters at its beginning: `##able` and `able` are "
            "two tokens. Which mark belongs to a piece that continues a word?",
            _unmarked,
            variants=(pieced(prefix=""),),
        ),
        Mistake(
            "the mark is on the first piece too",
            "The first piece of a word carries no mark: it is how the tokenizer knows where words begin.",
            pieced(first_prefix="##"),
        ),
        Mistake(
            "the pieces up to the unknown one are kept",
            "When any part of a word cannot be pieced, the whole word is [UNK]; half of it would be another word.",
            pieced(unknown=lambda pieces: [*pieces, "[UNK]"]),
            variants=(pieced(unknown=lambda pieces: pieces), _unknown_letters),
        ),
        Mistake(
            "no pieces at all",
            "You know whole words only. Names and endings are then lost: what can be made of the beginning of the "
            "word?",
            _whole_or_unknown,
        ),
        Mistake(
            "letters instead of pieces",
            "A word that is not in the vocabulary falls into letters, though longer pieces are there.",
            _letters_when_not_whole,
        ),
        Mistake(
            "an unknown word is an empty one",
            "You return nothing for a word that cannot be pieced, and the sentence loses a word. What stands for it?",
            pieced(unknown=lambda pieces: []),
        ),
    ),
    hints=(
        "Keep the place up to which the word is done. From there, which is the longest piece in the vocabulary?",
        "From the second piece on, a piece is looked up with ## in front of it.",
        "If no piece fits at some place, forget what you have: the word is [UNK].",
    ),
)


# 07.blocks


def blocks(tokens, length, cls_id, sep_id, pad_id):
    inside = length - 2
    rows = [[cls_id, *tokens[i : i + inside], sep_id] for i in range(0, len(tokens), inside)]
    return np.array([row + [pad_id] * (length - len(row)) for row in rows])


def cut(stride=0, inner=-2, front=True, end=True, last="padded"):
    """A wrong `blocks`. stride, inner: what is added to length to go on by, and to hold."""

    def blocks(tokens, length, cls_id, sep_id, pad_id):
        inside = length + inner
        rows = []
        for i in range(0, len(tokens), length + stride if stride else inside):
            row = ([cls_id] if front else []) + [int(t) for t in tokens[i : i + inside]]
            full = len(row) + end >= length
            if last == "dropped" and not full:
                break
            if last == "sep at the end":
                row += [pad_id] * (length - 1 - len(row)) + [sep_id]
            else:
                row += [sep_id] * end
                row += [pad_id if last == "padded" else sep_id] * (length - len(row))
            rows.append(row[:length])
        return np.array(rows).reshape(-1, length)

    return blocks


BLOCKS = Exercise(
    id="07.blocks",
    title="A text as rows of one length",
    reference=blocks,
    cases=(
        Case("three tokens, rows of five", (np.array([11, 12, 13]), 5, 2, 3, 0)),
        Case("seven tokens, rows of five", (np.arange(11, 18), 5, 2, 3, 0)),
        Case("one token", (np.array([11]), 6, 2, 3, 0)),
        Case("BERT's ids", (np.arange(1000, 1020), 8, 101, 102, 0)),
        Case("another padding", (np.arange(20, 29), 6, 7, 8, 1)),
    ),
    minutes=12,
    mistakes=(
        Mistake(
            "the last, short row is dropped",
            "The end of the text is missing. Fill the last row up with padding.",
            cut(last="dropped"),
        ),
        Mistake(
            "[SEP] behind the padding",
            "In the last row [SEP] closes the row, not the text: it should follow the last token, and padding comes "
            "after it.",
            cut(last="sep at the end"),
        ),
        Mistake(
            "tokens are skipped between the rows",
            "Each row holds length - 2 tokens, but you go on by length: two tokens of every row are lost.",
            cut(stride=10**-9),
        ),
        Mistake(
            "no [CLS]",
            "Rows are to begin with [CLS], as everything does that the model will be asked about later.",
            cut(front=False, inner=-1),
        ),
        Mistake(
            "no [SEP]",
            "Rows are to end with [SEP].",
            cut(end=False, inner=-1),
        ),
        Mistake(
            "filled up with [SEP]",
            "The last row ends in many [SEP]. What is not text is padding, which attention is told to leave out.",
            cut(last="sep"),
        ),
    ),
    hints=(
        "How many tokens of the text fit into a row between [CLS] and [SEP]?",
        "Row i holds the tokens from i times that number on.",
        "Only the last row can be short: close it with [SEP] and fill it up with padding.",
    ),
)


# The bug clinic. 07.clinic-zero-grad


def descend(gradient_of, weight, rate, steps):
    for _ in range(steps):
        weight = weight - rate * gradient_of(weight)
    return weight


def _never_zeroed(gradient_of, weight, rate, steps):
    gradient = np.zeros_like(weight)
    for _ in range(steps):
        gradient = gradient + gradient_of(weight)
        weight = weight - rate * gradient
    return weight


def _zeroed_before_use(gradient_of, weight, rate, steps):
    for _ in range(steps):
        gradient_of(weight)
    return weight.copy()


def _zeroed_every_other(gradient_of, weight, rate, steps):
    gradient = np.zeros_like(weight)
    for step in range(steps):
        gradient = gradient + gradient_of(weight)
        weight = weight - rate * gradient
        if step % 2:
            gradient = np.zeros_like(weight)
    return weight


def _divided_by_steps(gradient_of, weight, rate, steps):
    gradient = np.zeros_like(weight)
    for step in range(steps):
        gradient = gradient + gradient_of(weight)
        weight = weight - rate * gradient / (step + 1)
    return weight


def _first_gradient_only(gradient_of, weight, rate, steps):
    gradient = gradient_of(weight)
    for _ in range(steps):
        weight = weight - rate * gradient
    return weight


def _uphill(gradient_of, weight, rate, steps):
    for _ in range(steps):
        weight = weight + rate * gradient_of(weight)
    return weight


def bowl(curvature, bottom):
    """The gradient of a bowl whose bottom is known."""
    return lambda weight: curvature * (weight - bottom)


ZERO_GRAD = Exercise(
    id="07.clinic-zero-grad",
    title="Bug clinic: the loss that swings",
    reference=descend,
    cases=(
        Case("one step", (bowl(1.0, 0.0), np.array([1.0]), 0.1, 1)),
        Case("three steps", (bowl(1.0, 0.0), np.array([1.0]), 0.1, 3)),
        Case("forty steps in two directions", (bowl(np.array([1.0, 3.0]), 2.0), np.array([5.0, -1.0]), 0.2, 40)),
        Case("no step at all", (bowl(1.0, 0.0), np.array([1.0, 2.0]), 0.1, 0)),
    ),
    minutes=6,
    mistakes=(
        Mistake(
            "the gradients of all earlier steps are still in it",
            "The weights overshoot, come back and overshoot again. Print `gradient` at each step: it should be that of "
            "the weights as they are now.",
            _never_zeroed,
        ),
        Mistake(
            "nothing moves",
            "The gradient is cleared between the line that computes it and the line that uses it.",
            _zeroed_before_use,
        ),
        Mistake(
            "cleared at every second step",
            "Half of the steps still carry the gradient of the step before.",
            _zeroed_every_other,
        ),
        Mistake(
            "divided by the number of steps",
            "A mean of all gradients so far hides the swing and keeps its cause: old gradients, taken at weights that "
            "are long gone.",
            _divided_by_steps,
        ),
        Mistake(
            "one gradient for all steps",
            "The gradient is computed once, before the loop. It changes as soon as the weights do.",
            _first_gradient_only,
        ),
        Mistake("uphill", "The weights move away from the bottom: a gradient points to where the loss grows.", _uphill),
    ),
    hints=(
        "With one step everything is right. What is different at the second?",
        "In PyTorch the same happens without zero_grad(): backward() adds to what is there.",
        "Each step needs the gradient of the present weights, and no other.",
    ),
)


# 07.clinic-padding


def padded_loss(nats, is_token):
    return float(nats[is_token].sum() / max(is_token.sum(), 1))


def _weights_cancel(nats, is_token):
    loss = nats.mean()
    return float((loss * is_token).sum() / max(is_token.sum(), 1))


PADDED_NATS = rng(1).gamma(2.0, 1.0, (3, 6))
PADDING = np.arange(6) < np.array([[6], [2], [4]])
CLINIC_PADDING = Exercise(
    id="07.clinic-padding",
    title="Bug clinic: weights that cancel",
    reference=padded_loss,
    cases=(
        Case("one token and one padding", (np.array([[2.0, 9.0]]), np.array([[True, False]]))),
        Case("three sentences", (PADDED_NATS, PADDING)),
        Case("no padding", (PADDED_NATS, np.ones_like(PADDING))),
        Case("nothing but padding", (PADDED_NATS, np.zeros_like(PADDING))),
    ),
    minutes=8,
    mistakes=(
        Mistake(
            "the weights multiply a mean",
            "The mean over all places is one number. Multiplied by weights and divided by their sum it is the same "
            "number: the weights cancel. They have to be applied before anything is averaged.",
            _weights_cancel,
        ),
        Mistake(
            "padding counts as zero",
            "Padding no longer adds to the sum, but still to the number that divides it: more padding, smaller loss.",
            lambda nats, is_token: float((nats * is_token).mean()),
        ),
        Mistake(
            "a sum, not a mean",
            "The loss grows with the number of tokens. Divide by it.",
            lambda nats, is_token: float((nats * is_token).sum()),
        ),
        Mistake(
            "the mean of the sentences' means",
            "A token in a short sentence counts for more. All tokens of the batch are to count the same.",
            lambda nats, is_token: float(
                np.mean([(row[keep].mean() if keep.any() else 0.0) for row, keep in zip(nats, is_token, strict=True)])
            ),
        ),
        Mistake(
            "nothing but padding gives NaN",
            "Right but for a batch without a token, where 0 / 0 would spoil the weights of the model.",
            lambda nats, is_token: float(nats[is_token].sum() / is_token.sum()) if is_token.any() else float("nan"),
        ),
        Mistake(
            "only the padding counts",
            "You average over the places where is_token is False.",
            lambda nats, is_token: float(nats[~is_token].sum() / max((~is_token).sum(), 1)),
        ),
    ),
    hints=(
        "Change a number at a padded place. The loss should not move; does it?",
        "How many numbers are left after `nats.mean()`? What can weights still do to them?",
        "First drop or zero what is padding, then add up, then divide by the number of tokens.",
    ),
)


# 07.clinic-broadcast


def weighted_loss(nats, weights):
    return float((nats * weights[:, 0]).sum() / weights.sum())


CLINIC_BROADCAST = Exercise(
    id="07.clinic-broadcast",
    title="Bug clinic: every sentence with every weight",
    reference=weighted_loss,
    cases=(
        Case("two sentences", (np.array([1.0, 3.0]), np.array([[1.0], [0.0]]))),
        Case("five sentences", (rng(1).gamma(2.0, 1.0, 5), rng(2).random((5, 1)))),
        Case("equal weights", (rng(3).gamma(2.0, 1.0, 4), np.ones((4, 1)))),
        Case("one sentence", (np.array([2.0]), np.array([[0.5]]))),
    ),
    minutes=6,
    mistakes=(
        Mistake(
            "(N,) times (N, 1) is a table",
            "Every sentence meets every weight: the product has shape (N, N), and in its mean the weights cancel, as "
            "if there were none. Print the shape.",
            lambda nats, weights: float((nats * weights).mean() / weights.mean()),
            variants=(lambda nats, weights: float(nats.mean()),),
        ),
        Mistake(
            "the mean of the table",
            "The mean of the (N, N) products is the mean of the nats times the mean of the weights: which weight "
            "belongs to which sentence is lost.",
            lambda nats, weights: float((nats * weights).mean()),
        ),
        Mistake(
            "the table is summed",
            "The product still has shape (N, N): the loss is N times too large now.",
            lambda nats, weights: float((nats * weights).sum() / weights.sum()),
        ),
        Mistake(
            "divided by the number of sentences",
            "The products are right. A weighted mean is divided by the sum of its weights.",
            lambda nats, weights: float((nats * weights[:, 0]).mean()),
        ),
        Mistake(
            "a sum, not a mean",
            "The products are right, but nothing divides them.",
            lambda nats, weights: float((nats * weights[:, 0]).sum()),
        ),
    ),
    hints=(
        "Print (nats * weights).shape.",
        "NumPy lines shapes up from the right: (N,) is read as (1, N), and (1, N) with (N, 1) makes (N, N).",
        "Bring both to one shape first; then a weighted mean is two sums and a division.",
    ),
)


# 07.clinic-evaluation


def evaluate_model(model, sentences):
    was_training = model.training
    model.training = False
    try:
        return float(np.mean([model(sentence) for sentence in sentences]))
    finally:
        model.training = was_training


class ToyModel:
    """Pays 1 nat more while its dropout is on. A sentence of None cannot be read."""

    def __init__(self, training):
        self.training = training

    def __call__(self, sentence):
        if sentence is None:
            raise ValueError("a sentence is missing")
        return float(sentence) + 1.0 * self.training


def observed_evaluation(function, training, sentences):
    """What evaluation gives, and what it leaves behind."""
    model = ToyModel(training)
    try:
        loss = function(model, sentences)
    except ValueError:
        loss = "an error"
    return {"loss": loss, "the model is left in training mode": model.training}


def _still_training(model, sentences):
    return float(np.mean([model(sentence) for sentence in sentences]))


def _left_in_evaluation(model, sentences):
    model.training = False
    return _still_training(model, sentences)


def _always_back_to_training(model, sentences):
    model.training = False
    try:
        return _still_training(model, sentences)
    finally:
        model.training = True


def _not_after_an_error(model, sentences):
    was_training = model.training
    model.training = False
    loss = _still_training(model, sentences)
    model.training = was_training
    return loss


def _back_too_early(model, sentences):
    was_training = model.training
    model.training = False
    model.training = was_training
    return _still_training(model, sentences)


def _remembers_too_late(model, sentences):
    model.training = False
    was_training = model.training
    try:
        return _still_training(model, sentences)
    finally:
        model.training = was_training


def _always_training_unless_error(model, sentences):
    model.training = False
    loss = _still_training(model, sentences)
    model.training = True
    return loss


def _summed(model, sentences):
    was_training = model.training
    model.training = False
    try:
        return float(sum(model(sentence) for sentence in sentences))
    finally:
        model.training = was_training


CLINIC_EVALUATION = Exercise(
    id="07.clinic-evaluation",
    title="Bug clinic: worse than its own training loss",
    reference=evaluate_model,
    cases=(
        Case("a model in training", (True, [1.0, 2.0])),
        Case("a model at rest", (False, [1.0, 2.0])),
        Case("a sentence that cannot be read", (True, [1.0, None])),
    ),
    observe=observed_evaluation,
    minutes=8,
    mistakes=(
        Mistake(
            "dropout is on while the model is measured",
            "The loss depends on the mode the model happens to be in. Which mode is for measuring?",
            _still_training,
            variants=(_back_too_early,),
        ),
        Mistake(
            "the model stays in evaluation mode",
            "The loss is right, but from then on the model trains without dropout, and nobody is told.",
            _left_in_evaluation,
            variants=(_remembers_too_late,),
        ),
        Mistake(
            "always back to training mode",
            "A model that was at rest is in training mode now; the next measurement of somebody else will be wrong. "
            "Put back what was there.",
            _always_back_to_training,
            variants=(_always_training_unless_error,),
        ),
        Mistake(
            "an error leaves the model in the wrong mode",
            "When a sentence cannot be read, the line that puts the mode back is never reached. Which statement is "
            "carried out either way?",
            _not_after_an_error,
        ),
        Mistake(
            "a sum, not a mean",
            "The modes are right; the loss is to be the mean over the sentences.",
            _summed,
        ),
    ),
    hints=(
        "Measure twice, once with model.training = True before the call. Do you get the same loss?",
        "Remember the mode, change it, measure, put it back.",
        "try: ... finally: ... puts it back even when the measuring fails.",
    ),
)


# 07.clinic-resume


def state_of(weights, moments, step, rng):
    return {
        "weights": weights.copy(),
        "moments": moments.copy(),
        "step": step,
        "rng": dict(rng.bit_generator.state),
    }


def observed_state(function, weights, moments, step, seed):
    """What a state holds after the run has gone on: array contents, and what the generator would draw next."""
    generator = rng(seed)
    weights, moments = weights.copy(), moments.copy()
    state = function(weights, moments, step, generator)
    if type(state) is not dict:
        raise WrongAnswer("The answer must be a dict.")
    generator.random(5)  # the run goes on: masks are drawn, and PyTorch changes weights in place
    weights -= 1.0
    moments *= 0.5
    found = {name: state.get(name) for name in ("weights", "moments", "step")}
    found["the next random numbers"] = _next_numbers(state.get("rng"))
    return found


def _next_numbers(saved):
    if saved is None:
        return None
    generator = np.random.default_rng(0)
    try:
        generator.bit_generator.state = saved
    except (TypeError, ValueError, KeyError):
        return f"no state but {type_name(saved)}"
    return generator.random(3)


def right_state(weights, moments, step, rng):
    return {"weights": weights.copy(), "moments": moments.copy(), "step": step, "rng": dict(rng.bit_generator.state)}


def state_with(**changes):
    """A wrong `state_of`: with other makers of some of its parts."""

    def state_of_(weights, moments, step, rng):
        state = right_state(weights, moments, step, rng)
        return state | {name: make(weights, moments, step, rng) for name, make in changes.items()}

    return state_of_


def _state_without(name):
    def state_of_(weights, moments, step, rng):
        return {key: value for key, value in right_state(weights, moments, step, rng).items() if key != name}

    return state_of_


CLINIC_RESUME = Exercise(
    id="07.clinic-resume",
    title="Bug clinic: a run that goes on somewhere else",
    reference=state_of,
    cases=(
        Case("a run that goes on after it was saved", (np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.0, -0.1]), 10, 1)),
        Case("another run", (rng(1).normal(size=4), rng(2).normal(size=4), 7, 2)),
    ),
    observe=observed_state,
    minutes=10,
    mistakes=(
        Mistake(
            "weights that go on changing, and no generator",
            "Two things are wrong. What was saved is not a copy, and changes with the run; and after going on, the "
            "masks are not the ones that would have come.",
            lambda weights, moments, step, rng: {"weights": weights, "moments": moments, "step": step},
        ),
        Mistake(
            "copies, but no generator",
            "The weights are safe. But a run that goes on from here draws other masks than one that was never "
            "stopped: what else has a state?",
            _state_without("rng"),
        ),
        Mistake(
            "the generator itself, not its state",
            "You saved the generator, which goes on with the run. Its state at this moment is what is needed, and it "
            "fits into JSON as well.",
            state_with(rng=lambda weights, moments, step, rng: rng),
        ),
        Mistake(
            "the arrays are not copied",
            "The state of the generator is there, but weights and moments are the arrays of the run, which changes "
            "them in place: a second name is not a copy.",
            state_with(
                weights=lambda weights, moments, step, rng: weights, moments=lambda weights, moments, step, rng: moments
            ),
            variants=(
                state_with(weights=lambda weights, moments, step, rng: weights[:], moments=lambda w, m, s, r: m[:]),
            ),
        ),
        Mistake(
            "the moments are not copied",
            "The weights are safe, and the moments of AdamW still change with the run.",
            state_with(moments=lambda weights, moments, step, rng: moments),
        ),
        Mistake(
            "the weights are not copied",
            "The moments are safe, and the weights still change with the run.",
            state_with(weights=lambda weights, moments, step, rng: weights),
        ),
        Mistake(
            "the moments are left out",
            "AdamW would start again from zero moments, with its warm-up long past.",
            _state_without("moments"),
            variants=(state_with(moments=lambda weights, moments, step, rng: np.zeros_like(moments)),),
        ),
        Mistake(
            "the step is left out",
            "Where in the schedule does the run go on? The bias correction asks too.",
            _state_without("step"),
            variants=(state_with(step=lambda weights, moments, step, rng: 0),),
        ),
    ),
    hints=(
        "Save, let the run go on for a step, and look at what you saved. Has it changed?",
        "An array has a method that makes another one with the same numbers.",
        "rng.bit_generator.state is a dict that says where a generator stands.",
    ),
)


# 07.clinic-split


def split_documents(documents, held_out, rng):
    chosen = set(rng.permutation(len(documents))[:held_out].tolist())
    train = [sentence for i, document in enumerate(documents) if i not in chosen for sentence in document]
    test = [sentence for i, document in enumerate(documents) if i in chosen for sentence in document]
    return train, test


def observed_split(function, sizes, held_out, seed):
    """What must hold for any choice of documents. A sentence is the pair of its document and its place in it."""
    documents = [[f"{d}:{i}" for i in range(size)] for d, size in enumerate(sizes)]
    answer = function([list(document) for document in documents], held_out, rng(seed))
    if type(answer) not in (tuple, list) or len(answer) != 2 or not all(type(side) is list for side in answer):
        raise WrongAnswer("The answer must be two lists of sentences: train and test.")
    train, test = answer
    everything = [sentence for document in documents for sentence in document]
    on = [{sentence.split(":")[0] for sentence in side} for side in answer]
    chosen = {tuple(sorted(_test_documents(function, documents, held_out, seed))) for seed in range(8)}
    return {
        "every sentence is there once": sorted(train + test) == sorted(everything),
        "documents on both sides": len(on[0] & on[1]),
        "documents held out": len(on[1] - on[0]),
        "the choice depends on rng": len(chosen) > 1,
    }


def _test_documents(function, documents, held_out, seed):
    return {sentence.split(":")[0] for sentence in function([list(d) for d in documents], held_out, rng(seed))[1]}


def right_sides(documents, held_out, rng):
    """train and test as lists of documents, for wrong answers that begin there."""
    chosen = set(rng.permutation(len(documents))[:held_out].tolist())
    sides = [d for i, d in enumerate(documents) if i not in chosen], [d for i, d in enumerate(documents) if i in chosen]
    return [[sentence for document in side for sentence in document] for side in sides]


def _split_sentences(documents, held_out, rng):
    sentences = [sentence for document in documents for sentence in document]
    order = rng.permutation(len(sentences))
    cut_ = len(sentences) * (len(documents) - held_out) // len(documents)
    return [sentences[i] for i in order[:cut_]], [sentences[i] for i in order[cut_:]]


def _cut_without_shuffling(documents, held_out, rng):
    sentences = [sentence for document in documents for sentence in document]
    cut_ = len(sentences) * (len(documents) - held_out) // len(documents)
    return sentences[:cut_], sentences[cut_:]


def _always_the_last(documents, held_out, rng):
    sides = documents[: len(documents) - held_out], documents[len(documents) - held_out :]
    return tuple([sentence for document in side for sentence in document] for side in sides)


def _train_on_all(documents, held_out, rng):
    return [sentence for document in documents for sentence in document], right_sides(documents, held_out, rng)[1]


def _end_of_each(documents, held_out, rng):
    train, test = [], []
    for document in documents:
        keep = len(document) * (len(documents) - held_out) // len(documents)
        train += document[:keep]
        test += document[keep:]
    return train, test


def _sides_exchanged(documents, held_out, rng):
    return tuple(right_sides(documents, held_out, rng)[::-1])


def _drawn_with_repetition(documents, held_out, rng):
    chosen = rng.integers(0, len(documents), held_out)
    chosen[-1] = chosen[0]  # so that the repetition is always there
    train = [sentence for i, document in enumerate(documents) if i not in chosen for sentence in document]
    return train, [sentence for i in chosen for sentence in documents[i]]


CLINIC_SPLIT = Exercise(
    id="07.clinic-split",
    title="Bug clinic: a test that was read before",
    reference=split_documents,
    cases=(
        Case("six documents, two held out", ([3, 5, 2, 4, 6, 3], 2, 3)),
        Case("twelve documents, three held out", ([2, 7, 4, 3, 3, 5, 9, 2, 4, 6, 2, 5], 3, 4)),
    ),
    observe=observed_split,
    minutes=10,
    mistakes=(
        Mistake(
            "sentences are split, not documents",
            "Sentences of one document stand on both sides. They share names, phrases, even whole lines: the model "
            "has read most of the test before. What should be shuffled?",
            _split_sentences,
        ),
        Mistake(
            "cut in the middle of a document",
            "Nothing is shuffled now, and one document is still cut in two; and a split should depend on rng.",
            _cut_without_shuffling,
        ),
        Mistake(
            "always the last documents",
            "No document stands on both sides, but whatever the seed, the same ones are held out. The last documents "
            "of a collection may be of another kind than the first.",
            _always_the_last,
        ),
        Mistake(
            "the test is trained on as well",
            "The held-out documents are in the training text too.",
            _train_on_all,
        ),
        Mistake(
            "the end of each document",
            "Every document stands on both sides: its beginning is trained on, its end is the test.",
            _end_of_each,
        ),
        Mistake(
            "the sides are exchanged",
            "You train on the few documents that were to be held out.",
            _sides_exchanged,
        ),
        Mistake(
            "a document is held out twice",
            "Drawn with repetition, a document can come twice, and fewer are held out than asked for.",
            _drawn_with_repetition,
        ),
    ),
    hints=(
        "Take one document and look for its sentences on both sides.",
        "What is drawn at random are whole documents; the sentences follow them.",
        "rng.permutation(n) puts the numbers 0 to n - 1 in random order; the first few are held out.",
    ),
)

EXERCISES = (
    ADAMW,
    RATE,
    CLIP,
    ACCUMULATE,
    FIXED_MASKS,
    GAP,
    SAVE,
    WORDPIECE,
    BLOCKS,
    ZERO_GRAD,
    CLINIC_PADDING,
    CLINIC_BROADCAST,
    CLINIC_EVALUATION,
    CLINIC_RESUME,
    CLINIC_SPLIT,
)
