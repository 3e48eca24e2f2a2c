"""Rounds side by side, each in a process and process group of its own: what a round leaves behind, however it ended, is
found by its group, its folder or its namespaces' names, and removed."""
import ctypes
import multiprocessing
import os
import signal
import subprocess
import time
import traceback
from multiprocessing import connection

from recorder.ledger import Findings

HARD_S = 60  # after its limit, for a round to clean up behind itself
PR_SET_PDEATHSIG = 1


class Late(Exception):
    pass


def late(*_):
    raise Late("the round took too long")


def work(options, module, seed, end):
    """The life of a round's process."""
    os.setsid()
    signal.signal(signal.SIGALRM, late)
    signal.signal(signal.SIGTERM, late)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # when even the driver was killed
    signal.alarm(module.LIMIT_S)
    found, extra = Findings(), {}
    try:
        extra = module.round_of(options, seed, found) or {}
    except BaseException:  # a round that breaks is a finding, with its seed
        found.unbalanced += 1
        found.note(traceback.format_exc(limit=-4).replace("\n", " | "))
    signal.alarm(0)
    end.send((found, extra))
    end.close()


class Jobs:
    def __init__(self, options):
        self.options = options
        self.context = multiprocessing.get_context("fork")
        self.running = {}  # the pipe's end → (process, job, started)

    def start(self, job):
        _, _, module, seed = job
        mine, its = self.context.Pipe(duplex=False)
        process = self.context.Process(target=work, args=(self.options, module, seed, its))
        process.start()
        its.close()
        self.running[mine] = (process, job, time.monotonic())

    def all(self, queue):
        """Runs all jobs; yields (job, findings, extra, seconds) as they end."""
        todo = list(queue)
        while todo or self.running:
            while todo and len(self.running) < self.options.jobs:
                self.start(todo.pop(0))
            for end in connection.wait(list(self.running), timeout=1):
                yield self.finish(end)
            for end, (process, job, started) in list(self.running.items()):
                if time.monotonic() - started > job[2].LIMIT_S + HARD_S:
                    kill_group(process.pid)

    def finish(self, end):
        process, job, started = self.running.pop(end)
        try:
            found, extra = end.recv()
        except EOFError:
            found, extra = Findings(), {}
            found.unbalanced += 1
            found.note("the round's process died or hung")
        end.close()
        process.join()
        kill_group(process.pid)
        return job, found, extra, time.monotonic() - started

    def clean(self):
        for process, _, _ in self.running.values():
            process.terminate()
        for process, _, _ in self.running.values():
            process.join(20)
            kill_group(process.pid)
            process.join(5)
        unmount_below(self.options.folder)
        drop_namespaces(f"ef{os.getpid()}")


def kill_group(pid):
    """The round's own process group: it called setsid, so nobody else is in it."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def unmount_below(folder):
    with open("/proc/self/mounts", encoding="utf-8") as f:
        below = [line.split()[1] for line in f if line.split()[1].startswith(folder + "/")]
    for path in reversed(below):
        subprocess.run(["umount", "-l", path], check=False)


def drop_namespaces(prefix):
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=False).stdout
    for line in listed.splitlines():
        if line.startswith(prefix):
            subprocess.run(["ip", "netns", "delete", line.split()[0]], check=False)
