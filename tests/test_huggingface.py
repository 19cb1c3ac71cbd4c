"""Hugging Face's BertForMaskedLM as the judge of our encoder, and the folders that both must be able to open."""

import json
import os

os.environ["HF_HUB_OFFLINE"] = "1"  # read when the libraries are imported: nothing here may need a network

import numpy as np
import pytest
import safetensors.torch
import tokenizers
import torch
from devices import DEVICES
from tokenizers import models

from mlm_mini.languages import SPECIAL_TOKENS, Vocabulary, train_characters, train_wordpiece
from mlm_mini.model import (
    LoadReport,
    MaskedLM,
    ModelConfig,
    WordLevel,
    huggingface,
    load_pretrained,
    load_tokenizer,
    save_pretrained,
)
from mlm_mini.model import encoder as encoder_module

pytestmark = pytest.mark.usefixtures("one_thread")
transformers = pytest.importorskip("transformers")
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

TOLERANCE = 1e-5
CONFIGS = {
    "narrow": ModelConfig.tiny(61, hidden_size=24, num_attention_heads=3, intermediate_size=50),
    "tiny": ModelConfig.tiny(300),
    "mini": ModelConfig.mini(1000, type_vocab_size=3, layer_norm_eps=1e-9, max_position_embeddings=40),
}
WORDS = ["the", "a", "chef", "doctor", "cuts", "sees", "bread", "patient", "park", "in", "."]
SENTENCES = ["the chef cuts the bread .", "a doctor sees the patient in the park .", "the patient sees a park ."]


def roughen(model, seed):
    """Weights with standard deviation 0.06, and gains and biases that are not neutral, so that differences show."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            gain = weight.ndim == 1 and name.lower().endswith("norm.weight")
            weight.copy_(torch.randn(weight.shape, generator=generator) * (0.06 if weight.ndim > 1 else 0.3) + gain)
    return model.eval()


def our_model(config, seed=0):
    return roughen(MaskedLM(config, None).to_empty(device="cpu"), seed)


def their_model(config, seed=0):
    fields = json.loads(config.to_json())
    return roughen(transformers.BertForMaskedLM(transformers.BertConfig(**fields)), seed)


def padded_batch(config, seed=0):
    rng = np.random.default_rng(seed)
    ids, types = rng.integers(0, config.vocab_size, (4, 33)), rng.integers(0, config.type_vocab_size, (4, 33))
    return torch.tensor(ids), torch.arange(33) < torch.tensor([[33], [20], [7], [1]]), torch.tensor(types)


def difference(ours, theirs):
    """The largest between the logits at tokens, with and without token types, on the device of theirs."""
    device = next(theirs.parameters()).device
    ids, mask, types = (tensor.to(device) for tensor in padded_batch(ours.config))
    ours = ours.to(device)
    with torch.no_grad():
        plain = ours(ids, mask) - theirs(input_ids=ids, attention_mask=mask.long()).logits
        typed = theirs(input_ids=ids, attention_mask=mask.long(), token_type_ids=types).logits
        assert typed.std() > 0.3
        typed = ours(ids, mask, token_type_ids=types) - typed
    return max(plain[mask].abs().max().item(), typed[mask].abs().max().item())


def words_for(config):
    return Vocabulary([*SPECIAL_TOKENS, *(f"w{i}" for i in range(config.vocab_size - 5))])


@pytest.fixture
def folder(tmp_path):
    """A folder with a small model as transformers saves it."""
    their_model(CONFIGS["narrow"]).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def edit_weights(folder, edit):
    weights = safetensors.torch.load_file(folder / "model.safetensors")
    safetensors.torch.save_file(edit(weights), folder / "model.safetensors", {"format": "pt"})


def edit_config(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


# The same logits, both ways


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("size", CONFIGS)
def test_what_they_save_we_load(size, device, tmp_path):
    theirs = their_model(CONFIGS[size])
    theirs.save_pretrained(tmp_path)
    ours, report = load_pretrained(tmp_path)
    assert report == LoadReport()
    assert ours.config == CONFIGS[size]
    assert not ours.training
    assert all(weight.requires_grad for weight in ours.parameters())
    assert difference(ours, theirs.to(device)) < TOLERANCE


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("size", CONFIGS)
def test_what_we_save_they_load(size, device, tmp_path):
    ours = our_model(CONFIGS[size])
    save_pretrained(ours, tmp_path, words_for(CONFIGS[size]))
    theirs, info = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(info.values())
    assert type(theirs) is transformers.BertForMaskedLM
    assert difference(ours, theirs.to(device).eval()) < TOLERANCE
    assert sum(p.numel() for p in theirs.parameters()) == ours.config.count_parameters()
    for name, field in json.loads(ours.config.to_json()).items():
        assert getattr(theirs.config, name) == field
    again, _ = load_pretrained(tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), ours.cpu().parameters(), strict=True))


def test_a_tanh_gelu_would_be_seen(folder, monkeypatch):
    theirs = their_model(CONFIGS["narrow"])
    ours, _ = load_pretrained(folder)
    gelu = torch.nn.functional.gelu
    monkeypatch.setattr(encoder_module.F, "gelu", lambda x: gelu(x, approximate="tanh"))
    measured = difference(ours, theirs)
    monkeypatch.undo()
    assert measured > 3 * TOLERANCE
    assert difference(ours, theirs) < TOLERANCE


def test_a_wrong_epsilon_would_be_seen(folder):
    theirs = their_model(CONFIGS["narrow"])
    ours, _ = load_pretrained(folder)
    for module in ours.modules():
        if isinstance(module, torch.nn.LayerNorm):
            assert module.eps == 1e-12
            module.eps = 1e-5
    assert difference(ours, theirs) > 3 * TOLERANCE


def test_the_parameters_of_bert_base():
    with torch.device("meta"):
        theirs = transformers.BertForMaskedLM(transformers.BertConfig())
    assert sum(weight.numel() for weight in theirs.parameters()) == ModelConfig.base().count_parameters()


# Checkpoints of every age


def test_old_names_are_read_and_reported(folder):
    theirs = their_model(CONFIGS["narrow"])

    def age(weights):
        extra = {
            "bert.pooler.dense.weight": torch.ones(24, 24),
            "bert.pooler.dense.bias": torch.ones(24),
            "cls.seq_relationship.weight": torch.ones(2, 24),
            "cls.seq_relationship.bias": torch.ones(2),
            "bert.embeddings.position_ids": torch.arange(128)[None],
            "cls.predictions.decoder.weight": weights["bert.embeddings.word_embeddings.weight"].clone(),
            "cls.predictions.decoder.bias": weights.pop("cls.predictions.bias"),  # under this name alone
        }
        old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
        for new, name in old.items():
            weights = {key.replace(new, name): weight for key, weight in weights.items()}
        return weights | extra

    edit_weights(folder, age)
    ours, report = load_pretrained(folder)
    assert difference(ours, theirs) < TOLERANCE
    assert len(report.renamed) == 2 * (1 + 2 * 2 + 1) + 1
    assert "bert.embeddings.LayerNorm.gamma" in report.renamed
    assert sorted(report.ignored) == [
        "bert.embeddings.position_ids",
        "bert.pooler.dense.bias",
        "bert.pooler.dense.weight",
        "cls.predictions.decoder.weight",
        "cls.seq_relationship.bias",
        "cls.seq_relationship.weight",
    ]
    assert "13 weights had old names" in str(report)
    assert "bert.pooler.dense.weight" in str(report)
    assert str(LoadReport()) == "every weight was expected under its name"


def test_a_pretraining_checkpoint_is_read(tmp_path):
    config = transformers.BertConfig(**json.loads(CONFIGS["narrow"].to_json()))
    theirs = roughen(transformers.BertForPreTraining(config), 0)
    theirs.save_pretrained(tmp_path)
    ours, report = load_pretrained(tmp_path)
    assert {name.rpartition(".")[0] for name in report.ignored} == {"bert.pooler.dense", "cls.seq_relationship"}
    ids, mask, _ = padded_batch(ours.config)
    with torch.no_grad():
        expected = theirs(input_ids=ids, attention_mask=mask.long()).prediction_logits
        torch.testing.assert_close(ours(ids, mask)[mask], expected[mask], rtol=0, atol=TOLERANCE)


def test_shards_and_half_precision_are_read(tmp_path):
    theirs = their_model(CONFIGS["tiny"]).half()
    theirs.save_pretrained(tmp_path, max_shard_size="200KB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 1
    ours, _ = load_pretrained(tmp_path)
    assert all(weight.dtype == torch.float32 for weight in ours.parameters())
    assert difference(ours, theirs.float()) < TOLERANCE
    next(tmp_path.glob("model-*.safetensors")).unlink()
    with pytest.raises(FileNotFoundError, match=r"model-0000\S+ is missing"):
        load_pretrained(tmp_path)
    for content in ("{}", '{"weight_map": {"a": [1]}}'):
        (tmp_path / "model.safetensors.index.json").write_text(content)
        with pytest.raises(ValueError, match=r"index\.json has no weight_map"):
            load_pretrained(tmp_path)


def test_shards_are_looked_for_beside_their_index_and_nowhere_else(tmp_path):
    folder = tmp_path / "model"
    their_model(CONFIGS["tiny"]).save_pretrained(folder, max_shard_size="200KB")
    index = folder / "model.safetensors.index.json"
    content = json.loads(index.read_text())
    for name in set(content["weight_map"].values()):
        (folder / name).rename(tmp_path / name)
    content["weight_map"] = {weight: f"../{name}" for weight, name in content["weight_map"].items()}
    index.write_text(json.dumps(content))
    with pytest.raises(FileNotFoundError, match=r"model/model-00001\S+ is missing"):
        load_pretrained(folder)


# What is refused


BIAS = "cls.predictions.transform.dense.bias"


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda w: {n: t for n, t in w.items() if n != BIAS}, f"it lacks {BIAS}"),
        (lambda w: w | {"classifier.weight": torch.ones(2)}, "it adds classifier.weight"),
        (lambda w: {n.removeprefix("bert."): t for n, t in w.items()}, "it lacks bert.embeddings.*it adds embeddings"),
        (lambda w: {f"module.{n}": t for n, t in w.items()}, r"save what is inside, by model\.module\.save_pretrained"),
        (
            lambda w: {n: t for n, t in w.items() if n.startswith("bert.")},
            r"\w and 1 more; without cls\.predictions, the",
        ),
        (lambda w: w | {BIAS: torch.ones(7)}, rf"{BIAS} has shape \(7,\), but config.json says \(24,\)"),
        (lambda w: w | {BIAS: torch.ones(24, dtype=torch.int8)}, f"{BIAS} has dtype torch.int8; quantized"),
        (
            lambda w: w | {"cls.predictions.decoder.weight": torch.ones(61, 24)},
            "decoder.weight differs from bert.embed",
        ),
    ],
)
def test_weights_that_do_not_fit_are_named(folder, edit, said):
    edit_weights(folder, edit)
    with pytest.raises(ValueError, match=said):
        load_pretrained(folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hidden_act": "gelu_new"}, "hidden_act is 'gelu_new'; this encoder implements 'gelu' only"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type is 'relative_key'"),
        ({"tie_word_embeddings": False}, "tie_word_embeddings is False"),
        ({"is_decoder": True}, "is_decoder is True"),
        ({"is_causal": True}, "is_causal is True; this encoder implements False only"),
        ({"model_type": "roberta"}, "model_type is 'roberta'; this encoder implements 'bert' only"),
        ({"quantization_config": {"bits": 8}}, "quantization_config"),
        ({"add_cross_attention": True}, "add_cross_attention is True; this encoder implements False only"),
        ({"pruned_heads": {"0": [1]}}, "pruned_heads is "),
        ({"num_attention_heads": 5}, "hidden_size is 24 and num_attention_heads 5"),
        ({"num_hidden_layers": 3}, "it lacks bert.encoder.layer.2.attention"),
        ({"num_hidden_layers": 1}, "it adds bert.encoder.layer.1.attention"),
        ({"vocab_size": 62}, "word_embeddings.weight has shape"),
        ({"vocab_size": None}, "vocab_size is None"),
    ],
)
def test_configs_that_do_not_fit_are_named(folder, changes, said):
    edit_config(folder, **changes)
    with pytest.raises(ValueError, match=said):
        load_pretrained(folder)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 1e300])
def test_weights_that_are_not_finite_are_named(folder, number):
    def spoil(weights):
        weight = weights[BIAS].double()
        weight[3] = number
        return weights | {BIAS: weight}

    edit_weights(folder, spoil)
    with pytest.raises(ValueError, match=f"{BIAS} holds NaN or infinite numbers"):
        load_pretrained(folder)


@pytest.mark.parametrize("power", [5, 9, 12, 400])
@pytest.mark.parametrize("field", ["num_hidden_layers", "hidden_size", "vocab_size", "intermediate_size"])
def test_a_config_of_absurd_size_is_refused_before_memory_is_asked_for(folder, field, power):
    edit_config(folder, **{field: 10**power, "num_attention_heads": 1})
    said = r"describes a model of .* weights \(.* GB\), and the files hold"
    with pytest.raises(ValueError, match=said if power < 13 else f"{field} is 10000.*: expected at most"):
        load_pretrained(folder)


def test_a_config_without_a_size_or_without_json(folder):
    path = folder / "config.json"
    config = json.loads(path.read_text())
    del config["hidden_size"]
    path.write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"config\.json: .*hidden_size"):
        load_pretrained(folder)
    for content, said in (
        (b"{", "is not JSON"),
        (b"[]", "holds no JSON object"),
        (b"\xff", "is not JSON"),
        (b'{"vocab_size": ' + b"1" * 5000 + b"}", "is not JSON"),  # more digits than Python reads
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=said):
            load_pretrained(folder)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"config\.json is missing: expected a model's folder, with config"):
        load_pretrained(folder)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="whoever may read anything is not refused")
@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_file_that_may_not_be_read_is_not_called_missing(name, folder):
    (folder / name).chmod(0)
    with pytest.raises(PermissionError, match=name):
        load_pretrained(folder)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pth", "last.ckpt", "model.pkl"])
def test_pickles_are_refused_with_a_remedy(folder, name):
    model = folder / "model.safetensors"
    (folder / name).write_bytes(b"\x80")
    load_pretrained(folder)  # one that lies beside the safetensors file is not looked at
    model.unlink()
    for path in (folder, folder / name):
        with pytest.raises(ValueError, match=r"AutoModelForMaskedLM.from_pretrained\(folder\).save_pretrained"):
            load_pretrained(path)


def test_pickles_beside_shards_are_not_looked_at(tmp_path):
    their_model(CONFIGS["tiny"]).save_pretrained(tmp_path, max_shard_size="200KB")
    assert not (tmp_path / "model.safetensors").exists()
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80")
    load_pretrained(tmp_path)


def test_damaged_and_missing_files(folder, tmp_path):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"model\.safetensors is not a safetensors file, or is cut short"):
        load_pretrained(folder)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors is missing: expected a model's folder"):
        load_pretrained(folder)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        load_pretrained(tmp_path / "nowhere")


# Tokenizers


@pytest.fixture(scope="module")
def wordpiece():
    return train_wordpiece(SENTENCES * 3, 260)


@pytest.mark.parametrize("kind", ["words", "pieces"])
def test_fill_mask_gives_our_top_five(kind, tmp_path, wordpiece):
    tokenizer = WordLevel(Vocabulary([*SPECIAL_TOKENS, *WORDS])) if kind == "words" else wordpiece
    model = our_model(ModelConfig.tiny(len(tokenizer.vocabulary)), seed=3)
    save_pretrained(model, tmp_path, tokenizer)
    ours = load_tokenizer(tmp_path)
    assert type(ours) is type(tokenizer)
    fill = transformers.pipeline("fill-mask", model=str(tmp_path), top_k=5, device="cpu")
    for text in ("The chef [MASK] the bread.", "a [MASK] sees the patient in the park ."):
        ids = torch.tensor(ours.encode(text))[None]
        positions = (ids == ours.vocabulary.mask_id).nonzero()[:, 1:]
        with torch.no_grad():
            top = load_pretrained(tmp_path)[0](ids, positions=positions).softmax(-1)[0, 0].topk(5)
        theirs = fill(text)
        assert [row["token"] for row in theirs] == top.indices.tolist()
        np.testing.assert_allclose([row["score"] for row in theirs], top.values, rtol=1e-5)
        assert [row["token_str"].replace(" ", "") for row in theirs] == ours.tokens(top.indices.numpy())


@pytest.mark.parametrize("kind", ["words", "pieces"])
def test_the_tokenizer_comes_back_the_same(kind, tmp_path, wordpiece):
    tokenizer = WordLevel(Vocabulary([*SPECIAL_TOKENS, *WORDS])) if kind == "words" else wordpiece
    save_pretrained(our_model(ModelConfig.tiny(len(tokenizer.vocabulary))), tmp_path, tokenizer)
    again, theirs = load_tokenizer(tmp_path), transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert again.to_json() == tokenizer.to_json()
    assert again.vocabulary == tokenizer.vocabulary
    assert theirs.model_max_length == 128
    for special in ("pad", "unk", "cls", "sep", "mask"):
        assert getattr(theirs, f"{special}_token_id") == getattr(tokenizer.vocabulary, f"{special}_id")
    for text in (*SENTENCES, "The Chef\ncuts, [MASK] zebra?!", ""):
        expected = tokenizer.encode(text).tolist()
        assert again.encode(text).tolist() == theirs(text)["input_ids"] == expected
    batch = theirs(SENTENCES, padding=True, return_tensors="pt")
    assert batch["attention_mask"].sum(1).tolist() == [len(tokenizer.encode(text)) for text in SENTENCES]


def test_words_are_cut_as_the_language_does():
    from mlm_mini.languages.scene_grammar import scene_language

    language = scene_language()
    tokenizer = WordLevel(language.vocabulary)
    sample = language.sample(200, np.random.default_rng(0))
    for i in range(len(sample)):
        text = sample.text(i).capitalize().replace(" .", ".")
        ids = tokenizer.encode(text)
        np.testing.assert_array_equal(ids, sample.ids[i, : len(ids)])
        assert tokenizer.decode(ids) == sample.text(i)


def test_capitals_are_kept_where_the_vocabulary_has_them():
    tokenizer = WordLevel(Vocabulary([*SPECIAL_TOKENS, "M", "K", "V"]))
    assert tokenizer.encode("M k [MASK] V").tolist() == [2, 5, 1, 4, 7, 3]
    assert tokenizer.tokens([5, 4]) == ["M", "[MASK]"]
    assert tokenizer.decode([2, 5, 4, 1, 6, 3, 0]) == "M [MASK] [UNK] K"


@pytest.mark.parametrize(
    ("tokenizer", "one", "other"),
    [
        (WordLevel(Vocabulary([*SPECIAL_TOKENS, *WORDS])), "the chef", "a park"),
        (train_characters(["abcd"], 300), "ab", "cd"),
    ],
)
def test_a_pair_of_texts_is_framed_as_bert_has_it(tokenizer, one, other):
    found = tokenizers.Tokenizer.from_str(tokenizer.to_json()).encode(one, other)
    parts = [text.split() if " " in text else list(text) for text in (one, other)]
    assert found.tokens == ["[CLS]", *parts[0], "[SEP]", *parts[1], "[SEP]"]
    assert found.type_ids == [0, 0, 0, 0, 1, 1, 1]


def test_padding_that_is_not_the_first_token_is_said_in_the_config(tmp_path):
    words = Vocabulary(["the", *SPECIAL_TOKENS[::-1]])
    save_pretrained(our_model(ModelConfig.tiny(6)), tmp_path, words)
    assert json.loads((tmp_path / "config.json").read_text())["pad_token_id"] == words.pad_id == 5


def test_tokenizers_that_do_not_fit(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"tokenizer\.json is missing: bring the tokenizer .*; .*AutoTokenizer"):
        load_tokenizer(folder)
    path = folder / "tokenizer.json"
    path.write_text("{}")
    with pytest.raises(ValueError, match=r"tokenizer\.json is not a tokenizer"):
        load_tokenizer(folder)
    ids = {token: i for i, token in enumerate([*SPECIAL_TOKENS, *WORDS])}
    path.write_text(tokenizers.Tokenizer(models.WordLevel(ids, unk_token="[UNK]")).to_str())
    with pytest.raises(ValueError, match="in a way of its own"):
        load_tokenizer(folder)
    path.write_text(tokenizers.Tokenizer(models.BPE(ids, [])).to_str())
    with pytest.raises(ValueError, match="a BPE tokenizer is not WordPiece"):
        load_tokenizer(folder)
    with pytest.raises(ValueError, match="'ice cream' is not one word"):
        WordLevel(Vocabulary([*SPECIAL_TOKENS, "ice cream"]))
    with pytest.raises(ValueError, match="the vocabulary has 16 tokens and the model 61"):
        save_pretrained(our_model(CONFIGS["narrow"]), tmp_path / "new", Vocabulary([*SPECIAL_TOKENS, *WORDS]))
    assert not (tmp_path / "new").exists()


# Saving


def test_saving_over_a_loaded_folder(tmp_path):
    config = CONFIGS["narrow"]
    save_pretrained(our_model(config, 0), tmp_path, words_for(config))
    model, _ = load_pretrained(tmp_path)
    with torch.no_grad():
        model.head.bias += 1
    save_pretrained(model.double(), tmp_path, words_for(config))
    again, _ = load_pretrained(tmp_path)
    assert torch.equal(again.head.bias, model.head.bias.float())
    assert sorted(os.listdir(tmp_path)) == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]


def test_a_full_disk_leaves_the_old_model(tmp_path, monkeypatch):
    config = CONFIGS["narrow"]
    save_pretrained(our_model(config, 0), tmp_path, words_for(config))
    before, _ = load_pretrained(tmp_path)

    def full(tensors, file, metadata):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(huggingface.safetensors.torch, "save_file", full)
    with pytest.raises(OSError, match=r"No space left on device.*is intact"):
        save_pretrained(our_model(CONFIGS["tiny"], 1), tmp_path, words_for(CONFIGS["tiny"]))
    after, _ = load_pretrained(tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(before.parameters(), after.parameters(), strict=True))
    assert len(os.listdir(tmp_path)) == 4
