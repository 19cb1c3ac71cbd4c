"""A chapter outside its repository: links to the services that open it, and a cell that says how to get the course."""

import tomllib
from functools import cache
from pathlib import Path

BRANCH = "main"
PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
INSTALL_CODE = """\
# Where the course is missing, as it is on Colab, this cell says how to get it. The PyTorch that is there stays.
import sys
from importlib import metadata, util

if not util.find_spec("mlm_mini"):
    _torch = "".join(f" torch=={found.version}" for found in list(metadata.distributions(name="torch"))[:1])
    _line = "install 'mlm_mini[chapters] @ git+REPOSITORY'" + _torch
    if "google.colab" in sys.modules and input(f"May this cell run %pip {_line} ? (y/n) ").lower() in ("y", "yes"):
        get_ipython().run_line_magic("pip", _line)
    else:
        raise ModuleNotFoundError(f"the course is not installed here. Run this, then this cell again: %pip {_line}")
"""


# Where a service keeps files longer than the machine that it lends: Drive, where a learner has mounted it on Colab, and
# what Kaggle saves with a notebook. (Codespaces and Binder are told by their own files, in dot folders.)
SERVICE_FOLDERS = (Path("/content/drive/MyDrive"), Path("/kaggle/working"))


def kept_folder() -> Path | None:
    """The folder for the learner's progress on a service that has one of its own."""
    return next((place / "mlm_mini" for place in SERVICE_FOLDERS if place.is_dir()), None)


@cache
def repository() -> str:
    """The address of the repository, which stands in pyproject.toml and nowhere else in the package."""
    return tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["urls"]["Repository"]


def services(chapter: str) -> dict[str, str]:
    """For each service the address that opens chapters/`chapter`.ipynb there."""
    page, name = f"chapters/{chapter}.ipynb", repository().removeprefix("https://github.com/")
    return {
        "Colab": f"https://colab.research.google.com/github/{name}/blob/{BRANCH}/{page}",
        "Kaggle": f"https://kaggle.com/kernels/welcome?src={repository()}/blob/{BRANCH}/{page}",
        "Binder": f"https://mybinder.org/v2/gh/{name}/{BRANCH}?urlpath=lab/tree/{page}",
        "Codespaces": f"https://codespaces.new/{name}",
    }


def links(chapter: str) -> str:
    """The services in a line of markdown. Words and no pictures, which a page that is offline could not load."""
    return "Open this chapter in " + " · ".join(f"[{name}]({url})" for name, url in services(chapter).items())


def install_cell() -> str:
    """The source of the cell that says, where the course is missing, the one line that installs it."""
    return INSTALL_CODE.replace("REPOSITORY", repository()).rstrip("\n")
