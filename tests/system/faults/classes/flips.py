"""Class 8: bytes flipped, files cut short, pages zeroed, in the ledger with its -wal and -shm. Afterwards either every
acknowledged row reads back equal to the recorder's copy, or the start or verify refuses and names the damage."""
import os
import shutil

from recorder.programs import wait_for
from world import World

NAME = "flips"
ROUNDS = 60


def damage(path, rng):
    size = os.path.getsize(path)
    if size == 0:
        return "empty"
    how = rng.choice(("flip", "flip", "flip", "cut", "zero"))
    with open(path, "r+b") as f:
        if how == "flip":
            at = rng.randrange(size)
            f.seek(at)
            byte = f.read(1)[0] ^ 1 << rng.randrange(8)
            f.seek(at)
            f.write(bytes([byte]))
        elif how == "cut":
            f.truncate(rng.randrange(size))
        else:
            page = rng.randrange((size + 4095) // 4096)
            f.seek(page * 4096)
            f.write(bytes(min(4096, size - page * 4096)))
    return how


def agents_notice(world):
    """A chain that is valid but shorter, within the second that the head may lag: the agents' receipts tell."""
    for peer in world.peers:
        peer.lost_by_collector = 0
        peer.open()
    wait_for(lambda: world.pump(0.05) or all(p.welcomed for p in world.peers), 10)
    return any(p.lost_by_collector > 0 for p in world.peers) and "ledger_behind" in world.collector_log()


def intact(world):
    """Every acknowledged row reads back equal, and the collector says so too."""
    one = world.compare()
    return one.lost == one.changed == one.doubled == 0


def round_of(options, seed, found):
    world = World(options, NAME, seed)
    unnoticed = noticed = harmless = 0
    try:
        world.add_peer()
        world.add_peer()
        world.collector.start()
        for peer in world.peers:
            peer.make(40)
        world.drain()
        if world.rng.random() < 0.7:
            world.collector.kill()
        else:
            world.collector.stop()
        saved = f"{world.folder}/saved"
        shutil.copytree(world.collector.state, saved, ignore=shutil.ignore_patterns("control", "rrd"))
        files = [f for f in ("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm")
                 if os.path.exists(f"{saved}/{f}") and os.path.getsize(f"{saved}/{f}") > 0]
        for _ in range(6):
            shutil.rmtree(world.collector.state)
            shutil.copytree(saved, world.collector.state)
            name = world.rng.choice(files)
            how = damage(f"{world.collector.state}/{name}", world.rng)
            started = world.collector.start()
            verdict = world.collector.command("verify") if started else None
            refused = not started or verdict.returncode != 0
            if started and not refused:
                refused = agents_notice(world)
            if started:
                world.collector.stop()
            try:
                equal = intact(world)
            except Exception:  # SQLite itself says that the file is damaged
                equal = False
            if refused:
                noticed += 1
            elif equal:
                harmless += 1
            else:
                unnoticed += 1
                found.changed += 1
                found.note(f"{how} in {name} went unnoticed")
    finally:
        world.close(keep=not found.clean())
    return {"noticed": noticed, "harmless": harmless, "unnoticed": unnoticed}
