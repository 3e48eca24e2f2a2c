"""One round of one class: a collector with its state in a folder of its own, recorders and real agents beside it, a seed."""
import json
import os
import random
import shutil
import struct
import time

import zmq

from recorder import agents
from recorder.ledger import balance, balance_peer, compare, open_ledger
from recorder.peer import Peer, keypair
from recorder.programs import Collector, wait_for

RESIDENTS = ["yashnabad/recorder-a", "yashnabad/recorder-b", "almaty-iz/recorder-c", "penza/recorder-d"]


class World:
    """with World(options, name, seed, found) as world: …; everything it started is gone afterwards, and its folder too unless
    something was found."""

    def __init__(self, options, name, seed, found, extra="", **collector):
        self.options, self.seed, self.found = options, seed, found
        self.rng = random.Random(f"{name}/{seed}")
        self.folder = os.path.join(options.folder, f"{name}-{seed}")
        os.makedirs(self.folder)
        self.pb = options.pb
        self.context = zmq.Context()
        self.collector = Collector(options.build, self.folder, extra, **collector)
        self.endpoint = None  # where peers and agents find the collector, when not at its own address
        self.peers, self.agents = [], []

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for agent in self.agents:
            agent.close()
        for peer in self.peers:
            peer.close()
        if self.collector.alive():
            self.collector.kill()
        self.context.destroy(0)
        if kind is None and self.found.clean() and not self.options.keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    # ---- who is there

    def add_peer(self, resident=None, series=4):
        number = len(self.peers)
        keys = keypair()
        resident = resident or RESIDENTS[number % len(RESIDENTS)]
        self.collector.admit(resident, keys[0].decode())
        peer = Peer(self.pb, self.context, self.endpoint or self.collector.endpoint, self.collector.key, keys,
                    random.Random(self.rng.getrandbits(64)), series, f"p{number}")
        peer.resident = resident
        self.peers.append(peer)
        return peer

    def add_agent(self, name=None, **more):
        number = len(self.agents)
        agent = agents.Agent(self.collector, f"{self.folder}/agent{number}", name or f"penza/plant-{number}",
                             random.Random(self.rng.getrandbits(64)), endpoint=self.endpoint, **more)
        self.agents.append(agent)
        return agent

    def shim(self, state, journal=None, **settings):
        """The environment of a program whose disk, below state, is the one of shim.c."""
        env = {"LD_PRELOAD": self.options.shim, "SHIM_WATCH": state}
        if journal:
            os.makedirs(journal, exist_ok=True)
            env["SHIM_JOURNAL"] = journal
        env.update({f"SHIM_{k.upper()}": str(v) for k, v in settings.items()})
        return env

    @staticmethod
    def counted(path):
        """(operations, syncs) that a program has done under shim(count=path)."""
        with open(path, "rb") as f:
            return struct.unpack("=qq", f.read(16))

    # ---- time passes

    def pump(self, seconds, until=lambda: False):
        """All peers side by side, at most so long."""
        end = time.monotonic() + seconds
        while True:
            for peer in self.peers:
                peer.pump(0.02 / len(self.peers))
            if not self.peers:
                time.sleep(0.02)
            if until() or time.monotonic() >= end:
                return

    def open(self):
        return sum(p.unacknowledged() for p in self.peers)

    def drain(self, what, seconds=30):
        """Until everything the peers made is acknowledged; a finding when it is not in time."""
        self.pump(seconds, lambda: self.open() == 0)
        late = [p.describe() for p in self.peers if p.unacknowledged()]
        return self.found.check(not late, "unbalanced", f"{what}: not all acknowledged in {seconds} s: {'; '.join(late)}")

    def start(self, what="start", env=None):
        started = self.collector.start(env)
        self.found.check(started, "unbalanced", f"{what}: the collector did not start; see {self.collector.log}")
        return started

    # ---- what is there

    def status(self):
        done = self.collector.command("status", "--json")
        try:
            return json.loads(done.stdout)
        except ValueError:
            return {}

    def counter(self, name):
        return self.status().get("counters", {}).get(name, 0)

    def compare(self):
        with open_ledger(self.collector.state) as db:
            found = compare(db, self.peers)
            for peer in self.peers:
                balance_peer(self.pb, db, peer, found)
        return found

    def balance(self):
        with open_ledger(self.collector.state) as db:
            balance(db, self.found)

    def verify(self, what):
        done = self.collector.command("verify")
        self.found.check(done.returncode == 0, "undetected", f"{what}: verify: {done.stdout.strip()} {done.stderr.strip()}")

    def finish(self):
        """Stops the collector and compares everything with what the recorder knows."""
        self.collector.stop()
        if self.peers:
            self.found.add(self.compare())
        else:
            self.balance()

    def finish_agent(self, agent, what, seconds=60, again=False):
        """Until all of it is delivered; then its accounts, and its figures in the ledger. Returns equal repeats."""
        agent.finish(self.found, what, seconds)
        agents.account(agent, self.found, what)
        return agents.compare(self.pb, agent, self.found, again)


__all__ = ["World", "wait_for", "agents"]
