"""Text that lies in files of an installed package: found and checked without importing the package."""

import hashlib
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path


def read_package_files(package: str, release: str, names: Sequence[str], sha256: str, what: str) -> list[bytes]:
    """The contents of files, each named by its path from where packages are installed.

    sha256: of all of them in a row. what: completes "... is in the package".
    Raises FileNotFoundError when the package or a file is missing, ValueError when the files are not those that were
    examined, each with the command that installs them.
    """
    remedy = f"install it with: python -m pip install {package}=={release}"
    try:
        found = distribution(package)
        contents = [Path(str(found.locate_file(name))).read_bytes() for name in names]
    except PackageNotFoundError:
        raise FileNotFoundError(f"{what} is in the package {package}, which is missing: {remedy}") from None
    except OSError as error:
        raise FileNotFoundError(f"{what} cannot be read ({error}): {remedy} --force-reinstall") from error
    if hashlib.sha256(b"".join(contents)).hexdigest() != sha256:
        raise ValueError(f"{what} is not that of {package} {release}, which was examined: {remedy} --force-reinstall")
    return contents
