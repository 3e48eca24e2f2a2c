"""Class 8, retention: bytes flipped, files cut short, pages zeroed in a ledger of which months are being rolled up and dropped, or
have been; the collector goes on dropping. Either every acknowledged figure is there, by the row or the hour, or the start or
verify refuses: what is dropped is never what would have told of the damage."""
import os
import shutil

from classes import retain
from classes.flips import agents_notice, intact
from damage import damage
from world import World

NAME, ROUNDS, LIMIT_S = "retainflips", 8, 240
EACH = 6


def try_one(world, saved, files, end):
    shutil.rmtree(world.collector.state)
    shutil.copytree(saved, world.collector.state)
    name = world.rng.choice(files)
    how = damage(f"{world.collector.state}/{name}", world.rng, ("flip", "flip", "flip", "flip", "zero"))
    refused = not world.collector.start()
    if not refused:
        retain.wait_dropped_or_dead(world, end, 6)
        refused = world.collector.command("verify").returncode != 0 or agents_notice(world, f"{how} in {name}")
    world.collector.kill()
    if refused:
        return "noticed"
    if intact(world):
        return "harmless"
    world.found.blame("undetected", f"{how} in {name} went unnoticed")
    return "unnoticed"


def round_of(options, seed, found):
    count = {"noticed": 0, "harmless": 0}
    with World(options, NAME, seed, found) as world:
        peer = world.add_peer()
        end = retain.prepare(world, [peer], 40, 40)
        world.start("with retention")
        if seed % 2:
            world.pump(world.rng.uniform(0, 0.4))
        else:
            retain.wait_dropped(world, end, "before the damage")
        world.collector.kill()
        found.add(world.compare())
        saved = f"{world.folder}/saved"
        shutil.copytree(world.collector.state, saved, ignore=shutil.ignore_patterns("control", "rrd"))
        files = [f for f in ("ledger.sqlite", "ledger.sqlite-wal") if os.path.getsize(f"{saved}/{f}") > 0]
        for _ in range(EACH):
            how = try_one(world, saved, files, end)
            count[how] = count.get(how, 0) + 1
    return count
