#!/usr/bin/env python3
"""Writes the corpora's binary seeds: messages and scripts that an honest peer would send, in the form the targets read.
    tests/fuzz/seeds.py [tests/fuzz/corpus]
The text seeds beside them are written by hand. What fuzzing found worth keeping has other names."""
import os
import struct
import sys

CORPUS = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "corpus")


def write(target, name, content):
    os.makedirs(os.path.join(CORPUS, target), exist_ok=True)
    with open(os.path.join(CORPUS, target, name), "wb") as out:
        out.write(content)


# ---- protobuf, as much as esep.proto needs
def varint(v):
    v &= (1 << 64) - 1
    out = b""
    while v >= 0x80:
        out += bytes([v & 0x7F | 0x80])
        v >>= 7
    return out + bytes([v])


def zigzag(v):
    return varint((v << 1) ^ (v >> 63))


def number(field, v):
    return varint(field << 3) + varint(v)


def signed(field, v):
    return varint(field << 3) + zigzag(v)


def data(field, v):
    v = v.encode() if isinstance(v, str) else v
    return varint(field << 3 | 2) + varint(len(v)) + v


INCARNATION = b"sixteen bytes ok"
COUNTERS = b"".join(number(i, i * 10) for i in range(1, 8))
RECEIPT = number(1, 7) + data(2, bytes(range(32)))


def batch(count, notes, kind=1):
    tags, times, integers, reals = b"", b"", b"", b""
    for i in range(count):
        where = 1 if i % 7 == 3 else 2 if i % 7 == 5 else 0
        tags += varint(i % 5 << 2 | where)
        times += zigzag((1772366400 if kind == 1 else 20454) if i == 0 else 10 if kind == 1 and i % 5 == 0 else 0)
        integers += zigzag(i * i - 90) if where == 0 else b""
        reals += struct.pack("<d", i + 0.25) if where == 1 else b""
    body = data(1, INCARNATION) + number(2, 5) + number(3, kind) + number(4, 5)
    body += data(5, tags) + data(6, times) + data(7, integers) + data(8, reals)
    for i in range(notes):
        body += data(9, number(1, i) + number(2, 1) + data(3, "түзету") + data(4, "desk") + signed(5, 1772366400000000)
                     + data(6, "KZT") + number(7, 1))
    return data(1, body)


MESSAGES = {
    "batch": batch(40, 3),
    "batch-large": batch(1500, 40),
    "batch-of-reports": batch(12, 2, 2),
    "gap": data(2, data(1, INCARNATION) + number(2, 3) + number(3, 5) + number(4, 100) + signed(5, -50) + signed(6, 60)
                + number(7, 2)),
    "ack": data(3, number(1, 5) + number(2, 65536) + data(3, RECEIPT)),
    "reject": data(4, number(1, 2) + data(2, b"\x01\x09") + data(3, b"\x06\x07")),
    "reject-whole": data(4, number(1, 2) + data(3, b"\x01") + number(4, 1)),
    "hello": data(5, number(1, 1) + data(2, "0.1.0") + signed(3, 1772366400000000) + data(4, INCARNATION) + number(5, 5)
                  + number(6, 1) + number(7, 9) + number(8, 8) + data(9, RECEIPT) + data(10, COUNTERS)),
    "welcome": data(6, data(1, "almaty-iz/acme") + number(2, 4) + number(3, 5) + number(4, 65536)
                    + signed(5, 1772366400000000) + number(6, 100) + number(7, 16384)),
    "declare": data(7, data(1, INCARNATION) + number(2, 5) + data(3, "out_units/fridges") + data(4, "piece")
                    + number(6, 1) + number(7, 10)),
    "declare-report": data(7, data(1, INCARNATION) + data(3, "inv") + data(4, "money") + data(5, "KZT") + number(6, 2)
                           + number(8, 2)),
    "need-declare": data(8, number(1, 9)),
    "heartbeat": data(9, signed(1, 1772366400000000) + data(2, COUNTERS)),
    "refuse": data(10, number(1, 6) + data(2, "жоқ")),
    "welcome-next": data(6, data(1, "a/b") + data(8, bytes(32)) + number(9, 5680)),
    "enrol": data(15, number(1, 1) + data(2, "0.1.0") + data(3, bytes(range(16)))),
    "enrolled": data(16, data(1, "almaty-iz/acme") + data(2, "tcp://park.example:5670") + signed(3, 1772366400000000)),
    "rotate": data(17, data(1, bytes(range(32)))),
    "rotated": data(18, data(1, bytes(range(32)))),
    "obligations": data(19, signed(1, 1772366400000000) + number(3, 1) + number(4, 1)
                        + data(2, data(1, "inv") + number(2, 2) + signed(3, 20454) + number(4, 2) + signed(6, 20500)
                               + signed(7, 1771268400))
                        + data(2, data(1, "out_units/fridges") + number(2, 4) + signed(3, 20089) + number(4, 1)
                               + number(5, 1))),
    "hello-asks": data(5, number(1, 1) + data(4, INCARNATION) + number(11, 1)),
    "control": data(11, data(1, "catalogue") + data(2, b"a\0b") + data(3, bytes(32)) + data(4, "desk") + number(6, 1)),
}
for name, message in MESSAGES.items():
    write("wire_decode", name, message)


# ---- scripts for the collector's inside
def step(what, peer=0, rest=b""):
    return bytes([what | peer << 4]) + rest


def near(v=0):  # fuzz_number: the honest value plus v
    return bytes([0, v & 0xFF])


def hello(peer, spool=0):
    return step(1, peer, bytes([spool, 0]) + near() * 5)


def declares(peer, count):
    return b"".join(step(2, peer, bytes([i, 0])) for i in range(count))


def samples(values):  # (series, figure)
    return bytes([len(values)]) + b"".join(bytes([s]) + f for s, f in values)


COMMIT, TIME, RESEND, LAND, TELL = step(7), step(9, 0, b"\x03"), step(13), step(14), step(15)
PLAIN = b"\x02"
MEASURED = step(3, 0, bytes([0, 0]) + samples([(0, PLAIN), (0x10, PLAIN), (1, PLAIN), (0x15, b"\x05\x01\x05")]))
REPORTED = step(3, 0, bytes([5, 0]) + samples([(2, PLAIN), (3, b"\x06"), (0x14, PLAIN), (6, b"\x00")])
                + bytes([0, 1]) + near())
BEGIN = hello(0) + COMMIT + declares(0, 7) + COMMIT
write("collector_core", "measured", BEGIN + MEASURED * 3 + COMMIT + TIME + MEASURED + COMMIT + LAND + TELL)
write("collector_core", "reported", BEGIN + REPORTED + COMMIT + REPORTED + COMMIT + LAND)
write("collector_core", "repeated", BEGIN + MEASURED + RESEND + COMMIT + RESEND + COMMIT)
write("collector_core", "gap", BEGIN + step(5, 0, bytes([0, 2]) + near() + b"\x00" + near() + near(60)) + COMMIT
      + MEASURED + COMMIT)
write("collector_core", "two-connections", BEGIN + hello(1) + COMMIT + MEASURED + COMMIT + hello(2, 1) + COMMIT)
write("collector_core", "undeclared", hello(0) + COMMIT + MEASURED + COMMIT + declares(0, 2) + MEASURED + COMMIT)
write("collector_core", "keys", BEGIN + step(12, 0, b"\x01" + near()) + MEASURED + COMMIT + step(12, 0, b"\x06"))
write("collector_core", "closed", BEGIN + step(10, 2) + MEASURED + COMMIT + TIME + step(6, 0, near() + bytes(56)))
for name, message in MESSAGES.items():
    if len(message) < 240:
        write("collector_core", "raw-" + name, hello(0) + COMMIT + step(0, 0, bytes([0, len(message)]) + message) + COMMIT)


# ---- scripts for the agent's uplink: connected, welcomed, acknowledged …
CONNECTED, SPOOL, WRITTEN = b"\x06", b"\x0d", b"\x0b"


def welcome(sequence=b"\x00"):
    return b"\x00" + sequence + near() + near() + near()


def acknowledge(ahead):
    return b"\x01" + bytes([ahead]) + near() + b"\x07"


write("uplink", "acknowledged", CONNECTED + welcome() + SPOOL + acknowledge(2) + SPOOL + acknowledge(7) + WRITTEN + SPOOL)
write("uplink", "silent", CONNECTED + welcome() + SPOOL + b"\x78" * 2 + welcome() + acknowledge(1))
write("uplink", "lost", CONNECTED + welcome() + SPOOL + b"\x07" + b"\x78" * 2 + CONNECTED + welcome(b"\x03") + acknowledge(3))
write("uplink", "behind", CONNECTED + welcome() + SPOOL + acknowledge(5) + b"\x07\x78\x78" + CONNECTED
      + b"\x00\x80" + near(-2) + near() * 3 + SPOOL)
write("uplink", "ahead", CONNECTED + welcome() + SPOOL + b"\x07\x78\x78" + CONNECTED + b"\x00\x80" + near(30) + near() * 3
      + SPOOL + welcome())
write("uplink", "refused", CONNECTED + welcome() + SPOOL + b"\x04\x06" + SPOOL + b"\xf8" + welcome() + b"\x04\x01")
write("uplink", "rejected", CONNECTED + welcome() + SPOOL + b"\x02\x01\x01\x00\x00" + b"\x02\x01\x00\x06" + b"\x03" + near())

# ---- damage to stored files: (which cell, what it becomes), see fuzz_db.c; and ledger.head as it is written
HEAD = "esep-ledger-head 1\nledger " + "0a" * 16 + "\nposition 5\n"
for kind, rows, position in ((0, 7, 7), (1, 3, 4), (2, 2, 5), (3, 0, 0)):
    HEAD += f"class {kind} rows {rows} position {position} hash {'1f' * 32}\n"
write("ledger_head", "whole", (HEAD + "end\n").encode())
write("ledger_head", "cut", HEAD.encode())
for target in ("ledger_rows", "observations", "spool_rows"):
    write(target, "number", b"".join(bytes([0, table, column, 1, 5, 2, 9]) for table in range(4) for column in range(3)))
    write(target, "blob", bytes([0, 1, 5, 0, 0x83, 40, 0]) + bytes(40))
    write(target, "patched-blob", bytes([10, 1, 2, 1, 5, 0, 3, 1, 2, 3, 4]) * 3)
    write(target, "row-gone", bytes([14, 1, 0, 2]))
    write(target, "file-bytes", bytes([15, 3]) + bytes([3, 100, 0, 0, 0, 1, 2, 3, 4]) * 4)
write("rrd_file", "hourly", bytes([0]) + bytes([0x07, 40, 0, 1, 0, 0, 0, 0, 0, 0, 0]))
write("rrd_file", "reports", bytes([1]) + bytes([0x47, 28, 1, 2, 0]))
write("rrd_file", "cut", bytes([2, 255, 0, 4, 0, 0]))
write("wire_messages", "batch", bytes([1]) + INCARNATION + near() * 3 + bytes([8, 2]) + bytes([0, 1, 1, 2, 0]) * 8 + bytes(40))
for kind in [*range(2, 12), *range(15, 19)]:
    write("wire_messages", f"type-{kind}", bytes([kind]) + INCARNATION + near() * 12 + bytes(60))
