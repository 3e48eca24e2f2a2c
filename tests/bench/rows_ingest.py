"""Rows about taking figures in: full batches, one sample a batch, many series, many agents, minutes of full load."""
import threading
import time

import report
import rig


def spent(before, after, samples):
    """Microseconds of CPU a thousand samples, by thread."""
    parts = {k: (after[k] - before.get(k, 0)) / samples * 1e9 for k in after}
    return {f"{k}_ns": v for k, v in sorted(parts.items(), key=lambda x: -x[1]) if v >= 1}


def ingest(name="ingest_synced", samples=2500, goal=None):
    """Full speed, each round a collector of its own; the ledger is read afterwards."""
    series, seconds = rig.setting("BENCH_SERIES", 20000, 2000), rig.setting("BENCH_SECONDS", 10, 3)
    agents = max(1, series // 1000)
    rounds = []
    for _ in range(rig.setting("BENCH_ROUNDS", 3, 1)):
        with rig.Site() as site:
            site.start_collector()
            before = rig.threads_s(site.collector.pid)
            r = site.load(agents=agents, series=series // agents, samples=samples, seconds=seconds)
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
    """CPU of the collector a sample, everything landed, at one rate of samples."""
    import rows_files
    most = rows_files.series_that_fit(200000)
    seconds, rate = rig.setting("BENCH_SECONDS", 10, 3), rig.setting("BENCH_SCALE_RATE", 500000)
    cost = {}
    for series in [1000, 20000, most] if most > 20000 else [1000, most]:
        with rig.Site() as site:
            site.start_collector()
            agents = max(1, series // 1000)
            load = rig.Load(site, dict(agents=agents, series=series // agents, samples=2500, seconds=seconds, rate=rate, prime=True, no_ledger=True))
            try:
                load.wait_primed()
                rig.say(f"scale: {series} files are being made")
                site.wait_landed()
                before, cpu = rig.threads_s(site.collector.pid), rig.cpu_s(site.collector.pid)
                load.go()
                r = load.finish()
                acked = rig.threads_s(site.collector.pid)
                site.wait_landed()
                after = rig.threads_s(site.collector.pid)
            finally:
                load.close()
            cost[series] = (rig.cpu_s(site.collector.pid) - cpu) / r["samples"]
            report.note("cpu_a_sample", series=series, ns=cost[series] * 1e9, to_the_acknowledgement_ns=sum(spent(before, acked, r["samples"]).values()),
                        samples_s=r["samples_s"], rss_MiB=rig.memory(site.collector.pid)["rss"] / 2**20, **spent(before, after, r["samples"]))
    least, biggest = min(cost), max(cost)
    if biggest < 200000:
        report.note("cpu_a_sample_growth", said=f"\"{biggest} series: what half of the free disk holds of their files\"")
    report.row(f"cpu_a_sample_growth_{least}_to_{biggest}_series", cost[biggest] / cost[least], "x", at_most=1.5)


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
    """What the collector says of itself, each second."""

    def __init__(self, site):
        self.site, self.seen, self.over = site, [], threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.over.wait(1):
            try:
                s, m = self.site.status(), rig.memory(self.site.collector.pid)
            except (OSError, ValueError, KeyError):
                continue
            self.seen.append({"at": time.monotonic(), "rss": m["anonymous"], "in_flight": s["in_flight_bytes"], "wal": s["wal_bytes"],
                              "age": max(c["age_us"] for c in s["cursors"].values()) / 1e6, "lag": max(c["lag"] for c in s["cursors"].values()),
                              "landed": s["counters"]["rrd_values_written"]})

    def stop(self):
        self.over.set()
        self.thread.join()
        return self.seen


def sustained():
    """Full speed for a tenth of the time to see what lands, then as much as lands for the rest."""
    minutes, series = rig.setting("BENCH_MINUTES", 10.0, 0.5), rig.setting("BENCH_SERIES", 20000, 2000)
    agents = max(1, series // 1000)
    rate, full = 0, {}
    for phase, seconds in (("full", max(10, minutes * 6)), ("sustained", minutes * 60)):
        with rig.Site() as site:
            site.start_collector()
            load = rig.Load(site, dict(agents=agents, series=series // agents, samples=2500, seconds=seconds, rate=rate, prime=True))
            try:
                load.wait_primed()
                site.wait_landed()
                watch = Watch(site)
                load.go()
                r = load.finish(int(seconds) + 3600)
                seen = [s for s in watch.stop()]
                at = time.monotonic()
                site.wait_landed(7200)
                behind_s = time.monotonic() - at
            finally:
                load.close()
            half = len(seen) // 2
            first, second = max(s["rss"] for s in seen[:half]), max(s["rss"] for s in seen[half:])
            landed = (seen[-1]["landed"] - seen[0]["landed"]) / (seen[-1]["at"] - seen[0]["at"])
            report.note(f"load_{phase}", samples_s=r["samples_s"], landed_s=landed, seconds=r["seconds"], complete=r["good"], lost=r.get("lost", -1),
                        oldest_s=max(s["age"] for s in seen), most_rows_behind=max(s["lag"] for s in seen), landed_after_s=behind_s,
                        most_in_flight_MiB=max(s["in_flight"] for s in seen) / 2**20, most_wal_MiB=max(s["wal"] for s in seen) / 2**20,
                        memory_first_half_MiB=first / 2**20, memory_second_half_MiB=second / 2**20)
            full[phase] = dict(r, age=max(s["age"] for s in seen), growth=second / first, in_flight=max(s["in_flight"] for s in seen))
            rate = 0.8 * landed
    r = full["sustained"]
    report.note("sustained", samples_s=r["samples_s"], goal=">=1x VictoriaMetrics' queryable rate: make bench-peers")
    report.row("sustained_projections_behind", r["age"], "s", at_most=60)
    report.row("sustained_memory_second_half_to_first", r["growth"], "x", at_most=1.1)
    report.row("sustained_in_flight", max(f["in_flight"] for f in full.values()) / 2**20, "MiB", at_most=128)
    report.row("full_load_lost", sum(f.get("lost", 0) + f["unacknowledged"] for f in full.values()), "batches", at_most=0)


PARTS = {"ingest": ingest, "batches": batches, "scale": scale, "crowd": crowd, "sustained": sustained}
