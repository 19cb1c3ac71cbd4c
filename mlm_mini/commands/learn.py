"""`learn`: the course in JupyterLab."""

import argparse
import os
import secrets
import socket
from pathlib import Path

from mlm_mini.commands.notebooks import course_folder
from mlm_mini.commands.terminal import CommandError

FIRST_PORT = 8888


def add_learn_command(commands: argparse._SubParsersAction) -> None:
    learn = commands.add_parser("learn", help="open the course in JupyterLab")
    learn.add_argument("chapter", nargs="?", default="00", help="two digits; 00 unless given")
    learn.add_argument("--no-browser", action="store_true", help="print the address and open nothing")
    learn.add_argument(
        "--port", type=int, help=f"the port to serve on; the first free one from {FIRST_PORT} unless given"
    )
    learn.set_defaults(run=run_learn)


def run_learn(options: argparse.Namespace) -> int:
    """Serves the course until it is interrupted. Prints the address first."""
    from mlm_mini import course

    top = course_folder()
    page = f"/lab/tree/chapters/{find_chapter(top, options.chapter).name}"
    port = free_port(options.port)
    # By way of the environment, so that no other user reads it off the list of processes.
    token = os.environ.setdefault("JUPYTER_TOKEN", secrets.token_hex(24))
    print(f"Open http://127.0.0.1:{port}{page}?token={token}\nStop with Ctrl-C.", flush=True)
    os.chdir(top)
    # A course that works offline asks nobody for news or updates: the folder turns that part of JupyterLab off.
    configuration = [str(Path(course.__file__).parent / "jupyter"), os.environ.get("JUPYTER_CONFIG_PATH")]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, configuration))
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # silences a debugger's remark about frozen modules
    from jupyterlab.labapp import LabApp

    LabApp.launch_instance(argv=server_flags(top, page, port, options.no_browser))
    return 0


def find_chapter(top: Path, number: str) -> Path:
    """The learner's notebook of that chapter. Raises CommandError."""
    there = [path for path in sorted((top / "chapters").glob("[0-9][0-9]_*.ipynb")) if ".kept-" not in path.name]
    for path in there:
        if path.name[:2] == number:
            return path
    numbers = ", ".join(path.name[:2] for path in there)
    raise CommandError(f"there is no chapter {number!r} in {top / 'chapters'}; there are: {numbers or 'none'}")


def server_flags(top: Path, page: str, port: int, no_browser: bool) -> list[str]:
    """How JupyterLab is started: on this machine alone, at one page, without chatter."""
    flags = [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={top}",
        f"--LabApp.default_url={page}",
        "--KernelManager.transport_encryption=auto",  # a kernel warns, in red, of a port that is open to eavesdroppers
        "--ServerApp.log_level=ERROR",
        "--LabApp.log_level=ERROR",
        "-y",  # Ctrl-C stops the server without a question
    ]
    if no_browser:
        flags.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        flags.append("--allow-root")
    return flags


def free_port(wanted: int | None) -> int:
    """`wanted` if it is free, else an error; the first free port from FIRST_PORT when none is wanted."""
    for port in [wanted] if wanted is not None else range(FIRST_PORT, FIRST_PORT + 100):
        if not 0 < port < 65536:
            raise CommandError(f"--port {port}: expected a number from 1 to 65535")
        with socket.socket() as probe:
            if os.name == "posix":  # as the server does it: a port that was closed a moment ago counts as free
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError as error:
                reason = error.strerror
    if wanted is not None:
        raise CommandError(f"port {wanted} cannot be used ({reason}): choose another with --port, or leave it out")
    raise CommandError(f"no free port from {FIRST_PORT} to {FIRST_PORT + 99}: choose one with --port")
