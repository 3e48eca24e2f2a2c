"""A collector, a victim that goes on delivering while others attack, and the audit log read as plain SQLite."""
import json
import os
import random
import threading
import time

import zmq

import zmtp
from recorder import wire
from recorder.ledger import compare, open_ledger
from recorder.peer import Peer
from recorder.programs import Collector, wait_for

VICTIM, RIVAL = "almaty-iz/furniture-factory", "almaty-iz/tile-workshop"
UNKNOWN = "address:unknown"  # libzmq does not say who failed at its protocol


class Site:
    def __init__(self, options, name, extra=""):
        self.pb = options.pb
        self.folder = os.path.join(options.folder, name)
        self.collector = Collector(options.build, self.folder, extra)
        self.key = zmtp.z85.decode(self.collector.key)
        self.context = zmq.Context()
        self.opened = []

    def start(self, env=None):
        """Without a knock at its door, which would be counted."""
        self.collector.start(env, wait=False)
        wait_for(lambda: self.running() or not self.collector.alive(), 60, 0.2)
        if not self.running():
            with open(self.collector.log, encoding="utf-8") as f:
                raise AssertionError(f"the collector did not start: {f.read()[-500:]}")

    def running(self):
        return self.collector.command("status").stdout.split()[:2] == ["state", "running"]

    def close(self):
        for it in self.opened:
            it.close()
        if self.collector.alive():
            self.collector.kill()
        self.context.destroy(0)

    # ---- who comes

    def admit(self, resident):
        """(keys, "key:N") of a new agent."""
        keys = zmtp.keypair()
        while zmtp.text(keys[0]).startswith(b"-"):
            keys = zmtp.keypair()
        self.collector.admit(resident, zmtp.text(keys[0]).decode())
        with open_ledger(self.collector.state) as db:
            row = db.execute("SELECT key_id FROM key WHERE public_key=?", (keys[0],)).fetchone()
        return keys, f"key:{row[0]}"

    def peer(self, keys, name, series=2):
        text = (zmtp.text(keys[0]), zmtp.text(keys[1]))
        peer = Peer(self.pb, self.context, self.collector.endpoint, self.collector.key, text, random.Random(name), series, name)
        self.opened.append(peer)
        return peer

    def door(self, keys, source="127.0.0.1"):
        door = zmtp.Door(self.collector.port, self.key, keys, source)
        self.opened.append(door)
        return door

    # ---- what is there

    def audit(self):
        """The entries that say refused: [(who, event, object, count, detail)]."""
        with open_ledger(self.collector.state) as db:
            return db.execute(
                "SELECT who, event, object, count, detail FROM audit WHERE outcome=1 ORDER BY position").fetchall()

    def lines(self, who):
        return [row for row in self.audit() if row[0] == who]

    def rows(self, what="batch"):
        with open_ledger(self.collector.state) as db:
            return db.execute(f"SELECT count(*) FROM {what}").fetchone()[0]

    def resident_of(self, who):
        with open_ledger(self.collector.state) as db:
            return db.execute("SELECT resident FROM key JOIN agent USING(agent_id) WHERE key_id=?",
                              (int(who.split(":")[1]),)).fetchone()[0]

    def counter(self, name):
        return json.loads(self.collector.command("status", "--json").stdout)["counters"][name]


class Victim:
    """Delivers without a pause in a thread of its own, and remembers how long each acknowledgement took."""

    def __init__(self, site, batches_a_second=50, name="victim"):
        self.site = site
        keys, self.who = site.admit(VICTIM)
        self.peer = site.peer(keys, name, 3)
        self.peer.clock -= 60 * 86400  # each second of ours is many of its figures'
        self.every = 1.0 / batches_a_second
        self.took = []  # (when acknowledged, seconds)
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        self.thread.start()
        if not wait_for(lambda: self.peer.acked.get(self.peer.incarnation, 0) > 5):
            raise AssertionError("the victim was never heard")
        return self

    def run(self):
        peer, made, next_at, acked = self.peer, {}, time.monotonic(), 0
        while not self.stopping.is_set():
            now = time.monotonic()
            if now >= next_at:
                peer.make(1)
                made[peer.written] = now
                next_at = max(next_at + self.every, now - 1.0)
            peer.step()
            done = peer.acked.get(peer.incarnation, 0)
            now = time.monotonic()
            while acked < done:
                acked += 1
                self.took.append((now, now - made.pop(acked)))
            peer.socket.poll(max(1, min(20, (next_at - now) * 1000)))

    def stop(self):
        self.stopping.set()
        self.thread.join()
        return self.peer.drain(30)

    def acknowledged(self):
        return self.peer.acked.get(self.peer.incarnation, 0)

    def p99_ms(self, since, until):
        took = sorted(s for at, s in self.took if since <= at < until)
        return took[int(len(took) * 0.99)] * 1000 if took else float("inf")

    def differs(self):
        """What of its figures is not in the ledger as it sent them; "" when all is."""
        with open_ledger(self.site.collector.state) as db:
            found = compare(db, [self.peer])
            streams = db.execute("SELECT stream_id FROM stream WHERE incarnation=? AND batches>0", (self.peer.incarnation,)).fetchall()
            own = db.execute("SELECT count(*) FROM batch WHERE stream_id=?", streams[0]).fetchone()[0]
        trouble = [f"lost {found.lost}, doubled {found.doubled}: {found.details}"] if found.lost or found.doubled else []
        if found.acked == 0:
            trouble.append("nothing was acknowledged")
        if len(streams) != 1 or own != self.peer.written:
            trouble.append(f"{len(streams)} streams, {own} rows of {self.peer.written}")
        if self.peer.refusals or self.peer.rejected:
            trouble.append(f"refused: {self.peer.refusals[:3]} {list(self.peer.rejected.items())[:3]}")
        return "; ".join(trouble)


def batch(site, incarnation, sequence, declares, samples):
    return wire.batch(site.pb, incarnation, sequence, declares, samples)
