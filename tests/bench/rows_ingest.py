"""Rows about taking figures in: full batches, one sample a batch, many series, many agents, minutes of full load."""
import contextlib
import http.client
import json
import os
import threading
import time

import report
import rig
import rows_files


def spent(before, after, samples):
    """Microseconds of CPU a thousand samples, by thread."""
    parts = {k: (after[k] - before.get(k, 0)) / samples * 1e9 for k in after}
    return {f"{k}_ns": v for k, v in sorted(parts.items(), key=lambda x: -x[1]) if v >= 1}


def ingest(name="ingest_synced", samples=2500, goal=None):
    """Full speed, each round a collector of its own; the ledger is read afterwards."""
    series, seconds = rig.setting("BENCH_SERIES", 20000, 2000), rig.setting("BENCH_SECONDS", 10, 3)
    agents = max(1, series // 1000)
    rounds = []
    for _ in rig.rounds(0.09):
        with rig.Site() as site:
            site.start_collector()
            before = rig.threads_s(site.collector.pid)
            r = site.load(agents=agents, series=series // agents, samples=samples, seconds=seconds, days=rig.days(4e6 * seconds / series))
            rounds.append(r)
            report.note(name, samples_s=r["samples_s"], batches_s=r["batches_s"], p50_us=r["p50_us"], p99_us=r["p99_us"],
                        load_cpu_s=r["cpu_seconds"], seconds=r["seconds"], peak_MiB=rig.memory(site.collector.pid)["peak"] / 2**20,
                        complete=r["good"], bytes_a_sample=r["bytes"] / r["samples"],
                        **spent(before, rig.threads_s(site.collector.pid), r["samples"]))
    if goal:
        report.row(name, rig.median([r["batches_s"] for r in rounds]), "batches/s", at_least=goal)
    else:
        report.note(f"{name}_median", samples_s=rig.median([r["samples_s"] for r in rounds]), goal=">=3x VictoriaMetrics and rrdcached: make bench-peers")


def batches():
    ingest("one_sample_a_batch", 1, 60000)


def scale():
    """CPU of the collector a sample, at one rate of samples: to the acknowledgement, and until everything has landed. Files have short
    archives, for a disk has no room for the others; what that changes is measured beside it."""
    most = rows_files.series_that_fit(rig.setting("BENCH_SCALE_SERIES", 200000, 3000), short=True)
    costs = {}
    for series, short in ((1000, False), (1000, True), (20000, True), (most, True)):
        if series <= most:
            costs[series, short] = one_size(series, short)
    # How often the writer rests is chance at 1,000 series: the cheaper of the two is what growth counts from.
    small, big = tuple(map(min, costs[1000, True], costs[1000, False])), costs[most, True]
    report.note("short_archives_to_whole_ones", series=1000, to_the_acknowledgement=costs[1000, True][0] / costs[1000, False][0], landed=costs[1000, True][1] / costs[1000, False][1],
                file_KiB=rows_files.file_bytes(True) / 1024, whole_file_KiB=rows_files.file_bytes() / 1024)
    if most < 200000 and not rig.QUICK:
        report.note("cpu_a_sample_growth", said=f"\"{most} series: what half of the free disk holds of their files\"")
    report.row(f"cpu_a_sample_growth_to_the_acknowledgement_1000_to_{most}_series", big[0] / small[0], "x", at_most=1.5)
    report.row(f"cpu_a_sample_growth_1000_to_{most}_series", big[1] / small[1], "x", at_most=1.5)


def one_size(series, short):
    """CPU seconds of the collector a sample: to the acknowledgement, until it has landed."""
    seconds, rate = rig.setting("BENCH_SECONDS", 10, 3), rig.setting("BENCH_SCALE_RATE", 500000)
    agents = max(1, series // 1000)
    with rig.Site(short) as site:
        site.start_collector()
        load = rig.Load(site, dict(agents=agents, series=series // agents, samples=2500, seconds=seconds, rate=rate, prime=True, no_ledger=True,
                                   days=rig.days(seconds * rate / series + 10)))
        try:
            load.wait_primed()
            rig.say(f"scale: {series} files are being made")
            site.wait_quiet()
            before, counted = rig.threads_s(site.collector.pid), site.status()["counters"]
            load.go()
            r = load.finish()
            acked = rig.threads_s(site.collector.pid)
            site.wait_landed()
            after, now = rig.threads_s(site.collector.pid), site.status()["counters"]
        finally:
            load.close()
        # While it goes on the files are written too: what the writer has used by then is not the acknowledgement's.
        landed = (sum(after.values()) - sum(before.values())) / r["samples"]
        answered = sum(v - before.get(k, 0) for k, v in acked.items() if k not in ("rrd", "observer")) / r["samples"]
        written, visits = (now[k] - counted[k] for k in ("rrd_values_written", "rrd_file_visits"))
        report.note("cpu_a_sample", series=series, archives="short" if short else "whole", to_the_acknowledgement_ns=answered * 1e9, landed_ns=landed * 1e9,
                    values_a_visit=written / max(1, visits), samples_s=r["samples_s"], rss_MiB=rig.memory(site.collector.pid)["rss"] / 2**20,
                    **spent(before, after, r["samples"]))
        return answered, landed


def crowd():
    """Agents by the thousand while the collector is away, and how long they need after it is back."""
    away, agents = rig.setting("BENCH_AWAY", 300, 10), rig.setting("BENCH_AGENTS", 5000, 500)
    with rig.Site() as site:
        site.start_collector()
        # A batch of 30 each 10 s, as an agent of 30 KPIs makes them; of one series each, for 150,000 files would not fit on the disk.
        loads = []
        try:
            for i in range(4):
                loads.append(rig.Load(site, dict(agents=agents // 4, series=1, samples=30, rate=agents // 4 * 3, seconds=away + 15, patience=600,
                                                 park=f"crowd{i}", prime=True)))
                loads[-1].wait_primed()
                rig.say(f"{agents // 4 * (i + 1)} agents are there")
            site.wait_landed()
            for load in loads:
                load.go()
            time.sleep(10)
            site.collector.stop()
            time.sleep(away + 5)
            # Making ends now; the load prints how long after that the last acknowledgement came.
            at = time.monotonic()
            site.start_collector()
            started_s = time.monotonic() - at
            results = [load.finish() for load in loads]
            mem = rig.memory(site.collector.pid)
            total = {k: sum(r[k] for r in results) for k in ("samples", "batches", "cpu_seconds")}
            report.note("agents_back", agents=agents, away_s=away, start_s=started_s, samples=total["samples"], batches=total["batches"],
                        complete=all(r["good"] for r in results), load_cpu_s=total["cpu_seconds"], peak_MiB=mem["peak"] / 2**20,
                        anonymous_MiB=mem.get("anonymous", 0) / 2**20)
            report.row(f"agents_{agents}_back_all_acknowledged", max(r["drain_seconds"] for r in results), "s", at_most=30)
            report.row(f"agents_{agents}_collector_memory", mem["peak"] / 2**20, "MiB", at_most=512)
        finally:
            for load in loads:
                load.close()


class Watch:
    """What the collector says of itself, each second; and what the dashboard's /metrics says, where there is one."""

    def __init__(self, site):
        self.site, self.seen, self.over = site, [], threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def metrics(self):
        """{lag_seconds, lag_rows, in_flight} of /metrics: the projection that is farthest behind."""
        out = {}
        if not self.site.dashboard:
            return out
        client = http.client.HTTPConnection("127.0.0.1", self.site.web, timeout=10)
        client.request("GET", "/metrics")
        for line in client.getresponse().read().decode().splitlines():
            for name, key in (("esep_projection_lag_seconds", "lag_seconds"), ("esep_projection_lag_rows", "lag_rows"), ("esep_in_flight_bytes", "in_flight")):
                if line.startswith(name):
                    out[key] = max(out.get(key, 0), float(line.split()[-1]))
        client.close()
        return out

    def run(self):
        while not self.over.wait(1):
            try:
                s, m, told = self.site.status(), rig.memory(self.site.collector.pid), self.metrics()
            except (OSError, ValueError, KeyError, RuntimeError, http.client.HTTPException):
                continue
            self.seen.append({"at": time.monotonic(), "rss": m["anonymous"], "in_flight": s["in_flight_bytes"], "wal": s["wal_bytes"],
                              "age": max(c["age_us"] for c in s["cursors"].values()) / 1e6, "lag": max(c["lag"] for c in s["cursors"].values()),
                              "landed": s["counters"]["rrd_values_written"], "told": told})

    def stop(self):
        self.over.set()
        self.thread.join()
        if len(self.seen) < 2:
            raise RuntimeError("the collector was not heard while it was measured")
        return self.seen


def values_landed(site):
    return site.status()["counters"]["rrd_values_written"]


def turn(site, load, number, name, seconds, rate):
    """One turn of the load under watch, until everything has landed."""
    watch, at, before = Watch(site), time.monotonic(), values_landed(site)
    load.go(seconds, rate)
    load.wait_acknowledged(number, seconds + 600)
    seen, took = watch.stop(), time.monotonic() - at
    written = seen[-1]["landed"] - seen[0]["landed"]
    at = time.monotonic()
    site.wait_landed(7200)
    after = time.monotonic() - at
    half = len(seen) // 2
    out = {"took": took, "landed": written / (seen[-1]["at"] - seen[0]["at"]), "throughput": (values_landed(site) - before) / (took + after), "after": after, "age": max(s["age"] for s in seen),
           "first": max(s["rss"] for s in seen[:half]), "second": max(s["rss"] for s in seen[half:]), "in_flight": max(s["in_flight"] for s in seen)}
    told = {k: max(s["told"].get(k, -1) for s in seen) for k in ("lag_rows", "lag_seconds", "in_flight")}
    report.note(f"load_{name}", rate=rate or "\"as fast as taken\"", seconds=took, landed_s=out["landed"], oldest_s=out["age"],
                most_rows_behind=max(s["lag"] for s in seen), landed_after_s=after, most_in_flight_MiB=out["in_flight"] / 2**20,
                most_wal_MiB=max(s["wal"] for s in seen) / 2**20, memory_first_half_MiB=out["first"] / 2**20, memory_second_half_MiB=out["second"] / 2**20,
                metrics_lag_rows=told["lag_rows"], metrics_lag_s=told["lag_seconds"], metrics_in_flight_MiB=told["in_flight"] / 2**20)
    return out


def value_of(agent, number, tick):
    """As load/figures.c has it."""
    v = ((tick * 2654435761 + number * 40503 + agent) >> 7) & 0xffffffff
    v %= 1000
    return v / 4 if number % 4 == 3 and v % 4 else v


def queried_back(site, agents, series, begin):
    """Of two series of every agent: how many values the API lacks, or has otherwise than they were sent."""
    accepted = {a["resident"]: a["accepted"] for a in site.status()["agents"]}
    client, wrong, asked = http.client.HTTPConnection("127.0.0.1", site.web, timeout=300), 0, 0
    for agent in range(agents):
        for number in sorted({agent * 37 % series, series - 1 - agent * 53 % series}):
            sent = accepted[f"bench/load-{agent}"] // series + (number < accepted[f"bench/load-{agent}"] % series)
            name = f"bench/load-{agent}/{'energy_kwh' if number % 4 == 3 else 'out_units'}/load-{number}"
            wanted, found = {(begin + (t + 1) * 10, value_of(agent, number, t)) for t in range(sent)}, set()
            for tick in range(0, sent, 40000):  # an answer has 50,000 points at most
                client.request("GET", f"/api/v1/query?series={name}&from={begin + tick * 10 + 5}&to={begin + min(sent, tick + 40000) * 10 + 5}")
                answer = json.loads(client.getresponse().read())
                found.update((p["time"], p["value"]) for p in answer.get("points", []) if p["value"] is not None)
            asked += sent
            wrong += len(wanted ^ found)
    report.note("queried_back", series=2 * agents, values=asked, wrong=wrong)
    return wrong


def calibrate(site, load):
    """What lands while more comes: full speed for a while until all has landed, then rates about what that was, rising until landing
    does not follow, or falling until it does. A turn's number, and the rate that was followed."""
    seconds = 24 if not rig.QUICK else 6
    full = turn(site, load, 1, "full", seconds, 0)
    rate, followed, number = 0.9 * full["throughput"], None, 1
    for _ in range(12):
        number += 1
        t = turn(site, load, number, "trial", seconds, rate)
        # The writer rests some seconds under load, so that a visit brings more: what tells is how much is left to do when no more comes.
        follows = t["after"] <= 0.1 * seconds + 0.5 and t["took"] <= 1.2 * seconds
        if follows:
            followed = rate
        elif followed:
            break
        rate *= 1.12 if follows else 0.85
    return number, followed or rate, full


def sustain(minutes):
    """Full speed and rates that rise show what lands; then 0.9 of that so long. One load, one collector, files made first."""
    series = rows_files.series_that_fit(rig.setting("BENCH_SERIES", 20000, 2000))
    agents = max(1, series // 1000)
    with rig.Site() as site:
        site.start_collector()
        site.start_dashboard()
        load = rig.Load(site, dict(agents=agents, series=series // agents, samples=2500, prime=True, patience=600))
        try:
            load.wait_primed()
            rig.say(f"sustained: {series} files are being made")
            site.wait_quiet()
            number, followed, full = calibrate(site, load)
            t = turn(site, load, number + 1, "sustained", minutes * 60, 0.9 * followed)
            r = load.finish()
        finally:
            load.close()
        wrong = queried_back(site, agents, series // agents, r["begin"])
    report.note("sustained", series=series, minutes=minutes, samples_s=0.9 * followed, landed_s=t["landed"], samples=r["samples"], complete=r["good"],
                goal="\">=1x VictoriaMetrics' queryable rate: make bench-peers\"")
    keep(samples_s=0.9 * followed, series=series, minutes=minutes, behind_s=t["age"], wrong=wrong)
    return t, full, r, wrong


def sustained():
    t, full, r, wrong = sustain(rig.setting("BENCH_MINUTES", 10.0, 0.5))
    report.row("sustained_projections_behind", t["age"], "s", at_most=60)
    report.row("sustained_memory_second_half_to_first", t["second"] / t["first"], "x", at_most=1.1)
    report.row("sustained_in_flight", max(t["in_flight"], full["in_flight"]) / 2**20, "MiB", at_most=128)
    report.row("full_load_lost", r["lost"] + r["doubled"] + r["differs"] + r["unacknowledged"], "batches", at_most=0)
    report.row("sustained_queried_back_wrong", wrong, "values", at_most=0)


def keep(**figures):
    """For make bench-peers of the same commit."""
    with open(os.path.join(rig.BUILD, "bench.json"), "w", encoding="utf-8") as f:
        json.dump(dict(figures, commit=rig.commit()), f)


def kept():
    """What `make bench` has kept, when that was of this commit."""
    with contextlib.suppress(OSError, ValueError):
        with open(os.path.join(rig.BUILD, "bench.json"), encoding="utf-8") as f:
            figures = json.load(f)
            if figures["commit"] == rig.commit() and figures["minutes"] >= 2:
                return figures
    return None


def ledger():
    """The ledger without a network beside a bare log synced as often: what SQLite costs. Groups as the committer forms them under full load."""
    for shape, bytes_, group, rows in (("one_sample_a_batch", 44, 4096, 200000), ("100_a_batch", 700, 1024, 50000), ("2500_a_batch", 15000, 64, 8000)):
        with rig.Place() as place:
            r = rig.tool("ledger_log", "--folder", place.folder, "--bytes", bytes_, "--group", group, "--rows", rows // 10 if rig.QUICK else rows,
                         "--rounds", rig.setting("BENCH_ROUNDS", 3, 1))
            report.note(f"ledger_beside_a_bare_log_{shape}", **r)


PARTS = {"ledger": ledger, "ingest": ingest, "batches": batches, "scale": scale, "crowd": crowd, "sustained": sustained}
