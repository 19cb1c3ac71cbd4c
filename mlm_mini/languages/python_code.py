"""Python: the standard library of the interpreter that runs this, cut into its own tokens.

Which text that is depends on the version of Python, so that nothing measured on it compares between two.
"""

import ast
import functools
import io
import platform
import sysconfig
import tokenize
from collections.abc import Iterator
from pathlib import Path

from mlm_mini.languages.corpus import Corpus, Document

# A module is a file or a package, and as such on one side. All of them are in Python 3.11 to 3.14.
TRAINING = [
    "asyncio",
    "bdb",
    "code",
    "codecs",
    "collections",
    "concurrent",
    "contextlib",
    "copy",
    "ctypes",
    "dataclasses",
    "dis",
    "doctest",
    "email",
    "enum",
    "filecmp",
    "fileinput",
    "ftplib",
    "functools",
    "getpass",
    "gzip",
    "hashlib",
    "hmac",
    "html",
    "http",
    "imaplib",
    "importlib",
    "inspect",
    "linecache",
    "locale",
    "logging",
    "mimetypes",
    "modulefinder",
    "multiprocessing",
    "ntpath",
    "os",
    "pathlib",
    "pdb",
    "pickle",
    "pickletools",
    "pkgutil",
    "platform",
    "poplib",
    "posixpath",
    "pprint",
    "profile",
    "pstats",
    "pyclbr",
    "pydoc",
    "queue",
    "random",
    "reprlib",
    "runpy",
    "selectors",
    "shelve",
    "shutil",
    "smtplib",
    "socket",
    "socketserver",
    "ssl",
    "stat",
    "subprocess",
    "symtable",
    "sysconfig",
    "tabnanny",
    "tarfile",
    "tempfile",
    "threading",
    "timeit",
    "trace",
    "traceback",
    "tracemalloc",
    "types",
    "typing",
    "unittest",
    "urllib",
    "venv",
    "warnings",
    "weakref",
    "webbrowser",
    "wsgiref",
    "xml",
    "xmlrpc",
    "zipapp",
]
HELD_OUT_MODULES = {
    "validation": ["cmd", "gettext", "netrc", "sched", "uuid", "zoneinfo"],
    "test": [
        "argparse",
        "ast",
        "base64",
        "bisect",
        "calendar",
        "configparser",
        "csv",
        "difflib",
        "fractions",
        "graphlib",
        "heapq",
        "ipaddress",
        "json",
        "mailbox",
        "plistlib",
        "quopri",
        "secrets",
        "shlex",
        "statistics",
        "string",
        "textwrap",
        "tokenize",
        "tomllib",
        "wave",
        "zipfile",
    ],
}
MOST_OF_A_MODULE = 40_000  # characters, so that a large module does not count for ten others
LINE_END, DEEPER, BACK = "⏎", "⇥", "⇤"  # what Python reads in the ends of lines and in what stands before them
LAYOUT = {tokenize.INDENT: DEEPER, tokenize.DEDENT: BACK}
NOT_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER}


@functools.cache
def python_corpus() -> Corpus:
    """About a hundred modules of the standard library, one document each, tokens with spaces between them.

    Comments and docstrings, which are English, are left out. The end of a line is ⏎, and ⇥ and ⇤ stand where the
    indentation becomes deeper or less deep. Of a long module the first 40,000 characters are taken; a module that this
    Python lacks is passed over. Raises FileNotFoundError when there is no standard library to read.
    """
    modules = [(name, "train") for name in TRAINING]
    modules += [(name, split) for split, names in HELD_OUT_MODULES.items() for name in names]
    documents = []
    for name, split in modules:
        if text := "".join(_lines_of_module(name)):
            documents.append(Document(name, text.strip(), split))
    if {document.split for document in documents} != {"train", *HELD_OUT_MODULES}:
        raise FileNotFoundError(f"the standard library of Python cannot be read: no modules in {_library()}")
    return Corpus(
        documents=tuple(documents),
        source=f"The standard library of Python {platform.python_version()}, as installed here",
        license="Python Software Foundation License",
        note="Code without comments and docstrings. Split by module, a package counting as one.",
    )


def _library() -> Path:
    return Path(sysconfig.get_paths()["stdlib"])


def module_files(name: str) -> list[Path]:
    """The files of a module, without its tests; none where it is missing."""
    file, folder = _library() / f"{name}.py", _library() / name
    if file.is_file():
        return [file]
    return sorted(path for path in folder.rglob("*.py") if "test" not in path.relative_to(folder).as_posix())


def _lines_of_module(name: str) -> Iterator[str]:
    left = MOST_OF_A_MODULE
    for file in module_files(name):
        for line in code_lines(file.read_text(encoding="utf-8", errors="replace")):
            left -= len(line) + 1
            if left < 0:
                return
            yield line + "\n"


def code_lines(source: str) -> Iterator[str]:
    """The tokens of Python code with spaces between them, a line at a time. Nothing of code that cannot be read."""
    try:
        docstrings = _docstring_places(source)
        line, after_docstring = [], False
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.start in docstrings and token.type == tokenize.STRING:
                after_docstring = not docstrings[token.start]
                line += [] if after_docstring else ["pass"]
            elif token.type == tokenize.NEWLINE and not after_docstring:
                yield " ".join([*line, LINE_END])
                line = []
            elif token.type == tokenize.NEWLINE:
                after_docstring = False  # what stood before it, a deeper indentation say, belongs to the next line
            elif token.type not in NOT_CODE:
                line.append(LAYOUT.get(token.type, token.string))
    except (SyntaxError, tokenize.TokenError):
        return


def _docstring_places(source: str) -> dict[tuple[int, int], bool]:
    """(line, column) where each docstring begins -> whether it is all that its function or class consists of."""
    places = {}
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and body:
            first = body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                alone = len(body) == 1 and not isinstance(node, ast.Module)
                places[first.value.lineno, first.value.col_offset] = alone
    return places
