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
