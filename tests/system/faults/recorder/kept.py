"""What retention and releases leave in the ledger, in plain SQLite and esep.proto: how far it has come, what seals say, and
roll-ups, which are compared with cells made here from what a peer sent."""
import collections
from fractions import Fraction

HOUR = 3600
Cell = collections.namedtuple("Cell", "known missing sum last min max")


def until(db):
    """(closed, rolled, dropped): seconds, 0 where it has not begun."""
    return db.execute("SELECT closed_until_s, rolled_until_s, dropped_until_s FROM seal ORDER BY position DESC LIMIT 1"
                      ).fetchone() or (0, 0, 0)


def refused_in(reject, samples):
    """[(index, reason)] of a verdict on so many samples."""
    if reject.whole:
        return [(i, reject.reason[0]) for i in range(samples)]
    return list(zip(reject.index, reject.reason))


def learn_refused(db, peer, found):
    """A Reject may get lost on its way, as an Ack may; the verdict beside the row is what counts. Too old is only what is."""
    closed_s = until(db)[0]
    for incarnation, sequence, verdict in db.execute(
        "SELECT incarnation, sequence, verdict FROM batch JOIN stream USING (stream_id) WHERE verdict NOT NULL AND batch.gap=0"
    ):
        key = (bytes(incarnation), sequence)
        if key not in peer.sent:
            continue
        samples = peer.sent[key][1]
        told, reject = peer.rejected.get(key), peer.pb.Envelope.FromString(verdict).reject
        peer.rejected[key] = refused_in(reject, len(samples))
        found.check(told in (None, peer.rejected[key]), "undetected", f"sequence {sequence}: told {told}, stored another")
        wrong = [i for i, r in peer.rejected[key] if (r == peer.pb.TOO_OLD) != (samples[i][1] <= closed_s)]
        found.check(not wrong, "undetected", f"sequence {sequence}: samples {wrong} are too old or are not")


def accepted(peer, key, samples):
    refused = {index for index, _ in peer.rejected.get(key, [])} - peer.let_in.get(key, set())
    return [s for index, s in enumerate(samples) if index not in refused]


def may_be_dropped(peer, key, samples, rolled_s):
    """Whether all that was accepted of the batch is of months that are rolled up."""
    return all(at <= rolled_s for _, at, _ in accepted(peer, key, samples))


def truth(peer):
    """{series number: {time: value}} of what was accepted, the last said of each time."""
    out = {number: {} for number in range(len(peer.series))}
    for key in sorted(peer.sent, key=lambda k: k[1]):
        for number, at, value in accepted(peer, key, peer.sent[key][1]):
            out[number][at] = value
    return out


def cells_of(points, cell_s=HOUR):
    """{end: Cell} of {time: value}."""
    hours = {}
    for at in sorted(points):
        hours.setdefault(-(-at // cell_s) * cell_s, []).append(points[at])
    out = {}
    for end, values in hours.items():
        known = [v for v in values if v is not None]
        total = sum(map(Fraction, known)) if known else None
        out[end] = Cell(len(known), len(values) - len(known), total, *((known[-1], min(known), max(known)) if known else (None,) * 3))
    return out


def cells_in(rollup):
    """The same from a Rollup of esep.proto; the sum of reals is rounded there, to a double and a rest."""
    out, number, integers, reals = {}, 0, iter(rollup.integer), iter(rollup.real)
    for tag, known, missing in zip(rollup.tag, rollup.known, rollup.missing):
        number += tag >> 2
        if tag & 3 == 0:
            total, last, low, high = (next(integers) for _ in range(4))
        elif tag & 3 == 1:
            total = Fraction(next(reals)) + Fraction(next(reals))
            last, low, high = (next(reals) for _ in range(3))
        else:
            total = last = low = high = None
        out[rollup.month_s + number * rollup.cell_s] = Cell(known, missing, total, last, low, high)
    return out


def same(a, b):
    if a[:2] != b[:2] or a[3:] != b[3:] or (a.sum is None) != (b.sum is None):
        return False
    return a.sum is None or abs(a.sum - b.sum) <= abs(a.sum) / 2**100


def compare(db, peer, found):
    """Every hour of what is rolled up is in the roll-ups as the peer sent it, and nothing else."""
    rolled_s = until(db)[1]
    if not rolled_s:
        return
    for number, points in truth(peer).items():
        name = f"{peer.resident}/{peer.series[number]}"
        want = cells_of({at: value for at, value in points.items() if at <= rolled_s})
        got = {}
        for (body,) in db.execute("SELECT body FROM rollup JOIN series USING (series_id) JOIN batch USING (position)"
                                  " WHERE name=? AND month_s<?", (name, rolled_s)):
            got.update(cells_in(peer.pb.Envelope.FromString(body).rollup))
        wrong = [end for end in set(want) | set(got) if end not in want or end not in got or not same(want[end], got[end])]
        if wrong:
            end = min(wrong)
            found.blame("lost", f"{name}: {len(wrong)} of {len(want)} hours of roll-ups differ, the first {end}:"
                                f" {got.get(end)}, not {want.get(end)}")
