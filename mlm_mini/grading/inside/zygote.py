"""A process that has Python and its packages loaded, and forks a fresh one for each function that is to be tried.

It is started as a script, shuts itself in before anything else happens, and never runs code of a submission itself.

Usage: zygote.py FD, where FD is a socket. On it come {"fork": true} with the socket of the new process, and
{"kill": true}, with "died" where it is gone already; each is answered, by "t" where its time was up. Only one forked
process is alive at a time.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import isolation
import messages
import worker

sys.path.pop(0)


def be_zygote():
    control = socket.socket(fileno=int(sys.argv[1]))
    options, _ = messages.receive(control)
    isolation.die_with_parent()
    load(options["torch"])
    taken = isolation.taken_bytes()
    standing = shut_in(options)
    os.dup2(os.open("/dev/null", os.O_RDWR), 0)
    for stream in (1, 2):
        os.dup2(0, stream)
    messages.send(control, {"standing": standing})
    serve(control, options, taken, standing)


def load(with_torch):
    """What exercises use, loaded once. One thread each: threads do not live on in a forked process."""
    import scipy.special  # noqa: F401

    if with_torch:
        import torch

        torch.set_num_threads(1)
        torch.nn.functional.scaled_dot_product_attention(*[torch.zeros(1, 1, 2, 2)] * 3)


def shut_in(options):
    """Takes every step that this machine allows, and returns what was said of each: "" where it worked."""
    standing = {}
    steps = {
        "namespaces": lambda: isolation.enter_namespaces(options["root"], options["folders"], options["hidden"]),
        "landlock": lambda: isolation.landlock(options["readable"], options["listed"], [box_of(options), "/dev/null"]),
        "privileges": isolation.no_new_privileges,
    }
    for name, step in steps.items():
        if name in options["without"]:
            standing[name] = "left out"
            continue
        try:
            step()
            standing[name] = ""
        except (OSError, KeyError, AttributeError) as error:
            standing[name] = str(error) or type(error).__name__
        if name == "namespaces":
            options["boxed"] = not standing[name]
    standing["seccomp"] = "left out" if "seccomp" in options["without"] else tried_out(isolation.seccomp)
    return standing


def tried_out(step):
    """What came of a step that only forked processes take: "" where it worked."""
    read, write = os.pipe()
    process = os.fork()
    if not process:
        try:
            step()
        except (OSError, KeyError) as error:
            os.write(write, (str(error) or "refused").encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(process, 0)
    with os.fdopen(read, "rb") as said:
        return said.read().decode()


def box_of(options):
    return "/box" if options["boxed"] else options["root"]


def serve(control, options, taken, standing):
    box, alive, count = box_of(options), None, 0
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 100, 1)
        if not message:
            return
        said, request = b"k", json.loads(message)
        if alive:
            said = b"t" if request.get("died") and ran_out_of_time(alive) else b"k"
            end(alive, box)
            alive = None
        if request.get("fork"):
            count += 1
            folder = os.path.join(box, str(count))
            os.mkdir(folder)
            alive = os.fork()
            if not alive:
                control.close()
                os.chdir(folder)
                begin(descriptors[0], options, taken)
            os.close(descriptors[0])
        control.sendall(said)


def begin(descriptor, options, taken):
    """The forked process: nothing of the zygote's is left open, and the limits hold. Never returns."""
    try:
        isolation.die_with_parent()
        sock = socket.socket(fileno=descriptor)
        os.closerange(3, descriptor)
        os.closerange(descriptor + 1, 4096)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        isolation.limit(taken, options["memory"], options["cpu"])
        if "seccomp" not in options["without"]:
            with contextlib.suppress(OSError, KeyError):  # said already, by `tried_out`
                isolation.seccomp()
        worker.work(sock)
    finally:
        os._exit(0)


def ran_out_of_time(process):
    """Whether a process was ended by its limit of computing time. Its socket is closed a moment before it is gone."""
    for _ in range(20):
        try:
            found, status = os.waitpid(process, os.WNOHANG)
        except ChildProcessError:
            return False
        if found:
            return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU
        time.sleep(0.005)
    return False


def end(process, box):
    """Ends a forked process and all that it may have left: processes and files."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
    if os.getpid() == 1:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, 0 if os.getpid() == 1 else os.WNOHANG) != (0, 0):
            pass
    for name in os.listdir(box):
        path = os.path.join(box, name)
        with contextlib.suppress(OSError):
            os.chmod(path, 0o700)
        shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    be_zygote()
