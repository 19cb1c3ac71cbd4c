"""Chapter 07: training, from one step of AdamW to a run that can be stopped, and the bug clinic of Part II.

Shapes: B sentences, T positions, K rows of real text. Everything here is NumPy and plain Python: what is taught are the
rules, and the tests of `mlm_mini.training` hold PyTorch's against them.
"""

import copy
from types import SimpleNamespace

import numpy as np

from mlm_mini.course import chance
from mlm_mini.course.exercise import Case, Exercise, Twin
from mlm_mini.course.stand_ins import (
    Disk,
    ToyModel,
    books,
    measured_evaluation,
    measured_save,
    measured_split,
    measured_state,
)

rng = np.random.default_rng


def adamw(name, seed, shape, step, rate=0.01, **settings):
    weight, gradient, m = rng(seed).normal(size=(3, *shape))
    v = rng(seed + 100).random(shape) * 0.3
    return Case(name, (weight, gradient, m * (step > 1), v * (step > 1), step, rate), settings)


TINY = np.array([1e-6, -3e-6])

ADAMW = Exercise(
    id="07.adamw",
    title="One step of AdamW",
    twin="mlm_mini.reference.optimizer:adamw_step",
    minutes=20,
    cases=(
        adamw("the first step, one weight", 1, (1,), 1, 0.1),
        adamw("the third step, a matrix", 2, (2, 3), 3),
        adamw("a thousand steps on", 3, (4,), 1000),
        adamw("strong decay", 4, (2, 2), 2, decay=0.5),
        adamw("no decay, other betas", 5, (3,), 2, decay=0.0, beta1=0.5, beta2=0.9),
        Case("no gradient yet", (np.array([1.0, -2.0]), np.zeros(2), np.zeros(2), np.zeros(2), 1, 0.1)),
        Case("gradients as small as epsilon", (np.ones(2), TINY, 0.1 * TINY, 0.02 * TINY**2, 2, 0.1)),
    ),
    habits=("unchanged weight", "unchanged gradient", "unchanged m", "unchanged v", "fresh"),
    mistakes="""
    - no bias correction: m and v began at zero. How much of the first zeros is left in m and v at step `step`?
          m / (1 - beta1**step) => m
          v / (1 - beta2**step) => v
       or m / (1 - beta1**step) => m
       or v / (1 - beta2**step) => v
    - bias correction counts from zero: The first step is number 1: which power corrects it?
          beta1**step => beta1 ** (step - 1)
          beta2**step => beta2 ** (step - 1)
       or beta1**step => beta1 ** (step + 1)
          beta2**step => beta2 ** (step + 1)
    - the corrected means are returned: You hand on m and v with their hats, and the next step will correct them once
      more. Which pair do the first two equations define?
          m_hat = => m = m_hat =
          v_hat = => v = v_hat =
    - the decay goes through the moments: You add it to the gradient, and the division by the root undoes it where
      gradients are large: that is Adam with L2. The W of AdamW says that the decay stays outside.
          m = beta1 => gradient = gradient + decay * weight; m = beta1
          + decay * weight) => )
    - no decay: Where is the term that draws each weight towards zero?
          + decay * weight) => )
    - the decay does not know the rate: Weights shrink by the decay itself. Where does the bracket end?
          + decay * weight) => ) - decay * weight
    - the decay pushes away from zero: Weights grow where they should shrink. Look at the sign before the decay.
          + decay => - decay
    - no root: You divide by v, which has the unit of a squared gradient: steps grow when gradients shrink.
          np.sqrt(v_hat) => v_hat
    - epsilon under the root: For tiny gradients the step is far too short. To what is epsilon added?
          np.sqrt(v_hat) + epsilon => np.sqrt(v_hat + epsilon)
    - no epsilon: Where there was no gradient yet, 0 / 0 is NaN. What keeps the divisor above zero?
          np.sqrt(v_hat) + epsilon => np.sqrt(v_hat)
    - the past and the present have changed places: The new gradient has weight beta. Which should last longer, the
      gradients so far or the new one?
          beta1 * m + (1 - beta1) * gradient => (1 - beta1) * m + beta1 * gradient
          beta2 * v + (1 - beta2) * gradient**2 => (1 - beta2) * v + beta2 * gradient**2
    - a sum, not a mean: What is new is not multiplied by 1 - beta, so the moments outgrow what they average.
          (1 - beta1) * gradient => gradient
          (1 - beta2) * gradient => gradient
       or (1 - beta1) * gradient => gradient
       or (1 - beta2) * gradient => gradient
    - v averages the gradient, not its square: v is to say how large gradients are, whatever their sign.
          gradient**2 => gradient
       or gradient**2 => np.abs(gradient)
    - the betas are exchanged: beta1 belongs to the mean of the gradients, beta2 to the mean of their squares.
          m = beta1 => beta1, beta2 = beta2, beta1; m = beta1
    - the caller's arrays are changed
          m = beta1 * m + => m *= beta1; m +=
       or return weight - rate => weight -= rate
          ), m, v => ); return weight, m, v
    """,
    hints="""
    - Go through the four equations in order; each is a line. Which of them change m and v for good?
    - m_hat and v_hat are used for this step alone; what is returned are m and v without the correction.
    - The two terms of the move, the corrected gradient and the decay, are added first and then multiplied by rate.
    """,
)

RATE = Exercise(
    id="07.learning-rate",
    title="Warm-up and decay",
    twin=Twin(
        "mlm_mini.training.optimizer:learning_rate",
        adapted=lambda twin, step, steps, warmup, highest: twin(
            step, SimpleNamespace(steps=steps, warmup=(warmup + 0.5) / steps, learning_rate=highest)
        ),
    ),
    minutes=10,
    cases=(
        *(Case(f"step {step} of 10, 2 of them to warm up", (step, 10, 2, 1.0)) for step in (0, 1, 2, 6, 9)),
        Case("no warm-up, first", (0, 5, 0, 0.003)),
        Case("no warm-up, last", (4, 5, 0, 1.0)),
        Case("one step in all", (0, 1, 0, 0.5)),
        Case("a rise that lasts until the end", (4, 5, 4, 2.0)),
        Case("a long run", (4321, 5400, 540, 3e-3)),
    ),
    mistakes="""
    - the first step has rate zero: A gradient is computed and thrown away. Where would the rising line be zero?
          (step + 1) / (warmup + 1) => (step / warmup if warmup else 1.0)
       or min(rise, fall) => (step / (warmup + 1) if step < warmup else fall)
    - the last step has rate zero: The last batch is read for nothing. Where should the falling line reach zero?
          (steps - step) / (steps - warmup) => (steps - 1 - step) / max(steps - 1 - warmup, 1)
       or min(rise, fall) => (rise if step <= warmup else (steps - 1 - step) / (steps - 1 - warmup))
       or (steps - step) => (steps - step - 1)
    - no fall: The rate rises and stays. With long steps the weights keep jittering around the optimum.
          min(rise, fall) => min(rise, 1.0)
    - no rise: The rate is highest at the first step. When does AdamW know least about the gradients?
          min(rise, fall) => min(1.0, fall)
       or min(rise, fall) => (steps - step) / steps
    - the fall does not begin at the highest rate: Rise and fall are multiplied, or the fall is measured from elsewhere.
      What is the falling line at step `warmup`?
          (steps - warmup) => steps
       or min(rise, fall) => (rise if step <= warmup else (steps - step) / steps)
       or min(rise, fall) => min(rise, 1) * (steps - step) / steps
       or min(rise, fall) => rise * fall
       or min(rise, fall) => (rise if step < warmup else 1 - step / (steps - warmup))
       or (steps - warmup) => (steps - warmup + 1)
    - the larger of the two lines: Rise and fall are two lines. Below which of the two lines is the rate to stay?
          min( => max(
    - the highest rate is reached one step early: How many steps come before the highest rate? Yours is at the last of
      them.
          (warmup + 1) => max(warmup, 1)
    """,
    hints="""
    - Two straight lines: one rises from the first step on, one falls to the end. Which one counts where?
    - The rising line is 1 at step `warmup` and would be 0 one step before step 0.
    - The falling line is 1 at step `warmup` and would be 0 at step `steps`, one after the last.
    """,
)

CLIP = Exercise(
    id="07.clip-gradient",
    title="Clip the gradient",
    minutes=12,
    cases=(
        Case("one array, too long", ([np.array([3.0, 4.0])], 1.0)),
        Case("short enough already", ([np.array([0.3, -0.4]), np.array([[0.1]])], 1.0)),
        Case("two arrays, too long together", ([np.array([0.8, 0.0]), np.array([[0.0, -0.8]])], 1.0)),
        Case("one long and one short", ([rng(1).normal(0, 9, (3, 4)), rng(2).normal(0, 0.1, 5)], 2.0)),
        Case("three axes, and a limit below 1", ([rng(3).normal(size=(2, 1, 3)), np.array(0.5)], 0.25)),
        Case("all zero", ([np.zeros(3), np.zeros((2, 2))], 1.0)),
    ),
    habits=("unchanged gradients", "fresh"),
    mistakes="""
    - each array is clipped by itself: The step points elsewhere now. How many norms has the whole model?
          gradient * factor => gradient * min(1.0, largest / np.sqrt((gradient**2).sum()))
       or gradient * factor => gradient * largest / n if (n := np.sqrt((gradient**2).sum())) > largest else gradient
    - every number is clipped: That bends the gradient. What should happen to all numbers of a gradient alike?
          gradient * factor => np.clip(gradient, -largest, largest)
    - short gradients are made longer: A gradient that is short enough is to stay: near the end yours is blown up.
          min(1.0, largest / norm) => largest / norm
    - the wrong way round: Long gradients grow, or stay as they are. Which factor makes a long norm `largest`?
          min(1.0, largest / norm) => max(1.0, norm / largest)
       or min( => max(
    - no root: You divide by the squared norm, so that a long gradient becomes far too short.
          np.sqrt(sum((gradient**2).sum() for gradient in gradients))
          => sum((gradient**2).sum() for gradient in gradients)
    - the norms are added: The norm of everything is not the sum of the norms. What is added up before the root?
          np.sqrt(sum((gradient**2).sum() for => (sum(np.sqrt((gradient**2).sum()) for
    - another size than the norm: The largest number is no norm, nor is the sum of all. What comes before the root?
          np.sqrt(sum((gradient**2).sum() for => (max(np.abs(gradient).max() for
       or np.sqrt(sum((gradient**2).sum() for => (sum(np.abs(gradient).sum() for
    - a mean of squares instead of their sum: A vector with more numbers is longer; yours is not.
          (gradient**2).sum() => (gradient**2).mean()
       or in gradients)) => in gradients) / len(gradients))
       or in gradients)) => in gradients) / sum(gradient.size for gradient in gradients))
    - the limit is always 1: What should the norm be afterwards? `largest` need not be 1.
          min(1.0, largest / norm) => min(1.0, 1.0 / norm)
       or min(1.0, largest / norm) => (1.0 / norm if norm > largest else 1.0)
    - a small number added to the norm: Off in the seventh digit, as PyTorch is. Which is the only norm that needs care,
      and is it not short enough already?
          largest / norm => largest / (norm + 1e-6)
    - a gradient of zero becomes NaN: Where nothing is to be learned the norm is 0, and 0 / 0 spoils every weight.
          min(1.0, largest / norm) if norm > 0 else 1.0 => largest / norm
          gradient * factor => gradient * factor / max(1.0, factor)
    - short gradients are handed back themselves: Where nothing is shortened you return the arrays that came in: whoever
      changes one then changes the other.
          gradient * factor => gradient * factor if factor < 1 else gradient
    - the caller's arrays are changed
          gradient * factor => np.multiply(gradient, factor, out=gradient)
       or gradient * factor => np.multiply(gradient, factor, out=gradient).copy()
    """,
    hints="""
    - Think of all the numbers of all arrays in one long vector: how long is it?
    - If it is longer than `largest`, every number is multiplied by the same factor. Which?
    - Two inputs need care: a gradient that is short enough, and one of length zero.
    """,
)


def parts(name, seed, *counts, shape=(2, 3)):
    means = rng(seed).normal(size=(len(counts), *shape))
    return Case(name, ([mean if n else mean * np.nan for mean, n in zip(means, counts, strict=True)], list(counts)))


ACCUMULATE = Exercise(
    id="07.accumulate",
    title="A batch in parts",
    minutes=10,
    cases=(
        parts("one part", 1, 4),
        parts("two parts, 1 label and 3", 2, 1, 3, shape=(1,)),
        parts("three parts that differ", 3, 5, 20, 11),
        parts("equal parts", 4, 7, 7),
        parts("a part without a label", 5, 6, 0, 2),
        parts("the first part without a label", 6, 0, 3, 1, shape=(4,)),
        parts("no label at all", 7, 0, 0),
    ),
    habits=("unchanged gradients", "unchanged counts"),
    mistakes="""
    - the mean of the means: Unless parts are equal, a token counts for more where it met few others.
          gradient * count => gradient
          max(sum(counts), 1) => len(counts)
       or gradient * count => gradient
          max(sum(counts), 1) => max(sum(n > 0 for n in counts), 1)
       or if count: => if True:
          gradient * count => gradient
          max(sum(counts), 1) => len(counts)
    - the sum of the means: With ten parts your gradient is ten times too long. How many means has the batch?
          gradient * count => gradient
          / max(sum(counts), 1) =>
    - the sum over all labels: The parts are weighed, but nothing divides their sum.
          / max(sum(counts), 1) =>
    - divided by the number of parts: Each part is multiplied by its labels, then divided by how many parts there are.
          max(sum(counts), 1) => len(counts)
       or max(sum(counts), 1) => max(sum(n > 0 for n in counts), 1)
    - the means divided by the number of labels: For how many labels does each mean stand?
          gradient * count => gradient
    - a part without labels spoils everything: NaN times 0 is still NaN. When is a part to be left out?
          if count: => if True:
    - no labels, no answer: Without any label you divide by zero. The gradient of nothing is zero.
          max(sum(counts), 1) => sum(counts)
    - no labels, a bare number: Without any label you return the number 0. An array is asked for: of which shape?
          np.zeros_like(gradients[0]) => 0.0
    - the caller's arrays are changed
          total += gradient * count => gradient *= count; total += gradient
    """,
    hints="""
    - The mean over the batch is the sum over all its labels, divided by their number. What is the sum in one part?
    - A part's mean times its number of labels is its sum.
    - A part with no labels has the mean NaN; zero times NaN is not zero, so it must not enter the sum.
    """,
)


def measured_masks(function, ids, special_ids, mask_ratio, seed):
    """What is asked of masks that are to stay the same, whichever generator draws them."""
    words = ~np.isin(ids, special_ids)
    plain = copy.deepcopy((ids, special_ids))
    first = chance.truths(function(ids, special_ids, mask_ratio, seed), ids)
    again, other = (function(*copy.deepcopy(plain), mask_ratio, seed + more) for more in (0, 1))
    seeds = range(seed, seed + chance.DRAWS_COUNTED)
    few = [function(plain[0][:20].copy(), special_ids, mask_ratio, one).sum() for one in seeds]
    return {
        chance.SAME_SEED: bool((first == again).all()),
        "another seed gives masks of its own": chance.alike(np.stack([first, other]), np.stack([words] * 2), 0) < 0.1,
        "no special token is selected": not first[~words].any(),
        "every word is selected now and then": set(ids[words]) == set(ids[words & first]),
        "words selected, for each one that the ratio asks for": chance.share(first[words]) / mask_ratio,
        chance.NEXT_TOKEN: chance.together(first, words, axis=1),
        chance.NEXT_SENTENCE: chance.together(first, words, axis=0),
        chance.VARIES: chance.varies(few, words[:20].sum(), mask_ratio),
    }


def sentences(B, T):
    """ids (B, T) between [CLS] 2 and [SEP] 3. One of the words becomes [CLS] in 16 bits."""
    ids = rng(B).choice([7, 8, 9, 10, 2**16 + 2], (B, T))
    ids[:, 0], ids[:, -1] = 2, 3
    return ids


FIXED_MASKS = Exercise(
    id="07.fixed-masks",
    title="Masks that stay the same",
    minutes=10,
    cases=(
        Case("1,000 sentences at 0.15", (sentences(1000, 22), [0, 1, 2, 3, 4], 0.15, 7)),
        Case("special ids out of order, at 0.4", (sentences(500, 22), [9, 2, 3], 0.4, 2026)),
        Case("long sentences at 0.015", (sentences(1000, 102), [3, 2], 0.015, 0)),
    ),
    observe=measured_masks,
    rtol=0.0,
    atol=0.16,  # six standard errors of the last case's share, in units of its ratio
    habits=("unchanged ids", "unchanged special_ids", "no global luck", "scattered ids special_ids", "large ids ids"),
    helpers={"KEPT": {}},
    mistakes="""
    - new masks at every call: The same question twice, and two different masks: the curve jumps because the questions
      change. What is the seed for?
          default_rng(seed) => default_rng()
       or np.random.default_rng(seed) => KEPT.setdefault(seed, np.random.default_rng(seed))
    - the global generator is seeded: The masks are the same, but so is, from then on, every random number that others
      draw from the generator that all share. Which generator belongs to nobody else?
          draws = np.random.default_rng(seed) => np.random.seed(seed); draws = np.random
    - the seed is ignored: Every seed gives the same masks: a second evaluation set would not be another one.
          default_rng(seed) => default_rng(0)
    - one mask for all sentences: All rows hide the same places: one row of numbers serves every sentence, or each
      sentence begins the same draws anew. How many numbers should one generator give?
          ids.shape) => ids.shape[1]) + np.zeros(ids.shape)
    - one number for each sentence: A sentence is hidden whole or not at all: its places share one number.
          ids.shape) => (len(ids), 1)) + np.zeros(ids.shape)
    - special tokens are selected too: Ids of the list are hidden now and then. Is a special token to be asked for?
          & ~np.isin(ids, special_ids) =>
    - only special tokens are selected: The ids of the list are those to spare.
          & ~np => & np
    - the ratio the wrong way round: You hide what should stay visible, a share of 1 - mask_ratio.
          draws < => draws >
    """,
    hints="""
    - What is drawn must depend on the seed and on nothing else: not on what was drawn before.
    - np.random.default_rng(seed) makes a new generator that always begins alike.
    - One number from 0 to 1 for each place: it is selected if that is below the ratio and the token not special.
    """,
)


def gap_case(name, seed, B, fewest=1, beyond=0.1):
    counts = rng(seed).integers(fewest, 6, B)
    floor = rng(seed + 100).gamma(2.0, 0.5, B) * counts
    return Case(name, (floor + counts * rng(seed + 200).normal(beyond, 0.2, B), floor, counts))


UNLIKE = np.array([1.0, 4.0, 0.3])

GAP = Exercise(
    id="07.gap",
    title="How far from perfect, and how sure",
    twin=Twin(
        "mlm_mini.reference.loss:mean_and_error",
        adapted=lambda twin, model_nats, floor_nats, counts: twin(model_nats - floor_nats, counts),
    ),
    minutes=15,
    cases=(
        Case("two sentences, one token each", (np.array([1.5, 0.5]), np.array([1.0, 0.4]), np.array([1, 1]))),
        Case("three sentences of unlike size", (UNLIKE, np.array([0.9, 3.0, 0.4]), np.array([1, 5, 2]))),
        Case("one sentence, and a lucky model", (np.array([2.0]), np.array([2.5]), np.array([4]))),
        gap_case("a hundred sentences", 1, 100),
        gap_case("some with nothing hidden, and a lucky model", 2, 60, fewest=0, beyond=-0.1),
        Case("a perfect model", (UNLIKE, UNLIKE.copy(), np.array([1, 5, 2]))),
    ),
    habits=("unchanged model_nats", "unchanged floor_nats", "unchanged counts"),
    mistakes="""
    - the mean of the sentences' means
          instead:
              difference = (model_nats - floor_nats)[counts > 0] / counts[counts > 0]
              return difference.mean(), difference.std() / np.sqrt(len(difference))
       or instead:
              difference = (model_nats - floor_nats)[counts > 0] / counts[counts > 0]
              return difference.mean(), difference.std(ddof=1) / np.sqrt(len(difference))
       or difference.sum() / counts.sum() => (difference[counts > 0] / counts[counts > 0]).mean()
    - per sentence, not per token: Your gap grows with the number of words hidden. Among what is the gap shared?
          instead:
              difference = model_nats - floor_nats
              return difference.mean(), difference.std() / np.sqrt(len(difference))
       or difference.sum() / counts.sum() => difference.mean()
    - two errors where there is one: You add the scatter of model and floor. Model and floor pay for the same words:
      what scatters is their difference.
          residual = difference - mean * counts
          => residual = np.stack([a - a.sum() / counts.sum() * counts for a in (model_nats, floor_nats)])
    - the wrong way round: Your gap has the wrong sign: a model cannot, on average, pay less than the floor.
          model_nats - floor_nats => floor_nats - model_nats
    - the scatter, not the error of the mean: That is how sentences scatter. By what is the root of the sum divided?
          np.sqrt((residual**2).sum()) / counts.sum() => np.sqrt((residual**2).mean())
       or np.sqrt((residual**2).sum()) / counts.sum() => np.sqrt((residual**2).sum())
    - the variance, not its root: An error has the unit of what it belongs to, nats; yours has squared nats.
          np.sqrt((residual**2).sum()) / counts.sum() => (residual**2).sum() / counts.sum() ** 2
       or np.sqrt((residual**2).sum()) => (residual**2).sum()
    - sentences of unlike length scatter for nothing: What is left when the gap of each token is taken off? In yours a
      sentence with five tokens counts as noise because it has five.
          - mean * counts =>
       or mean * counts => mean
       or mean * counts => difference.mean()
    """,
    hints="""
    - The gap first: the nats that the model pays beyond the floor, over all sentences, by the number of tokens.
    - Then, for each sentence, what is left of its difference when gap times its tokens is taken off.
    - The error is the root of the sum of their squares, divided by the number of all tokens.
    """,
)

SAVE = Exercise(
    id="07.save",
    title="Save so that nothing can be lost",
    minutes=12,
    cases=(
        Case("a checkpoint that is there already", (Disk({"model": b"old weights"}), "model", b"new weights")),
        Case("the first checkpoint", (Disk({}), "model", b"new weights")),
        Case("another file beside it", (Disk({"run": b"older", "notes": b"do not touch"}), "run", b"newer run")),
    ),
    observe=measured_save,
    mistakes="""
    - half a file under the name: While it is written, whoever reads `name` finds half of the new content. Under which
      name can new content lie until it is whole?
          instead:
              disk.write(name, content)
              disk.flush(name)
    - half a file under the name, and never flushed: Even when you are done, the content may be in the memory of the
      machine only; and the old one is gone from the start.
          instead:
              disk.write(name, content)
    - renamed before it was on the disk: The name is there at once, its content is not: after a power cut it belongs to
      half a file. What has to be waited for before a rename?
          disk.flush(name + ".partial") =>
       or disk.flush(name + ".partial") => disk.exists(name) and disk.flush(name)
    - flushed after the rename: In the end all is well, but for a moment the name belongs to a file that is not on the
      disk. Which must come first, the flush or the rename?
          disk.flush(name + ".partial") =>
          disk.rename(name + ".partial", name) => disk.rename(name + ".partial", name); disk.flush(name)
    - the old file is removed first: For a moment there is none. What does a rename do with the old file?
          disk.rename( => disk.exists(name) and disk.delete(name); disk.rename(
    - a backup beside a file that is written over: One copy is safe, where nobody looks for it, and the file itself can
      still be half there.
          instead:
              disk.write(name + ".backup", content)
              disk.flush(name + ".backup")
              disk.write(name, content)
              disk.flush(name)
       or instead:
              disk.exists(name) and disk.rename(name, name + ".backup")
              disk.write(name, content)
              disk.flush(name)
    - the new file never gets its name: The content is safe on the disk, under the wrong name.
          disk.rename(name + ".partial", name) =>
    - the names of the rename are exchanged: In the end nothing has the name. Which name comes first in a rename?
          disk.rename(name + ".partial", name) => disk.exists(name) and disk.rename(name, name + ".partial")
    - the old file is moved away first: For a moment no file has the name, and an old one is left over for good.
          disk.rename( => disk.exists(name) and disk.rename(name, name + ".old"); disk.rename(
    """,
    hints="""
    - A reader may only ever find the old file or the new one, whole. Which operation changes what a name means?
    - The new content has to lie on the disk, complete, under some other name before that operation.
    - Three operations, in the only order in which each can be trusted: write, flush, rename.
    """,
)

PIECES = {"un", "break", "unbreak", "##able", "##break", "##a", "##b", "##le", "a", "able", "##s", "king", "##dom", "k"}
PIECES |= {"##i", "##n", "##g", "s", "run", "##ning", "##nin", "##ru", "no", "nota", "##table", "##ble"}
PIECES |= {"cat", "catch", "##chy", "ING", "[UNK]"}
WORDS = "king kingdom unbreakable kingdoms able kingx xking kxing running a aaa catchy notable kingcat kingdomx doms"

WORDPIECE = Exercise(
    id="07.wordpiece",
    title="A word in pieces",
    minutes=15,
    cases=tuple(Case(f"the word {word}", (word, PIECES)) for word in [*WORDS.split(), "King", "ING"]),
    mistakes="""
    - the shortest piece first: You take the first piece that fits. With which end of the rest do you begin?
          range(len(word), start, -1) => range(start + 1, len(word) + 1)
    - pieces of one letter are missed: Your loop ends before it comes to pieces of one letter.
          range(len(word), start, -1) => range(len(word), start + 1, -1)
    - pieces without their mark: What says that a piece continues a word? `##able` is not `able`.
          pieces.append(mark + => pieces.append(
       or "##" if start => "" if start
       or if mark + word[start:end] in => if word[start:end] in
    - unmarked pieces inside a word: Where no marked piece fits, you take one that can only begin a word. How would a
      reader put the pieces together?
          mark + word[start:end] in vocabulary => vocabulary & {mark + word[start:end], word[start:end]}
       or mark + word[start:end] in vocabulary => vocabulary & {"##" + word[start:end], word[start:end]}
       or mark + word[start:end] in vocabulary => vocabulary & {mark + word[start:end], word[start:end]}
          pieces.append(mark => pieces.append(mark * (mark + word[start:end] in vocabulary)
    - the mark is on the first piece too: The first piece carries no mark: so the tokenizer knows where words begin.
          "##" if start else "" => "##"
    - the pieces up to the unknown one are kept: When any part of a word cannot be pieced, the whole word is [UNK]: what
      is left of it would be another word.
          return ["[UNK]"] => return [*pieces, "[UNK]"]
       or return ["[UNK]"] => return pieces
       or return ["[UNK]"] => pieces.append("[UNK]"); start += 1; continue
    - no pieces at all: You know whole words only. What can be made of the beginning of a name, or of its ending?
          instead:
              return [word] if word in vocabulary else ["[UNK]"]
    - letters instead of pieces: A word falls into letters, though longer pieces are there.
          instead:
              return [word] if word in vocabulary else [("##" if i else "") + letter for i, letter in enumerate(word)]
    - no [UNK] for an unknown word: You return nothing, or the word itself. What stands for what cannot be pieced?
          return ["[UNK]"] => return []
       or return ["[UNK]"] => return [word]
    - a piece is given back: By the rule this word is [UNK]: the longest piece stays, whatever comes of it.
          instead:
              def cut(rest, mark):
                  for end in range(len(rest), 0, -1):
                      after = cut(rest[end:], "##")
                      if mark + rest[:end] in vocabulary and "[UNK]" not in after:
                          return [mark + rest[:end], *after]
                  return ["[UNK]"] if rest else []
              return cut(word, "")
    - from right to left: You begin with the longest piece at the end. Where does the rule begin?
          instead:
              def cut(rest):
                  ends = [("##" * (start > 0) + rest[start:], start) for start in range(len(rest))]
                  piece, start = next((end for end in ends if end[0] in vocabulary), ("[UNK]", 0))
                  return [*(cut(rest[:start]) if start else []), piece]
              return ["[UNK]"] if "[UNK]" in cut(word) else cut(word)
    - capitals are made small: To this vocabulary King and king are two words. A word is looked up as it is written.
          pieces, start = [], 0 => pieces, start, word = [], 0, word.lower()
       or if mark + word[start:end] in => if (mark + word[start:end]).lower() in
    """,
    hints="""
    - Keep the place up to which the word is done. From there, which is the longest piece in the vocabulary?
    - From the second piece on, a piece is looked up with ## in front of it.
    - If no piece fits at some place, forget what you have: the word is [UNK].
    """,
)


def _text_blocks(twin, tokens, length, cls_id, sep_id, pad_id):
    vocabulary = SimpleNamespace(cls_id=cls_id, sep_id=sep_id, pad_id=pad_id)
    return twin(
        SimpleNamespace(_text=tokens, length=length, vocabulary=vocabulary), range(-(-len(tokens) // (length - 2)))
    )


BLOCKS = Exercise(
    id="07.blocks",
    title="A text as rows of one length",
    twin=Twin("mlm_mini.languages.batches:TextBlocks.rows", adapted=_text_blocks),
    minutes=12,
    cases=(
        Case("three tokens, rows of five", (np.array([11, 12, 13]), 5, 2, 3, 0)),
        Case("seven tokens, rows of five", (np.arange(11, 18), 5, 2, 3, 0)),
        Case("one token", (np.array([11]), 6, 2, 3, 1)),
        Case("one token in each row", (np.array([13, 3, 2, 13]), 3, 2, 3, 0)),
        Case("BERT's ids", (np.arange(1000, 1020), 8, 101, 102, 0)),
        Case("other special ids", (np.arange(20, 29), 6, 7, 8, 9)),
        Case("ids of a large vocabulary", (np.array([70_000, 5, 40_000, 5, 65_539, 9]), 6, 2, 3, 0)),
    ),
    habits=("unchanged tokens", "large ids tokens"),
    mistakes="""
    - the last, short row is dropped: The end of the text is missing. What can fill the last row up?
          -(-len(tokens) // inside) => len(tokens) // inside
       or -(-len(tokens) // inside) => len(tokens) // inside
          return rows => return rows if len(rows) else np.array([])
    - an empty row at the end: Where the text fills its last row exactly, a row without a token follows.
          -(-len(tokens) // inside) => len(tokens) // inside + 1
    - [SEP] behind the padding: [SEP] closes the row's text. Which comes first behind the last token?
          row[len(part) + 1] = => row[-1] =
    - tokens are skipped between the rows: You go on by length, and a row holds two tokens less: those are lost.
          -(-len(tokens) // inside) => -(-len(tokens) // length)
          i * inside : (i + 1) * inside => i * length : i * length + inside
    - the text is framed, not each row: Only the first row begins with [CLS] and only the last ends with [SEP]. What
      does each row need to be read by itself?
          instead:
              framed = [cls_id, *tokens, sep_id]
              framed += [pad_id] * (-len(framed) % length)
              return np.array(framed).reshape(-1, length)
    - no [CLS]: Rows are to begin with [CLS], as everything does that the model will be asked about later.
          length - 2 => length - 1
          row[0], row[1 : len(part) + 1], row[len(part) + 1] = cls_id, part, sep_id
          => row[: len(part)], row[len(part)] = part, sep_id
    - no [SEP]: Each row's text is to end with [SEP], also that of the last row.
          length - 2 => length - 1
          , row[len(part) + 1] = cls_id, part, sep_id => = cls_id, part
       or return rows => rows[-1, len(part) + 1] = sep_id if len(part) == inside else pad_id; return rows
    - filled up with [SEP]: The last row ends in many [SEP]. What is not text is padding, which attention leaves out.
          length), pad_id) => length), sep_id)
    """,
    hints="""
    - How many tokens of the text fit into a row between [CLS] and [SEP]?
    - Row i holds the tokens from i times that number on.
    - Only the last row can be short: close it with [SEP] and fill it up with padding.
    """,
)


def bowl(curvature, bottom):
    """The gradient of a bowl whose bottom is known."""
    return lambda weight: curvature * (weight - bottom)


ZERO_GRAD = Exercise(
    id="07.clinic-zero-grad",
    title="Bug clinic: the loss that swings",
    minutes=6,
    cases=(
        Case("one step", (bowl(1.0, 0.0), np.array([1.0]), 0.1, 1)),
        Case("three steps", (bowl(1.0, 0.0), np.array([1.0]), 0.1, 3)),
        Case("forty steps in two directions", (bowl(np.array([1.0, 3.0]), 2.0), np.array([5.0, -1.0]), 0.2, 40)),
        Case("a matrix", (bowl(2.0, np.array([[1.0], [0.0]])), np.array([[3.0, -1.0], [0.5, 2.0]]), 0.3, 2)),
        Case("no step at all", (bowl(1.0, 0.0), np.array([1.0, 2.0]), 0.1, 0)),
    ),
    habits=("unchanged weight",),
    mistakes="""
    - the gradients of all earlier steps are still there: The weights overshoot, come back and overshoot again. Print
      `gradient`: it should be that of the weights as they are now.
          gradient_of(weight) => gradient_of(weight) + (gradient if _ else 0)
    - nothing moves: The gradient is cleared between the line that computes it and the line that uses it.
          gradient_of(weight) => 0 * gradient_of(weight)
    - cleared at every second step: Half of the steps still carry the gradient of the step before.
          gradient_of(weight) => gradient_of(weight) + (gradient if _ % 2 else 0)
    - divided by the number of steps: A mean of all gradients so far hides the swing and keeps its cause: old gradients,
      taken at weights that are long gone.
          gradient_of(weight) => gradient_of(weight) + (gradient if _ else 0)
          rate * gradient => rate * gradient / (_ + 1)
    - one gradient for all steps: All go along that of the first weight. Gradients change as soon as weights do.
          gradient_of(weight) => gradient if _ else gradient_of(weight)
    - one step off: Your loop makes one step too few, or too many, or its first along no gradient.
          range(steps) => range(steps - 1)
       or range(steps) => range(steps + 1)
    - one step only: Your function returns in the first round of its loop.
          weight = weight - rate * gradient => return weight - rate * gradient
          return weight => return None
    - uphill: The weights move away from the bottom. Which way does the gradient point?
          weight - rate => weight + rate
    - the caller's arrays are changed
          weight = weight - rate => weight -= rate
    """,
    hints="""
    - With one step everything is right. What is different at the second?
    - In PyTorch the same happens without zero_grad(): backward() adds to what is there.
    - Each step needs the gradient of the present weights, and no other.
    """,
)

NATS = rng(1).gamma(2.0, 1.0, (3, 6))
LENGTHS = np.array([[6], [2], [4]])

CLINIC_PADDING = Exercise(
    id="07.clinic-padding",
    title="Bug clinic: weights that cancel",
    minutes=8,
    cases=(
        Case("one token and one padding", (np.array([[2.0, 9.0]]), np.array([[True, False]]))),
        Case("three sentences", (NATS, np.arange(6) < LENGTHS)),
        Case("three sentences, padding on the left", (NATS, np.arange(6) >= 6 - LENGTHS)),
        Case("one sentence of nothing but padding", (NATS, np.arange(6) < LENGTHS - 2)),
        Case("no padding", (NATS, np.full((3, 6), True))),
        Case("nothing but padding", (NATS, np.full((3, 6), False))),
    ),
    habits=("unchanged nats", "unchanged is_token", "left padding is_token", "unequal counts is_token"),
    helpers={"np": np},
    mistakes="""
    - the weights multiply a mean: A mean that was taken before holds the padding, and no weight takes it out again;
      those of one number even cancel. At which point do weights still have something to choose from?
          nats[is_token].sum() => (nats.mean() * is_token).sum()
       or nats[is_token].sum() => (nats.mean(1, keepdims=True) * is_token).sum()
       or nats[is_token].sum() / max(is_token.sum(), 1) => nats.mean()
    - padding counts as zero: The number that divides still counts padding: more padding, smaller loss.
          max(is_token.sum(), 1) => nats.size
    - a sum, not a mean: The loss grows with the number of tokens. What should divide the sum?
          / max(is_token.sum(), 1) =>
    - padding is still in the sum: The sum that is divided still holds padding.
          nats[is_token] => nats
    - the mean of the sentences' means
          nats[is_token].sum() / max(is_token.sum(), 1)
          => ((nats * is_token).sum(-1) / np.maximum(is_token.sum(-1), 1)).mean()
       or nats[is_token].sum() / max(is_token.sum(), 1)
          => np.mean([row[keep].mean() for row, keep in zip(nats, is_token) if keep.any()] or [0.0])
    - nothing but padding gives NaN: In a batch without a token 0 / 0 would spoil the weights of the model.
          max(is_token.sum(), 1) => is_token.sum()
    - only the padding counts: You average over the places where is_token is False.
          nats[is_token] => nats[~is_token]
          max(is_token.sum(), 1) => max((~is_token).sum(), 1)
       or nats[is_token] => nats[~is_token]
    """,
    hints="""
    - Change a number at a padded place. The loss should not move; does it?
    - How many numbers are left after `nats.mean()`? What can weights still do to them?
    - First drop or zero what is padding, then add up, then divide by the number of tokens.
    """,
)

CLINIC_BROADCAST = Exercise(
    id="07.clinic-broadcast",
    title="Bug clinic: every sentence with every weight",
    minutes=6,
    cases=(
        Case("two sentences", (np.array([1.0, 3.0]), np.array([[1.0], [0.0]]))),
        Case("five sentences", (rng(1).gamma(2.0, 1.0, 5), rng(2).random((5, 1)))),
        Case("weights above 1", (rng(4).gamma(2.0, 1.0, 3), np.array([[2.0], [5.0], [0.5]]))),
        Case("equal weights", (rng(3).gamma(2.0, 1.0, 4), np.ones((4, 1)))),
        Case("one sentence", (np.array([2.0]), np.array([[0.5]]))),
    ),
    habits=("unchanged nats", "unchanged weights"),
    mistakes="""
    - the weights cancel: That is the mean of the nats without weights. In a table of every sentence with every weight
      the same weights stand above and below. What is the shape of your product?
          (nats * weights[:, 0]).sum() / weights.sum() => (nats * weights).mean() / weights.mean()
    - the mean of the table: That is the mean of the nats times the mean of the weights, as over all (N, N) products.
      Which weight belongs to which sentence?
          (nats * weights[:, 0]).sum() / weights.sum() => (nats * weights).mean()
    - the table is summed: That is the sum of all nats, as in a product of shape (N, N). Which weight meets which
      sentence?
          weights[:, 0] => weights
    - divided by the number of sentences: By what is a weighted mean divided?
          / weights.sum() => / len(nats)
    - a sum, not a mean: Nothing divides the sum of the products.
          / weights.sum() =>
    - the caller's arrays are changed
          return => weights /= weights.sum(); return
    - one weight for all sentences: You took the first weight alone, and each sentence has one of its own.
          weights[:, 0] => weights[0, 0]
    """,
    hints="""
    - Print (nats * weights).shape.
    - NumPy lines shapes up from the right: (N,) is read as (1, N), and (1, N) with (N, 1) makes (N, N).
    - Bring both to one shape first; then a weighted mean is two sums and a division.
    """,
)


CLINIC_EVALUATION = Exercise(
    id="07.clinic-evaluation",
    title="Bug clinic: worse than its own training loss",
    minutes=8,
    cases=(
        Case("a model in training", (ToyModel(training=True), [1.0, 2.0])),
        Case("a model at rest", (ToyModel(training=False), [1.0, 2.0])),
        Case("three sentences", (ToyModel(training=True), [0.5, 4.0, 1.5])),
        Case("a sentence that cannot be read", (ToyModel(training=True), [1.0, None])),
        Case("the same, with a model at rest", (ToyModel(training=False), [None, 1.0])),
    ),
    observe=measured_evaluation,
    habits=("unchanged sentences",),
    mistakes="""
    - dropout is on while the model is measured: Your loss depends on the model's mode. Which mode is for measuring?
          model.eval() =>
    - only the model's own dropout is off: Its parts have modes of their own. What sets the mode of all the parts?
          model.eval() => model.training = False
       or model.eval() => model.training = False
          model.train(was_training) => model.training = True
    - only the parts' dropout is off: The model drops too. What sets the mode of the model and of its parts alike?
          model.eval() => [part.eval() for part in model.children()]
    - the model stays in evaluation mode: After an evaluation the model trains without dropout, and nobody is told.
          model.train(was_training) => pass
       or model.train(was_training) => model.eval()
       or was_training = model.training =>
          model.eval() => model.eval(); was_training = model.training
    - the parts stay in evaluation mode: You put back the model's own mode. What puts back the mode of all its parts?
          model.train(was_training) => model.training = was_training
       or model.train(was_training) => model.training = True
    - always back to training mode: A model that was at rest is in training mode now. Which mode is to be put back?
          model.train(was_training) => model.train()
    - an error leaves the model in the wrong mode: When a sentence cannot be read, the line that puts the mode back is
      never reached. Which statement is carried out, error or not?
          try => if True
          finally => if True
    - a sum, not a mean: The loss is to be the mean over the sentences.
          np.mean => np.sum
    """,
    hints="""
    - Measure twice, once after model.train() and once after model.eval(). Do you get the same loss?
    - Remember the mode, change it, measure, put it back.
    - try: ... finally: ... puts it back even when the measuring fails.
    """,
)


CLINIC_RESUME = Exercise(
    id="07.clinic-resume",
    title="Bug clinic: a run that goes on somewhere else",
    minutes=10,
    cases=(
        Case("a run of three weights", (np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.0, -0.1]), 10, rng(1))),
        Case("another run", (rng(1).normal(size=(4, 2)), rng(2).normal(size=(4, 2)), 7, rng(2))),
    ),
    observe=measured_state,
    habits=("rng", "unchanged weights", "unchanged moments"),
    mistakes="""
    - no generator: A run that goes on from here draws other masks than one that never stopped: what else has a state?
          "rng": rng.bit_generator.state, =>
    - a generator, not its state: A generator, or a copy of one, fits into no file. What tells where a generator stands?
          rng.bit_generator.state => rng
       or rng.bit_generator.state => rng.bit_generator
    - the arrays are not copied: The run goes on changing weights and moments: a second name, or a view, is no copy.
          weights.copy() => weights
          moments.copy() => moments
    - the moments are not copied: AdamW's moments still change with the run.
          moments.copy() => moments
    - the weights are not copied: The weights still change with the run.
          weights.copy() => weights
    - the moments are left out: AdamW would start again from zero moments, with its warm-up long past.
          "moments": moments.copy(), =>
       or moments.copy() => 0 * moments
    - the step is left out: Where in the schedule does the run go on? The bias correction asks too.
          "step": step, =>
       or "step": step => "step": 0
    """,
    hints="""
    - Save, let the run go on for a step, and look at what you saved. Has it changed?
    - An array has a method that makes another one with the same numbers.
    - rng.bit_generator.state is a dict that says where a generator stands.
    """,
)


def in_proportion(sentences, documents, held_out):
    """Sentences cut in two, as many in a hundred for the test as documents are to be held out."""
    cut = len(sentences) * (len(documents) - held_out) // len(documents)
    return sentences[:cut], sentences[cut:]


CLINIC_SPLIT = Exercise(
    id="07.clinic-split",
    title="Bug clinic: a test that was read before",
    minutes=10,
    cases=(
        Case("three documents, one held out", (books(2, 3, 1), 1, rng(5))),
        Case("six documents, two held out", (books(3, 5, 2, 4, 6, 3), 2, rng(3))),
        Case("eight documents, all but one held out", (books(2, 7, 4, 3, 3, 5, 9, 2), 7, rng(4))),
    ),
    observe=measured_split,
    atol=0.12,  # six standard errors of a share
    habits=("rng", "unchanged documents"),
    helpers={"np": np, "in_proportion": in_proportion},
    mistakes="""
    - sentences are split, not documents: Sentences of one document stand on both sides, and share names, phrases, whole
      lines: most of the test was read before. What should be shuffled?
          instead:
              sentences = sum(documents, [])
              return in_proportion([sentences[i] for i in rng.permutation(len(sentences))], documents, held_out)
       or chosen = => documents = [[sentence] for document in documents for sentence in document]; chosen =
    - cut in the middle of a document: The cut falls where a number of sentences says, and so into a document, which
      then stands on both sides. What should be counted, and what drawn?
          instead:
              return in_proportion(sum(documents, []), documents, held_out)
       or instead:
              shuffled = [documents[i] for i in rng.permutation(len(documents))]
              return in_proportion(sum(shuffled, []), documents, held_out)
    - always the same documents: Whatever the generator, the same ones are held out. The last of a collection, or the
      first, may be of another kind than the others.
          rng.permutation(len(documents))[:held_out].tolist() => range(held_out)
    - the draw cannot be repeated
          rng.permutation => np.random.default_rng().permutation
    - some documents are only held out together: Neighbors, for instance, which are often alike. Each document is to be
      drawn from all that are left.
          chosen = => first = rng.integers(len(documents) - held_out + 1); chosen =
          rng.permutation(len(documents))[:held_out].tolist() => range(first, first + held_out)
    - the test is trained on as well: The held-out documents are in the training text too.
          (test if number in chosen else train).extend(document)
          => train.extend(document); test.extend(document if number in chosen else [])
    - the end of each document is held out: Each document stands on both sides: trained on at its beginning, tested at
      its end.
          instead:
              sides = [in_proportion(document, documents, held_out) for document in documents]
              return sum([train for train, _ in sides], []), sum([test for _, test in sides], [])
    - the sides are exchanged: You train on the few documents that were to be held out.
          test if number in chosen else train => train if number in chosen else test
    - a document is held out twice: Drawn with repetition, fewer are held out than asked for.
          rng.permutation(len(documents))[:held_out] => rng.integers(0, len(documents), held_out)
       or rng.permutation(len(documents))[:held_out] => (drawn := rng.integers(0, len(documents), held_out))
          extend(document) => extend(document * max(1, (drawn == number).sum()))
    - each document by its own coin: How many are held out changes from seed to seed. How can exactly `held_out`
      documents be drawn?
          number in chosen => rng.random() < held_out / len(documents)
    - sentences that stand twice are dropped: A line that two documents share is missing on one side, or there only
      once. Go by documents, not by their words.
          return train, test => return [sentence for sentence in train if sentence not in test], test
       or return train, test => return list(dict.fromkeys(train)), list(dict.fromkeys(test))
    - the caller's list is changed: `documents` is no longer what it was. What else can be shuffled, or drawn?
          chosen = => rng.shuffle(documents); chosen =
          rng.permutation(len(documents))[:held_out].tolist() => range(held_out)
    """,
    hints="""
    - Take one document and look for its sentences on both sides.
    - What is drawn at random are whole documents; the sentences follow them.
    - rng.permutation(n) puts the numbers 0 to n - 1 in random order; the first few are held out.
    """,
)

BUILT = (ADAMW, RATE, CLIP, ACCUMULATE, FIXED_MASKS, GAP, SAVE, WORDPIECE, BLOCKS)
CLINIC = (ZERO_GRAD, CLINIC_PADDING, CLINIC_BROADCAST, CLINIC_EVALUATION, CLINIC_RESUME, CLINIC_SPLIT)
EXERCISES = BUILT + CLINIC
