"""Class 12, retention: the ledger restored from a copy made before its months were rolled up, beside observations and round-robin
files that have seen them go. It is all done again, from the copy's rows."""
import os
import shutil

from classes import retain
from world import World

NAME, ROUNDS, LIMIT_S = "retainrestored", 4, 180
LEDGER = ("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm", "ledger.head")


def restore(state, saved):
    for name in LEDGER:
        if os.path.exists(f"{state}/{name}"):
            os.unlink(f"{state}/{name}")
        if os.path.exists(f"{saved}/{name}"):
            shutil.copy2(f"{saved}/{name}", f"{state}/{name}")


def round_of(options, seed, found):
    with World(options, NAME, seed, found) as world:
        peer = world.add_peer()
        end = retain.prepare(world, [peer])
        state, saved = world.collector.state, f"{world.folder}/saved"
        shutil.copytree(state, saved, ignore=shutil.ignore_patterns("control", "rrd"))
        world.start("with retention")
        if seed % 2:
            world.pump(world.rng.uniform(0.1, 0.6))
        else:
            retain.wait_dropped(world, end, "before the ledger was restored")
        world.collector.kill()
        restore(state, saved)
        world.start("with an older ledger")
        peer.make(3)
        retain.wait_dropped(world, end, "with an older ledger")
        world.drain("with an older ledger")
        retain.check_all(world, "with an older ledger")
        world.finish()
    return {"restored": 1}
