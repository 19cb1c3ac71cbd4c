"""MathJax, shipped with the book: copied from a package, so that neither the build nor a reader needs a network."""

from __future__ import annotations

import shutil
from importlib.metadata import distribution
from pathlib import Path

MATHJAX_PACKAGE = "sphinx-mathjax-offline"
MATHJAX = "mathjax/tex-chtml.js"  # below the pages' `_static`
FONTS = "mathjax/output/chtml/fonts/woff-v2"
# No menu: with it every formula would be a stop of the Tab key.
SETTINGS = {"options": {"enableMenu": False}}


def copy_mathjax(static: Path) -> None:
    """The program and its fonts into `static`; of the package, a tenth. Raises PackageNotFoundError without it."""
    source = Path(str(distribution(MATHJAX_PACKAGE).locate_file(f"{MATHJAX_PACKAGE}/static")))
    (static / MATHJAX).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source / MATHJAX, static / MATHJAX)
    shutil.copytree(source / FONTS, static / FONTS)
