"""Knocking without a key that is let in. libzmq does not say whose a broken handshake was, so each case has a collector of its
own, and exactly one refusal in its audit log."""
import time

import zmq

import frozen
import zmtp
from recorder.programs import wait_for
from site_of import RIVAL, UNKNOWN


def case(name, who=None, counter="handshakes_failed"):
    def decorate(function):
        function.__name__, function.who, function.counter = name, who, counter
        return function
    return decorate


def libzmq_client(site, configure):
    s = site.context.socket(zmq.DEALER)
    s.setsockopt(zmq.LINGER, 0)
    s.setsockopt(zmq.RECONNECT_IVL, 600000)  # once is enough
    configure(s)
    s.connect(site.collector.endpoint)
    s.send(b"\x4a\x02\x08\x00")  # a heartbeat
    site.opened.append(s)
    time.sleep(0.3)
    if s.poll(500):
        raise AssertionError("it was answered")


@case("unknown-key", "address:127.0.0.2", "handshakes_refused_key")
def unknown_key(site):
    if site.door(zmtp.keypair(), "127.0.0.2").knock():
        raise AssertionError("it got in")


@case("unknown-key-with-forged-user-id", "address:127.0.0.2", "handshakes_refused_key")
def forged_user_id(site):
    if site.door(zmtp.keypair(), "127.0.0.2").knock([(b"User-Id", b"1"), (b"Identity", b"x"), (b"Peer-Address", b"127.0.0.9")]):
        raise AssertionError("it got in")


@case("revoked-key", "address:127.0.0.2", "handshakes_refused_key")
def revoked_key(site):
    keys, who = site.admit(RIVAL)
    done = site.collector.command("revoke", who.split(":")[1])
    if done.returncode:
        raise AssertionError(done.stderr)
    if site.door(keys, "127.0.0.2").knock():
        raise AssertionError("it got in")


@case("mechanism-null", UNKNOWN)
def mechanism_null(site):
    libzmq_client(site, lambda s: None)


@case("mechanism-plain", UNKNOWN)
def mechanism_plain(site):
    def configure(s):
        s.plain_username, s.plain_password = b"admin", b"admin"
    libzmq_client(site, configure)


@case("zmtp-1.0", UNKNOWN)
def zmtp_1(site):
    door = site.door(zmtp.keypair())
    door.send_raw(b"\x01\x00" + b"\x05\x00test")  # an anonymous identity, then a message
    if not door.is_closed():
        raise AssertionError("it was not hung up on")


@case("zmtp-2.0", UNKNOWN)
def zmtp_2(site):
    door = site.door(zmtp.keypair())
    door.send_raw(b"\xff" + bytes(8) + b"\x7f\x01\x05" + b"\x00\x00" + b"\x00\x04test")
    if not door.is_closed():
        raise AssertionError("it was not hung up on")


@case("http-instead-of-zmtp", UNKNOWN)
def http(site):
    door = site.door(zmtp.keypair())
    door.send_raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + b" " * 64)
    if not door.is_closed():
        raise AssertionError("it was not hung up on")


@case("key-it-does-not-hold", UNKNOWN)
def borrowed_key(site):
    """An admitted public key, and somebody else's signature."""
    keys, _ = site.admit(RIVAL)
    if site.door(keys).knock(signer=zmtp.keypair()):
        raise AssertionError("it got in")


@case("another-collectors-key", UNKNOWN)
def another_server(site):
    keys, _ = site.admit(RIVAL)
    door = site.door(keys)
    door.server_key = zmtp.keypair()[0]
    try:
        door.greet()
        door.hello()
        door.welcome()
    except (zmtp.Closed, ValueError):
        return
    raise AssertionError("it was welcomed")


@case("handshake-never-finished", UNKNOWN)
def unfinished(site):
    door = site.door(zmtp.keypair())
    door.greet()
    door.hello()
    door.welcome()
    if not door.is_closed():  # within HANDSHAKE_IVL, 5 s
        raise AssertionError("it was not hung up on")


CASES = [unknown_key, forged_user_id, revoked_key, mechanism_null, mechanism_plain, zmtp_1, zmtp_2, http, borrowed_key,
         another_server, unfinished]


# ---- a ZAP handler that no longer answers

def frozen_handler(site):
    """With its ZAP thread frozen the collector lets nobody in, an admitted key neither, and ends with an error that says so.
    None: this system does not let one thread be stopped."""
    keys, _ = site.admit(RIVAL)
    pid = site.collector.program.process.pid
    task = frozen.thread_named(pid, "zap")
    if not frozen.freeze(task):
        return None
    before = site.rows("stream")
    for known in (keys, zmtp.keypair()):
        door = site.door(known)
        door.socket.settimeout(2)
        try:
            if door.knock():
                raise AssertionError("somebody got in without being asked about")
        except TimeoutError:
            pass
    if wait_for(lambda: frozen.has_ended(site.collector, task), 60, 0.2) is None:
        raise AssertionError("the collector goes on without its ZAP handler")
    code = site.collector.program.process.returncode
    if code == 0 or not site.collector.said("thread=zap"):
        raise AssertionError(f"exit code {code}, and the log does not say why")
    if site.rows("stream") != before:
        raise AssertionError("something was stored")
    return True
