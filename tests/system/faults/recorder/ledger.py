"""Reads the ledger with plain SQLite and compares it with what peers remember."""
import contextlib
import sqlite3

from . import kept


@contextlib.contextmanager
def open_ledger(state):
    """Closed at the end: a connection that lingered would lend its memory of a -shm file to those opened after a power cut."""
    db = sqlite3.connect(f"file:{state}/ledger.sqlite?mode=ro", uri=True, timeout=10)
    try:
        db.execute("PRAGMA query_only=1")
        yield db
    finally:
        db.close()


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
    rows, rolled_s = {}, kept.until(db)[1]
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
        if acked and not stored and kept.may_be_dropped(peer, key, samples, rolled_s):
            found.stored += len(samples)  # in roll-ups, which are compared below
        elif acked and not stored:
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
    for peer in peers:
        kept.compare(db, peer, found)
    balance(db, found)
    return found


def balance(db, found):
    """Each stream's watermark and counts are what its rows and seals add up to, without a hole; the counters of the table are
    what the streams add up to."""
    of_agents = {}
    for stream, agent, last, *counts in db.execute(
        "SELECT stream_id, agent_id, last_sequence, accepted, quarantined, gap FROM stream"
    ):
        of_agents.setdefault(agent, []).append(counts)
        sealed, sums = sealed_rows(db, stream)
        expect, holes = 1, 0
        for sequence, end, is_gap, samples, refused in db.execute(
            "SELECT sequence, last_sequence, gap, samples, refused FROM batch WHERE stream_id=? ORDER BY sequence", (stream,)
        ):
            holes += sequence - expect
            expect = end + 1
            if is_gap:
                sums[2] += samples
            else:
                sums[0] += samples - refused
                sums[1] += refused
        holes += last + 1 - expect
        if holes != sealed or sums != counts:
            found.blame("unbalanced", f"stream {stream}: rows up to {expect - 1} say {sums}, {holes} missing, {sealed} of them"
                                      f" sealed; counters {last} {counts}")
    for agent, streams in of_agents.items():
        for column, name in enumerate(("samples_accepted", "samples_quarantined", "samples_gap")):
            row = db.execute("SELECT value FROM counter WHERE name=? AND agent_id=?", (name, agent)).fetchone()
            wanted = sum(counts[column] for counts in streams)
            if (row[0] if row else 0) != wanted:
                found.blame("unbalanced", f"agent {agent}: counter {name} is {row and row[0]}, the streams say {wanted}")


def sealed_rows(db, stream):
    """What retention has dropped of the stream, and an operator let in: (rows, [accepted, quarantined, gap])."""
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name='sealed_stream'").fetchone():
        return 0, [0, 0, 0]
    rows, accepted, quarantined = db.execute(
        "SELECT coalesce(sum(rows), 0), coalesce(sum(accepted), 0), coalesce(sum(quarantined), 0) FROM sealed_stream"
        " WHERE stream_id=?", (stream,)).fetchone()
    (released,) = db.execute("SELECT count(*) FROM release WHERE stream_id=?", (stream,)).fetchone()
    return rows, [accepted + released, quarantined - released, 0]


def balance_peer(pb, db, peer, found):
    """For each incarnation and every acknowledged n: the samples that the recorder sent with a sequence up to n are those that
    the ledger has accepted, quarantined or given up for in a gap; and a refusal that it was told is the verdict stored."""
    rolled_s = kept.until(db)[1]
    for incarnation in {i for i, _ in peer.sent}:
        theirs = {}
        for sequence, samples, verdict in db.execute(
            "SELECT b.sequence, b.samples, b.verdict FROM batch b JOIN stream s USING (stream_id) WHERE s.incarnation=?",
            (incarnation,)
        ):
            theirs[sequence] = samples
            told = peer.rejected.get((incarnation, sequence))
            said = pb.Envelope.FromString(verdict).reject if verdict else None
            if told is not None and (said is None or told != kept.refused_in(said, samples)):
                found.blame("undetected", f"{peer.name} sequence {sequence}: told {told}, stored is another verdict")
        mine = got = 0
        for n in range(1, peer.acked.get(incarnation, 0) + 1):
            samples = peer.sent[incarnation, n][1]
            gone = n not in theirs and kept.may_be_dropped(peer, (incarnation, n), samples, rolled_s)
            mine += len(samples)
            got += len(samples) if gone else theirs.get(n, 0)
            if mine != got:
                found.blame("unbalanced", f"{peer.name} incarnation {incarnation.hex()[:8]}: up to {n} it sent {mine} samples,"
                                          f" the ledger has {got}")
                break
