"""Folders as others leave them: `fill` gives what transformers gives, or says by name what it does not do."""

import json
import os

os.environ["HF_HUB_OFFLINE"] = "1"  # read when the libraries are imported: nothing here may need a network

import numpy as np
import pytest
import torch
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors

from mlm_mini.languages import SPECIAL_TOKENS, train_wordpiece
from mlm_mini.model import MaskedLM, ModelConfig, load_tokenizer, save_pretrained
from mlm_mini.training import fill, load_folder, unknown_words

pytestmark = pytest.mark.usefixtures("one_thread")
transformers = pytest.importorskip("transformers")
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

TEXTS = ["The chef cuts the bread.", "a doctor sees the patient in the park .", "An été in Paris: Été, BREAD!"]
QUESTIONS = ("The Chef [MASK] the bread.", "An Été, [MASK] 漢字 patient [MASK] bread!", "[MASK]")


@pytest.fixture(scope="module")
def pieces():
    return train_wordpiece(TEXTS * 3, 300)


@pytest.fixture
def folder(tmp_path, pieces):
    """A random BERT of 64 positions, whose beliefs depend on every position."""
    shape = ModelConfig.tiny(len(pieces.vocabulary), max_position_embeddings=64, initializer_range=0.4)
    save_pretrained(MaskedLM(shape, torch.Generator().manual_seed(0)), tmp_path, pieces)
    return tmp_path


def edit(path, **changes):
    """Changes fields of a JSON file; a field that becomes ... is taken out."""
    content = json.loads(path.read_text(encoding="utf-8")) | changes
    content = {name: value for name, value in content.items() if value is not ...}
    path.write_text(json.dumps(content), encoding="utf-8")


def edit_file(folder, **changes):
    edit(folder / "tokenizer.json", **changes)


def edit_settings(folder, **changes):
    edit(folder / "tokenizer_config.json", **changes)


def parts(**given):
    """The JSON of parts of a pipeline."""
    backend = Tokenizer(models.WordPiece({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2}, unk_token="[UNK]"))
    for name, part in given.items():
        setattr(backend, name, part)
    return {name: json.loads(backend.to_str())[name] for name in given}


def check_against_transformers(folder, texts=QUESTIONS):
    model, tokenizer = load_folder(folder)
    size = len(tokenizer.vocabulary)
    theirs = transformers.pipeline("fill-mask", model=str(folder), device="cpu", top_k=size)
    for text in texts:
        assert tokenizer.encode(text).tolist() == theirs.tokenizer(text)["input_ids"]
        rows = theirs(text)
        rows = rows if isinstance(rows[0], list) else [rows]
        ours = fill(model, tokenizer, text, size, all_tokens=True)
        assert len(ours) == len(rows) == text.count("[MASK]")
        for blank, row in zip(ours, rows, strict=True):
            p = {candidate.token: candidate.probability for candidate in blank}
            q = {tokenizer.vocabulary.tokens[found["token"]]: found["score"] for found in row}
            assert p.keys() == q.keys()
            np.testing.assert_allclose([p[token] for token in q], list(q.values()), rtol=1e-4, atol=1e-7)


# What is done as transformers does it

FIXED = {"strategy": {"Fixed": 40}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0}
PADDING = FIXED | {"pad_type_id": 0, "pad_token": "[PAD]"}
TRUNCATION = {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"padding": PADDING},
        {"padding": PADDING | {"direction": "Left"}},
        {"truncation": TRUNCATION},
        {"truncation": TRUNCATION, "padding": PADDING},
    ],
)
@pytest.mark.parametrize("name", ["PreTrainedTokenizerFast", "BertTokenizerFast"])
def test_truncation_and_padding_of_a_file_are_left_out(folder, changes, name):
    edit_file(folder, **changes)
    edit_settings(folder, tokenizer_class=name)
    check_against_transformers(folder, [*QUESTIONS, "the bread " * 8 + "[MASK] ."])


def test_a_text_is_never_shortened_in_silence(folder):
    edit_file(folder, truncation=TRUNCATION | {"max_length": 64, "stride": 99})  # on which the library would panic
    with pytest.raises(ValueError, match=r"the text has 203 tokens .* and the model 64 positions"):
        fill(*load_folder(folder), "bread " * 200 + "[MASK]")


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"do_lower_case": False},
        {"do_lower_case": True, "strip_accents": False},
        {"do_lower_case": False, "strip_accents": True},
        {"tokenize_chinese_chars": False},
    ],
)
@pytest.mark.parametrize("name", ["BertTokenizer", "PreTrainedTokenizerFast", ...])
def test_the_settings_of_bert(folder, settings, name):
    edit_settings(folder, tokenizer_class=name, **settings)
    check_against_transformers(folder)


def test_a_folder_without_settings(folder):
    edit_file(folder, **parts(normalizer=normalizers.NFC()))
    (folder / "tokenizer_config.json").unlink()
    check_against_transformers(folder)


@pytest.mark.parametrize("name", ["BertTokenizer", "PreTrainedTokenizerFast"])
@pytest.mark.parametrize(
    "given",
    [
        {"normalizer": normalizers.BertNormalizer(lowercase=False)},
        {"normalizer": normalizers.Sequence([normalizers.NFD(), normalizers.Replace("e", "a")])},
        {"pre_tokenizer": pre_tokenizers.WhitespaceSplit()},
        {"post_processor": processors.BertProcessing(("[SEP]", 102), ("[CLS]", 101))},
    ],
)
def test_a_pipeline_of_another_kind(folder, name, given):
    edit_file(folder, **parts(**given))
    edit_settings(folder, tokenizer_class=name)
    check_against_transformers(folder)


@pytest.mark.parametrize("name", ["BertTokenizer", "PreTrainedTokenizerFast"])
def test_added_tokens(folder, name):
    backend = Tokenizer.from_file(str(folder / "tokenizer.json"))
    size = backend.get_vocab_size()
    backend.add_tokens([AddedToken("the bread", lstrip=True, normalized=False), AddedToken("[E1]", special=True)])
    backend.save(str(folder / "tokenizer.json"))
    edit_settings(folder, tokenizer_class=name)
    shape = ModelConfig.tiny(size + 2, max_position_embeddings=64, initializer_range=0.4)
    settings, file = ((folder / f"tokenizer{end}.json").read_text() for end in ("_config", ""))
    save_pretrained(MaskedLM(shape, torch.Generator().manual_seed(1)), folder, load_tokenizer(folder))
    (folder / "tokenizer_config.json").write_text(settings)
    (folder / "tokenizer.json").write_text(file)
    check_against_transformers(folder, [*QUESTIONS, "[E1] chef [MASK] the bread"])
    model, tokenizer = load_folder(folder)
    with pytest.raises(ValueError, match="top is 500: expected a number from 1 to "):
        fill(model, tokenizer, "[MASK]", 500)
    every = fill(model, tokenizer, "[MASK]", len(tokenizer.vocabulary.regular_ids) - 1)[0]
    tokens = {candidate.token for candidate in every}
    assert "the bread" in tokens
    assert not tokens & {"[E1]", "[unused3]", *SPECIAL_TOKENS}


def test_special_tokens_with_other_ids(folder):
    vocabulary = [*SPECIAL_TOKENS[::-1], "the", "bread", "a"]
    backend = Tokenizer(models.WordPiece({token: i for i, token in enumerate(vocabulary)}, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.BertProcessing(("[SEP]", 1), ("[CLS]", 2))
    backend.add_special_tokens(list(SPECIAL_TOKENS))
    backend.save(str(folder / "tokenizer.json"))
    file = (folder / "tokenizer.json").read_text()
    model = MaskedLM(ModelConfig.tiny(8, initializer_range=0.4), torch.Generator().manual_seed(1))
    save_pretrained(model, folder, load_tokenizer(folder))
    (folder / "tokenizer.json").write_text(file)
    check_against_transformers(folder, ["the [MASK] a", "[MASK] zebra"])


# What is refused by name


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"mask_token": "<mask>"}, r"'<mask>' for its mask_token in tokenizer_config.json; this course reads BERT's"),
        ({"cls_token": {"content": "<s>"}}, "has '<s>' for its cls_token"),
        ({"tokenizer_class": "RobertaTokenizer"}, "is for a tokenizer_class 'RobertaTokenizer'; read here: Bert"),
        ({"do_lower_case": "no"}, "has a do_lower_case of 'no' beside it in tokenizer_config.json"),
        ({"tokenize_chinese_chars": 1}, "has a tokenize_chinese_chars of 1 beside it"),
        ({"strip_accents": "yes"}, "has a strip_accents of 'yes' beside it"),
        ({"split_special_tokens": True}, "has split_special_tokens beside it"),
        (
            {"added_tokens_decoder": {"103": {"content": "[MASK]", "lstrip": True}}},
            r"do not agree on the added token '\[MASK\]' \(lstrip",
        ),
        ({"added_tokens_decoder": {"7": {"content": "bread"}}}, r"do not agree on the added token 'bread' \(id"),
        ({"additional_special_tokens": ["[MASK]", "[E1]"]}, r"lacks the added token '\[E1\]', which tokenizer_config"),
        ({"extra_special_tokens": {"image": {"content": "bread"}}}, "lacks the added token 'bread'"),
        ({"bos_token": "bread"}, "lacks the added token 'bread', which tokenizer_config.json has in bos_token"),
        ({"image_token": {"content": "bread"}}, "lacks the added token 'bread', which .* has in image_token"),
        ({"model_specific_special_tokens": {"x": "bread"}}, "lacks the added token 'bread'"),
        ({"added_tokens_decoder": [1]}, r"tokenizer_config.json, is not laid out as Hugging Face does \(Attribute"),
        ({"added_tokens_decoder": {"7": 1}}, r"is not laid out as Hugging Face does \(TypeError"),
    ],
)
def test_settings_that_are_not_done_are_named(folder, settings, said):
    edit_settings(folder, **settings)
    with pytest.raises(ValueError, match=said):
        load_tokenizer(folder)


@pytest.mark.parametrize("flag", ["lstrip", "rstrip", "single_word", "normalized"])
def test_where_an_added_token_is_found_must_be_the_same_in_both_files(folder, flag):
    stored = json.loads((folder / "tokenizer.json").read_text())["added_tokens"]
    listed = {str(token["id"]): dict(token) for token in stored}
    edit_settings(folder, added_tokens_decoder=listed)
    load_tokenizer(folder)
    listed["103"][flag] = not listed["103"][flag]
    edit_settings(folder, added_tokens_decoder=listed)
    with pytest.raises(ValueError, match=rf"do not agree on the added token '\[MASK\]' \({flag}\): save both anew"):
        load_tokenizer(folder)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("special_tokens_map", {"extra_special_tokens": ["<e>"]}, "lacks the added token '<e>', which special_tokens"),
        ("special_tokens_map", {"mask_token": "bread"}, "has 'bread' for its mask_token in special_tokens_map.json"),
        ("added_tokens", {"bread": 300}, "and added_tokens.json do not agree on the added token 'bread'"),
        ("added_tokens", {"[MASK]": 300}, "and added_tokens.json do not agree on the added token"),
    ],
)
def test_older_files_beside_it_are_asked_unless_the_settings_list_every_added_token(folder, name, content, said):
    (folder / f"{name}.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=said):
        load_tokenizer(folder)
    stored = json.loads((folder / "tokenizer.json").read_text())["added_tokens"]
    edit_settings(folder, added_tokens_decoder={token.pop("id"): token for token in stored})
    check_against_transformers(folder)


@pytest.mark.parametrize("name", ["BertTokenizer", "PreTrainedTokenizerFast"])
def test_a_class_that_only_the_config_names(folder, name):
    edit_file(folder, **parts(normalizer=normalizers.BertNormalizer(lowercase=False)))
    edit_settings(folder, tokenizer_class=...)
    edit(folder / "config.json", tokenizer_class=name)
    check_against_transformers(folder)
    edit(folder / "config.json", tokenizer_class="RobertaTokenizer")
    with pytest.raises(ValueError, match="is for a tokenizer_class 'RobertaTokenizer'"):
        load_tokenizer(folder)


@pytest.mark.parametrize("name", ["BertTokenizer", "PreTrainedTokenizerFast"])
@pytest.mark.parametrize("token", ["bread", "[NONE]"])
def test_the_token_for_unknown_words_is_that_of_bert(folder, name, token):
    model = json.loads((folder / "tokenizer.json").read_text())["model"]
    edit_file(folder, model=model | {"unk_token": token})
    edit_settings(folder, tokenizer_class=name)
    with pytest.raises(ValueError, match=r"for unknown words; this course reads BERT's \[UNK\] only"):
        load_tokenizer(folder)


def test_special_tokens_must_be_added_tokens(folder):
    tokens = json.loads((folder / "tokenizer.json").read_text())["added_tokens"]
    edit_file(folder, added_tokens=[token for token in tokens if token["content"] != "[SEP]"])
    with pytest.raises(ValueError, match=r"has \[SEP\] as a word like any other"):
        load_tokenizer(folder)


def template(single, **tokens):
    return {"type": "TemplateProcessing", "single": single, "pair": [], "special_tokens": tokens}


A, ELSEWHERE = {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 1}}
UNKNOWN = {"SpecialToken": {"id": "[XX]", "type_id": 0}}
SLOW = {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"added_tokens": []}, r"cuts \[MASK\] into \[CLS\] \[ m ##a ##s ##k \] \[SEP\]: it must be an added token"),
        ({"post_processor": None}, r"tokenizer\.json makes \[MASK\] of \[MASK\], in segments \[0\]; expected"),
        ({"post_processor": template([ELSEWHERE])}, r"makes \[MASK\] of \[MASK\], in segments \[1\]"),
        (
            {"post_processor": template([UNKNOWN, A])},
            r"frames a text with '\[XX\]', and has no such token",
        ),
        (
            parts(post_processor=processors.BertProcessing(("[SEP]", 101), ("[CLS]", 102))),
            r"expected \[CLS\] \[MASK\] \[SEP\] in segment 0",
        ),
        ({"pre_tokenizer": SLOW}, r"has a pre_tokenizer with a pattern of its own, '\(a\+\)\+\$'"),
        ({"normalizer": {"type": "Replace", "pattern": {"Regex": "a"}, "content": ""}}, "has a normalizer with a patt"),
        ({"pre_tokenizer": {"type": "Sequence", "pretokenizers": [SLOW]}}, "has a pre_tokenizer with a pattern"),
        (
            {"post_processor": {"type": "Sequence", "processors": [template([A, UNKNOWN])]}},
            r"frames a text with '\[XX\]', and has no such token",
        ),
        ({"post_processor": template([A]) | {"pair": [A, UNKNOWN]}}, r"frames a text with '\[XX\]'"),
        ({"model": ...}, "has no model with a type"),
        ({"model": {"type": "WordPiece"}}, "is not a tokenizer"),
    ],
)
def test_files_that_are_not_done_are_named(folder, changes, said, capfd):
    edit_file(folder, **changes)
    with pytest.raises(ValueError, match=said):
        load_tokenizer(folder)
    assert "panicked" not in capfd.readouterr().err


def test_bert_has_one_way_to_continue_a_word(folder):
    content = json.loads((folder / "tokenizer.json").read_text())
    edit_settings(folder, tokenizer_class="BertTokenizer")
    for change, said in (
        ({"continuing_subword_prefix": "@@"}, "has the continuing_subword_prefix '@@', and BertTokenizer '##'"),
        ({"max_input_chars_per_word": 3}, "has the max_input_chars_per_word 3, and BertTokenizer 100"),
    ):
        edit_file(folder, model=content["model"] | change)
        with pytest.raises(ValueError, match=said):
            load_tokenizer(folder)


@pytest.mark.parametrize("depth", [600, 100_000])
@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json", "config.json", "training.json"])
def test_deep_json_is_one_sentence(folder, depth, name):
    (folder / "training.json").write_text('{"language": "scenes"}')
    content = (folder / name).read_text().rstrip().removesuffix("}")
    (folder / name).write_text(content + ', "normalizer": ' + '{"a":' * depth + "1" + "}" * depth + "}")
    if name == "training.json" or (depth == 600 and name != "tokenizer.json"):
        load_folder(folder)  # nobody asks for it
    else:
        with pytest.raises(ValueError, match=rf"{name} is (nested too deeply to be read|not a tokenizer)") as refused:
            load_folder(folder)
        assert len(str(refused.value)) < 300 + len(str(folder))


# Words that the model does not know


def test_unknown_words_are_named(folder):
    _, tokenizer = load_folder(folder)
    assert unknown_words(tokenizer, "The ☃ [MASK] 漢 bread ☃ [UNK]") == ["☃", "漢"]
    assert unknown_words(tokenizer, "The [MASK] bread [UNK]") == []
    assert unknown_words(tokenizer, "b" * 101 + " [MASK]") == ["b" * 101]
