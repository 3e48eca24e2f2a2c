#!/usr/bin/python3
"""Floods: enrolled agents lose nothing and their acknowledgements stay as quick as they were, give or take a factor; memory
stays within its budget. Ratios of one run only: the machine may be anybody's."""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import types

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "faults"))

import zmq

import zmtp
from recorder import wire
from site_of import RIVAL, Site, Victim

BEFORE_S, FACTOR, NOISE_MS, ROUNDS = 8, 3.0, 10.0, 3
BUDGET_BYTES = 32 << 20
FIRST_OF_FOUR_BYTES = (1 << 28) - 1  # a sequence's place in the message, which flood.c fills
PEER_BYTES = 130 << 10  # what libzmq may hold for one that is not read: measured, lib/net/README.md


class Flood(threading.Thread):
    def __init__(self, options, site, *arguments):
        super().__init__()
        self.argv = [options.flood, str(site.collector.port), site.key.hex(), *map(str, arguments)]
        self.counts, self.trouble = {}, ""

    def run(self):
        done = subprocess.run(self.argv, capture_output=True, text=True)
        if done.returncode:
            self.trouble = done.stderr
        else:
            self.counts = json.loads(done.stdout)


FAILED = []


def say(name, trouble, figures):
    if trouble:
        FAILED.append(name)
    print(f"not ok access {name}: {trouble} ({figures})" if trouble else f"ok access {name} ({figures})", flush=True)


def round_of(options, site, victim, arguments, check):
    """(before, during) in ms, the flood's counts, and what is wrong."""
    time.sleep(BEFORE_S)
    begun = time.monotonic()
    before = victim.p99_ms(begun - BEFORE_S, begun)
    sent = victim.peer.written
    flood = Flood(options, site, *arguments)
    flood.start()
    flood.join()
    during = victim.p99_ms(begun + 1, time.monotonic())
    time.sleep(2)
    trouble = flood.trouble or check(flood.counts)
    if not trouble and victim.acknowledged() < sent:
        trouble = "acknowledgements have stopped"
    return before, during, flood.counts, trouble


def flooded(options, site, victim, name, arguments, check, is_whole=lambda counts: True):
    """Before and during one flood, again when others who use this machine may have been in the way: what slows every round down
    is the flood. One line; returns how many have knocked."""
    told, knocked, whole = [], 0, False
    for _ in range(ROUNDS):
        before, during, counts, trouble = round_of(options, site, victim, arguments, check)
        knocked += counts.get("started", 0) - counts.get("failed", 0)
        told.append(f"p99 {before:.0f} -> {during:.0f} ms")
        good = during <= FACTOR * max(before, NOISE_MS)
        whole = whole or not trouble and is_whole(counts)
        if trouble or good:
            break
    if not good and not trouble and not whole:
        print(f"skip access {name}: this machine is too busy to make it ({', '.join(told)}; {counts})", flush=True)
        return knocked
    say(name, trouble or ("" if good else "acknowledgements are slower by more than the factor"), f"{', '.join(told)}; {counts}")
    return knocked


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))


class Watch(threading.Thread):
    """The collector's memory and what is on its way inside, as they go."""

    def __init__(self, site):
        super().__init__()
        self.site, self.stopping = site, threading.Event()
        self.memory_kib = self.in_flight = self.connected = self.answers = 0

    def run(self):
        socket = self.site.context.socket(zmq.REQ)
        socket.connect(f"ipc://{self.site.collector.state}/control")
        asked = False
        while not self.stopping.is_set():
            self.memory_kib = max(self.memory_kib, resident_kib(self.site.collector.program.process.pid))
            if not asked:
                socket.send_json({"command": "status"})
                asked = True
            if socket.poll(200):
                status, asked = socket.recv_json(), False
                self.answers += 1
                self.in_flight = max(self.in_flight, status["in_flight_bytes"])
                self.connected = max(self.connected, status["connected"])
        socket.close(0)


def strangers(options):
    site = Site(options, "strangers")
    try:
        site.start()
        victim = Victim(site).start()
        seconds = options.seconds

        def refused(counts):
            if counts["in"] or counts["refused"] < 0.5 * counts["started"]:
                return "not refused as they should be"
            return ""

        def many(counts):
            return "" if counts["in"] == 0 and counts["started"] > 5000 else "not that many were open"

        def in_time(seconds):  # a machine that can't make the flood in time is no measure of it
            return lambda counts: counts["started"] >= 0.97 * 1000 * seconds and counts["open"] <= 5000

        knocked = flooded(options, site, victim, "flood-of-1000-handshakes-a-second", ("handshakes", 1000, seconds), refused,
                          in_time(seconds))
        knocked += flooded(options, site, victim, "flood-of-5000-unfinished-handshakes", ("silent", 5000, 1000, seconds + 5), many,
                           in_time(seconds + 5))
        time.sleep(6)
        knocked += flooded(options, site, victim, "flood-of-5000-unfinished-handshakes-in-one-moment",
                           ("silent", 5000, 1000000, seconds), many)
        time.sleep(7)  # what the last ones left open has timed out
        drained = victim.stop()
        site.collector.stop()
        handshakes = [row for row in site.audit() if row[1] == "handshake"]
        counted = sum(row[3] for row in handshakes)
        trouble = "" if drained else "not everything was acknowledged"
        trouble = trouble or victim.differs()
        if not trouble and (len(handshakes) > 20 or counted != knocked):
            trouble = f"{knocked} knocked"
        say("floods-lost-nothing-and-are-a-few-lines", trouble, f"{len(handshakes)} lines count {counted} refusals")
    finally:
        site.close()


def admit_all(site, count):
    """Through the control socket, as the command does."""
    socket = site.context.socket(zmq.REQ)
    socket.connect(f"ipc://{site.collector.state}/control")
    keys = []
    for _ in range(count):
        pair = zmtp.keypair()
        socket.send_json({"command": "admit", "resident": RIVAL, "key": zmtp.text(pair[0]).decode()})
        if not socket.recv_json()["ok"]:
            raise AssertionError("a key was not admitted")
        keys.append(pair[0] + pair[1])
    socket.close(0)
    return keys


def key_file(site, count):
    path = f"{site.folder}/keys"
    with open(path, "wb") as f:
        f.write(b"".join(admit_all(site, count)))
    return path


def messages(options, site, folder):
    """Hello, Declare and a Batch of nearly the largest size, of an incarnation to be filled in."""
    mark, at = b"\xee" * 16, int(time.time()) // 10 * 10 - 40000
    hello, declare = options.pb.Envelope(), options.pb.Envelope()
    hello.hello.protocol, hello.hello.version, hello.hello.incarnation = 1, "flood", mark
    hello.hello.clock_us = time.time_ns() // 1000
    d = declare.declare
    d.incarnation, d.number, d.series, d.unit, d.step_s = mark, 0, "energy_kwh", "kwh", 10
    setattr(d, "class", options.pb.MEASUREMENT)
    batch = wire.batch(options.pb, mark, FIRST_OF_FOUR_BYTES, 1, [(0, at + 10 * i, 1.5) for i in range(1500)])
    paths = []
    for name, raw in (("hello", hello.SerializeToString()), ("declare", declare.SerializeToString()), ("batch", batch)):
        paths.append(f"{folder}/{name}.bin")
        with open(paths[-1], "wb") as f:
            f.write(raw)
    return paths


def greedy(options):
    site = Site(options, "greedy", f"budget: {BUDGET_BYTES >> 20}MiB\n")
    try:
        site.start()
        victim = Victim(site, 10).start()
        count = options.peers
        keys = key_file(site, count)
        at_rest_kib = resident_kib(site.collector.program.process.pid)
        watch, flood = Watch(site), Flood(options, site, "peers", keys, *messages(options, site, site.folder), options.seconds)
        before = victim.acknowledged()
        watch.start()
        flood.start()
        flood.join()
        watch.stopping.set()
        watch.join()
        acks = victim.acknowledged() - before
        drained = victim.stop()
        bound_kib = at_rest_kib + (BUDGET_BYTES * 2 + count * PEER_BYTES >> 10)
        trouble = flood.trouble
        if not trouble and (watch.connected < 0.9 * count or watch.in_flight < BUDGET_BYTES // 2):
            trouble = "the flood was none"
        if not trouble and watch.in_flight > BUDGET_BYTES + (1 << 20):
            trouble = "more is on its way than the budget"
        if not trouble and watch.memory_kib > bound_kib:
            trouble = f"more than {bound_kib >> 10} MiB of memory"
        trouble = trouble or ("" if drained and acks > 0 else "the victim was not heard") or victim.differs()
        say(f"flood-of-{count}-peers-that-ignore-credit", trouble,
            f"asked {watch.answers} times: at most {watch.connected} connected, {watch.in_flight >> 10} KiB of {BUDGET_BYTES >> 10} on the way,"
            f" memory {watch.memory_kib >> 10} MiB from {at_rest_kib >> 10}; victim: {acks} acknowledgements; {flood.counts}")
    finally:
        site.close()


QUOTA = "quotas:\n  - {resident: %s, series: 200, samples_per_s: 1000}\n" % RIVAL


def over_quota(options):
    """One resident's agents send on, whatever they may: slowed, then refused, then dropped; everybody else goes on as before."""
    site = Site(options, "quota", QUOTA)
    try:
        site.start()
        victim = Victim(site).start()
        keys = key_file(site, 20)

        def refused(counts):
            site.told = {name: site.counter(name) for name in ("quota_slowed", "samples_refused_quota", "quota_dropped")}
            return "" if all(site.told.values()) else f"not slowed, refused and dropped: {site.told}"

        flooded(options, site, victim, "flood-of-one-resident-over-its-quota",
                ("peers", keys, *messages(options, site, site.folder), options.seconds), refused)
        drained = victim.stop()
        site.collector.stop()
        lines = [row for row in site.audit() if row[1] == "quota"]
        trouble = ("" if drained else "not everything was acknowledged") or victim.differs()
        say("over-quota-disturbed-nobody", trouble or ("" if lines else "no line in the audit log"),
            f"{site.told}, {len(lines)} lines count {sum(row[3] for row in lines)} refusals")
    finally:
        site.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/gcc")
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--peers", type=int, default=5000)
    parser.add_argument("only", nargs="?", choices=tuple(PARTS))
    arguments = parser.parse_args()
    here = os.path.dirname(os.path.abspath(__file__))
    root = os.path.abspath(os.path.join(here, "..", "..", ".."))
    os.chdir(root)
    with tempfile.TemporaryDirectory(prefix="floods.") as folder:
        options = types.SimpleNamespace(build=os.path.abspath(arguments.build), folder=folder, flood=f"{folder}/flood",
                                        seconds=arguments.seconds, peers=arguments.peers)
        options.pb = wire.load(f"{root}/lib/wire/esep.proto", f"{folder}/pb")
        subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-O2", "-o", options.flood, f"{here}/flood.c", "-lsodium"], check=True)
        for part in [arguments.only] if arguments.only else PARTS:
            PARTS[part](options)
    return 1 if FAILED else 0


PARTS = {"strangers": strangers, "quota": over_quota, "greedy": greedy}
sys.exit(main())
