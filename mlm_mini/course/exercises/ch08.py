"""Chapter 08: reading from one side and from both, what the other side is worth, and what attention costs.

Shapes: B sentences, T positions, V tokens, D numbers at a position, L blocks.
"""

from types import SimpleNamespace

import numpy as np

from mlm_mini.course.exercise import Case, Exercise, Twin
from mlm_mini.reference import IGNORE_INDEX

rng = np.random.default_rng
LABELS = np.array([[IGNORE_INDEX, 0, 6, IGNORE_INDEX], [IGNORE_INDEX] * 4, [1, 1, 4, 5]])
EXCLUDED = np.array([[[-np.inf, 0.0, 1.0], [-1e10, -2e10, -np.inf]], [[2.0, -np.inf, 1.0], [-np.inf, 1.0, 1.0]]])
COSTS = np.array([100.0, 200.0, 400.0, 800.0])
SPECIAL, BERT_SPECIAL = [0, 1, 2, 3, 4], [102, 0, 103, 101]


def flops_of_a_config(training_flops_per_token, V, D, L, T, predicted):
    config = SimpleNamespace(vocab_size=V, hidden_size=D, intermediate_size=4 * D, num_hidden_layers=L)
    return training_flops_per_token(config, T, predicted)


def times(seed, a, b, noise, *lengths):
    n = np.array(lengths)
    return n, (a * n + b * n**2) * np.exp(rng(seed).normal(0, noise, len(n)))


def a_model(seed, V=105):
    """log p of the token at a position: it depends on all visible tokens, and is never told the hidden one."""
    says, own = rng(seed).normal(size=(2, V))

    def log_p(ids, position):
        z = np.sin(says[ids].sum() + position + 3 * own)
        return z - np.log(np.exp(z).sum())

    return log_p


CAUSAL_LABELS = Exercise(
    id="08.causal-labels",
    title="What comes next",
    answers_in=("mlm_mini.training.objectives:causal_batch",),
    minutes=8,
    cases=(
        Case("no word", (np.array([[2, 3]]), 0)),
        Case("two words", (np.array([[2, 7, 8, 3]]), 0)),
        Case("BERT's ids, and 1 for padding", (np.array([[101, 2054, 0, 102], [101, 40_000, 102, 1]]), 1)),
        Case("three lengths", (np.array([[2, 17, 17, 9, 3, 0], [2, 11, 12, 13, 14, 3], [2, 40, 3, 0, 0, 0]]), 0)),
    ),
    habits=("unchanged ids", "large ids ids"),
    mistakes="""
    - the label is the token itself: Each position is asked for the token that it sees. Which one comes next?
          labels[:, :-1] = => labels[:, 1:] =
       or return labels => return np.where(ids == pad_id, -100, ids)
    - the labels look back: Each position is asked for the token before it. Can what was seen already be a question?
          labels[:, :-1] = => labels[:, 1:] =
          -100, ids[:, 1:]) => -100, ids[:, :-1])
       or labels[:, :-1] = np.where(ids[:, 1:] == pad_id, -100, ids[:, 1:])
          => labels[:, 1:] = np.where(ids[:, :-1] == pad_id, -100, ids[:, :-1])
    - the first token comes again at the end: The last place is asked for [CLS]. What follows the end of a row?
          return labels => labels[:, -1] = ids[:, 0]; return labels
    - padding is predicted: After [SEP] the model is asked for padding, which teaches nothing and lowers the mean.
          np.where(ids[:, 1:] == pad_id, -100, ids[:, 1:]) => ids[:, 1:]
    - the first padding is predicted: [SEP] is asked for the padding behind it. Which must not be padding, the token or
      its label?
          ids[:, 1:] == pad_id => ids[:, :-1] == pad_id
    - the end is not predicted: The token that ends a sentence is no label. Is the end of a sentence no news?
          return labels => labels[np.arange(len(ids)), (labels != -100).sum(axis=1) - 1] = -100; return labels
    - the first word is not predicted: At [CLS] you ask nothing. Which word is to be guessed from [CLS] alone?
          return labels => labels[:, 0] = -100; return labels
    """,
    hints="""
    - Write a sentence down, and under each token the one that follows it.
    - The labels are the ids moved by one place; what stands at the last place?
    - Where the following token is padding there is nothing to predict: -100.
    """,
)

SENTENCE_NATS = Exercise(
    id="08.sentence-nats",
    title="The surprisal of a whole sentence",
    minutes=10,
    cases=(
        Case("one sentence of two tokens", (np.log(np.array([[[0.5, 0.5], [0.9, 0.1]]])), np.array([[0, 1]]))),
        Case("scores of -inf, and very low ones", (EXCLUDED, np.array([[IGNORE_INDEX, 0], [2, 1]]))),
        Case("three sentences", (rng(1).normal(size=(3, 4, 7)), LABELS)),
        Case("logits of a thousand", (rng(3).normal(size=(3, 4, 7)) * 1000, LABELS)),
        Case("a large vocabulary", (rng(6).normal(size=(1, 3, 40_000)), np.array([[39_000, IGNORE_INDEX, 33_000]]))),
    ),
    habits=("unchanged logits", "unchanged labels", "low scores logits", "large ids labels", "unequal counts labels"),
    mistakes="""
    - the mean, not the sum: Where probabilities multiply, what do surprisals do?
          0.0).sum(axis=-1) => 0.0).sum(axis=-1) / np.maximum(asked.sum(axis=-1), 1)
       or 0.0).sum(axis=-1) => 0.0).mean(axis=-1)
    - places without a label count: At -100 nothing was asked. What does a place without a question add?
          np.where(asked, at_labels, 0.0) => at_labels
    - multiplied by zeros and ones: 0 times -inf is NaN. What leaves a place out without a product?
          np.where(asked, at_labels, 0.0) => (at_labels * asked)
    - the sign is wrong: You return log-probabilities. How does a surprisal follow from a log-probability?
          return -np => return np
    - one number for all sentences: You add up all sentences. How many surprisals are asked for?
          0.0).sum(axis=-1) => 0.0).sum()
    - logits are taken for log-probabilities: You add the logits at the labels. What turns a logit into a
      log-probability?
          z - np.log(np.exp(z).sum(axis=-1, keepdims=True)) => logits
       or z - np.log(np.exp(z).sum(axis=-1, keepdims=True)) => z
    - a softmax over the places: Your probabilities sum to one along the sentence. Among what does a model choose at
      each place?
          max(axis=-1, keepdims=True) => max(axis=1, keepdims=True)
          sum(axis=-1, keepdims=True) => sum(axis=1, keepdims=True)
    - bits
          return -np => return -1 / np.log(2) * np
       or 0.0).sum(axis=-1) => 0.0).sum(axis=-1) / np.log(2)
    - the logarithm of a finished softmax
          z - np.log(np.exp(z).sum(axis=-1, keepdims=True)) => np.log(np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True))
    - the probability, not its surprisal: Many probabilities multiplied soon make 0 in a computer. What do their logs
      do?
          return -np.where( => return np.exp(np.where(
          0.0).sum(axis=-1) => 0.0).sum(axis=-1))
    """,
    hints="""
    - The chain rule: p(sentence) is the product of the probability of each token given those before it.
    - The log of a product is a sum of logs, and each surprisal is the negative of one of them.
    - Places with -100 add nothing; a stable log-softmax survives large logits.
    """,
)

SIDES = Exercise(
    id="08.sides",
    title="One side, the other, both",
    minutes=8,
    cases=(
        Case("the middle word of three", (np.array([2, 11, 12, 13, 3]), 2, 4)),
        Case("the first word", (np.array([2, 11, 12, 13, 3, 0]), 1, 4)),
        Case("the last word, which comes three times", (np.array([2, 13, 13, 12, 13, 3, 0]), 4, 4)),
        Case("BERT's ids", (np.array([101, 2054, 2003, 40_009, 102]), 2, 103)),
    ),
    habits=("unchanged ids", "large ids ids"),
    mistakes="""
    - the word is still there in `left`: You show the very word that is asked for. In how many of the three is the word
      hidden?
          number >= position => number > position
    - the word is still there in `right`: There stands the very word that is asked for. Which of the three may show the
      hidden word?
          number <= position => number < position
    - left and right are exchanged: In `left` you hide what stands to the left. Does a name say what is hidden?
          "left" => "right"
          "right" => "left"
    - [CLS] is hidden: Every sentence begins with [CLS]. What would be given away by showing it?
          & (number > 0) =>
    - the end of the sentence can still be seen: `left` shows where the sentence ends, which is news from the right.
          number >= position => (number >= position) & (number < number[-1])
       or number >= position => (number >= position) & (number < number[-1] - 1)
    - only the neighbors are hidden: You hide the word and one neighbor. How far does a side reach?
          number >= position => (number == position) | (number == position + 1)
          (number <= position) => ((number == position) | (number == position - 1))
    - with both sides nothing is left: In `both` you hide everything but one word, or all. How many words does `both`
      hide?
          number == position => number > 0
       or number == position => (number != position) & (number > 0)
    - one array under three names: What you hide in one is hidden in all. What gives each of the three an array of its
      own?
          return { => ids[1:] = mask_id; return {
    """,
    hints="""
    - Number the places 0, 1, 2 ... and compare them with `position`.
    - `left` shows only what stands before the position; everything from it on is [MASK].
    - `right` shows only what stands behind it, and [CLS] at place 0.
    """,
)

VALUE = Exercise(
    id="08.value",
    title="What a context is worth",
    minutes=8,
    cases=(
        Case("three words", (np.array([1.0, 2.0, 3.0]), np.array([0.5, 1.0, 2.9]))),
        Case("three words that save the same", (np.array([0.7, 1.7, 2.7]), np.array([0.0, 1.0, 2.0]))),
        Case("two hundred words", (rng(1).gamma(2, 1, 200), rng(2).gamma(1, 1, 200))),
        Case("a context that misleads", (rng(4).random(9), rng(4).random(9) + 0.3 * rng(5).random(9))),
    ),
    habits=("unchanged without", "unchanged with_"),
    mistakes="""
    - the wrong way round: A context that helps has a positive value: how much less is paid with it?
          without - with_ => with_ - without
    - two scatters instead of one
          saved.std(ddof=1) => np.sqrt(without.var(ddof=1) + with_.var(ddof=1))
       or saved.std(ddof=1) => np.sqrt(without.var() + with_.var())
    - the scatter of single values
          / np.sqrt(len(saved)) =>
       or saved.mean() - margin, saved.mean() + margin => *np.percentile(saved, [2.5, 97.5])
    - divided by n
          std(ddof=1) => std()
    - one standard error
          1.96 * =>
    - divided by n instead of its root
          np.sqrt(len(saved)) => len(saved)
    - the variance in place of its root
          saved.std(ddof=1) / np.sqrt(len(saved)) => saved.var(ddof=1) / len(saved)
       or saved.std(ddof=1) => saved.var(ddof=1)
    """,
    hints="""
    - For each word: what it costs without the context, minus what it costs with it.
    - The value is the mean of these differences; its standard error is their standard deviation by root n.
    - NumPy's std divides by n unless ddof says otherwise. The interval is 1.96 standard errors to either side.
    """,
)

REFERENT = Exercise(
    id="08.referent",
    title="Who is he?",
    minutes=10,
    cases=(
        Case("two persons, a clause of one word", (np.array([0.5, 0.5]), np.log(np.array([[0.1], [0.4]])))),
        Case("one is mentioned more often", (np.array([0.8, 0.2]), np.log(np.array([[0.2, 0.3], [0.3, 0.4]])))),
        Case("three persons", (np.array([0.2, 0.5, 0.3]), np.log(rng(2).uniform(0.01, 0.5, (3, 4))))),
        Case("a long clause of rare words", (np.array([0.4, 0.6]), rng(3).normal(-20, 1, (2, 80)))),
        Case("rare words for one, rarer for another", (np.array([0.4, 0.6]), -np.arange(1.0, 81) * [[20.0], [20.01]])),
    ),
    habits=("unchanged prior", "unchanged log_likelihoods"),
    mistakes="""
    - the prior is left out: Right when all were equally likely before. Which factor of Bayes' rule is known before the
      clause?
          np.log(prior) + =>
    - the prior is no logarithm: You add a probability to logarithms. What becomes of a factor in logs?
          np.log(prior) => prior
    - the prior counts at every word: How many factors of Bayes' rule are priors, and how many are words?
          np.log(prior) => log_likelihoods.shape[1] * np.log(prior)
    - not normalized: Somebody is meant for certain. What must the probabilities of all persons sum to?
          weights / weights.sum() => weights
       or score - score.max() => score
          weights / weights.sum() => weights
    - the words are averaged: Every word counts fully: independent pieces of evidence multiply, and their logs add.
          .sum(axis=1) => .mean(axis=1)
    - probabilities are added: All words were said. What do the probabilities of independent words do?
          log_likelihoods.sum(axis=1) => np.log(np.exp(log_likelihoods).sum(axis=1))
    - a long clause gives 0 / 0: The product of eighty small numbers is 0 in a computer. What may be taken off all logs
      before exp?
          score - score.max() => score
    - one word decides alone: Only one word of the clause is used.
          log_likelihoods.sum(axis=1) => log_likelihoods[:, -1]
       or log_likelihoods.sum(axis=1) => log_likelihoods[:, 0]
    - the persons are added up: Along which axis of the log-likelihoods lie the words of one person?
          .sum(axis=1) => .sum(axis=0)
    """,
    hints="""
    - Bayes' rule: how likely each person was before, times how likely the clause is if that person is meant.
    - In logs: log prior plus the sum of the words' log-probabilities. What turns such scores into probabilities?
    - It is a softmax, and large negative scores need the same care as in chapter 01.
    """,
)

FLOPS = Exercise(
    id="08.flops",
    title="What a token costs",
    twin=Twin("mlm_mini.model.config:ModelConfig.training_flops_per_token", flops_of_a_config),
    minutes=12,
    cases=(
        Case("a model of one number", (2, 1, 1, 1, 1.0)),
        Case("tiny, 15% predicted", (404, 64, 2, 17, 0.15)),
        Case("BERT-base, 512 tokens, everything predicted", (30522, 768, 12, 512, 1.0)),
    ),
    mistakes="""
    - the weights are paid forward only: Reading costs that much. What does the way back cost beside the way forward?
          6 * weights => 2 * weights
    - attention is paid forward only: Its products go back as well. What does the way back cost beside the way forward?
          12 * L * T => 4 * L * T
    - the head at every position: You count logits everywhere. For which share of the tokens are there logits?
          predicted * =>
    - attention costs nothing: Your count does not grow with the sentence. How many tokens does each token meet?
          + 12 * L * T * D =>
    - attention for the whole sentence: The cost of a sentence has T squared in it; the cost of one token has T.
          * T * => * T**2 *
    - half of attention: There are two products for each pair: of a query with a key, and of a weight with a value.
          12 * L * T => 6 * L * T
    - a part of the block is missing: A block has four D by D matrices in attention, and two of D by 4 D behind it.
          12 * L * D**2 => 4 * L * D**2
       or 12 * L * D**2 => 8 * L * D**2
    - the head's own layer is missing: Before the decoder the head has a layer from D to D.
          D**2 + D * V => D * V
    - one block only: Each of the L blocks has weights, and an attention, of its own.
          12 * L * D**2 => 12 * D**2
       or 12 * L * T => 12 * T
    - the share holds for a part of the head: At which positions do the two layers of the head work?
          predicted * (D**2 + D * V) => D**2 + predicted * D * V
       or predicted * (D**2 + D * V) => predicted * D**2 + D * V
    - a share of a share: `predicted` is a share already, and no number of tokens: by what do you divide it?
          predicted * => predicted / T *
    """,
    hints="""
    - A weight costs 2 operations forward (a product and a sum) and 4 backward, at every token that meets it.
    - A block has 4 D^2 weights in attention and 8 D^2 in the feed-forward part. The head has D^2 + D V.
    - Attention itself: 2 T D operations for the scores and 2 T D for the sums, in each block, three times in all.
    """,
)

COST = Exercise(
    id="08.cost-to-reach",
    title="What it takes to get there",
    twin=Twin(
        "mlm_mini.experiments.lab.cost:cost_to_reach",
        lambda reach, costs, gaps, t: reach(np.column_stack([costs, gaps]), t) if gaps.min() <= t else None,
    ),
    minutes=12,
    cases=(
        Case("one point, at the target", (np.array([5.0]), np.array([0.5]), 0.5)),
        Case("between two points", (np.array([100.0, 400.0]), np.array([1.0, 0.25]), 0.5)),
        Case("never", (COSTS, np.array([1.0, 0.5, 0.25, 0.1]), 0.05)),
        Case("from the start, and above it later", (COSTS, np.array([0.4, 0.6, 0.3, 0.1]), 0.5)),
        Case("a curve that rises again", (COSTS, np.array([1.0, 0.4, 0.6, 0.2]), 0.5)),
        Case("a curve that comes to the target and ends above", (COSTS, np.array([1.0, 0.5, 0.3, 0.6]), 0.5)),
    ),
    habits=("unchanged costs", "unchanged gaps"),
    mistakes="""
    - the costs are not on a log scale: You go along the costs themselves, but they go by factors.
          np.log(costs) => costs
          np.exp( => (
    - the gaps are not on a log scale: You go along the gaps themselves, but they shrink by factors.
          np.log(gaps / target) => gaps / target - 1
    - the share from the wrong end: Your share lies behind the crossing. Which part of the way leads up to the target?
          share = y[i - 1] => share = -y[i]
    - still a log: Your answer is the logarithm of a cost. What undoes a logarithm?
          np.exp( => (
    - the first point below: You answer with a measured point below the target. Where did the curve cross the target?
          share = y[i - 1] / (y[i - 1] - y[i]) => share = 1
    - the last crossing: A curve may rise again; what is asked is its first crossing.
          i = below[0] => i = max(j for j in below if j == 0 or gaps[j - 1] > target)
       or i = below[0] => i = below[0] and max(j for j in below if gaps[j - 1] > target)
    - an answer where there is none: Where a curve never is at the target, what it would have cost nobody knows: None.
          return None => return float(costs[-1])
       or return None => return float(costs[0])
       or return None => return float("inf")
       or return None => return float("nan")
    - np.interp over all points: np.interp wants rising numbers, and where they end it answers with the end. Between
      which two points does the curve first cross the target?
          below = => return float(np.exp(np.interp(np.log(target), np.log(gaps)[::-1], np.log(costs)[::-1]))); below =
       or x, y = => return float(np.exp(np.interp(np.log(target), np.log(gaps)[::-1], np.log(costs)[::-1]))); x, y =
    - argmax alone: argmax says 0 where the first point is low enough, and also where none is. Which point stands before
      point 0?
          if not len(below): => if False:
          i = below[0] => i = np.argmax(gaps <= target)
          if i == 0: => if False:
    - the start is not looked at: The first point may be low enough already, and nothing stands before it.
          if i == 0: => if False:
       or below = np.flatnonzero(gaps <= target) => below = 1 + np.flatnonzero(gaps[1:] <= target)
    - below, but not at: A point exactly at the target has reached it.
          gaps <= target => gaps < target
    """,
    hints="""
    - Go along the curve to the first point that is at or below the target. The crossing lies just before it.
    - What share of the way from one log gap to the next has to be gone? Go the same share between the log costs.
    - Two special cases: the first point is below already, and no point is.
    """,
)

FIT = Exercise(
    id="08.fit-quadratic",
    title="A line and a square",
    answers_in=("mlm_mini.experiments.context.attention_cost:crossing",),
    minutes=12,
    rtol=1e-6,
    cases=(
        Case("three lengths", (np.array([1.0, 2.0, 3.0]), np.array([3.0, 8.0, 14.0]))),
        Case("nearly a line", times(3, 1e-5, 1e-9, 0.05, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0)),
        Case("nearly a square", times(4, 1e-7, 1e-8, 0.05, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0)),
        Case("in no order, one of them twice", times(5, 3e-6, 1e-8, 0.1, 512.0, 64.0, 2048.0, 128.0, 512.0)),
    ),
    habits=("unchanged lengths", "unchanged seconds", "any order lengths"),
    mistakes="""
    - the longest run decides everything: Long runs have large errors, which drown the rest. What makes each equation's
      error relative?
          1 / seconds => np.ones_like(seconds)
       or 1 / seconds => 1 / np.sqrt(seconds)
       or 1 / seconds => seconds
    - a constant is fitted too: What you fit takes time at n = 0 as well. How many terms has the model?
          [lengths, => [lengths**0, lengths,
          (a, b) => (_, a, b)
    - the ratio upside down: At which n is a n equal to b n squared?
          a / b => b / a
    - the root of the ratio: a n = b n^2 has one n on either side that cancels.
          a / b => np.sqrt(a / b)
    - divided by n, not by the time: Right if time grew like n. Relative to what are the errors to count alike?
          1 / seconds => 1 / lengths
    - a and b are exchanged: Your first number belongs to the square. In which order do a and b leave your fit, and in
      which your function?
          (a, b) => (b, a)
       or return a, b, => return b, a,
    - only one side is divided: An equation stays true only if both its sides are divided.
          seconds * weights => seconds
       or * weights[:, None] =>
    """,
    hints="""
    - Two unknowns, a and b, and as many equations a n + b n^2 = t as there are measurements: least squares.
    - To let relative errors count, divide each equation by its t; the right side is then 1.
    - np.linalg.lstsq takes a table with a column for n / t and one for n^2 / t. The terms are equal at a / b.
    """,
)

PLL = Exercise(
    id="08.pseudo-log-likelihood",
    title="A sentence, one blank at a time",
    minutes=10,
    cases=(
        Case("no word", (np.array([2, 3]), SPECIAL, 4, a_model(4))),
        Case("one word", (np.array([2, 7, 3]), SPECIAL, 4, a_model(1))),
        Case("a word that comes twice", (np.array([2, 7, 8, 7, 3, 0, 0]), SPECIAL, 4, a_model(3))),
        Case("padding on the left", (np.array([0, 101, 50, 9, 102, 1, 9, 102]), BERT_SPECIAL, 103, a_model(6))),
        Case("a large vocabulary", (np.array([2, 40_000, 39_999, 3]), SPECIAL, 4, a_model(7, 41_000))),
    ),
    habits=("unchanged ids", "unchanged special_ids", "large ids ids", "scattered ids special_ids"),
    mistakes="""
    - nothing is hidden: The model sees the word it is asked about.
          seen[position] = mask_id => pass
    - everything is hidden at once: Each word is to be guessed with all others visible, one after another.
          seen[position] = mask_id => seen[[other not in special_ids for other in ids]] = mask_id
    - hidden words stay hidden: More and more is hidden: the sentence has to be whole again before the next word's turn.
          total = 0.0 => total, seen = 0.0, ids.copy()
          seen = ids.copy() => pass
       or total = 0.0 => total, seen = 0.0, ids.copy()
          seen = ids.copy() => pass
          enumerate(ids) => reversed(list(enumerate(ids)))
       or seen = ids.copy() => seen = ids
    - special tokens are asked too: [CLS] and [SEP] are no words, and cost next to nothing or very much.
          token not in special_ids => True
    - only the ends are passed over: Padding and an inner [SEP] are no words either; who tells you which tokens are?
          token not in special_ids => 0 < position < len(ids) - 1
    - the mean, not the sum: You return the score per word. Are log-probabilities of words averaged, or added?
          return float(total) => return float(total) / max(1, sum(token not in special_ids for token in ids))
    - the sign is wrong: A log-probability is below zero; you have turned it into a surprisal.
          total += => total -=
    - all that follows is hidden too: Which words may a model use that sees both sides?
          seen[position] = mask_id => seen[position:] = mask_id
    - the probability of [MASK]: You look up what stands in the word's place. How likely was the word itself?
          [token] => [mask_id]
    - every copy of the word is hidden
          seen[position] = mask_id => seen[ids == token] = mask_id
    """,
    hints="""
    - A loop over the places; special tokens are passed over.
    - In each round a fresh copy of the sentence, with [MASK] at one place.
    - log_p(seen, position) gives a row for all tokens: which of them was there?
    """,
)

EXERCISES = (CAUSAL_LABELS, SENTENCE_NATS, SIDES, VALUE, REFERENT, FLOPS, COST, FIT, PLL)
