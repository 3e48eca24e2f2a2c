#!/usr/bin/python3
"""Replays a folder of releases through a real agent, collector and dashboard, and compares with the files.

  replay.py FOLDER        BUILD=build/gcc; the folder's form is described in tests/README.md

Every release YYYY-MM.csv is handed to the agent when the one before has arrived, and carries its month as `published`.
What must hold afterwards is computed here from the files alone:
  current      the value of every point is the newest release's
  published    as of each release's month, by=published answers that release, point for point
  received     as of the moment each release had arrived, by=received answers it too
  revisions    each point has the values it had in the releases, one after the other, and no other
  files        each round-robin file has the newest release's value on every civil day
  rebuilt      when everything but the ledger was deleted and made again, 1,000 questions get the same bytes as before
The last line is `vintages: releases=… series=… points=… revisions=… mismatches=…`; the exit code is 0 when nothing differs.
"""
import csv
import datetime
import http.client
import json
import math
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse

import rrdtool

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build/gcc"))
HERE = os.path.dirname(os.path.abspath(__file__))
WAIT_S = float(os.environ.get("SYSTEM_WAIT_S", "60"))
SHOWN = 20  # mismatches printed
QUESTIONS = 1000
PROJECTIONS = ("observations.sqlite", "rrd.sqlite", "rrd", "rrd.writing")
PARK, RESIDENT = "vintages", "office"
UNITS = {"rog": "% of the month before", "yoy": "% of a year before", "pct": "%", "mln": "million"}
DAY_S = 86400


class Trouble(Exception):
    """What ends the replay, in words."""


# ---- the files ------------------------------------------------------------------------------------------------------


def month_of(day):
    """A date inside the month -> 2013-12."""
    return datetime.date.fromisoformat(day).isoformat()[:7]


def read_release(path):
    """{column: {month: value}} of what is published, and the columns."""
    with open(path, encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.reader(lines))
    if not rows or len(rows[0]) < 4 or rows[0][1:3] != ["year", "month"]:
        raise Trouble(f"{path}:1: the header must be ,year,month and the series")
    columns = rows[0][3:]
    figures = {column: {} for column in columns}
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(rows[0]):
            raise Trouble(f"{path}:{number}: {len(row)} columns, the header has {len(rows[0])}")
        month = month_of(row[0])
        for column, text in zip(columns, row[3:]):
            if text.strip():
                figures[column][month] = float(text)
    return figures


def read_releases(folder):
    names = sorted(n for n in os.listdir(folder) if re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])\.csv", n))
    if not names:
        raise Trouble(f"{folder}: has no release: files named YYYY-MM.csv")
    return [(name[:7], os.path.join(folder, name), read_release(os.path.join(folder, name))) for name in names]


def series_of(column):
    code = re.sub(r"[^a-z0-9_.-]", "-", column.lower())
    return "kep/" + code if re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,62}", code) else None


def name_series(releases):
    """{column: series}, in the order they first appear."""
    columns = list(dict.fromkeys(c for _, _, figures in releases for c in figures))
    series = {c: series_of(c) for c in columns}
    bad = [c for c in columns if series[c] is None or list(series.values()).count(series[c]) > 1]
    if bad:
        raise Trouble(f"column {bad[0]!r} cannot be named as a series of its own")
    return series


def histories(releases):
    """{(column, month): [(release, value or None), …]}, one entry for each change, and the changes of each release."""
    points, changes = {}, []
    for release, _, figures in releases:
        now = {(c, m): v for c, months in figures.items() for m, v in months.items()}
        changed = 0
        for key in set(points) | set(now):
            known = points.get(key, [(None, None)])[-1][1]
            if known != now.get(key):
                points.setdefault(key, []).append((release, now.get(key)))
                changed += 1
        changes.append(changed)
    return points, changes


# ---- the programs ---------------------------------------------------------------------------------------------------


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Park:
    """Collector, dashboard and the office's agent, in a folder of their own."""

    def __init__(self, work, series):
        self.work, self.series, self.running, self.tail = work, series, [], 0
        self.web = None
        self.port = free_port()
        os.makedirs(self.path("parks"))
        os.makedirs(self.path("releases"))
        shutil.copy(os.path.join(HERE, "park.yaml"), self.path("parks"))
        common = f"state: {self.path('collector')}\ncatalogue: {ROOT}/deploy/catalogue.yaml\nparks: {self.path('parks')}\n"
        self.collector_endpoint = f"tcp://127.0.0.1:{free_port()}"
        self.write("collector.yaml", f"endpoint: {self.collector_endpoint}\n" + common)
        self.write("dashboard.yaml", f"listen: 127.0.0.1:{self.port}\n" + common)

    def path(self, name):
        return os.path.join(self.work, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as out:
            out.write(text)

    def ask(self, program, *words):
        """What a command prints."""
        config = {"esep-collector": "collector.yaml", "esep-agent": "agent.yaml"}[program]
        done = subprocess.run([os.path.join(BUILD, program), *words, "--config", self.path(config)], text=True,
                              capture_output=True, check=False, timeout=WAIT_S)
        if done.returncode != 0:
            raise Trouble(f"{program} {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def run(self, program, config):
        log = open(self.path(program + ".log"), "ab")
        self.running.append((program, subprocess.Popen(
            [os.path.join(BUILD, program), "run", "--config", self.path(config)], stdin=subprocess.DEVNULL,
            stdout=log, stderr=log)))
        log.close()

    def agent_config(self):
        key = self.ask("esep-collector", "keygen").strip()
        lines = [f'collector:\n  endpoint: {self.collector_endpoint}\n  key: "{key}"\nstate: {self.path("agent")}\n'
                 f'sources:\n  - name: releases\n    kind: csv\n    path: {self.path("releases")}/{{release}}.csv\n'
                 f'    every: 1s\n    class: report\n    whole: true\n    time_column: ""\n    series:\n']
        for column, series in self.series.items():
            unit = UNITS.get(column.rsplit("_", 1)[-1], column.split("_", 1)[-1].replace("_", " ")[:31])
            lines.append(f"      - {{column: {json.dumps(column)}, kpi: kep, dimension: {series[4:]}, "
                         f"unit: {json.dumps(unit)}, period: month}}\n")
        self.write("agent.yaml", "".join(lines))

    def start(self):
        self.agent_config()
        self.run("esep-collector", "collector.yaml")
        self.wait("the collector", self.collector_answers)
        self.ask("esep-collector", "admit", f"{PARK}/{RESIDENT}", self.ask("esep-agent", "keygen").strip())
        self.run("esep-dashboard", "dashboard.yaml")
        self.wait("the dashboard", self.dashboard_answers)
        self.run("esep-agent", "agent.yaml")

    def collector_answers(self):
        try:
            return re.search(r"^state *running", self.ask("esep-collector", "status"), re.M)
        except Trouble:
            return False

    def dashboard_answers(self):
        try:
            return self.get("/healthz")
        except (OSError, Trouble, http.client.HTTPException):
            return False

    def wait(self, what, condition):
        until = time.monotonic() + WAIT_S
        while not condition():
            for program, process in self.running:
                if process.poll() is not None:
                    raise Trouble(f"{program} ended with {process.returncode}:\n{self.log(program)}")
            if time.monotonic() > until:
                raise Trouble(f"{what}: nothing after {WAIT_S:.0f} s\n" + self.log("esep-agent"))
            time.sleep(0.05)

    def log(self, program):
        try:
            with open(self.path(program + ".log"), encoding="utf-8", errors="replace") as lines:
                return "".join(lines.readlines()[-5:])
        except OSError:
            return ""

    def stop(self, only=None):
        ending = [one for one in reversed(self.running) if only in (None, one[0])]
        for _, process in ending:
            process.send_signal(signal.SIGTERM)
        for program, process in ending:
            try:
                process.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise Trouble(f"{program} did not end when asked") from None
            self.running.remove((program, process))

    def forget_projections(self):
        """Everything in the state folder that is made of the ledger."""
        self.stop("esep-collector")
        gone = 0
        for name in os.listdir(self.path("collector")):
            if name.startswith(PROJECTIONS):
                path = self.path("collector/" + name)
                shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
                gone += 1
        if gone < 3:
            raise Trouble(f"only {gone} files of projections were there to delete")
        self.run("esep-collector", "collector.yaml")
        self.wait("the collector", self.collector_answers)

    def kill(self):
        for _, process in self.running:
            if process.poll() is None:
                process.kill()
                process.wait()

    # ---- asking

    def get(self, target):
        status, body = self.fetch(target)
        if status != 200:
            raise Trouble(f"GET {target}: {status} {body[:300].decode(errors='replace')}")
        return body

    def fetch(self, target):
        """Over one connection; a new one when the dashboard has closed it meanwhile."""
        for last in (False, True):
            if self.web is None or last:
                self.web = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
            try:
                self.web.request("GET", target)
                answer = self.web.getresponse()
                return answer.status, answer.read()
            except (OSError, http.client.HTTPException):
                if last:
                    self.web = None
                    raise
        return None

    def observations(self, series, **more):
        query = urllib.parse.urlencode({"series": f"{PARK}/{RESIDENT}/{series}", **more})
        return json.loads(self.get("/api/v1/observations?" + query))["observations"]

    def accepted(self):
        """Figures in the ledger, asked of the file itself."""
        with sqlite3.connect(f"file:{self.path('collector/ledger.sqlite')}?mode=ro", uri=True, timeout=10) as db:
            return db.execute("select coalesce(sum(samples - refused), 0) from batch where gap = 0").fetchone()[0]

    def last_received(self):
        with sqlite3.connect(f"file:{self.path('collector/ledger.sqlite')}?mode=ro", uri=True, timeout=10) as db:
            us = db.execute("select coalesce(max(received_us), 0) from batch").fetchone()[0]
        seconds = datetime.datetime.fromtimestamp(us // 1000000, datetime.timezone.utc)
        return f"{seconds:%Y-%m-%dT%H:%M:%S}.{us % 1000000:06d}Z"


def hand_over(park, releases, changes):
    """Each release when the one before has arrived; the moments at which they had."""
    moments, wanted, slowest = [], 0, 0.0
    for (release, path, _), changed in zip(releases, changes):
        beside = park.path("releases/next")
        shutil.copy2(path, beside)
        os.rename(beside, park.path(f"releases/{release}.csv"))
        wanted, begun = wanted + changed, time.monotonic()
        park.wait(f"release {release}: {park.accepted()} of {wanted} figures have arrived",
                  lambda want=wanted: park.accepted() >= want)
        slowest = max(slowest, time.monotonic() - begun)
        moments.append(park.last_received())
    return moments, slowest


# ---- comparing ------------------------------------------------------------------------------------------------------


class Account:
    def __init__(self):
        self.compared = self.mismatches = 0

    def same(self, what, wanted, got):
        self.compared += 1
        if wanted == got:
            return
        self.mismatches += 1
        if self.mismatches <= SHOWN:
            print(f"mismatch: {what}: wanted {wanted}, got {got}")

    def same_months(self, what, wanted, got):
        for month in sorted(set(wanted) | set(got)):
            self.same(f"{what} {month}", wanted.get(month), got.get(month))


def known(rows):
    return {row["period"]: float(row["value"]) for row in rows if row["value"] is not None}


def compare_releases(park, releases, moments, account):
    newest = releases[-1][2]
    for column, series in park.series.items():
        account.same_months(f"{column} now", newest.get(column, {}), known(park.observations(series)))
        for (release, _, figures), moment in zip(releases, moments):
            wanted = figures.get(column, {})
            account.same_months(f"{column} published by {release}", wanted,
                                known(park.observations(series, as_of=release, by="published")))
            account.same_months(f"{column} received by {moment} ({release})", wanted,
                                known(park.observations(series, as_of=moment)))


def compare_revisions(park, points, account):
    """The number of revisions: values that came in the place of others."""
    revisions = 0
    for column, series in park.series.items():
        got = {}
        for row in park.observations(series, revisions="all"):
            got.setdefault(row["period"], []).append(
                (row["published"][:7], None if row["value"] is None else float(row["value"])))
            if (row["status"] == "M") != (row["value"] is None):
                account.same(f"{column} {row['period']} status", "M only without a value", row["status"])
        wanted = {month: history for (c, month), history in points.items() if c == column}
        account.same_months(f"{column} revisions of", wanted, got)
        revisions += sum(len(history) - 1 for history in got.values())
    return revisions


def ulps(a, b):
    def order(v):
        bits = struct.unpack("<q", struct.pack("<d", v))[0]
        return bits if bits >= 0 else -(bits & 0x7FFFFFFFFFFFFFFF)
    return abs(order(a) - order(b))


def as_stored(wanted, got):
    """Whole numbers come back to the bit; others within the 2 ulp that librrd's arithmetic costs (lib/store/README.md)."""
    if wanted is None or got is None or math.isnan(got):
        return None if got is None or math.isnan(got) else got
    return wanted if ulps(wanted, got) <= (0 if wanted == int(wanted) else 2) else got


def days_of(month):
    first = datetime.date.fromisoformat(month + "-01")
    after = (first + datetime.timedelta(days=31)).replace(day=1)
    epoch = datetime.date(1970, 1, 1)
    return range((first - epoch).days, (after - epoch).days)


def compare_files(park, releases, points, account):
    newest = releases[-1][2]
    for column, series in park.series.items():
        months = sorted(m for c, m in points if c == column and m >= "1980-02")
        if not months:
            continue
        path = park.ask("esep-collector", "query", f"{PARK}/{RESIDENT}/{series}", "--file").strip()
        if not os.path.exists(path):
            account.same_months(f"{column} file", newest.get(column, {}), {})
            continue
        first, last = days_of(months[0])[0], days_of(months[-1])[-1]
        (start, _, step), _, rows = rrdtool.fetch(path, "AVERAGE", "-r", str(DAY_S), "-s", str(first * DAY_S), "-e",
                                                  str(last * DAY_S))
        account.same(f"{path} step", DAY_S, step)
        got = {start // DAY_S + i: row[0] for i, row in enumerate(rows)}
        for month in months:
            wanted = newest.get(column, {}).get(month)
            for day in days_of(month):
                account.same(f"{column} file day {day} of {month}", wanted, as_stored(wanted, got.get(day)))


def some_question(chance, park, releases, moments):
    """An address of the API about a random series, span and moment."""
    series = f"{PARK}/{RESIDENT}/{chance.choice(list(park.series.values()))}"
    months = sorted({m for _, _, figures in releases[-1:] for months in figures.values() for m in months}) or ["2000-01"]
    first, last = sorted((chance.choice(months), chance.choice(months)))
    span = chance.choice([{}, {"from": first + "-01", "to": last + "-28"}])
    if first == last:
        span = {}
    if chance.random() < 0.25:
        step = chance.choice([{}, {"step": "quarter"}, {"step": "year"}])
        cf = chance.choice([{}, {"cf": "SUM"}, {"cf": "MAX"}]) if step else {}
        query = {"from": months[0] + "-01", "to": months[-1] + "-28", **span, **step, **cf}
        return "/api/v1/query?" + urllib.parse.urlencode({"series": series, **query})
    which = chance.choice([{}, {"revisions": "all"}, {"by": "published"},
                           {"as_of": chance.choice(moments)}, {"as_of": chance.choice(releases)[0], "by": "published"},
                           {"as_of": f"{chance.choice(months)}-{chance.randint(1, 28):02d}", "by": "published"}])
    where = {"period": chance.choice([first, first[:4]])} if chance.random() < 0.3 else span
    style = chance.choice([{}, {"format": "csv"}])
    return "/api/v1/observations?" + urllib.parse.urlencode({"series": series, **which, **where, **style})


def compare_rebuilt(park, releases, points, moments, account):
    chance = random.Random(len(points))
    questions = [some_question(chance, park, releases, moments) for _ in range(QUESTIONS)]
    before = [park.fetch(q) for q in questions]
    good = sum(status == 200 for status, _ in before)
    account.same("questions that were answered", QUESTIONS, good)
    park.forget_projections()
    wait_for_files(park)
    for question, answer in zip(questions, before):
        account.same(f"{question} after a rebuild", answer, park.fetch(question))
    compare_files(park, releases, points, account)
    print(f"rebuilt from the ledger: {QUESTIONS} questions about {len({q for q in questions})} addresses were asked again")


def wait_for_files(park):
    """Until the round-robin files are as far as the ledger."""
    def landed():
        state = json.loads(park.ask("esep-collector", "status", "--json"))
        return all(cursor["lag"] == 0 for cursor in state["cursors"].values()) and state["rrd_dirty"] == 0
    park.wait("the round-robin files", landed)


def replay(folder, work):
    releases = read_releases(folder)
    series = name_series(releases)
    points, changes = histories(releases)
    account, park = Account(), Park(work, series)
    try:
        park.start()
        moments, slowest = hand_over(park, releases, changes)
        print(f"handed over {len(releases)} releases with {sum(changes)} new and changed figures; the slowest took "
              f"{slowest:.1f} s to arrive")
        compare_releases(park, releases, moments, account)
        revisions = compare_revisions(park, points, account)
        account.same("revisions in all", sum(changes) - len(points), revisions)
        account.same("figures in the ledger", sum(changes), park.accepted())
        wait_for_files(park)
        compare_files(park, releases, points, account)
        compare_rebuilt(park, releases, points, moments, account)
        park.stop()
    finally:
        park.kill()
    print(f"compared {account.compared} values")
    print(f"vintages: releases={len(releases)} series={len(series)} points={len(points)} revisions={revisions} "
          f"mismatches={account.mismatches}")
    return account.mismatches == 0


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        return 0 if sys.argv[1:] == ["--help"] else 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    work = tempfile.mkdtemp(prefix="esep-vintages.")
    try:
        return 0 if replay(sys.argv[1], work) else 1
    except (Trouble, OSError, ValueError) as trouble:
        print(f"vintages: {trouble}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
