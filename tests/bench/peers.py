#!/usr/bin/python3
"""The same work on ours and on others', in one run, pinned alike, several rounds in turn: a line `peer NAME WORK ratio=OURS/THEIRS …` for
each and a table. BENCH_ONLY=name takes one of them; README.md says how each is used."""
import json
import os
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peer_programs  # noqa: E402
import peer_work  # noqa: E402
import report  # noqa: E402
import rig  # noqa: E402
import rows_files  # noqa: E402
import rows_ingest  # noqa: E402


def ours(series, samples):
    """The same number of series and about as many samples, from agents over CURVE, each batch synced before its acknowledgement."""
    agents = max(1, series // 1000)
    with rig.Site() as site:
        site.start_collector()
        load = rig.Load(site, dict(agents=agents, series=series // agents, samples=2500, seconds=max(2, samples / 2.5e6), prime=True, days=rig.days(4e6 * max(2, samples / 2.5e6) / series)))
        try:
            load.wait_primed()
            site.wait_quiet()
            cpu, at = rig.cpu_s(site.collector.pid), time.monotonic()
            load.go()
            seen = {}

            def behind(name):
                return site.status()["cursors"][name]["lag"]
            rig.wait_for(lambda: load.process.poll() is not None or "acknowledged" in load.said(), 600)
            accepted_cpu, acknowledged = rig.cpu_s(site.collector.pid) - cpu, site.status()["position"]
            for name in ("observations", "rrd"):
                rig.wait_for(lambda name=name: behind(name) == 0, 1800, 0.05)
                seen[name] = time.monotonic() - at, rig.cpu_s(site.collector.pid) - cpu
            site.wait_landed()
            r = load.finish()
            if not r["good"] or acknowledged == 0:
                raise RuntimeError(f"ours is not complete: {r}")
        finally:
            load.close()
        memory = rig.memory(site.collector.pid)["peak"]
        ledger = sum(os.path.getsize(os.path.join(site.state, f)) for f in os.listdir(site.state) if f.startswith(("ledger", "observations")))
        files = site.bytes("state", "rrd")
        n = r["samples"]
        return {"accepted": peer_programs.figure(r["samples_s"], n, accepted_cpu, memory, ledger),
                "queryable": peer_programs.figure(n / seen["observations"][0], n, seen["observations"][1], memory, ledger),
                "landed": peer_programs.figure(n / max(s[0] for s in seen.values()), n, max(s[1] for s in seen.values()), memory, ledger + files)}


class Contest:
    def __init__(self):
        series = rows_files.series_that_fit(rig.setting("BENCH_SERIES", 20000, 2000))
        self.work = peer_work.Work(series, rig.setting("BENCH_PEER_VALUES", 400, 200))
        # To files, by the slower ones: fewer values, for theirs are the minutes.
        self.small = peer_work.Work(series, rig.setting("BENCH_PEER_FILE_VALUES", 30, 30))
        self.found = {}  # (who, way, work) → rounds
        self.ours = []

    def take(self, name, way, result):
        for what, f in result.items():
            self.found.setdefault((name, way, what), []).append(f)
            report.note(f"round {name} {way} {what}", rate=f["rate"], cpu_us_a_sample=f["cpu_s"] / f["samples"] * 1e6)

    def sustained(self):
        """Samples a second, every projection following and all queried back, and for how many minutes: what `make bench` of this commit
        has found, else for BENCH_PEER_MINUTES now."""
        figures = rows_ingest.kept()
        if not figures:
            rows_ingest.sustain(rig.setting("BENCH_PEER_MINUTES", 2.0, 0.2))
            with open(os.path.join(rig.BUILD, "bench.json"), encoding="utf-8") as f:
                figures = json.load(f)
        good = figures["behind_s"] <= 60 and figures["wrong"] == 0
        report.note("sustained", **figures)
        return figures["samples_s"] if good else 0.0, figures["minutes"]

    def entrants(self):
        """(name, way, function, work, bodies); way None: the function returns the figures of several."""
        work, small = self.work, self.small
        import snappy
        http = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"}

        made = {}  # of all rounds: they take as long to make as to send

        def bodies(make, which, *arguments, **more):
            def ready():
                key = make, which, arguments
                if key not in made:
                    made[key] = {"first": make(which, True, *arguments), "rest": make(which, False, *arguments)}
                return dict(made[key], **more)
            return ready
        p, one, twenty = peer_programs, bodies(peer_work.rrdcached, work, 1), bodies(peer_work.rrdcached, work.later(), 20)
        return [("victoria-metrics", "text", p.victoria_metrics, work, bodies(peer_work.text, work, path="/api/v1/import/prometheus", headers={})),
                ("victoria-metrics", "json-lines", p.victoria_metrics, work, bodies(peer_work.json_lines, work, path="/api/v1/import", headers={})),
                ("victoria-metrics", "remote-write", p.victoria_metrics, work,
                 bodies(peer_work.remote_write, work, snappy.compress, path="/api/v1/write", headers=http)),
                ("prometheus", "remote-write", p.prometheus, work, bodies(peer_work.remote_write, work, snappy.compress, headers=http)),
                ("rrdcached", None, p.rrdcached, work, lambda: {"batch-of-1": one(), "batch-of-20": twenty()}),
                ("collectd", "network", p.collectd, small, bodies(peer_work.collectd, small)),
                ("graphite-carbon", "pickle", p.carbon, small, bodies(peer_work.carbon, small))]

    def run(self, only):
        entrants = [e for e in self.entrants() if only in e[0]]
        for n in rig.rounds():
            rig.say(f"round {n + 1}: ours")
            self.take("esep", "curve", ours(self.work.series, self.work.samples))
            for name, way, function, work, make in entrants:
                rig.say(f"round {n + 1}: {name} {way or ''}")
                try:
                    result = function(work, make())
                    for each, figures in ({way: result} if way else result).items():
                        self.take(name, each, figures)
                except (OSError, RuntimeError, TimeoutError, ValueError, KeyError, ImportError) as e:
                    traceback.print_exc()
                    print(f"note {name} {way or ''} not measured: {type(e).__name__}: {e}", flush=True)


def middle(rounds, key):
    return rig.median([key(f) for f in rounds])


def per_cpu(f):
    return f["samples"] / max(f["cpu_s"], 0.01)


def rate(f):
    return f["rate"]


# Of theirs: (the line's name, what of ours it is held against, by what).
WORKS = {"accepted": [("accepted", "accepted", rate)],
         "queryable": [("queryable", "queryable", rate), ("queryable_to_our_files_and_figures", "landed", rate)],
         "landed": [("landed", "landed", rate), ("landed_per_cpu_second", "landed", per_cpu)]}


GOALS = {("victoria-metrics", "accepted"): 3, ("rrdcached", "accepted"): 3, ("victoria-metrics", "sustained"): 1, ("collectd", "landed_per_cpu_second"): 20}


def lines(found, sustained):
    """One for each of the others' works."""
    table = []
    for (name, way, what), theirs in found.items():
        if name == "esep":
            continue
        for kind, of_ours, key in WORKS[what]:
            a, b = middle(found["esep", "curve", of_ours], key), middle(theirs, key)
            cpu, memory, disk = (middle(theirs, lambda f, k=k: f[k]) for k in ("cpu_s", "memory", "disk"))
            scale = middle(theirs, lambda f: f["samples"])
            table.append((name, kind, way, a / b, a, b, cpu / scale * 1e6, memory / 2**20, disk / 2**20))
        if sustained is not None and what == "queryable":
            table.append((name, "sustained", way, sustained / middle(theirs, rate), sustained, middle(theirs, rate), *table[-1][6:]))
    return table


def verdict(name, what, ratio):
    goal = GOALS.get((name, what))
    return "" if goal is None else f" goal=>={goal} {'met' if ratio >= goal else 'short'}"


def main():
    only = os.environ.get("BENCH_ONLY", "")
    rig.begin()
    print(f"note machine {rig.machine()}", flush=True)
    contest = Contest()
    print(f"note work series={contest.work.series} values={contest.work.values} values_to_slow_files={contest.small.values}", flush=True)
    begun, sustained, minutes = time.monotonic(), None, 0
    if only in "victoria-metrics" or only in "prometheus":
        sustained, minutes = contest.sustained()
        print(f"note sustained_is_of minutes={minutes:g}", flush=True)
    rig.for_rounds_s = max(0.0, rig.setting("BENCH_BUDGET_MIN", 30.0) * 60 - (time.monotonic() - begun))
    contest.run(only)
    table = lines(contest.found, sustained)
    for name, what, way, ratio, a, b, cpu, memory, disk in table:
        print(f"peer {name} {what}/{way} ratio={ratio:.2f}{verdict(name, what, ratio)} ours={a:.0f}/s theirs={b:.0f}/s cpu_s={cpu:.3f}/M "
              f"memory={memory:.0f}MiB disk={disk:.0f}MiB", flush=True)
    print(f"\n{'':17}{'':14}{'':36}{'ours':>12}{'theirs':>12}{'ratio':>8}{'CPU s/M':>9}{'MiB':>7}{'disk MiB':>10}")
    for (_, way, what), f in ((k, v) for k, v in contest.found.items() if k[0] == "esep"):
        print(f"{'esep':17}{way:14}{what:36}{middle(f, lambda x: x['rate']):12.0f}{'':12}{'':8}{middle(f, lambda x: x['cpu_s'] / x['samples']) * 1e6:9.3f}"
              f"{middle(f, lambda x: x['memory']) / 2**20:7.0f}{middle(f, lambda x: x['disk']) / 2**20:10.0f}")
    for name, what, way, ratio, a, b, cpu, memory, disk in table:
        print(f"{name:17}{way:14}{what:36}{a:12.0f}{b:12.0f}{ratio:8.2f}{cpu:9.3f}{memory:7.0f}{disk:10.0f}")
    return 0 if table else 1


if __name__ == "__main__":
    sys.exit(main())
