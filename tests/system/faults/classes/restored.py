"""Class 12: the ledger is restored from an older copy; the collector says so and gets back what the agents still keep."""
import shutil

from disks import copy_state
from world import World

NAME, ROUNDS, LIMIT_S = "restored", 8, 180


def round_of(options, seed, found):
    alarms = 0
    with World(options, NAME, seed, found) as world:
        peer, agent = world.add_peer(), world.add_agent()
        state, saved, head = world.collector.state, f"{world.folder}/saved", f"{world.folder}/head"
        world.start()
        agent.start()
        peer.make(world.rng.randint(5, 30))
        agent.grow(100)
        world.drain("before the copy")
        world.pump(10, agent.done)
        world.collector.stop()
        copy_state(state, saved)
        world.start()
        peer.make(world.rng.randint(5, 30))
        agent.grow(100)
        world.drain("after the copy")
        world.pump(20, agent.done)
        world.collector.stop()
        shutil.copy(f"{state}/ledger.head", head)
        shutil.rmtree(state)
        shutil.copytree(saved, state)
        if world.rng.random() < 0.5:  # the head was not restored with it: the start must refuse
            shutil.copy(head, f"{state}/ledger.head")
            found.check(not world.collector.start(), "undetected", "an older ledger under a newer head was taken as good")
            alarms += 1
            world.collector.kill()
            shutil.copy(f"{saved}/ledger.head", f"{state}/ledger.head")
        if not world.start("with a restored copy and its own head"):
            return {}
        peer.open()
        peer.make(3)
        agent.grow(10)
        world.drain("after the restore")
        found.check(peer.lost_by_collector > 0, "undetected", "the Welcome hid that rows are missing")
        world.finish_agent(agent, "after the restore")
        found.check(world.collector.said("ledger_behind"), "undetected", "the collector raised no alarm")
        world.verify("after the restore")
        world.finish()
    return {"alarms": alarms + 1}
