"""An enrolled agent of a rival resident, against the victim. Each case has a key of its own, so that its line in the audit log
can be told from the others'."""
import os
import time

import zmq

import frozen
import zmtp
from recorder.programs import wait_for
from site_of import RIVAL, VICTIM, batch


class Rival:
    def __init__(self, site, resident=RIVAL, routing_id=None):
        self.site, self.pb = site, site.pb
        self.keys, self.who = site.admit(resident)
        self.incarnation = os.urandom(16)
        self.socket = site.context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        if routing_id:
            self.socket.setsockopt(zmq.ROUTING_ID, routing_id)
        self.socket.setsockopt(zmq.CURVE_SERVERKEY, site.collector.key)
        self.socket.setsockopt(zmq.CURVE_PUBLICKEY, zmtp.text(self.keys[0]))
        self.socket.setsockopt(zmq.CURVE_SECRETKEY, zmtp.text(self.keys[1]))
        self.socket.connect(site.collector.endpoint)

    def close(self):
        self.socket.close(0)

    def send(self, message):
        raw = message if isinstance(message, (bytes, list)) else message.SerializeToString()
        if isinstance(raw, list):
            self.socket.send_multipart(raw)
        else:
            self.socket.send(raw)

    def answer(self, seconds=10.0):
        """(kind, body) of what comes next; (None, None): silence."""
        if not self.socket.poll(seconds * 1000):
            return None, None
        e = self.pb.Envelope.FromString(self.socket.recv())
        kind = e.WhichOneof("body")
        return kind, getattr(e, kind)

    def expect(self, wanted):
        kind, body = self.answer()
        if kind != wanted:
            raise AssertionError(f"{wanted} was expected, {kind} came: {body}")
        return body

    def refused(self, reason):
        body = self.expect("refuse")
        if body.reason != getattr(self.pb, reason):
            raise AssertionError(f"{reason} was expected: {body}")

    def hello_message(self, incarnation=None, protocol=1, declares=0):
        e = self.pb.Envelope()
        h = e.hello
        h.protocol, h.version, h.clock_us = protocol, "rival", time.time_ns() // 1000
        h.incarnation, h.declares = incarnation or self.incarnation, declares
        return e

    def enter(self, incarnation=None):
        self.send(self.hello_message(incarnation))
        welcome = self.expect("welcome")
        if welcome.resident != RIVAL and self.site.resident_of(self.who) != welcome.resident:
            raise AssertionError(f"the rival is taken for {welcome.resident}")
        return self

    def declare_message(self, series, number=0, incarnation=None):
        e = self.pb.Envelope()
        d = e.declare
        d.incarnation, d.number, d.series, d.unit = incarnation or self.incarnation, number, series, "piece"
        setattr(d, "class", self.pb.MEASUREMENT)
        d.step_s = 10
        return e

    def figures(self, sequence=1, declares=1, numbers=(0,), incarnation=None):
        at = int(time.time()) // 10 * 10 - 600
        return batch(self.site, incarnation or self.incarnation, sequence, declares, [(n, at, 666) for n in numbers])


def declares(name, series, resident=RIVAL, reason="DECLARE_INVALID"):
    def case(site, victim):
        rival = Rival(site, resident).enter()
        rival.send(rival.declare_message(series(victim) if callable(series) else series))
        rival.refused(reason)
        return rival
    case.__name__ = f"declare-{name}"
    case.event = "message" if reason == "BAD_MESSAGE" else "declare"
    return case


def case(event, name):
    def decorate(function):
        function.__name__, function.event = name, event
        return function
    return decorate


@case("batch", "another-agents-numbers")
def another_agents_numbers(site, victim):
    rival = Rival(site).enter()
    rival.send(rival.declare_message("out_units/mine"))
    rival.send(rival.figures(1, 1, (1, 2)))
    reject = rival.expect("reject")
    if list(reject.index) != [0, 1] and not reject.whole:
        raise AssertionError(f"not all were refused: {reject}")
    return rival


@case("message", "replayed-batch-of-another-agent")
def replayed(site, victim):
    captured = victim.peer.sent[victim.peer.incarnation, 3][0]
    rival = Rival(site).enter()
    rival.send(captured)
    rival.refused("WRONG_INCARNATION")
    return rival


@case("message", "hello-with-anothers-incarnation")
def anothers_incarnation(site, victim):
    rival = Rival(site)
    rival.send(rival.hello_message(victim.peer.incarnation))
    rival.refused("WRONG_INCARNATION")
    return rival


@case("message", "replay-after-anothers-hello")
def replay_after_hello(site, victim):
    """The captured Hello and batch together: the batch finds no welcome either."""
    rival = Rival(site)
    rival.send(rival.hello_message(victim.peer.incarnation))
    rival.refused("WRONG_INCARNATION")
    rival.send(victim.peer.sent[victim.peer.incarnation, 2][0])
    rival.refused("HELLO_FIRST")
    rival.times = 2
    return rival


@case("message", "old-incarnation")
def old_incarnation(site, victim):
    rival, old = Rival(site), os.urandom(16)
    rival.enter(old)
    rival.enter()
    rival.send(rival.figures(incarnation=old))
    rival.refused("WRONG_INCARNATION")
    return rival


@case("message", "batch-before-hello")
def before_hello(site, victim):
    rival = Rival(site)
    rival.send(rival.figures())
    rival.refused("HELLO_FIRST")
    return rival


@case("message", "oversize-message")
def oversize(site, victim):
    rival = Rival(site).enter()
    rival.send(b"\x0a" + b"\xff" * 16900)
    rival.refused("BAD_MESSAGE")
    return rival


@case(None, "message-beyond-what-is-received")
def huge(site, victim):
    """libzmq hangs up by itself and does not say whose it was: no line, and no harm."""
    keys, who = site.admit(RIVAL)
    door = site.door(keys)
    if not door.knock():
        raise AssertionError("an admitted key was refused")
    try:
        door.send(bytes(1 << 20))
    except zmtp.Closed:
        pass
    if not door.is_closed():
        raise AssertionError("it was not hung up on")
    door.who = who
    return door


@case("message", "garbage")
def garbage(site, victim):
    rival = Rival(site).enter()
    rival.send(b"\xde\xad\xbe\xef" * 50)
    rival.refused("BAD_MESSAGE")
    return rival


@case("message", "message-of-several-frames")
def several_frames(site, victim):
    rival = Rival(site).enter()
    rival.send([rival.figures(), b""])
    return rival


@case("message", "message-only-a-collector-sends")
def collectors_own(site, victim):
    e = site.pb.Envelope()
    e.ack.sequence = 9
    rival = Rival(site).enter()
    rival.send(e)
    rival.refused("BAD_MESSAGE")
    return rival


@case("message", "seal-and-release-of-the-ledgers-own")
def ledgers_own(site, victim):
    e = site.pb.Envelope()
    e.release.position, e.release.stream = 1, 1
    rival = Rival(site).enter()
    rival.send(e)
    rival.refused("BAD_MESSAGE")
    return rival


@case("hello", "unknown-protocol")
def unknown_protocol(site, victim):
    rival = Rival(site)
    rival.send(rival.hello_message(protocol=2))
    rival.refused("BAD_PROTOCOL")
    return rival


@case("hello", "flood-of-incarnations")
def incarnations(site, victim):
    rival = Rival(site)
    for _ in range(11):
        rival.send(rival.hello_message(os.urandom(16)))
    kinds = [rival.answer()[0] for _ in range(11)]
    rival.times = kinds.count("refuse")
    if rival.times < 1 or kinds.count("welcome") > 10:
        raise AssertionError(f"answers: {kinds}")
    return rival


@case("message", "routing-id-of-its-own")
def routing_id(site, victim):
    rival = Rival(site, routing_id=b"victim")
    rival.send(rival.hello_message())
    if rival.answer(1.0)[0] is not None:
        raise AssertionError("a peer that chose its routing id was answered")
    return rival


@case("message", "routing-id-that-is-taken")
def taken_routing_id(site, victim):
    """Two with one id: the later one must not take over (ROUTER_HANDOVER), neither is heard."""
    first, second = Rival(site, routing_id=b"taken"), None
    first.send(first.hello_message())
    if first.answer(0.5)[0] is not None:
        raise AssertionError("the first one was answered")
    second = Rival(site, routing_id=b"taken")
    site.opened.append(second)
    second.send(second.hello_message())
    if second.answer(0.5)[0] is not None:
        raise AssertionError("the second one was answered")
    return first


@case("connection", "second-connection-with-one-key")
def second_connection(site, victim):
    rival = Rival(site).enter()
    later = zmtp.Door(site.collector.port, site.key, rival.keys)
    site.opened.append(later)
    if not later.knock():
        raise AssertionError("an admitted key was refused")
    later.send(rival.hello_message(os.urandom(16)).SerializeToString())
    rival.refused("OTHER_CONNECTION")
    return rival


@case(None, "forged-user-id-and-identity-of-libzmqs-form")
def forged_metadata(site, victim):
    """An admitted key that says it is somebody else stays itself: its Welcome names the rival."""
    keys, who = site.admit(RIVAL)
    door = site.door(keys)
    claims = [(b"Identity", b"\0\0\0\0\1"), (b"Peer-Address", b"10.1.2.3")]
    claims += [(name, victim.who.encode()) for name in (b"User-Id", b"user-id", b"X-User-Id")]
    if not door.knock(claims):
        raise AssertionError("an admitted key was refused")
    helper = Rival.__new__(Rival)
    helper.pb, helper.incarnation = site.pb, os.urandom(16)
    door.send(helper.hello_message().SerializeToString())
    welcome = site.pb.Envelope.FromString(door.receive()).welcome
    if welcome.resident != RIVAL or welcome.last_sequence:
        raise AssertionError(f"taken for {welcome}")
    door.who = who
    return door


TRIES = 6


@case("credit", "credit-ignored")
def credit_ignored(site, victim):
    """More on its way than any credit ever stated: while the committer stands still nothing is taken away from it. What is
    beyond is dropped and counted, the rest is stored when the committer goes on. None: one thread can't be stopped here."""
    for _ in range(TRIES):  # stopped while it holds a lock, the committer stops those who count as well
        rival, before = Rival(site).enter(), site.counter("credit_exceeded")
        rival.send(rival.declare_message("out_units/credit"))
        dropped = send_beyond(site, rival, before)
        if dropped is None:
            return None
        last = wait_for(lambda: last_acknowledged(rival), 20)
        rival.times = site.counter("credit_exceeded") - before
        if last + rival.times != SENT:
            raise AssertionError(f"{last} were stored, {rival.times} dropped, {SENT} sent")
        if rival.times:
            return rival
        site.opened.append(rival)
    raise AssertionError(f"all of {SENT} messages of 15 KiB were taken, {TRIES} times")


SENT = 100


def send_beyond(site, rival, before):
    """Whether anything was seen to be dropped while the committer stood still; None: it can't be stopped."""
    task = frozen.thread_named(site.collector.program.process.pid, "committer")
    at = int(time.time()) // 10 * 10 - 40000
    if not frozen.freeze(task):
        return None
    try:
        for sequence in range(1, SENT + 1):
            rival.send(batch(site, rival.incarnation, sequence, 1, [(0, at + 10 * i, 1.5) for i in range(1500)]))
        return bool(wait_for(lambda: site.counter("credit_exceeded") > before, 10))
    except ValueError:  # no answer
        return False
    finally:
        frozen.thaw(task)


def last_acknowledged(rival):
    """The sequence of the last acknowledgement, once nothing comes any more."""
    last = 0
    while (answer := rival.answer(2.0))[0]:
        last = answer[1].sequence if answer[0] == "ack" else last
    return last


CASES = [
    declares("dot-dot", f"../{VICTIM.split('/')[1]}/out_units"),
    declares("absolute", f"/{VICTIM}/out_units/victim-0"),
    declares("full-name-of-the-victim", f"{VICTIM}/out_units/victim-0"),
    declares("upper-case", "OUT_UNITS/victim-0"),
    declares("slashes", "out_units//victim-0"),
    declares("trailing-slash", "out_units/victim-0/"),
    declares("look-alike-letters", "оut_units/victim-0", reason="BAD_MESSAGE"),
    declares("line-break", "out_units/victim-0\n", reason="BAD_MESSAGE"),
    declares("percent", "out_units/%2e%2e"),
    declares("total-of-the-park", "../all/out_units"),
    declares("empty", "", reason="BAD_MESSAGE"),
    declares("another-agents-series", lambda victim: victim.peer.series[0], VICTIM, "SERIES_OWNED"),
    another_agents_numbers, replayed, anothers_incarnation, replay_after_hello, old_incarnation, before_hello, oversize, huge,
    garbage, several_frames, collectors_own, ledgers_own, unknown_protocol, incarnations, routing_id, taken_routing_id, second_connection,
    forged_metadata, credit_ignored,
]
