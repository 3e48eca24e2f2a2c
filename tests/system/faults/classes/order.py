"""Class 7: repeats, reordering, the same sequence with other bytes, figures that are days late: stored once, in order, and the
series show what was said last."""
import calendar
import json
import time

from recorder import wire
from world import World, wait_for

NAME, ROUNDS, LIMIT_S = "order", 8, 180
REPEATS, LATE = 30, 20


def disturb(world, peer):
    """Sends what a broken network or a broken agent would: any sequence, sent before or not yet due."""
    sequences = list(range(1, peer.written + 1))
    for _ in range(REPEATS):
        peer.send(peer.sent[peer.incarnation, world.rng.choice(sequences)][0])
        peer.pump(0.005)


def other_body(world, peer):
    before = len(peer.refusals)
    sequence = world.rng.randint(1, peer.acked[peer.incarnation])
    _, samples = peer.sent[peer.incarnation, sequence]
    number, at, value = samples[0]
    other = [(number, at, (value or 0) + 1)] + samples[1:]
    peer.send(wire.batch(world.pb, peer.incarnation, sequence, len(peer.series), other))
    wait_for(lambda: peer.pump(0.05) or len(peer.refusals) > before, 5)
    world.found.check(any(reason == world.pb.OTHER_BODY for reason, _ in peer.refusals[before:]), "undetected",
                      "another body under a known sequence was not refused")


def points(world, name):
    done = world.collector.command("query", name, "--from", "2000-01-01", "--format", "json")
    return {calendar.timegm(time.strptime(p["time"], "%Y-%m-%dT%H:%M:%SZ")): p["value"]
            for p in json.loads(done.stdout)["points"]}


def round_of(options, seed, found):
    with World(options, NAME, seed, found) as world:
        peer = world.add_peer()
        world.start()
        peer.make(40)
        disturb(world, peer)  # before it is welcomed and while it sends
        world.drain("out of order")
        disturb(world, peer)
        other_body(world, peer)
        newest = peer.clock
        for _ in range(5):  # late: back by up to days, and corrections of what is there
            peer.clock = newest - world.rng.randint(1, 30000) * 10
            peer.make(LATE // 5)
        peer.clock = newest
        peer.make(5)
        world.drain("late figures")
        for number, series in enumerate(peer.series):
            want = peer.points(number)
            got = points(world, f"{peer.resident}/{series}")
            wrong = [t for t in set(want) | set(got) if t not in got or t not in want or got[t] != want[t]]
            found.check(not wrong, "undetected", f"{series}: {len(wrong)} of {len(want)} points differ: {sorted(wrong)[:3]}")
        world.verify("afterwards")
        world.finish()
    return {"repeats": 2 * REPEATS, "late": LATE}
