"""The work that everybody gets: so many series, so many values each, steps of 10 s up to now; and its bodies in each one's protocol, made
beforehand. The first value of each series is sent before the clock runs, so that nobody's new series or files are measured."""
import copy
import itertools
import json
import pickle
import struct
import time

STEP = 10


class Work:
    def __init__(self, series, values):
        self.series, self.values = series, values
        self.begin = int(time.time()) // 3600 * 3600 - (values + 400) * STEP  # the time of the first value of each
        self.samples = series * values

    def later(self):
        """As much again, after it."""
        out = copy.copy(self)
        out.begin = self.time(self.values + 1)
        return out

    def time(self, tick):
        return self.begin + tick * STEP

    def value(self, number, tick):
        """As the load's: three of four series whole numbers below 1000, every fourth in quarters."""
        v = ((tick * 2654435761 + number * 40503) >> 7) & 0xffffffff
        v %= 1000
        return v / 4 if number % 4 == 3 and v % 4 else v

    def labels(self, number):
        return f"load-{number // 1000}", f"load-{number % 1000}"

    def metric(self, number):
        return "energy_kwh" if number % 4 == 3 else "out_units"

    def ticks(self, first):
        """The first value alone, or all that are measured."""
        return range(1) if first else range(1, self.values + 1)

    def blocks(self, first, size, numbers=None):
        """Time by time, as agents bring them: lists of (number, tick)."""
        block = []
        for tick in self.ticks(first):
            for number in numbers or range(self.series):
                block.append((number, tick))
                if len(block) == size:
                    yield block
                    block = []
        if block:
            yield block


# ---- VictoriaMetrics

def text(work, first, size=50000):
    """Prometheus' text format."""
    names = [f'{work.metric(n)}{{resident="{work.labels(n)[0]}",n="{work.labels(n)[1]}"}}' for n in range(work.series)]
    return ["".join(f"{names[n]} {work.value(n, t)} {work.time(t)}000\n" for n, t in block).encode() for block in work.blocks(first, size)]


def json_lines(work, first, size=100, lines=500):
    """JSON lines, a hundred values of a series in each: their bulk import."""
    out, body = [], []
    for start in range(0, len(work.ticks(first)), size):
        ticks = work.ticks(first)[start:start + size]
        times = json.dumps([work.time(t) * 1000 for t in ticks], separators=(",", ":"))
        for n in range(work.series):
            resident, dimension = work.labels(n)
            values = ",".join(str(work.value(n, t)) for t in ticks)
            body.append(f'{{"metric":{{"__name__":"{work.metric(n)}","resident":"{resident}","n":"{dimension}"}},"values":[{values}],"timestamps":{times}}}\n')
            if len(body) == lines:
                out.append("".join(body).encode())
                body = []
    return out + (["".join(body).encode()] if body else [])


# ---- remote write

def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, payload):
    return bytes([number << 3 | 2]) + varint(len(payload)) + payload


def remote_write(work, first, compress, size=2000):
    """Snappy-compressed WriteRequests, 2,000 samples each, as Prometheus' senders make them (four times their default of 500), in turn of
    two shards of the series: one shard goes over one connection, so that each series stays in order."""
    names = []
    for n in range(work.series):
        labels = (("__name__", work.metric(n)), ("n", work.labels(n)[1]), ("resident", work.labels(n)[0]))
        names.append(b"".join(field(1, field(1, k.encode()) + field(2, v.encode())) for k, v in labels))
    out, pack = [], struct.Struct("<d").pack
    stamps = {t: b"\x10" + varint(work.time(t) * 1000) for t in work.ticks(first)}
    half = work.series // 2
    shards = [work.blocks(first, size, range(half)), work.blocks(first, size, range(half, work.series))]
    for block in (b for pair in itertools.zip_longest(*shards, fillvalue=[]) for b in pair):
        parts = []
        for n, t in block:
            sample = b"\x09" + pack(work.value(n, t)) + stamps[t]
            series = names[n] + b"\x12" + bytes([len(sample)]) + sample
            parts.append(b"\x0a" + varint(len(series)) + series)
        out.append(compress(b"".join(parts)))
    return out


# ---- files

def file_name(work, number):
    resident, dimension = work.labels(number)
    return f"{resident}/esep-{dimension}/esep-v.rrd"  # collectd's layout: host/plugin-instance/type-instance


def rrdcached(work, first, per_command, size=100000):
    """BATCHes of update commands with so many values each."""
    out, body = [], []
    ticks = list(work.ticks(first))
    for start in range(0, len(ticks), per_command):
        part = ticks[start:start + per_command]
        for n in range(work.series):
            body.append(f"update {file_name(work, n)} " + " ".join(f"{work.time(t)}:{work.value(n, t)}" for t in part) + "\n")
            if len(body) * per_command >= size:
                out.append(("BATCH\n" + "".join(body) + ".\n").encode())
                body = []
    return out + ([("BATCH\n" + "".join(body) + ".\n").encode()] if body else [])


def collectd(work, first, size=1400):
    """Datagrams of the network plugin's binary protocol."""
    def string(kind, value):
        return struct.pack(">HH", kind, len(value) + 5) + value.encode() + b"\0"
    out, packet, before = [], b"", None
    hosts = [string(0, work.labels(n)[0]) for n in range(work.series)]
    plugins = [string(2, "esep") + string(3, work.labels(n)[1]) + string(4, "esep") + string(5, "v") for n in range(work.series)]
    interval = struct.pack(">HHQ", 9, 12, STEP << 30)
    for block in work.blocks(first, 100000):
        for n, t in block:
            one = plugins[n] + struct.pack(">HHHB", 6, 15, 1, 1) + struct.pack("<d", work.value(n, t))
            head = hosts[n] + struct.pack(">HHQ", 8, 12, work.time(t) << 30) + interval
            key = (n // 1000, t)
            if key != before or len(packet) + len(one) > size:
                if len(packet) + len(head) + len(one) > size:
                    out.append(packet)
                    packet = b""
                packet += head
                before = key
            packet += one
    return out + ([packet] if packet else [])


def carbon(work, first, size=500):
    """Pickled lists of 500, carbon's own bulk protocol and its relays' default size."""
    names = [f"esep.{work.labels(n)[0]}.{work.labels(n)[1]}" for n in range(work.series)]
    out = []
    for block in work.blocks(first, size):
        body = pickle.dumps([(names[n], (work.time(t), work.value(n, t))) for n, t in block], protocol=2)
        out.append(struct.pack("!L", len(body)) + body)
    return out
