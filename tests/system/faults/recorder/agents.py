"""Real agents fed with figures the recorder knows: a CSV that grows, a program whose answer is a function of the time, a
counter that only rises. What an agent holds is read from its spool, and what it delivered from the ledger, with plain SQLite."""
import os
import sqlite3
import struct
import subprocess
import time

from . import wire
from .programs import Program, wait_for

# Each second of the program's schedule is a step of 10 s in the past, so that it says something new every second.
PROGRAM = """#!/bin/sh
t=$(( (ESEP_TICK - {began}) * 10 + {base} ))
echo gauge $(( t * 40503 % 1000003 )) $t
echo real $(( t * 31 % 99991 )).125 $t
"""
# A total that the recorder raises; what the program has read is written down before it is said.
COUNTER = """#!/bin/sh
read total < {folder}/total || exit 1
t=$(( (ESEP_TICK - {began}) * 10 + {base} ))
echo "$t $total" >> {folder}/readings
echo made $total $t
"""
MARK = struct.Struct("<IIQQq")  # how the agent keeps a growing file: version, length of the row, device, inode, offset


def gauge(at):
    return at * 40503 % 1000003


def real(at):
    return at * 31 % 99991 + 0.125


COUNTED = "out_units/made"


class Spool:
    """A look at an agent's spool in one read transaction; None where there is no spool (yet)."""

    def __init__(self, state):
        db = sqlite3.connect(f"file:{state}/spool.sqlite?mode=ro", uri=True, timeout=10)
        db.isolation_level = None
        try:
            db.execute("BEGIN")
            cursor = db.execute("SELECT * FROM meta")
            self.meta = dict(zip([c[0] for c in cursor.description], cursor.fetchone() or []))
            self.rows = db.execute("SELECT sequence, last, class, samples, body FROM batch ORDER BY sequence").fetchall()
            self.positions = {(s, k): b for s, k, b in db.execute("SELECT source, key, blob FROM position")}
        finally:
            db.close()

    def __getattr__(self, name):
        try:
            return self.__dict__["meta"][name]
        except KeyError as e:
            raise AttributeError(name) from e

    def offset(self):
        """Up to where the CSV is in the spool."""
        blob = self.positions.get(("file", "log"))
        return MARK.unpack_from(blob)[4] if blob else 0


def look(state):
    """None while there is no spool, or none that can be read at this moment."""
    try:
        spool = Spool(state)
        return spool if spool.meta else None
    except (sqlite3.Error, TypeError):
        return None


class Agent:
    def __init__(self, collector, folder, resident, rng, extra="", sources="file program counter", endpoint=None, namespace=None):
        self.collector, self.folder, self.resident, self.rng = collector, folder, resident, rng
        self.build, self.namespace = collector.build, namespace
        os.makedirs(folder, exist_ok=True)
        self.config, self.log = f"{folder}/agent.yaml", f"{folder}/agent.log"
        self.state, self.csv = f"{folder}/state", f"{folder}/figures.csv"
        self.truth = {}  # (series, time) → value: the CSV's
        self.began = int(time.time())
        self.clock = self.began // 10 * 10 - 40 * 86400
        self.program, self.target, self.has_file = None, None, "file" in sources
        with open(self.csv, "w", encoding="utf-8") as f:
            f.write("time,a,b\n")
        self.total = 0
        self.rise(1000)
        self.script("counter", COUNTER.format(began=self.began, base=self.clock, folder=folder))
        self.script("program", PROGRAM.format(began=self.began, base=self.clock))
        with open(self.config, "w", encoding="utf-8") as f:
            head = HEAD.format(endpoint=endpoint or collector.endpoint, key=collector.key.decode(), state=self.state,
                               extra=extra)
            f.write(head + "".join(SOURCES[s].format(folder=folder) for s in sources.split()))
        done = self.command("keygen")
        self.key = done.stdout.strip()
        collector.admit(resident, self.key)

    def script(self, name, text):
        with open(f"{self.folder}/{name}", "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(f"{self.folder}/{name}", 0o755)

    def command(self, *words):
        argv = [f"{self.build}/esep-agent", *words, "--config", self.config]
        return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)

    def start(self, env=None):
        self.program = Program([f"{self.build}/esep-agent", "run", "--config", self.config], self.log, env, self.namespace)

    def alive(self):
        return self.program is not None and self.program.alive()

    def kill(self):
        self.program.kill()

    def stop(self):
        return self.program.stop()

    def close(self):
        if self.alive():
            self.kill()

    def said(self, what):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return what in f.read()

    def rise(self, more):
        """The counter; replaced as a whole, so that the program reads one total or the other."""
        self.total += more
        with open(f"{self.folder}/total.new", "w", encoding="utf-8") as f:
            f.write(f"{self.total}\n")
        os.rename(f"{self.folder}/total.new", f"{self.folder}/total")

    def grow(self, rows):
        """New rows; sometimes the last line comes in two pieces. The counter rises too."""
        self.target = None
        self.rise(self.rng.randint(0, 1000))
        lines = []
        for _ in range(rows):
            self.clock += 10
            a, b = self.rng.randint(-1000, 10**9), self.rng.randint(1, 10**6) / 8
            self.truth["energy_kwh/a", self.clock] = a
            self.truth["energy_kwh/b", self.clock] = int(b) if b == int(b) else b
            lines.append(f"{self.clock},{a},{b!r}\n")
        text = "".join(lines)
        cut = self.rng.randint(0, len(text))
        with open(self.csv, "a", encoding="utf-8") as f:
            f.write(text[:cut])
            f.flush()
            f.write(text[cut:])

    def has_read(self, spool):
        return not self.has_file or spool.offset() == os.path.getsize(self.csv)

    def read(self):
        """Everything of the CSV is in the spool."""
        spool = look(self.state)
        return spool is not None and self.has_read(spool)

    def done(self):
        """Everything of the CSV is in the spool, and everything that was in the spool by then is acknowledged."""
        spool = look(self.state)
        if spool is None or not self.has_read(spool):
            return False
        if self.target is None or self.target[0] != spool.incarnation:
            self.target = (spool.incarnation, spool.last_written)
        return spool.last_acknowledged >= self.target[1]

    def finish(self, found, what, seconds=60):
        """Waits until all is delivered, stops the agent and looks at its accounts."""
        if not wait_for(lambda: self.done() or not self.alive(), seconds, 0.05):
            spool = look(self.state)
            state = spool and {k: v for k, v in spool.meta.items() if isinstance(v, int)}
            found.blame("unbalanced", f"{what}: not everything arrived: {state}, read {spool and spool.offset()} of"
                                      f" {os.path.getsize(self.csv)}; see {self.log}")
        if not self.alive():
            found.blame("unbalanced", f"{what}: the agent ended by itself; see {self.log}")
        self.stop()


HEAD = """collector: {{endpoint: "{endpoint}", key: "{key}"}}
state: {state}
{extra}
sources:
"""
SOURCES = {
    "file": """  - name: file
    kind: csv
    path: {folder}/figures.csv
    every: 1s
    class: measurement
    time_column: time
    series:
      - {{column: a, kpi: energy_kwh, dimension: a, unit: kwh, step: 10s}}
      - {{column: b, kpi: energy_kwh, dimension: b, unit: kwh, step: 10s}}
""",
    "counter": """  - name: counter
    kind: exec
    command: ["{folder}/counter"]
    every: 1s
    class: measurement
    series: [{{name: made, kpi: out_units, dimension: made, unit: piece, step: 10s, counter: true}}]
""",
    "now": """  - name: now
    kind: exec
    command: ["/bin/sh", "-c", "echo now $((ESEP_TICK % 86400 / 10))"]
    every: 10s
    class: measurement
    series: [{{name: now, kpi: out_units, dimension: now, unit: piece, step: 10s}}]
""",
    "program": """  - name: program
    kind: exec
    command: ["{folder}/program"]
    every: 1s
    class: measurement
    series:
      - {{name: gauge, kpi: out_units, dimension: gauge, unit: piece, step: 10s}}
      - {{name: real, kpi: energy_kwh, dimension: real, unit: kwh, step: 10s}}
""",
}


def stored(pb, state, resident):
    """Every accepted sample of the resident: {(series, time): [values in ledger order]}."""
    db = sqlite3.connect(f"file:{state}/ledger.sqlite?mode=ro", uri=True, timeout=10)
    names = dict(((s, n), name) for s, n, name in db.execute(
        "SELECT d.stream_id, d.number, s.name FROM declare d JOIN series s USING (series_id)"))
    out = {}
    rows = db.execute("SELECT b.stream_id, b.body, b.verdict FROM batch b JOIN stream s USING (stream_id)"
                      " JOIN agent a USING (agent_id) WHERE a.resident=? AND b.gap=0 ORDER BY b.position", (resident,))
    for stream, body, verdict in rows:
        reject = pb.Envelope.FromString(verdict).reject if verdict else None
        if reject is not None and reject.whole:
            continue
        refused = set(reject.index) if reject is not None else ()
        batch = pb.Envelope.FromString(body).batch
        for index, (number, at, value) in enumerate(wire.samples_of(batch)):
            if index not in refused:
                name = names[stream, number].split("/", 2)[2]
                out.setdefault((name, at), []).append(value)
    db.close()
    return out


def gaps(pb, state, resident):
    """The Gap messages in the ledger, in its order."""
    db = sqlite3.connect(f"file:{state}/ledger.sqlite?mode=ro", uri=True, timeout=10)
    rows = db.execute("SELECT b.body FROM batch b JOIN stream s USING (stream_id) JOIN agent a USING (agent_id)"
                      " WHERE a.resident=? AND b.gap=1 ORDER BY b.position", (resident,)).fetchall()
    db.close()
    return [pb.Envelope.FromString(body).gap for (body,) in rows]


def expected(agent, name, at):
    if (name, at) in agent.truth:
        return agent.truth[name, at]
    said = {"out_units/gauge": gauge, "energy_kwh/real": real, "out_units/now": lambda t: t % 86400 // 10}
    return said[name](at) if name in said else None


def compare_counter(agent, have, found):
    """No increment is lost or doubled: each figure is what the counter rose by since the figure before; the first one since
    some reading before it."""
    try:
        with open(f"{agent.folder}/readings", encoding="utf-8") as f:
            readings = dict(tuple(map(int, line.split())) for line in f)
    except FileNotFoundError:
        readings = {}
    figures = sorted((at, values[0]) for (name, at), values in have.items() if name == COUNTED)
    before = None
    for at, value in figures:
        begun = [before] if before is not None else [r for t, r in readings.items() if t < at]
        if at not in readings or all(readings[at] - b != value for b in begun):
            found.blame("undetected", f"counter at {at} rose by {value}, from {begun[:3]} to {readings.get(at)}")
        before = readings.get(at)


def compare(pb, agent, found, again=False):
    """Every row of the CSV is stored once with its value; of the program each time at most once, with its value. `again`: the
    agent had to forget what it had delivered, so equal repeats of a (series, time) are counted, not blamed. Returns them."""
    have = stored(pb, agent.collector.state, agent.resident)
    repeats = 0
    if not again:
        compare_counter(agent, have, found)
    for key in agent.truth:
        if key not in have:
            found.acked += 1
            found.blame("lost", f"lost: {key[0]} at {key[1]}")
    for (name, at), values in have.items():
        want = expected(agent, name, at)
        found.acked += 1
        found.stored += 1 if again else len(values)
        repeats += len(values) - 1
        if len(values) > 1 and not again:
            found.blame("doubled", f"doubled: {name} at {at}", len(values) - 1)
        if any(v != want for v in values) and name != COUNTED:
            found.blame("undetected", f"not what the source said: {name} at {at}: {values} for {want!r}")
    return repeats


def account(agent, found, what, spool=None):
    """Every loss has a name. For the spool's incarnation and its last acknowledged n: samples with sequence ≤ n by the agent's
    count = accepted + quarantined + gaps by the collector's; what it holds as acknowledged has the ledger's very bytes; and
    sampled = acknowledged + in the spool + given up + refused. Can be asked at any moment while both run."""
    spool = spool or look(agent.state)
    if spool is None:
        return
    if spool.sampled != spool.acknowledged + spool.spooled + spool.gaps + spool.refused:
        found.blame("unbalanced", f"{what}: sampled {spool.sampled} ≠ acknowledged {spool.acknowledged} + spooled"
                                  f" {spool.spooled} + gaps {spool.gaps} + refused {spool.refused}")
    n = spool.last_acknowledged
    mine = [r for r in spool.rows if r[1] <= n]
    db = sqlite3.connect(f"file:{agent.collector.state}/ledger.sqlite?mode=ro", uri=True, timeout=10)
    theirs = {first: (last, samples, refused, gap, body) for first, last, samples, refused, gap, body in db.execute(
        "SELECT b.sequence, b.last_sequence, b.samples, b.refused, b.gap, b.body FROM batch b JOIN stream s USING (stream_id)"
        " WHERE s.incarnation=? AND b.last_sequence<=?", (spool.incarnation, n))}
    db.close()
    count = sum(r[3] for r in mine)
    accepted = sum(r[1] - r[2] for r in theirs.values() if not r[3])
    quarantined = sum(r[2] for r in theirs.values())
    gap = sum(r[1] for r in theirs.values() if r[3])
    forgotten = spool.forgotten_samples
    if count + forgotten != accepted + quarantined + gap:
        found.blame("unbalanced", f"{what}: up to {n} the agent counts {count}, the collector {accepted} accepted +"
                                  f" {quarantined} quarantined + {gap} in gaps")
    for first, last, _, samples, body in mine:
        if first not in theirs:
            found.blame("lost", f"{what}: acknowledged sequence {first} is not in the ledger", samples)
        elif theirs[first][:2] != (last, samples):  # so the sums are equal for every n up to the last
            found.blame("unbalanced", f"{what}: {first} … {last} has {samples} samples, in the ledger up to"
                                      f" {theirs[first][0]} {theirs[first][1]}")
        elif body is not None and theirs[first][4] != body:
            found.blame("undetected", f"{what}: sequence {first} has other bytes in the ledger")
