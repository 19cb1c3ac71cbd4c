"""Chapter 05: the encoder by hand, from one attention weight to a whole block and a gradient.

Shapes: B sentences, T positions that ask, S positions that answer, D numbers at a position, H heads of d = D / H,
I numbers inside the feed-forward part; `...` are leading dimensions. Weights are flat dicts with Hugging Face's names.
"""

import math

import numpy as np

from mlm_mini.course.exercise import Case, Exercise
from mlm_mini.reference.layers import below

NUMPY = {"np": np}


def normal(seed, *shape, scale=1.0):
    return np.random.default_rng(seed).normal(scale=scale, size=shape)


def several(first_seed, count, *shape, scale=1.0):
    """Arrays of the same shape, each from a seed of its own."""
    return tuple(normal(first_seed + i, *shape, scale=scale) for i in range(count))


def make_weights(seed, D, inner):
    """The weights of a block, all of them random, so that none may be left out."""
    shapes = {f"attention.{name}": (D, D) for name in ("self.query", "self.key", "self.value", "output.dense")}
    shapes |= {"intermediate.dense": (inner, D), "output.dense": (D, inner)}
    shapes |= {"attention.output.LayerNorm": (D,), "output.LayerNorm": (D,)}
    rng, weights = np.random.default_rng(seed), {}
    for name, shape in shapes.items():
        weights[f"{name}.weight"] = rng.normal(scale=0.6, size=shape)
        weights[f"{name}.bias"] = rng.normal(scale=0.6, size=shape[0])
    return weights


TWO_KEYS = np.array([[1.0, 0, 0, 0], [0, 1, 0, 0]])
TWO_VALUES = np.array([[4.0, 0.0, 1.0, 0.0], [0.0, 8.0, 1.0, 0.0]])
ONE = np.array([[1.0, 0, 0, 0]])
THREE_TO_ONE = 2 * np.log(3) * ONE  # a query whose scores are log 3 and 0
FAR_APART = np.array([[0.01], [50.0], [50.0]])  # for queries
FIRST_ALONE = np.array([True, False])
SOME_BLIND = np.array([[0, 0, 0], [1, 0, 1], [1, 1, 1]], dtype=bool)
CAUSAL = np.tri(5, dtype=bool)
KEEP = np.array([[1, 1, 1, 1, 1], [0, 0, 1, 1, 1]], dtype=bool)[:, None, None, :]
PADDING_ALONE = KEEP & FIRST_ALONE[:, None, None, None]
BY_HEAD = np.stack([CAUSAL, np.tri(5, k=-1, dtype=bool)])  # in the second the first query sees nothing

WEIGHTS = Exercise(
    id="05.attention-weights",
    title="Who looks at whom",
    twin="mlm_mini.reference.attention:attention_weights",
    minutes=15,
    cases=(
        Case("one query, two keys", (THREE_TO_ONE, TWO_KEYS)),
        Case("two queries, three keys", (normal(1, 2, 4), normal(2, 3, 4))),
        Case("as many queries as keys", (normal(3, 3, 5), normal(4, 3, 5))),
        Case("leading dimensions (2, 3)", (normal(5, 2, 3, 4, 6), normal(6, 2, 3, 5, 6))),
        Case("three sentences of three positions, three numbers each", several(10, 2, 3, 3, 3)),
        Case("scores near 0 and in the thousands", (FAR_APART * normal(8, 3, 4), 50 * normal(9, 5, 4))),
    ),
    habits=("unchanged q", "unchanged k", "leading q 2"),
    mistakes="""
    - the scores are not scaled
          / np.sqrt(q.shape[-1]) =>
    - multiplied where it should be divided
          / np.sqrt => * np.sqrt
    - the weights are divided, not the scores: Your rows do not sum to one. Must the root of d reach the scores, or the
      weights?
          / np.sqrt(q.shape[-1]) =>
          ref.softmax(scores) => ref.softmax(scores) / np.sqrt(q.shape[-1])
    - scaled by d, not by its root
          np.sqrt(q.shape[-1]) => q.shape[-1]
    - scaled by the length of the sentence: A long sentence would be scaled more than a short one. Which axis is d?
          q.shape[-1] => k.shape[-2]
       or q.shape[-1] => q.shape[-2]
    - axes are counted from the front (raises)
          k.mT => k.swapaxes(0, 1)
       or k.mT => k.swapaxes(1, 2)
       or q.shape[-1] => q.shape[0]
       or ref.softmax(scores) => ref.softmax(scores, axis=1)
       or q.shape[-1] => q.shape[1]
       or q.shape[-1] => q.shape[1]
          ref.softmax(scores) => ref.softmax(scores, axis=1)
    - softmax over the queries: Your columns sum to one, your rows do not. Do queries compete for a key, or keys for a
      query?
          ref.softmax(scores) => ref.softmax(scores, axis=-2)
    - softmax over the whole table: The weights of a whole table, or of all tables, sum to one together, and those of
      each query do not. Among which keys does one query share itself out?
          ref.softmax(scores) => ref.softmax(scores.reshape(*q.shape[:-2], -1)).reshape(scores.shape)
       or ref.softmax(scores) => ref.softmax(scores.ravel()).reshape(scores.shape)
       or ref.softmax(scores) => np.exp(scores) / np.exp(scores).sum()
    - rows and columns have changed places: Your table has a row for each key. Each query asks, and has a row: (..., T,
      S).
          q @ k.mT => k @ q.mT
    - every axis is turned round
          k.mT => k.T
    - no maximum subtracted in the softmax
          ref.softmax(scores) => np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    - the sum has lost its axis
          ref.softmax(scores) => np.exp(scores) / np.exp(scores).sum(-1)
       or return ref.softmax(scores) => p = np.exp(scores - scores.max(-1, keepdims=True)); return p / p.sum(-1)
    - the maxima and the sums lost their axis
          return ref.softmax(scores) => p = np.exp(scores - scores.max(-1)); return p / p.sum(-1)
    - one maximum for all rows: A row far below the largest score underflows to zeros, and 0 / 0 is NaN. What does each
      row need to have subtracted?
          return ref.softmax(scores) => p = np.exp(scores - scores.max()); return p / p.sum(-1, keepdims=True)
    - scores, not weights: These numbers may be negative, and no row sums to one. What makes a distribution of scores?
          ref.softmax(scores) => scores
    """,
    hints="""
    - Two steps: a score for every pair of query and key, then a distribution over the keys for each query.
    - All dot products at once are one matrix product; of k the last two axes have to change places first.
    - Divide the scores by the square root of the width d, and let ref.softmax run over the last axis.
    """,
)

PADDING_MASK = Exercise(
    id="05.padding-mask",
    title="Nobody reads padding",
    twin="mlm_mini.reference.attention:padding_mask",
    minutes=5,
    cases=(
        Case("one sentence with one place of padding", (np.array([[True, True, False]]),)),
        Case("three sentences", (np.tri(3, dtype=bool)[::-1],)),
        Case("two sentences, as 1 and 0", (np.array([[1, 1, 1, 1], [1, 1, 0, 0]]),)),
        Case("padding on the left, and in the middle", (np.array([[0, 0, 1], [1, 0, 1]]),)),
        Case("padding alone", (np.array([[1, 1], [0, 0]]),)),
        Case("one sentence of one token", (np.array([[True]]),)),
    ),
    habits=("unchanged attention_mask", "left padding attention_mask"),
    mistakes="""
    - True and False are swapped
          attention_mask.astype => ~attention_mask.astype
       or attention_mask.astype(bool) => ~attention_mask
    - padding may not ask, but may be read: Everybody still reads padding. Which axis of the scores is that of the keys?
          [:, None, None, :] => [:, None, :, None]
    - padding may neither ask nor be read: With this mask padding sees nothing at all. What padding reads harms nobody:
      one axis of length 1 serves all queries.
          [:, None, None, :] => [:, None, None, :] & attention_mask.astype(bool)[:, None, :, None]
    - the sentences are not the first axis: A mask meets the scores axis by axis: sentences first, keys last.
          [:, None, None, :] => [None, None, :, :]
       or [:, None, None, :] => [None, :, None, :]
    - no room for heads and queries: (B, T) would be lined up with queries and keys, the last two axes of (B, H, T, T).
      Which axes are missing between B and T?
          [:, None, None, :] =>
       or .astype(bool)[:, None, None, :] =>
    - a row for every query: All queries of a sentence see the same keys. Which length does NumPy stretch?
          [:, None, None, :] => [:, None, None, :].repeat(attention_mask.shape[1], axis=2)
    - numbers that are to be added to the scores
          attention_mask.astype(bool) => np.where(attention_mask, 0.0, -np.inf)
       or attention_mask.astype(bool) => np.where(attention_mask, 0.0, -1e9)
       or attention_mask.astype(bool) => np.where(attention_mask, 0.0, -1e4)
    - one axis is missing: (B, 1, T) fits scores of one head. With heads, (B, H, T, T), your B would be lined up with H.
          [:, None, None, :] => [:, None, :]
    - numbers where truth values are needed
          .astype(bool) =>
       or .astype(bool) => .astype(np.int64)
    """,
    hints="""
    - The scores have the shape (B, H, T, T): sentences, heads, queries, keys. Which two axes does padding concern?
    - An axis of length 1 is stretched to any length when arrays are combined.
    - Indexing with None makes an axis of length 1; .astype(bool) makes booleans of 1 and 0.
    """,
    helpers=NUMPY,
)

CAUSAL_MASK = Exercise(
    id="05.causal-mask",
    title="Nobody reads the future",
    twin="mlm_mini.reference.attention:causal_mask",
    minutes=5,
    cases=(Case("three positions", (3,)), Case("one position", (1,)), Case("seven positions", (7,))),
    mistakes="""
    - nobody reads the past: Row 0 sees everything, the last row only itself. Which positions are not later than t?
          dtype=bool) => dtype=bool).T
    - True and False are swapped
          np.tri => ~np.tri
    - a position does not see itself: The first position would see nothing at all. Not later than t includes t.
          (T, dtype => (T, k=-1, dtype
    - the next position is still visible: Each row reaches one too far: who is asked for the next word would be told
      that word.
          (T, dtype => (T, k=1, dtype
    - only the position itself is visible: Each row sees itself and nothing before it. The past may be read, all of it.
          np.tri(T, dtype => np.eye(T, dtype
    - numbers where truth values are needed
          bool => float
       or bool => np.int64
    - numbers that are to be added to the scores
          np.tri(T, dtype=bool) => np.where(np.tri(T, dtype=bool), 0.0, -np.inf)
       or np.tri(T, dtype=bool) => np.where(np.tri(T, dtype=bool), 0.0, -1e9)
       or np.tri(T, dtype=bool) => np.where(np.tri(T, dtype=bool), 0.0, -1e4)
    """,
    hints="""
    - Write the mask for T = 3 on paper: row t is the query, column s the key, and s may be at most t.
    - It is a triangle. NumPy can make one, or compare a column of numbers with a row of them.
    - np.arange(T)[:, None] is the column t, np.arange(T) the row s.
    """,
)

HEADS = several(11, 3, 2, 3, 5, 4)
ATTENTION = Exercise(
    id="05.attention",
    title="Attention with a mask",
    twin="mlm_mini.reference.attention:scaled_dot_product_attention",
    minutes=20,
    cases=(
        Case("one query, two keys", (THREE_TO_ONE, TWO_KEYS, TWO_VALUES)),
        Case("three queries, four keys, no mask", (normal(14, 3, 4), *several(15, 2, 4, 4))),
        Case("the second of three keys hidden", (normal(16, 2, 4), *several(17, 2, 3, 4), SOME_BLIND[1])),
        Case("causal", (*(x[0, 0] for x in HEADS), CAUSAL)),
        Case("two sentences, three heads, padding on the left", (*HEADS, KEEP)),
        Case("a query that may see nothing", (*several(20, 3, 3, 4), SOME_BLIND)),
        Case("a sentence of padding alone", (*HEADS, PADDING_ALONE)),
        Case("large scores, the largest one hidden", (100 * ONE, 100 * TWO_KEYS[::-1], TWO_VALUES, FIRST_ALONE[None])),
        Case("scores of 0 and -2e10", (4e5 * TWO_KEYS, -1e5 * TWO_KEYS, TWO_VALUES, FIRST_ALONE[None])),
    ),
    habits=("unchanged q", "unchanged k", "unchanged v", "unchanged mask", "leading q 2", "left padding mask"),
    mistakes="""
    - the mask is turned round
          (mask, scores, -np.inf) => (mask, -np.inf, scores)
       or sees = mask => mask = ~mask; sees = mask
       or (mask, scores, -np.inf) => (mask, -1e9, scores)
    - the mask comes after the softmax: The hidden keys are gone, but they took their share along: the other weights no
      longer sum to one. Must a key be hidden before weights are shared out, or after?
          np.where(mask, scores, -np.inf) => scores
          weights @ v, => (weights * mask) @ v,
    - hidden weights are removed, and the rest made to sum to one: Right until a hidden score is far above the others:
      it takes all the weight, and nothing is left to divide by. When must a key be hidden, to take nothing?
          np.where(sees, visible, 0.0)) => scores) * mask; weights = weights / (weights.sum(-1, keepdims=True) + 1e-12)
       or np.where(sees, visible, 0.0)) => scores) * mask; weights = weights / weights.sum(-1, keepdims=True)
          np.where(sees, weights @ v, 0.0) => weights @ v
    - the mask is an index (raises): Right where the mask has as many axes as the scores, and of their lengths. An index
      is not stretched as other arrays are: which function chooses between two arrays, and stretches?
          np.where(mask, scores, -np.inf) => scores.copy(); visible[~mask] = -np.inf
       or np.where(mask, scores, -np.inf) => scores.copy(); visible[~mask] = -1e9
       or return np.where(sees, weights @ v, 0.0) => y = weights @ v; y[~mask.any(-1)] = 0.0; return y
    - hidden scores are set to zero: A score of 0 is an ordinary score, and exp(0) is 1. Which score has weight 0?
          -np.inf => 0.0
    - the mask is added to the scores: True counts as 1 and False as 0: visible keys gain a little, and hidden ones
      stay. Only masks of 0 and minus infinity are made to be added.
          np.where(mask, scores, -np.inf) => scores + mask
    - a finite number in place of -inf: Right among mild scores. But where all visible scores lie below your number, the
      hidden key has the best score and takes the weight. What is exp(-inf)?
          -np.inf => -1e9
       or -np.inf => -1e9
          weights @ v, => (weights * mask) @ v,
    - a query that sees nothing reads all the same: Where all scores of a row are lowered alike, the softmax lifts them
      again, and every key is read. A query that sees nothing is to read zeros.
          np.where(sees, weights @ v, 0.0) => weights @ v
       or np.where(sees, weights @ v, 0.0) => np.where(sees, weights, ref.softmax(scores)) @ v
       or np.where(sees, weights @ v, 0.0) => np.where(sees, weights, ref.softmax(scores - 1e9)) @ v
    - a query that sees nothing becomes NaN
          weights @ v, 0.0) => weights @ v, np.nan)
    - a query that sees nothing stops the program (raises): Right wherever something can be seen; ref.softmax refuses a
      row without a candidate. Which rows see nothing, and what should they read?
          np.where(sees, visible, 0.0) => visible
    - queries that see something read nothing: Yours read zeros. Which queries are to read zeros?
          (sees, weights @ v, 0.0) => (sees.all(), weights @ v, 0.0)
       or mask.any => mask.all
    - the mask is ignored
          mask is None => True
       or np.where(mask, scores, -np.inf) => scores
    - the scores are not scaled
          / np.sqrt(q.shape[-1]) =>
    - scaled by d, not by its root
          np.sqrt(q.shape[-1]) => q.shape[-1]
    - keys are read, not values: You average the keys. Keys say where to look; what is read there?
          ref.softmax(scores) @ v => ref.softmax(scores) @ k
          weights @ v, => weights @ k,
    """,
    hints="""
    - Start without the mask: your attention weights, times the values, in one matrix product.
    - Then hide: before the softmax, a hidden key gets the score whose exponential is zero (np.where does it).
    - Last the rows with nothing to see, by mask.any(axis=-1, keepdims=True): give them any scores, then zeros to read.
    """,
)

CUT_HEADS = Exercise(
    id="05.split-heads",
    title="Several heads side by side",
    twin="mlm_mini.reference.attention:split_heads",
    minutes=10,
    cases=(
        Case("two positions of four numbers, two heads", (np.arange(8.0).reshape(2, 4), 2)),
        Case("three positions, one head", (normal(31, 3, 4), 1)),
        Case("as many heads as numbers", (normal(32, 2, 3), 3)),
        Case("two sentences, three heads", (normal(33, 2, 4, 6), 3)),
        Case("as many heads as positions", (normal(34, 1, 3, 6), 3)),
        Case("one sentence of one position", (normal(36, 1, 1, 4), 2)),
        Case("two leading dimensions", (normal(35, 2, 2, 3, 8), 4)),
    ),
    habits=("unchanged x", "leading x 2"),
    mistakes="""
    - positions are mixed: The shape is right, the numbers are not: reshape keeps the order in memory, so a head of
      yours holds whole positions. What is to be cut first, and what moved then?
          T, H, D // H => H, T, D // H
          .swapaxes(-3, -2) =>
    - numbers are dealt out like cards: Head 0 gets every H-th number. In which order do the two new axes stand?
          T, H, D // H => T, D // H, H
          .swapaxes(-3, -2) => .mT.swapaxes(-3, -2)
    - the heads are cut but not moved: Your shape is (..., T, H, d). A matrix product needs T and d as the last two.
          .swapaxes(-3, -2) =>
    - positions are cut into d parts of H numbers: How many parts are wanted, and of how many numbers each?
          T, H, D // H => T, D // H, H
    - the wrong two axes change places: H is not where it should be. Which axis comes before T, and which is last?
          (-3, -2) => (-1, -2)
       or (-3, -2) => (-1, -3)
    - axes are counted from the front (raises)
          .swapaxes(-3, -2) => .transpose(0, 2, 1, 3)
       or .swapaxes(-3, -2) => .transpose(1, 0, 2)
       or .swapaxes(-3, -2) => .swapaxes(0, 1)
       or .swapaxes(-3, -2) => .swapaxes(1, 2)
    - the heads come first of all: Your heads stand before the sentences; they belong right before the positions.
          cut.swapaxes(-3, -2) => np.moveaxis(cut, -2, 0)
       or cut.swapaxes(-3, -2) => list(np.moveaxis(cut, -2, 0))
    - every head gets the whole position: Each head holds all D numbers. The heads share the width: d = D / H for each.
          cut.swapaxes(-3, -2) => np.repeat(x[..., None, :, :], H, axis=-3)
    """,
    hints="""
    - Two steps: cut every position into H parts of d numbers, then bring the axis of the heads before the positions.
    - The cut is a reshape that touches the last axis alone: D becomes H times d.
    - Then swapaxes, with axes counted from the end, so that leading dimensions do not matter.
    """,
    helpers=NUMPY,
)


def encoder_cases(seed, small, large):
    """Inputs for a function of x, weights, H and a mask; the weights are of width 4 and 8."""
    return (
        Case("one position, one head", (normal(seed, 1, 4), small, 1)),
        Case("three positions, two heads", (normal(seed + 1, 3, 4), small, 2)),
        Case("two sentences, four heads", (normal(seed + 2, 2, 5, 8), large, 4)),
        Case("two sentences, padding on the left", (normal(seed + 3, 2, 5, 8), large, 2, KEEP)),
        Case("causal, four heads", (normal(seed + 4, 2, 5, 8), large, 4, CAUSAL)),
        Case("a mask for each of two heads, one query blind in one", (normal(seed + 5, 5, 4), small, 2, BY_HEAD)),
        Case("a sentence of padding alone", (normal(seed + 6, 2, 5, 8), large, 2, PADDING_ALONE)),
        Case("causal, scores of -1e10", (normal(seed + 7, 5, 4, scale=1e5), small, 2, CAUSAL)),
        Case("two leading dimensions", (normal(seed + 8, 2, 2, 3, 8), large, 4)),
    )


BLOCKS = make_weights(110, 4, inner=6), make_weights(120, 8, inner=16)
ENCODER_HABITS = ("unchanged x", "unchanged weights", "unchanged mask", "leading x 2", "left padding mask")

MULTI_HEAD = Exercise(
    id="05.multi-head",
    title="Multi-head attention",
    twin="mlm_mini.reference.attention:multi_head_attention",
    minutes=20,
    cases=encoder_cases(48, *(below(weights, "attention.") for weights in BLOCKS)),
    habits=ENCODER_HABITS,
    mistakes="""
    - heads are joined without moving them back: Right with one head. With more, a plain reshape mixes positions, as it
      did when heads were cut. What undoes split_heads, step by step?
          .swapaxes(-3, -2) =>
    - heads are cut by a plain reshape: Right with one head. With more, a reshape to (..., H, T, d) hands out whole
      positions. Which exercise has cut heads already?
          ref.split_heads(view, H) => view.reshape(*x.shape[:-2], H, x.shape[-2], -1)
    - heads are joined number by number: The numbers of all heads are at the right position, but interleaved. The first
      head's d numbers come first, then the second's.
          .reshape => .mT.reshape
    - scaled by the width of a position: Too even with several heads. How many products does a head's dot product sum?
          (q, k, v, mask) => (q / H**0.5, k, v, mask)
    - axes are counted from the front (raises)
          (-3, -2) => (1, 2)
       or (-3, -2) => (0, 1)
       or .swapaxes(-3, -2) => .transpose(0, 2, 1, 3)
    - H makes no difference
          (view, H) => (view, 1)
       or ref.split_heads(view, H) => view
          .swapaxes(-3, -2) =>
    - the last matrix is missing: You return the heads side by side. What mixes what the heads found?
          ref.linear(joined, *layer(weights, "output.dense")) => joined
    - queries and keys have changed places: Your scores are those of the transposed table: who asks is asked.
          "query", "key" => "key", "query"
    - queries and keys are one view: What a position looks for is what it can be found by. Which layer makes the keys?
          "key" => "query"
       or "query" => "key"
    - something else is read than the values: Your weights do not average the view of x through self.value.
          "key", "value" => "value", "key"
       or "value" => "key"
       or "value" => "query"
       or (q, k, v, mask) => (q, k, ref.split_heads(x, H), mask)
    - matrices are not transposed: A weight of shape (E, D) takes D numbers to E: its rows belong to the outputs. With x
      in front, a weight has to be turned; ref.linear knows.
          ref.linear(x, => turned(x,
       or ref.linear(joined, => turned(joined,
       or ref.linear(x, => turned(x,
          ref.linear(joined, => turned(joined,
    - biases are missing: Not all biases are used. Each of the four layers has a matrix and a bias.
          layer(weights, f"self.{name}") => (weights[f"self.{name}.weight"], 0)
       or layer(weights, "output.dense") => (weights["output.dense.weight"], 0)
       or layer(weights, f"self.{name}") => (weights[f"self.{name}.weight"], 0)
          layer(weights, "output.dense") => (weights["output.dense.weight"], 0)
    - the mask is ignored
          v, mask) => v)
    - the mask is turned round
          v, mask) => v, None if mask is None else ~mask)
    - x is added at the end: The sum with x belongs to the block. Attention alone returns what was read.
          return => return x +
    - a query that sees nothing becomes NaN
          joined = y => joined = (y / (mask is None or mask.any(axis=-1, keepdims=True)))
    """,
    hints="""
    - Five steps: three views of x, cut each into heads, attend, join the heads, one last linear layer.
    - ref.linear(x, *layer(weights, 'self.query')) is the first view. ref.scaled_dot_product_attention takes all heads.
    - Joining is split_heads backward: the heads go back behind the positions, then the last two axes become one.
    """,
    helpers={"turned": lambda x, weight, bias: x @ weight + bias},
)

GAIN, BIAS = np.array([1.0, 2.0, 0.5, -1.0]), np.array([0.0, 1.0, -1.0, 3.0])
LAYER_NORM = Exercise(
    id="05.layer-norm",
    title="Layer normalization",
    twin="mlm_mini.reference.layers:layer_norm",
    answers_in=("mlm_mini.reference.layers:normalized",),
    minutes=10,
    cases=(
        Case("two numbers, gain 1 and bias 0", (np.array([[3.0, 7.0]]), np.ones(2), np.zeros(2))),
        Case("one position alone", (normal(50, 4), GAIN, BIAS)),
        Case("a position whose numbers are all equal", (np.array([[2.0, 2, 2, 2], [1, 2, 3, 4]]), GAIN, BIAS)),
        Case("numbers as close as the root of eps", (np.array([[0.0, 2e-6, 0, 2e-6]]), GAIN, BIAS)),
        Case("numbers near 1e8", (np.array([[1.0, 2, 3, 6]]) + 1e8, GAIN, BIAS)),
        Case("another eps", (normal(52, 3, 4, scale=0.1), GAIN, BIAS), {"eps": 0.01}),
        Case("as many positions as numbers", (normal(53, 4, 4), GAIN, BIAS)),
        Case("leading dimensions (2, 3)", (normal(54, 2, 3, 4) + 5, GAIN, BIAS)),
    ),
    habits=("unchanged x", "unchanged gain", "unchanged bias", "leading x 1"),
    mistakes="""
    - the variance divides by D - 1: Your numbers are a little too small: 3 and 7 should become -1 and 1. A LayerNorm's
      variance is that of the D numbers that are there, not an estimate of that of others.
          x.var( => x.var(ddof=1,
    - eps stands outside the root: Right until the numbers lie close together. To what does the equation add eps?
          np.sqrt(variance + eps) => (np.sqrt(variance) + eps)
    - an eps of its own, whatever is asked for: The argument eps is not used: it is the caller who says which.
          variance + eps => variance + 1e-5
       or variance + eps => variance + 1e-12
    - no eps: Where all numbers are equal you divide 0 by 0. What is eps for?
          variance + eps => variance
    - the mean is not subtracted: Your numbers are not centered. The mean goes first, then the division.
          (x - mean) => x
    - root mean square in place of the standard deviation: That is RMSNorm, of newer models. BERT's LayerNorm is
      centered.
          x.mean(axis=-1, keepdims=True) => 0.0
          x.var(axis=-1, keepdims=True) => (x * x).mean(axis=-1, keepdims=True)
    - mean of the squares minus the squared mean: Equal on paper. But near 1e8 the squares are near 1e16, where float64
      cannot tell neighbors apart, and their difference is noise. Which numbers are safe to square?
          x.var(axis=-1, keepdims=True) => (x * x).mean(axis=-1, keepdims=True) - mean**2
    - divided by the variance: x spread twice as wide comes out half as wide. Which measure of spread has the unit of x?
          np.sqrt(variance + eps) => (variance + eps)
    - normalized along the positions: A position's answer depends on its neighbors: you normalize each of the D places
      over the positions. Along which axis does one position lie?
          x.mean(axis=-1 => x.mean(axis=-2
          x.var(axis=-1 => x.var(axis=-2
       or x.mean(axis=-1 => x.mean(axis=0
          x.var(axis=-1 => x.var(axis=0
       or x.mean(axis=-1 => x.mean(axis=1
          x.var(axis=-1 => x.var(axis=1
    - the axis is not kept: The mean or the variance has lost an axis, so NumPy lines it up with the D numbers and not
      with the positions. Which shape can be subtracted from (..., D)?
          x.mean(axis=-1, keepdims=True) => x.mean(axis=-1)
          x.var(axis=-1, keepdims=True) => x.var(axis=-1)
       or x.mean(axis=-1, keepdims=True) => x.mean(axis=-1)
       or x.var(axis=-1, keepdims=True) => x.var(axis=-1)
    - one mean and variance for everything: You take the mean of the whole array: positions depend on each other.
          x.mean(axis=-1, keepdims=True) => x.mean()
          x.var(axis=-1, keepdims=True) => x.var()
    - the bias is multiplied by the gain: First the gain, then the bias: yours is added too early.
          gain * (x => gain * ((x
          + bias => + bias)
    - a bracket is missing
          (x - mean) => x - mean
    - the squares are those of x: Your spread is measured from 0, not from the mean.
          x.var(axis=-1, keepdims=True) => (x * x).mean(axis=-1, keepdims=True)
    - the squares are summed: Your numbers are too small, and the more so the wider a position. A variance is a mean.
          x.var(axis=-1, keepdims=True) => ((x - mean) ** 2).sum(axis=-1, keepdims=True)
    - a root of the standard deviation is taken: A standard deviation is a root already. What is to be added to eps?
          x.var( => x.std(
    - gain and bias have changed places: Yours are exchanged. The gain multiplies, and the bias is added.
          gain * (x => bias * (x
          + bias => + gain
    - gain or bias is missing: The learned gain and bias have to be applied to the normalized numbers, both of them.
          gain * (x => (x
       or + bias =>
       or gain * (x => (x
          + bias =>
    """,
    hints="""
    - Each position is a row of D numbers with a mean and a variance of its own: along which axis?
    - keepdims=True keeps an axis of length 1, so that the mean can be subtracted from the row it belongs to.
    - x.var divides by D unless told otherwise. Add eps to it, take the root, divide; then gain and bias.
    """,
)

GELU = Exercise(
    id="05.gelu",
    title="GELU, the gentle switch",
    twin="mlm_mini.reference.layers:gelu",
    answers_in=("mlm_mini.reference.layers:normal_distribution",),
    minutes=10,
    cases=(
        Case("zero and one", (np.array([0.0, 1.0]),)),
        Case("from -3 to 3", (np.linspace(-3, 3, 7),)),
        Case("leading dimensions (2, 3)", (normal(62, 2, 3, 4, scale=3),)),
        Case("one number, as an array without axes", (np.array(1.0),)),
        Case("far from zero", (np.array([-1e3, -30.0, 30.0, 1e3]),)),
    ),
    habits=("unchanged x", "leading x 0"),
    mistakes="""
    - the tanh formula: Off by up to five ten-thousandths: that formula was made for machines on which erf is slow.
      BERT's weights were trained with erf.
          erf(x / np.sqrt(2)) => np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))
    - the sigmoid formula: Off by up to 0.02. A sigmoid of 1.702 x is the roughest stand-in for the normal distribution.
          0.5 * (1 + erf(x / np.sqrt(2))) => 1 / (1 + np.exp(-1.702 * x))
    - SiLU: x times its own sigmoid is another activation, SiLU. Which distribution function does GELU multiply with?
          0.5 * (1 + erf(x / np.sqrt(2))) => 1 / (1 + np.exp(-x))
    - ReLU: Cut off at zero, this is ReLU. GELU lets small negative numbers through, a little.
          x * phi => np.maximum(x, 0.0)
    - the distribution function alone: Yours end at 1, GELU goes on like x. What is the probability to be multiplied by?
          x * phi => phi
    - x is not divided by the root of two: Half of 1 + erf is the distribution function of a normal with variance 1/2.
      For a variance of 1, what must x be divided by inside erf?
          x / np.sqrt(2) => x
       or x / np.sqrt(2) => x / 2
       or erf(x / np.sqrt(2)) => erf(x) / np.sqrt(2)
    - x is multiplied by the root of two: Your curve is too steep: half of 1 + erf now belongs to a variance of 1/4. For
      a variance of 1, should x be made larger inside erf, or smaller?
          x / np.sqrt(2) => x * np.sqrt(2)
    - the half is missing: Large numbers come out doubled. 1 + erf runs from 0 to 2; a probability ends at 1.
          0.5 * =>
    - erf in place of the probability: Negative numbers come out positive. erf begins at -1; a probability begins at 0.
          0.5 * (1 + => (
       or 1 + =>
    - the other tail: Large numbers come out as zero. Does GELU take the chance of a number below x, or above?
          1 + erf => 1 - erf
    - a bracket is missing
          (1 + erf(x / np.sqrt(2))) => 1 + erf(x / np.sqrt(2))
       or 0.5 * (1 + erf(x / np.sqrt(2))) => 0.5
          x * phi => x * phi + erf(x / np.sqrt(2))
    - an erf for one number (raises): math.erf takes no arrays; the erf that is imported above does.
          erf(x => math.erf(x
    - the density in place of the probability: This is the height of the bell curve at x. GELU takes the area left of x.
          0.5 * (1 + erf(x / np.sqrt(2))) => np.exp(-x * x / 2) / np.sqrt(2 * np.pi)
    """,
    hints="""
    - GELU is x times a probability: that a standard normal number is below x.
    - That probability is half of 1 + erf(x / sqrt 2); erf is imported from scipy.special, and takes arrays.
    - For x = 1 the probability is 0.8413, so gelu(1) is 0.8413; for large x it is 1.
    """,
    helpers={"math": math},
)

BLOCK = Exercise(
    id="05.block",
    title="An encoder block",
    twin="mlm_mini.reference.transformer:encoder_block",
    minutes=20,
    cases=encoder_cases(73, *BLOCKS),
    habits=ENCODER_HABITS,
    mistakes="""
    - normalized before, not after: That is the pre-norm block of GPT-2 and most newer models: it normalizes what goes
      into each part. BERT normalizes the sum that comes out.
          (x, below => (ref.layer_norm(x, *layer(weights, "attention.output.LayerNorm")), below
          h = ref.layer_norm(x + mixed, *layer(weights, "attention.output.LayerNorm")) => h = x + mixed
          (h, * => (ref.layer_norm(h, *layer(weights, "output.LayerNorm")), *
          return ref.layer_norm(h + outer, *layer(weights, "output.LayerNorm")) => return h + outer
    - normalized before the sum: You normalize what a part adds and then add it; BERT adds first and normalizes the sum.
          ref.layer_norm(x + mixed, => x + ref.layer_norm(mixed,
       or ref.layer_norm(h + outer, => h + ref.layer_norm(outer,
       or ref.layer_norm(x + mixed, => x + ref.layer_norm(mixed,
          ref.layer_norm(h + outer, => h + ref.layer_norm(outer,
    - x is not added to the attention: A position no longer knows what stands there. What does the first sum add?
          x + mixed => mixed
    - h is not added to the feed-forward part: The second half replaces its input. What does the second sum add?
          h + outer => outer
    - x is added in the second sum: You go back to the block's input. What went into the second part?
          h + outer => x + outer
       or h + outer => x + h + outer
    - the feed-forward part reads x, not h: The feed-forward part is to think about what attention found. Is what
      attention found in x, or in h?
          ref.linear(h, => ref.linear(x,
    - the last LayerNorm is missing: Your numbers are not centered at the end. A block has two norms.
          ref.layer_norm(h + outer, *layer(weights, "output.LayerNorm")) => h + outer
    - the first LayerNorm is missing: The sum of x and attention goes on as it is. What comes after each sum?
          ref.layer_norm(x + mixed, *layer(weights, "attention.output.LayerNorm")) => x + mixed
    - the first half alone: This is h. The two linear layers, the second sum and the second LayerNorm are still to come.
          return => return h; return
    - a LayerNorm with the other's gain and bias: Each sum has a LayerNorm of its own, and the names say which.
          "output.LayerNorm" => "attention.output.LayerNorm"
       or "attention.output.LayerNorm" => "output.LayerNorm"
       or "output.LayerNorm" => "attention.output.LayerNorm"
          "attention.output.LayerNorm" => "output.LayerNorm"
    - no activation: Two linear layers in a row are one linear layer. What stands between the two linear layers?
          ref.gelu( => (
    - ReLU in place of GELU: Your activation is that of the first Transformer of 2017. BERT's activation is GELU.
          ref.gelu( => np.maximum(0.0,
    - GELU after the second layer: At the end GELU cuts what may be subtracted. Between which layers does GELU stand?
          ref.gelu( => (
          h + outer => h + ref.gelu(outer)
       or h + outer => h + ref.gelu(outer)
    - the mask is ignored
          H, mask) => H)
    - the mask is turned round
          H, mask) => H, None if mask is None else ~mask)
    - H makes no difference
          H, mask) => 1, mask)
    """,
    hints="""
    - Twice the same pattern: a part, plus what went into it, then LayerNorm.
    - below(weights, 'attention.') is the dict for the first part; ref has multi_head_attention, layer_norm and gelu.
    - The second part is intermediate.dense, GELU, output.dense; its norm is output.LayerNorm.
    """,
    helpers=NUMPY,
)

SQUARE = several(84, 4, 3, 4)
GRADIENT = Exercise(
    id="05.attention-gradient",
    title="The gradient of attention",
    twin="mlm_mini.reference.attention:scaled_dot_product_attention_gradient",
    minutes=30,
    cases=(
        Case("one query, two keys", (ONE, normal(81, 1, 4), TWO_KEYS, TWO_VALUES)),
        Case("as many queries as keys", SQUARE),
        Case("two queries, four keys", (*several(88, 2, 2, 3), *several(90, 2, 4, 3))),
        Case("two sentences, three heads", (normal(92, 2, 3, 5, 4), *HEADS)),
        Case("three sentences of three positions, three numbers each", several(93, 4, 3, 3, 3)),
        Case("an upstream of zeros", (np.zeros((3, 4)), *SQUARE[1:])),
        Case("scores near 0 and in the thousands", (SQUARE[0], FAR_APART * SQUARE[1], 50 * SQUARE[2], SQUARE[3])),
    ),
    habits=("unchanged upstream", "unchanged q", "unchanged k", "unchanged v", "leading upstream 2"),
    mistakes="""
    - the softmax is passed as if it were not there: On the way to the scores the softmax has to be undone: raising one
      weight lowers the others. Which equation leads from dA to dz?
          A * (dA - (A * dA).sum(axis=-1, keepdims=True)) => dA
    - the softmax without what its sum does: A score raises its own weight, and through the sum it lowers all weights of
      its row: the second term of dz is missing.
          (dA - (A * dA).sum(axis=-1, keepdims=True)) => dA
    - the softmax's diagonal alone: A(1 - A) is for a weight and its own score. What do the row's other scores do?
          (dA - (A * dA).sum(axis=-1, keepdims=True)) => (1 - A) * dA
    - the mean is taken over the queries: The sum in dz runs over the keys of one query, the row that the softmax made.
          axis=-1 => axis=-2
       or axis=-1, keepdims=True =>
    - the sum has lost its axis
          , keepdims=True =>
    - another mean is subtracted: What is subtracted in dz is the mean of dA under the attention weights.
          (A * dA).sum => dA.sum
       or (A * dA).sum => dA.mean
       or (A * dA).sum => (A * dA).mean
    - only the first term is weighted: In dz the weight A multiplies the whole bracket, what is subtracted included.
          A * (dA - => (A * dA -
    - the sum is added, not subtracted: What one weight of a row gains the others lose. Which sign says so in dz?
          dA - ( => dA + (
    - the scores are not scaled
          ref.attention_weights(q, k) => ref.softmax(q @ k.mT)
    - no maximum subtracted in the softmax
          ref.attention_weights(q, k) => np.exp(q @ k.mT / k.shape[-1] ** 0.5); A = A / A.sum(-1, keepdims=True)
    - the scale is missing: dq or dk is too large. By what were the scores divided before the softmax?
          / np.sqrt(q.shape[-1]) =>
       or dz.mT @ q => dz.mT @ q * np.sqrt(q.shape[-1])
       or dz @ k => dz @ k * np.sqrt(q.shape[-1])
    - multiplied where it should be divided
          / np.sqrt => * np.sqrt
    - divided by d, not by its root: dq and dk are too small. By what were the scores divided, and how many times?
          np.sqrt(q.shape[-1]) => q.shape[-1]
    - dk without turning dz round: Key s collects from all queries that met it: along which axis of dz?
          dz.mT => dz
    - every axis is turned round
          A.mT => A.T
          dz.mT => dz.T
       or A.mT => A.T
          v.mT => v.T
          dz.mT => dz.T
    - dv without turning the weights round: Value s collects from all queries that read it: along which axis of A?
          A.mT => A
    - every value gets the same gradient: A value that is read more answers for more. Where do the weights come into dv?
          A.mT @ upstream => upstream.sum(axis=-2, keepdims=True) + 0 * v
    - dq and dk have changed places: The queries' gradient is made with the keys. Which shape does each gradient need?
          dz @ k, dz.mT @ q, dv => dz.mT @ q, dz @ k, dv
    - upstream is not used: This is the gradient of the sum of all outputs. Does the loss care for all outputs alike?
          A = ref => upstream = np.ones_like(upstream); A = ref
    - the answers come in reverse order: Three gradients in the wrong order: dq, dk, dv is asked for.
          dz @ k, dz.mT @ q, dv => dv, dz.mT @ q, dz @ k
    """,
    hints="""
    - Write the five equations as five lines, in their order; each is one matrix product or one product by elements.
    - ref.attention_weights(q, k) is A. v.mT is v with its last two axes swapped, whatever stands before them.
    - The sum in dz runs over the keys and keeps their axis. The root of d divides dz, once for both dq and dk.
    """,
)

EXERCISES = (WEIGHTS, PADDING_MASK, CAUSAL_MASK, ATTENTION, CUT_HEADS, MULTI_HEAD, LAYER_NORM, GELU, BLOCK, GRADIENT)
