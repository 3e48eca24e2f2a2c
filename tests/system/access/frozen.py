"""One thread of a process that stands still, as in a hang: by ptrace, from this thread."""
import ctypes
import os

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
libc = ctypes.CDLL(None, use_errno=True)


def thread_named(pid, name):
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/comm", encoding="ascii") as f:
            if f.read().strip() == name:
                return int(task)
    return None


def ask(request, task):
    return libc.ptrace(request, ctypes.c_long(task), ctypes.c_void_p(0), ctypes.c_void_p(0)) == 0


def freeze(task):
    """False: the system does not let us."""
    return ask(PTRACE_SEIZE, task) and ask(PTRACE_INTERRUPT, task)


def thaw(task):
    os.waitpid(task, 0x40000000)  # __WALL: detaching is for a thread that has been seen to stop
    if not ask(PTRACE_DETACH, task):
        raise AssertionError("a thread stays frozen")


def has_ended(collector, task):
    try:
        os.waitpid(task, os.WNOHANG | 0x40000000)  # whoever traces a thread must see its end first
    except ChildProcessError:
        pass
    return not collector.alive()
