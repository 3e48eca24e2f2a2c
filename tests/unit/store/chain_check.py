#!/usr/bin/env python3
"""Recomputes a ledger's chains from lib/store/README.md alone: chain_check.py LEDGER.SQLITE; exit 1 and the row when one differs."""
import hashlib
import sqlite3
import struct
import sys


def h(*parts):
    digest = hashlib.blake2b(digest_size=32)
    for part in parts:
        digest.update(struct.pack("<Q", len(part)) + part)
    return digest.digest()


def fixed(before, incarnation, after):
    return b"".join(struct.pack("<q", n) for n in before) + incarnation + b"".join(struct.pack("<q", n) for n in after)


def differs(what, number):
    print(f"{what} {number}: chain differs")
    sys.exit(1)


def main():
    db = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
    genesis = h(bytes.fromhex(db.execute("SELECT value FROM meta WHERE key='ledger_id'").fetchone()[0]))
    ends = {c: (0, 0, genesis) for c in range(5)}
    for row in db.execute(
            "SELECT position, class, agent_id, incarnation, sequence, batch.last_sequence, batch.gap, key_id, received_us, samples,"
            " refused, body, verdict, chain FROM batch JOIN stream USING(stream_id) ORDER BY position"):
        _, rows, previous = ends[row[1]]
        hashed = h(previous, fixed(row[0:3], row[3], row[4:11]), row[11], row[12] or b"")
        if hashed != row[13]:
            differs("row", row[0])
        ends[row[1]] = (row[0], rows + 1, hashed)
    for row in db.execute(
            "SELECT ordinal, stream.agent_id, incarnation, number, class, step_s, period, name, unit, currency, chain"
            " FROM declare JOIN stream USING(stream_id) JOIN series USING(series_id) ORDER BY ordinal"):
        _, rows, previous = ends[0]
        hashed = h(previous, fixed(row[0:2], row[2], row[3:7]), *(text.encode() for text in row[7:10]))
        if hashed != row[10]:
            differs("declare", row[0])
        ends[0] = (row[0], rows + 1, hashed)
    for row in db.execute(
            "SELECT position, received_us, since_us, outcome, count, who, event, object, detail, chain FROM audit ORDER BY position"):
        _, rows, previous = ends[4]
        hashed = h(previous, fixed(row[0:5], b"", ()), *(text.encode() for text in row[5:9]))
        if hashed != row[9]:
            differs("audit entry", row[0])
        ends[4] = (row[0], rows + 1, hashed)
    kept = {c: (position, rows, end) for c, position, rows, end in db.execute("SELECT class, position, rows, hash FROM chain")}
    for c, end in ends.items():
        if end[1] and kept.get(c) != end:
            differs("end of chain", c)
    print(" ".join(f"{c}:{end[1]}" for c, end in ends.items()))


main()
