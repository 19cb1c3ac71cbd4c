"""The PyTorch encoder against the NumPy one, its head at chosen positions, its configurations and devices."""

import contextlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from devices import DEVICES, GPU, NOT_MPS
from hypothesis import given, settings
from hypothesis import strategies as st

from mlm_mini import reference as ref
from mlm_mini.model import (
    MaskedLM,
    ModelConfig,
    autocast,
    choose_device,
    deterministic,
    encoder,
    from_hugging_face,
    to_hugging_face,
    to_numpy,
)
from mlm_mini.model.encoder import attend

pytestmark = pytest.mark.usefixtures("one_thread")
V = 23
SMALL = {"hidden_size": 12, "num_attention_heads": 3, "intermediate_size": 20, "max_position_embeddings": 9}
FORWARD, GRADIENT, SINGLE = 1e-10, 1e-8, 1e-5  # the largest differences allowed: float64, float64, float32


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def rough_model(config, seed, dtype=torch.float64):
    """Weights with standard deviation 0.3 and no neutral gain or bias, so that every term counts."""
    model = MaskedLM(config, seeded(seed)).to(dtype).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            mean = 1.0 if name.endswith("norm.weight") else 0.0
            weight.copy_(torch.randn(weight.shape, generator=seeded(seed + len(name))) * 0.3 + mean)
    return model


def small_model(seed=0, **changes):
    return rough_model(ModelConfig.tiny(V, **SMALL | changes), seed)


# Parity with NumPy


@st.composite
def calls(draw):
    """A model's shape, and a batch with any padding (whole sentences too), any positions, causal or not."""
    heads, width = draw(st.integers(1, 3)), draw(st.integers(1, 5))
    config = ModelConfig.tiny(
        V,
        hidden_size=max(heads * width, 2),  # a LayerNorm of one number is constant
        num_attention_heads=heads if heads * width > 1 else 1,
        num_hidden_layers=draw(st.integers(1, 3)),
        intermediate_size=draw(st.integers(1, 9)),
        max_position_embeddings=8,
    )
    B, T, k = draw(st.integers(1, 3)), draw(st.integers(1, 8)), draw(st.integers(1, 4))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    batch = {
        "ids": rng.integers(0, V, (B, T)),
        "attention_mask": draw(st.sampled_from([None, rng.random((B, T)) < 0.7, np.tri(B, T, T - B, dtype=np.int64)])),
        "positions": rng.integers(0, T, (B, k)) if draw(st.booleans()) else None,
        "causal": draw(st.booleans()),
        "token_type_ids": rng.integers(0, 2, (B, T)) if draw(st.booleans()) else None,
    }
    return config, batch, seed % 1000


def as_tensors(batch, device="cpu"):
    return {
        name: torch.tensor(value, device=device) if isinstance(value, np.ndarray) else value
        for name, value in batch.items()
    }


@pytest.mark.parametrize("device", NOT_MPS)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(calls())
def test_logits_and_gradients_agree_with_numpy(device, call):
    config, batch, seed = call
    model, H, L = rough_model(config, seed).to(device), config.num_attention_heads, config.num_hidden_layers
    weights = to_numpy(model.state_dict(), L)
    for trim in (False, True):
        logits = model(**as_tensors(batch, device), trim=trim)
        expected = ref.masked_lm(weights=weights, H=H, **batch)
        np.testing.assert_allclose(expected, logits.detach().cpu(), rtol=0, atol=FORWARD)
        upstream = np.random.default_rng(seed).normal(size=logits.shape)
        model.zero_grad()
        logits.backward(torch.tensor(upstream, device=device))
        gradients = to_numpy({name: weight.grad for name, weight in model.named_parameters()}, L)
        ours = ref.masked_lm_gradient(upstream, weights=weights, H=H, **batch)
        assert ours.keys() == gradients.keys() == weights.keys()
        for name in ours:
            np.testing.assert_allclose(ours[name], gradients[name], rtol=0, atol=GRADIENT, err_msg=name)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("size", ["tiny", "mini"])
def test_float32_agrees_with_numpy_at_real_sizes(size, device):
    config = getattr(ModelConfig, size)(200)
    model = rough_model(config, 0, torch.float32)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim == 2:
                weight.mul_(0.2)  # standard deviation 0.06
    rng = np.random.default_rng(0)
    batch = {"ids": rng.integers(0, 200, (2, 24)), "attention_mask": np.arange(24) < [[24], [15]]}
    expected = ref.masked_lm(
        weights=to_numpy(model.state_dict(), config.num_hidden_layers), H=config.num_attention_heads, **batch
    )
    logits = model.to(device)(**as_tensors(batch, device)).detach().cpu()
    assert logits.std() > 0.5
    np.testing.assert_allclose(logits, expected, rtol=0, atol=SINGLE)


@pytest.mark.parametrize("device", DEVICES)
def test_a_sentence_that_is_all_padding_is_defined(device):
    """Forward and backward, in training mode too; what NumPy makes of it is compared above."""
    model = small_model(hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1).train().float().to(device)
    ids = torch.randint(V, (2, 5), generator=seeded(0)).to(device)
    mask = torch.tensor([[True] * 5, [False] * 5], device=device)
    for causal in (False, True):
        logits = model(ids, mask, causal=causal)
        assert logits.isfinite().all()
        model.zero_grad()
        logits.square().sum().backward()
        assert all(weight.grad.isfinite().all() for weight in model.parameters())


# The head at chosen positions


@pytest.mark.parametrize("device", NOT_MPS)
def test_the_loss_at_positions_is_the_dense_loss(device):
    model = small_model(3).to(device)
    rng = np.random.default_rng(0)
    ids = torch.tensor(rng.integers(0, V, (6, 9)))
    positions = torch.tensor(np.stack([rng.choice(9, 3, replace=False) for _ in range(6)]))
    targets = torch.tensor(rng.integers(0, V, (6, 3)))
    targets[2, 1:], targets[4] = -100, -100  # sentences with fewer than k, and with none
    labels = torch.full_like(ids, -100).scatter_(1, positions, targets)
    ids, positions, targets, labels = (tensor.to(device) for tensor in (ids, positions, targets, labels))

    losses, gradients = [], []
    for logits, wanted in ((model(ids), labels), (model(ids, positions=positions), targets)):
        model.zero_grad()
        loss = F.cross_entropy(logits.flatten(0, 1), wanted.flatten())
        loss.backward()
        losses.append(loss.item())
        gradients.append([weight.grad.clone() for weight in model.parameters()])
    assert abs(losses[0] - losses[1]) < 1e-12
    for dense, picked in zip(*gradients, strict=True):
        torch.testing.assert_close(dense, picked, rtol=0, atol=1e-12)
    single = model.float()
    pair = (single(ids), labels), (single(ids, positions=positions), targets)
    dense, picked = (F.cross_entropy(logits.flatten(0, 1), wanted.flatten()).item() for logits, wanted in pair)
    assert abs(dense - picked) < 1e-6


def test_per_sentence_gradients_by_vmap():
    """What the chapter on gradient variance needs: no step of the forward pass depends on the values in the batch."""
    model = small_model(4)
    ids, positions = torch.randint(V, (4, 6), generator=seeded(1)), torch.tensor([[0, 2], [1, 5], [3, 3], [4, 0]])
    mask = torch.arange(6) < torch.tensor([[6], [6], [4], [5]])
    targets = torch.randint(V, (4, 2), generator=seeded(2))
    weights = {name: weight.detach() for name, weight in model.named_parameters()}

    def loss(weights, ids, mask, positions, targets):
        one = [argument[None] for argument in (ids, mask, positions)]  # (T,) -> (1, T)
        return F.cross_entropy(torch.func.functional_call(model, weights, tuple(one))[0], targets)

    each_gradient = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0, 0, 0))
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):  # vmap would run the fused one row by row
        each = each_gradient(weights, ids, mask, positions, targets)
    F.cross_entropy(model(ids, mask, positions).flatten(0, 1), targets.flatten()).backward()
    for name, weight in model.named_parameters():
        torch.testing.assert_close(each[name].mean(0), weight.grad, rtol=0, atol=1e-10)


# What a model must and must not see


def test_padding_changes_nothing_and_the_future_stays_unseen():
    model = small_model(5)
    ids = torch.randint(V, (2, 9), generator=seeded(3))
    mask = torch.ones(2, 9, dtype=torch.int64)
    mask[1, 6:] = 0
    torch.testing.assert_close(model(ids, mask)[1, :6], model(ids[1:, :6])[0], rtol=0, atol=1e-12)
    torch.testing.assert_close(model(ids, mask), model(ids, mask.bool()), rtol=0, atol=0)
    changed = ids.clone()
    changed[:, 4:] = (changed[:, 4:] + 1) % V
    for attention_mask in (None, torch.ones_like(mask)):
        before, after = (model(i, attention_mask, causal=True) for i in (ids, changed))
        torch.testing.assert_close(before[:, :4], after[:, :4], rtol=0, atol=1e-12)
        assert not torch.allclose(before[:, 4:], after[:, 4:])
    torch.testing.assert_close(
        model(ids, causal=True), model(ids, torch.ones_like(mask), causal=True), atol=1e-12, rtol=0
    )


def only_dropout_at(place):
    """A model in training mode with one dropout left, and the branch that the other one of a block is on cut off."""
    model = small_model(6).train()
    model.embeddings.dropout.p = 0.5 if place == "embeddings" else 0.0
    for block in model.blocks:
        block.dropout.p = 0.5 if place in ("after attention", "after the layers") else 0.0
        block.attention.dropout = 0.5 if place == "attention" else 0.0
        silent = {"after attention": block.contract, "after the layers": block.attention.out}.get(place)
        if silent is not None:
            torch.nn.init.zeros_(silent.weight)
            torch.nn.init.zeros_(silent.bias)
    return model


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("place", ["embeddings", "attention", "after attention", "after the layers"])
def test_each_dropout_acts_by_itself(place, padded):
    model, ids = only_dropout_at(place), torch.tensor([[2, 4, 5, 3]])
    mask = torch.tensor([[True, True, True, False]]) if padded else None
    with torch.random.fork_rng():
        torch.manual_seed(0)
        assert not torch.equal(model(ids, mask), model(ids, mask))
        model.eval()
        assert torch.equal(model(ids, mask), model(ids, mask))


def test_without_any_dropout_training_repeats_itself():
    model, ids = only_dropout_at("nowhere"), torch.tensor([[2, 4, 5, 3]])
    assert torch.equal(model(ids), model(ids))


def test_dropout_acts_in_training_only():
    model = small_model(6, hidden_dropout_prob=0.5, attention_probs_dropout_prob=0.5)
    ids = torch.randint(V, (2, 5), generator=seeded(4))
    torch.testing.assert_close(model(ids), model(ids), rtol=0, atol=0)
    model.train()
    assert not torch.allclose(model(ids), model(ids))


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"ids": [1, 2]}, ValueError, r"ids has shape \(2,\): expected \(B, T\)"),
        ({"ids": [[1] * 10]}, ValueError, "from 1 to max_position_embeddings, 9"),
        ({"ids": [[]]}, ValueError, r"ids has shape \(1, 0\): expected \(B, T\), with T from 1"),
        ({"ids": [[1.0, 2.0]]}, TypeError, "ids has dtype torch.float32: expected integers$"),
        ({"ids": [[V, 2]]}, IndexError, "out of range"),
        ({"ids": [[1, 2]], "attention_mask": [[0.0, -1e9]]}, TypeError, "attention_mask has dtype torch.float32"),
        ({"ids": [[1, 2]], "attention_mask": [[1]]}, ValueError, r"attention_mask has shape \(1, 1\)"),
        ({"ids": [[1, 2]], "token_type_ids": [[0]]}, ValueError, r"token_type_ids has shape \(1, 1\)"),
        ({"ids": [[1, 2]], "positions": [0]}, ValueError, r"positions has shape \(1,\): expected \(1, k\)"),
        ({"ids": [[1, 2]], "positions": [[0], [1]]}, ValueError, r"positions has shape \(2, 1\)"),
    ],
)
def test_what_the_model_refuses(arguments, error, said):
    with pytest.raises(error, match=said):
        small_model()(**{name: torch.tensor(value) for name, value in arguments.items()})


# Weights


def test_the_weights_are_berts_for_our_width_and_repeatable():
    before = torch.get_rng_state()
    model, again = (MaskedLM(ModelConfig.tiny(500), seeded(7)) for _ in range(2))
    assert torch.equal(before, torch.get_rng_state())  # nothing was drawn from the global generator
    other = MaskedLM(ModelConfig.tiny(500), seeded(8))
    std = 0.02 * (768 / 64) ** 0.5  # BERT's, for our width
    for name, weight in model.named_parameters():
        assert torch.equal(weight, again.get_parameter(name))
        assert weight.dtype == torch.float32
        if weight.ndim == 2:
            assert not torch.equal(weight, other.get_parameter(name))
            assert abs(weight.mean()) < std * 6 / weight.numel() ** 0.5
            if weight.numel() > 1000:
                assert abs(weight.std() / std - 1) < 0.05
        else:
            assert (weight == float(name.endswith("norm.weight"))).all()


def test_without_a_generator_there_are_shapes_only():
    model = MaskedLM(ModelConfig.base(), None)
    assert all(weight.is_meta for weight in model.parameters())
    small = small_model()
    empty = MaskedLM(small.config, None)
    empty.load_state_dict(small.state_dict(), assign=True)
    ids = torch.tensor([[1, 2, 3]])
    torch.testing.assert_close(empty.eval()(ids), small(ids), rtol=0, atol=0)
    assert all(weight.requires_grad for weight in empty.parameters())


def test_a_model_is_made_without_pytorchs_compiler():
    """Whose import takes seconds, and which only an optimizer needs."""
    code = (
        "import sys, torch; from mlm_mini.model import MaskedLM, ModelConfig; "
        "MaskedLM(ModelConfig.tiny(10), torch.Generator()); print('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"


def test_names_go_to_hugging_face_and_back():
    model = small_model()
    theirs = to_hugging_face(model.state_dict(), 2)
    assert theirs["bert.encoder.layer.1.attention.self.key.weight"].shape == (12, 12)
    back = from_hugging_face(theirs, 2)
    assert back.keys() == model.state_dict().keys()
    assert all(torch.equal(back[name], weight) for name, weight in model.state_dict().items())
    arrays = to_numpy(model.state_dict(), 2)
    arrays["cls.predictions.bias"][:] = 7  # a copy: the model does not notice
    assert not (model.head.bias == 7).any()


# Configurations


@pytest.mark.parametrize("size", ["tiny", "mini", "small", "base"])
def test_parameters_are_counted_right(size):
    config = getattr(ModelConfig, size)(1000, max_position_embeddings=64)
    assert config.count_parameters() == sum(weight.numel() for weight in MaskedLM(config, None).parameters())


@pytest.mark.parametrize(
    ("size", "shape", "others"),
    [
        ("tiny", (2, 64, 2, 256), (128, 0.0, 0.0, 0.069)),
        ("mini", (2, 128, 4, 512), (128, 0.0, 0.0, 0.049)),
        ("small", (4, 256, 8, 1024), (128, 0.0, 0.0, 0.035)),
        ("base", (12, 768, 12, 3072), (512, 0.1, 0.1, 0.02)),
    ],
)
def test_each_size_has_its_shape(size, shape, others):
    config = ModelConfig.of_size(size, 500, 100)
    blocks = config.num_hidden_layers, config.hidden_size, config.num_attention_heads, config.intermediate_size
    dropout = config.hidden_dropout_prob, config.attention_probs_dropout_prob
    assert (blocks, (config.max_position_embeddings, *dropout, config.initializer_range)) == (shape, others)
    assert (config.vocab_size, config.type_vocab_size, config.layer_norm_eps) == (500, 2, 1e-12)
    for length, positions in ((128, others[0]), (129, 129), (600, 600)):
        assert ModelConfig.of_size(size, 500, length).max_position_embeddings == max(others[0], positions)


def test_base_is_bert_base():
    config = ModelConfig.base()
    assert (config.hidden_size, config.num_hidden_layers, config.num_attention_heads) == (768, 12, 12)
    assert (config.intermediate_size, config.max_position_embeddings, config.vocab_size) == (3072, 512, 30522)
    assert (config.hidden_dropout_prob, config.attention_probs_dropout_prob, config.layer_norm_eps) == (0.1, 0.1, 1e-12)
    assert config.count_parameters() == 109_514_298  # what transformers counts for BertForMaskedLM


def test_training_flops():
    config = ModelConfig.base()
    assert round(config.training_flops_per_token(128, 0.15) / 1e6) == 545
    assert round(config.training_flops_per_token(512, 0.15) / 1e6) == 588
    dense = config.training_flops_per_token(128) / config.training_flops_per_token(128, 0.15)
    assert round(dense, 2) == 1.22


def test_the_heads_share_of_the_work_grows_with_the_vocabulary_and_falls_with_size():
    def share(size, V):
        config = ModelConfig.of_size(size, V)
        return 1 - config.training_flops_per_token(128, 0) / config.training_flops_per_token(128)

    for V in (404, 30_522):
        shares = [share(size, V) for size in ("tiny", "mini", "small", "base")]
        assert shares == sorted(shares, reverse=True)
    assert share("tiny", 404) < share("base", 30_522) < share("tiny", 30_522)


def test_training_flops_against_pytorchs_counter():
    from torch.utils.flop_counter import FlopCounterMode

    config = ModelConfig.tiny(50, **SMALL)
    model, ids = MaskedLM(config, seeded(0)), torch.zeros(2, 8, dtype=torch.int64)
    with FlopCounterMode(display=False) as counter, torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        model(ids).sum().backward()
    assert counter.get_total_flops() == config.training_flops_per_token(8) * ids.numel()

    k, (D, F_, T) = 3, (config.hidden_size, config.intermediate_size, 8)
    positions = torch.zeros(2, k, dtype=torch.int64)
    counted = {}
    for trim in (False, True):
        with (
            FlopCounterMode(display=False) as counter,
            torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH),
        ):
            model(ids, positions=positions, trim=trim).sum().backward()
        counted[trim] = counter.get_total_flops()
    assert counted[False] == config.training_flops_per_token(T, k / T) * ids.numel()
    left_out = 6 * (D * D + 2 * D * F_) + 12 * T * D  # of the last block, at each position that nothing is asked of
    assert counted[False] - counted[True] == left_out * (T - k) * len(ids)


def test_configs_survive_json():
    config = ModelConfig.mini(np.int64(404), layer_norm_eps=1e-6, hidden_dropout_prob=0)
    assert ModelConfig.from_json(config.to_json()) == config
    assert hash(ModelConfig.from_json(config.to_json())) == hash(config)
    assert json.loads(config.to_json())["vocab_size"] == 404


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"num_attention_heads": 3}, ValueError, "hidden_size is 64 and num_attention_heads 3.*must divide"),
        ({"hidden_size": 0}, ValueError, "hidden_size is 0: expected a finite number above 0"),
        ({"vocab_size": -1}, ValueError, "vocab_size is -1"),
        ({"vocab_size": 10.0}, TypeError, "vocab_size is 10.0: expected an integer"),
        ({"num_hidden_layers": True}, TypeError, "num_hidden_layers is True"),
        ({"layer_norm_eps": float("nan")}, ValueError, "layer_norm_eps is nan"),
        ({"initializer_range": float("inf")}, ValueError, "initializer_range is inf"),
        ({"hidden_dropout_prob": 1.0}, ValueError, "hidden_dropout_prob is 1.0: expected a probability"),
        ({"attention_probs_dropout_prob": -0.1}, ValueError, "attention_probs_dropout_prob is -0.1"),
        ({"hidden_dropout_prob": "0.1"}, TypeError, "hidden_dropout_prob is '0.1': expected a number"),
        ({"hidden": 128}, TypeError, "hidden"),
    ],
)
def test_configs_that_make_no_model(changes, error, said):
    with pytest.raises(error, match=said):
        ModelConfig.tiny(**{"vocab_size": 10} | changes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "must be JSON"),
        ("[1]", "must be a JSON object"),
        ('{"vocab_size": 10}', "missing fields \\['attention_probs_dropout_prob'"),
        (
            ModelConfig.tiny(10).to_json().replace('"vocab_size"', '"n_vocab"'),
            "unknown fields \\['n_vocab'\\], missing fields \\['vocab_size'\\]",
        ),
    ],
)
def test_json_that_is_no_config(text, said):
    with pytest.raises(ValueError, match=said):
        ModelConfig.from_json(text)


# Devices


def test_the_device_is_chosen_and_a_missing_one_refused(monkeypatch):
    assert choose_device("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device() == torch.device("cpu")
    for name in ("cuda", "mps", "meta"):
        with pytest.raises(ValueError, match=f"'{name}', which this machine does not have: expected one of cpu"):
            choose_device(name)
    with pytest.raises(ValueError, match="device is 'gpu': expected one of cpu"):
        choose_device("gpu")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device() == torch.device("mps")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert choose_device() == torch.device("cuda")
    with pytest.raises(ValueError, match="'cuda:1', which this machine does not have"):
        choose_device("cuda:1")


def test_bfloat16_is_of_products_alone():
    x, cpu = torch.ones(2, 2), torch.device("cpu")
    for low, expected in ((True, torch.bfloat16), (False, torch.float32)):
        with autocast(cpu, low):
            assert (x @ x).dtype == expected
            assert (x + x).dtype == torch.float32
    assert isinstance(autocast(torch.device("mps"), False), contextlib.nullcontext)


@pytest.mark.filterwarnings("ignore:CUDA is not available")  # where there is no GPU, autocast does nothing
def test_bfloat16_on_a_gpu_is_without_cudnns_attention():
    """It made a gradient NaN. The switch is of the whole process, and is put back."""
    cuda = torch.device("cuda", 0)
    for low in (False, True):
        with contextlib.suppress(KeyError), autocast(cuda, low):
            assert torch.backends.cuda.cudnn_sdp_enabled() is not low
            raise KeyError
        assert torch.backends.cuda.cudnn_sdp_enabled()


@pytest.mark.parametrize("device", NOT_MPS)
def test_a_model_runs_in_bfloat16(device):
    model = MaskedLM(ModelConfig.mini(V), seeded(0)).to(device)
    ids, mask = torch.randint(V, (2, 6), generator=seeded(1)).to(device), torch.ones(2, 6, dtype=torch.bool)
    mask[1, 4:] = False
    positions = torch.tensor([[0, 1], [2, 3]], device=device)
    for seen in (None, mask.to(device)):
        logits, gradients = [], []
        for low in (False, True):
            with autocast(torch.device(device), low):
                logits.append(model(ids, seen, positions, trim=True))
            loss = F.cross_entropy(logits[-1].float().flatten(0, 1), ids.gather(1, positions).flatten())
            gradients.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))]))
        assert logits[1].dtype == torch.bfloat16
        assert (logits[0] - logits[1]).norm() < 0.03 * logits[0].norm()
        assert (gradients[0] - gradients[1]).norm() < 0.05 * gradients[0].norm()


@pytest.mark.parametrize(("masked", "causal"), [(False, False), (True, False), (False, True)])
def test_on_a_cpu_attention_is_computed_in_float32_and_is_the_same_otherwise(masked, causal, monkeypatch):
    q, k, v = torch.randn(3, 2, 2, 5, 4, generator=seeded(0)).bfloat16()
    mask = torch.tensor([[True, True, False, True, False]] * 2)[:, None, None] if masked else None
    found = F.scaled_dot_product_attention
    kinds = []

    def watched(*tensors, **how):
        kinds.append({tensor.dtype for tensor in tensors})
        return found(*tensors, **how)

    monkeypatch.setattr(encoder.F, "scaled_dot_product_attention", watched)
    with autocast(torch.device("cpu"), True):
        low = attend(q, k, v, mask, causal, 0.0)
        dropped = attend(q, k, v, mask, causal, 0.9)
    exact = attend(q.float(), k.float(), v.float(), mask, causal, 0.0)
    assert kinds == [{torch.float32}] * 3
    torch.testing.assert_close(low, exact, rtol=0, atol=1e-6)
    assert not torch.allclose(dropped, exact, atol=0.1)


def test_determinism_is_on_request():
    before = torch.are_deterministic_algorithms_enabled()
    with deterministic():
        assert torch.are_deterministic_algorithms_enabled()
        model = MaskedLM(ModelConfig.tiny(V, **SMALL), seeded(0))
        mask = torch.ones(2, 6, dtype=torch.bool)
        model(torch.zeros(2, 6, dtype=torch.int64), mask, torch.tensor([[0, 0], [1, 2]])).sum().backward()
    assert torch.are_deterministic_algorithms_enabled() == before
    with pytest.raises(KeyError), deterministic():
        raise KeyError
    assert torch.are_deterministic_algorithms_enabled() == before


def test_determinism_is_strict_tells_cublas_and_leaves_what_was_asked_for_before(monkeypatch):
    name = "CUBLAS_WORKSPACE_CONFIG"
    monkeypatch.delenv(name)
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        for given, found in ((None, ":4096:8"), (":16:8", ":16:8")):
            if given:
                monkeypatch.setenv(name, given)
            with deterministic():
                assert os.environ[name] == found
                assert not torch.is_deterministic_algorithms_warn_only_enabled()
            assert torch.is_deterministic_algorithms_warn_only_enabled()
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.skipif(GPU is None, reason="no GPU here")
def test_a_gpu_agrees_with_the_cpu():
    device, model = choose_device(), rough_model(ModelConfig.mini(200), 0, torch.float32)
    ids = torch.randint(200, (3, 40), generator=seeded(0))
    mask = torch.arange(40) < torch.tensor([[40], [17], [0]])
    for causal in (False, True):
        with deterministic():
            expected = model.cpu()(ids, mask, causal=causal)
            logits = model.to(device)(ids.to(device), mask.to(device), causal=causal)
            torch.testing.assert_close(logits.cpu(), expected, rtol=1e-3, atol=1e-3)
            logits.sum().backward()
