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
from mlm_mini.model.files import CONFIG, TOKENIZER, TOKENIZER_CONFIG, read_json_object
from mlm_mini.model.word_level import OLDER_WORD, WordLevel
from mlm_mini.paths import check_regular_file
from mlm_mini.quoting import on_one_line, quoted

OLDER_SETTINGS, OLDER_TOKENS = "special_tokens_map.json", "added_tokens.json"
TAKEN_AS_IT_IS = ("PreTrainedTokenizerFast", "TokenizersBackend")
REBUILT = ("BertTokenizer", "BertTokenizerFast", None)  # None: transformers then goes by the model, a BERT
BERT_SETTINGS = {"do_lower_case": True, "tokenize_chinese_chars": True, "strip_accents": None}
SPECIAL_ROLES = {"pad_token": PAD, "unk_token": UNK, "cls_token": CLS, "sep_token": SEP, "mask_token": MASK}
FLAGS = ("lstrip", "rstrip", "single_word", "normalized")  # of an added token: where in a text it is found
MORE_TOKENS = ("additional_special_tokens", "extra_special_tokens", "model_specific_special_tokens")
CONTINUED = "##"
SAVE_ANEW = "save both anew with transformers"


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
            f"{path} is missing: bring the tokenizer that the model was trained with, by tokenizer.save_pretrained("
            "folder); from an older folder, with vocab.txt, transformers.AutoTokenizer.from_pretrained(folder)"
            ".save_pretrained(folder) makes it"
        )
    beside = _read_beside(path)
    content = read_json_object(path) | {"truncation": None, "padding": None}
    try:
        settings = _settled(beside)
        _check_settings(settings)
        _check_added_tokens(beside, content)
        tokenizer = _read(content, settings)
        if isinstance(tokenizer, WordPiece):
            _check_unknown_token(content)
            _check_frame(tokenizer)
    except ValueError as error:
        raise ValueError(f"{path} {error}") from error
    except (AttributeError, KeyError, TypeError) as error:
        what = on_one_line(f"{type(error).__name__}: {error}")
        raise ValueError(f"{path}, or {TOKENIZER_CONFIG}, is not laid out as Hugging Face does ({what})") from error
    except RecursionError:
        raise ValueError(f"{path} is nested too deeply to be read") from None
    return tokenizer


def _read_beside(path: Path) -> dict[str, dict]:
    """What stands beside a tokenizer.json, by the name of the file; a file that is not there says nothing."""
    names = [path.with_name(name) for name in (TOKENIZER_CONFIG, OLDER_SETTINGS, OLDER_TOKENS, CONFIG)]
    beside = {name.name: read_json_object(name) if name.exists() else {} for name in names}
    if "added_tokens_decoder" in beside[TOKENIZER_CONFIG]:  # transformers then leaves the older files alone
        beside |= {OLDER_SETTINGS: {}, OLDER_TOKENS: {}}
    return beside


def _settled(beside: dict[str, dict]) -> dict:
    """The settings as transformers puts them together. Raises ValueError where a file names another special token."""
    for name in (TOKENIZER_CONFIG, OLDER_SETTINGS):
        for role, token in SPECIAL_ROLES.items():
            given = beside[name].get(role)
            given = given.get("content") if isinstance(given, dict) else given
            if given is not None and given != token:
                raise ValueError(f"has {quoted(given)} for its {role} in {name}; this course reads BERT's {token} only")
    settings = beside[TOKENIZER_CONFIG] | beside[OLDER_SETTINGS]
    classes = [beside[name].get("tokenizer_class") for name in (TOKENIZER_CONFIG, CONFIG)]
    return settings | {"tokenizer_class": next((name for name in classes if name is not None), None)}


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


def _check_settings(settings: dict) -> None:
    """Raises ValueError for a setting that transformers obeys and this module does not."""
    name = settings.get("tokenizer_class")
    if name not in REBUILT + TAKEN_AS_IT_IS:
        expected = ", ".join((*REBUILT[:2], *TAKEN_AS_IT_IS))
        raise ValueError(f"is for a tokenizer_class {quoted(name)}; read here: {expected}")
    for setting, usual in BERT_SETTINGS.items():
        given = settings.get(setting, usual)
        if not isinstance(given, bool) and given is not usual:
            raise ValueError(
                f"has a {setting} of {quoted(given)} beside it in {TOKENIZER_CONFIG}: expected true or false"
            )
    if settings.get("split_special_tokens"):
        raise ValueError(f"has split_special_tokens beside it in {TOKENIZER_CONFIG}: no blank could be told from text")


def _check_added_tokens(beside: dict[str, dict], content: dict) -> None:
    """The tokens that are found in a text before it is cut must be the same in all files."""
    stored = {token["content"]: token for token in content.get("added_tokens") or []}
    for name in (TOKENIZER_CONFIG, OLDER_SETTINGS):
        for setting, token in _named_tokens(beside[name]):
            if token not in stored:
                raise ValueError(f"lacks the added token {quoted(token)}, which {name} has in {setting}")
    for token, i in beside[OLDER_TOKENS].items():
        if stored.get(token, {}).get("id") != i:
            raise ValueError(f"and {OLDER_TOKENS} do not agree on the added token {quoted(token)}: {SAVE_ANEW}")
    listed = beside[TOKENIZER_CONFIG].get("added_tokens_decoder") or {}
    for i, token in listed.items():
        ours, theirs = stored.get(token["content"], {}), token | {"id": int(i)}
        different = [name for name in ("id", *FLAGS) if ours.get(name) != theirs.get(name)]
        if different:
            raise ValueError(
                f"and {TOKENIZER_CONFIG} do not agree on the added token {quoted(token['content'])} "
                f"({', '.join(different)}): {SAVE_ANEW}"
            )


def _named_tokens(settings: dict) -> Iterator[tuple[str, str]]:
    """The tokens beside BERT's own that transformers adds where a file lacks them, each with the name of its setting.

    Whatever ends in _token is one to it, if it is a string or an added token written as an object.
    """
    for name, value in settings.items():
        if name in MORE_TOKENS:
            more = value or []
            for token in more.values() if isinstance(more, dict) else more:
                yield name, token["content"] if isinstance(token, dict) else token
        elif name.endswith("_token") and name not in SPECIAL_ROLES and isinstance(value, str | dict):
            yield name, value["content"] if isinstance(value, dict) else value


def _check_unknown_token(content: dict) -> None:
    """The library looks for the token only when it meets an unknown word, and BertTokenizer knows one name for it."""
    if (given := content["model"].get("unk_token", UNK)) != UNK:
        raise ValueError(f"has {quoted(given)} for unknown words; this course reads BERT's {UNK} only")


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
