"""Chapter 05: the encoder by hand, from one attention weight to a whole block and a gradient.

Shapes: B sentences, T positions that ask, S positions that answer, D numbers at a position, H heads of d = D / H,
I numbers inside the feed-forward part; `...` are leading dimensions. Weights are flat dicts with Hugging Face's names.
The wrong answers are written with the plain parts below, not with those of `mlm_mini.reference` that give answers away.
"""

import math

import numpy as np

from mlm_mini import reference as ref
from mlm_mini.course.exercise import Case, Exercise, Mistake
from mlm_mini.reference.layers import below, erf, layer


def normal(seed, *shape, scale=1.0):
    return np.random.default_rng(seed).normal(scale=scale, size=shape)


def softmax(z, axis=-1):
    """Over -inf alone it is 0 / 0, as NumPy has it."""
    powers = np.exp(z - z.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def scaled_scores(q, k):
    return q @ k.mT / math.sqrt(q.shape[-1])


def plain_attention(q, k, v, mask=None):
    """Right where every query may see a key."""
    z = scaled_scores(q, k)
    return softmax(z if mask is None else np.where(mask, z, -np.inf)) @ v


def plain_linear(x, weights, name):
    weight, bias = layer(weights, name)
    return x @ weight.T + bias


# 05.attention-weights


def attention_weights(q, k):
    """Wrapped, because the learner's has no mask yet."""
    return ref.attention_weights(q, k)


def _naive_weights(q, k):
    powers = np.exp(scaled_scores(q, k))
    return powers / powers.sum(-1, keepdims=True)


TWO_KEYS = np.array([[1.0, 0, 0, 0], [0, 1, 0, 0]])
ATTENTION_WEIGHTS = Exercise(
    id="05.attention-weights",
    title="Who looks at whom",
    reference=attention_weights,
    answers_in=(ref.attention_weights, ref.scaled_dot_product_attention),
    minutes=15,
    cases=(
        Case("one query, two keys", (np.array([[2 * np.log(3), 0, 0, 0]]), TWO_KEYS)),
        Case("two queries, three keys", (normal(1, 2, 4), normal(2, 3, 4))),
        Case("as many queries as keys", (normal(3, 3, 5), normal(4, 3, 5))),
        Case("leading dimensions (2, 3)", (normal(5, 2, 3, 4, 6), normal(6, 2, 3, 5, 6))),
        Case("a sentence that looks at itself, two heads", (normal(7, 2, 6, 4), normal(7, 2, 6, 4))),
        Case("scores in the thousands", (normal(8, 3, 4, scale=50), normal(9, 5, 4, scale=50))),
    ),
    mistakes=(
        Mistake(
            "the scores are not scaled",
            "Your weights are too sharp, and the more so the wider the head: the first row should be 3/4 and 1/4. What "
            "keeps the size of a dot product from growing with d?",
            lambda q, k: softmax(q @ k.mT),
            variants=(lambda q, k: np.exp(q @ k.mT) / np.exp(q @ k.mT).sum(-1, keepdims=True),),
        ),
        Mistake(
            "multiplied where it should be divided",
            "Your weights are far too sharp. The root of d is to make scores smaller, not larger.",
            lambda q, k: softmax(q @ k.mT * math.sqrt(q.shape[-1])),
        ),
        Mistake(
            "the weights are divided, not the scores",
            "Your rows do not sum to one: you divide after the softmax. The scale belongs to what goes into it.",
            lambda q, k: softmax(q @ k.mT) / math.sqrt(q.shape[-1]),
        ),
        Mistake(
            "scaled by d, not by its root",
            "Your weights are too even. A sum of d random products grows like the square root of d, so that is what "
            "undoes it.",
            lambda q, k: softmax(q @ k.mT / q.shape[-1]),
        ),
        Mistake(
            "scaled by the length of the sentence",
            "The scale is to depend on the width of a head, not on how long the sentence is. Which axis is d?",
            lambda q, k: softmax(q @ k.mT / math.sqrt(k.shape[-2])),
            variants=(lambda q, k: softmax(q @ k.mT / math.sqrt(q.shape[-2])),),
        ),
        Mistake(
            "axes are counted from the front",
            "Right without leading dimensions. With sentences or heads in front, axis 1 is another one; counted from "
            "the end, d and the keys have the same place whatever comes before them.",
            lambda q, k: softmax(scaled_scores(q, k), axis=1),
            variants=(
                lambda q, k: softmax(q @ k.mT / math.sqrt(q.shape[1])),
                lambda q, k: softmax(q @ k.mT / math.sqrt(q.shape[1]), axis=1),
            ),
        ),
        Mistake(
            "softmax over the queries",
            "Your columns sum to one, and your rows do not: the queries compete for a key. Each query is to spread "
            "its own attention over the keys. Which axis are they?",
            lambda q, k: softmax(scaled_scores(q, k), axis=-2),
        ),
        Mistake(
            "softmax over the whole table",
            "All weights of a head sum to one together. Each query should have a distribution of its own.",
            lambda q, k: softmax(scaled_scores(q, k).reshape(*q.shape[:-2], -1)).reshape(scaled_scores(q, k).shape),
        ),
        Mistake(
            "rows and columns have changed places",
            "Your table has a row for each key. Queries ask, so they are the rows: (..., T, S).",
            lambda q, k: softmax(scaled_scores(k, q)),
        ),
        Mistake(
            "every axis of k is turned round",
            "Right without leading dimensions, but .T reverses all axes, those of sentences and heads included. Only "
            "the last two are to change places.",
            lambda q, k: softmax(q @ k.T / math.sqrt(q.shape[-1])),
        ),
        Mistake(
            "no maximum subtracted in the softmax",
            "Right for small scores, NaN for large ones: exp overflows. Chapter 01 has a softmax that does not.",
            _naive_weights,
        ),
        Mistake(
            "scores, not weights",
            "These numbers are negative as well, and no row sums to one. What turns scores into a distribution?",
            scaled_scores,
        ),
    ),
    hints=(
        "Two steps: a score for every pair of query and key, then a distribution over the keys for each query.",
        "All dot products at once are one matrix product; of k the last two axes have to change places first.",
        "Divide the scores by the square root of the width d, and let ref.softmax run over the last axis.",
    ),
)

# 05.padding-mask and 05.causal-mask

PADDED = np.array([[True, True, True], [True, True, False], [True, False, False]])
PADDING_MASK = Exercise(
    id="05.padding-mask",
    title="Nobody reads padding",
    reference=ref.padding_mask,
    minutes=5,
    cases=(
        Case("one sentence with one place of padding", (np.array([[True, True, False]]),)),
        Case("three sentences", (PADDED,)),
        Case("two sentences, as 1 and 0", (np.array([[1, 1, 1, 1], [1, 1, 0, 0]]),)),
        Case("no padding", (np.ones((2, 2), dtype=bool),)),
        Case("padding alone", (np.array([[1, 1], [0, 0]]),)),
    ),
    mistakes=(
        Mistake(
            "True and False are swapped",
            "You are True at padding. A mask of this course is True where something may be seen.",
            lambda attention_mask: ~attention_mask.astype(bool)[:, None, None, :],
            variants=(lambda attention_mask: ~attention_mask[:, None, None, :],),
        ),
        Mistake(
            "padding may not ask, but may be read",
            "Your mask goes along the queries: padding reads nothing, and everybody else still reads padding. The last "
            "axis of the scores is that of the keys.",
            lambda attention_mask: attention_mask.astype(bool)[:, None, :, None],
        ),
        Mistake(
            "padding may neither ask nor be read",
            "What padding itself reads harms nobody, for nobody reads it. With this mask its rows see nothing at all; "
            "one axis of length 1 serves all queries.",
            lambda attention_mask: (attention_mask[:, None, :, None] * attention_mask[:, None, None, :]).astype(bool),
        ),
        Mistake(
            "no room for heads and queries",
            "(B, T) would be lined up with the last two axes of (B, H, T, T), queries and keys. The sentence axis has "
            "to stay first: which axes are missing in between?",
            lambda attention_mask: attention_mask.astype(bool),
            variants=(lambda attention_mask: attention_mask,),
        ),
        Mistake(
            "a row for every query",
            "The truth values are right, and T times as many as needed: all queries of a sentence see the same keys. "
            "How long must an axis be that NumPy is to stretch?",
            lambda attention_mask: np.repeat(attention_mask.astype(bool)[:, None, None, :], len(attention_mask[0]), -2),
        ),
        Mistake(
            "what is to be added to the scores",
            "0 and a large negative number is the other custom, for masks that are added. Here a mask is True where a "
            "key may be seen.",
            lambda attention_mask: np.where(attention_mask, 0.0, -np.inf)[:, None, None, :],
            variants=tuple(
                lambda attention_mask, low=low: np.where(attention_mask, 0.0, low)[:, None, None, :]
                for low in (-1e9, -1e4)
            ),
        ),
        Mistake(
            "one axis is missing",
            "(B, 1, T) fits scores of one head. With heads, (B, H, T, T), your B would be lined up with H.",
            lambda attention_mask: attention_mask.astype(bool)[:, None, :],
        ),
        Mistake(
            "numbers where truth values are needed",
            "Zeros and ones look like a mask, but ~ turns 1 into -2 and np.where takes them only by luck. Return "
            "booleans.",
            lambda attention_mask: attention_mask[:, None, None, :],
            variants=(lambda attention_mask: attention_mask.astype(np.int64)[:, None, None, :],),
        ),
    ),
    hints=(
        "The scores have the shape (B, H, T, T): sentences, heads, queries, keys. Which two axes does padding concern?",
        "An axis of length 1 is stretched to any length when arrays are combined.",
        "Indexing with None makes an axis of length 1; .astype(bool) makes booleans of 1 and 0.",
    ),
)

CAUSAL_MASK = Exercise(
    id="05.causal-mask",
    title="Nobody reads the future",
    reference=ref.causal_mask,
    minutes=5,
    cases=(
        Case("three positions", (3,)),
        Case("one position", (1,)),
        Case("seven positions", (7,)),
    ),
    mistakes=(
        Mistake(
            "nobody reads the past",
            "Row 0 may see everything and the last row only itself: this is the mask turned round. Which positions are "
            "not later than t?",
            lambda T: np.tri(T, dtype=bool).T,
        ),
        Mistake(
            "True and False are swapped",
            "You mark what may not be seen. A mask of this course is True where something may be seen.",
            lambda T: ~np.tri(T, dtype=bool),
        ),
        Mistake(
            "a position does not see itself",
            "The diagonal is missing: the first position would see nothing at all. Not later than t includes t.",
            lambda T: np.tri(T, k=-1, dtype=bool),
        ),
        Mistake(
            "the next position is still visible",
            "Each row reaches one too far. A causal model is asked for exactly that next word, so it would be told the "
            "answer.",
            lambda T: np.tri(T, k=1, dtype=bool),
        ),
        Mistake(
            "only the position itself is visible",
            "Each row sees itself and nothing before it. The past may be read, all of it.",
            lambda T: np.eye(T, dtype=bool),
        ),
        Mistake(
            "numbers where truth values are needed",
            "Zeros and ones look like a mask, but they are numbers: ~ turns 1 into -2. Return booleans.",
            lambda T: np.tri(T),
            variants=(lambda T: np.tri(T, dtype=np.int64),),
        ),
        Mistake(
            "what is to be added to the scores",
            "0 and a large negative number is the other custom, for masks that are added. Here a mask is True where a "
            "key may be seen.",
            lambda T: np.where(np.tri(T, dtype=bool), 0.0, -np.inf),
            variants=tuple(lambda T, low=low: np.where(np.tri(T, dtype=bool), 0.0, low) for low in (-1e9, -1e4)),
        ),
    ),
    hints=(
        "Write the mask for T = 3 on paper: row t is the query, column s the key, and s may be at most t.",
        "It is a triangle. NumPy can make one, or compare a column of numbers with a row of them.",
        "np.arange(T)[:, None] is the column t, np.arange(T) the row s.",
    ),
)

# 05.attention


def attention(q, k, v, mask=None):
    """Under the shorter name that the chapter has for it."""
    return ref.scaled_dot_product_attention(q, k, v, mask)


def _refused(q, k, v, mask=None):
    z = scaled_scores(q, k)
    return ref.softmax(z if mask is None else np.where(mask, z, -np.inf)) @ v


def with_scores(change):
    """A wrong `attention` in which `change(scores, mask)` takes the place of masking."""
    return lambda q, k, v, mask=None: (
        softmax(scaled_scores(q, k) if mask is None else change(scaled_scores(q, k), mask)) @ v
    )


def _masked_after(q, k, v, mask=None):
    A = softmax(scaled_scores(q, k))
    return (A if mask is None else A * mask) @ v


def made_to_sum_to_one(over):
    """Hidden weights are removed after the softmax, and `over(sum)` divides the others."""

    def attention(q, k, v, mask=None):
        A = softmax(scaled_scores(q, k))
        A = A if mask is None else A * mask
        return A / over(A.sum(-1, keepdims=True)) @ v

    return attention


def indexed_by_mask(hidden):
    """The mask as an index, which is not stretched."""

    def attention(q, k, v, mask=None):
        z = scaled_scores(q, k)
        if mask is not None:
            z[~mask] = hidden
        return softmax(z) @ v

    return attention


def _indexed_and_zeroed(q, k, v, mask=None):
    read = indexed_by_mask(-1e9)(q, k, v, mask)
    return read if mask is None else np.where(mask.any(-1, keepdims=True), read, 0.0)


def _keys_read(q, k, v, mask=None):
    z = scaled_scores(q, k)
    sees = True if mask is None else mask.any(-1, keepdims=True)
    return sees * np.nan_to_num(softmax(z if mask is None else np.where(mask, z, -np.inf))) @ k


def _one_blind_row_blinds_all(q, k, v, mask=None):
    if mask is not None and not mask.any(-1).all():
        return np.zeros((*q.shape[:-1], v.shape[-1]))
    return plain_attention(q, k, v, mask)


TWO_VALUES = np.array([[4.0, 0.0, 1.0, 0.0], [0.0, 8.0, 1.0, 0.0]])
HEADS = (normal(11, 2, 3, 5, 4), normal(12, 2, 3, 5, 4), normal(13, 2, 3, 5, 4))
KEEP = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], dtype=bool)[:, None, None, :]
BLIND_FIRST = np.array([[False, False, False], [True, False, True], [True, True, True]])
ATTENTION = Exercise(
    id="05.attention",
    title="Attention with a mask",
    reference=attention,
    answers_in=(ref.scaled_dot_product_attention, ref.attention_weights),
    minutes=20,
    cases=(
        Case("one query, two keys", (np.array([[2 * np.log(3), 0, 0, 0]]), TWO_KEYS, TWO_VALUES)),
        Case("three queries, four keys, no mask", (normal(14, 3, 4), normal(15, 4, 4), normal(16, 4, 4))),
        Case(
            "the second key hidden", (normal(17, 2, 4), normal(18, 3, 4), normal(19, 3, 4), np.array([1, 0, 1], bool))
        ),
        Case("causal", (*(x[0, 0] for x in HEADS), np.tri(5, dtype=bool))),
        Case("two sentences, three heads, padding", (*HEADS, KEEP)),
        Case("a query that may see nothing", (normal(20, 3, 4), normal(21, 3, 4), normal(22, 3, 4), BLIND_FIRST)),
        Case("a sentence of padding alone", (*HEADS, KEEP & np.array([True, False])[:, None, None, None])),
        Case(
            "large scores, the largest one hidden",
            (np.array([[100.0, 0, 0, 0]]), 100 * TWO_KEYS[::-1], TWO_VALUES, np.array([True, False])),
        ),
    ),
    mistakes=(
        Mistake(
            "the mask is turned round",
            "You read what should be hidden and hide the rest. True means that a key may be seen.",
            with_scores(lambda z, mask: np.where(mask, -np.inf, z)),
            variants=(
                with_scores(lambda z, mask: np.where(mask, -1e9, z)),
                lambda q, k, v, mask=None: _refused(q, k, v, None if mask is None else ~mask),
            ),
        ),
        Mistake(
            "the mask comes after the softmax",
            "The hidden keys are gone, but they have taken their share along: the other weights no longer sum to one. "
            "Chapter 04 had the same question about logits.",
            _masked_after,
        ),
        Mistake(
            "hidden weights are removed, and the rest made to sum to one",
            "Right until a hidden score is far above the others: the softmax gives it everything, and once it is gone "
            "nothing is left to divide. A key that is hidden before the softmax takes nothing.",
            made_to_sum_to_one(lambda total: np.where(total == 0, 1, total)),
            variants=(
                made_to_sum_to_one(lambda total: total),
                *(made_to_sum_to_one(lambda total, eps=eps: total + eps) for eps in (1e-9, 1e-10, 1e-12)),
            ),
        ),
        Mistake(
            "the mask is an index",
            "Right where the mask has the shape of the scores. An index is not stretched as other arrays are, and a "
            "mask may have fewer axes, or axes of length 1. Which function chooses between two arrays, and stretches?",
            _indexed_and_zeroed,
            variants=(indexed_by_mask(-np.inf), indexed_by_mask(-1e9)),
        ),
        Mistake(
            "hidden scores are set to zero",
            "A score of 0 is an ordinary score: exp(0) is 1, so hidden keys are still read. Which score has weight 0?",
            with_scores(lambda z, mask: z * mask),
        ),
        Mistake(
            "the mask is added to the scores",
            "True counts as 1 and False as 0, so the visible keys gain a little and the hidden ones stay. That custom "
            "belongs to masks of 0 and minus infinity.",
            with_scores(lambda z, mask: z + mask),
        ),
        Mistake(
            "a query that sees nothing reads all the same",
            "With a large negative number in place of minus infinity all keys of a blind query are equally far down, "
            "and the softmax lifts them again: it reads every one of them. It should read nothing: zeros.",
            with_scores(lambda z, mask: np.where(mask, z, -1e9)),
            variants=tuple(with_scores(lambda z, mask, low=low: z + np.where(mask, 0, low)) for low in (-1e9, -1e4)),
        ),
        Mistake(
            "a query that sees nothing becomes NaN",
            "Right wherever something can be seen. A row of minus infinities has no distribution, it is 0 / 0; one "
            "such row spoils every later sum. Such a query reads nothing: zeros.",
            plain_attention,
        ),
        Mistake(
            "a query that sees nothing stops the program",
            "Right wherever something can be seen; ref.softmax refuses a row without a candidate. A sentence of "
            "padding is no reason to stop: which rows see nothing, and what should they read?",
            _refused,
        ),
        Mistake(
            "one blind query blinds all",
            "As soon as one query sees nothing, all of your answer is zero. The others should read as always.",
            _one_blind_row_blinds_all,
        ),
        Mistake(
            "the mask is ignored",
            "Right without a mask. With one, hidden keys are read as well.",
            with_scores(lambda z, mask: z),
        ),
        Mistake(
            "the scores are not scaled",
            "The weights are too sharp. Attention weights were built in the first exercise: what is the score divided "
            "by?",
            lambda q, k, v, mask=None: plain_attention(q * math.sqrt(q.shape[-1]), k, v, mask),
        ),
        Mistake(
            "keys are read, not values",
            "The weights are right, but what is averaged with them are the keys. Keys say where to look, values what "
            "is read there.",
            _keys_read,
        ),
    ),
    hints=(
        "Start without the mask: your attention weights, times the values, in one matrix product.",
        "Then hide: before the softmax, a hidden key gets the score whose exponential is zero (np.where does it).",
        (
            "Last the rows in which nothing is visible: find them with mask.any(axis=-1, keepdims=True), let them see "
            "anything so that the softmax has something to do, and set what they read to zero."
        ),
    ),
)

# 05.split-heads


def _split_by_reshape(x, H):
    *leading, T, D = x.shape
    return x.reshape(*leading, H, T, D // H)


def _dealt_out(x, H):
    *leading, T, D = x.shape
    return np.moveaxis(x.reshape(*leading, T, D // H, H), -1, -3)


def _not_moved(x, H):
    *leading, T, D = x.shape
    return x.reshape(*leading, T, H, D // H)


def _one_sentence_axis(x, H):
    B, T, D = x.shape
    return x.reshape(B, T, H, D // H).transpose(0, 2, 1, 3)


def _one_sentence_alone(x, H):
    T, D = x.shape
    return x.reshape(T, H, D // H).transpose(1, 0, 2)


def _wrong_pair(x, H):
    return _not_moved(x, H).swapaxes(-1, -2)


SPLIT_HEADS = Exercise(
    id="05.split-heads",
    title="Several heads side by side",
    reference=ref.split_heads,
    minutes=10,
    cases=(
        Case("two positions of four numbers, two heads", (np.arange(8.0).reshape(2, 4), 2)),
        Case("three positions, one head", (normal(31, 3, 4), 1)),
        Case("as many heads as numbers", (normal(32, 2, 3), 3)),
        Case("two sentences, three heads", (normal(33, 2, 4, 6), 3)),
        Case("as many heads as positions", (normal(34, 1, 3, 6), 3)),
        Case("two leading dimensions", (normal(35, 2, 2, 3, 8), 4)),
    ),
    mistakes=(
        Mistake(
            "positions are mixed",
            "The shape is right, the numbers are not: reshape keeps the order in memory, so a head of yours holds "
            "whole positions instead of a part of every position. First cut each position, then move the axis.",
            _split_by_reshape,
        ),
        Mistake(
            "numbers are dealt out like cards",
            "Head 0 gets every H-th number. It should get the first d numbers of a position: in which order do the two "
            "new axes stand?",
            _dealt_out,
        ),
        Mistake(
            "the heads are cut but not moved",
            "Your shape is (..., T, H, d). A matrix product works on the last two axes, and these have to be positions "
            "and numbers: T and d.",
            _not_moved,
        ),
        Mistake(
            "the wrong two axes change places",
            "Your shape is (..., T, d, H). Which axis should come before T?",
            _wrong_pair,
        ),
        Mistake(
            "axes are counted from the front",
            "Right for one number of axes only: x may be a sentence alone, (T, D), or have leading dimensions. Counted "
            "from the end, the axes have the same place whatever comes before them.",
            _one_sentence_axis,
            variants=(
                _one_sentence_alone,
                lambda x, H: _not_moved(x, H).swapaxes(0, 1),
                lambda x, H: _not_moved(x, H).swapaxes(1, 2),
            ),
        ),
        Mistake(
            "the heads come first of all",
            "Right for a sentence alone. With leading dimensions your heads stand before the sentences; they belong "
            "right before the positions.",
            lambda x, H: np.stack(np.split(x, H, axis=-1)),
        ),
        Mistake(
            "every head gets the whole position",
            "Each head holds all D numbers: that is H times the work. They share the width, d = D / H for each.",
            lambda x, H: np.repeat(x[..., None, :, :], H, axis=-3),
        ),
    ),
    hints=(
        (
            "Two steps: cut every position into H parts of d numbers, then bring the axis of the heads before the "
            "positions."
        ),
        "The cut is a reshape that touches the last axis alone: D becomes H times d.",
        "Then swapaxes, with axes counted from the end, so that leading dimensions do not matter.",
    ),
)

# 05.multi-head


def make_weights(seed, D, inner=None):
    """The weights of the attention part, or with `inner` those of a block: random, so that none may be left out."""
    rng = np.random.default_rng(seed)
    shapes = {f"self.{name}": (D, D) for name in ("query", "key", "value")} | {"output.dense": (D, D)}
    if inner:
        shapes = {f"attention.{name}": shape for name, shape in shapes.items()}
        shapes |= {"intermediate.dense": (inner, D), "output.dense": (D, inner)}
    weights = {}
    for name, (rows, columns) in shapes.items():
        weights[f"{name}.weight"] = rng.normal(scale=1.5 / math.sqrt(columns), size=(rows, columns))
        weights[f"{name}.bias"] = rng.normal(scale=0.3, size=rows)
    for name in ("attention.output.LayerNorm", "output.LayerNorm") if inner else ():
        weights[f"{name}.weight"] = 1 + rng.normal(scale=0.3, size=D)
        weights[f"{name}.bias"] = rng.normal(scale=0.3, size=D)
    return weights


def multi_head(x, weights, H, mask=None, names=("query", "key", "value"), attend=plain_attention, join=None, out=True):
    """Multi-head attention of which any part can be exchanged for a wrong one."""
    q, k, v = (ref.split_heads(plain_linear(x, weights, f"self.{name}"), H) for name in names)
    y = attend(q, k, v, mask)
    y = join(y) if join else ref.join_heads(y)
    return plain_linear(y, weights, "output.dense") if out else y


def _joined_by_reshape(y):
    *leading, H, T, d = y.shape
    return y.reshape(*leading, T, H * d)


def _joined_by_number(y):
    *leading, H, T, d = y.shape
    return np.moveaxis(y, -3, -1).reshape(*leading, T, H * d)


def _scaled_by_the_width(x, weights, H, mask=None):
    return multi_head(x, weights, H, mask, attend=lambda q, k, v, mask: plain_attention(q / math.sqrt(H), k, v, mask))


def _values_not_projected(x, weights, H, mask=None):
    return multi_head(
        x, weights, H, mask, attend=lambda q, k, v, mask: plain_attention(q, k, ref.split_heads(x, H), mask)
    )


def _cut_by_reshape(x, weights, H, mask=None, join=None):
    q, k, v = (_split_by_reshape(plain_linear(x, weights, name), H) for name in SELF)
    y = plain_attention(q, k, v, mask)
    return plain_linear(join(y) if join else ref.join_heads(y), weights, "output.dense")


def without_bias(weights, *names):
    return {name: 0 * array if name in {f"{n}.bias" for n in names} else array for name, array in weights.items()}


def turned(weights, *names):
    return {name: array.T if name in {f"{n}.weight" for n in names} else array for name, array in weights.items()}


SELF = ("self.query", "self.key", "self.value")
FOUR, SIX, EIGHT = make_weights(1, 4), make_weights(2, 6), make_weights(3, 8)
MULTI_HEAD = Exercise(
    id="05.multi-head",
    title="Multi-head attention",
    reference=ref.multi_head_attention,
    minutes=20,
    cases=(
        Case("two positions, one head", (normal(41, 2, 4), FOUR, 1)),
        Case("three positions, two heads", (normal(42, 3, 4), FOUR, 2)),
        Case("two sentences, three heads", (normal(43, 2, 4, 6), SIX, 3)),
        Case("two sentences with padding", (normal(44, 2, 5, 8), EIGHT, 2, KEEP)),
        Case("causal, four heads", (normal(45, 2, 5, 8), EIGHT, 4, np.tri(5, dtype=bool))),
        Case("two leading dimensions", (normal(46, 2, 2, 3, 8), EIGHT, 4)),
    ),
    mistakes=(
        Mistake(
            "heads are joined without moving them back",
            "Right with one head. With more, a plain reshape mixes positions, as it did when the heads were cut. Undo "
            "the two steps of split_heads in the opposite order.",
            lambda x, weights, H, mask=None: multi_head(x, weights, H, mask, join=_joined_by_reshape),
        ),
        Mistake(
            "heads are cut by a plain reshape",
            "Right with one head. With more, a reshape to (..., H, T, d) hands out whole positions: cutting the heads "
            "was the exercise before this one.",
            _cut_by_reshape,
            variants=(lambda x, weights, H, mask=None: _cut_by_reshape(x, weights, H, mask, _joined_by_reshape),),
        ),
        Mistake(
            "heads are joined number by number",
            "The numbers of all heads are at the right position, but interleaved. The first head's d numbers come "
            "first, then the second's.",
            lambda x, weights, H, mask=None: multi_head(x, weights, H, mask, join=_joined_by_number),
        ),
        Mistake(
            "scaled by the width of a position",
            "Right with one head, too even with more: a head's dot product sums d = D / H products, not D.",
            _scaled_by_the_width,
        ),
        Mistake(
            "the heads are not split",
            "All heads are one: H makes no difference to your answer. Each head needs a softmax of its own.",
            lambda x, weights, H, mask=None: multi_head(x, weights, 1, mask),
        ),
        Mistake(
            "the last matrix is missing",
            "You return the heads side by side. output.dense mixes what they found; until then no head knows of the "
            "others.",
            lambda x, weights, H, mask=None: multi_head(x, weights, H, mask, out=False),
        ),
        Mistake(
            "queries and keys have changed places",
            "The scores are those of the transposed table: who asks is asked. Which view of x is which?",
            lambda x, weights, H, mask=None: multi_head(x, weights, H, mask, names=("key", "query", "value")),
        ),
        Mistake(
            "something else is read than the values",
            "The weights are right, but they do not average the values. Those are a view of x of their own, through "
            "self.value.",
            _values_not_projected,
            variants=(
                lambda x, weights, H, mask=None: multi_head(x, weights, H, mask, names=("query", "key", "key")),
                lambda x, weights, H, mask=None: multi_head(x, weights, H, mask, names=("query", "key", "query")),
            ),
        ),
        Mistake(
            "matrices are not transposed",
            "A weight of shape (E, D) takes D numbers to E: its rows belong to the outputs. With x in front, as in "
            "x @ W, it has to be turned; ref.linear knows.",
            lambda x, weights, H, mask=None: multi_head(x, turned(weights, *SELF, "output.dense"), H, mask),
            variants=tuple(
                lambda x, weights, H, mask=None, names=names: multi_head(x, turned(weights, *names), H, mask)
                for names in (SELF, ("output.dense",))
            ),
        ),
        Mistake(
            "biases are missing",
            "The matrices are used, but not all of their biases. Each of the four layers has both.",
            lambda x, weights, H, mask=None: multi_head(x, without_bias(weights, *SELF, "output.dense"), H, mask),
            variants=tuple(
                lambda x, weights, H, mask=None, names=names: multi_head(x, without_bias(weights, *names), H, mask)
                for names in (SELF, ("output.dense",))
            ),
        ),
        Mistake(
            "the mask is ignored",
            "Right without a mask. With one, it has to reach the attention inside.",
            lambda x, weights, H, mask=None: multi_head(x, weights, H),
        ),
    ),
    hints=(
        "Five steps: three views of x, cut each into heads, attend, join the heads, one last linear layer.",
        (
            "ref.linear(x, *layer(weights, 'self.query')) is the first view; ref.split_heads cuts it, and "
            "ref.scaled_dot_product_attention works on all heads at once."
        ),
        (
            "Joining is split_heads backward: the axis of the heads goes back behind the positions, then the last two "
            "axes become one. ref.join_heads does both."
        ),
    ),
)

# 05.layer-norm


def moments(x, axis=-1):
    return x.mean(axis, keepdims=True), x.var(axis, keepdims=True)


def _normed_over(axis):
    def layer_norm(x, gain, bias, eps=1e-12):
        mean, var = moments(x, axis)
        return gain * (x - mean) / np.sqrt(var + eps) + bias

    return layer_norm


def _unbiased(x, gain, bias, eps=1e-12):
    return gain * (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True, ddof=1) + eps) + bias


def _eps_outside(x, gain, bias, eps=1e-12):
    mean, var = moments(x)
    return gain * (x - mean) / (np.sqrt(var) + eps) + bias


def _own_eps(x, gain, bias, eps=1e-12):
    return _normed_over(-1)(x, gain, bias, 1e-5)


def _no_eps(x, gain, bias, eps=1e-12):
    return _normed_over(-1)(x, gain, bias, 0.0)


def _not_centered(x, gain, bias, eps=1e-12):
    return gain * x / np.sqrt(x.var(-1, keepdims=True) + eps) + bias


def _mean_square(x, gain, bias, eps=1e-12):
    return gain * x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) + bias


def _by_variance(x, gain, bias, eps=1e-12):
    mean, var = moments(x)
    return gain * (x - mean) / (var + eps) + bias


def normed_without_axis(centered):
    """The variance, and unless `centered` the mean too, have lost the axis along which they were taken."""

    def layer_norm(x, gain, bias, eps=1e-12):
        return gain * (x - x.mean(-1, keepdims=centered)) / np.sqrt(x.var(-1) + eps) + bias

    return layer_norm


def _sample_deviation(x, gain, bias, eps=1e-12):
    return gain * (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True, ddof=1) + bias


def _bias_inside(x, gain, bias, eps=1e-12):
    mean, var = moments(x)
    return gain * ((x - mean) / np.sqrt(var + eps) + bias)


def _no_gain(x, gain, bias, eps=1e-12):
    return _normed_over(-1)(x, 1.0, 0.0, eps)


GAIN4, BIAS4 = np.array([1.0, 2.0, 0.5, -1.0]), np.array([0.0, 1.0, -1.0, 3.0])
LAYER_NORM = Exercise(
    id="05.layer-norm",
    title="Layer normalization",
    reference=ref.layer_norm,
    minutes=10,
    cases=(
        Case("two numbers, gain 1 and bias 0", (np.array([[3.0, 7.0]]), np.ones(2), np.zeros(2))),
        Case("two positions of four numbers", (normal(51, 2, 4), GAIN4, BIAS4)),
        Case("a position whose numbers are all equal", (np.array([[2.0, 2, 2, 2], [1, 2, 3, 4]]), GAIN4, BIAS4)),
        Case("numbers as close as the root of eps", (np.array([[0.0, 2e-6, 0, 2e-6]]), GAIN4, BIAS4)),
        Case("another eps", (normal(52, 3, 4, scale=0.1), GAIN4, BIAS4), {"eps": 0.01}),
        Case("as many positions as numbers", (normal(53, 4, 4), GAIN4, BIAS4)),
        Case("leading dimensions (2, 3)", (normal(54, 2, 3, 4) + 5, GAIN4, BIAS4)),
    ),
    mistakes=(
        Mistake(
            "the variance divides by D - 1",
            "Your numbers are a little too small: 3 and 7 should become -1 and 1. This variance describes the D "
            "numbers that are there; it does not estimate that of others.",
            _unbiased,
            variants=(_sample_deviation,),
        ),
        Mistake(
            "eps stands outside the root",
            "Right until the numbers lie close together. The equation adds eps to the variance, before the root.",
            _eps_outside,
        ),
        Mistake(
            "an eps of its own, whatever is asked for",
            "The argument eps is not used. BERT's is 1e-12 and PyTorch's custom 1e-5; which one it is to be, the "
            "caller says.",
            _own_eps,
            variants=(lambda x, gain, bias, eps=1e-12: _normed_over(-1)(x, gain, bias),),
        ),
        Mistake(
            "no eps",
            "Where all numbers are equal you divide 0 by 0. What is eps for?",
            _no_eps,
        ),
        Mistake(
            "the mean is not subtracted",
            "The spread is right, but the numbers are not centered. The mean goes first, then the division.",
            _not_centered,
        ),
        Mistake(
            "root mean square in place of the standard deviation",
            "That is RMSNorm, which many newer models use: nothing is centered. BERT's subtracts the mean.",
            _mean_square,
        ),
        Mistake(
            "divided by the variance",
            "A position that is spread twice as wide should come out the same; yours comes out half as wide. Which "
            "measure of spread has the unit of x itself?",
            _by_variance,
        ),
        Mistake(
            "normalized along the positions",
            "Each of the D places is normalized over the positions, so a position's answer depends on its neighbors. "
            "Each position has its own mean and variance: which axis is it to be?",
            _normed_over(-2),
            variants=(_normed_over(0), _normed_over(1)),
        ),
        Mistake(
            "the axis is not kept",
            "The mean or the variance has lost an axis, so NumPy lines it up with the D numbers and not with the "
            "positions. Which shape is to be subtracted from (..., D)?",
            normed_without_axis(centered=False),
            variants=(normed_without_axis(centered=True),),
        ),
        Mistake(
            "one mean and variance for everything",
            "You take the mean of the whole array. Each position is to be normalized by itself, along the last axis.",
            _normed_over(None),
        ),
        Mistake(
            "the bias is multiplied by the gain",
            "First the gain, then the bias: yours is added too early.",
            _bias_inside,
        ),
        Mistake(
            "gain or bias is missing",
            "The normalized numbers are right. The learned gain and bias still have to be applied, both of them.",
            _no_gain,
            variants=(
                lambda x, gain, bias, eps=1e-12: _normed_over(-1)(x, gain, 0.0, eps),
                lambda x, gain, bias, eps=1e-12: _normed_over(-1)(x, 1.0, bias, eps),
            ),
        ),
    ),
    hints=(
        "Each position is a row of D numbers with a mean and a variance of its own: along which axis?",
        "keepdims=True keeps an axis of length 1, so that the mean can be subtracted from the row it belongs to.",
        "x.var divides by D unless told otherwise. Add eps to it, take the root, divide; then gain and bias.",
    ),
)

# 05.gelu


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


GELU = Exercise(
    id="05.gelu",
    title="GELU, the gentle switch",
    reference=ref.gelu,
    minutes=10,
    cases=(
        Case("zero and one", (np.array([0.0, 1.0]),)),
        Case("from -3 to 3", (np.linspace(-3, 3, 7),)),
        Case("a table of numbers", (normal(61, 3, 4),)),
        Case("leading dimensions (2, 3)", (normal(62, 2, 3, 4, scale=3),)),
        Case("far from zero", (np.array([-1e3, -30.0, 30.0, 1e3]),)),
    ),
    mistakes=(
        Mistake(
            "the tanh formula",
            "Nearly right: up to five ten-thousandths off. That formula was made for machines on which erf is slow; "
            "BERT's weights were trained with erf.",
            lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
        ),
        Mistake(
            "the sigmoid formula",
            "Close, but up to 0.02 off: x times a sigmoid of 1.702 x is the roughest stand-in for GELU. Use the normal "
            "distribution itself.",
            lambda x: x * sigmoid(1.702 * x),
        ),
        Mistake(
            "SiLU",
            "x times its own sigmoid is another activation, SiLU, of the same shape but flatter. Which distribution "
            "function does GELU multiply with?",
            lambda x: x * sigmoid(x),
        ),
        Mistake(
            "ReLU",
            "Cut off at zero, this is ReLU. GELU lets small negative numbers through, a little.",
            lambda x: np.maximum(x, 0.0),
        ),
        Mistake(
            "the distribution function alone",
            "These are the probabilities by which x is to be multiplied: yours end at 1, GELU goes on like x.",
            lambda x: 0.5 * (1 + erf(x / math.sqrt(2))),
        ),
        Mistake(
            "the root of two is missing",
            "erf is the distribution function of a normal with variance 1/2. To make it that of variance 1, what must "
            "x be divided by?",
            lambda x: 0.5 * x * (1 + erf(x)),
            variants=(lambda x: 0.5 * x * (1 + erf(x / 2)),),
        ),
        Mistake(
            "twice as much",
            "Large numbers come out doubled. 1 + erf runs from 0 to 2; a probability ends at 1.",
            lambda x: x * (1 + erf(x / math.sqrt(2))),
        ),
        Mistake(
            "erf in place of the probability",
            "Negative numbers come out positive. erf runs from -1 to 1; what makes a probability of it, from 0 to 1?",
            lambda x: x * erf(x / math.sqrt(2)),
            variants=(lambda x: 0.5 * x * erf(x / math.sqrt(2)),),
        ),
        Mistake(
            "the density in place of the probability",
            "Large numbers come out as zero: you multiply with the height of the bell curve at x. GELU takes the area "
            "to the left of x.",
            lambda x: x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi),
        ),
    ),
    hints=(
        "GELU is x times a probability: that a standard normal number is below x.",
        "That probability is half of 1 + erf(x / sqrt 2); erf is imported from scipy.special, and takes arrays.",
        "For x = 1 the probability is 0.8413, so gelu(1) is 0.8413; for large x it is 1.",
    ),
)

# 05.block


def feed_forward(h, weights, activation=ref.gelu):
    return plain_linear(activation(plain_linear(h, weights, "intermediate.dense")), weights, "output.dense")


def norm(x, weights, name, eps=1e-12):
    return _normed_over(-1)(x, *layer(weights, name), eps)


FIRST, LAST = "attention.output.LayerNorm", "output.LayerNorm"


def attended(x, weights, H, mask=None):
    return multi_head(x, below(weights, "attention."), H, mask)


def block(first_residual=True, second_residual=True, activation=ref.gelu, norms=(FIRST, LAST), masked=True):
    """An encoder block of which one thing is wrong."""

    def encoder_block(x, weights, H, mask=None):
        h = norm(first_residual * x + attended(x, weights, H, mask if masked else None), weights, norms[0])
        return norm(second_residual * h + feed_forward(h, weights, activation), weights, norms[1])

    return encoder_block


def _pre_norm(x, weights, H, mask=None):
    h = x + attended(norm(x, weights, FIRST), weights, H, mask)
    return h + feed_forward(norm(h, weights, LAST), weights)


def _residual_from_the_start(x, weights, H, mask=None):
    h = norm(x + attended(x, weights, H, mask), weights, FIRST)
    return norm(x + feed_forward(h, weights), weights, LAST)


def _norm_before_sum(x, weights, H, mask=None):
    h = x + norm(attended(x, weights, H, mask), weights, FIRST)
    return h + norm(feed_forward(h, weights), weights, LAST)


def _no_last_norm(x, weights, H, mask=None):
    h = norm(x + attended(x, weights, H, mask), weights, FIRST)
    return h + feed_forward(h, weights)


def _no_first_norm(x, weights, H, mask=None):
    h = x + attended(x, weights, H, mask)
    return norm(h + feed_forward(h, weights), weights, LAST)


def _no_norm(x, weights, H, mask=None):
    h = x + attended(x, weights, H, mask)
    return h + feed_forward(h, weights)


def _first_half(x, weights, H, mask=None):
    return norm(x + attended(x, weights, H, mask), weights, FIRST)


def _activation_last(x, weights, H, mask=None):
    h = norm(x + attended(x, weights, H, mask), weights, FIRST)
    inner = plain_linear(plain_linear(h, weights, "intermediate.dense"), weights, "output.dense")
    return norm(h + ref.gelu(inner), weights, LAST)


def _side_by_side(x, weights, H, mask=None):
    h = norm(x + attended(x, weights, H, mask), weights, FIRST)
    return norm(h + feed_forward(x, weights), weights, LAST)


SMALL_BLOCK, BLOCK = make_weights(4, 4, inner=6), make_weights(5, 8, inner=16)
ENCODER_BLOCK = Exercise(
    id="05.block",
    title="An encoder block",
    reference=ref.encoder_block,
    minutes=20,
    cases=(
        Case("one position, one head", (normal(71, 1, 4), SMALL_BLOCK, 1)),
        Case("three positions, two heads", (normal(72, 3, 4), SMALL_BLOCK, 2)),
        Case("two sentences, four heads", (normal(73, 2, 5, 8), BLOCK, 4)),
        Case("two sentences with padding", (normal(74, 2, 5, 8), BLOCK, 2, KEEP)),
        Case("causal", (normal(75, 5, 8), BLOCK, 2, np.tri(5, dtype=bool))),
    ),
    mistakes=(
        Mistake(
            "normalized before, not after",
            "That is the pre-norm block of GPT-2 and most newer models: it normalizes what goes into each part. BERT "
            "normalizes the sum that comes out. Weights trained for one do not fit the other.",
            _pre_norm,
        ),
        Mistake(
            "normalized before the sum",
            "You normalize what a part adds and then add it; BERT adds first and normalizes the sum.",
            _norm_before_sum,
        ),
        Mistake(
            "x is not added to the attention",
            "After the first half a position knows only what it has read, and no longer what stands there. What is "
            "missing in the first sum?",
            block(first_residual=False),
        ),
        Mistake(
            "h is not added to the feed-forward part",
            "The second half replaces its input where it should add to it. What is missing in the second sum?",
            block(second_residual=False),
        ),
        Mistake(
            "the second sum adds x, not h",
            "In the second sum you go back to the block's input, past the attention. What goes round each part is what "
            "goes into it.",
            _residual_from_the_start,
        ),
        Mistake(
            "the feed-forward part reads x, not h",
            "The sum is right, but the feed-forward part is given the block's input: it should think about what the "
            "attention found.",
            _side_by_side,
        ),
        Mistake(
            "the last LayerNorm is missing",
            "Your numbers are not centered at the end. A block has two norms, one after each sum.",
            _no_last_norm,
            variants=(_no_norm,),
        ),
        Mistake(
            "the first LayerNorm is missing",
            "The sum of x and what the attention found goes on as it is. A block has two norms, one after each sum.",
            _no_first_norm,
        ),
        Mistake(
            "the first half alone",
            "This is h. The two linear layers, the second sum and the second LayerNorm are still to come.",
            _first_half,
        ),
        Mistake(
            "a LayerNorm with the other's gain and bias",
            "Each sum has a LayerNorm of its own. Look at the two names: which of them belongs to the attention?",
            block(norms=(FIRST, FIRST)),
            variants=(block(norms=(LAST, FIRST)), block(norms=(LAST, LAST))),
        ),
        Mistake(
            "nothing is added to what went in",
            "Each half replaces its input where it should add to it. What runs around each of the two parts?",
            block(first_residual=False, second_residual=False),
        ),
        Mistake(
            "no activation",
            "Two linear layers in a row are one linear layer. What stands between them?",
            block(activation=lambda x: x),
        ),
        Mistake(
            "ReLU in place of GELU",
            "The structure is right, the activation is that of the first Transformer of 2017. BERT's is GELU.",
            block(activation=lambda x: np.maximum(x, 0.0)),
        ),
        Mistake(
            "GELU after the second layer",
            "The activation comes last, where it cuts what may be subtracted. It belongs between the two layers, at "
            "the wide place.",
            _activation_last,
        ),
        Mistake(
            "the mask is ignored",
            "Right without a mask. With one, it has to be handed on to the attention.",
            block(masked=False),
        ),
    ),
    hints=(
        (
            "Twice the same pattern: a part, plus what went into it, then LayerNorm. The parts are attention and the "
            "two linear layers with GELU between them."
        ),
        (
            "below(weights, 'attention.') is the dict for the first part; ref has multi_head_attention, layer_norm, "
            "linear and gelu, all of which you have built or been given."
        ),
        (
            "The norms are called attention.output.LayerNorm and output.LayerNorm; the layers of the second part "
            "intermediate.dense, then output.dense."
        ),
    ),
)

# 05.attention-gradient


def attention_gradient(upstream, q, k, v):
    """Wrapped, because the learner's has no mask."""
    return ref.scaled_dot_product_attention_gradient(upstream, q, k, v)


def gradient_with(dz_of=None, scale=True):
    """A wrong gradient with `dz_of(A, dA)` in place of the softmax's, or without the scale."""

    def attention_gradient(upstream, q, k, v):
        A = softmax(scaled_scores(q, k))
        dA = upstream @ v.mT
        dz = dz_of(A, dA) if dz_of else A * (dA - (A * dA).sum(-1, keepdims=True))
        dz = dz / math.sqrt(q.shape[-1]) if scale else dz
        return dz @ k, dz.mT @ q, A.mT @ upstream

    return attention_gradient


def _dv_not_transposed(upstream, q, k, v):
    dq, dk, _ = gradient_with()(upstream, q, k, v)
    return dq, dk, softmax(scaled_scores(q, k)) @ upstream


def _dv_all_alike(upstream, q, k, v):
    dq, dk, _ = gradient_with()(upstream, q, k, v)
    return dq, dk, np.broadcast_to(upstream.sum(-2, keepdims=True), v.shape).copy()


def _dk_not_turned(upstream, q, k, v):
    A = softmax(scaled_scores(q, k))
    dA = upstream @ v.mT
    dz = A * (dA - (A * dA).sum(-1, keepdims=True)) / math.sqrt(q.shape[-1])
    return dz @ k, dz @ q, A.mT @ upstream


def _every_axis_turned(upstream, q, k, v):
    A = softmax(scaled_scores(q, k))
    dA = upstream @ v.mT
    dz = A * (dA - (A * dA).sum(-1, keepdims=True)) / math.sqrt(q.shape[-1])
    return dz @ k, dz.T @ q, A.T @ upstream


def _v_turned_too(upstream, q, k, v):
    A = softmax(scaled_scores(q, k))
    dA = upstream @ v.T
    dz = A * (dA - (A * dA).sum(-1, keepdims=True)) / math.sqrt(q.shape[-1])
    return dz @ k, dz.T @ q, A.T @ upstream


def _scaled_by_the_width_itself(upstream, q, k, v):
    dq, dk, dv = gradient_with()(upstream, q, k, v)
    return dq / math.sqrt(q.shape[-1]), dk / math.sqrt(q.shape[-1]), dv


def _dk_not_scaled(upstream, q, k, v):
    dq, dk, dv = gradient_with()(upstream, q, k, v)
    return dq, dk * math.sqrt(q.shape[-1]), dv


def _q_and_k_swapped(upstream, q, k, v):
    dq, dk, dv = gradient_with()(upstream, q, k, v)
    return dk, dq, dv


def _upstream_forgotten(upstream, q, k, v):
    return gradient_with()(np.ones_like(upstream), q, k, v)


def _in_reverse(upstream, q, k, v):
    return gradient_with()(upstream, q, k, v)[::-1]


SQUARE = tuple(normal(seed, 3, 4) for seed in (84, 85, 86, 87))
ATTENTION_GRADIENT = Exercise(
    id="05.attention-gradient",
    title="The gradient of attention",
    reference=attention_gradient,
    answers_in=(ref.scaled_dot_product_attention_gradient,),
    minutes=30,
    cases=(
        Case("one query, two keys", (np.array([[1.0, 0, 0, 0]]), normal(81, 1, 4), TWO_KEYS, TWO_VALUES)),
        Case("as many queries as keys", SQUARE),
        Case("two queries, four keys", (normal(88, 2, 3), normal(89, 2, 3), normal(90, 4, 3), normal(91, 4, 3))),
        Case("two sentences, three heads", (normal(92, 2, 3, 5, 4), *HEADS)),
        Case("an upstream of zeros", (np.zeros((3, 4)), *SQUARE[1:])),
    ),
    mistakes=(
        Mistake(
            "the softmax is passed as if it were not there",
            "dv is right. On the way to the scores the softmax has to be undone: raising one weight lowers the others. "
            "Which equation says so?",
            gradient_with(lambda A, dA: dA),
        ),
        Mistake(
            "the softmax without what its sum does",
            "dv is right. A score raises its own weight, and through the sum it lowers all weights of its row: the "
            "second term of dz is missing.",
            gradient_with(lambda A, dA: A * dA),
        ),
        Mistake(
            "the softmax's diagonal alone",
            "dv is right. A(1 - A) is how a weight depends on its own score; each weight depends on the other scores "
            "of its row as well.",
            gradient_with(lambda A, dA: A * (1 - A) * dA),
        ),
        Mistake(
            "the mean is taken over the queries",
            "dv is right. The sum in dz runs over the keys of one query, the row that the softmax made.",
            gradient_with(lambda A, dA: A * (dA - (A * dA).sum(-2, keepdims=True))),
            variants=(gradient_with(lambda A, dA: A * (dA - (A * dA).sum())),),
        ),
        Mistake(
            "the sum has lost its axis",
            "dv is right. The sum over the keys is one number for each query, to be subtracted from that query's row: "
            "without an axis for the keys NumPy lines it up with the columns.",
            gradient_with(lambda A, dA: A * (dA - (A * dA).sum(-1))),
        ),
        Mistake(
            "the sum is not weighted",
            "dv is right. What is subtracted in dz is the mean of dA under the attention weights, not a plain sum or "
            "mean.",
            gradient_with(lambda A, dA: A * (dA - dA.sum(-1, keepdims=True))),
            variants=(gradient_with(lambda A, dA: A * (dA - dA.mean(-1, keepdims=True))),),
        ),
        Mistake(
            "only the first term is weighted",
            "dv is right. In dz the weight A multiplies the whole bracket, what is subtracted included.",
            gradient_with(lambda A, dA: A * dA - (A * dA).sum(-1, keepdims=True)),
        ),
        Mistake(
            "the sum is added, not subtracted",
            "dv is right. Weights of a row sum to one, so what one of them gains the others lose: look at the sign.",
            gradient_with(lambda A, dA: A * (dA + (A * dA).sum(-1, keepdims=True))),
        ),
        Mistake(
            "the scale is missing",
            "dq or dk is too large by the square root of d. The scores were divided by it; so is their gradient.",
            gradient_with(scale=False),
            variants=(_dk_not_scaled,),
        ),
        Mistake(
            "divided by d, not by its root",
            "dq and dk are too small by the square root of d. The scores were divided by the root, once; so is their "
            "gradient.",
            _scaled_by_the_width_itself,
        ),
        Mistake(
            "dk without turning dz round",
            "dq and dv are right. The gradient by key s collects from all queries t that met it: the sum runs over the "
            "rows of dz, so dz is transposed.",
            _dk_not_turned,
        ),
        Mistake(
            "every axis is turned round",
            "Right for one sentence alone, but .T reverses all axes, those of sentences and heads included. Only the "
            "last two are to change places.",
            _every_axis_turned,
            variants=(_v_turned_too,),
        ),
        Mistake(
            "dv without turning the weights round",
            "The gradient by value s collects from all queries t that read it: the sum runs over the rows of A, so A "
            "is transposed.",
            _dv_not_transposed,
        ),
        Mistake(
            "every value gets the same gradient",
            "dq and dk are right. A value that is read more has more to answer for: where do the weights come in?",
            _dv_all_alike,
        ),
        Mistake(
            "dq and dk have changed places",
            "The gradient by the queries is made with the keys, and the other way round: look at the shapes where "
            "there are more keys than queries.",
            _q_and_k_swapped,
        ),
        Mistake(
            "upstream is not used",
            "You return the gradient of the sum of all outputs. upstream says how much the loss cares about each of "
            "them; where it is zero, all gradients are.",
            _upstream_forgotten,
        ),
        Mistake(
            "the answers come in reverse order",
            "The three gradients are right and in the wrong order: dq, dk, dv is asked for.",
            _in_reverse,
        ),
    ),
    hints=(
        (
            "Write the five equations as five lines, in their order; each is one matrix product or one product by "
            "elements."
        ),
        "ref.attention_weights(q, k) is A. v.mT is v with its last two axes swapped, whatever stands before them.",
        (
            "The sum in dz runs over the keys, the last axis, and keeps that axis so that it can be subtracted; dz is "
            "then divided by the square root of d, once for both dq and dk."
        ),
    ),
)

EXERCISES = (
    ATTENTION_WEIGHTS,
    PADDING_MASK,
    CAUSAL_MASK,
    ATTENTION,
    SPLIT_HEADS,
    MULTI_HEAD,
    LAYER_NORM,
    GELU,
    ENCODER_BLOCK,
    ATTENTION_GRADIENT,
)
