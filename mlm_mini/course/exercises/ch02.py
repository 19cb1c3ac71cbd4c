"""Chapter 02: how wrong a guess was, its slope, and three bugs of kinds that were really shipped.

Shapes: N positions, V tokens; leading dimensions are free. Everything is in nats.
"""

import math

import numpy as np

from mlm_mini import reference as ref
from mlm_mini.course.exercise import Case, Exercise

IGNORED = ref.IGNORE_INDEX
EVEN = np.array([[0.0, 0.0], [0.0, np.log(3.0)]])
ROWS = np.array([[1.0, 2.0, 4.0], [0.5, -1.0, 3.0], [0.0, 0.0, -2.0]])
DEEP = np.array([[[0.0, 1.0]], [[0.0, 3.0]]])
SENTENCES = np.array([[[0.0, 0.0], [0.0, np.log(3.0)]], [[1.0, 0.0], [0.0, 2.0]]])
BATCH = np.random.default_rng(2).normal(scale=3.0, size=(2, 4, 6))
PAGES = BATCH.reshape(2, 2, 2, 6)
MANY_WORDS = np.random.default_rng(3).normal(size=(3, 300))
FAR_BEHIND = np.array([[0.0, -800.0, -1_000.0], [1e4, 0.0, -1e4]])
# At the position that is not selected, a token is excluded: its surprisal is inf, and inf * 0 is NaN.
EXCLUDED = np.array([[0.0, 1.0, 2.0], [-np.inf, -np.inf, 1.0], [0.5, 0.0, -np.inf]])
EXCLUDED_FAR = np.array([[-1e10, -2e10, -np.inf], [2e4, -np.inf, 19_999.0]])  # lower than what people put for -inf
IMPOSSIBLE = np.array([[0.0, -np.inf], [0.0, np.log(3.0)]])
NONE = np.array([])
UP_TO_7 = np.arange(8.0).reshape(2, 2, 2)
COINS = np.array([[0.5, 0.5], [0.9, 0.1]])
LABELS = np.array([[IGNORED, 5, 0, 3], [1, IGNORED, IGNORED, IGNORED]])
# So rare, and so many, that a limit or a small number added to each shows; and as many, a little less rare.
RARE = np.append(np.full(10_000, 1e-15), 1 - 1e-11)
LESS_RARE = np.append(np.full(10_000, 2e-15), 1 - 2e-11)


def at_all_positions(logits, labels):
    """The surprisal at every position, where there is no label that of token 0."""
    return ref.surprisal(logits, np.maximum(labels, 0))


SURPRISAL = Exercise(
    id="02.surprisal",
    title="Surprisal of the true word",
    twin="mlm_mini.reference.loss:surprisal",
    minutes=8,
    cases=(
        Case("two positions, two words", (EVEN, np.array([0, 1]))),
        Case("two sentences of one position", (DEEP, np.array([[1], [0]]))),
        Case("a true word at -inf", (IMPOSSIBLE, np.array([1, 0]))),
        Case("a single position", (ROWS[0], np.array(1))),
        Case("three positions, three words", (ROWS, np.array([2, 0, 1]))),
        Case("a word 1000 behind the leader, and one 20000 behind", (FAR_BEHIND, np.array([2, 2]))),
        Case("scores of -inf, for excluded tokens", (EXCLUDED, np.array([2, 2, 1]))),
        Case("scores of -inf beside very low and very high ones", (EXCLUDED_FAR, np.array([0, 2]))),
        Case("two sentences of two positions", (SENTENCES, np.array([[0, 1], [1, 0]]))),
        Case("two sentences of four positions", (BATCH, np.array([[0, 5, 2, 3], [1, 1, 4, 0]]))),
        Case("300 words", (MANY_WORDS, np.array([299, 3, 200]))),
    ),
    habits=("unchanged logits", "unchanged targets", "leading logits 1", "low scores logits", "any order targets"),
    mistakes="""
    - the surprisal of the favorite: Right where the guess is right, too small elsewhere: you score the most probable
      word. Whose probability does the equation ask for?
          np.take_along_axis(log_p, targets[..., None], axis=-1) => log_p.max(-1, keepdims=True)
    - scores instead of log-probabilities: Your answer changes when every score grows by 10, and it can be negative; a
      surprisal does neither. What turns a score into a log-probability?
          ref.log_softmax(logits) => logits
    - measured from the leader: Your favorite costs nothing, however close the others are. The price is the distance
      from the log-sum-exp of all scores; yours is that from the largest alone.
          ref.log_softmax(logits) => logits - logits.max(-1, keepdims=True)
    - bits
          log_p = => log_p = 1 / np.log(2) *
    - the sign is missing: A good guess should cost little, and no guess less than nothing. Log-probabilities are 0 or
      less; which sign makes them a cost?
          -picked => picked
    - one minus the probability: It is 0 for a sure word, but never above 1: a chance of one in a hundred and one of one
      in a million cost you nearly the same. Which function of p keeps growing?
          -picked => 1 - np.exp(picked)
    - the logarithm of a finished softmax
          ref.log_softmax(logits) => np.log(ref.softmax(logits))
    - a small number added inside the logarithm
          ref.log_softmax(logits) => np.log(ref.softmax(logits) + 1e-12)
       or ref.log_softmax(logits) => np.log(ref.softmax(logits) + 1e-10)
       or ref.log_softmax(logits) => np.log(ref.softmax(logits) + 1e-8)
    - every target at every position: You get a table where one number per position is wanted: indexing with all targets
      takes all of them at each position. How do you pair position k with target k alone?
          -picked[..., 0] => -log_p[..., targets]
    - the surprisal of every word: You return one number for each word of the vocabulary. Only one word happened: which
      one does `targets` name?
          -picked[..., 0] => -log_p
    - an axis of length 1 is left over: Each of your numbers stands in a list of its own: picking one word kept an axis
      of length 1 at the end. The docstring promises the shape of the targets; which axis has to go?
          [..., 0] =>
    - every axis of length 1 is removed
          [..., 0] => .squeeze()
    - one mean for all positions: You return a single number, the mean. Which shape does the docstring promise?
          [..., 0] => .mean()
    - multiplied by zeros and ones: NaN where a word other than the true one is excluded: its log-probability is -inf,
      and 0 times -inf is NaN. Can the true word's number be looked up, so that the others are never touched?
          np.take_along_axis(log_p, targets[..., None], axis=-1)
          => ((np.arange(logits.shape[-1]) == targets[..., None]) * log_p).sum(-1, keepdims=True)
    - one axis of positions only: Right for a single axis of positions. With sentences and positions your row numbers
      count the sentences alone. How can the lookup be told to work along the last axis, whatever stands before it?
          -picked[..., 0] => -log_p[np.arange(len(targets)), targets]
    - the caller's arrays are changed
          log_p = => logits -= logits.max(-1, keepdims=True); log_p =
    - NaN and infinity patched over
          -picked => np.nan_to_num(-picked)
    """,
    hints="""
    - Two steps: from scores to log-probabilities, then pick one of them at each position.
    - ref.log_softmax does the first step, and it stays finite where a probability would underflow.
    - For the second step look at np.take_along_axis: it wants the targets with one more axis, of length 1, and gives
      that axis back to you to remove. `squeeze(axis)` removes that one; a bare `squeeze()` removes all of length 1.
    """,
)

LABELED = (
    Case("two positions, both selected", (EVEN, np.array([0, 1]))),
    Case("three positions, one selected", (ROWS, np.array([IGNORED, 2, IGNORED]))),
    Case("three positions, one of them labeled with token 0", (ROWS, np.array([0, IGNORED, 1]))),
    Case("no position selected", (ROWS, np.full(3, IGNORED))),
    Case("a label at -inf", (IMPOSSIBLE, np.array([1, 0]))),
    Case("words far behind the leader", (FAR_BEHIND, np.array([2, 1]))),
    Case("an excluded token where nothing is selected", (EXCLUDED, np.array([1, IGNORED, 0]))),
    Case("scores of -inf beside very low and very high ones", (EXCLUDED_FAR, np.array([0, 2]))),
    Case("two sentences of one position, both selected", (DEEP, np.array([[1], [0]]))),
    Case("two sentences, three positions selected", (SENTENCES, np.array([[0, 1], [1, IGNORED]]))),
    Case("two sentences, three positions selected in one and one in the other", (BATCH, LABELS)),
    Case("four sentences on two pages, one without a label", (PAGES, LABELS.reshape(2, 2, 2))),
    Case("300 words, two of three positions selected", (MANY_WORDS, np.array([299, IGNORED, 200]))),
)
LABELED_HABITS = (
    "unchanged logits",
    "unchanged labels",
    "leading logits 2",
    "low scores logits",
    "unequal counts labels",
)

CROSS_ENTROPY = Exercise(
    id="02.cross-entropy",
    title="Cross-entropy over the masked positions",
    twin="mlm_mini.reference.loss:cross_entropy",
    minutes=8,
    cases=LABELED,
    habits=LABELED_HABITS,
    rtol=1e-10,
    helpers={"np": np, "at_all": at_all_positions},
    mistakes="""
    - averages over all positions
          / selected.sum() => / labels.size
    - divided by the number of sentences
          / selected.sum() => / len(labels)
    - the mean of the sentences' means
          ref.surprisal(logits[selected], labels[selected]) => np.where(selected, at_all(logits, labels), 0.0)
          s.sum() / selected.sum() => (s.sum(-1) / np.maximum(selected.sum(-1), 1)).mean()
       or ref.surprisal(logits[selected], labels[selected]) => np.where(selected, at_all(logits, labels), np.nan)
          s.sum() / selected.sum() => np.nanmean(np.nanmean(s, -1))
    - a sum where a mean is meant
          / selected.sum() =>
    - a small number added to what is divided by
          / selected.sum() => / (selected.sum() + 1e-8)
    - one number for each position: You return the surprisals themselves. A loss is one number: over which positions
      does it average?
          float(s.sum() / selected.sum()) => s
       or float(s.sum() / selected.sum()) if selected.any() else 0.0 => np.where(selected, at_all(logits, labels), 0.0)
    - NaN when nothing is selected
          if selected.any() else 0.0 =>
    - NaN and infinity patched over
          float( => np.nan_to_num(
          if selected.any() else 0.0 =>
    - infinite surprisals left out
          s.sum() / selected.sum() => s[np.isfinite(s)].mean()
    - -100 counted as a word: Positions without a label are in your sum, scored as if they asked for token 0. -100 is a
      mark, not a token: which positions have to leave before anything is looked up?
          ref.surprisal(logits[selected], labels[selected]) => at_all(logits, labels)
       or ref.surprisal(logits[selected], labels[selected]) => at_all(logits, labels)
          / selected.sum() => / labels.size
       or ref.surprisal(logits[selected], labels[selected]) => at_all(logits, labels)
          / selected.sum()) if selected.any() else 0.0 => / labels.size)
       or ref.surprisal(logits[selected], labels[selected]) => at_all(logits, labels)
          / selected.sum()) if selected.any() else 0.0 => / max(selected.sum(), 1))
    - -100 looked up as a word (raises)
          instead:
              return float(ref.surprisal(logits, labels).mean())
       or instead:
              return float(-np.take_along_axis(ref.log_softmax(logits), labels[..., None], -1)[labels != -100].mean())
    - multiplied by the mask: You give NaN where an excluded token stands at a position without a label: its surprisal
      is inf, and inf times 0 is NaN. Can positions without a label be left out instead of multiplied by 0?
          ref.surprisal(logits[selected], labels[selected]) => at_all(logits, labels) * selected
    - token 0 ignored as well
          labels != -100 => labels > 0
    - the wrong positions are chosen
          labels != -100 => labels == -100
       or labels != -100 => labels == -100
          ref.surprisal(logits[selected], labels[selected]) => at_all(logits, labels)[selected]
    - every label at every position
          ref.surprisal(logits[selected], labels[selected])
          => -ref.log_softmax(logits[selected])[:, labels[selected]].mean(-1)
    - the caller's arrays are changed
          != -100 => != -100; labels[~selected] = 0
    - bits
          s = => s = 1 / np.log(2) *
    - the logarithm of a finished softmax
          s = ref.surprisal(logits[selected], labels[selected])
          => s = -np.log(np.take_along_axis(ref.softmax(logits[selected]), labels[selected][:, None], -1))
    - a small number added inside the logarithm
          s = ref.surprisal(logits[selected], labels[selected])
          => s = -np.log(np.take_along_axis(ref.softmax(logits[selected]), labels[selected][:, None], -1) + 1e-12)
    """,
    hints="""
    - Which positions have a label at all? Write that down first, as an array of True and False.
    - Indexing with that array keeps the selected rows of the scores and the selected labels, whatever the leading
      dimensions were.
    - What is left is ref.surprisal of those rows, and its mean.
    - And if the array holds no True at all? Decide that before you take a mean.
    """,
)

GRADIENT = Exercise(
    id="02.gradient",
    title="The gradient of the loss: p - y",
    twin="mlm_mini.reference.loss:cross_entropy_gradient",
    minutes=12,
    cases=LABELED,
    habits=LABELED_HABITS,
    rtol=1e-10,
    mistakes="""
    - uphill instead of downhill: Every sign is the wrong way round: a step against your gradient would make the true
      word less probable. Should the true word's score rise or fall when the loss falls?
          p - y => y - p
    - the gradient of the sum: The loss is a mean over n positions, and yours is the slope of their sum. What does a
      mean do to the share of each position?
          / n =>
    - averages over all positions
          max(selected.sum(), 1) => labels.size
    - positions without a label are pushed: Every word of a position without a label would be pushed down: you have p /
      n there. Does the loss depend on scores where nothing is predicted?
          (p - y) / n, 0.0 => (p - y) / n, p / n
    - positions without a label are pushed to token 0: Where nothing is predicted your gradient pulls token 0 up and all
      others down. What is the slope of the loss along scores that it does not depend on?
          == labels[..., None] => == np.maximum(labels, 0)[..., None]
          (p - y) / n, 0.0 => (p - y) / n, (p - y) / n
    - the labels are not subtracted: Your rows do not sum to 0, and nothing pushes the true word up. What does y hold in
      the equation?
          p - y => p
    - scores where probabilities belong: Your rows do not sum to 0, and the slope grows with the scores. What does p
      stand for in the equation?
          ref.softmax(logits) => logits
       or ref.softmax(logits) => ref.log_softmax(logits)
    - only one of p and y is divided: Your rows do not sum to 0 where n is more than 1. To what does the division of the
      equation apply?
          (p - y) / n => p / n - y
       or (p - y) / n => p - y / n
    - the labeled rows alone: Your rows are those of the positions with a label, but every score has a slope. Which
      shape does the docstring promise, and what stands in the other rows?
          np.where(selected, (p - y) / n, 0.0) => ((p - y) / n)[labels != -100]
    - token 0 ignored as well
          labels[..., None] != -100 => labels[..., None] > 0
    - NaN when nothing is selected
          np.where(selected, (p - y) / n, 0.0) => (p - y) * selected / n
          max(selected.sum(), 1) => selected.sum()
    - a small number added to what is divided by
          max(selected.sum(), 1) => (selected.sum() + 1e-8)
    - the caller's arrays are changed
          n = max => labels[labels == -100] = 0; n = max
    - the true word alone: Only the scores of the true words get a slope. Raising any other score lowers the true word's
      probability, so it costs something too: how much does p say?
          (p - y) / n, 0.0 => (p - y) * y / n, 0.0
    - -100 looked up as a word (raises)
          instead:
              y, selected = np.eye(logits.shape[-1])[labels], labels[..., None] != -100
              return np.where(selected, ref.softmax(logits) - y, 0.0) / max(selected.sum(), 1)
    - divided by the number of sentences
          max(selected.sum(), 1) => len(labels)
    - n counted in each sentence: Right for one sentence. With several, a word that is masked alone is pushed harder
      than one of three, but the loss is one mean over all labels of the batch. How many labels are there in all?
          max(selected.sum(), 1) => np.maximum(selected.sum(-2, keepdims=True), 1)
    - every label at every position
          np.arange(logits.shape[-1]) == labels[..., None] => np.isin(np.arange(logits.shape[-1]), labels)
    """,
    hints="""
    - Start from the probabilities: ref.softmax gives p in the right shape at once.
    - y is 1 at the label and 0 elsewhere. Compare the numbers from 0 to V - 1 with each label, or subtract 1 from p in
      the right places; np.nonzero tells you where a label is.
    - Rows without a label become 0, and the rest is divided by the number of labels. Look at the order: a label of -100
      used as an index would count from the end, or fail.
    - When there is no label at all, divide by 1 instead of by 0: zero stays zero.
    """,
)

ENTROPY = Exercise(
    id="02.entropy",
    title="Entropy: the surprisal to expect",
    twin="mlm_mini.reference.probability:entropy",
    minutes=6,
    cases=(
        Case("a fair coin", (np.array([0.5, 0.5]),)),
        Case("a sure word among three", (np.array([0.0, 1.0, 0.0]),)),
        Case("two rows, one of them uneven", (np.array([[0.25, 0.75], [0.5, 0.5]]),)),
        Case("three words, one of them impossible", (np.array([[0.9, 0.1, 0.0], [0.2, 0.3, 0.5]]),)),
        Case("two sentences of one position", (np.array([[[0.25, 0.75]], [[0.5, 0.5]]]),)),
        Case("two sentences of four positions", (ref.softmax(BATCH),)),
        Case("ten thousand words of one in 10^15, beside a likely one", (RARE,)),
    ),
    habits=("unchanged p", "leading p 1"),
    atol=1e-12,  # a small number added to the rare words shows; how a right answer rounds them does not
    mistakes="""
    - NaN for an impossible word: 0 times log 0 comes out as 0 times -inf, which is NaN. A word that never comes never
      surprises: how can its term be kept at 0?
          np.where(p > 0, p, 1.0) => p
    - the sign is missing: Yours is 0 or less; an average of surprisals is 0 or more. Which sign does a logarithm of a
      probability have?
          return - => return
    - bits
          np.log( => np.log2(
    - a plain mean over the words: Too small by the number of words: you divide by it although the probabilities are
      already the weights of the average. What do the weights of an average sum to?
          .sum(-1) => .mean(-1)
    - every word counts the same
          p * =>
    - one number for all rows
          .sum(-1) => .sum()
    - the surprisal of the favorite: Right when all words are equally likely, too small otherwise: you count only the
      most probable word. The other words come too, now and then.
          (p * np.log(possible)).sum(-1) => np.log(p.max(-1))
    - the second axis, wherever the words are
          .sum(-1) => .sum(1)
    - summed along the first axis
          .sum(-1) => .sum(0)
    - the probability is kept away from zero: Close, but with a limit under p, or a small number added to it, no word is
      more surprising than that allows, and many rare ones come out too cheap. Can the logarithm of 0 be avoided without
      changing any other?
          np.where(p > 0, p, 1.0) => p + 1e-12
       or np.where(p > 0, p, 1.0) => p + 1e-10
       or np.where(p > 0, p, 1.0) => p + 1e-9
       or np.where(p > 0, p, 1.0) => p + 1e-8
       or np.where(p > 0, p, 1.0) => np.maximum(p, 1e-12)
       or np.where(p > 0, p, 1.0) => np.maximum(p, 1e-10)
    - the caller's arrays are changed
          possible = => p[p == 0] = 1.0; possible =
    - rare words cut off: Your limit treats rare words as impossible. Ten thousand of them, each one in 10^15, are most
      of this entropy. Which probability is the only one whose term is 0 by definition?
          p > 0 => p > 1e-12
    """,
    hints="""
    - The surprisal of each word, weighed by how often it comes, summed over the words.
    - Try it on [0, 1, 0] before you call check. What is 0 times -inf to NumPy?
    - np.log has the arguments `where` and `out`, and np.where can put a harmless 1 in place of each 0 before the
      logarithm: either keeps the term at 0.
    """,
)

PERPLEXITY = Exercise(
    id="02.perplexity",
    title="Perplexity: among how many words one seems to choose",
    twin="mlm_mini.reference.probability:perplexity",
    minutes=3,
    cases=(
        Case("a sure guess and a fair coin", (np.array([0.0, np.log(2.0)]),)),
        Case("a die, and a guess among 50,000 words", (np.array([np.log(6.0), np.log(50_000)]),)),
        Case("a single mean surprisal", (np.float64(2.5),)),
        Case("two models on three texts", (np.array([[1.0, 2.0, 3.0], [0.9, 2.2, 2.7]]),)),
    ),
    habits=("unchanged mean_surprisal", "leading mean_surprisal 0"),
    helpers={"math": math},
    mistakes="""
    - another base than e: A fair coin should come out as 2; with 2 as the base it comes out as 1.62, with 10 as 4.93.
      Which base belongs to the natural logarithm?
          np.exp( => np.exp2(
       or np.exp( => np.power(10.0,
    - the inverse: A fair coin should come out as 2 and comes out as 1/2: that is the (geometric) mean probability. A
      harder text should give a larger number.
          np.exp( => np.exp(-
    - a logarithm once more: Nats are logarithms already, and a fair coin has to come out as 2 again. Which function
      undoes a logarithm?
          np.exp( => np.log(
    - one number for all models: You average the surprisals that were handed in. Each surprisal is the mean of a text
      already, and has a perplexity of its own.
          np.exp(mean_surprisal) => np.exp(np.mean(mean_surprisal))
       or np.exp(mean_surprisal) => np.exp(mean_surprisal.mean(-1))
    - one number at a time (raises): An array is an error: math.exp and float() know single numbers only. Which exp
      works on every entry at once, and is there anything left to convert?
          np.exp( => math.exp(
    """,
    hints="""
    - For N equally likely words the surprisal is log N. Which function leads back from log N to N?
    - Nats come from the natural logarithm, so its inverse is the one wanted.
    - NumPy has it for whole arrays; one short line is enough.
    """,
)

KL = Exercise(
    id="02.kl",
    title="KL divergence: what the wrong expectation costs",
    twin="mlm_mini.reference.probability:kl_divergence",
    minutes=8,
    cases=(
        Case("a fair coin, expected to be loaded", (np.array([0.5, 0.5]), np.array([0.25, 0.75]))),
        Case("three words", (np.array([0.7, 0.2, 0.1]), np.array([0.2, 0.5, 0.3]))),
        Case("a word that never comes", (np.array([0.4, 0.6, 0.0]), np.array([0.3, 0.3, 0.4]))),
        Case("a word that is thought impossible and comes", (np.array([0.3, 0.3, 0.4]), np.array([0.4, 0.6, 0.0]))),
        Case("a word that neither knows", (np.array([0.4, 0.6, 0.0]), np.array([0.5, 0.5, 0.0]))),
        Case("two rows, the first expected as it is", (COINS, np.array([[0.5, 0.5], [0.6, 0.4]]))),
        Case("two rows, in the first an impossible word came", (COINS, np.array([[1.0, 0.0], [0.25, 0.75]]))),
        Case("two sentences of one position", (COINS[:, None], np.array([[[0.25, 0.75]], [[0.6, 0.4]]]))),
        Case("two sentences of four positions", (ref.softmax(BATCH), ref.softmax(BATCH[::-1]))),
        Case("ten thousand words of one in 10^15, expected twice as often", (RARE, LESS_RARE)),
    ),
    answers_in=("mlm_mini.experiments.lab.exact_questions:kl_from_logs",),
    habits=("unchanged p", "unchanged q", "leading p 1"),
    atol=1e-12,
    mistakes="""
    - the two distributions are swapped: You answer the other question: what expecting p costs where q is true. Which of
      the two says how often a word really comes?
          log_p = => p, q = q, p; log_p =
    - NaN for a word that never comes: Where p is 0 you get 0 times log 0, which is NaN. A word that never comes costs
      nothing, whatever q says of it.
          np.where(p > 0, p, 1.0) => p
    - the infinite term left out: A word that q calls impossible came in 40% of cases, and your sum passes over it. What
      is the surprisal of an impossible word?
          (log_p - log_q) => np.where(q > 0, log_p - log_q, 0.0)
    - q is kept away from zero: With a limit under q, or a small number added to it, your answer is finite where it
      should not be, and another number would give another answer. When q gives 0 to a word that comes, infinity is the
      true answer.
          np.where(p > 0, q, 1.0) => q + 1e-12
       or np.where(p > 0, q, 1.0) => q + 1e-10
       or np.where(p > 0, q, 1.0) => q + 1e-9
       or np.where(p > 0, q, 1.0) => np.maximum(q, 1e-12)
       or np.where(p > 0, q, 1.0) => np.maximum(q, 1e-10)
    - a small number added to p: Expecting the truth should cost nothing, and costs you a little: inside the logarithm p
      is larger than it is. Only one value of p has no logarithm; can the others be left alone?
          np.where(p > 0, p, 1.0) => p + 1e-12
       or np.where(p > 0, p, 1.0) => p + 1e-10
       or np.where(p > 0, p, 1.0) => p + 1e-9
    - the sign is wrong: Your numbers are negative. The wrong expectation never costs less than the right one; which of
      the two logarithms is subtracted?
          (p * ( => (-p * (
    - weighed by q: You weigh each word by how often q expects it. Who says how often a word really comes?
          (p * ( => (q * (
    - every term made positive: Single terms may be below 0, where a word comes less often than expected, and they
      belong in the sum. Which is never negative: a term, or all of them together?
          p * (log_p - log_q) => np.abs(p * (log_p - log_q))
    - every word counts the same
          (p * (log_p - log_q)) => (log_p - log_q)
    - the difference of two entropies: You subtract H(p) from H(q). A reader who expects q meets the words as often as p
      says; in which of your two sums do they come as often as q says?
          (p * (log_p - log_q)).sum(-1) => (p * log_p - q * np.log(np.where(q > 0, q, 1.0))).sum(-1)
    - the entropy is not subtracted: Not zero where p and q agree: this is the whole cross-entropy, the part that nobody
      could avoid included. What would a reader who knows p pay?
          log_p - => -
       or log_p - => -log_p -
    - both directions: Your answer stays the same when p and q change places. KL is not a distance: only one of p and q
      says how often words really come.
          (p * (log_p - log_q)) => np.where(p == q, 0.0, (p - q) * (np.log(p) - np.log(q)) / 2)
       or (p * (log_p - log_q)) => np.where(p == q, 0.0, (p - q) * (np.log(p) - np.log(q)))
    - bits
          return => return 1 / np.log(2) *
    - one number for all rows
          .sum(-1) => .sum()
    - summed along the first axis
          .sum(-1) => .sum(0)
    - the second axis, wherever the words are
          .sum(-1) => .sum(1)
    - NaN for a word that neither knows: Where p and q are both 0 you take 0 times log 0, which is NaN. A word that
      never comes costs nothing: how can its term be kept at 0?
          np.where(p > 0, q, 1.0) => q
    - NaN and infinity patched over
          np.where(p > 0, p, 1.0) => p
          (p * (log_p - log_q)) => np.nan_to_num(p * (log_p - log_q))
    - the caller's arrays are changed
          log_p = => q[p == 0] = 1.0; p[p == 0] = 1.0; log_p =
    - every impossible word costs infinity: A word that q calls impossible costs infinity when it comes, and where p is
      0 it never does. Which zeros must be asked for first, those of p or those of q?
          return (p => return np.where((q == 0).any(-1), np.inf, 0.0) + (p
    - one impossible word spoils every row: You ask once, of the whole array, whether an impossible word came, and then
      all rows are infinite. Each row is a comparison of its own: along which axis should you ask?
          .sum(-1) => .sum(-1) + np.where(((q == 0) & (p > 0)).any(), np.inf, 0.0)
    - one impossible word ends the whole computation: As soon as one row has an impossible word you return a single inf,
      and the other rows get no answer. If log q may be -inf where it must, which rows become infinite by themselves?
          return (p => return np.inf if ((q == 0) & (p > 0)).any() else (p
    """,
    hints="""
    - Surprisal under q minus surprisal under p, weighed by how often each word comes. Who says how often?
    - Two zeros need thought: where p is 0 the term is 0, and where only q is 0 the term is infinite, which is right.
    - Take the two logarithms apart, so that log q may be -inf where it must, and put something harmless into both where
      p is 0.
    """,
)

CLINIC_MEAN = Exercise(
    id="02.clinic-mean",
    title="Bug clinic: the weights that did nothing",
    minutes=6,
    cases=(
        Case("a word and a padding position", (EVEN, np.array([1, 0]), np.array([1.0, 0.0]))),
        Case("two words, weights 1/4 and 1/2", (EVEN, np.array([0, 1]), np.array([0.25, 0.5]))),
        Case("three words of equal weight", (ROWS, np.array([2, 0, 1]), np.array([2.0, 2.0, 2.0]))),
        Case("three words of different weight", (ROWS, np.array([0, 2, 1]), np.array([0.5, 2.0, 1.0]))),
        Case("two padded sentences", (SENTENCES, np.array([[1, 0], [1, 0]]), np.array([[1.0, 1.0], [1.0, 0.0]]))),
        Case("four sentences on two pages", (PAGES, np.array([[[4, 5], [2, 3]], [[1, 1], [4, 0]]]), UP_TO_7)),
    ),
    habits=("unchanged logits", "unchanged targets", "unchanged weights", "leading logits 2", "any order targets"),
    rtol=1e-10,
    mistakes="""
    - the weights cancel out: Every position has the same say, padding included, whatever its weight. Follow the weights
      through the last lines by hand: what does each multiply, and how many losses are left by then?
          ref.surprisal(logits, targets) => ref.surprisal(logits, targets).mean()
    - divided by the number of positions: Your loss shrinks with every padding position that is added. What is the total
      weight that was handed out?
          / weights.sum() => / weights.size
    - a weighted sum, not a mean: Your loss grows with the length of the batch and with the size of the weights. What
      makes an average of a weighted sum?
          / weights.sum() =>
    - the scores are weighted: A padding position still costs log V: scores of 0 are a guess like any other, the even
      one. What should a weight of 0 remove, the scores or their cost?
          ref.surprisal(logits, targets) * weights => ref.surprisal(logits * weights[..., None], targets)
          / weights.sum() => / weights.size
    - weights used as switches: Padding is gone, but a weight of 2 counts no more than one of 0.5. How much of its
      surprisal should a position contribute?
          loss = => weights = weights > 0; loss =
       or * weights => * (weights > 0)
    - weights below the line alone: You divide by the total weight, but every surprisal in the sum counts once. What
      should the weight of a position multiply?
          * weights =>
    - each sentence averaged by itself: A sentence of little weight counts as much as one of great weight. The docstring
      has one sum above and one below, over all positions.
          loss.sum() / weights.sum() => (loss.sum(-1) / weights.sum(-1)).mean()
    - the caller's arrays are changed
          loss = => weights /= weights.sum(); loss =
    - a small number added to what is divided by
          / weights.sum() => / (weights.sum() + 1e-8)
    - divided by a count of weights: With all weights doubled your loss doubles, and a mean should not care. What did
      you hand out in the sum, and what do you count below it?
          / weights.sum() => / (weights > 0).sum()
    - a total weight of at least 1: Small weights are weights too: with 1/4 and 1/2 you divide by 1 where 3/4 was handed
      out. What does your lower limit protect from, given what the docstring says?
          / weights.sum() => / max(weights.sum(), 1)
    """,
    hints="""
    - Print the shape of `loss` before and after the line with the mean.
    - Once the surprisals are averaged, position k is no longer there for weight k to act on.
    - Keep one surprisal per position until the weights have acted, then divide by what the weights add up to.
    """,
)

CLINIC_BROADCAST = Exercise(
    id="02.clinic-broadcast",
    title="Bug clinic: a loss that grows with the batch",
    minutes=5,
    cases=(
        Case("two positions, both selected", (np.array([1.0, 3.0]), np.ones((2, 1)))),
        Case("two positions, the first selected", (np.array([1.0, 3.0]), np.array([[1.0], [0.0]]))),
        Case("a surprisal of 0 among the selected", (np.array([5.0, 0.0, 2.0]), np.array([[0.0], [1.0], [1.0]]))),
        Case("one position", (np.array([0.7]), np.ones((1, 1)))),
        Case("64 positions, every seventh selected", (np.sqrt(np.arange(64)), np.eye(7)[np.arange(64) % 7, :1])),
    ),
    habits=("unchanged surprisals", "unchanged mask", "any order surprisals"),
    mistakes="""
    - every surprisal meets every mask: The loss is as large as the sum of all surprisals, and the mask does nothing.
      Print the shape of the product: how many numbers should it hold, and how many does it?
          surprisals[selected] => (surprisals * mask)
    - the mean of all pairs: Of a harmless size now, but the mask does nothing, and the product still holds N times N
      numbers. Which entries of the product pair a surprisal with its own mask?
          surprisals[selected].sum() / selected.sum() => (surprisals * mask).mean()
       or surprisals[selected].sum() / selected.sum() => (surprisals * mask).sum() / mask.sum() / len(surprisals)
    - averages over all positions
          / selected.sum() => / len(surprisals)
    - an array of one number: An axis of the mask is left over: a loss is a single float, as the docstring says. Which
      shape comes out of your product?
          float(surprisals[selected].sum() / selected.sum()) => surprisals @ mask / mask.sum()
    - a sum where a mean is meant
          / selected.sum() =>
    - one number for each position: A loss is one number. You add up the rows of the product, or its columns, and keep
      the others. Print the shape of the product: is it what you think?
          float(surprisals[selected].sum() / selected.sum()) => (surprisals * mask).sum(0) / mask.sum()
       or float(surprisals[selected].sum() / selected.sum()) => (surprisals * mask).sum(1) / mask.sum()
    - the wrong positions are chosen
          == 1 => == 0
    - the first position's mask for everyone: All positions are switched on or off together, by the first row of the
      mask. Each position has a row of its own: which axis of the mask do you want to drop?
          surprisals[selected] => (surprisals * mask[0])
    - surprisals of 0 are not counted: A sure and right guess has a surprisal of 0, and you take it for a position that
      was not selected. Which of the two arrays knows how many are selected?
          selected.sum() => (surprisals[selected] > 0).sum()
    - the caller's arrays are changed
          selected = => surprisals *= mask[:, 0]; selected =
    - zeros and ones taken for positions: You look up positions 0 and 1 over and over: as whole numbers the entries of
      the mask are places, not yes and no. What must an array hold that is to choose?
          instead:
              return float(surprisals[mask[:, 0].astype(int)].mean())
    """,
    hints="""
    - Print the shapes: of surprisals, of mask, and of their product.
    - NumPy lines up shapes from the right: (N,) beside (N, 1) becomes (N, N), every surprisal with every mask.
    - Give both the same shape before they meet, one number per position.
    """,
)

CLINIC_EMPTY = Exercise(
    id="02.clinic-empty",
    title="Bug clinic: NaN on some days",
    minutes=6,
    cases=(
        Case("two batches of two masked tokens each", ([np.array([1.0, 2.0]), np.array([3.0, 6.0])],)),
        Case("one masked token, then none", ([np.array([2.0]), NONE],)),
        Case("one masked token, then three", ([np.array([4.0]), np.array([0.0, 2.0, 3.0])],)),
        Case("no masked token in any batch", ([NONE, NONE],)),
        Case("an impossible word came", ([np.array([1.0]), np.array([np.inf, 2.0])],)),
        Case("one, none, five and two masked tokens", ([np.full(1, 7.0), NONE, np.arange(5.0), np.ones(2)],)),
    ),
    habits=("unchanged batches",),
    rtol=1e-10,
    helpers={"np": np},
    mistakes="""
    - one empty batch spoils the mean: A single batch without a masked token turns the whole epoch into NaN. What is the
      mean of no numbers, and which batches should have a say in the average at all?
          total / count => np.mean([batch.mean() for batch in batches])
          if count else 0.0 =>
       or total / count => np.mean([batch.mean() for batch in batches])
    - an empty batch counted as perfect: A batch that predicted nothing is entered as a loss of 0, so short sentences
      look like progress. What should a batch without guesses contribute?
          total / count => np.mean([batch.mean() if len(batch) else 0.0 for batch in batches])
       or / count => / sum(max(len(batch), 1) for batch in batches)
    - empty batches skipped, the others counted alike: A batch with one masked token weighs as much as one with five.
      The docstring averages over tokens: what would you keep from each batch, so that you can divide once at the end?
          total / count => np.mean([batch.mean() for batch in batches if len(batch)])
    - one empty batch makes the loss 0: One empty batch, and the whole epoch reads 0.0: a perfect score for bad news.
      What should an empty batch have contributed?
          total / count => np.nan_to_num(np.mean([batch.mean() for batch in batches]))
       or if count else 0.0 => if all(len(batch) for batch in batches) else 0.0
    - NaN and infinity patched over
          if count else 0.0 =>
          float( => np.nan_to_num(
    - NaN when there is no token at all: When no batch has a masked token, you take the mean of no numbers. What does
      the docstring ask for when there is no token?
          if count else 0.0 =>
    - a sum where a mean is meant
          / count =>
    - divided by the number of batches: You add up tokens and divide by batches, so the loss grows with the size of a
      batch. What did you add up, and how many of those are there?
          / count => / len(batches)
       or / count => / max(sum(len(batch) > 0 for batch in batches), 1)
    - an empty batch weighed by 0: You weigh each mean by its number of tokens; but the mean of no numbers is NaN, and
      NaN times 0 is NaN. Which total can be had from a batch without a mean?
          batch.sum() => batch.mean() * len(batch)
    - surprisals of 0 are not counted: A sure and right guess has a surprisal of 0, and it counts: you leave it out, so
      the loss is too large. How many masked tokens does a batch have?
          len(batch) => (batch > 0).sum()
    - infinite surprisals left out
          total = => batches = [batch[np.isfinite(batch)] for batch in batches]; total =
    - a small number added to what is divided by
          / count => / (count + 1e-8)
    """,
    hints="""
    - Which batch makes the NaN? Call the function with one batch at a time.
    - A mean of means gives every batch the same weight, however many tokens it has. Is that what the docstring says?
    - Carry two totals through the loop, of surprisals and of tokens, and divide once at the end.
    - Then only one case is left to think about: a total of no tokens.
    """,
)

EXERCISES = (SURPRISAL, CROSS_ENTROPY, GRADIENT, ENTROPY, PERPLEXITY, KL, CLINIC_MEAN, CLINIC_BROADCAST, CLINIC_EMPTY)
