"""One round of one class: a collector with its state in a folder of its own, recorders beside it, a seed."""
import os
import random
import shutil

import zmq

from recorder.ledger import compare, open_ledger
from recorder.peer import Peer, keypair
from recorder.programs import Collector

RESIDENTS = ["yashnabad/recorder-a", "yashnabad/recorder-b", "almaty-iz/recorder-c", "penza/recorder-d"]


class World:
    def __init__(self, options, name, seed, extra="", **collector):
        self.options, self.seed = options, seed
        self.rng = random.Random(f"{name}/{seed}")
        self.folder = os.path.join(options.folder, f"{name}-{seed}")
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.pb = options.pb
        self.context = zmq.Context()
        self.collector = Collector(options.build, self.folder, extra, **collector)
        self.peers = []

    def add_peer(self, resident=None, series=4):
        number = len(self.peers)
        keys = keypair()
        resident = resident or RESIDENTS[number % len(RESIDENTS)]
        self.collector.admit(resident, keys[0].decode())
        peer = Peer(self.pb, self.context, self.collector.endpoint, self.collector.key, keys,
                    random.Random(self.rng.getrandbits(64)), series, f"p{number}")
        peer.resident = resident
        self.peers.append(peer)
        return peer

    def pump(self, seconds):
        """All peers side by side."""
        slices = max(1, int(seconds / 0.02))
        for _ in range(slices):
            for peer in self.peers:
                peer.pump(0.02 / len(self.peers))

    def drain(self, seconds=30):
        for _ in range(int(seconds / 0.05)):
            if all(p.unacknowledged() == 0 for p in self.peers):
                return True
            self.pump(0.05)
        return False

    def collector_log(self):
        with open(self.collector.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def compare(self):
        with open_ledger(self.collector.state) as db:
            return compare(db, self.peers)

    def close(self, keep=False):
        for peer in self.peers:
            peer.close()
        program = self.collector.program
        if program is not None and program.alive():
            program.kill()
        self.context.destroy(0)
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)
