"""A tokenizer out of a Hugging Face folder: it cuts text as transformers would with the same folder, or is refused.

transformers opens tokenizer.json in one of two ways, by the class that tokenizer_config.json names. A general class
takes it as it is. BertTokenizer takes the list of tokens alone and builds BERT's own pipeline around it, with three
settings of tokenizer_config.json. Both leave out what the file says of truncation and padding.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from mlm_mini.languages.characters import CHARACTER, Characters
from mlm_mini.languages.tokenizer import LONGEST_WORD, FileTokenizer, WordPiece
from mlm_mini.languages.vocabulary import CLS, MASK, PAD, SEP, SPECIAL_TOKENS, UNK, Vocabulary
from mlm_mini.languages.words import WORD
from mlm_mini.model.files import TOKENIZER, TOKENIZER_CONFIG, read_json_object
from mlm_mini.model.word_level import OLDER_WORD, WordLevel
from mlm_mini.paths import check_regular_file
from mlm_mini.quoting import on_one_line, quoted

OLDER_SETTINGS = "special_tokens_map.json"
TAKEN_AS_IT_IS = ("PreTrainedTokenizerFast", "TokenizersBackend")
REBUILT = ("BertTokenizer", "BertTokenizerFast", None)  # None: transformers then goes by the model, a BERT
BERT_SETTINGS = {"do_lower_case": True, "tokenize_chinese_chars": True, "strip_accents": None}
SPECIAL_ROLES = {"pad_token": PAD, "unk_token": UNK, "cls_token": CLS, "sep_token": SEP, "mask_token": MASK}
FLAGS = ("lstrip", "rstrip", "single_word", "normalized")  # of an added token: where in a text it is found
MORE_TOKENS = ("additional_special_tokens", "extra_special_tokens")
CONTINUED = "##"


def load_tokenizer(folder: str | os.PathLike) -> FileTokenizer | WordLevel:
    """The tokenizer of a folder. Raises FileNotFoundError without a tokenizer.json.

    Raises ValueError for a tokenizer that is neither WordPiece nor one of words or characters as `save_pretrained`
    writes it; for special tokens that are not BERT's; and for a setting that changes how text is cut and is not
    implemented. The message names it.
    """
    path = Path(folder) / TOKENIZER
    check_regular_file(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing; from an older folder, transformers.AutoTokenizer.from_pretrained(folder)"
            ".save_pretrained(folder) makes it"
        )
    settings = {}
    for name in (OLDER_SETTINGS, TOKENIZER_CONFIG):  # the latter has the last word
        beside = path.with_name(name)
        settings |= read_json_object(beside) if beside.exists() else {}
    content = read_json_object(path) | {"truncation": None, "padding": None}
    try:
        _check_settings(settings, content)
        tokenizer = _read(content, settings)
        if isinstance(tokenizer, WordPiece):
            _check_frame(tokenizer)
    except ValueError as error:
        raise ValueError(f"{path} {error}") from error
    except (AttributeError, KeyError, TypeError) as error:
        what = on_one_line(f"{type(error).__name__}: {error}")
        raise ValueError(f"{path}, or {TOKENIZER_CONFIG}, is not laid out as Hugging Face does ({what})") from error
    except RecursionError:
        raise ValueError(f"{path} is nested too deeply to be read") from None
    return tokenizer


def _read(content: dict, settings: dict) -> FileTokenizer | WordLevel:
    try:
        kind = content["model"]["type"]
    except (KeyError, TypeError):
        raise ValueError("is not a tokenizer: it has no model with a type") from None
    rebuilt = kind == "WordPiece" and settings.get("tokenizer_class") in REBUILT
    if rebuilt:
        content = content | {"normalizer": None, "pre_tokenizer": None, "post_processor": None}
    elif kind == "WordPiece":
        _check_pipeline(content)
    try:
        backend = Tokenizer.from_str(json.dumps(content))
    except Exception as error:  # the library raises plain Exception for whatever is wrong with a file
        raise ValueError(f"is not a tokenizer: {on_one_line(error)}") from error
    try:
        tokenizer = _as_we_wrote(backend) if kind == "WordLevel" else WordPiece(backend)
    except ValueError as error:
        raise ValueError(f"does not fit: {on_one_line(error)}") from error
    if rebuilt:
        _rebuild(backend, settings)
    return tokenizer


def _as_we_wrote(backend: Tokenizer) -> Characters | WordLevel:
    id_of, text = backend.get_vocab(), backend.to_str(pretty=True)
    if json.dumps(CHARACTER) in text:
        return Characters(backend)
    word = OLDER_WORD if json.dumps(OLDER_WORD) in text else WORD
    tokenizer = WordLevel(Vocabulary(sorted(id_of, key=id_of.__getitem__)), word)
    if tokenizer.to_json() != text:
        raise ValueError("it cuts text in a way of its own; only what save_pretrained wrote is read")
    return tokenizer


def _rebuild(backend: Tokenizer, settings: dict) -> None:
    """BERT's pipeline, as BertTokenizer builds it around the tokens of a file."""
    model: models.WordPiece = backend.model
    for name, usual in (("continuing_subword_prefix", CONTINUED), ("max_input_chars_per_word", LONGEST_WORD)):
        if getattr(model, name) != usual:
            raise ValueError(
                f"has the {name} {quoted(getattr(model, name))}, and BertTokenizer {usual!r}: name "
                f"{TAKEN_AS_IT_IS[0]} as the tokenizer_class in {TOKENIZER_CONFIG} if the file is right"
            )
    lower, chinese, strip = (settings.get(name, usual) for name, usual in BERT_SETTINGS.items())
    backend.normalizer = normalizers.BertNormalizer(True, chinese, strip, lower)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.TemplateProcessing(
        single=f"{CLS} $A {SEP}",
        pair=f"{CLS} $A {SEP} $B:1 {SEP}:1",
        special_tokens=[(token, backend.token_to_id(token)) for token in (CLS, SEP)],
    )


def _check_settings(settings: dict, content: dict) -> None:
    """Raises ValueError for a setting in tokenizer_config.json that transformers obeys and this module does not."""
    name = settings.get("tokenizer_class")
    if name not in REBUILT + TAKEN_AS_IT_IS:
        expected = ", ".join((*REBUILT[:2], *TAKEN_AS_IT_IS))
        raise ValueError(f"is for a tokenizer_class {quoted(name)}; read here: {expected}")
    for role, token in SPECIAL_ROLES.items():
        given = settings.get(role)
        given = given.get("content") if isinstance(given, dict) else given
        if given is not None and given != token:
            raise ValueError(f"has {quoted(given)} for its {role}; this course reads BERT's {token} only")
    for setting, usual in BERT_SETTINGS.items():
        given = settings.get(setting, usual)
        if not isinstance(given, bool) and given is not usual:
            raise ValueError(
                f"has a {setting} of {quoted(given)} beside it in {TOKENIZER_CONFIG}: expected true or false"
            )
    if settings.get("split_special_tokens"):
        raise ValueError(f"has split_special_tokens beside it in {TOKENIZER_CONFIG}: no blank could be told from text")
    _check_added_tokens(settings, content)


def _check_added_tokens(settings: dict, content: dict) -> None:
    """The tokens that are found in a text before it is cut must be the same in both files."""
    listed, stored = settings.get("added_tokens_decoder") or {}, content.get("added_tokens") or []
    in_file = {token["content"]: token for token in stored}
    for name in MORE_TOKENS:
        more = settings.get(name) or []
        for token in more.values() if isinstance(more, dict) else more:
            token = token["content"] if isinstance(token, dict) else token
            if token not in in_file:
                raise ValueError(f"lacks the added token {quoted(token)}, which {TOKENIZER_CONFIG} has in {name}")
    for i, token in listed.items():
        ours, theirs = in_file.get(token["content"], {}), token | {"id": int(i)}
        different = [name for name in ("id", *FLAGS) if ours.get(name) != theirs.get(name)]
        if different:
            raise ValueError(
                f"and {TOKENIZER_CONFIG} do not agree on the added token {quoted(token['content'])} "
                f"({', '.join(different)}): save both anew with transformers"
            )


def _check_pipeline(content: dict) -> None:
    """Raises ValueError for parts at which the library would stop the whole program, without an error to catch."""
    for name in ("normalizer", "pre_tokenizer"):
        for part in _objects(content.get(name)):
            if "Regex" in part:
                raise ValueError(f"has a {name} with a pattern of its own, {quoted(part['Regex'])}: not implemented")
    for part in _objects(content.get("post_processor")):
        known = part.get("special_tokens") or {}
        for piece in _objects([part.get("single"), part.get("pair")]):
            token = piece.get("SpecialToken")
            if isinstance(token, dict) and token.get("id") not in known:
                raise ValueError(f"frames a text with {quoted(token.get('id'))}, and has no such token")


def _objects(value: object) -> Iterator[dict]:
    """Every JSON object in a value, however deep."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _objects(part)


def _check_frame(tokenizer: WordPiece) -> None:
    """A blank must become [CLS] [MASK] [SEP] in segment 0, whatever stands in the files."""
    encoding, vocabulary = Tokenizer.from_str(tokenizer.to_json()).encode(MASK), tokenizer.vocabulary
    found = on_one_line(" ".join(encoding.tokens))
    if vocabulary.mask_id not in encoding.ids:
        raise ValueError(f"cuts {MASK} into {found}: it must be an added token, or no blank is found")
    added = {token["content"] for token in json.loads(tokenizer.to_json())["added_tokens"]}
    if missing := [token for token in SPECIAL_TOKENS if token not in added]:
        raise ValueError(
            f"has {missing[0]} as a word like any other: it must be an added token, as transformers has it"
        )
    if encoding.ids != [vocabulary.cls_id, vocabulary.mask_id, vocabulary.sep_id] or any(encoding.type_ids):
        raise ValueError(
            f"makes {found} of {MASK}, in segments {encoding.type_ids}; expected {CLS} {MASK} {SEP} in segment 0, as "
            "BERT has learned it"
        )
