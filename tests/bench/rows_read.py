"""Rows about reading: how soon a figure is seen, graphs, and the API."""
import http.client
import json
import os
import random
import subprocess
import sys
import time

import report
import rig
import rows_files
from rows_ingest import Watch

sys.path.insert(0, os.path.join(rig.ROOT, "tests", "system", "faults"))
DAY = 86400


class Client:
    """One kept connection to the dashboard."""

    def __init__(self, port):
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    def get(self, path, etag=None):
        self.http.request("GET", path, headers={"If-None-Match": etag} if etag else {})
        answer = self.http.getresponse()
        return answer.status, answer.headers, answer.read()


def timed(client, path, etag=None):
    at = time.monotonic()
    status, headers, body = client.get(path, etag)
    return time.monotonic() - at, status, headers, body


def share(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))]


# ---- freshness

class Probe:
    """An agent of its own whose figures are made one by one, and looked for."""

    def __init__(self, site, series):
        import zmq
        from recorder import wire
        from recorder.peer import Peer, keypair
        pb = wire.load(os.path.join(rig.ROOT, "lib", "wire", "esep.proto"), site.path("proto"))
        keys = keypair()
        site.command("admit", "bench/probe", keys[0].decode())
        self.context = zmq.Context()
        self.peer = Peer(pb, self.context, site.endpoint, site.key.encode(), keys, random.Random(1), series, "probe")
        self.client = Client(site.web)
        self.at = {}
        self.send([(n, int(time.time()) // 10 * 10 - 20, 1) for n in range(series)])
        if not self.peer.drain(30):
            raise RuntimeError("the probe was not heard: " + self.peer.describe())

    def send(self, samples):
        self.peer.put(samples)
        self.peer.step()

    def name(self, number):
        return f"bench/probe/{self.peer.series[number]}"

    def close(self):
        self.peer.close()
        self.context.destroy(0)

    def until(self, seen):
        """Seconds from the figure's making until it is seen."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            self.peer.step()
            if seen():
                return
        raise TimeoutError("a figure was not seen within 30 s")

    def figure(self, number, value, graph):
        at = int(time.time()) // 10 * 10
        if self.at.get(number) == at:
            return None
        self.at[number] = at
        path = f"/api/v1/query?series={self.name(number)}&from={at - 10}&to={at + 10}"
        image = f"/graph/{self.name(number)}.png?from={at - 3600}&to={at + 10}"
        tag = self.client.get(image)[1].get("ETag") if graph else None
        begun = time.monotonic()
        self.send([(number, at, value)])
        if graph:
            self.until(lambda: self.client.get(image, tag)[0] == 200)
        else:
            self.until(lambda: any(p["time"] == at and p["value"] == value for p in json.loads(self.client.get(path)[2]).get("points", [])))
        return time.monotonic() - begun


def freshness():
    """Series of 10 s from agents of 1,000 series, at their pace; a probe of its own beside them, looked for by API and graph. Files have
    short archives, for a disk has no room for the others."""
    series, seconds = rows_files.series_that_fit(rig.setting("BENCH_FRESH_SERIES", 100000, 2000), short=True), rig.setting("BENCH_FRESH_S", 60, 15)
    agents = max(1, series // 1000)
    with rig.Site(short=True) as site:
        site.start_collector()
        site.start_dashboard()
        load = rig.Load(site, dict(agents=agents, series=series // agents, samples=100, rate=series / 10, seconds=seconds, days=0.5, prime=True, no_ledger=True))
        try:
            load.wait_primed()
            rig.say(f"freshness: {series} files are being made")
            site.wait_quiet()
            probe = Probe(site, 200)
            site.wait_landed()
            watch, before = Watch(site), rig.cpu_s(site.collector.pid)
            load.go()
            begun, took, value = time.monotonic(), {False: [], True: []}, 2
            while time.monotonic() - begun < seconds - 1:
                graph = value % 2 == 0
                one = probe.figure(value % 200, value, graph)
                value += 1
                if one is None:
                    time.sleep(0.05)
                else:
                    took[graph].append(one)
            cpu = (rig.cpu_s(site.collector.pid) - before) / (time.monotonic() - begun)
            probe.close()
            r = load.finish()
            seen = watch.stop()
        finally:
            load.close()
        report.note("freshness", series=series, samples_s=r["samples_s"], figures=sum(map(len, took.values())), api_p50_ms=share(took[False], 0.5) * 1e3,
                    graph_p50_ms=share(took[True], 0.5) * 1e3, collector_cores=cpu, cpu_us_a_sample=cpu / r["samples_s"] * 1e6, complete=r["good"],
                    file_KiB=rows_files.file_bytes(True) / 1024)
        if series < 100000 and not rig.QUICK:
            report.note("freshness_series", said=f"\"{series} of 100000: what half of the free disk holds of their files\"")
        report.row(f"freshness_api_p99_{series}_series", share(took[False], 0.99), "s", at_most=1)
        report.row(f"freshness_graph_p99_{series}_series", share(took[True], 0.99), "s", at_most=1)
        report.row("freshness_cursors_behind", max(s["age"] for s in seen), "s", at_most=60)


# ---- graphs

def graph():
    """A month of hourly figures, 600x200: drawn anew by the dashboard and by librrd alone, and answered 304."""
    seconds = rig.setting("BENCH_SECONDS", 10, 3)
    with rig.Site() as site:
        site.start_collector()
        site.start_dashboard()
        site.load(agents=1, series=4, step=3600, samples=4, days=60, rate=2860, seconds=2)
        site.wait_landed()
        client, now = Client(site.web), int(time.time()) // 3600 * 3600
        address = "/graph/bench/load-0/out_units/load-0.png?from={}&to={}&width=600&height=200&lang={}"
        file = site.command("query", "bench/load-0/out_units/load-0", "--file").stdout.split()[0]
        pixel = 30 * DAY // 600  # what a moment is rounded to
        for i in range(8):  # the workers' first
            client.get(address.format(now - 20 * DAY - i * pixel, now, "en"))
        ratios = []
        for n in range(rig.setting("BENCH_GRAPH_TURNS", 7, 2)):  # short turns: a ratio of two that follow each other closely
            cold = []
            for i in range(60):
                shift = (60 * n + i + 1) * pixel
                took, status, _, _ = timed(client, address.format(now - 30 * DAY - shift, now - shift, ("ru", "kk", "uz", "ky", "en")[n % 5]))
                if status != 200:
                    raise RuntimeError(f"a graph was answered {status}")
                cold.append(took)
            alone = rig.tool("bare_rrd", "--graph", file, "--from", now - 30 * DAY, "--to", now, "--times", 60)
            ratios.append(rig.median(cold) * 1e3 / alone["p50_ms"])
            report.note("graph_cold", p50_ms=rig.median(cold) * 1e3, p99_ms=share(cold, 0.99) * 1e3, librrd_p50_ms=alone["p50_ms"], librrd_p99_ms=alone["p99_ms"])
        report.row("graph_cold_to_librrd", rig.median(ratios), "x", at_most=1.3)
        path = address.format(now - 30 * DAY, now, "en")
        tag = client.get(path)[1]["ETag"]
        asked = [rig.tool("ask", "--port", site.web, "--path", path, "--header", f"If-None-Match: {tag}", "--seconds", seconds, "--connections", 16)
                 for _ in rig.rounds(0.08)]
        whole = rig.tool("ask", "--port", site.web, "--path", path, "--seconds", seconds, "--connections", 16)
        for a in asked:
            if a["not_modified"] != a["answered"]:
                raise RuntimeError(f"not all were answered 304: {a}")
            report.note("graph_cached", answers_s=a["answers_s"], p99_ms=a["p99_ms"], failed=a["failed"])
        report.note("graph_cached_whole", answers_s=whole["answers_s"], p99_ms=whole["p99_ms"])
        report.row("graph_cached_304", rig.median([a["answers_s"] for a in asked]), "answers/s", at_least=5000)


# ---- the API

def write_year(site):
    folder = site.path("reports")
    os.mkdir(folder)
    config, table = os.path.join(folder, "agent.yaml"), os.path.join(folder, "days.csv")
    first = time.time() - 370 * DAY
    with open(table, "w", encoding="ascii") as f:
        f.write("day,staff\n")
        for i in range(368):
            f.write(f"{time.strftime('%Y-%m-%d', time.gmtime(first + i * DAY))},{i * 7919 % 1000}\n")
    with open(config, "w", encoding="utf-8") as f:
        f.write(f'collector: {{endpoint: "{site.endpoint}", key: "{site.key}"}}\nstate: {folder}/state\nsources:\n  - name: days\n    kind: csv\n'
                f'    path: {table}\n    every: 1s\n    class: report\n    time_column: day\n    series:\n'
                f'      - {{column: staff, kpi: jobs_total, unit: person, period: day}}\n')
    made = subprocess.run([os.path.join(rig.BUILD, "esep-agent"), "keygen", "--config", config], capture_output=True, text=True, check=True)
    site.command("admit", "bench/year", made.stdout.strip())
    return site.start("year", [os.path.join(rig.BUILD, "esep-agent"), "run", "--config", config])


def api():
    """365 days of a report, native step, JSON, so many a second whether answered or not."""
    seconds = rig.setting("BENCH_SECONDS", 10, 3)
    with rig.Site() as site:
        site.start_collector()
        site.start_dashboard()
        write_year(site)
        rig.wait_for(lambda: any(a["accepted"] >= 368 for a in site.status()["agents"]), 60, 0.2)
        site.wait_landed()
        until = int(time.time()) // DAY * DAY
        path = f"/api/v1/query?series=bench/year/jobs_total&from={until - 365 * DAY}&to={until}"
        points = [p for p in json.loads(Client(site.web).get(path)[2])["points"] if p["value"] is not None]
        if len(points) < 360:
            raise RuntimeError(f"{len(points)} points, not a year of them")
        rig.tool("ask", "--port", site.web, "--path", path, "--rate", 500, "--seconds", 1)
        asked = [rig.tool("ask", "--port", site.web, "--path", path, "--rate", 500, "--seconds", seconds, "--connections", 16)
                 for _ in rig.rounds(0.08)]
        for a in asked:
            report.note("api_year", points=len(points), answers_s=a["answers_s"], p50_ms=a["p50_ms"], p99_ms=a["p99_ms"], most_ms=a["most_ms"],
                        not_ok=a["answered"] - a["ok"] + a["failed"], bytes_each=a["bytes"] / max(1, a["answered"]))
        most = rig.tool("ask", "--port", site.web, "--path", path, "--seconds", seconds, "--connections", 16)
        report.note("api_year_most", answers_s=most["answers_s"], p99_ms=most["p99_ms"])
        report.row("api_year_p99_at_500_a_second", rig.median([a["p99_ms"] for a in asked]), "ms", at_most=5)


PARTS = {"freshness": freshness, "graph": graph, "api": api}
