"""The NumPy encoder, layer by layer: against PyTorch's own operations, by hand, and the laws each layer must obey.

That the whole of it agrees with our PyTorch encoder, gradients included, is in test_model.py.
"""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erf as scipy_erf

from mlm_mini import reference as ref
from mlm_mini.reference.layers import erf

pytestmark = [
    pytest.mark.filterwarnings("error"),  # a NumPy warning is a number that went wrong on the way
    pytest.mark.usefixtures("one_thread"),
]
examples = settings(max_examples=40, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)
sides = st.integers(1, 5)
leadings = st.lists(st.integers(0, 3), max_size=2)
mask_kinds = st.sampled_from(["none", "padding", "causal", "both", "random"])


def leaf(array):
    return torch.tensor(array, requires_grad=True)


def draw_mask(kind, rng, leading, T, S):
    """A mask for scores (*leading, T, S), or None; "padding" and "random" may hide every key from a query."""
    padding = rng.random((*leading, 1, S)) < 0.6
    causal = np.tri(T, S, dtype=bool)
    full = rng.random((*leading, T, S)) < 0.5
    return {"none": None, "padding": padding, "causal": causal, "both": padding & causal, "random": full}[kind]


def torch_attention(q, k, v, mask):
    """From the definition, with a 0 in place of each 0 / 0."""
    scores = q @ k.mT / q.shape[-1] ** 0.5
    if mask is None:
        return scores.softmax(-1) @ v
    mask = torch.tensor(mask)
    exp = torch.where(mask, (scores - scores.amax(-1, keepdim=True)).exp(), 0.0)
    return exp / exp.sum(-1, keepdim=True).clamp_min(1e-300) @ v


# Attention


@examples
@given(leadings, sides, sides, sides, mask_kinds, seeds)
def test_attention_and_its_gradient_agree_with_autograd(leading, T, S, d, kind, seed):
    rng = np.random.default_rng(seed)
    q, k, v = (rng.normal(size=(*leading, n, d)) for n in (T, S, S))
    upstream, mask = rng.normal(size=q.shape), draw_mask(kind, rng, leading, T, S)
    leaves = [leaf(a) for a in (q, k, v)]
    expected = torch_attention(*leaves, mask)
    np.testing.assert_allclose(ref.scaled_dot_product_attention(q, k, v, mask), expected.detach(), atol=1e-13)
    expected.backward(torch.tensor(upstream))
    for ours, theirs in zip(ref.scaled_dot_product_attention_gradient(upstream, q, k, v, mask), leaves, strict=True):
        np.testing.assert_allclose(ours, theirs.grad, atol=1e-12)


@examples
@given(st.integers(1, 3), sides, st.sampled_from(["none", "padding", "causal"]), seeds)
def test_attention_agrees_with_pytorchs_own(B, T, kind, seed):
    rng = np.random.default_rng(seed)
    q, k, v = (rng.normal(size=(B, 2, T, 4)) for _ in range(3))
    mask = draw_mask(kind, rng, (B, 1), T, T)
    mask = mask if mask is None else mask | np.eye(T, dtype=bool)  # where a row is empty PyTorch promises nothing
    theirs = F.scaled_dot_product_attention(
        *map(torch.tensor, (q, k, v)), attn_mask=mask if mask is None else torch.tensor(mask)
    )
    np.testing.assert_allclose(ref.scaled_dot_product_attention(q, k, v, mask), theirs, atol=1e-13)


def test_attention_by_hand():
    q, k = np.array([[1.0, 0.0]]), np.array([[0.0, 9.0], [np.sqrt(2) * np.log(3), 0.0]])
    np.testing.assert_allclose(ref.attention_weights(q, k), [[0.25, 0.75]], rtol=1e-15)
    np.testing.assert_allclose(ref.scaled_dot_product_attention(q, k, [[4.0], [8.0]]), [[7.0]], rtol=1e-15)
    np.testing.assert_array_equal(ref.attention_weights(q, k, [[True, False]]), [[1.0, 0.0]])


def test_a_query_that_sees_nothing_reads_nothing():
    rng = np.random.default_rng(0)
    q, k, v, upstream = rng.normal(size=(4, 2, 3, 5))
    mask = np.ones((2, 3, 3), bool)
    mask[1, 2] = False
    A = ref.attention_weights(q, k, mask)
    np.testing.assert_allclose(A.sum(-1), [[1, 1, 1], [1, 1, 0]], rtol=1e-15)
    assert (ref.scaled_dot_product_attention(q, k, v, mask)[1, 2] == 0).all()
    dq, dk, dv = ref.scaled_dot_product_attention_gradient(upstream, q, k, v, mask)
    assert (dq[1, 2] == 0).all()
    nothing = ref.scaled_dot_product_attention_gradient(upstream, q, k, v, np.zeros((3, 3), bool))
    assert all((d == 0).all() for d in nothing)
    assert np.isfinite(dk).all()
    assert np.isfinite(dv).all()


def test_scores_of_ten_thousand_do_not_overflow():
    q = k = np.array([[100.0], [-100.0]])
    np.testing.assert_array_equal(ref.attention_weights(q, k), np.eye(2))


def test_attention_knows_no_order_but_by_a_causal_mask():
    rng = np.random.default_rng(3)
    q, k, v = rng.normal(size=(3, 6, 4))
    order = np.array([3, 0, 5, 1, 4, 2])
    shuffled = (q[order], k[order], v[order])
    assert ref.attention is ref.scaled_dot_product_attention
    np.testing.assert_allclose(ref.attention(*shuffled), ref.attention(q, k, v)[order], rtol=0, atol=1e-12)
    causal = [ref.attention(*given, ref.causal_mask(6)) for given in (shuffled, (q, k, v))]
    assert np.abs(causal[0] - causal[1][order]).max() > 0.1


def test_the_masks():
    np.testing.assert_array_equal(ref.causal_mask(3), [[1, 0, 0], [1, 1, 0], [1, 1, 1]])
    mask = ref.padding_mask([[1, 1, 0], [1, 0, 0]])
    assert mask.shape == (2, 1, 1, 3)
    assert mask.dtype == bool
    np.testing.assert_array_equal(mask[:, 0, 0], [[True, True, False], [True, False, False]])
    np.testing.assert_array_equal(mask, ref.padding_mask(mask[:, 0, 0]))
    for wrong in ([1, 1], [[1.0, 0.0]], [[0, 2]], [[0, -10000]]):
        with pytest.raises(ValueError, match="expected \\(B, T\\), bool or 1"):
            ref.padding_mask(wrong)


def test_heads_are_split_in_order_and_joined_again():
    x = np.arange(2 * 3 * 6).reshape(2, 3, 6)
    heads = ref.split_heads(x, 2)
    assert heads.shape == (2, 2, 3, 3)
    np.testing.assert_array_equal(heads[1, 0, 2], x[1, 2, :3])
    np.testing.assert_array_equal(ref.join_heads(heads), x)
    for H in (0, 4):
        with pytest.raises(ValueError, match=f"a width of 6 cannot be shared by {H} heads"):
            ref.split_heads(x, H)


def attention_weights_dict(rng, D):
    names = ("self.query", "self.key", "self.value", "output.dense")
    return {f"{n}.weight": rng.normal(size=(D, D)) for n in names} | {f"{n}.bias": rng.normal(size=D) for n in names}


@examples
@given(leadings, sides, sides, sides, mask_kinds, seeds)
def test_multi_head_attention_and_its_gradient_agree_with_autograd(leading, T, H, d, kind, seed):
    rng = np.random.default_rng(seed)
    x, weights, upstream = rng.normal(size=(*leading, T, H * d)), attention_weights_dict(rng, H * d), None
    mask = draw_mask(kind, rng, (*leading, 1), T, T)
    tx, tw = leaf(x), {name: leaf(w) for name, w in weights.items()}
    q, k, v = (
        F.linear(tx, tw[f"self.{n}.weight"], tw[f"self.{n}.bias"]).unflatten(-1, (H, d)).transpose(-3, -2)
        for n in ("query", "key", "value")
    )
    y = torch_attention(q, k, v, mask).transpose(-3, -2).flatten(-2)
    expected = F.linear(y, tw["output.dense.weight"], tw["output.dense.bias"])
    upstream = rng.normal(size=expected.shape)
    expected.backward(torch.tensor(upstream))

    np.testing.assert_allclose(ref.multi_head_attention(x, weights, H, mask), expected.detach(), atol=1e-11)
    dx, gradients = ref.multi_head_attention_gradient(upstream, x, weights, H, mask)
    np.testing.assert_allclose(dx, tx.grad, atol=1e-10)
    assert gradients.keys() == weights.keys()
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, tw[name].grad, atol=1e-10)


def test_multi_head_attention_agrees_with_pytorchs_own():
    rng = np.random.default_rng(0)
    weights, x = attention_weights_dict(rng, 6), rng.normal(size=(2, 4, 6))
    theirs = torch.nn.MultiheadAttention(6, 3, batch_first=True, dtype=torch.float64)
    state = {
        "in_proj_weight": np.concatenate([weights[f"self.{n}.weight"] for n in ("query", "key", "value")]),
        "in_proj_bias": np.concatenate([weights[f"self.{n}.bias"] for n in ("query", "key", "value")]),
        "out_proj.weight": weights["output.dense.weight"],
        "out_proj.bias": weights["output.dense.bias"],
    }
    theirs.load_state_dict({name: torch.tensor(array) for name, array in state.items()})
    tx, hidden = torch.tensor(x), torch.tensor([[False] * 4, [False, False, True, True]])
    expected, _ = theirs(tx, tx, tx, key_padding_mask=hidden)
    ours = ref.multi_head_attention(x, weights, 3, ref.padding_mask(~hidden.numpy()))
    np.testing.assert_allclose(ours, expected.detach(), atol=1e-12)


# The layers of one position


@examples
@given(leadings, sides, seeds)
def test_layer_norm_and_its_gradient_agree_with_torch(leading, D, seed):
    rng = np.random.default_rng(seed)
    x, gain, bias = rng.normal(size=(*leading, D)), rng.normal(size=D), rng.normal(size=D)
    upstream = rng.normal(size=x.shape)
    for eps in (1e-12, 1e-5, 0.5):
        leaves = [leaf(a) for a in (x, gain, bias)]
        expected = F.layer_norm(leaves[0], (D,), leaves[1], leaves[2], eps)
        expected.backward(torch.tensor(upstream))
        np.testing.assert_allclose(ref.layer_norm(x, gain, bias, eps), expected.detach(), atol=1e-12)
        if D > 1:  # a single number has no variance: with eps 1e-12 its gradient is 0 or a millionfold rounding error
            for ours, theirs in zip(ref.layer_norm_gradient(upstream, x, gain, eps), leaves, strict=True):
                np.testing.assert_allclose(ours, theirs.grad, rtol=1e-8, atol=1e-9)


def test_layer_norm_by_hand():
    np.testing.assert_allclose(ref.layer_norm([1.0, 2.0, 3.0], np.ones(3), 5), 5 + np.sqrt(1.5) * np.array([-1, 0, 1]))
    np.testing.assert_array_equal(ref.layer_norm(np.full((2, 4), 7.0), np.ones(4), np.arange(4)), [np.arange(4)] * 2)
    assert ref.LAYER_NORM_EPS == 1e-12


def test_gelu_is_the_erf_one():
    x = np.concatenate([np.linspace(-40, 40, 4001), [0.0, 1e-300, -1e-300]])
    np.testing.assert_allclose(erf(x), scipy_erf(x), rtol=1e-15, atol=0)
    tx = leaf(x)
    expected = F.gelu(tx)
    expected.sum().backward()
    np.testing.assert_allclose(ref.gelu(x), expected.detach(), atol=1e-14)
    np.testing.assert_allclose(ref.gelu_gradient(np.ones_like(x), x), tx.grad, atol=1e-14)
    difference = np.abs(ref.gelu(x) - F.gelu(torch.tensor(x), approximate="tanh").numpy()).max()
    assert 4e-4 < difference < 5e-4
    assert ref.gelu(np.zeros((0, 3))).shape == (0, 3)


@examples
@given(leadings, sides, sides, seeds)
def test_linear_and_its_gradient_agree_with_torch(leading, D, E, seed):
    rng = np.random.default_rng(seed)
    x, weight, bias = rng.normal(size=(*leading, D)), rng.normal(size=(E, D)), rng.normal(size=E)
    leaves = [leaf(a) for a in (x, weight, bias)]
    expected = F.linear(*leaves)
    upstream = rng.normal(size=expected.shape)
    expected.backward(torch.tensor(upstream))
    np.testing.assert_allclose(ref.linear(x, weight, bias), expected.detach(), atol=1e-13)
    for ours, theirs in zip(ref.linear_gradient(upstream, x, weight), leaves, strict=True):
        np.testing.assert_allclose(ours, theirs.grad, atol=1e-13)


# The encoder


def encoder_weights(rng, V=9, D=4, inner=6, L=2, P=5):
    """Weights of a model with two heads, large enough that nothing is nearly linear."""

    def layer(name, *shape):
        return {f"{name}.weight": rng.normal(0.5, 0.5, shape), f"{name}.bias": rng.normal(size=shape[0])}

    tables = {"word": V, "position": P, "token_type": 2}
    weights = {f"bert.embeddings.{t}_embeddings.weight": rng.normal(size=(n, D)) for t, n in tables.items()}
    weights |= layer("bert.embeddings.LayerNorm", D)
    for i in range(L):
        block = f"bert.encoder.layer.{i}."
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            weights |= layer(f"{block}attention.{name}", D, D)
        weights |= layer(f"{block}attention.output.LayerNorm", D) | layer(f"{block}output.LayerNorm", D)
        weights |= layer(f"{block}intermediate.dense", inner, D) | layer(f"{block}output.dense", D, inner)
    weights |= layer("cls.predictions.transform.dense", D, D) | layer("cls.predictions.transform.LayerNorm", D)
    return weights | {"cls.predictions.bias": rng.normal(size=V)}


IDS = np.array([[2, 5, 4, 6, 3], [2, 7, 7, 3, 0]])
ATTENTION_MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]])
LABELS = np.array([[-100, 8, 5, -100, -100], [-100, -100, 7, -100, -100]])


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("positions", [None, np.array([[1, 2], [2, 2]])])
def test_the_whole_gradient_agrees_with_finite_differences(positions, causal):
    """Independent of PyTorch: one number of each weight is moved, and the loss is computed again."""
    rng = np.random.default_rng(0)
    weights = encoder_weights(rng)
    labels = LABELS if positions is None else np.array([[8, 5], [7, -100]])

    def loss():
        return ref.cross_entropy(ref.masked_lm(IDS, weights, 2, ATTENTION_MASK, positions, causal), labels)

    upstream = ref.cross_entropy_gradient(ref.masked_lm(IDS, weights, 2, ATTENTION_MASK, positions, causal), labels)
    gradients = ref.masked_lm_gradient(upstream, IDS, weights, 2, ATTENTION_MASK, positions, causal)
    assert gradients.keys() == weights.keys()
    for name, gradient in gradients.items():
        assert gradient.shape == weights[name].shape
        place = np.unravel_index(np.abs(gradient).argmax(), gradient.shape)  # where there is most to get wrong
        kept, step, losses = weights[name][place], 1e-5, []
        for moved in (kept - step, kept + step):
            weights[name][place] = moved
            losses.append(loss())
        weights[name][place] = kept
        np.testing.assert_allclose(gradient[place], (losses[1] - losses[0]) / (2 * step), atol=1e-7, err_msg=name)


def test_positions_pick_rows_of_the_dense_logits():
    weights = encoder_weights(np.random.default_rng(1))
    dense = ref.masked_lm(IDS, weights, 2, ATTENTION_MASK)
    positions = np.array([[4, 0, 0], [1, 2, 3]])
    picked = ref.masked_lm(IDS, weights, 2, ATTENTION_MASK, positions)
    np.testing.assert_allclose(picked, np.take_along_axis(dense, positions[..., None], 1), rtol=1e-13)
    for wrong, said in (
        ([[5], [0]], "positions\\[0, 0\\] is 5"),
        ([[0], [-1]], "is -1"),
        ([[0]], "expected \\(2, k\\)"),
    ):
        with pytest.raises(ValueError, match=said):
            ref.masked_lm(IDS, weights, 2, ATTENTION_MASK, wrong)


def test_padding_changes_nothing_and_the_future_stays_unseen():
    weights = encoder_weights(np.random.default_rng(2))
    alone = ref.encoder(IDS[1:, :4], weights, 2)
    np.testing.assert_allclose(ref.encoder(IDS, weights, 2, ATTENTION_MASK)[1:, :4], alone, atol=1e-12)
    changed = IDS.copy()
    changed[:, 3:] = 8
    before, after = (ref.encoder(ids, weights, 2, causal=True) for ids in (IDS, changed))
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert not np.allclose(before[:, 3:], after[:, 3:])


def test_type_zero_is_added_and_other_types_can_be_given():
    weights = encoder_weights(np.random.default_rng(3))
    zeros, ones = np.zeros_like(IDS), np.ones_like(IDS)
    np.testing.assert_array_equal(ref.encoder(IDS, weights, 2), ref.encoder(IDS, weights, 2, token_type_ids=zeros))
    assert not np.allclose(ref.encoder(IDS, weights, 2), ref.encoder(IDS, weights, 2, token_type_ids=ones))
    without = weights | {"bert.embeddings.token_type_embeddings.weight": np.zeros((2, 4))}
    assert not np.allclose(ref.encoder(IDS, weights, 2), ref.encoder(IDS, without, 2))


def test_hidden_states_and_attention_maps():
    weights = encoder_weights(np.random.default_rng(4))
    states = ref.hidden_states(IDS, weights, 2, ATTENTION_MASK)
    assert [state.shape for state in states] == [(2, 5, 4)] * 3
    np.testing.assert_array_equal(states[-1], ref.encoder(IDS, weights, 2, ATTENTION_MASK))
    maps = ref.attention_maps(IDS, weights, 2, ATTENTION_MASK)
    assert maps.shape == (2, 2, 2, 5, 5)
    np.testing.assert_allclose(maps.sum(-1), 1, rtol=1e-14)
    assert (maps[:, 1, :, :, 4] == 0).all()
    assert (np.triu(ref.attention_maps(IDS, weights, 2, causal=True), 1) == 0).all()


def test_ten_blocks_are_read_in_order():
    """Block 10 comes after block 9, not after block 1."""
    weights = encoder_weights(np.random.default_rng(5), L=11)
    x = ref.hidden_states(IDS, weights, 2)[-2]
    last = {n.removeprefix("bert.encoder.layer.10."): w for n, w in weights.items() if ".layer.10." in n}
    np.testing.assert_array_equal(ref.encoder(IDS, weights, 2), ref.encoder_block(x, last, 2))


# What callers can get wrong


def test_inputs_are_left_as_they_are():
    weights = encoder_weights(np.random.default_rng(6))
    given = [IDS.copy(), ATTENTION_MASK.copy(), *(w.copy() for w in weights.values())]
    logits = ref.masked_lm(IDS, weights, 2, ATTENTION_MASK)
    upstream = ref.cross_entropy_gradient(logits, LABELS)
    kept = upstream.copy()
    ref.masked_lm_gradient(upstream, IDS, weights, 2, ATTENTION_MASK)
    np.testing.assert_array_equal(upstream, kept)
    for before, after in zip(given, (IDS, ATTENTION_MASK, *weights.values()), strict=True):
        np.testing.assert_array_equal(before, after)


def test_float32_weights_are_computed_with_in_float64():
    weights = {name: w.astype(np.float32) for name, w in encoder_weights(np.random.default_rng(7)).items()}
    logits = ref.masked_lm(IDS, weights, 2)
    assert logits.dtype == np.float64
    exact = ref.masked_lm(IDS, {name: w.astype(np.float64) for name, w in weights.items()}, 2)
    np.testing.assert_array_equal(logits, exact)


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"ids": [[9, 0]]}, ValueError, r"ids\[0, 0\] is 9: expected a token id from 0 to 8"),
        ({"ids": [[0.0]]}, TypeError, "ids has dtype float64"),
        ({"ids": [1, 2]}, ValueError, r"ids has shape \(2,\): expected \(B, T\)"),
        ({"ids": [[0] * 6]}, ValueError, "T at most 5 positions"),
        (
            {"ids": [[1, 2]], "attention_mask": [[1]]},
            ValueError,
            r"attention_mask has shape \(1, 1\): expected \(1, 2\)",
        ),
        ({"ids": [[1, 2]], "token_type_ids": [[0]]}, ValueError, r"token_type_ids has shape \(1, 1\)"),
        ({"ids": [[1, 2]], "token_type_ids": [[0, 2]]}, ValueError, r"token_type_ids\[0, 1\] is 2"),
        ({"ids": [[1, 2]], "H": 3}, ValueError, "a width of 4 cannot be shared by 3 heads"),
    ],
)
def test_what_the_encoder_refuses(arguments, error, said):
    weights = encoder_weights(np.random.default_rng(8))
    with pytest.raises(error, match=said):
        ref.masked_lm(**{"weights": weights, "H": 2} | arguments)


def test_a_missing_weight_is_named():
    weights = encoder_weights(np.random.default_rng(9))
    del weights["bert.encoder.layer.1.output.dense.bias"]
    with pytest.raises(KeyError, match=r"output\.dense\.bias"):
        ref.encoder(IDS, weights, 2)


@pytest.mark.parametrize(
    ("shapes", "mask", "error", "said"),
    [
        (((2, 3), (2, 4), (2, 3)), None, ValueError, r"q has shape \(2, 3\) and k \(2, 4\)"),
        (((1, 2, 3), (2, 2, 3), (2, 2, 3)), None, ValueError, "expected \\(..., T, d\\) and"),
        (((3,), (3,), (3,)), None, ValueError, "v"),
        (((2, 3), (2, 3), (4, 3)), None, ValueError, "one value for each key"),
        (((2, 3), (0, 3), (0, 3)), None, ValueError, "at least one token"),
        (((2, 3), (2, 3), (2, 3)), np.ones((3, 3), bool), ValueError, r"mask has shape \(3, 3\)"),
        (((2, 3), (2, 3), (2, 3)), np.ones((2, 2)), TypeError, "mask has dtype float64"),
    ],
)
def test_what_attention_refuses(shapes, mask, error, said):
    with pytest.raises(error, match=said):
        ref.scaled_dot_product_attention(*map(np.ones, shapes), mask)


def test_attention_refuses_nan():
    with pytest.raises(ValueError, match="nan"):
        ref.attention_weights(np.full((1, 2), np.nan), np.ones((1, 2)))
