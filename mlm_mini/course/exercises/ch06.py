"""Chapter 06: the parts of the encoder in PyTorch, and what they cost.

Shapes: B sentences, T positions, k predicted ones in each, D numbers at a position, H heads, V tokens, L blocks. Cases
hold arrays; a learner's function gets tensors. `progress` reads this file, so PyTorch is imported when the first runs.
"""

import inspect
from types import SimpleNamespace

import numpy as np

from mlm_mini.course.answer import Answer
from mlm_mini.course.compare import type_name
from mlm_mini.course.exercise import Case, Exercise, Twin, WrongAnswer

ENCODER, CONFIG = "mlm_mini.model.encoder:", "mlm_mini.model.config:ModelConfig."


def tensors(args):
    """A case's arguments as the learner's function gets them: arrays as tensors, those of real numbers with a graph."""
    import torch

    made = [torch.from_numpy(a) if isinstance(a, np.ndarray) else a for a in args]
    return tuple(a.requires_grad_() if isinstance(a, torch.Tensor) and a.is_floating_point() else a for a in made)


def of_tensors(name, **rest):
    """An exercise whose function takes tensors and returns one; a right one that has lost its graph trains nothing."""
    answer = Answer(name)

    def observe(function, *args):
        import torch

        threads, inputs = torch.get_num_threads(), tensors(args)
        torch.set_num_threads(1)  # when the machine is busy, waiting for each other takes twenty times as long
        try:
            found = function(*inputs)
            if isinstance(found, (int, float, np.ndarray)):
                found = torch.from_numpy(np.asarray(found))
            if not isinstance(found, torch.Tensor):
                raise WrongAnswer(f"Your function returns {type_name(found)}; a torch.Tensor is expected.")
            if found.requires_grad:
                steps = torch.arange(found.numel(), dtype=found.dtype, device=found.device)
                torch.autograd.backward(found, torch.cos(0.7 * steps).reshape(found.shape))  # no two places are alike
        finally:
            torch.set_num_threads(threads)
        gradient = {"flows": found.requires_grad}
        for parameter, x in zip(inspect.signature(answer.function).parameters, inputs, strict=False):
            if isinstance(x, torch.Tensor) and x.requires_grad:
                gradient[f"by {parameter}"] = (torch.zeros_like(x) if x.grad is None else x.grad).numpy()
        return {"answer": found.detach().cpu().numpy(), "gradient": gradient}

    return Exercise(id=name, answer=answer, observe=observe, prepare=tensors, **rest)


def answer_of(module, weights, inputs, D, H=1):
    """What a module of the package answers with these weights, in the order in which it lists its own."""
    import torch

    from mlm_mini.model import ModelConfig

    with torch.device("meta"):  # it needs no numbers of its own
        made = module(ModelConfig.tiny(1, hidden_size=D, num_attention_heads=H))
    return torch.func.functional_call(made, dict(zip(made.state_dict(), weights, strict=True)), inputs)


def shape_of(V, D, L, inner, P=0, types=2):
    """What the counting methods of a `ModelConfig` read; unlike one it may have no block."""
    sizes = {"vocab_size": V, "hidden_size": D, "num_hidden_layers": L, "intermediate_size": inner}
    return SimpleNamespace(**sizes, max_position_embeddings=P, type_vocab_size=types)


def normed(x, gain, bias, correction=0, inside=1e-12, outside=0.0):
    """A LayerNorm by hand, for mistakes: its variance divides by D - correction, and eps may stand outside the root."""
    spread = (x.var(-1, correction=correction, keepdim=True) + inside).sqrt() + outside
    return gain * (x - x.mean(-1, keepdim=True)) / spread + bias


NORM_MISTAKES = """
    - no LayerNorm
          F.layer_norm(x, gain.shape, gain, bias, 1e-12) => x
    - gain or bias is missing
          gain.shape, gain, bias => gain.shape, None, None
       or gain.shape, gain, bias => gain.shape, None, bias
       or gain.shape, gain, bias => gain.shape, gain, None
    - an eps of 1e-5
          1e-12 => 1e-5
    - no eps inside the root
          F.layer_norm(x, gain.shape, gain, bias, 1e-12) => normed(x, gain, bias, 0, 0.0)
       or F.layer_norm(x, gain.shape, gain, bias, 1e-12) => normed(x, gain, bias, 0, 0.0, 1e-12)
    - the variance divides by D - 1
          F.layer_norm(x, gain.shape, gain, bias, 1e-12) => normed(x, gain, bias, 1)
       or F.layer_norm(x, gain.shape, gain, bias, 1e-12) => normed(x, gain, bias, 1, 0.0)
       or F.layer_norm(x, gain.shape, gain, bias, 1e-12) => normed(x, gain, bias, 1, 0.0, 1e-12)
"""


def normal(seed, *shape, scale=1.0):
    return np.random.default_rng(seed).normal(scale=scale, size=shape)


def grid(*shape):
    return np.arange(np.prod(shape)).reshape(shape)


def arrays(seed, *shapes, scale=0.7):
    return tuple(normal(seed + i, *shape, scale=scale) for i, shape in enumerate(shapes))


def tables(seed, V, P, D, scale=1.0):
    return arrays(seed, (V, D), (P, D), (2, D), scale=scale) + arrays(seed + 3, (D,), (D,))  # the last two: gain, bias


def projections(seed, D):
    return arrays(seed, (3 * D, D), (3 * D,), (D, D), (D,))  # qkv_weight, qkv_bias, out_weight, out_bias


def head_weights(seed, D, V, scale=0.7):
    return arrays(seed, (D, D), (D,), scale=scale) + arrays(seed + 2, (D,), (D,), (V, D), (V,))  # dense, norm, decoder


EMBEDDINGS = of_tensors(
    "06.embeddings",
    title="Word, place and segment",
    twin=Twin(ENCODER + "Embeddings", lambda module, ids, kinds, *w: answer_of(module, w, (ids, kinds), w[-1].numel())),
    answers_in=(ENCODER + "Embeddings.forward",),
    minutes=15,
    cases=(
        Case("one sentence of two words", (np.array([[3, 1]]), None, *tables(1, 5, 6, 4))),
        Case("one word, of segment 1", (np.array([[3]]), np.array([[1]]), *tables(6, 5, 6, 4))),
        Case("a word that comes twice", (np.array([[2, 4, 2]]), None, *tables(11, 5, 6, 4))),
        Case("two segments", (np.array([[1, 2, 3, 4]]), np.array([[0, 0, 1, 1]]), *tables(21, 5, 6, 4))),
        Case("three sentences of two segments", (grid(3, 5) * 7 % 9, grid(3, 5) % 2, *tables(43, 9, 10, 6))),
        Case("as many sentences as positions", (grid(4, 4) * 7 % 9, None, *tables(52, 9, 10, 4))),
        Case("as many positions as have a vector", (grid(2, 4) * 7 % 9, None, *tables(57, 9, 4, 5))),
        Case("numbers that lie close together", (np.array([[3, 1]]), None, *tables(66, 5, 6, 4, scale=1e-6))),
        Case("the word of id 40,000", (np.array([[40_000, 7]]), None, *tables(61, 40_001, 3, 3))),
    ),
    habits=("large ids ids", "unchanged ids", "unchanged words"),
    helpers={"normed": normed},
    mistakes=f"""{NORM_MISTAKES}
    - without segment ids no segment is added: Right with ids. Without segment ids BERT adds segment 0's vector.
          types[0] if => 0.0 if
    - no segment is ever added: Word and place are there. A third vector is always added, that of the segment.
          types[0] if token_type_ids is None else types[token_type_ids] => 0.0
    - positions are counted along the sentences: Places follow the number of the sentence. Which axis of ids is T?
          positions[: ids.shape[1]] => positions[: ids.shape[0], None]
       or positions[: ids.shape[1]] => positions[: ids.shape[0]]
    - every token is of segment 0: Right without segment ids. Where segment ids are given, each token has its own.
          token_type_ids is None => True
    - no positions: The same word gets the same vector wherever it stands: a bag of words.
          + positions[: ids.shape[1]] =>
    - all P places are added: Right where a sentence takes them all. How many positions has a sentence?
          positions[: ids.shape[1]] => positions
    - positions are looked up by token: A place's vector depends on the place alone. How are places looked up?
          positions[: ids.shape[1]] => positions[ids]
       or positions[: ids.shape[1]] => positions[ids % len(positions)]
    - positions count from one: The first token gets the second row. BERT counts positions from 0.
          positions[: ids.shape[1]] => positions[1 : ids.shape[1] + 1]
    - words are multiplied by the root of D: So did the Transformer of 2017. BERT's words are added as they are.
          words[ids] => words[ids] * gain.numel() ** 0.5
    - the answer is cut off from the graph
          bias, 1e-12) => bias, 1e-12).detach()
       or layer_norm(x => layer_norm(x.detach()
       or words[ids] => words.detach()[ids]
       or positions[: => positions.detach()[:
       or types[0] if token_type_ids is None else types[ => types.data[0] if token_type_ids is None else types.data[
    """,
    hints="""
    - Three lookups and a sum, then LayerNorm. Indexing a table with a tensor of ids looks all of them up at once.
    - Positions need no ids: they are the first T rows of their table, and they are stretched over the sentences.
    - F.layer_norm takes the shape of what is normalized, gain.shape, then gain, bias and eps, in this order.
    """,
)


def module_attention(module, x, qkv_weight, qkv_bias, out_weight, out_bias, H, attention_mask=None):
    mask = None if attention_mask is None else attention_mask[:, None, None, :]
    return answer_of(module, (qkv_weight, qkv_bias, out_weight, out_bias), (x, mask, False), x.shape[-1], H)


KEEP = np.array([[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]], dtype=bool)
KEEP_LEFT = np.array([[0, 0, 1, 1, 1], [1, 0, 1, 1, 0]], dtype=bool)
KEEP_SQUARE = np.array([[1, 1, 1], [0, 1, 1], [1, 0, 1]], dtype=bool)
SELF_ATTENTION = of_tensors(
    "06.self-attention",
    title="Attention with one matrix for three views",
    twin=Twin(ENCODER + "Attention", module_attention),
    answers_in=(ENCODER + "Attention.forward",),
    minutes=20,
    cases=(
        Case("two positions, one head", (normal(61, 1, 2, 4), *projections(62, 4), 1)),
        Case("three positions, two heads", (normal(66, 1, 3, 4), *projections(67, 4), 2)),
        Case("two sentences of one position", (normal(68, 2, 1, 4), *projections(69, 4), 2)),
        Case("three heads of width 1", (normal(70, 1, 4, 3), *projections(71, 3), 3)),
        Case("two sentences, three heads", (normal(71, 2, 5, 6), *projections(72, 6), 3)),
        Case("three sentences with padding", (normal(76, 3, 4, 8), *projections(77, 8), 2, KEEP)),
        Case("padding on the left and in the middle", (normal(81, 2, 5, 4), *projections(82, 4), 2, KEEP_LEFT)),
        Case("as many sentences as positions", (normal(86, 3, 3, 6), *projections(87, 6), 3, KEEP_SQUARE)),
    ),
    habits=("left padding attention_mask", "unchanged x", "unchanged attention_mask"),
    mistakes="""
    - positions are mixed: Right with one head. With more, a head holds whole positions. Which axis has to be cut?
          .view(B, T, 3, H, D // H) => .chunk(3, dim=-1)
          qkv.permute(2, 0, 3, 1, 4) => (part.reshape(B, H, T, D // H) for part in qkv)
    - queries, keys and values are mixed: Wrong with one head, too. Where in memory are the 3D numbers of a position?
          .view(B, T, 3, H, D // H) => .view(B, 3, T, H, D // H)
          permute(2, 0, 3, 1, 4) => permute(1, 0, 3, 2, 4)
       or .view(B, T, 3, H, D // H) => .view(3, B, H, T, D // H)
          qkv.permute(2, 0, 3, 1, 4) => qkv
    - the three views are cut head by head: Right with one head. Which axis comes first, that of 3 or of the heads?
          view(B, T, 3, H, D // H) => view(B, T, H, 3, D // H)
          permute(2, 0, 3, 1, 4) => permute(3, 0, 2, 1, 4)
    - queries and keys have changed places: Who asks is asked. In which order does qkv_weight hold the views?
          q, k, v = => k, q, v =
    - heads are joined without moving them back: Right with one head. Where must H stand before D is made whole?
          y.transpose(1, 2).reshape => y.reshape
    - the mask is turned round: You read padding alone. nn.MultiheadAttention hides keys by True; does this kernel?
          attention_mask[:, None, None, :] => ~attention_mask[:, None, None, :]
    - the mask is added as numbers: Adding 1 and 0 to scores hides nothing. What kind of mask says who takes part?
          attention_mask[:, None, None, :] => attention_mask[:, None, None, :].double()
    - the mask is ignored
          None if attention_mask is None else attention_mask[:, None, None, :] => None
    - the mask lacks axes: Sentences are lined up with heads, or with queries. Which axes stand between B and the keys?
          attention_mask[:, None, None, :] => attention_mask[:, None, :]
       or attention_mask[:, None, None, :] => attention_mask
    - the mask is taken for a length: Right where padding comes last. Which positions are tokens, and not how many?
          attention_mask[:, None, None, :] => attention_mask.sort(1, True)[0][:, None, None, :]
    - scaled twice: Your weights are too even: in all you divide by d. The kernel takes the root of d itself.
          scaled_dot_product_attention(q => scaled_dot_product_attention(q / q.shape[-1] ** 0.5
    - the scores are not scaled
          attn_mask=mask => attn_mask=mask, scale=1.0
    - scaled by the width of a position: Right with one head. A head's dot product sums d = D / H terms, not D.
          attn_mask=mask => attn_mask=mask, scale=D**-0.5
    - the heads are not cut: Right with one head: H makes no difference. Each head needs a softmax of its own.
          = x.shape => = x.shape; H = 1
    - heads look at each other: Each position is alone with its heads. Which two axes must come last for the kernel?
          permute(2, 0, 3, 1, 4) => permute(2, 0, 1, 3, 4)
          y.transpose(1, 2).reshape => y.reshape
    - padding may not ask, but may be read: Your mask goes along the queries. Which axis holds the keys?
          attention_mask[:, None, None, :] => attention_mask[:, None, :, None]
    - padding may neither ask nor be read: Nobody reads what padding reads. Must the rows of padding be empty?
          attention_mask[:, None, None, :] => attention_mask[:, None, None, :] & attention_mask[:, None, :, None]
    - keys and values have changed places: Keys say where to look, values what is read there. In which order does
      qkv_weight hold keys and values?
          q, k, v = => q, v, k =
    - biases are missing: The matrices are used, but not both of their biases.
          qkv_weight, qkv_bias) => qkv_weight)
          out_weight, out_bias) => out_weight)
       or qkv_weight, qkv_bias) => qkv_weight)
       or out_weight, out_bias) => out_weight)
    - a causal mask has slipped in: Only the last position is right. An encoder reads both ways.
          mask = None if attention_mask is None else
          => mask = x.new_ones(T, T).tril() > 0; mask = mask if attention_mask is None else mask &
       or attn_mask=mask => attn_mask=mask, is_causal=True
       or attn_mask=mask => attn_mask=mask, is_causal=mask is None
    - a matrix is turned round
          D), out_weight, out_bias => D), out_weight.T, out_bias
    - the last matrix is missing: You return the heads side by side. What mixes what the heads found?
          F.linear(y.transpose(1, 2).reshape(B, T, D), out_weight, out_bias) => y.transpose(1, 2).reshape(B, T, D)
    - the answer is cut off from the graph
          attn_mask=mask) => attn_mask=mask).detach()
       or D), out_weight, out_bias) => D), out_weight, out_bias).detach()
       or F.linear(x, => F.linear(x.detach(),
    """,
    hints="""
    - F.linear(x, qkv_weight, qkv_bias) has 3D numbers at each position: queries, keys, values, one after the other.
    - Name every axis: (B, T, 3, H, D/H) by one view; permute then brings 3 to the front and H before T.
    - The mask needs the shape (B, 1, 1, T). After the kernel the heads go back: transpose, then reshape to (B, T, D).
    """,
)

GATHER_POSITIONS = of_tensors(
    "06.gather-positions",
    title="Only where it is asked",
    twin=ENCODER + "take",
    minutes=15,
    cases=(
        Case("one sentence, one position", (normal(81, 1, 3, 4), np.array([[2]]))),
        Case("two sentences, two positions each", (normal(83, 2, 4, 4), np.array([[1, 3], [0, 2]]))),
        Case("as many sentences as positions", (normal(88, 3, 3, 4), np.array([[2, 0], [1, 2], [0, 1]]))),
        Case("more places than positions", (normal(80, 1, 2, 3), np.array([[1, 0, 1]]))),
        Case("positions in no order", (normal(87, 2, 5, 6), np.array([[4, 0, 2], [2, 1, 3]]))),
        Case("three sentences, seven positions", (normal(85, 3, 9, 12), grid(3, 7) ** 2 % 9)),
    ),
    habits=("any order positions", "unchanged positions", "unchanged x"),
    mistakes="""
    - all positions for all sentences: You have an axis too many, (B, B, k, D). Sentence b goes with row b alone.
          x.gather(1, index) => x[:, positions]
    - the first sentence's positions for all: Right for the first sentence. Each sentence has positions of its own.
          x.gather(1, index) => x[:, positions[0]]
    - everything is read from the first sentence: Right for the first. What in your index tells sentence b from it?
          x.gather(1, index) => x.flatten(0, 1)[positions]
    - sentences are lined up with places: B sentence numbers meet the k places of a row. How must the numbers of the
      sentences stand, to meet the rows?
          x.gather(1, index) => x[positions.new_tensor(range(len(x))), positions]
    - one number of each position: gather answers in the shape of its index, (B, k, 1). Which shape is wanted?
          .expand(-1, -1, x.shape[-1]) =>
    - gathered along the width: You pick k numbers out of every position. Which axis counts positions?
          instead:
              return x.gather(2, positions[:, None, :].expand(-1, x.shape[1], -1))
       or x.gather(1 => x.gather(2
    - sentences are picked: Your positions pick along the first axis of x. Which axis counts positions?
          x.gather(1 => x.gather(0
       or x.gather(1, index) => x[positions]
    - the batch axis is lost: Booleans lay sentences end to end, (N, D), sorted and without repetitions.
          x.gather(1, index) => x[x.new_zeros(x.shape[:2]).bool().scatter(1, positions, True)]
    - selected by a mask, then cut into rows: Right where positions are sorted and different. Must positions be sorted?
          x.gather(1, index) => x[x.new_zeros(x.shape[:2]).bool().scatter(1, positions, True)].view_as(index)
       or x.gather(1, index)
          => x[x.new_zeros(x.shape[:2]).bool().scatter(1, positions, True)].view(len(x), -1, x.shape[-1])
    - positions are put in order: The right positions, but sorted. The labels come in the order of `positions`.
          index = positions => index = positions.sort(1).values
    - the answer is cut off from the graph
          x.gather => x.detach().gather
    """,
    hints="""
    - For sentence b and place j you want the vector x[b, positions[b, j]].
    - One way is x.gather(1, index): its index has the shape of the answer, (B, k, D), the same position D times.
    - Another way is to index with two tensors, of sentences and of positions: a column of torch.arange(B) is stretched.
    """,
)

HEAD = of_tensors(
    "06.head",
    title="From a hidden state to a score for every word",
    twin=Twin(ENCODER + "Head", lambda module, x, *w: answer_of(module, (w[-1], *w[:-2]), (x, w[-2]), x.shape[-1])),
    answers_in=(ENCODER + "Head.forward",),
    minutes=15,
    cases=(
        Case("one position, four words", (normal(91, 1, 3), *head_weights(92, 3, 4))),
        Case("a hidden state alone", (normal(98, 4), *head_weights(99, 4, 3))),
        Case("two sentences of three positions", (normal(101, 2, 3, 4), *head_weights(102, 4, 7))),
        Case("as many words as numbers", (normal(111, 2, 2, 5), *head_weights(112, 5, 5))),
        Case("numbers that lie close together", (normal(131, 2, 4), *head_weights(132, 4, 5, scale=1e-6))),
        Case("large numbers", (normal(121, 3, 4, scale=20), *head_weights(122, 4, 9))),
    ),
    habits=("leading x 1", "unchanged x"),
    helpers={"normed": normed},
    mistakes=f"""{NORM_MISTAKES}
    - the decoder is a copy of the word embeddings: No gradient reaches `words`: a copy would go its own way.
          x, words => x, words.detach()
    - the transform is missing: dense_weight and dense_bias are not used: a dense layer comes before the decoder.
          F.linear(x, dense_weight, dense_bias) => x
    - no GELU: What stands between the dense layer and the LayerNorm?
          F.gelu( => (
    - ReLU in place of GELU: The structure is right. BERT's activation is GELU, in the head as in the blocks.
          F.gelu( => F.relu(
    - the dense bias is missing: dense_weight is used, dense_bias is not.
          , dense_bias)) => ))
    - a matrix is turned round
          linear(x, dense_weight => linear(x, dense_weight.T
       or x, words => x, words.T
    - the answer is cut off from the graph
          x, words, word_bias) => x, words, word_bias).detach()
       or linear(x, dense_weight => linear(x.detach(), dense_weight
    - the tanh formula for GELU: Off in the fourth digit. BERT's GELU is the exact one, made of erf.
          dense_bias)) => dense_bias), approximate="tanh")
    - LayerNorm before GELU: Both are there, in the other order. In the head the activation comes first.
          F.gelu( => (
          return => x = F.gelu(x); return
    - no bias for the words: Each word has a number besides its vector, which tells mostly how frequent it is.
          x, words, word_bias => x, words
    - probabilities, not logits: There is a softmax in your head. The loss takes the softmax, where it is stable.
          x, words, word_bias) => x, words, word_bias).softmax(-1)
       or x, words, word_bias) => x, words, word_bias).log_softmax(-1)
    """,
    hints="""
    - Four steps: a linear layer, GELU, LayerNorm, and a second linear layer.
    - F.linear(x, weight, bias) with a weight of shape (V, D) takes D numbers to V: words already has that shape.
    - F.gelu is the exact one unless told otherwise; F.layer_norm wants gain.shape, gain, bias and eps = 1e-12.
    """,
)

LABELS = np.array([[3, 1, -100], [0, -100, -100]])
EXCLUDED = np.array([[[0, 1, -np.inf], [-np.inf, 2, 0.5]], [[-1e10, -2e10, -np.inf], [1, -np.inf, 0]]])
MASKED_LOSS = of_tensors(
    "06.masked-loss",
    title="The loss, padding left out",
    minutes=15,
    cases=(
        Case("one sentence, one label", (normal(131, 1, 1, 3), np.array([[2]]))),
        Case("one label and one place of padding", (normal(132, 1, 2, 3), np.array([[1, -100]]))),
        Case("padding first, as many places as words", (normal(138, 2, 3, 3), np.array([[-100, 0, 1], [2, 1, -100]]))),
        Case("two labels and one label", (normal(133, 2, 3, 5), LABELS)),
        Case("three sentences, all labeled", (normal(134, 3, 4, 6), grid(3, 4) * 5 % 6)),
        Case("no label at all", (normal(136, 2, 3, 5), np.full((2, 3), -100))),
        Case("logits in the thousands", (normal(137, 2, 3, 5, scale=3000), LABELS)),
        Case("excluded tokens, of score -inf", (EXCLUDED, np.array([[1, -100], [0, 2]]))),
    ),
    atol=5e-7,  # a sum that meets a score of -1e10 on its way has no more digits
    habits=("unequal counts labels", "low scores logits", "unchanged logits", "unchanged labels"),
    mistakes="""
    - NaN where nothing is selected: Without a label the mean is 0 / 0. By what could you divide that is never zero?
          .clamp(min=1) =>
    - a zero that has forgotten its logits: backward() on a new zero is an error. Can a zero come from the logits?
          return total => return logits.new_zeros(()) if (labels == -100).all() else total
    - the mean is taken over padding too: You divide by B times k: padding makes your loss small. How many labels are
      there?
          (labels != -100).sum().clamp(min=1) => labels.numel()
    - a mean of means: A label counts more where there are few in its sentence. Every label should count the same.
          instead:
              sums = F.cross_entropy(logits.transpose(1, 2), labels, reduction="none").sum(1)
              return (sums / (labels != -100).sum(1).clamp(min=1)).mean()
    - a sum, not a mean: The loss grows with the number of labels. By what is the sum to be divided?
          / (labels != -100).sum().clamp(min=1) =>
    - divided by the number of sentences: The loss grows with the questions in a sentence. How many labels are there?
          (labels != -100).sum().clamp(min=1) => len(labels)
    - the number of labels is made larger: Every loss comes out too small. Only a count of zero needs to be another.
          (labels != -100).sum().clamp(min=1) => ((labels != -100).sum() + 1)
       or (labels != -100).sum().clamp(min=1) => ((labels != -100).sum() + 1e-6)
    - the logarithm of a softmax: Infinite where a probability is rounded to 0. How did chapter 02 take the logarithm?
          cross_entropy(logits.flatten(0, 1) => nll_loss(logits.softmax(-1).log().flatten(0, 1)
    - padding is multiplied by zero: 0 times infinity is NaN. Can padding be left out instead?
          labels.flatten(), reduction="sum")
          => labels.flatten().clamp(min=0), reduction="none").mul(labels.flatten() != -100).sum()
    - padding counts as token 0: You make token 0 of -100. Nothing is to be predicted where the label is -100.
          labels.flatten(), => labels.flatten().clamp(min=0),
    - token 0 counts as padding: A true label 0 is left out, too. Which number is it that no token has?
          labels.flatten(), => labels.flatten().clamp(min=0), ignore_index=0,
          labels != -100 => labels > 0
       or labels != -100 => labels > 0
    - places are mixed with words: F.cross_entropy takes axis 1 for the words. Which axis of the logits holds the words?
          logits.flatten(0, 1), labels.flatten() => logits.reshape(len(labels), -1, labels.shape[1]), labels
       or logits.flatten(0, 1), labels.flatten() => logits, labels
    - bits
          return total => return 1.4426950408889634 * total
    - softmax twice: F.cross_entropy takes logits. With probabilities the loss never falls much below log V.
          logits.flatten(0, 1) => logits.softmax(-1).flatten(0, 1)
    - the answer is cut off from the graph
          cross_entropy(logits => cross_entropy(logits.detach()
    """,
    hints="""
    - F.cross_entropy wants (N, V) logits and (N,) labels: lay the sentences end to end with flatten.
    - It leaves -100 out by itself. With reduction='sum' it divides by nothing, so that you can.
    - Count the labels that are not -100; .clamp(min=1) keeps the count from being zero, and 0 / 1 is 0.
    """,
)

BLOCK_MISTAKES = """
    - one matrix for queries, keys and values
          4 * => 2 *
    - the attention's last layer is missing
          4 * => 3 *
    - there is only one block
          L * =>
"""
COUNT_PARAMETERS = Exercise(
    id="06.count-parameters",
    title="How many numbers does it learn?",
    twin=Twin(CONFIG + "count_parameters", lambda count, *shape: count(shape_of(*shape))),
    minutes=15,
    cases=(
        Case("one block of width 2", (7, 2, 1, 3, 4, 1)),
        Case("no block at all", (10, 3, 0, 5, 6, 2)),
        Case("two blocks", (11, 4, 2, 16, 8)),
        Case("three segments", (13, 5, 3, 7, 11, 3)),
        Case("BERT-base", (30522, 768, 12, 3072, 512)),
    ),
    mistakes=f"""{BLOCK_MISTAKES}
    - the decoder is counted on its own: Too high by V D. The decoder's matrix is the table of words, stored once.
          return embeddings => return V * D + embeddings
    - LayerNorms are missing: One follows the embeddings, two stand in each block, one in the head, of 2 D numbers each.
          norm = 2 * D => norm = 0
    - a block has one LayerNorm: One follows the attention, another the feed-forward part, of 2 D numbers each.
          layer(inner, D) + norm => layer(inner, D)
    - 4 D numbers of each block are missing: Two LayerNorms have so much, or four biases. Are all norms and biases
      counted?
          4 * layer(D, D) => 4 * D * D
    - a LayerNorm outside the blocks is missing: One LayerNorm follows the embeddings, and one stands in the head.
          types) * D + norm => types) * D
       or types) * D + norm => types) * D
          norm + V => V
    - LayerNorm without its bias: A LayerNorm has two vectors of D numbers, gain and bias.
          norm = 2 * D => norm = D
    - the feed-forward part is taken to be 4 D wide
          embeddings = => inner = 4 * D; embeddings =
    - the biases of the linear layers are missing: Every linear layer has a bias, a number for each output.
          n * m + m => n * m
       or 4 * layer(D, D) => 4 * D * D + D
       or layer(inner, D) => inner * D
    - the head is missing: After the last hidden state come a dense layer, a LayerNorm and a bias for every word.
          head = layer(D, D) + norm + V => head = 0
    - the bias of the words is missing: Too low by V. Tied or not, the decoder has a bias for every word.
          norm + V => norm
    - the head's dense layer is missing
          head = layer(D, D) + => head =
    - a table is missing: Three tables have V, P and `types` rows. Which of the three tables do you count?
          V + P + types => V
       or V + P + types => V + P
       or V + P + types => V + types
    - always two segments are counted: Right where there are two, as in BERT. The number of segments is an argument.
          V + P + types => V + P + 2
    - a layer of the feed-forward part is missing
          + layer(D, inner) =>
       or + layer(inner, D) =>
    - biases of the feed-forward part are off: A bias has a number for each output. How many outputs has each layer?
          layer(D, inner) + layer(inner, D) => 2 * D * inner
       or layer(D, inner) + layer(inner, D) => D * inner + layer(inner, D)
       or layer(D, inner) + layer(inner, D) => 2 * layer(D, inner)
       or layer(D, inner) + layer(inner, D) => 2 * layer(inner, D)
    """,
    hints="""
    - Go from the entrance to the exit: three tables and a LayerNorm; L times a block; the head.
    - A layer from n to m numbers has n m + m, a LayerNorm 2 D. A block has six layers, four of them from D to D.
    - The head has a layer from D to D, a LayerNorm and V biases. For BERT-base the sum is 109,514,298.
    """,
)

FORWARD_FLOPS = Exercise(
    id="06.forward-flops",
    title="What a forward pass costs",
    twin=Twin(
        CONFIG + "training_flops_per_token",
        lambda training, B, T, k, *shape: round(B * T * training(shape_of(*shape), T, k / T) / 3),
    ),
    minutes=20,
    cases=(
        Case("one sentence of two positions, one predicted", (1, 2, 1, 5, 3, 1, 4)),
        Case("no block", (1, 4, 2, 7, 3, 0, 5)),
        Case("two blocks, every position predicted", (2, 5, 5, 11, 4, 2, 16)),
        Case("BERT-base, 128 positions, 19 predicted", (8, 128, 19, 30522, 768, 12, 3072)),
    ),
    mistakes=f"""{BLOCK_MISTAKES}
    - additions are not counted: Each term of a product is a multiplication and an addition.
          2 * n => n
    - logits at every position: Right where every position is predicted. The head runs at k positions of a sentence.
          head = => k = T; head =
    - scores and reading are missing: The layers are counted. Which two products of attention have no weights in them?
          (layers + attention) => layers
    - one product in the attention: Two have the same size: queries with keys, and weights with values.
          + product(T, T, D) =>
    - attention counted as if it were linear in T: Every query meets every key: T squared pairs in each sentence.
          (product(T, D, T) + product(T, T, D)) => 2 * product(T, D, 1)
    - all sentences attend to each other: You count (B T) squared pairs. A query meets keys of its own sentence.
          attention = B * => attention = B * B *
    - the head's dense layer is missing
          product(B * k, D, D) + =>
    - the decoder is missing: Tied, the decoder's matrix is free to store, but not to multiply with where words are
      predicted.
          + product(B * k, D, V) =>
    - the head is missing: After the last hidden state come two products at k positions of each sentence.
          + head =>
    - a layer of the feed-forward part is missing
          + product(B * T, inner, D) =>
       or + product(B * T, D, inner) + product(B * T, inner, D) =>
    - the feed-forward part is taken to be 4 D wide
          layers = => inner = 4 * D; layers =
    - the head works once, not for every sentence: Right for one sentence. Each of B sentences has k positions.
          product(B * k, D, D) + product(B * k, D, V) => product(k, D, D) + product(k, D, V)
    - the head's dense layer works everywhere: Positions are picked out before the head, its first layer included.
          product(B * k, D, D) => product(B * T, D, D)
    - attention for one sentence: Right for one sentence. Each of B sentences has T squared pairs of positions.
          attention = B * => attention =
    - one sentence only: You are too low by a factor of B. How many sentences are there?
          layers = => B = 1; layers =
    - the head in every block: Right for one block. The head stands behind the last one and works once.
          L * (layers + attention) + head => L * (layers + attention + head)
    """,
    hints="""
    - An (n, m) matrix times an (m, p) matrix takes 2 n m p operations. Which is n for a layer at B T positions?
    - In each sentence attention adds two products, all heads together: (T, D) times (D, T), and (T, T) times (T, D).
    - The head works at B k positions: once from D to D, once from D to V.
    """,
)

EXERCISES = (EMBEDDINGS, SELF_ATTENTION, GATHER_POSITIONS, HEAD, MASKED_LOSS, COUNT_PARAMETERS, FORWARD_FLOPS)
