"""ZMTP 3.0 and CurveZMQ by hand (RFC 23, 26), on plain sockets: what libzmq's own client would never say."""
import ctypes
import ctypes.util
import os
import socket
import struct

import zmq.utils.z85 as z85

sodium = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
if sodium.sodium_init() < 0:
    raise RuntimeError("libsodium can't be initialised")


def keypair():
    public, secret = ctypes.create_string_buffer(32), ctypes.create_string_buffer(32)
    sodium.crypto_box_keypair(public, secret)
    return public.raw, secret.raw


def text(key):
    return z85.encode(key)


def box(plain, nonce, public, secret):
    out = ctypes.create_string_buffer(len(plain) + 16)
    if sodium.crypto_box_easy(out, plain, ctypes.c_ulonglong(len(plain)), nonce, public, secret) != 0:
        raise ValueError("box")
    return out.raw


def unbox(cipher, nonce, public, secret):
    out = ctypes.create_string_buffer(max(1, len(cipher) - 16))
    if sodium.crypto_box_open_easy(out, cipher, ctypes.c_ulonglong(len(cipher)), nonce, public, secret) != 0:
        raise ValueError("unbox")
    return out.raw[: len(cipher) - 16]


def greeting(mechanism, version=(3, 0)):
    return b"\xff" + bytes(8) + b"\x7f" + bytes(version) + mechanism.ljust(20, b"\0") + bytes(32)


class Closed(Exception):
    pass


class Door:
    """One connection. keys: (public, secret) raw; source: the address it comes from."""

    def __init__(self, port, server_key, keys, source="127.0.0.1", timeout=10.0):
        self.server_key, self.keys = server_key, keys
        self.nonce = 0
        self.socket = socket.create_connection(("127.0.0.1", port), timeout, (source, 0))

    def close(self):
        self.socket.close()

    def send_raw(self, data):
        try:
            self.socket.sendall(data)
        except OSError as e:
            raise Closed from e

    def read(self, count):
        data = b""
        while len(data) < count:
            try:
                more = self.socket.recv(count - len(data))
            except OSError as e:
                if isinstance(e, TimeoutError):
                    raise
                raise Closed from e
            if not more:
                raise Closed
            data += more
        return data

    def frame(self, flags, body):
        self.send_raw(struct.pack(">BQ", flags | 2, len(body)) + body)

    def read_frame(self):
        flags, size = self.read(2)
        if flags & 2:
            size = struct.unpack(">Q", bytes([size]) + self.read(7))[0]
        return flags, self.read(size)

    def short(self, prefix):
        self.nonce += 1
        tail = struct.pack(">Q", self.nonce)
        return prefix + tail, tail

    def greet(self, mechanism=b"CURVE", version=(3, 0)):
        self.send_raw(greeting(mechanism, version))
        return self.read(64)

    def hello(self):
        self.public, self.secret = keypair()
        nonce, tail = self.short(b"CurveZMQHELLO---")
        body = b"\x05HELLO\x01\x00" + bytes(72) + self.public + tail + box(bytes(64), nonce, self.server_key, self.secret)
        self.frame(4, body)

    def welcome(self):
        body = self.read_frame()[1]
        if not body.startswith(b"\x07WELCOME"):
            raise Closed
        plain = unbox(body[24:], b"WELCOME-" + body[8:24], self.server_key, self.secret)
        self.server, self.cookie = plain[:32], plain[32:]

    def initiate(self, metadata=(), signer=None):
        vouch_nonce = os.urandom(16)
        vouch = box(self.public + self.server_key, b"VOUCH---" + vouch_nonce, self.server, (signer or self.keys)[1])
        properties = b""
        for name, value in ((b"Socket-Type", b"DEALER"), *metadata):
            properties += bytes([len(name)]) + name + struct.pack(">I", len(value)) + value
        nonce, tail = self.short(b"CurveZMQINITIATE")
        plain = self.keys[0] + vouch_nonce + vouch + properties
        self.frame(4, b"\x08INITIATE" + self.cookie + tail + box(plain, nonce, self.server, self.secret))

    def ready(self):
        """True: the collector lets us in; False: it says why not, or hangs up."""
        try:
            return self.read_frame()[1].startswith(b"\x05READY")
        except Closed:
            return False

    def knock(self, metadata=(), signer=None):
        """The whole handshake."""
        try:
            self.greet()
            self.hello()
            self.welcome()
            self.initiate(metadata, signer)
        except Closed:
            return False
        return self.ready()

    def send(self, data, more=False):
        nonce, tail = self.short(b"CurveZMQMESSAGEC")
        self.frame(0, b"\x07MESSAGE" + tail + box(bytes([1 if more else 0]) + data, nonce, self.server, self.secret))

    def receive(self):
        """The next message; commands (PING) are passed over."""
        while True:
            body = self.read_frame()[1]
            if body.startswith(b"\x07MESSAGE"):
                plain = unbox(body[16:], b"CurveZMQMESSAGES" + body[8:16], self.server, self.secret)
                if not plain[0] & 2:
                    return plain[1:]

    def is_closed(self):
        try:
            while self.read_frame():
                pass
        except Closed:
            return True
        except TimeoutError:
            return False
