"""Chapter 06: the parts of the encoder in PyTorch, and what they cost.

Shapes: B sentences, T positions, k predicted positions per sentence, D numbers at a position, H heads, I numbers inside
the feed-forward part, V tokens, L blocks, P positions that have an embedding.

Cases hold arrays. A learner's function gets tensors that share their memory, and what is compared is its answer as an
array together with the gradient of every argument of real numbers: a right number that has lost its graph would train
nothing.
"""

import importlib
import inspect

import numpy as np

from mlm_mini.course.compare import type_name
from mlm_mini.course.exercise import Case, Exercise, Mistake
from mlm_mini.reference import IGNORE_INDEX


class Later:
    """A module that is imported when it is first used: `progress` reads this file, and should not wait for PyTorch."""

    def __init__(self, name):
        self.name = name

    def __getattr__(self, attribute):
        return getattr(importlib.import_module(self.name), attribute)


torch, F = Later("torch"), Later("torch.nn.functional")


def normal(seed, *shape, scale=1.0):
    return np.random.default_rng(seed).normal(scale=scale, size=shape)


def integers(seed, high, *shape):
    return np.random.default_rng(seed).integers(0, high, size=shape)


def with_gradients(reference):
    """How to observe a function of tensors with the arguments of `reference`: its answer, and gradients by name."""
    names = list(inspect.signature(reference).parameters)

    def observe(function, *args):
        inputs = [torch.from_numpy(a) if isinstance(a, np.ndarray) else a for a in args]
        learned = {}
        for name, x in zip(names, inputs, strict=False):
            if isinstance(x, torch.Tensor) and x.is_floating_point():
                learned[name] = x.requires_grad_()
        answer = function(*inputs)
        if not isinstance(answer, torch.Tensor):
            raise TypeError(f"the answer must be a torch.Tensor; it is a {type_name(answer)}")
        if answer.requires_grad:
            torch.autograd.backward(answer, upstream_like(answer))
        seen = {"answer": answer.detach().cpu().numpy(), "a gradient can flow": answer.requires_grad}
        for name, x in learned.items():
            seen[f"gradient by {name}"] = (torch.zeros_like(x) if x.grad is None else x.grad).cpu().numpy()
        return seen

    return observe


def upstream_like(answer):
    """A different number for every place, so that no two of them can be exchanged unnoticed; 1 for a single number."""
    steps = torch.arange(answer.numel(), dtype=answer.dtype, device=answer.device)
    return torch.cos(0.7 * steps).reshape(answer.shape)


# 06.embeddings


def embed(ids, token_type_ids, words, positions, types, gain, bias):
    segment = types[0] if token_type_ids is None else types[token_type_ids]
    return normed(words[ids] + positions[: ids.shape[1]] + segment, gain, bias)


def normed(x, gain, bias, eps=1e-12):
    return F.layer_norm(x, gain.shape, gain, bias, eps)


def embedded(word=1, position=None, segment=None, norm=normed):
    """A wrong `embed`: `position(ids, positions)` or `segment(token_type_ids, types)` stands for the right one."""

    def embed(ids, token_type_ids, words, positions, types, gain, bias):
        x = words[ids] * word + (position or right_position)(ids, positions)
        return norm(x + (segment or right_segment)(token_type_ids, types), gain, bias)

    return embed


def right_position(ids, positions):
    return positions[: ids.shape[1]]


def right_segment(token_type_ids, types):
    return types[0] if token_type_ids is None else types[token_type_ids]


def _normed_by_sample_variance(x, gain, bias):
    return gain * (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True) + 1e-12).sqrt() + bias


def _one_table_detached(which):
    def embed(ids, token_type_ids, *tables):
        return embedded()(ids, token_type_ids, *(t.detach() if i == which else t for i, t in enumerate(tables)))

    return embed


def _detached_embed(*args):
    return embedded()(*args).detach()


def tables(seed, V, P, D):
    """words (V, D), positions (P, D), types (2, D), gain and bias (D,)."""
    words, positions, types = (normal(seed + i, n, D) for i, n in enumerate((V, P, 2)))
    return words, positions, types, 1 + normal(seed + 3, D, scale=0.3), normal(seed + 4, D, scale=0.3)


EMBEDDINGS = Exercise(
    id="06.embeddings",
    title="Word, place and segment",
    reference=embed,
    observe=with_gradients(embed),
    minutes=15,
    cases=(
        Case("one sentence of two words", (np.array([[3, 1]]), None, *tables(1, 5, 6, 4))),
        Case("a word that comes twice", (np.array([[2, 4, 2]]), None, *tables(11, 5, 6, 4))),
        Case("two segments", (np.array([[1, 2, 3, 4]]), np.array([[0, 0, 1, 1]]), *tables(21, 5, 6, 4))),
        Case("three sentences", (integers(31, 9, 3, 5), None, *tables(32, 9, 10, 6))),
        Case("three sentences of two segments", (integers(41, 9, 3, 5), integers(42, 2, 3, 5), *tables(43, 9, 10, 6))),
        Case("as many sentences as positions", (integers(51, 9, 4, 4), None, *tables(52, 9, 10, 4))),
    ),
    mistakes=(
        Mistake(
            "without segment ids no segment is added",
            "Right where segment ids are given. Without them every token is of segment 0, and BERT adds the vector of "
            "segment 0 all the same: it was there at every step of the training.",
            embedded(segment=lambda ids, types: 0.0 if ids is None else types[ids]),
        ),
        Mistake(
            "no segments",
            "Word and place are there. The third vector, that of the segment, is added always: without segment ids it "
            "is that of segment 0.",
            embedded(segment=lambda ids, types: 0.0),
        ),
        Mistake(
            "the variance divides by D - 1",
            "Your numbers are a little too small. PyTorch's var divides by D - 1 unless told otherwise, NumPy's by D; "
            "a LayerNorm divides by D.",
            embedded(norm=_normed_by_sample_variance),
        ),
        Mistake(
            "positions are counted along the sentences",
            "Every token of a sentence gets the same place: the number of its sentence. Which axis of ids is T?",
            embedded(position=lambda ids, positions: positions[torch.arange(len(ids))[:, None]]),
            variants=(embedded(position=lambda ids, positions: positions[: len(ids)]),),
        ),
        Mistake(
            "every token is of segment 0",
            "Right without segment ids. Where they are given, each token gets the vector of its own segment.",
            embedded(segment=lambda ids, types: types[0]),
        ),
        Mistake(
            "an eps of 1e-5",
            "Off in the sixth digit: 1e-5 is what PyTorch takes when it is not told. BERT's is 1e-12.",
            embedded(norm=lambda x, gain, bias: normed(x, gain, bias, 1e-5)),
        ),
        Mistake(
            "no LayerNorm",
            "The sum is right. BERT normalizes it before the first block sees it.",
            embedded(norm=lambda x, gain, bias: x),
        ),
        Mistake(
            "gain and bias are missing",
            "The sum is normalized, but gain and bias are not applied.",
            embedded(norm=lambda x, gain, bias: F.layer_norm(x, gain.shape, eps=1e-12)),
        ),
        Mistake(
            "no positions",
            "The same word gets the same vector wherever it stands, so the model would read a bag of words.",
            embedded(position=lambda ids, positions: 0.0),
        ),
        Mistake(
            "positions are looked up by token",
            "The vector of a place should depend on the place alone. You look it up with the token's id.",
            embedded(position=lambda ids, positions: positions[ids]),
        ),
        Mistake(
            "positions count from one",
            "The first token gets the second row. BERT counts positions from 0.",
            embedded(position=lambda ids, positions: positions[1 : ids.shape[1] + 1]),
        ),
        Mistake(
            "words are multiplied by the root of D",
            "The Transformer of 2017 does that; BERT does not, and its weights would not fit.",
            lambda ids, kinds, words, *rest: embedded(word=words.shape[1] ** 0.5)(ids, kinds, words, *rest),
        ),
        Mistake(
            "the answer is cut off from the graph",
            "The numbers are right, but at one of the tables, or at all, no gradient arrives: it would never learn. "
            "What in your code turns a tensor into mere numbers?",
            _detached_embed,
            variants=tuple(_one_table_detached(which) for which in range(3)),
        ),
    ),
    hints=(
        "Three lookups and a sum, then LayerNorm. Indexing a table with a tensor of ids looks all of them up at once.",
        "Positions need no ids: they are the first T rows of their table, and they are stretched over the sentences.",
        "F.layer_norm takes the shape of what is normalized, gain.shape, then gain, bias and eps, in this order.",
    ),
)

# 06.self-attention


def self_attention(x, qkv_weight, qkv_bias, out_weight, out_bias, H, attention_mask=None):
    q, k, v = cut(F.linear(x, qkv_weight, qkv_bias), H)
    mask = None if attention_mask is None else attention_mask[:, None, None, :]
    return F.linear(joined(F.scaled_dot_product_attention(q, k, v, mask)), out_weight, out_bias)


def cut(qkv, H):
    """(B, T, 3D) -> three times (B, H, T, D/H)."""
    B, T, _ = qkv.shape
    return qkv.view(B, T, 3, H, -1).permute(2, 0, 3, 1, 4)


def joined(y):
    """(B, H, T, D/H) -> (B, T, D)."""
    return y.transpose(1, 2).flatten(2)


def with_parts(cut=cut, joined=joined, visible=lambda mask: mask[:, None, None, :], out=True, **settings):
    """A wrong `self_attention`, in which one part is another one."""

    def self_attention(x, qkv_weight, qkv_bias, out_weight, out_bias, H, attention_mask=None):
        q, k, v = cut(F.linear(x, qkv_weight, qkv_bias), H)
        mask = None if attention_mask is None else visible(attention_mask)
        y = joined(F.scaled_dot_product_attention(q, k, v, mask, **settings))
        return F.linear(y, out_weight, out_bias) if out else y

    return self_attention


def _cut_by_view(qkv, H):
    B, T, D3 = qkv.shape
    return [part.reshape(B, H, T, D3 // 3 // H) for part in qkv.chunk(3, dim=-1)]


def _cut_head_by_head(qkv, H):
    B, T, _ = qkv.shape
    return qkv.view(B, T, H, 3, -1).permute(3, 0, 2, 1, 4)


def _cut_before_the_positions(qkv, H):
    B, T, _ = qkv.shape
    return qkv.view(B, 3, T, H, -1).permute(1, 0, 3, 2, 4)


def _cut_to_the_wanted_shape(qkv, H):
    B, T, _ = qkv.shape
    return qkv.view(3, B, H, T, -1)


def _cut_in_another_order(qkv, H):
    k, q, v = cut(qkv, H)
    return q, k, v


def _scaled_already(qkv, H):
    q, k, v = cut(qkv, H)
    return q / q.shape[-1] ** 0.5, k, v


def _cut_but_not_moved(qkv, H):
    B, T, _ = qkv.shape
    return qkv.view(B, T, 3, H, -1).permute(2, 0, 1, 3, 4)


def _biases_left_out(*places):
    """Without qkv_bias, argument 2, or out_bias, argument 4."""

    def self_attention(*args):
        return with_parts()(*(0 * a if i in places else a for i, a in enumerate(args)))

    return self_attention


def _one_head(x, qkv_weight, qkv_bias, out_weight, out_bias, H, attention_mask=None):
    return with_parts()(x, qkv_weight, qkv_bias, out_weight, out_bias, 1, attention_mask)


def _scaled_by_the_width(x, qkv_weight, qkv_bias, out_weight, out_bias, H, attention_mask=None):
    scaled = with_parts(scale=x.shape[-1] ** -0.5)
    return scaled(x, qkv_weight, qkv_bias, out_weight, out_bias, H, attention_mask)


def _always_causal(x, qkv_weight, qkv_bias, out_weight, out_bias, H, attention_mask=None):
    causal = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril()
    mask = causal if attention_mask is None else causal & attention_mask[:, None, None, :]
    y = F.scaled_dot_product_attention(*cut(F.linear(x, qkv_weight, qkv_bias), H), mask)
    return F.linear(joined(y), out_weight, out_bias)


def projections(seed, D):
    """qkv_weight (3D, D), qkv_bias (3D,), out_weight (D, D), out_bias (D,)."""
    shapes = ((3 * D, D), (3 * D,), (D, D), (D,))
    return tuple(normal(seed + i, *shape, scale=0.6) for i, shape in enumerate(shapes))


KEEP = np.array([[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]], dtype=bool)
SELF_ATTENTION = Exercise(
    id="06.self-attention",
    title="Attention with one matrix for three views",
    reference=self_attention,
    observe=with_gradients(self_attention),
    minutes=20,
    cases=(
        Case("two positions, one head", (normal(61, 1, 2, 4), *projections(62, 4), 1)),
        Case("three positions, two heads", (normal(66, 1, 3, 4), *projections(67, 4), 2)),
        Case("two sentences, three heads", (normal(71, 2, 5, 6), *projections(72, 6), 3)),
        Case("three sentences with padding", (normal(76, 3, 4, 8), *projections(77, 8), 2, KEEP)),
    ),
    mistakes=(
        Mistake(
            "positions are mixed",
            "Right with one head. With more, the heads are cut by a plain view, which keeps the order in memory and "
            "mixes positions. Cut the last axis first, then move the axis of the heads.",
            with_parts(cut=_cut_by_view),
        ),
        Mistake(
            "queries, keys and values are mixed",
            "Wrong with one head already. The 3D numbers of a position lie together in memory, so the axis of 3 is cut "
            "from them and stands after T; only then may it move to the front.",
            with_parts(cut=_cut_before_the_positions),
            variants=(with_parts(cut=_cut_to_the_wanted_shape),),
        ),
        Mistake(
            "the three views are cut head by head",
            "Right with one head. The rows of qkv_weight are all queries first, then all keys, then all values: cut "
            "off the axis of 3 before that of the heads.",
            with_parts(cut=_cut_head_by_head),
        ),
        Mistake(
            "queries and keys have changed places",
            "Your scores are transposed: who asks is asked. The matrix holds queries, keys and values in this order.",
            with_parts(cut=_cut_in_another_order),
        ),
        Mistake(
            "heads are joined without moving them back",
            "Right with one head. With more, they have to go back behind the positions before they are laid side by "
            "side.",
            with_parts(joined=lambda y: y.reshape(y.shape[0], y.shape[2], -1)),
        ),
        Mistake(
            "the mask is turned round",
            "You read padding and nothing else. For F.scaled_dot_product_attention True means that a key takes part; "
            "nn.MultiheadAttention has it the other way round.",
            with_parts(visible=lambda mask: ~mask[:, None, None, :]),
        ),
        Mistake(
            "the mask is added as numbers",
            "A mask of real numbers is added to the scores: 1 and 0 hide nothing. Hand over booleans.",
            with_parts(visible=lambda mask: mask[:, None, None, :].double()),
        ),
        Mistake(
            "the mask is ignored",
            "Right without padding. With it, padding is read.",
            with_parts(visible=lambda mask: None),
        ),
        Mistake(
            "scaled twice",
            "Your weights are too even: F.scaled_dot_product_attention divides by the root of d itself, as its name "
            "says.",
            with_parts(cut=_scaled_already),
        ),
        Mistake(
            "the scores are not scaled",
            "Your weights are too sharp. Scores are divided by the root of a head's width d = D / H.",
            with_parts(scale=1.0),
        ),
        Mistake(
            "scaled by the width of a position",
            "Right with one head, too even with more: a head's dot product sums d = D / H products, not D.",
            _scaled_by_the_width,
        ),
        Mistake(
            "the heads are not cut",
            "Right with one head: H makes no difference to your answer. Each head needs a softmax of its own.",
            _one_head,
        ),
        Mistake(
            "heads look at each other",
            "Attention works on the last two axes, which are to be positions and numbers. Yours are heads and numbers, "
            "so that each position is alone with its own heads.",
            with_parts(cut=_cut_but_not_moved, joined=lambda y: y.flatten(2)),
            variants=(with_parts(cut=_cut_but_not_moved, joined=lambda y: y.flatten(2), visible=lambda mask: None),),
        ),
        Mistake(
            "padding may not ask, but may be read",
            "Your mask goes along the queries: padding reads nothing, and everybody else still reads padding. The last "
            "axis of the scores is that of the keys.",
            with_parts(visible=lambda mask: mask[:, None, :, None]),
        ),
        Mistake(
            "keys and values have changed places",
            "Keys say where to look, values what is read there. In which order does the kernel want them?",
            with_parts(cut=lambda qkv, H: cut(qkv, H)[[0, 2, 1]]),
        ),
        Mistake(
            "biases are missing",
            "The matrices are used, but not both of their biases.",
            _biases_left_out(2, 4),
            variants=(_biases_left_out(2), _biases_left_out(4)),
        ),
        Mistake(
            "a causal mask has slipped in",
            "Only the last position of a sentence is right: the others do not see what comes later. An encoder reads "
            "both ways.",
            _always_causal,
        ),
        Mistake(
            "the last matrix is missing",
            "You return the heads side by side. out_weight and out_bias mix what they found.",
            with_parts(out=False),
        ),
    ),
    hints=(
        (
            "F.linear(x, qkv_weight, qkv_bias) has 3D numbers at each position: queries, keys, values, one after the "
            "other."
        ),
        (
            "Name every axis: (B, T, 3, H, D/H) by one view; permute then brings 3 to the front and H before T, so "
            "that the result can be unpacked into q, k and v."
        ),
        (
            "F.scaled_dot_product_attention(q, k, v, attn_mask=...) does the rest; the mask needs the shape (B, 1, 1, "
            "T). Afterward the heads go back: transpose, then reshape to (B, T, D)."
        ),
    ),
)

# 06.gather-positions


def gather_positions(x, positions):
    return x.gather(1, positions[:, :, None].expand(-1, -1, x.shape[-1]))


def gathered(x, positions):
    """Right, for wrong answers that need it: the reference itself counts as handed in."""
    return x[torch.arange(len(x))[:, None], positions]


def _along_the_width(x, positions):
    return x.gather(2, positions[:, None, :].expand(-1, x.shape[1], -1))


def selected_by_mask(x, positions):
    """Indexing with booleans: (N, D)."""
    return x[torch.zeros(x.shape[:2], dtype=torch.bool).scatter(1, positions, True)]


def _mask_in_rows(x, positions):
    return selected_by_mask(x, positions).reshape(*positions.shape, x.shape[-1])


GATHER_POSITIONS = Exercise(
    id="06.gather-positions",
    title="Only where it is asked",
    reference=gather_positions,
    observe=with_gradients(gather_positions),
    minutes=15,
    cases=(
        Case("one sentence, one position", (normal(81, 1, 3, 4), np.array([[2]]))),
        Case("two sentences, one position each", (normal(82, 2, 3, 4), np.array([[0], [2]]))),
        Case("two sentences, two positions each", (normal(83, 2, 4, 4), np.array([[1, 3], [0, 2]]))),
        Case("positions in no order, one of them twice", (normal(84, 2, 5, 6), np.array([[4, 0, 0], [2, 1, 3]]))),
        Case("three sentences, seven positions", (normal(85, 3, 9, 12), integers(86, 9, 3, 7))),
    ),
    mistakes=(
        Mistake(
            "all positions for all sentences",
            "Your answer has an axis too many, (B, B, k, D): every sentence is read at the positions of every "
            "sentence. Sentence b goes with row b of positions only.",
            lambda x, positions: x[:, positions],
        ),
        Mistake(
            "the first sentence's positions for all",
            "Right for the first sentence. Each has its own positions.",
            lambda x, positions: x[:, positions[0]],
        ),
        Mistake(
            "everything is read from the first sentence",
            "Right for the first sentence. Where sentences are laid end to end, position t of sentence b is no longer "
            "number t.",
            lambda x, positions: x.flatten(0, 1)[positions],
        ),
        Mistake(
            "sentences are lined up with places",
            "Two indices are lined up from the end: your B sentence numbers meet the k places of a row. They should "
            "stand in a column, one for each row of positions.",
            lambda x, positions: x[torch.arange(len(x)), positions],
        ),
        Mistake(
            "one number of each position",
            "gather returns the shape of its index: with (B, k, 1) you get the first of D numbers. The index has to be "
            "stretched over the width.",
            lambda x, positions: x.gather(1, positions[:, :, None]),
        ),
        Mistake(
            "gathered along the width",
            "You pick k numbers out of every position; wanted are k positions with all their numbers. Which axis "
            "counts positions?",
            _along_the_width,
        ),
        Mistake(
            "the batch axis is lost",
            "Indexing with booleans lays all sentences end to end, (N, D); it also sorts positions and drops repeated "
            "ones. With a GPU the program has to wait until N is known.",
            selected_by_mask,
        ),
        Mistake(
            "selected by a mask, then cut into rows",
            "Right where positions are sorted and different. A mask knows neither order nor repetition, and sentences "
            "with fewer than k positions repeat one.",
            _mask_in_rows,
        ),
        Mistake(
            "positions are put in order",
            "The right positions in another order: the labels come in the order of positions, and would no longer fit.",
            lambda x, positions: gathered(x, positions.sort(dim=1).values),
        ),
        Mistake(
            "the answer is cut off from the graph",
            "The numbers are right, but no gradient arrives at x: the encoder would never learn.",
            lambda x, positions: gathered(x.detach(), positions),
        ),
    ),
    hints=(
        "For sentence b and place j you want the vector x[b, positions[b, j]].",
        "One way is x.gather(1, index): its index has the shape of the answer, (B, k, D), the same position D times.",
        (
            "Another way is to index with two tensors of ids, one for the sentence and one for the position: a column "
            "of torch.arange(B) is stretched over the k places."
        ),
    ),
)

# 06.head


def mlm_head(x, dense_weight, dense_bias, gain, bias, words, word_bias):
    return head_with()(x, dense_weight, dense_bias, gain, bias, words, word_bias)


def head_with(
    dense=True, activation=lambda z: F.gelu(z), norm=normed, table=lambda words: words, shift=True, swap=False
):
    """The head, of which one part may be another one."""

    def mlm_head(x, dense_weight, dense_bias, gain, bias, words, word_bias):
        z = F.linear(x, dense_weight, dense_bias) if dense else x
        features = activation(norm(z, gain, bias)) if swap else norm(activation(z), gain, bias)
        return F.linear(features, table(words), word_bias if shift else None)

    return mlm_head


def head_weights(seed, D, V):
    """dense_weight (D, D), dense_bias (D,), gain, bias (D,), words (V, D), word_bias (V,)."""
    gain = 1 + normal(seed + 2, D, scale=0.3)
    dense, words = normal(seed, D, D, scale=0.6), normal(seed + 4, V, D, scale=0.6)
    return dense, normal(seed + 1, D), gain, normal(seed + 3, D), words, normal(seed + 5, V)


HEAD = Exercise(
    id="06.head",
    title="From a hidden state to a score for every word",
    reference=mlm_head,
    observe=with_gradients(mlm_head),
    minutes=15,
    cases=(
        Case("one position, four words", (normal(91, 1, 3), *head_weights(92, 3, 4))),
        Case("two sentences of three positions", (normal(101, 2, 3, 4), *head_weights(102, 4, 7))),
        Case("as many words as numbers", (normal(111, 2, 2, 5), *head_weights(112, 5, 5))),
        Case("large numbers", (normal(121, 3, 4, scale=20), *head_weights(122, 4, 9))),
    ),
    mistakes=(
        Mistake(
            "the decoder is a copy of the word embeddings",
            "The logits are right, but no gradient goes from them to `words`. Tied means the same tensor, not one with "
            "the same numbers: a copy would go its own way at the first step.",
            head_with(table=lambda words: words.detach().clone()),
        ),
        Mistake(
            "the transform is missing",
            "BERT's head has a dense layer of its own before the decoder: dense_weight and dense_bias are not used.",
            head_with(dense=False),
        ),
        Mistake(
            "no GELU",
            "The dense layer is there; the activation behind it is not.",
            head_with(activation=lambda z: z),
        ),
        Mistake(
            "ReLU in place of GELU",
            "The structure is right. The activation of BERT is GELU, in the head as in the blocks.",
            head_with(activation=lambda z: F.relu(z)),
        ),
        Mistake(
            "the dense bias is missing",
            "dense_weight is used, dense_bias is not.",
            lambda x, dense_weight, dense_bias, *rest: head_with()(x, dense_weight, 0 * dense_bias, *rest),
        ),
        Mistake(
            "the dense matrix is turned round",
            "A weight of shape (E, D) takes D numbers to E: its rows belong to the outputs. With x in front it has to "
            "be turned; F.linear does so itself.",
            lambda x, dense_weight, *rest: head_with()(x, dense_weight.T, *rest),
        ),
        Mistake(
            "gain and bias are missing",
            "The numbers are normalized, but gain and bias are not applied.",
            head_with(norm=lambda z, gain, bias: F.layer_norm(z, gain.shape, eps=1e-12)),
        ),
        Mistake(
            "the answer is cut off from the graph",
            "The numbers are right, but no gradient arrives anywhere: nothing would learn.",
            lambda *args: head_with()(*args).detach(),
        ),
        Mistake(
            "the tanh formula for GELU",
            "Off in the fourth digit: F.gelu with approximate='tanh' is another function. BERT's is the exact one.",
            head_with(activation=lambda z: F.gelu(z, approximate="tanh")),
        ),
        Mistake(
            "no LayerNorm",
            "Between activation and decoder the numbers are normalized: gain and bias are not used.",
            head_with(norm=lambda z, gain, bias: z),
        ),
        Mistake(
            "an eps of 1e-5",
            "Off by a few millionths: 1e-5 is what PyTorch takes when it is not told. BERT's is 1e-12.",
            head_with(norm=lambda z, gain, bias: normed(z, gain, bias, 1e-5)),
        ),
        Mistake(
            "LayerNorm before GELU",
            "Both are there, in the other order. In the head the activation comes first.",
            head_with(swap=True),
        ),
        Mistake(
            "no bias for the words",
            "Every word has one number of its own besides its vector, which mostly says how frequent it is: word_bias.",
            head_with(shift=False),
        ),
        Mistake(
            "probabilities, not logits",
            "There is a softmax in your head. It is to return scores: the loss does the softmax, where it is stable.",
            lambda *args: torch.softmax(head_with()(*args), dim=-1),
            variants=(lambda *args: torch.log_softmax(head_with()(*args), dim=-1),),
        ),
    ),
    hints=(
        "Four steps: a linear layer, GELU, LayerNorm, and a second linear layer.",
        "F.linear(x, weight, bias) with a weight of shape (V, D) takes D numbers to V: words already has that shape.",
        "F.gelu is the exact one unless told otherwise; F.layer_norm wants gain.shape, gain, bias and eps = 1e-12.",
    ),
)

# 06.masked-loss


def masked_loss(logits, labels):
    return mean_surprisal(logits, labels)


def mean_surprisal(logits, labels):
    return surprisal_sum(logits, labels) / (labels != IGNORE_INDEX).sum().clamp(min=1)


def surprisal_sum(logits, labels):
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum", ignore_index=IGNORE_INDEX)


def _python_zero(logits, labels):
    return torch.zeros((), dtype=logits.dtype) if (labels == IGNORE_INDEX).all() else mean_surprisal(logits, labels)


def _mean_of_sentences(logits, labels):
    counts = (labels != IGNORE_INDEX).sum(1).clamp(min=1)
    sums = F.cross_entropy(logits.transpose(1, 2), labels, reduction="none").sum(1)
    return (sums / counts).mean()


def _axes_reshaped(logits, labels):
    B, k, V = logits.shape
    loss = F.cross_entropy(logits.reshape(B, V, k), labels, reduction="sum")
    return loss / (labels != IGNORE_INDEX).sum().clamp(min=1)


def _zero_ignored(logits, labels):
    loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten().clamp(min=0), ignore_index=0, reduction="sum")
    return loss / (labels > 0).sum().clamp(min=1)


def _log_of_softmax(logits, labels):
    picked = torch.softmax(logits, -1).log().gather(-1, labels.clamp(min=0)[..., None])[..., 0]
    selected = labels != IGNORE_INDEX
    return -(picked * selected).sum() / selected.sum().clamp(min=1)


LABELS = np.array([[3, 1, -100], [0, -100, -100]])
MASKED_LOSS = Exercise(
    id="06.masked-loss",
    title="The loss, padding left out",
    reference=masked_loss,
    observe=with_gradients(masked_loss),
    minutes=15,
    cases=(
        Case("one sentence, one label", (normal(131, 1, 1, 3), np.array([[2]]))),
        Case("one label and one place of padding", (normal(132, 1, 2, 3), np.array([[1, -100]]))),
        Case("two labels and one label", (normal(133, 2, 3, 5), LABELS)),
        Case("three sentences, all labeled", (normal(134, 3, 4, 6), integers(135, 6, 3, 4))),
        Case("no label at all", (normal(136, 2, 3, 5), np.full((2, 3), -100))),
        Case("logits in the thousands", (normal(137, 2, 3, 5, scale=3000), LABELS)),
    ),
    mistakes=(
        Mistake(
            "NaN where nothing is selected",
            "Right wherever there is a label. Without one, PyTorch's mean is 0 / 0, and one such batch turns every "
            "weight into NaN. By what could you divide that is never zero?",
            lambda logits, labels: F.cross_entropy(logits.flatten(0, 1), labels.flatten()),
        ),
        Mistake(
            "a zero that has forgotten its logits",
            "The numbers are right, but where nothing is selected you return a new zero, and backward() on it is an "
            "error. Can the zero come out of the computation itself?",
            _python_zero,
        ),
        Mistake(
            "the mean is taken over padding too",
            "You divide by the number of places, B times k. Sentences with few questions then count less: divide by "
            "the number of labels.",
            lambda logits, labels: surprisal_sum(logits, labels) / labels.numel(),
        ),
        Mistake(
            "a mean of means",
            "You average in each sentence and then over sentences, so a label counts more where there are few. Each "
            "label should count the same.",
            _mean_of_sentences,
        ),
        Mistake(
            "a sum, not a mean",
            "The loss grows with the number of labels. Divide by how many there are.",
            surprisal_sum,
        ),
        Mistake(
            "divided by the number of sentences",
            "The loss grows with the number of questions in a sentence. Divide by the number of labels in the batch.",
            lambda logits, labels: surprisal_sum(logits, labels) / len(labels),
        ),
        Mistake(
            "one is added to the number of labels",
            "Nothing is divided by zero, but every loss comes out too small. Only a count of zero needs another "
            "divisor.",
            lambda logits, labels: surprisal_sum(logits, labels) / ((labels != IGNORE_INDEX).sum() + 1),
        ),
        Mistake(
            "the logarithm of a softmax",
            "Right for small logits. With large ones a probability is rounded to zero, and its logarithm is infinite: "
            "chapter 02 has the log-softmax that avoids it, and F.cross_entropy is made of it.",
            _log_of_softmax,
        ),
        Mistake(
            "padding counts as token 0",
            "A label of -100 is no token. You turn it into 0, and then ask the model to predict token 0 there.",
            lambda logits, labels: F.cross_entropy(logits.flatten(0, 1), labels.flatten().clamp(min=0)),
        ),
        Mistake(
            "token 0 counts as padding",
            "Padding is left out, and so is every true label 0. That is why the ignore index is -100, a number that no "
            "token has.",
            _zero_ignored,
            variants=(lambda logits, labels: surprisal_sum(logits, labels) / (labels > 0).sum().clamp(min=1),),
        ),
        Mistake(
            "axes are reshaped, not moved",
            "F.cross_entropy wants the classes on axis 1. A reshape to that shape keeps the order in memory, and mixes "
            "places with words; lay the sentences end to end, or transpose.",
            _axes_reshaped,
        ),
        Mistake(
            "softmax twice",
            "F.cross_entropy takes logits and does the softmax itself. Yours gets probabilities, so that its loss "
            "never falls much below log V.",
            lambda logits, labels: mean_surprisal(torch.softmax(logits, -1), labels),
        ),
    ),
    hints=(
        "F.cross_entropy wants (N, V) logits and (N,) labels: lay the sentences end to end with flatten.",
        "It leaves -100 out by itself. With reduction='sum' it divides by nothing, so that you can.",
        "Count the labels that are not -100; .clamp(min=1) keeps the count from being zero, and 0 / 1 is 0.",
    ),
)

# 06.count-parameters


def count_parameters(V, D, L, inner, P, types=2):
    """How many numbers BERT with its masked-language-modeling head learns."""
    return sum(parts(V, D, L, inner, P, types).values())


def parts(V, D, L, inner, P, types):
    return {
        "tables": (V + P + types) * D,
        "norms": 2 * D * (1 + 2 * L + 1),
        "attention": L * 4 * D * D,
        "attention biases": L * 4 * D,
        "feed-forward": L * 2 * D * inner,
        "feed-forward biases": L * (inner + D),
        "transform": D * D + D,
        "word bias": V,
    }


def counted_without(*names, extra=lambda V, D, L, inner, P: 0):
    def count_parameters(V, D, L, inner, P, types=2):
        counts = parts(V, D, L, inner, P, types)
        return sum(n for name, n in counts.items() if name not in names) + extra(V, D, L, inner, P)

    return count_parameters


COUNT_PARAMETERS = Exercise(
    id="06.count-parameters",
    title="How many numbers does it learn?",
    reference=count_parameters,
    minutes=15,
    cases=(
        Case("one block of width 2", (7, 2, 1, 3, 4, 1)),
        Case("no block at all", (10, 3, 0, 5, 6, 2)),
        Case("two blocks", (11, 4, 2, 16, 8)),
        Case("BERT-base", (30522, 768, 12, 3072, 512)),
        Case("BERT-large", (30522, 1024, 24, 4096, 512)),
    ),
    mistakes=(
        Mistake(
            "the decoder is counted on its own",
            (
                "You are too high by V D: the decoder's matrix is the table of word embeddings, used twice and stored "
                "once."
            ),
            counted_without(extra=lambda V, D, L, inner, P: V * D),
        ),
        Mistake(
            "LayerNorms are missing",
            "Each LayerNorm has a gain and a bias of D numbers. There is one after the embeddings, two in each block, "
            "and one in the head.",
            counted_without("norms"),
            variants=(
                counted_without(extra=lambda V, D, L, inner, P: -2 * D * L),
                counted_without(extra=lambda V, D, L, inner, P: -4 * D * L),
                counted_without(extra=lambda V, D, L, inner, P: -4 * D),
                counted_without(extra=lambda V, D, L, inner, P: -2 * D),
            ),
        ),
        Mistake(
            "LayerNorm without its bias",
            "A LayerNorm has two vectors of D numbers, gain and bias.",
            counted_without(extra=lambda V, D, L, inner, P: -D * (2 + 2 * L)),
        ),
        Mistake(
            "the biases of the linear layers are missing",
            "Every linear layer has a bias, one number for each output: four times D in the attention, inner and D "
            "after it, D in the head.",
            counted_without("attention biases", "feed-forward biases", extra=lambda V, D, L, inner, P: -D),
            variants=(
                counted_without(
                    "attention biases", "feed-forward biases", "word bias", extra=lambda V, D, L, inner, P: -D
                ),
            ),
        ),
        Mistake(
            "the head is missing",
            "Everything up to the last hidden state is counted. The head adds a dense layer, a LayerNorm and a bias "
            "for every word.",
            counted_without("transform", "word bias", extra=lambda V, D, L, inner, P: -2 * D),
        ),
        Mistake(
            "the bias of the words is missing",
            "You are too low by V: tied or not, the decoder has a bias of its own for every word.",
            counted_without("word bias"),
        ),
        Mistake(
            "the head's dense layer is missing",
            "You are too low by D squared and D: before the decoder the head has a dense layer.",
            counted_without("transform"),
        ),
        Mistake(
            "one matrix for queries, keys and values",
            "You count D squared where there are three such matrices. With the output that makes four in each block.",
            counted_without(extra=lambda V, D, L, inner, P: -2 * L * (D * D + D)),
        ),
        Mistake(
            "positions and segments are missing",
            "The table of words is counted; there are two more tables, one for P positions and one for the segments.",
            counted_without("tables", extra=lambda V, D, L, inner, P: V * D),
            variants=(
                counted_without(extra=lambda V, D, L, inner, P: -P * D),
                lambda V, D, L, inner, P, types=2: counted_without()(V, D, L, inner, P, 0),
                lambda V, D, L, inner, P, types=2: counted_without()(V, D, L, inner, P, 2),
            ),
        ),
        Mistake(
            "there is only one block",
            "Right for one block. There are L of them, each with weights of its own.",
            lambda V, D, L, inner, P, types=2: counted_without()(V, D, 1, inner, P, types),
        ),
        Mistake(
            "the attention's last layer is missing",
            "Queries, keys and values are counted. A fourth layer from D to D mixes what the heads found.",
            counted_without(extra=lambda V, D, L, inner, P: -L * (D * D + D)),
        ),
        Mistake(
            "a layer of the feed-forward part is missing",
            "A block has one layer from D to inner, and one back from inner to D.",
            counted_without(extra=lambda V, D, L, inner, P: -L * (D * inner + D)),
            variants=(counted_without(extra=lambda V, D, L, inner, P: -L * (D * inner + inner)),),
        ),
        Mistake(
            "biases of the feed-forward part are off",
            "A bias has a number for each output: inner of them on the way in, D on the way back.",
            counted_without("feed-forward biases"),
            variants=(
                counted_without(extra=lambda V, D, L, inner, P: L * (inner - D)),
                counted_without(extra=lambda V, D, L, inner, P: L * (D - inner)),
            ),
        ),
    ),
    hints=(
        "Go from the entrance to the exit: three tables and a LayerNorm; L times a block; the head.",
        (
            "A linear layer from n to m numbers has n m + m; a LayerNorm 2 D. A block has four layers from D to D, one "
            "from D to inner, one from inner to D, and two LayerNorms."
        ),
        (
            "The head has one layer from D to D, one LayerNorm and V biases. Its large matrix is counted already. For "
            "BERT-base the sum is 109,514,298."
        ),
    ),
)

# 06.forward-flops


def forward_flops(B, T, k, V, D, L, inner):
    """Floating-point operations of the matrix products in one forward pass, logits at k positions per sentence."""
    return sum(products(B, T, k, V, D, L, inner).values())


def products(B, T, k, V, D, L, inner):
    return {
        "queries, keys, values": L * B * T * 2 * 3 * D * D,
        "scores": L * B * 2 * T * T * D,
        "reading": L * B * 2 * T * T * D,
        "output": L * B * T * 2 * D * D,
        "feed-forward": L * B * T * 2 * 2 * D * inner,
        "transform": B * k * 2 * D * D,
        "decoder": B * k * 2 * D * V,
    }


def products_but(*names, extra=lambda B, T, k, V, D, L, inner: 0):
    def forward_flops(B, T, k, V, D, L, inner):
        counts = products(B, T, k, V, D, L, inner)
        return sum(n for name, n in counts.items() if name not in names) + extra(B, T, k, V, D, L, inner)

    return forward_flops


FORWARD_FLOPS = Exercise(
    id="06.forward-flops",
    title="What a forward pass costs",
    reference=forward_flops,
    minutes=20,
    cases=(
        Case("one sentence of two positions, one predicted", (1, 2, 1, 5, 3, 1, 4)),
        Case("no block", (1, 4, 2, 7, 3, 0, 5)),
        Case("two blocks, every position predicted", (2, 5, 5, 11, 4, 2, 16)),
        Case("BERT-base, 128 positions, 19 predicted", (8, 128, 19, 30522, 768, 12, 3072)),
        Case("BERT-base, 512 positions, 77 predicted", (2, 512, 77, 30522, 768, 12, 3072)),
    ),
    mistakes=(
        Mistake(
            "additions are not counted",
            "You are too low by a factor of two: each term of a product of matrices is one multiplication and one "
            "addition.",
            lambda *args: products_but()(*args) // 2,
        ),
        Mistake(
            "logits at every position",
            "Right where every position is predicted. The head runs at k positions of each sentence only.",
            lambda B, T, k, *rest: products_but()(B, T, T, *rest),
        ),
        Mistake(
            "scores and reading are missing",
            "The layers with weights are counted. Attention also multiplies queries with keys, and weights with "
            "values: two products without any weight of the model in them.",
            products_but("scores", "reading"),
        ),
        Mistake(
            "reading is missing",
            "Queries times keys is counted; weights times values is a product of the same size.",
            products_but("reading"),
        ),
        Mistake(
            "attention counted as if it were linear in T",
            "Every query meets every key: T squared pairs in each sentence.",
            products_but("scores", "reading", extra=lambda B, T, k, V, D, L, inner: L * B * 4 * T * D),
        ),
        Mistake(
            "all sentences attend to each other",
            "You count (B T) squared pairs. A query meets the keys of its own sentence: B times T squared.",
            products_but("scores", "reading", extra=lambda B, T, k, V, D, L, inner: L * 4 * (B * T) ** 2 * D),
        ),
        Mistake(
            "one matrix for queries, keys and values",
            "Queries, keys and values take a product each, and the output a fourth.",
            products_but(extra=lambda B, T, k, V, D, L, inner: -L * B * T * 2 * 2 * D * D),
        ),
        Mistake(
            "the head's dense layer is missing",
            "The decoder is counted. Before it the head has a dense layer from D to D.",
            products_but("transform"),
        ),
        Mistake(
            "the decoder is missing",
            (
                "That its matrix is tied makes it free to store, not to multiply with: V times D at every predicted "
                "position."
            ),
            products_but("decoder"),
            variants=(products_but("decoder", "transform"),),
        ),
        Mistake(
            "there is only one block",
            "Right for one block. A pass goes through L of them.",
            lambda B, T, k, V, D, L, inner: products_but()(B, T, k, V, D, 1, inner),
        ),
        Mistake(
            "the attention's last layer is missing",
            "Queries, keys and values are counted. A fourth layer from D to D mixes what the heads found.",
            products_but("output"),
        ),
        Mistake(
            "a layer of the feed-forward part is missing",
            "A block has one layer from D to inner, and one back from inner to D: two products of the same size.",
            products_but(extra=lambda B, T, k, V, D, L, inner: -L * B * T * 2 * D * inner),
            variants=(products_but("feed-forward"),),
        ),
        Mistake(
            "the head works once, not for every sentence",
            "Right for one sentence. k positions of each of B sentences get logits.",
            products_but(extra=lambda B, T, k, V, D, L, inner: -(B - 1) * k * 2 * (D * D + D * V)),
        ),
        Mistake(
            "the head's dense layer works everywhere",
            "Positions are picked out before the head: its first layer too sees k of them in each sentence.",
            products_but(extra=lambda B, T, k, V, D, L, inner: B * (T - k) * 2 * D * D),
        ),
        Mistake(
            "one sentence only",
            "You are too low by a factor of B.",
            lambda B, *rest: products_but()(1, *rest),
        ),
    ),
    hints=(
        (
            "A product of an (n, m) and an (m, p) matrix takes 2 n m p operations: for each of n p numbers m "
            "multiplications and m additions."
        ),
        (
            "A layer from D to inner at B T positions is such a product with n = B T. The attention adds two products "
            "for each sentence: (T, D) times (D, T), and (T, T) times (T, D), all heads together."
        ),
        "The head works at B k positions: once from D to D, once from D to V.",
    ),
)

EXERCISES = (
    EMBEDDINGS,
    SELF_ATTENTION,
    GATHER_POSITIONS,
    HEAD,
    MASKED_LOSS,
    COUNT_PARAMETERS,
    FORWARD_FLOPS,
)
