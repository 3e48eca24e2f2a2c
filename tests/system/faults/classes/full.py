"""Class 4: the disk is full: under the ledger, under the round-robin files; each on a small file system of its own. The
collector says so before it is full, acknowledges nothing it can't keep, and goes on by itself when there is room."""
import json
import os
import subprocess

from recorder.programs import wait_for
from world import World

NAME = "full"
ROUNDS = 2


def mount(path, size):
    os.makedirs(path, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=2750", "tmpfs", path], check=True)


def unmount(path):
    subprocess.run(["umount", "-l", path], check=False)


def state_of(world):
    done = world.collector.command("status", "--json")
    try:
        return json.loads(done.stdout).get("state")
    except ValueError:
        return None


def fill(path, leave):
    """A stranger's file that eats the room."""
    free = os.statvfs(path)
    size = free.f_bavail * free.f_frsize - leave
    with open(f"{path}/stranger", "wb") as f:
        for _ in range(max(0, size) // 65536):
            f.write(bytes(65536))


def ledger(options, seed, found, min_free, expect):
    world = World(options, NAME, f"{seed}-{expect}", extra=f"min_free: {min_free}\n")
    mounted = world.collector.state
    try:
        saved = {name: open(f"{mounted}/{name}", "rb").read() for name in os.listdir(mounted)}
        mount(mounted, "24m")
        for name, data in saved.items():
            with open(f"{mounted}/{name}", "wb") as f:
                f.write(data)
            os.chmod(f"{mounted}/{name}", 0o600)
        peer = world.add_peer()
        world.collector.start()
        peer.make(50)
        world.drain()
        fill(mounted, 700_000 if expect == "no-space" else 0)
        peer.make(400, per_batch=800)
        seen = wait_for(lambda: world.pump(0.2) or state_of(world) in (expect, "no-space", "low-space"), 15)
        if not seen:
            found.unbalanced += 1
            found.note(f"full disk: state is {state_of(world)}, not {expect}")
        world.pump(1)
        if not world.collector.program.alive():
            found.unbalanced += 1
            found.note("a full disk ended the collector")
        os.unlink(f"{mounted}/stranger")
        if not world.drain(40):
            found.unbalanced += 1
            found.note(f"did not recover by itself: {peer.unacknowledged()} batches open, state {state_of(world)}")
        world.collector.stop()
        found.add(world.compare())
    finally:
        world.close(keep=True)
        unmount(mounted)


def rrd(options, seed, found):
    world = World(options, NAME, f"{seed}-rrd")
    mounted = f"{world.collector.state}/rrd"
    try:
        mount(mounted, "3m")
        peer = world.add_peer(series=8)
        world.collector.start()
        peer.make(60, per_batch=24)
        if not world.drain():
            found.unbalanced += 1
            found.note("full disk under the round-robin files stopped the ledger")
        world.pump(2)
        subprocess.run(["mount", "-o", "remount,size=64m", mounted], check=True)
        name = f"{world.peers[0].resident}/{peer.series[0]}"
        file = world.collector.command("query", name, "--file").stdout.strip()
        if not wait_for(lambda: os.path.exists(file) and os.path.getsize(file) > 0, 45):
            found.unbalanced += 1
            found.note("round-robin files were not made when there was room again")
        world.collector.stop()
        found.add(world.compare())
    finally:
        world.close(keep=True)
        unmount(mounted)


def round_of(options, seed, found):
    ledger(options, seed, found, "8MiB", "low-space")
    ledger(options, seed, found, "4096", "no-space")
    rrd(options, seed, found)
    return {"disks": 3}
