"""What round-robin files show, as librrd reads it, beside what the recorder sent."""
import json
import math
import os
import subprocess
import sys

from .programs import wait_for

FETCH = os.path.join(os.path.dirname(__file__), "fetch.py")


def fetch(paths, wants):
    """Of each file {time: value} as librrd tells it; None where it cannot read it."""
    words = [w for path, want in zip(paths, wants) for w in (path, f"{min(want)}-{max(want)}")]
    done = subprocess.run([sys.executable, FETCH, *words], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        return [None] * len(paths)
    return [got and {int(t): v for t, v in got.items()} for got in json.loads(done.stdout)]


def same(want, got):
    if want is None or got is None:
        return want is got
    return got == want if isinstance(want, int) else abs(got - want) <= 2 * math.ulp(want)


def not_as_sent(peer, paths):
    """The numbers of series whose file does not show what was sent."""
    wants = [peer.points(n) for n in range(len(paths))]
    return [n for n, (want, got) in enumerate(zip(wants, fetch(paths, wants)))
            if got is None or not all(same(v, got.get(t)) for t, v in want.items())]


def paths_of(collector, peer):
    """Of the peer's series, in the order of their numbers; "" where there is no file within a while."""

    def path(series):
        return collector.command("query", f"{peer.resident}/{series}", "--file").stdout.strip()

    return [wait_for(lambda: path(s), 60, 0.1) or "" for s in peer.series]
