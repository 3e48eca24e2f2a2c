"""Real agents fed with figures the recorder knows: a CSV that grows, a program whose answer is a function of the time."""
import json
import os
import sqlite3
import subprocess
import time

from . import wire
from .programs import Program

PROGRAM = """#!/usr/bin/python3
import time
now = int(time.time()) // 10 * 10
print("gauge", (now * 2654435761) % 1000003, now)
print("real", ((now * 40503) % 999983) / 7.0, now)
"""


def gauge(at):
    return (at * 2654435761) % 1000003


def real(at):
    value = ((at * 40503) % 999983) / 7.0
    return int(value) if value == int(value) else value


class Agent:
    def __init__(self, collector, folder, resident, rng, extra=""):
        self.collector, self.folder, self.resident, self.rng = collector, folder, resident, rng
        self.build = collector.build
        os.makedirs(folder, exist_ok=True)
        self.config, self.log = f"{folder}/agent.yaml", f"{folder}/agent.log"
        self.state, self.csv = f"{folder}/state", f"{folder}/figures.csv"
        self.truth = {}  # (series, time) → value
        self.clock = int(time.time()) // 10 * 10 - 40 * 86400
        with open(self.csv, "w", encoding="utf-8") as f:
            f.write("time,a,b\n")
        program = f"{folder}/program"
        with open(program, "w", encoding="utf-8") as f:
            f.write(PROGRAM)
        os.chmod(program, 0o755)
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(CONFIG.format(endpoint=collector.endpoint, key=collector.key.decode(), state=self.state, csv=self.csv,
                                  program=program, extra=extra))
        done = self.command("keygen")
        collector.admit(resident, done.stdout.strip())
        self.program = None

    def command(self, *words):
        argv = [f"{self.build}/esep-agent", *words, "--config", self.config]
        return subprocess.run(argv, capture_output=True, text=True, timeout=60)

    def start(self, env=None):
        self.program = Program([f"{self.build}/esep-agent", "run", "--config", self.config], self.log, env)

    def kill(self):
        self.program.kill()

    def stop(self):
        return self.program.stop()

    def grow(self, rows):
        """New rows; sometimes the last line comes in two pieces."""
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
            time.sleep(0.01)
            f.write(text[cut:])

    def status(self):
        done = self.command("status", "--json")
        try:
            return json.loads(done.stdout)
        except ValueError:
            return {}

    def done(self):
        """Nothing in the CSV is unread and nothing in the spool is unacknowledged."""
        s = self.status()
        return s.get("spooled") == 0 and s.get("sampled", 0) >= len(self.truth)


CONFIG = """collector: {{endpoint: "{endpoint}", key: "{key}"}}
state: {state}
{extra}
sources:
  - name: file
    kind: csv
    path: {csv}
    every: 1s
    class: measurement
    time_column: time
    series:
      - {{column: a, kpi: energy_kwh, dimension: a, unit: kwh, step: 10s}}
      - {{column: b, kpi: energy_kwh, dimension: b, unit: kwh, step: 10s}}
  - name: program
    kind: exec
    command: ["{program}"]
    every: 10s
    timeout: 5s
    class: measurement
    series:
      - {{name: gauge, kpi: out_units, dimension: gauge, unit: piece, step: 10s}}
      - {{name: real, kpi: energy_kwh, dimension: real, unit: kwh, step: 10s}}
"""


def stored(pb, state, resident):
    """Every accepted sample of the resident: {(series, time): [values in ledger order]}."""
    db = sqlite3.connect(f"file:{state}/ledger.sqlite?mode=ro", uri=True, timeout=10)
    names = dict(((s, n), name) for s, n, name in db.execute(
        "SELECT d.stream_id, d.number, s.name FROM declare d JOIN series s USING (series_id)"))
    out = {}
    rows = db.execute("SELECT b.stream_id, b.body, b.verdict FROM batch b JOIN stream s USING (stream_id)"
                      " JOIN agent a USING (agent_id) WHERE a.resident=? AND b.gap=0 ORDER BY b.position", (resident,))
    for stream, body, verdict in rows:
        refused = set()
        if verdict:
            reject = pb.Envelope.FromString(verdict).reject
            refused = set(reject.index)
        batch = pb.Envelope.FromString(body).batch
        for index, (number, at, value) in enumerate(wire.samples_of(batch)):
            if index not in refused:
                name = names[stream, number].split("/", 2)[2]
                out.setdefault((name, at), []).append(value)
    db.close()
    return out


def compare(pb, agent, found):
    have = stored(pb, agent.collector.state, agent.resident)
    for (name, at), value in agent.truth.items():
        values = have.pop((name, at), [])
        found.acked += 1
        found.stored += len(values)
        if not values:
            found.lost += 1
            found.note(f"lost: {name} at {at}")
        elif len(values) > 1:
            found.doubled += len(values) - 1
            found.note(f"doubled: {name} at {at}")
        if values and values[0] != value:
            found.changed += 1
            found.note(f"changed: {name} at {at}: {values[0]!r} for {value!r}")
    for (name, at), values in have.items():
        found.acked += 1
        found.stored += len(values)
        want = gauge(at) if name == "out_units/gauge" else real(at) if name == "energy_kwh/real" else None
        if len(values) > 1:
            found.doubled += len(values) - 1
            found.note(f"doubled: {name} at {at}")
        if want is None or values[0] != want and values[0] is not None:
            found.changed += 1
            found.note(f"not what the source said: {name} at {at}: {values[0]!r} for {want!r}")
