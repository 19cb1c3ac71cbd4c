"""Reads a notebook that anybody may have written, in any version of the format. Nothing of it is run."""

from __future__ import annotations

import ast
import codecs
import json
import re
import warnings
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from mlm_mini.grading.archives import Unreadable

EXERCISE = re.compile(r"^\s*#+ *exercise *: *(\d\d\.[a-z0-9-]+)\s*$", re.MULTILINE | re.IGNORECASE)
CHECK = re.compile(r"^\s*check\(\s*[\"'](\d\d\.[a-z0-9-]+)[\"']\s*,\s*([A-Za-z_]\w*)\s*\)", re.MULTILINE)
TIMED = re.compile(r"%%(time|timeit|capture|prun)\b.*")
MAGIC = re.compile(r"^(\s*)([%!?].*|[\w, ]+= *[%!].*|.*[^\s?]\?{1,2}\s*)$")
MOST_CODE = 2**20  # characters of one cell


@dataclass(frozen=True)
class CodeCell:
    """A code cell: where it stands, its id if it has one, and its source."""

    place: int
    id: str
    source: str

    @property
    def exercises(self) -> list[str]:
        """The exercises that it says it holds."""
        return EXERCISE.findall(self.source)

    @property
    def checks(self) -> list[tuple[str, str]]:
        """Exercise and name of function of each check in it."""
        return CHECK.findall(self.source)

    @cached_property
    def parsed(self) -> tuple[list[ast.stmt], str, str]:
        """Its statements, the text that they were read from, and why there are none, or ""."""
        if len(self.source) > MOST_CODE:
            return [], "", "it holds more than a million characters"
        text, other = _without_magics(self.source)
        if other:
            return [], "", f"it begins with {other}"
        try:
            return _parse(text).body, text, ""
        except SyntaxError as error:
            return [], text, f"it is not valid Python: {error.msg}, line {error.lineno}"
        except (ValueError, RecursionError, MemoryError) as error:
            return [], text, f"it cannot be read as Python ({type(error).__name__})"


@dataclass(frozen=True)
class Notebook:
    """What of a notebook may matter: code cells in order, what its metadata says of its chapter, and remarks."""

    cells: tuple[CodeCell, ...]
    chapter: str = ""
    remarks: tuple[str, ...] = field(default=())


def read_notebook(content: bytes) -> Notebook:
    """Raises Unreadable, with a sentence that says what the file is instead."""
    document = _document(content)
    metadata = _dict(document.get("metadata"))
    remarks = []
    version = document.get("nbformat")
    if isinstance(document.get("worksheets"), list):
        cells = [cell for sheet in document["worksheets"] for cell in _list(_dict(sheet).get("cells"))]
        remarks.append(f"The notebook is in an old format (version {version}).")
    elif isinstance(document.get("cells"), list):
        cells = document["cells"]
    else:
        raise Unreadable("It is JSON, but no notebook: it has no cells.")
    _refuse_other_languages(metadata)
    code = [_dict(cell) for cell in cells if _dict(cell).get("cell_type") == "code"]
    if not any(isinstance(cell.get("id"), str) for cell in code):
        remarks.append("Its cells have no ids: exercises were found by their first line and by name.")
    read = [CodeCell(place, _id(cell), _source(cell)) for place, cell in enumerate(code, 1)]
    chapter = _dict(metadata.get("course")).get("chapter")
    return Notebook(tuple(read), chapter if isinstance(chapter, str) else "", tuple(remarks))


def _document(content: bytes) -> dict:
    if not content.strip():
        raise Unreadable("The file is empty.")
    try:
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            text = content.decode("utf-16")
        else:
            text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("It is no text, so it cannot be a notebook.") from None
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"It is no valid JSON at line {error.lineno}"
        raise Unreadable(f"{where}, so it cannot be a notebook. Was it cut off?") from None
    except RecursionError:
        raise Unreadable("Its brackets are nested too deep for a notebook.") from None
    except ValueError:  # Python reads no number of more than some thousand digits
        raise Unreadable("It holds a number of thousands of digits, so it cannot be a notebook.") from None
    if not isinstance(document, dict):
        raise Unreadable("It is JSON, but no notebook.")
    return document


def _refuse_other_languages(metadata: dict) -> None:
    named = [_dict(metadata.get("language_info")).get("name"), _dict(metadata.get("kernelspec")).get("language")]
    languages = [name for name in named if isinstance(name, str)]
    if languages and not any("python" in name.lower() for name in languages):
        raise Unreadable(f"The notebook is in {languages[0][:40]}, not in Python.")


def _id(cell: dict) -> str:
    found = cell.get("id")
    return found if isinstance(found, str) else ""


def _source(cell: dict) -> str:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    text = source if isinstance(source, str) else ""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").replace("\ufeff", "")


def _without_magics(source: str) -> tuple[str, str]:
    """The text without what only IPython understands, and what kind of cell it is instead of Python, or ""."""
    first, _, rest = source.lstrip().partition("\n")
    if first.startswith("%%"):
        if TIMED.fullmatch(first.strip()):
            return _without_magics(rest)
        return "", first.strip()[:60]
    try:
        _parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        lines = [MAGIC.sub(r"\1pass", line) if MAGIC.fullmatch(line) else line for line in source.split("\n")]
        return "\n".join(lines), ""
    return source, ""


def _parse(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def _dict(value: Any) -> dict:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list:
    return value if isinstance(value, list) else []
