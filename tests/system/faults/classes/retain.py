"""What the parts about retention share: a ledger with two months that may be dropped, made by a collector whose clock is in
the past; and what must hold when they are gone."""
import calendar
import json
import shutil
import time

from classes.clock import Clock
from recorder import kept
from recorder.ledger import open_ledger
from recorder.peer import Peer
from world import wait_for

DAY = 86400


def two_months():
    """The last two months that ended more than 41 days ago: (begin, begin of the second, end)."""
    t = time.gmtime(time.time() - 41 * DAY)
    firsts = [calendar.timegm((t.tm_year, t.tm_mon - back, 1, 0, 0, 0)) for back in (2, 1, 0)]
    return tuple(firsts)


def fill(world, peer, begin, end, batches, per_batch=None):
    """Figures of some days of the span, in step with the collector's clock when that is in the span."""
    for _ in range(batches):
        at = world.rng.randrange(begin, end - DAY) // 10 * 10
        peer.clock = max(peer.clock, at) if world.rng.random() < 0.5 else at
        if peer.clock > end - DAY:
            peer.clock = at
        peer.make(1, per_batch)


def prepare(world, peers, batches=25, per_batch=None, months=2):
    """Two old months and today: received in their time, and late; some batches have figures of several months. Returns until
    when they will be dropped: both, or the first."""
    begin, middle, end = two_months()
    clock = Clock(f"{world.folder}/clock")
    clock.step(int(begin + 20 * DAY - time.time()))
    env = dict(world.shim("/nowhere"), SHIM_CLOCK=clock.path)
    world.start("to fill old months", env)
    for low, high in ((begin, begin + 19 * DAY), (middle, middle + 19 * DAY)):
        clock.step(int(high + DAY - time.time()))
        for peer in peers:
            fill(world, peer, low, high, batches, per_batch)
        world.drain("old months")
    clock.step(0)
    for peer in peers:
        fill(world, peer, begin, end, batches // 2, per_batch)  # late
        now = int(time.time()) // 10 * 10 - 6 * 3600
        for _ in range(3):  # late and new in one batch; a correction
            old = world.rng.randrange(begin, end) // 10 * 10
            peer.put([(0, old, 5), (1, end + 10, 6), (1, now, 7), (0, old, 8), (0, end, 9)])
            now += 10
        peer.clock = now
        peer.make(5, per_batch)
    world.drain("late figures")
    world.collector.stop()
    raw = 40 if months == 2 else int(time.time() - end) // DAY + 3
    with open(world.collector.config, "a", encoding="utf-8") as f:
        f.write(f"retention: {{raw: {raw}d, settle: 0d}}\n")
    return end if months == 2 else middle


def again(world, peer, state):
    """The same beginning once more: the state's copy, and a peer that knows what the first one did."""
    shutil.rmtree(world.collector.state, ignore_errors=True)
    shutil.copytree(state, world.collector.state)
    for old in world.peers:
        old.close()
    twin = Peer(world.pb, world.context, world.collector.endpoint, world.collector.key, peer.keys, world.rng,
                len(peer.series), peer.name)
    twin.resident, twin.incarnation, twin.clock = peer.resident, peer.incarnation, peer.clock
    twin.sent, twin.acked, twin.receipts = dict(peer.sent), dict(peer.acked), dict(peer.receipts)
    twin.rejected, twin.written = dict(peer.rejected), peer.written
    world.peers = [twin]
    return twin


def until(world):
    with open_ledger(world.collector.state) as db:
        return kept.until(db)


def wait_dropped_or_dead(world, end, seconds=60):
    return wait_for(lambda: world.pump(0.05) or until(world)[2] >= end or not world.collector.alive(), seconds)


def wait_dropped(world, end, what, seconds=60):
    """Until the months are gone, while peers go on."""
    wait_dropped_or_dead(world, end, seconds)
    return world.found.check(until(world)[2] >= end, "unbalanced",
                             f"{what}: dropped until {until(world)[2]}, not {end}")


def check_receipts(world, peer, what):
    """A receipt of each kind of row: gone, kept, changed."""
    sequences = sorted(s for i, s in peer.receipts if i == peer.incarnation)
    for sequence in [sequences[0], sequences[-1], *world.rng.sample(sequences, min(3, len(sequences)))]:
        position, chain = peer.receipts[peer.incarnation, sequence]
        done = world.collector.command("verify", "--receipt", f"{position}:{chain.hex()}")
        world.found.check(done.returncode == 0 and done.stdout.split(":")[0] in ("present", "sealed"), "undetected",
                          f"{what}: the receipt of sequence {sequence}: {done.stdout.strip()} {done.stderr.strip()}")
    position, chain = peer.receipts[peer.incarnation, sequences[-1]]
    for receipt in (f"{position}:{bytes(32).hex()}", f"{position + 10**6}:{chain.hex()}"):
        done = world.collector.command("verify", "--receipt", receipt)
        world.found.check(done.returncode == 1, "undetected", f"{what}: a false receipt: {done.stdout.strip()}")


def points(world, name, since):
    done = world.collector.command("query", name, "--from", str(since), "--format", "json")
    return {calendar.timegm(time.strptime(p["time"], "%Y-%m-%dT%H:%M:%SZ")): p["value"] for p in json.loads(done.stdout)["points"]}


def check_points(world, peer, what):
    """Hours where raw figures are gone, raw figures after."""
    rolled_s = until(world)[1]
    for number, truth in kept.truth(peer).items():
        cells = kept.cells_of({at: v for at, v in truth.items() if at <= rolled_s})
        want = {at: None if c.sum is None else float(c.sum) for at, c in cells.items()}
        want.update({at: v for at, v in truth.items() if at > rolled_s})
        got = points(world, f"{peer.resident}/{peer.series[number]}", min(want) - 3600)
        wrong = [t for t in set(want) | set(got) if t not in got or t not in want or got[t] != want[t]]
        world.found.check(not wrong, "undetected",
                          f"{what}: {peer.series[number]}: {len(wrong)} of {len(want)} points differ:"
                          f" {[(t, got.get(t), want.get(t)) for t in sorted(wrong)[:3]]}")


def check_all(world, what):
    """With the collector running and everything delivered."""
    world.verify(what)
    for peer in world.peers:
        check_receipts(world, peer, what)
        check_points(world, peer, what)
