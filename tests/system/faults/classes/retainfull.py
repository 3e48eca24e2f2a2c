"""Class 4, retention: the disk becomes full while two months are rolled up and dropped. The collector waits, and both figures and
retention go on by themselves when there is room."""
import os

from classes import retain
from disks import fill, make_room, small_disk
from world import World

NAME, ROUNDS, LIMIT_S = "retainfull", 4, 180


def round_of(options, seed, found):
    with World(options, NAME, seed, found, extra="min_free: 4096\n") as world:
        peer = world.add_peer()
        end = retain.prepare(world, [peer], 40, 600)
        os.unlink(f"{world.collector.state}/control")
        with small_disk(world.collector.state, "24m") as state:
            world.start("with room")
            world.pump(world.rng.uniform(0, 0.5))
            fill(state, world.rng.choice((0, 0, 20_000, 200_000)))
            peer.make(20, per_batch=200)
            world.pump(3)
            found.check(world.collector.alive(), "unbalanced", "a full disk ended the collector while it dropped months")
            make_room(state)
            retain.wait_dropped(world, end, "when there was room again")
            world.drain("when there was room again", 60)
            retain.check_all(world, "when there was room again")
            world.finish()
            world.collector.program = None
    return {"disks": 1}
