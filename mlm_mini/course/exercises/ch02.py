"""Chapter 02: how wrong a guess was, its slope, and three bugs of kinds that were really shipped.

Shapes: N positions, V tokens; leading dimensions are free. Everything is in nats.
"""

import math

import numpy as np

from mlm_mini import reference as ref
from mlm_mini.course.exercise import Case, Exercise, Mistake

IGNORED = ref.IGNORE_INDEX
EVEN = np.array([[0.0, 0.0], [0.0, np.log(3.0)]])
ROWS = np.array([[1.0, 2.0, 4.0], [0.5, -1.0, 3.0], [0.0, 0.0, -2.0]])
DEEP = np.array([[[0.0, 1.0]], [[0.0, 3.0]]])
SENTENCES = np.array([[[0.0, 0.0], [0.0, np.log(3.0)]], [[1.0, 0.0], [0.0, 2.0]]])
BATCH = np.random.default_rng(2).normal(scale=3.0, size=(2, 4, 6))
FAR_BEHIND = np.array([[0.0, -800.0, -1_000.0], [1e4, 0.0, -1e4]])
# At the position that is not selected, a token is excluded: its surprisal is inf, and inf * 0 is NaN.
EXCLUDED = np.array([[0.0, 1.0, 2.0], [-np.inf, -np.inf, 1.0], [0.5, 0.0, -np.inf]])
IMPOSSIBLE = np.array([[0.0, -np.inf], [0.0, np.log(3.0)]])


def log_softmax_at(logits, targets):
    """log p of the targets; where a label is IGNORED, of token 0."""
    log_p = ref.log_softmax(logits)
    return np.take_along_axis(log_p, np.maximum(targets, 0)[..., None], -1)[..., 0]


# 02.surprisal


def of_the_best_guess(logits, targets):
    return -ref.log_softmax(logits).max(-1)


def score_not_normalized(logits, targets):
    return -np.take_along_axis(logits, targets[..., None], -1)[..., 0]


def in_bits(logits, targets):
    return -log_softmax_at(logits, targets) / np.log(2)


def log_probability(logits, targets):
    return log_softmax_at(logits, targets)


def one_minus_p(logits, targets):
    return 1 - np.exp(log_softmax_at(logits, targets))


def through_the_softmax(logits, targets):
    return -np.log(np.exp(log_softmax_at(logits, targets)))


def padded(logits, targets):
    return -np.log(np.exp(log_softmax_at(logits, targets)) + 1e-12)


def every_target_at_every_position(logits, targets):
    return -ref.log_softmax(logits)[..., targets]


def of_every_token(logits, targets):
    return -ref.log_softmax(logits)


def last_axis_left_over(logits, targets):
    return -log_softmax_at(logits, targets)[..., None]


def surprisal_squeezed_bare(logits, targets):
    return -log_softmax_at(logits, targets).squeeze()


def one_hot_product(logits, targets):
    return -(np.eye(logits.shape[-1])[targets] * ref.log_softmax(logits)).sum(-1)


def one_axis_of_positions(logits, targets):
    return -ref.log_softmax(logits)[np.arange(len(targets)), targets]


def infinity_patched(logits, targets):
    return np.nan_to_num(-log_softmax_at(logits, targets))


SURPRISAL = Exercise(
    id="02.surprisal",
    title="Surprisal of the true word",
    reference=ref.surprisal,
    cases=(
        Case("two positions, two words", (EVEN, np.array([0, 1]))),
        Case("two sentences of one position", (DEEP, np.array([[1], [0]]))),
        Case("a true word at -inf", (IMPOSSIBLE, np.array([1, 0]))),
        Case(
            "one position, and the favorite is the true word", (np.array([[3.0, 0.0, 1.0, -1.0, 2.0]]), np.array([0]))
        ),
        Case("three positions, three words", (ROWS, np.array([2, 0, 1]))),
        Case("a word 1000 behind the leader, and one 20000 behind", (FAR_BEHIND, np.array([2, 2]))),
        Case("scores of -inf, for excluded tokens", (EXCLUDED, np.array([2, 2, 1]))),
        Case("two sentences of four positions", (BATCH, np.array([[0, 5, 2, 3], [1, 1, 4, 0]]))),
    ),
    mistakes=(
        Mistake(
            "the surprisal of the favorite",
            "Right where the guess is right, too small elsewhere: you score the most probable word. Whose probability "
            "does the equation ask for?",
            of_the_best_guess,
        ),
        Mistake(
            "scores instead of log-probabilities",
            "Your answer changes when every score grows by 10, and it can be negative; a surprisal does neither. What "
            "turns a score into a log-probability?",
            score_not_normalized,
        ),
        Mistake(
            "bits instead of nats",
            "Every number is too large by the same factor, 1.44. The course counts in nats: which logarithm is that?",
            in_bits,
        ),
        Mistake(
            "the sign is missing",
            "The size is right, but a good guess should cost little and no guess less than nothing. Log-probabilities "
            "are 0 or less; which sign makes them a cost?",
            log_probability,
        ),
        Mistake(
            "one minus the probability",
            "It is 0 for a sure word, but never above 1: a chance of one in a hundred and one of one in a million "
            "cost you nearly the same. Which function of p keeps growing?",
            one_minus_p,
        ),
        Mistake(
            "the logarithm of a finished softmax",
            "A word 1000 behind the leader costs 1000 nats; you say inf, because its probability underflowed to 0 "
            "first. Which function of chapter 01 avoids that?",
            through_the_softmax,
        ),
        Mistake(
            "a small number added inside the logarithm",
            "No surprisal of yours exceeds 27.6 nats, so a model is told that its worst guesses are all alike. Which "
            "function of chapter 01 needs no such padding?",
            padded,
        ),
        Mistake(
            "every target at every position",
            "You get a table where one number per position is wanted: indexing with all targets takes all of them at "
            "each position. How do you pair position k with target k alone?",
            every_target_at_every_position,
        ),
        Mistake(
            "the surprisal of every word",
            "You return one number for each word of the vocabulary. Only one of them happened: which one does "
            "`targets` name?",
            of_every_token,
        ),
        Mistake(
            "an axis of length 1 is left over",
            "The numbers are right, but each stands in a list of its own: picking one word kept an axis of length 1 "
            "at the end. The docstring promises the shape of the targets; which axis has to go?",
            last_axis_left_over,
        ),
        Mistake(
            "every axis of length 1 is removed",
            "The numbers are right, but a batch of one position, or sentences of one position, lost their axis too. "
            "Only the last axis should go: how can you name the one you mean?",
            surprisal_squeezed_bare,
        ),
        Mistake(
            "multiplied by zeros and ones",
            "NaN where a word other than the true one is excluded: its log-probability is -inf, and 0 times -inf is "
            "NaN. Can the true word's number be looked up, so that the others are never touched?",
            one_hot_product,
        ),
        Mistake(
            "one axis of positions only",
            "Right for a single axis of positions. With sentences and positions your row numbers count the sentences "
            "alone. How can the lookup be told to work along the last axis, whatever stands before it?",
            one_axis_of_positions,
        ),
        Mistake(
            "infinity replaced by a large number",
            "A true word at -inf was called impossible, so it costs inf. Yours is the largest number a computer has, "
            "which looks like a measurement. What does the docstring ask for?",
            infinity_patched,
        ),
    ),
    hints=(
        "Two steps: from scores to log-probabilities, then pick one of them at each position.",
        "ref.log_softmax does the first step, and it stays finite where a probability would underflow.",
        (
            "For the second step look at np.take_along_axis: it wants the targets with one more axis, of length 1, "
            "and gives that axis back to you to remove. `squeeze(axis)` removes exactly that one axis; a bare "
            "`squeeze()` removes every axis of length 1."
        ),
    ),
    minutes=8,
    answers_in=(ref.cross_entropy,),
)


# 02.cross-entropy


def mean_of_all_positions(logits, labels):
    selected = labels != IGNORED
    return float(-log_softmax_at(logits, labels)[selected].sum() / labels.size)


def sum_of_surprisals(logits, labels):
    return float(-log_softmax_at(logits, labels)[labels != IGNORED].sum())


def nan_when_empty(logits, labels):
    return float(-log_softmax_at(logits, labels)[labels != IGNORED].mean())


def ignored_read_as_token_0(logits, labels):
    return float(-log_softmax_at(logits, labels).mean())


def ignore_index_looked_up(logits, labels):
    return float(ref.surprisal(logits, labels).mean())


def token_0_ignored(logits, labels):
    selected = labels > 0
    return float(-log_softmax_at(logits, labels)[selected].mean()) if selected.any() else 0.0


def masked_by_multiplying(logits, labels):
    selected = labels != IGNORED
    return float((-log_softmax_at(logits, labels) * selected).sum() / max(selected.sum(), 1))


def masked_by_multiplying_nan_when_empty(logits, labels):
    selected = labels != IGNORED
    return float((-log_softmax_at(logits, labels) * selected).sum() / selected.sum())


def masked_mean_of_all_positions(logits, labels):
    return float((-log_softmax_at(logits, labels) * (labels != IGNORED)).mean())


def ignore_index_as_an_index(logits, labels):
    picked = np.take_along_axis(ref.log_softmax(logits), labels[..., None], -1)[..., 0]
    return float(-picked[labels != IGNORED].mean())


def loss_patched(logits, labels):
    return float(np.nan_to_num(nan_when_empty(logits, labels)))


def mean_of_sentence_means(logits, labels):
    selected = np.atleast_2d(labels != IGNORED)
    total = np.where(selected, np.atleast_2d(-log_softmax_at(logits, labels)), 0.0).sum(-1)
    return float((total / np.maximum(selected.sum(-1), 1)).mean())


def loss_in_bits(logits, labels):
    selected = labels != IGNORED
    return float(-log_softmax_at(logits, labels)[selected].mean() / np.log(2)) if selected.any() else 0.0


CROSS_ENTROPY = Exercise(
    id="02.cross-entropy",
    title="Cross-entropy over the masked positions",
    reference=ref.cross_entropy,
    cases=(
        Case("two positions, both selected", (EVEN, np.array([0, 1]))),
        Case("three positions, one selected", (ROWS, np.array([IGNORED, 2, IGNORED]))),
        Case("three positions, one of them labeled with token 0", (ROWS, np.array([0, IGNORED, 1]))),
        Case("no position selected", (ROWS, np.full(3, IGNORED))),
        Case("a label at -inf", (IMPOSSIBLE, np.array([1, 0]))),
        Case("words far behind the leader", (FAR_BEHIND, np.array([2, IGNORED]))),
        Case("an excluded token where nothing is selected", (EXCLUDED, np.array([1, IGNORED, 0]))),
        Case("two sentences, three positions selected", (SENTENCES, np.array([[0, 1], [1, IGNORED]]))),
        Case(
            "two sentences, three positions selected in one and one in the other",
            (BATCH, np.array([[IGNORED, 5, 0, 3], [1, IGNORED, IGNORED, IGNORED]])),
        ),
    ),
    mistakes=(
        Mistake(
            "averages over all positions",
            "Your loss shrinks when positions without a label are added, so padding would look like progress. The "
            "mean is over the positions to predict: how many are there?",
            mean_of_all_positions,
        ),
        Mistake(
            "averages over all positions, after multiplying by the mask",
            "The zeros that your mask makes are counted in the mean, so padding would look like progress; and where "
            "an excluded token stands there, inf times 0 is NaN. Can those positions be left out altogether?",
            masked_mean_of_all_positions,
        ),
        Mistake(
            "a sum where a mean is meant",
            "Right for one selected position; with four the loss is four times too large, so the length of a batch "
            "would set the size of every step. What is missing at the end?",
            sum_of_surprisals,
        ),
        Mistake(
            "NaN when nothing is selected",
            "The mean of no numbers is 0/0, and NumPy calls it NaN. One such batch would spoil every weight of a "
            "model; what does the docstring ask for instead?",
            nan_when_empty,
        ),
        Mistake(
            "-100 counted as a word",
            "Positions without a label are in your mean, scored as if they asked for token 0. -100 is a mark, not a "
            "token: which positions have to leave before anything is looked up?",
            ignored_read_as_token_0,
        ),
        Mistake(
            "-100 looked up as a word",
            "Right while every position has a label; otherwise an error, because no word has the id -100. It is a "
            "mark, not a token: which positions have to leave before anything is looked up?",
            ignore_index_looked_up,
        ),
        Mistake(
            "-100 used as an index",
            "An IndexError as soon as one position has no label: you look up the word -100 there, and sort the "
            "positions afterwards. Which of the two has to happen first?",
            ignore_index_as_an_index,
        ),
        Mistake(
            "token 0 ignored as well",
            "Right until a label is 0: you leave that position out, but 0 is a token id like any other. Which one "
            "value means that nothing is predicted?",
            token_0_ignored,
        ),
        Mistake(
            "multiplied by the mask",
            "You give NaN where an excluded token stands at a position without a label: its surprisal is inf, and inf "
            "times 0 is NaN. Can those positions be left out instead of multiplied away?",
            masked_by_multiplying,
        ),
        Mistake(
            "multiplied by the mask, and NaN when nothing is selected",
            "Two things are left. Where an excluded token has no label, inf times 0 is NaN: can those positions be "
            "left out instead of multiplied away? And with no label at all you divide 0 by 0.",
            masked_by_multiplying_nan_when_empty,
        ),
        Mistake(
            "NaN and infinity patched over",
            "The NaN of an empty batch is gone, but a label at -inf now costs the largest number a computer has "
            "instead of inf, and any other NaN would be hidden too. Which one case did you want to catch?",
            loss_patched,
        ),
        Mistake(
            "a mean of the sentences' means",
            "The single masked word of one sentence counts as much as three of another. Each masked word should count "
            "the same: what is summed, and what is it divided by?",
            mean_of_sentence_means,
        ),
        Mistake(
            "bits instead of nats",
            "Every loss is too large by the same factor, 1.44. The course counts in nats: which logarithm is that?",
            loss_in_bits,
        ),
    ),
    hints=(
        "Which positions have a label at all? Write that down first, as an array of True and False.",
        (
            "Indexing with that array keeps the selected rows of the scores and the selected labels, whatever the "
            "leading dimensions were."
        ),
        "What is left is ref.surprisal of those rows, and its mean.",
        "And if the array holds no True at all? Decide that before you take a mean.",
    ),
    minutes=8,
)


# 02.gradient


def slope(logits, labels):
    """p - y at the labeled positions, with token 0 standing in where there is no label, and the labeled positions."""
    selected = labels != IGNORED
    y = np.eye(logits.shape[-1])[np.maximum(labels, 0)]
    return ref.softmax(logits) - y, selected[..., None]


def uphill(logits, labels):
    difference, selected = slope(logits, labels)
    return np.where(selected, -difference, 0.0) / max(selected.sum(), 1)


def of_the_sum(logits, labels):
    difference, selected = slope(logits, labels)
    return np.where(selected, difference, 0.0)


def over_all_positions(logits, labels):
    difference, selected = slope(logits, labels)
    return np.where(selected, difference, 0.0) / labels.size


def ignored_positions_pushed(logits, labels):
    difference, selected = slope(logits, labels)
    return np.where(selected, difference, ref.softmax(logits)) / max(selected.sum(), 1)


def ignored_pushed_to_token_0(logits, labels):
    difference, selected = slope(logits, labels)
    return difference / max(selected.sum(), 1)


def probabilities_alone(logits, labels):
    _, selected = slope(logits, labels)
    return np.where(selected, ref.softmax(logits), 0.0) / max(selected.sum(), 1)


def zero_over_zero(logits, labels):
    difference, selected = slope(logits, labels)
    return difference * selected / selected.sum()


def label_only(logits, labels):
    difference, selected = slope(logits, labels)
    y = ref.softmax(logits) - difference
    return np.where(selected, difference * y, 0.0) / max(selected.sum(), 1)


def gradient_ignore_index_looked_up(logits, labels):
    selected = (labels != IGNORED)[..., None]
    y = np.eye(logits.shape[-1])[labels]
    return np.where(selected, ref.softmax(logits) - y, 0.0) / max(selected.sum(), 1)


def over_the_sentences(logits, labels):
    difference, selected = slope(logits, labels)
    return np.where(selected, difference, 0.0) / len(labels)


def n_of_each_sentence(logits, labels):
    difference, selected = slope(logits, labels)
    return np.where(selected, difference, 0.0) / np.maximum(selected.sum(-2, keepdims=True), 1)


def every_label_at_every_position(logits, labels):
    gradient, selected = np.zeros_like(logits), labels != IGNORED
    rows = ref.softmax(logits[selected])
    rows[:, labels[selected]] -= 1
    gradient[selected] = rows / max(selected.sum(), 1)
    return gradient


GRADIENT = Exercise(
    id="02.gradient",
    title="The gradient of the loss: p - y",
    reference=ref.cross_entropy_gradient,
    cases=(
        Case("two positions, both selected", (EVEN, np.array([0, 1]))),
        Case("three positions, one selected", (ROWS, np.array([IGNORED, 2, IGNORED]))),
        Case("three positions, two selected", (ROWS, np.array([0, IGNORED, 1]))),
        Case("no position selected", (ROWS, np.full(3, IGNORED))),
        Case("scores of ten thousand", (FAR_BEHIND, np.array([2, 1]))),
        Case("two sentences, three positions selected", (SENTENCES, np.array([[0, 1], [1, IGNORED]]))),
        Case("scores of -inf, for excluded tokens", (EXCLUDED, np.array([1, IGNORED, 0]))),
        Case(
            "two sentences, three positions selected in one and one in the other",
            (BATCH, np.array([[IGNORED, 5, 0, 3], [1, IGNORED, IGNORED, IGNORED]])),
        ),
    ),
    mistakes=(
        Mistake(
            "uphill instead of downhill",
            "Every sign is the wrong way round: a step against your gradient would make the true word less probable. "
            "Should its score rise or fall when the loss falls?",
            uphill,
        ),
        Mistake(
            "the gradient of the sum",
            "Each row is right for a single position, but the loss is a mean over n of them. What does that do to the "
            "share of each?",
            of_the_sum,
        ),
        Mistake(
            "divided by all positions",
            "Your rows are too small where some positions have no label. The loss is a mean over the selected "
            "positions: which n is in its denominator?",
            over_all_positions,
        ),
        Mistake(
            "positions without a label are pushed",
            "The loss does not depend on the scores where nothing is predicted, so its slope there is 0. Yours is p "
            "there: every word of those positions would be pushed down.",
            ignored_positions_pushed,
        ),
        Mistake(
            "positions without a label are pushed to token 0",
            "Where nothing is predicted your gradient pulls token 0 up and all others down. The loss does not depend "
            "on those scores: what is its slope there?",
            ignored_pushed_to_token_0,
        ),
        Mistake(
            "the labels are not subtracted",
            "Your rows sum to 1/n instead of 0, and nothing pushes the true word up. What does y hold in the "
            "equation, and what happens to the score of the true word?",
            probabilities_alone,
        ),
        Mistake(
            "NaN when nothing is selected",
            "With no label at all n is 0, and 0/0 is NaN in every entry. The loss is then the constant 0: what is the "
            "slope of a constant?",
            zero_over_zero,
        ),
        Mistake(
            "the true word alone",
            "Only the scores of the true words get a slope. Raising any other score lowers the true word's "
            "probability, so it costs something too: how much does p say?",
            label_only,
        ),
        Mistake(
            "-100 looked up as a word",
            "Right while every position has a label; otherwise an error, because no word has the id -100. It is a "
            "mark, not a token: which positions have to leave before y is built?",
            gradient_ignore_index_looked_up,
        ),
        Mistake(
            "divided by the number of sentences",
            "The length of the labels counts sentences or, where they have a single axis, all positions, labeled or "
            "not. The loss is a mean over n positions: which ones does n count?",
            over_the_sentences,
        ),
        Mistake(
            "n counted in each sentence",
            "Right for one sentence. With several, a word that is masked alone is pushed harder than one of three, "
            "but the loss is one mean over all labels of the batch. How many are there in all?",
            n_of_each_sentence,
        ),
        Mistake(
            "every label subtracted at every position",
            "Your rows do not sum to 0: each position has the labels of all positions subtracted. How do you pair "
            "position k with label k alone?",
            every_label_at_every_position,
        ),
    ),
    hints=(
        "Start from the probabilities: ref.softmax gives p in the right shape at once.",
        (
            "y is 1 at the label and 0 elsewhere. Instead of building it, 1 can be subtracted from p in the right "
            "places; np.nonzero tells you where a label is."
        ),
        (
            "Rows without a label become 0, and the rest is divided by the number of labels. Look at the order: a "
            "label of -100 used as an index would count from the end, or fail."
        ),
        "When there is no label at all, divide by 1 instead of by 0: zero stays zero.",
    ),
    minutes=12,
)


# 02.entropy


def entropy_terms(p):
    """-p log p of every token, with 0 log 0 = 0."""
    return -p * np.log(np.where(p > 0, p, 1.0))


def entropy_nan(p):
    return -(p * np.log(p)).sum(-1)


def entropy_negative(p):
    return -entropy_terms(p).sum(-1)


def entropy_in_bits(p):
    return entropy_terms(p).sum(-1) / np.log(2)


def entropy_mean(p):
    return entropy_terms(p).mean(-1)


def entropy_unweighted(p):
    return -np.log(np.where(p > 0, p, 1.0)).sum(-1)


def entropy_of_everything(p):
    return entropy_terms(p).sum()


def entropy_of_the_best(p):
    return -np.log(p.max(-1))


def entropy_second_axis(p):
    return entropy_terms(p).sum(axis=1)


def entropy_first_axis(p):
    return entropy_terms(p).sum(axis=0)


def entropy_padded(p):
    return -(p * np.log(p + 1e-12)).sum(-1)


def entropy_rare_words_cut(p):
    return np.where(p > 1e-8, entropy_terms(p), 0.0).sum(-1)


ENTROPY = Exercise(
    id="02.entropy",
    title="Entropy: the surprisal to expect",
    reference=ref.entropy,
    cases=(
        Case("a fair coin", (np.array([0.5, 0.5]),)),
        Case("a sure word among three", (np.array([0.0, 1.0, 0.0]),)),
        Case("two rows, one of them uneven", (np.array([[0.25, 0.75], [0.5, 0.5]]),)),
        Case("three words, one of them impossible", (np.array([[0.9, 0.1, 0.0], [0.2, 0.3, 0.5]]),)),
        Case("two sentences of one position", (np.array([[[0.25, 0.75]], [[0.5, 0.5]]]),)),
        Case("two sentences of four positions", (ref.softmax(BATCH),)),
        Case("a thousand equally likely words", (np.full(1_000, 0.001),)),
        Case("a thousand words of one in a billion, beside a likely one", (np.append(np.full(1_000, 1e-9), 1 - 1e-6),)),
    ),
    mistakes=(
        Mistake(
            "NaN for an impossible word",
            "0 times log 0 comes out as 0 times -inf, which is NaN. A word that never comes never surprises: how can "
            "its term be kept at 0?",
            entropy_nan,
        ),
        Mistake(
            "the sign is missing",
            "The size is right and the sign is not: an average of surprisals is 0 or more.",
            entropy_negative,
        ),
        Mistake(
            "bits instead of nats",
            "A fair coin comes out as 1: that is one bit. The course counts in nats; which logarithm is that?",
            entropy_in_bits,
        ),
        Mistake(
            "a plain mean over the words",
            "Too small by the number of words: you divide by it although the probabilities are already the weights of "
            "the average. What do the weights of an average sum to?",
            entropy_mean,
        ),
        Mistake(
            "every word's surprisal counts the same",
            "A rare word adds its full surprisal, however rarely it comes. An average over what happens weighs each "
            "surprisal by what?",
            entropy_unweighted,
        ),
        Mistake(
            "one number for all rows",
            "You add up the rows. Each row is a blank of its own, with an entropy of its own: along which axis do the "
            "words lie?",
            entropy_of_everything,
        ),
        Mistake(
            "the surprisal of the favorite",
            "Right when all words are equally likely, too small otherwise: you count only the most probable word. The "
            "others come too, now and then.",
            entropy_of_the_best,
        ),
        Mistake(
            "the second axis, wherever the words are",
            "Right for a table of rows, an error for a single row, and with sentences and positions you add up the "
            "positions. The words always lie along the last axis: how is that one counted from the end?",
            entropy_second_axis,
        ),
        Mistake(
            "the first axis",
            "Right for a single row. With several you add up different blanks, word by word. Along which axis does "
            "each blank have its words?",
            entropy_first_axis,
        ),
        Mistake(
            "a small number added inside the logarithm",
            "Close, but no word can be more surprising than your small number allows, so many rare words together "
            "come out too cheap. Can the logarithm of 0 be avoided without changing any other?",
            entropy_padded,
        ),
        Mistake(
            "rare words cut off",
            "Your limit treats rare words as impossible. A thousand of them, each one in a billion, are most of this "
            "entropy. Which probability is the only one whose term is 0 by definition?",
            entropy_rare_words_cut,
        ),
    ),
    hints=(
        "The surprisal of each word, weighed by how often it comes, summed over the words.",
        "Try it on [0, 1, 0] before you call check. What is 0 times -inf to NumPy?",
        (
            "np.log has the arguments `where` and `out`, and np.where can put a harmless 1 in place of each 0 before "
            "the logarithm: either keeps the term at 0."
        ),
    ),
    minutes=6,
)


# 02.perplexity


def base_two(mean_surprisal):
    return 2.0**mean_surprisal


def mean_probability(mean_surprisal):
    return np.exp(-mean_surprisal)


def one_for_all(mean_surprisal):
    return np.exp(np.mean(mean_surprisal))


def one_number_at_a_time(mean_surprisal):
    return math.exp(mean_surprisal)


def base_ten(mean_surprisal):
    return 10.0**mean_surprisal


PERPLEXITY = Exercise(
    id="02.perplexity",
    title="Perplexity: among how many words one seems to choose",
    reference=ref.perplexity,
    cases=(
        Case("a sure guess and a fair coin", (np.array([0.0, np.log(2.0)]),)),
        Case("a die, and a guess among 50,000 words", (np.array([np.log(6.0), np.log(50_000)]),)),
        Case("five mean surprisals", (np.array([0.1, 0.5, 1.0, 2.5, 7.0]),)),
        Case("two models on three texts", (np.array([[1.0, 2.0, 3.0], [0.9, 2.2, 2.7]]),)),
    ),
    mistakes=(
        Mistake(
            "2 to the power of nats",
            "A fair coin should come out as 2 and comes out as 1.62. Two is the base for bits; which base belongs to "
            "nats?",
            base_two,
        ),
        Mistake(
            "the inverse of it",
            "A fair coin should come out as 2 and comes out as 1/2: that is the (geometric) mean probability. A "
            "harder text should give a larger number.",
            mean_probability,
        ),
        Mistake(
            "one number for all models",
            "You average the surprisals that were handed in. Each is the mean of a text already, and each has a "
            "perplexity of its own.",
            one_for_all,
        ),
        Mistake(
            "one number at a time",
            "math.exp takes a single number and stumbles over an array. Which exp works on every entry at once?",
            one_number_at_a_time,
        ),
        Mistake(
            "10 to the power of nats",
            "A fair coin should come out as 2 and comes out as 4.93. Which base belongs to the natural logarithm?",
            base_ten,
        ),
    ),
    hints=(
        "For N equally likely words the surprisal is log N. Which function leads back from log N to N?",
        "Nats come from the natural logarithm, so its inverse is the one wanted.",
        "NumPy has it for whole arrays; one short line is enough.",
    ),
    minutes=3,
)


# 02.kl


def kl_terms(p, q):
    """p log(p / q) of every token, 0 where p is."""
    return p * (np.log(np.where(p > 0, p, 1.0)) - np.log(np.where(p > 0, q, 1.0)))


def kl_reversed(p, q):
    return kl_terms(q, p).sum(-1)


def kl_nan(p, q):
    return (p * np.log(p / q)).sum(-1)


def kl_infinity_dropped(p, q):
    return np.where(q > 0, kl_terms(p, np.where(q > 0, q, 1.0)), 0.0).sum(-1)


def kl_smoothed(p, q):
    return (p * np.log((p + 1e-12) / (q + 1e-12))).sum(-1)


def kl_negative(p, q):
    return -kl_terms(p, q).sum(-1)


def entropy_not_subtracted(p, q):
    return -(p * np.log(np.where(p > 0, q, 1.0))).sum(-1)


def kl_symmetric(p, q):
    return (kl_terms(p, q).sum(-1) + kl_terms(q, p).sum(-1)) / 2


def kl_in_bits(p, q):
    return kl_terms(p, q).sum(-1) / np.log(2)


def kl_of_everything(p, q):
    return kl_terms(p, q).sum()


def kl_as_a_difference(p, q):
    return -(p * np.log(q)).sum(-1) - entropy_terms(p).sum(-1)


def kl_patched(p, q):
    return np.nan_to_num(p * np.log(p / q)).sum(-1)


def kl_infinite_for_all(p, q):
    return np.where(((q == 0) & (p > 0)).any(), np.inf, kl_terms(p, q).sum(-1))


def kl_infinite_at_once(p, q):
    return np.inf if ((q == 0) & (p > 0)).any() else kl_terms(p, q).sum(-1)


KL = Exercise(
    id="02.kl",
    title="KL divergence: what the wrong expectation costs",
    reference=ref.kl_divergence,
    cases=(
        Case("a fair coin, expected to be loaded", (np.array([0.5, 0.5]), np.array([0.25, 0.75]))),
        Case("three words", (np.array([0.7, 0.2, 0.1]), np.array([0.2, 0.5, 0.3]))),
        Case("a word that never comes", (np.array([0.4, 0.6, 0.0]), np.array([0.3, 0.3, 0.4]))),
        Case("a word that is thought impossible and comes", (np.array([0.3, 0.3, 0.4]), np.array([0.4, 0.6, 0.0]))),
        Case("a word that neither knows", (np.array([0.4, 0.6, 0.0]), np.array([0.5, 0.5, 0.0]))),
        Case(
            "two rows; in the first, expectation and truth agree",
            (np.array([[0.5, 0.5], [0.9, 0.1]]), np.array([[0.5, 0.5], [0.6, 0.4]])),
        ),
        Case(
            "two rows; in the first, a word is thought impossible and comes",
            (np.array([[0.5, 0.5], [0.5, 0.5]]), np.array([[1.0, 0.0], [0.25, 0.75]])),
        ),
        Case(
            "two sentences of one position",
            (np.array([[[0.5, 0.5]], [[0.9, 0.1]]]), np.array([[[0.25, 0.75]], [[0.6, 0.4]]])),
        ),
        Case("two sentences of four positions", (ref.softmax(BATCH), ref.softmax(BATCH[::-1]))),
    ),
    mistakes=(
        Mistake(
            "the two distributions are swapped",
            "You answer the other question: what expecting p costs where q is true. Which of the two says how often a "
            "word really comes?",
            kl_reversed,
        ),
        Mistake(
            "NaN for a word that never comes",
            "Where p is 0 you get 0 times log 0, which is NaN. A word that never comes costs nothing, whatever q says "
            "of it.",
            kl_nan,
        ),
        Mistake(
            "the infinite term left out",
            "A word that q calls impossible came in 40% of cases, and your sum passes over it. What is the surprisal "
            "of an impossible word?",
            kl_infinity_dropped,
        ),
        Mistake(
            "a small number added to both",
            "Your answer is about 10 where it is infinite, and it would be another with another small number. When q "
            "gives 0 to a word that comes, infinity is the true answer.",
            kl_smoothed,
        ),
        Mistake(
            "the sign is wrong",
            "Your numbers are negative. The wrong expectation never costs less than the right one; which of the two "
            "logarithms is subtracted?",
            kl_negative,
        ),
        Mistake(
            "the entropy is not subtracted",
            "Not zero where p and q agree: this is the whole cross-entropy, the part that nobody could avoid "
            "included. What would a reader who knows p pay?",
            entropy_not_subtracted,
        ),
        Mistake(
            "both directions averaged",
            "Your answer stays the same when p and q change places. KL is not a distance: only one of them says how "
            "often words really come.",
            kl_symmetric,
        ),
        Mistake(
            "bits instead of nats",
            "Every number is too large by the same factor, 1.44. The course counts in nats: which logarithm is that?",
            kl_in_bits,
        ),
        Mistake(
            "one number for all rows",
            "You add up the rows. Each row compares two distributions of its own: along which axis do the words lie?",
            kl_of_everything,
        ),
        Mistake(
            "NaN for a word that neither knows",
            "The formula with two sums is right, but where p and q are both 0 the first of them takes 0 times log 0, "
            "which is NaN. A word that never comes costs nothing: how can its term be kept at 0?",
            kl_as_a_difference,
        ),
        Mistake(
            "NaN and infinity patched over",
            "The terms with p = 0 are right now, but a word that comes and was thought impossible costs the largest "
            "number a computer has instead of inf. Which of the two zeros did you want to mend?",
            kl_patched,
        ),
        Mistake(
            "one impossible word spoils every row",
            "You ask once, of the whole array, whether an impossible word came, and then all rows are infinite. Each "
            "row is a comparison of its own: along which axis should you ask?",
            kl_infinite_for_all,
        ),
        Mistake(
            "one impossible word ends the whole computation",
            "As soon as one row has an impossible word you return a single inf, and the other rows get no answer. If "
            "log q may be -inf where it must, which rows become infinite by themselves?",
            kl_infinite_at_once,
        ),
    ),
    hints=(
        "Surprisal under q minus surprisal under p, weighed by how often each word comes. Who says how often?",
        (
            "Two zeros need thought: where p is 0 the term is 0, and where only q is 0 the term is infinite, which is "
            "right."
        ),
        (
            "Take the two logarithms apart, so that log q may be -inf where it must, and put something harmless into "
            "both where p is 0."
        ),
    ),
    minutes=8,
)


# 02.clinic-mean


def weighted_loss(logits, targets, weights):
    """sum_k w_k s_k / sum_k w_k, for the surprisals s_k of the targets."""
    s = ref.surprisal(logits, targets)
    return float((weights * s).sum() / weights.sum())


def weights_cancel(logits, targets, weights):
    loss = ref.surprisal(logits, targets).mean()
    return float((loss * weights).sum() / weights.sum())


def weights_over_all(logits, targets, weights):
    return float((weights * ref.surprisal(logits, targets)).mean())


def weighted_sum(logits, targets, weights):
    return float((weights * ref.surprisal(logits, targets)).sum())


def weights_on_scores(logits, targets, weights):
    return float(ref.surprisal(logits * weights[..., None], targets).mean())


def weights_as_switches(logits, targets, weights):
    return float(ref.surprisal(logits, targets)[weights > 0].mean())


def mean_scaled(logits, targets, weights):
    return float(ref.surprisal(logits, targets).mean() * weights.mean())


def weights_on_both_sides(logits, targets, weights):
    s = ref.surprisal(logits, targets)
    return float((weights * s).sum() / (weights > 0).sum())


def total_weight_at_least_one(logits, targets, weights):
    return float((weights * ref.surprisal(logits, targets)).sum() / max(weights.sum(), 1))


CLINIC_MEAN = Exercise(
    id="02.clinic-mean",
    title="Bug clinic: the weights that did nothing",
    reference=weighted_loss,
    cases=(
        Case("a word and a padding position", (EVEN, np.array([1, 0]), np.array([1.0, 0.0]))),
        Case("two words, weights 1/4 and 1/2", (EVEN, np.array([1, 0]), np.array([0.25, 0.5]))),
        Case("three words of equal weight", (ROWS, np.array([2, 0, 1]), np.array([2.0, 2.0, 2.0]))),
        Case("three words of different weight", (ROWS, np.array([2, 0, 1]), np.array([0.5, 2.0, 1.0]))),
        Case(
            "two sentences, the second padded",
            (SENTENCES, np.array([[0, 1], [1, 0]]), np.array([[1.0, 1.0], [1.0, 0.0]])),
        ),
    ),
    mistakes=(
        Mistake(
            "the weights cancel out",
            "The loss is the same for any weights, padding included. Follow them through the last line by hand: what "
            "does each weight multiply, and how many losses are left by then?",
            weights_cancel,
        ),
        Mistake(
            "divided by the number of positions",
            "The weights act now, but the loss still shrinks with every padding position that is added, and doubles "
            "when all weights double. What is the total weight that was handed out?",
            weights_over_all,
        ),
        Mistake(
            "a weighted sum, not a mean",
            "The weights act now, but the loss grows with the length of the batch and with the size of the weights. "
            "What makes an average of a weighted sum?",
            weighted_sum,
        ),
        Mistake(
            "the scores are weighted",
            "A padding position still costs log V: scores of 0 are a guess like any other, the even one. What should "
            "a weight of 0 remove, the scores or their cost?",
            weights_on_scores,
        ),
        Mistake(
            "weights used as switches",
            "Padding is gone, but a weight of 2 counts no more than one of 0.5. How much of its surprisal should a "
            "position contribute?",
            weights_as_switches,
        ),
        Mistake(
            "one weight for the finished mean",
            "The padding still has its say: the surprisals were averaged before the weights came, so only the mean "
            "weight is left to act. Which of the two has to happen first?",
            mean_scaled,
        ),
        Mistake(
            "divided by a count of weights",
            "Right for weights of 0 and 1. But with all weights doubled the loss doubles, and a mean should not care. "
            "The weights in the sum have to be the weights below it.",
            weights_on_both_sides,
        ),
        Mistake(
            "a total weight of at least 1",
            "Right when the weights add up to 1 or more. Small weights are weights too: with 1/4 and 1/2 you divide "
            "by 1 where 3/4 was handed out. What does your lower limit protect from, given what the docstring says?",
            total_weight_at_least_one,
        ),
    ),
    hints=(
        "Print the shape of `loss` before and after the line with the mean.",
        "Once the surprisals are averaged, position k is no longer there for weight k to act on.",
        "Keep one surprisal per position until the weights have acted, then divide by what the weights add up to.",
    ),
    minutes=6,
)


# 02.clinic-broadcast


def masked_mean(surprisals, mask):
    """The mean of (N,) surprisals over the positions where the (N, 1) mask is 1."""
    return float((surprisals * mask[:, 0]).sum() / mask.sum())


def every_pair(surprisals, mask):
    return float((surprisals * mask).sum() / mask.sum())


def mean_of_every_pair(surprisals, mask):
    return float((surprisals * mask).mean())


def pairs_divided_again(surprisals, mask):
    return float((surprisals * mask).sum() / mask.sum() / len(surprisals))


def masked_over_all(surprisals, mask):
    return float((surprisals * mask[:, 0]).mean())


def axis_left_over(surprisals, mask):
    return surprisals @ mask / mask.sum()


def masked_sum(surprisals, mask):
    return float((surprisals * mask[:, 0]).sum())


def one_column(surprisals, mask):
    return float((surprisals * mask[0]).sum() / mask.sum())


def zeros_not_counted(surprisals, mask):
    masked = surprisals * mask[:, 0]
    return float(masked[masked > 0].mean())


CLINIC_BROADCAST = Exercise(
    id="02.clinic-broadcast",
    title="Bug clinic: a loss that grows with the batch",
    reference=masked_mean,
    cases=(
        Case("two positions, both selected", (np.array([1.0, 3.0]), np.ones((2, 1)))),
        Case("two positions, the first selected", (np.array([1.0, 3.0]), np.array([[1.0], [0.0]]))),
        Case("a surprisal of 0 among the selected", (np.array([5.0, 0.0, 2.0]), np.array([[0.0], [1.0], [1.0]]))),
        Case("one position", (np.array([0.7]), np.ones((1, 1)))),
        Case(
            "64 positions, every seventh selected",
            (np.linspace(0.1, 9.0, 64), (np.arange(64) % 7 == 0).astype(float)[:, None]),
        ),
    ),
    mistakes=(
        Mistake(
            "every surprisal meets every mask",
            "The loss is as large as the sum of all surprisals, and the mask does nothing. Print the shape of the "
            "product: how many numbers should it hold, and how many does it?",
            every_pair,
        ),
        Mistake(
            "the mean of all pairs",
            "Of a harmless size now, but the product still holds N times N numbers. Print its shape: which of its "
            "entries pair a surprisal with its own mask?",
            mean_of_every_pair,
        ),
        Mistake(
            "divided by N once more",
            "The size looks right, and it is the plain mean of everything: change the mask and nothing happens. The "
            "pairs are still wrong; which shape should the mask have to meet (N,)?",
            pairs_divided_again,
        ),
        Mistake(
            "averages over all positions",
            "The pairs are right now, but you divide by all positions, so the loss falls when fewer of them are "
            "selected. How many surprisals are in the sum?",
            masked_over_all,
        ),
        Mistake(
            "an array of one number",
            "The number is right, but an axis of the mask is left over: a loss is a single float, as the docstring "
            "says. Which shape comes out of your product?",
            axis_left_over,
        ),
        Mistake(
            "a sum where a mean is meant",
            "The pairs are right now, but the loss grows with the number of selected positions. What is missing at "
            "the end?",
            masked_sum,
        ),
        Mistake(
            "the first position's mask for everyone",
            "All positions are switched on or off together, by the first row of the mask. Each has a row of its own: "
            "which axis do you want to drop?",
            one_column,
        ),
        Mistake(
            "surprisals of 0 are not counted",
            "The pairs are right now, but a sure and right guess has a surprisal of 0, and you take it for a position "
            "that was not selected. Which of the two arrays knows how many are selected?",
            zeros_not_counted,
        ),
    ),
    hints=(
        "Print the shapes: of surprisals, of mask, and of their product.",
        "NumPy lines up shapes from the right: (N,) beside (N, 1) becomes (N, N), every surprisal with every mask.",
        "Give both the same shape before they meet, one number per position.",
    ),
    minutes=5,
)


# 02.clinic-empty


def epoch_loss(batches):
    """The mean over all masked tokens of all batches; 0.0 when there are none."""
    count = sum(len(batch) for batch in batches)
    return float(sum(batch.sum() for batch in batches) / count) if count else 0.0


def nan_in_the_log(batches):
    return float(np.mean([batch.mean() for batch in batches]))


def empty_as_perfect(batches):
    return float(np.mean([batch.mean() if len(batch) else 0.0 for batch in batches]))


def empty_skipped(batches):
    means = [batch.mean() for batch in batches if len(batch)]
    return float(np.mean(means)) if means else 0.0


def nan_forgotten(batches):
    return float(np.nan_to_num(nan_in_the_log(batches)))


def nothing_at_all(batches):
    return float(np.concatenate(batches).mean())


def sum_over_batches(batches):
    return float(sum(batch.sum() for batch in batches) / len(batches))


def mean_of_means(batches):
    return float(np.mean([batch.mean() for batch in batches if len(batch)]))


def only_above_zero(batches):
    values = [value for batch in batches for value in batch if value > 0]
    return float(sum(values) / len(values)) if values else 0.0


CLINIC_EMPTY = Exercise(
    id="02.clinic-empty",
    title="Bug clinic: NaN on some days",
    reference=epoch_loss,
    cases=(
        Case("two batches of two masked tokens each", ([np.array([1.0, 2.0]), np.array([3.0, 6.0])],)),
        Case("one masked token, then none", ([np.array([2.0]), np.array([])],)),
        Case("one masked token, then three", ([np.array([4.0]), np.array([0.0, 2.0, 3.0])],)),
        Case("no masked token in any batch", ([np.array([]), np.array([])],)),
        Case(
            "one, none, five and two masked tokens",
            ([np.array([7.0]), np.array([]), np.array([0.1, 0.2, 0.3, 0.4, 0.5]), np.array([1.5, 2.5])],),
        ),
    ),
    mistakes=(
        Mistake(
            "one empty batch spoils the mean",
            "A single batch without a masked token turns the whole epoch into NaN. What is the mean of no numbers, "
            "and which batches should have a say in the average at all?",
            nan_in_the_log,
        ),
        Mistake(
            "an empty batch counted as perfect",
            "No NaN any more, but a batch that predicted nothing is entered as a loss of 0, so short sentences look "
            "like progress. What should a batch without guesses contribute?",
            empty_as_perfect,
        ),
        Mistake(
            "empty batches skipped, the others counted alike",
            "No NaN any more, but a batch with one masked token weighs as much as one with five. The docstring "
            "averages over tokens: what would you keep from each batch, so that you can divide once at the end?",
            empty_skipped,
        ),
        Mistake(
            "NaN replaced by zero at the end",
            "One empty batch, and the whole epoch reads 0.0: a perfect score for bad news. The NaN arose earlier, in "
            "one batch; what should that batch have contributed?",
            nan_forgotten,
        ),
        Mistake(
            "NaN when there is no token at all",
            "All tokens count alike now. One case is left: when no batch has a masked token, you still take the mean "
            "of no numbers. What does the docstring ask for?",
            nothing_at_all,
        ),
        Mistake(
            "divided by the number of batches",
            "You add up tokens and divide by batches, so the loss grows with the size of a batch. What did you add "
            "up, and how many of those are there?",
            sum_over_batches,
        ),
        Mistake(
            "a mean of the batches' means",
            "Empty batches are passed over, unless all of them are empty, but a batch with one masked token weighs as "
            "much as one with five. The docstring averages over tokens: which two totals do you need?",
            mean_of_means,
        ),
        Mistake(
            "surprisals of 0 are not counted",
            "A sure and right guess has a surprisal of 0, and it counts: you leave it out, so the loss is too large. "
            "How many masked tokens does a batch have?",
            only_above_zero,
        ),
    ),
    hints=(
        "Which batch makes the NaN? Call the function with one batch at a time.",
        (
            "A mean of means gives every batch the same weight, however many tokens it has. Is that what the "
            "docstring says?"
        ),
        "Carry two totals through the loop, of surprisals and of tokens, and divide once at the end.",
        "Then only one case is left to think about: a total of no tokens.",
    ),
    minutes=6,
)


EXERCISES = (
    SURPRISAL,
    CROSS_ENTROPY,
    GRADIENT,
    ENTROPY,
    PERPLEXITY,
    KL,
    CLINIC_MEAN,
    CLINIC_BROADCAST,
    CLINIC_EMPTY,
)
