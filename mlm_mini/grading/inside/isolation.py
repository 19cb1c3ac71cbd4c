"""Shuts this process in, by the kernel's own means and without root: Linux only.

Namespaces   a file system that holds Python and its packages, read-only, and an empty folder; no other processes, no
             network. What is not there cannot be read: the course, its answers, other users' files.
Landlock     the same for files, where namespaces are not allowed (in containers, say).
seccomp      no new processes, no sockets, no signals to others, no look into other processes.
Limits       memory, files, time.

Each step says whether it worked. Called before any code that is not ours runs.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct

LIBC = ctypes.CDLL(None, use_errno=True)
NEW_NAMESPACES = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
READ_ONLY, NO_SUID, NO_DEVICES, BIND, RECURSIVE, PRIVATE, DETACH = 1, 2, 4, 4096, 16384, 1 << 18, 2
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT, MOUNT_SETATTR = 444, 445, 446, 442  # alike on every machine
BOX_BYTES = 32 * 2**20


def call(function, *arguments):
    """A function of the C library. Raises OSError."""
    result = function(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def syscall(number, *arguments):
    return call(LIBC.syscall, ctypes.c_long(number), *arguments)


def prctl(option, *values):
    return call(LIBC.prctl, option, *[ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]])


def die_with_parent():
    prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL


def no_new_privileges():
    """No privileges are left, none can be gained, and nobody of this user may look into this process."""
    for capability in range(64):
        try:
            prctl(24, capability)  # PR_CAPBSET_DROP
        except OSError:
            break
    prctl(38, 1)  # PR_SET_NO_NEW_PRIVS
    header = struct.pack("<Ii", 0x20080522, 0)
    call(LIBC.capset, ctypes.c_char_p(header), ctypes.c_char_p(bytes(24)))
    prctl(4, 0)  # PR_SET_DUMPABLE


def enter_namespaces(root, folders, hidden):
    """A world of its own, in which `folders` are all there is to read, and `/box` an empty folder.

    root: an empty folder to build it on. hidden: folders inside those that are to look empty. Raises OSError. The
    process that returns is the first of its own; when it ends, so does everything in it.
    """
    user, group = os.getuid(), os.getgid()
    call(LIBC.unshare, NEW_NAMESPACES)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    die_with_parent()
    mount(None, "/", RECURSIVE | PRIVATE)
    mount("tmpfs", root, NO_SUID | NO_DEVICES, kind="tmpfs", data="size=1m,mode=755")
    for folder in folders:
        bind(folder, root + folder)
    for device in ("null", "zero", "urandom"):
        os.makedirs(root + "/dev", exist_ok=True)
        open(f"{root}/dev/{device}", "w").close()
        mount(f"/dev/{device}", f"{root}/dev/{device}", BIND)
    for folder in hidden:
        mount("tmpfs", root + folder, READ_ONLY, kind="tmpfs", data="size=4k")
    os.makedirs(root + "/box")
    os.makedirs(root + "/old")
    mount("tmpfs", root + "/box", NO_SUID | NO_DEVICES, kind="tmpfs", data=f"size={BOX_BYTES},nr_inodes=4096")
    syscall(PIVOT_ROOT[platform.machine()], root.encode(), (root + "/old").encode())
    os.chdir("/")
    call(LIBC.umount2, b"/old", DETACH)
    os.rmdir("/old")
    mount(None, "/", READ_ONLY | 32 | BIND | NO_SUID | NO_DEVICES)  # 32: of what is mounted already


def bind(folder, target):
    """Shows a folder at another place, read-only, with all that is mounted in it. A link stays one."""
    if os.path.islink(folder):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.symlink(os.readlink(folder), target)
    elif os.path.isdir(folder):
        os.makedirs(target, exist_ok=True)
        mount(folder, target, BIND | RECURSIVE)
        attributes = struct.pack("<4Q", 1 | 2 | 4, 0, 0, 0)  # read-only, no set-user-id, no devices
        syscall(MOUNT_SETATTR, -100, target.encode(), 0x8000, attributes, ctypes.c_size_t(32))


def mount(source, target, flags, kind=None, data=None):
    encoded = [None if text is None else text.encode() for text in (source, target, kind, data)]
    call(LIBC.mount, *encoded[:3], ctypes.c_ulong(flags), encoded[3])


def landlock(readable, listed, writable):
    """From now on only these folders can be read, the names in those, and only the last written. Raises OSError."""
    version = syscall(LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)
    files = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1  # every kind of access that this version knows
    ports = 3 if version >= 4 else 0
    scopes = 3 if version >= 6 else 0  # abstract sockets and signals
    size = 8 if version < 4 else 16 if version < 6 else 24
    rules = syscall(LANDLOCK_CREATE, struct.pack("<3Q", files, ports, scopes), ctypes.c_size_t(size), 0)
    for folders, access in ((readable, 0b1100), (listed, 0b1000), (writable, files)):  # read files, folders
        for folder in folders:
            try:
                there = os.open(folder, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            allowed = access & files if os.path.isdir(folder) else access & 0b111
            syscall(LANDLOCK_ADD, rules, 1, struct.pack("<Qi", allowed, there), 0)
            os.close(there)
    prctl(38, 1)
    syscall(LANDLOCK_RESTRICT, rules, 0)
    os.close(rules)


# Numbers of system calls: x86_64, aarch64.
FORBIDDEN = {
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281), "kill": (62, 129),
    "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "ptrace": (101, 117),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424), "pidfd_getfd": (438, 438), "socket": (41, 198), "connect": (42, 203),
    "bind": (49, 200), "sendmsg": (46, 211), "sendmmsg": (307, 269), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97), "setns": (308, 268),
    "mount_setattr": (442, 442),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "bpf": (321, 280), "keyctl": (250, 219),
    "add_key": (248, 217), "request_key": (249, 218), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425), "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180),
    "setpriority": (141, 140), "setsid": (112, 157), "setpgid": (109, 154), "memfd_create": (319, 279),
    "kexec_load": (246, 104), "init_module": (175, 105), "personality": (135, 92), "name_to_handle_at": (303, 264),
    "kcmp": (312, 272), "process_madvise": (440, 440), "landlock_restrict_self": (446, 446), "socketpair": (53, 199),
}  # fmt: skip
ARCHITECTURES = {"x86_64": (0xC000003E, 0, 56, 234), "aarch64": (0xC00000B7, 1, 220, 131)}  # and clone, tgkill
CLONE3, THREAD = 435, 0x00010000


def seccomp():
    """Refuses what honest code needs for no exercise. Raises OSError, KeyError on a machine that is not known."""
    architecture, column, clone, tgkill = ARCHITECTURES[platform.machine()]
    load, equal, at_least, bits, give = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, refuse, unknown, kill = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
    program = [(load, 0, 0, 4), (equal, 1, 0, architecture), (give, 0, 0, kill), (load, 0, 0, 0)]
    program += [(at_least, 0, 1, 0x40000000), (give, 0, 0, refuse)]  # the other numbering of x86_64
    for numbers in FORBIDDEN.values():
        if numbers[column] is not None:
            program += [(equal, 0, 1, numbers[column]), (give, 0, 0, refuse)]
    program += [(equal, 0, 1, CLONE3), (give, 0, 0, unknown)]  # then the C library asks for clone, which can be read
    program += [(equal, 0, 4, clone), (load, 0, 0, 16), (bits, 1, 0, THREAD), (give, 0, 0, refuse), (give, 0, 0, allow)]
    program += [(equal, 0, 4, tgkill), (load, 0, 0, 16), (equal, 1, 0, os.getpid()), (give, 0, 0, refuse)]
    program += [(give, 0, 0, allow), (give, 0, 0, allow)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *line) for line in program))
    head = struct.pack("@HxxxxxxP", len(program), ctypes.addressof(code))
    call(LIBC.prctl, 22, ctypes.c_ulong(2), ctypes.c_char_p(head), 0, 0)  # PR_SET_SECCOMP, a filter


def taken_bytes():
    """What this process takes: address space, and memory of its own. Read while there is a /proc."""
    with open("/proc/self/status") as file:
        sizes = dict(line.split(":", 1) for line in file)
    return [int(sizes[name].split()[0]) * 1024 for name in ("VmSize", "VmData")]


def limit(taken, memory_bytes, cpu_seconds, file_bytes=16 * 2**20):
    """Limits of this process, beyond what it has taken already. Passing one raises or ends it."""
    space, data = taken
    for what, most in (
        (resource.RLIMIT_AS, space + memory_bytes),
        (resource.RLIMIT_DATA, data + memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        hard = most + 2 if what == resource.RLIMIT_CPU else most  # first a signal that says why
        resource.setrlimit(what, (most, hard))
