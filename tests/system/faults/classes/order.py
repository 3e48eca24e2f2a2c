"""Class 7: repeats, reordering, the same sequence with other bytes, figures that are days late: stored once, in order, and the
series are rebuilt."""
import calendar
import json
import time

from recorder import wire
from recorder.programs import wait_for
from world import World

NAME = "order"
ROUNDS = 6


def disturb(world, peer):
    """Sends what a broken network or a broken agent would."""
    rng = world.rng
    sequences = list(range(1, peer.written + 1))
    for _ in range(30):
        peer.send(peer.sent[peer.incarnation, rng.choice(sequences)][0])
        peer.pump(0.005)


def other_body(world, peer, found):
    before = len(peer.refusals)
    sequence = world.rng.randint(1, peer.acked[peer.incarnation])
    body, samples = peer.sent[peer.incarnation, sequence]
    number, time, value = samples[0]
    changed = [(number, time, (value or 0) + 1)] + samples[1:]
    peer.send(wire.batch(world.pb, peer.incarnation, sequence, len(peer.series), changed))
    wait_for(lambda: peer.pump(0.05) or len(peer.refusals) > before, 5)
    if not any(reason == world.pb.OTHER_BODY for reason, _ in peer.refusals[before:]):
        found.changed += 1
        found.note("another body under a known sequence was not refused")


def points(world, name):
    done = world.collector.command("query", name, "--from", "2000-01-01", "--format", "json")
    return {moment(p["time"]): p["value"] for p in json.loads(done.stdout)["points"]}


def moment(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def expected(peer, number):
    out = {}
    for sequence in range(1, peer.written + 1):
        for n, at, value in peer.sent[peer.incarnation, sequence][1]:
            if n == number:
                out[at] = value
    return out


def round_of(options, seed, found):
    world = World(options, NAME, seed)
    try:
        peer = world.add_peer()
        world.collector.start()
        peer.make(40)
        world.drain()
        disturb(world, peer)
        other_body(world, peer, found)
        newest = peer.clock
        for _ in range(5):  # late: back by up to days, and corrections of what is there
            peer.clock = newest - world.rng.randint(1, 30000) * 10
            peer.make(4)
        peer.clock = newest
        peer.make(5)
        if not world.drain():
            found.unbalanced += 1
            found.note("not all acknowledged")
        for number, series in enumerate(peer.series):
            want = expected(peer, number)
            got = points(world, f"{peer.resident}/{series}")
            wrong = [t for t in set(want) | set(got) if t not in got or t not in want or got[t] != want[t]]
            if wrong:
                found.changed += 1
                found.note(f"{series}: {len(wrong)} of {len(want)} points differ, first {min(wrong)}: "
                           f"{got.get(min(wrong), 'none')} for {want.get(min(wrong), 'none')}")
        world.collector.stop()
        found.add(world.compare())
    finally:
        world.close(keep=not found.clean())
    return {"repeats": 30, "late": 20}
