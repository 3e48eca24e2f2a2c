"""An agent written from esep.proto alone. It remembers every byte it sent and everything it was told."""
import time

import zmq

from . import kept, wire


class Peer:
    RESEND_S, HEARTBEAT_S = 3.0, 30.0

    def __init__(self, pb, context, endpoint, server_key, keys, rng, series=4, name="peer"):
        self.pb, self.context, self.endpoint = pb, context, endpoint
        self.server_key, self.keys, self.rng, self.name = server_key, keys, rng, name
        self.series = [f"out_units/{name}-{i}" for i in range(series)]
        self.incarnation = rng.randbytes(16)
        self.sent = {}  # (incarnation, sequence) → (bytes, samples)
        self.acked = {}  # incarnation → highest acknowledged sequence
        self.receipts = {}  # (incarnation, sequence) → (position, chain)
        self.rejected = {}  # (incarnation, sequence) → [(index, reason)]
        self.let_in = {}  # (incarnation, sequence) → indexes of samples that the operator released
        self.refusals = []
        self.written = 0  # sequences made
        self.on_way = {}  # sequence → length
        self.next = 1  # the sequence to send next
        self.credit = 0
        self.welcomed = False
        self.confirmed = 0  # what the collector said last that it has, on this connection
        self.lost_by_collector = 0  # highest drop of a Welcome below what was acknowledged
        self.hello_at = self.heard_at = self.beat_at = 0.0
        self.clock = int(time.time()) // 10 * 10 - 86400  # figures start a day ago, one step a batch
        self.socket = None
        self.open()

    def open(self):
        if self.socket is not None:
            self.socket.close(0)
        s = self.context.socket(zmq.DEALER)
        s.setsockopt(zmq.LINGER, 0)
        s.setsockopt(zmq.IMMEDIATE, 1)
        s.setsockopt(zmq.SNDHWM, 4)
        s.setsockopt(zmq.RECONNECT_IVL, 50)
        s.setsockopt(zmq.RECONNECT_IVL_MAX, 200)
        s.setsockopt(zmq.CURVE_SERVERKEY, self.server_key)
        s.setsockopt(zmq.CURVE_PUBLICKEY, self.keys[0])
        s.setsockopt(zmq.CURVE_SECRETKEY, self.keys[1])
        s.connect(self.endpoint)
        self.socket = s
        self.welcomed = False
        self.hello_at = 0.0

    def close(self):
        self.socket.close(0)
        self.socket = None

    def new_incarnation(self):
        self.incarnation = self.rng.randbytes(16)
        self.written, self.next, self.on_way, self.welcomed, self.hello_at = 0, 1, {}, False, 0.0

    def make(self, batches, per_batch=None):
        """Makes batches: they are to be delivered from now on."""
        for _ in range(batches):
            count = per_batch or self.rng.randint(1, 3 * len(self.series))
            samples = []
            while len(samples) < count:
                self.clock += 10
                for number in range(len(self.series)):
                    samples.append((number, self.clock, self.figure()))
            self.put(samples)

    def put(self, samples):
        """One batch of [(number, time, value)]."""
        self.written += 1
        body = wire.batch(self.pb, self.incarnation, self.written, len(self.series), samples)
        self.sent[self.incarnation, self.written] = (body, samples)

    def figure(self):
        kind = self.rng.random()
        if kind < 0.6:
            return self.rng.randint(0, 10**6)
        if kind < 0.95:
            return self.rng.random() * 1000 + 0.5**20
        return None

    def points(self, number):
        """What the series shows when everything has arrived: of each time the figure sent last."""
        out = {}
        for sequence in range(1, self.written + 1):
            out.update((at, value) for n, at, value in self.sent[self.incarnation, sequence][1] if n == number)
        return out

    def describe(self):
        """How it stands, for a finding."""
        return (f"{self.name}: made {self.written}, acknowledged {self.acked.get(self.incarnation, 0)}, next {self.next},"
                f" on the way {len(self.on_way)}, credit {self.credit}, {'welcomed' if self.welcomed else 'not welcomed'},"
                f" heard {time.monotonic() - self.heard_at:.0f} s ago, refusals {self.refusals[-2:]}")

    def unacknowledged(self):
        return self.written - self.acked.get(self.incarnation, 0)

    def send(self, envelope):
        raw = envelope if isinstance(envelope, bytes) else envelope.SerializeToString()
        try:
            self.socket.send(raw, zmq.DONTWAIT)
            return True
        except zmq.Again:
            return False

    def hello(self):
        e = self.pb.Envelope()
        h = e.hello
        h.protocol, h.version, h.clock_us = 1, "recorder", time.time_ns() // 1000
        h.incarnation, h.declares = self.incarnation, len(self.series)
        h.first_kept = 1 if self.written else 0
        h.last_written = self.written
        h.last_acknowledged = self.acked.get(self.incarnation, 0)
        receipt = self.receipts.get((self.incarnation, h.last_acknowledged))
        if receipt:
            h.last_receipt.position, h.last_receipt.chain = receipt
        if self.send(e):
            self.hello_at = self.beat_at = time.monotonic()

    def heartbeat(self):
        e = self.pb.Envelope()
        e.heartbeat.clock_us = time.time_ns() // 1000
        self.beat_at = time.monotonic()
        self.send(e)

    def declare(self, first):
        for number in range(first, len(self.series)):
            e = self.pb.Envelope()
            d = e.declare
            d.incarnation, d.number, d.series, d.unit = self.incarnation, number, self.series[number], "piece"
            setattr(d, "class", self.pb.MEASUREMENT)
            d.step_s = 10
            deadline = time.monotonic() + 2
            while not self.send(e) and time.monotonic() < deadline:
                time.sleep(0.002)

    def handle(self, raw):
        e = self.pb.Envelope.FromString(raw)
        self.heard_at = time.monotonic()
        kind = e.WhichOneof("body")
        if kind == "welcome":
            w = e.welcome
            known = self.acked.get(self.incarnation, 0)
            self.lost_by_collector = max(self.lost_by_collector, known - w.last_sequence)
            self.welcomed, self.credit, self.next, self.on_way = True, w.credit_bytes, w.last_sequence + 1, {}
            self.acked[self.incarnation] = max(known, w.last_sequence)  # stored is acknowledged
            self.confirmed = w.last_sequence
            self.declare(w.declares_known)
        elif kind == "need_declare":
            self.declare(getattr(e.need_declare, "from"))
            self.next = self.acked.get(self.incarnation, 0) + 1
            self.on_way = {}
        elif kind == "ack":
            a = e.ack
            self.acked[self.incarnation] = max(self.acked.get(self.incarnation, 0), a.sequence)
            self.receipts[self.incarnation, a.sequence] = (a.receipt.position, a.receipt.chain)
            self.confirmed = a.sequence
            self.credit = a.credit_bytes
            self.on_way = {s: n for s, n in self.on_way.items() if s > a.sequence}
        elif kind == "reject":
            key = (self.incarnation, e.reject.sequence)
            self.rejected[key] = kept.refused_in(e.reject, len(self.sent[key][1]))
        elif kind == "refuse":
            self.refusals.append((e.refuse.reason, e.refuse.text))
            if e.refuse.reason in (self.pb.HELLO_FIRST, self.pb.UNAVAILABLE):
                self.welcomed = False
                self.hello_at = max(self.hello_at, time.monotonic() - 4.5)

    def pump(self, seconds=0.0):
        """Works for so long: receives, says Hello where needed, sends what credit allows."""
        end = time.monotonic() + seconds
        while True:
            self.step()
            left = end - time.monotonic()
            if left <= 0:
                return
            self.socket.poll(min(20, left * 1000))

    def step(self):
        while True:
            try:
                self.handle(self.socket.recv(zmq.DONTWAIT))
            except zmq.Again:
                break
        now = time.monotonic()
        if self.welcomed and now - self.beat_at > self.HEARTBEAT_S:
            self.heartbeat()
        if not self.welcomed:
            if now - self.hello_at > 1.0:
                self.hello()
            return
        if self.on_way and now - max(self.heard_at, self.sent_at) > self.RESEND_S:
            self.welcomed = False
            self.hello()
            return
        while self.next <= self.written:
            body = self.sent[self.incarnation, self.next][0]
            flying = sum(self.on_way.values())
            if self.credit == 0 or (flying and flying + len(body) > self.credit) or not self.send(body):
                return
            self.on_way[self.next] = len(body)
            self.sent_at = now
            self.next += 1

    sent_at = 0.0

    def drain(self, seconds):
        """Until everything made is acknowledged; False when it was not in time."""
        end = time.monotonic() + seconds
        while self.unacknowledged() > 0 and time.monotonic() < end:
            self.pump(0.05)
        return self.unacknowledged() == 0


def keypair():
    """Never one whose text a command would take for an option."""
    while True:
        keys = zmq.curve_keypair()
        if not keys[0].startswith(b"-"):
            return keys
