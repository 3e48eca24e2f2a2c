"""Class 12: the ledger is restored from an older copy; the collector says so and gets back what the agents still keep."""
import os
import shutil

from world import World

NAME = "restored"
ROUNDS = 8


def round_of(options, seed, found):
    world = World(options, NAME, seed)
    alarms = 0
    try:
        peer = world.add_peer()
        world.collector.start()
        peer.make(world.rng.randint(5, 30))
        world.drain()
        world.collector.stop()
        saved = f"{world.folder}/saved"
        shutil.copytree(world.collector.state, saved, ignore=shutil.ignore_patterns("control"))
        world.collector.start()
        peer.make(world.rng.randint(5, 30))
        world.drain()
        world.collector.stop()
        newer = os.path.join(world.collector.state, "ledger.head")
        keep_head = world.rng.random() < 0.5
        shutil.copy(newer, f"{world.folder}/head")
        shutil.rmtree(world.collector.state)
        shutil.copytree(saved, world.collector.state)
        if keep_head:  # the head was not restored with it: the start must refuse
            shutil.copy(f"{world.folder}/head", newer)
            if world.collector.start():
                found.changed += 1
                found.note("an older ledger under a newer head was taken as good")
            alarms += 1
            world.collector.kill()
            shutil.copy(f"{saved}/ledger.head", newer)
        if not world.collector.start():
            found.unbalanced += 1
            found.note("did not start with a restored copy and its own head")
            return {"alarms": alarms}
        peer.open()
        peer.make(3)
        if not world.drain():
            found.unbalanced += 1
            found.note("not all acknowledged after the restore")
        if peer.lost_by_collector == 0:
            found.unbalanced += 1
            found.note("the Welcome hid that rows are missing")
        world.collector.stop()
        found.add(world.compare())
    finally:
        world.close(keep=not found.clean())
    return {"alarms": alarms}
