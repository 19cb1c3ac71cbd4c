"""The names of the files in a Hugging Face folder, and JSON from hands that are not ours."""

import json
from pathlib import Path

from mlm_mini.paths import check_regular_file
from mlm_mini.quoting import on_one_line

CONFIG, WEIGHTS, SHARDS = "config.json", "model.safetensors", "model.safetensors.index.json"
TOKENIZER, TOKENIZER_CONFIG = "tokenizer.json", "tokenizer_config.json"
MODEL_FILES = (WEIGHTS, TOKENIZER, TOKENIZER_CONFIG, CONFIG)  # what `save_pretrained` writes


def check_model_file(path: Path) -> None:
    """Raises FileNotFoundError, which says what a model's folder holds, PermissionError, or ValueError for no file."""
    check_regular_file(path)
    if not path.exists():  # a link that leads nowhere, too
        raise FileNotFoundError(
            f"{path} is missing: expected a model's folder, with {CONFIG}, {WEIGHTS} or its shards, and {TOKENIZER}"
        )
    path.open("rb").close()  # who may not read it is told here: safetensors would say that it is not there


def read_json_object(path: Path) -> dict:
    """Raises as `check_model_file`, and ValueError for what is no JSON, no object, or too deep for Python."""
    check_model_file(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # no UTF-8, no JSON, or a number of thousands of digits
        raise ValueError(f"{path} is not JSON: {on_one_line(error)}") from error
    except RecursionError:
        raise ValueError(f"{path} is nested too deeply to be read") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds no JSON object")
    return content


def as_json(content: dict) -> str:
    """As the Hugging Face libraries lay it out."""
    return json.dumps(content, indent=2, sort_keys=True) + "\n"
