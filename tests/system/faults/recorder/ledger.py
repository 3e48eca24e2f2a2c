"""Reads the ledger with plain SQLite and compares it with what peers remember."""
import sqlite3


def open_ledger(state):
    db = sqlite3.connect(f"file:{state}/ledger.sqlite?mode=ro", uri=True, timeout=10)
    db.execute("PRAGMA query_only=1")
    return db


class Findings:
    """What a round has found. `acked`, `stored`, `lost` and `doubled` count samples; `undetected` counts damage, changed
    figures and false answers that nobody noticed; `unbalanced` counts accounts that do not add up and promises of the kind
    "goes on by itself" that were not kept."""

    COUNTS = ("acked", "stored", "lost", "doubled", "undetected", "unbalanced")

    def __init__(self):
        for name in self.COUNTS:
            setattr(self, name, 0)
        self.details = []

    def add(self, other):
        for name in self.COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.details += other.details

    def clean(self):
        return self.lost == self.doubled == self.undetected == self.unbalanced == 0

    def note(self, text):
        if len(self.details) < 12:
            self.details.append(text)

    def blame(self, name, text, count=1):
        setattr(self, name, getattr(self, name) + count)
        self.note(text)

    def check(self, good, name, text):
        if not good:
            self.blame(name, text)
        return good


def compare(db, peers):
    """Every acknowledged batch is there once with the same bytes; nothing is there that was not sent. Counted in samples."""
    found = Findings()
    rows = {}
    for incarnation, sequence, last, gap, samples, refused, body in db.execute(
        "SELECT s.incarnation, b.sequence, b.last_sequence, b.gap, b.samples, b.refused, b.body"
        " FROM batch b JOIN stream s USING (stream_id)"
    ):
        rows.setdefault((bytes(incarnation), sequence), []).append((last, gap, samples, refused, bytes(body)))
    known = {}
    for peer in peers:
        for key, value in peer.sent.items():
            known[key] = (peer, value)
    for key, (peer, (body, samples)) in known.items():
        stored = rows.get(key, [])
        acked = key[1] <= peer.acked.get(key[0], 0)
        found.acked += len(samples) if acked else 0
        found.stored += len(samples) * len(stored)
        if acked and not stored:
            found.lost += len(samples)
            found.note(f"lost: {peer.name} incarnation {key[0].hex()[:8]} sequence {key[1]}")
        if len(stored) > 1:
            found.doubled += len(samples) * (len(stored) - 1)
            found.note(f"doubled: {peer.name} sequence {key[1]}")
        for row in stored:
            if row[4] != body:
                found.undetected += len(samples)
                found.note(f"changed: {peer.name} sequence {key[1]}")
    mine = {peer_incarnation for peer_incarnation, _ in known}
    for key, stored in rows.items():
        if key[0] in mine and key not in known:
            found.undetected += sum(r[2] for r in stored)
            found.note(f"never sent: sequence {key[1]}")
    balance(db, found)
    return found


def balance(db, found):
    """Each stream's watermark is what its rows add up to, without a hole."""
    for stream, last, accepted, quarantined, gap in db.execute(
        "SELECT stream_id, last_sequence, accepted, quarantined, gap FROM stream"
    ):
        expect, sums = 1, [0, 0, 0]
        for sequence, end, is_gap, samples, refused in db.execute(
            "SELECT sequence, last_sequence, gap, samples, refused FROM batch WHERE stream_id=? ORDER BY sequence", (stream,)
        ):
            if sequence != expect:
                found.unbalanced += 1
                found.note(f"hole: stream {stream} expected {expect} found {sequence}")
            expect = end + 1
            if is_gap:
                sums[2] += samples
            else:
                sums[0] += samples - refused
                sums[1] += refused
        if expect != last + 1 or sums != [accepted, quarantined, gap]:
            found.unbalanced += 1
            found.note(f"stream {stream}: rows say {expect - 1} {sums}, counters {last} {[accepted, quarantined, gap]}")
