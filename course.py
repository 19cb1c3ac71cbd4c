#!/usr/bin/env python3
"""The course's one command. It sets up what is missing, then does what you ask.

    python3 course.py learn [CHAPTER]    open the course in JupyterLab   (--no-browser, --port N)
    python3 course.py progress           what is solved, chapter by chapter   (--json [FILE])
    python3 course.py reset CHAPTER      a fresh copy of one chapter; yours is kept under a dated name
    python3 course.py grade PATH...      marks for a class, or one notebook   (--json, --csv, --junit, --reports DIR)
    python3 course.py train --out DIR    train a model on a bundled language or your own text files
    python3 course.py fill "TEXT"        what a model puts in the place of each [MASK]   (--model DIR, --json [FILE])
    python3 course.py tokenize --out DIR turn a very large text into files of tokens, once   (--language PATH)
    python3 course.py claims             measure the article's claims and print the verdicts   (--quick, --json [FILE])
    python3 course.py experiment NAME    run one experiment   (--full, --json [FILE])
    python3 course.py bench              speed, side by side with its peers   (--json [FILE])
    python3 course.py book               the worked chapters as a static site   (--out DIR)
    python3 course.py test               run every test and every solution notebook
    python3 course.py build              make the notebooks from solutions/*.py   (--check, --force)

The first run makes the folder .venv here and installs the course's packages into it: about 2 GB, a few minutes.
Each command has --help.
"""

# Standard library only. The syntax is old on purpose: any Python must get far enough to say that it is too old.
from __future__ import print_function

import os
import sys

OLDEST, NEWEST = (3, 11), (3, 14)
TOP = os.path.dirname(os.path.realpath(__file__))
VENV = os.path.join(TOP, ".venv")
STAMP = os.path.join(VENV, "course-setup.txt")
LOG = os.path.join(VENV, "course-setup.log")
WINDOWS = os.name == "nt"
PYTHON = os.path.join(VENV, "Scripts" if WINDOWS else "bin", "python.exe" if WINDOWS else "python")

# What pip's output says about the cause of a failure, and what to tell the learner about it.
PIP_CAUSES = (
    (("No space left on device", "not enough space"), "the disk is full: the course needs about 2 GB in " + VENV),
    (("Permission denied", "Access is denied"), "no permission to write in " + VENV),
    (
        ("NewConnectionError", "NameResolutionError", "Temporary failure in name resolution", "ConnectTimeout",
         "Network is unreachable", "Connection refused", "ProxyError", "getaddrinfo failed", "Max retries exceeded"),
        "the package index cannot be reached: the first run needs a network connection, later runs do not",
    ),
    (
        ("No matching distribution found",),
        "a package has no release for this system and Python " + sys.version.split()[0],
    ),
)  # fmt: skip


class SetupError(Exception):
    """Set-up cannot go on. The message is one sentence for the learner."""


def main(arguments):
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__.strip())
        return 0 if arguments else 2
    try:
        check_python()
        wanted = fingerprint()
        if read_stamp() != wanted:
            set_up(wanted)
    except SetupError as error:
        print("Set-up stopped: {0}.".format(error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nSet-up was interrupted; the next run takes it up again.", file=sys.stderr)
        return 130
    return hand_over(arguments)


def check_python():
    """Raises SetupError unless this Python can run the course."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        raise SetupError(
            "the course needs Python {0}.{1} to {2}.{3}, and this is Python {4} ({5}); run it with another one, "
            "for example: python3.12 course.py learn".format(
                *(OLDEST + NEWEST + (sys.version.split()[0], sys.executable))
            )
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError as error:
        raise SetupError(
            "this Python comes without the module {0}; on Debian and Ubuntu: sudo apt install python3-venv".format(
                error.name
            )
        )


def fingerprint():
    """What the environment was, or is to be, made from. A moved folder or another Python makes it anew."""
    import hashlib

    digest = hashlib.sha256()
    for name in ("requirements.txt", "pyproject.toml"):
        try:
            with open(os.path.join(TOP, name), "rb") as file:
                digest.update(file.read())
        except OSError:
            raise SetupError("{0} is missing from {1}: clone the course again".format(name, TOP))
    digest.update("{0} {1}".format(TOP, sys.version_info[:2]).encode("utf-8"))
    return digest.hexdigest()


def read_stamp():
    """The fingerprint of the last set-up that ran to its end, or nothing."""
    try:
        with open(STAMP) as file:
            return file.read().strip() if os.path.exists(PYTHON) else None
    except OSError:
        return None


def set_up(wanted):
    """Makes .venv and installs into it. The stamp is written last, so that a set-up cut short is done again."""
    lock = take_lock()
    try:
        if read_stamp() == wanted:  # another process did it while this one waited
            return
        print("Setting up the course in {0} (once; a few minutes).".format(VENV))
        if os.path.exists(STAMP):
            os.remove(STAMP)
        if not usable_environment():
            make_environment()
        install_packages()
        temporary = STAMP + ".new"
        with open(temporary, "w") as file:
            file.write(wanted + "\n")
        os.replace(temporary, STAMP)
        print("Set-up is complete.")
    except OSError as error:
        raise SetupError("{0} ({1})".format(error.strerror or error, error.filename or VENV))
    finally:
        lock.close()


def take_lock():
    """An open file, locked until it is closed or this process ends, so that two set-ups do not collide."""
    try:
        lock = open(VENV + ".lock", "w")
    except OSError as error:
        raise SetupError(
            "cannot write in {0} ({1}): move the course to a folder of your own".format(TOP, error.strerror)
        )
    waiting = "Another set-up of this course is running; waiting for it."
    if WINDOWS:
        import msvcrt
        import time

        while True:
            try:
                msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
                return lock
            except OSError:
                if waiting:
                    print(waiting)
                waiting = None
                time.sleep(1)
    import fcntl

    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print(waiting)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def usable_environment():
    """Whether .venv is there, runs, is of this Python's version and has pip."""
    import subprocess

    # A set-up that was killed while pip itself was unpacked leaves a pip that can be imported, but not run.
    probe = "import pip._internal.cli.main, sys; print(sys.version_info[:2], sys.prefix)"
    try:
        said = subprocess.check_output([PYTHON, "-c", probe], stderr=subprocess.DEVNULL, universal_newlines=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return said.split() == "{0} {1}".format(sys.version_info[:2], VENV).split()


def make_environment():
    """Makes .venv anew; whatever half of one is there is removed."""
    import shutil
    import subprocess

    if os.path.lexists(VENV):
        print("  removing an incomplete .venv")
        shutil.rmtree(VENV)
    print("  making .venv")
    made = subprocess.run([sys.executable, "-m", "venv", VENV], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if made.returncode:
        last = made.stdout.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise SetupError("Python could not make {0}: {1}".format(VENV, "".join(last)))


def install_packages():
    requirements = os.path.join(TOP, "requirements.txt")
    with open(requirements) as file:
        total = sum(1 for line in file if line.strip() and not line.startswith("#"))
    with open(LOG, "w", encoding="utf-8") as log:
        run_pip(["install", "--prefer-binary", "-r", requirements], log, total)
        # setuptools came with the requirements: without isolation this step needs no network.
        run_pip(["install", "--no-deps", "--no-build-isolation", "--editable", TOP], log, 0)


def run_pip(arguments, log, total):
    """Runs pip, keeps what it prints in the log, and tells how far it is."""
    import subprocess

    command = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input"] + arguments + ["--progress-bar", "off"]
    # A user's own settings for where pip installs would lead it away from .venv.
    environment = {name: value for name, value in os.environ.items() if name not in ("PIP_TARGET", "PIP_PREFIX")}
    environment["PIP_USER"] = "0"
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        errors="replace",
    )
    said, done = [], 0
    try:
        for line in process.stdout:
            log.write(line)
            said.append(line)
            words = line.split()
            if total and (line.startswith(("Collecting ", "Requirement already satisfied: "))):
                done += 1
                name = words[1] if words[0] == "Collecting" else words[3]
                show_progress("package {0} of about {1}: {2}".format(min(done, total), total, name), done)
            elif line.startswith("Installing collected packages") and total:
                show_progress("unpacking (about a minute)", 0)
        if process.wait():
            raise SetupError(pip_failure("".join(said)))
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
        if total and sys.stdout.isatty():
            print()


def show_progress(text, done):
    """On a terminal one line that changes; elsewhere a line now and then."""
    if sys.stdout.isatty():
        sys.stdout.write("\r  {0:<76}".format(text[:76]))
    elif done % 25 == 0:
        sys.stdout.write("  {0}\n".format(text))
    sys.stdout.flush()


def pip_failure(output):
    for signs, cause in PIP_CAUSES:
        if any(sign in output for sign in signs):
            return cause
    errors = [line.strip() for line in output.splitlines() if line.startswith("ERROR:")]
    if not errors:
        return "pip failed and gave no reason; delete the folder {0} and run this again".format(VENV)
    return "pip failed ({0}); the whole story is in {1}".format(errors[-1], LOG)


def hand_over(arguments):
    """Runs the package's own command line in .venv, in place of this process where the system can."""
    command = [PYTHON, "-m", "mlm_mini"] + arguments
    sys.stdout.flush()
    if WINDOWS:
        import subprocess

        try:
            return subprocess.call(command)
        except KeyboardInterrupt:
            return 130
    os.execv(PYTHON, command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
