"""Rows about round-robin files: landing, rebuilding, and starting with a large ledger; each beside librrd alone."""
import json
import os
import shutil
import subprocess
import time

import report
import rig

STEP = 10


def file_bytes(short=False):
    with rig.Place() as place:
        rig.tool("bare_rrd-short" if short else "bare_rrd", "--folder", place.folder, "--series", 64, "--step", STEP, "--create")
        return place.bytes() / 64


def series_that_fit(wanted, short=False, times=1):
    """As many series as half of the free disk (BENCH_DISK_GB) holds files of, so many times."""
    room = rig.setting("BENCH_DISK_GB", shutil.disk_usage(rig.BASE).free / 2 / 1e9, 4.0) * 1e9
    fit = int(min(wanted, room / times / file_bytes(short)))
    return fit // 1000 * 1000 if fit > 1000 else fit


class Bare:
    """librrd alone over files of its own, a turn at a time."""

    def __init__(self, place, series, values):
        self.error = open(place.path("bare.log"), "w+", encoding="utf-8")
        argv = [os.path.join(rig.BUILD, "bare_rrd"), "--folder", place.path("bare"), "--series", series, "--values", values, "--visit", 100,
                "--step", STEP, "--turns"]
        self.process = subprocess.Popen(rig.PINNED + [str(a) for a in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.error, text=True)
        rig.wait_for(lambda: self.said() or self.process.poll() is not None, 1800)
        if "made" not in self.said():
            raise RuntimeError(f"bare_rrd: {self.said()}")

    def said(self):
        self.error.seek(0)
        return self.error.read()

    def turn(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"bare_rrd: {self.said()}")
        return json.loads(line)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.error.close()


def landing():
    """What lands when nothing more comes: the backlog that a flood has left, until the last value is in its file. Files are made once;
    then in turn a flood and its landing, and as many values by librrd alone."""
    series, values = series_that_fit(rig.setting("BENCH_SERIES", 20000, 2000), times=1.4), rig.setting("BENCH_VALUES", 400)
    agents, seconds = max(1, series // 1000), max(0.2, series * values / 2.5e6)
    rates, bares = [], []
    with rig.Site() as site, rig.Place() as place:
        site.start_collector()
        load = rig.Load(site, dict(agents=agents, series=series // agents, samples=2500, prime=True, no_ledger=True, step=STEP,
                                   days=rig.days(6 * values)))
        bare = None
        try:
            load.wait_primed()
            rig.say(f"{series} files are being made, twice")
            site.wait_landed()
            bare = Bare(place, series, values)
            site.wait_quiet()
            for n in rig.rounds(0.4):
                load.go(seconds, 0)
                load.wait_acknowledged(n + 1)
                rates.append(one_landing(site, series))
                b = bare.turn()
                bares.append(b["values_s"])
                report.note("bare_librrd", series=series, values_s=b["values_s"], cpu_ns_a_value=b["update_cpu_s"] / b["values"] * 1e9,
                            create_ms_a_file=b["create_s"] / b["files"] * 1e3)
            load.finish()
        finally:
            load.close()
            if bare:
                bare.close()
    report.note("landed_median", values_s=rig.median(rates), bare_librrd_values_s=rig.median(bares))
    report.row("landed_to_bare_librrd", rig.median([a / b for a, b in zip(rates, bares)]), "x", at_least=0.9)


def one_landing(site, series):
    """Values a second from now until nothing is left to land."""
    at, before, cpu = time.monotonic(), site.status()["counters"], rig.threads_s(site.collector.pid)
    site.wait_landed()
    took, after, now = time.monotonic() - at, site.status()["counters"], rig.threads_s(site.collector.pid)
    landed, visits = (after[k] - before[k] for k in ("rrd_values_written", "rrd_file_visits"))
    report.note("landed", series=series, values=landed, values_a_visit=landed / max(1, visits), seconds=took, values_s=landed / took,
                **{f"{k}_ns_a_value": (now[k] - cpu.get(k, 0)) / max(1, landed) * 1e9 for k in now if now[k] - cpu.get(k, 0) > 0.01})
    return landed / took


def rebuild():
    """All files made again from the ledger, beside librrd making and filling as many."""
    series, values = series_that_fit(rig.setting("BENCH_REBUILD_SERIES", 2000, 500)), rig.setting("BENCH_REBUILD_VALUES", 500)
    agents, ratios = max(1, series // 1000), []
    with rig.Site() as site:
        site.start_collector()
        load = rig.Load(site, dict(agents=agents, series=series // agents, samples=2500, seconds=max(0.2, series * values / 2.5e6), prime=True,
                                   no_ledger=True, step=STEP, days=rig.days(4 * values)))
        try:
            load.wait_primed()
            load.go()
            total = load.finish()["samples"] + series
        finally:
            load.close()
        site.wait_quiet()
        for _ in rig.rounds(0.25):
            at, cpu = time.monotonic(), rig.threads_s(site.collector.pid)
            site.command("rebuild")
            site.wait_landed()
            took, now = time.monotonic() - at, rig.threads_s(site.collector.pid)
            with rig.Place() as place:
                b = rig.tool("bare_rrd", "--folder", place.folder, "--series", series, "--values", max(1, round(total / series)), "--visit", 100, "--step", STEP)
            ratios.append(total / took / b["all_values_s"])
            report.note("rebuilt", series=series, values=total, seconds=took, values_s=total / took, bare_librrd_values_s=b["all_values_s"],
                        **{f"{k}_ns_a_value": (now[k] - cpu.get(k, 0)) / total * 1e9 for k in now if now[k] - cpu.get(k, 0) > 0.01})
    report.row("rebuild_to_bare_librrd", rig.median(ratios), "x", at_least=0.8)


def ledger_bytes(site):
    return os.path.getsize(os.path.join(site.state, "ledger.sqlite"))


def fill(site, want):
    """A ledger of so many bytes by its own way in; samples with long notes beside them, for figures alone take minutes a gigabyte."""
    load = rig.Load(site, dict(agents=20, series=5, samples=50, reason=255, prime=True, no_ledger=True))
    try:
        load.wait_primed()
        at, turns = time.monotonic(), 0
        while ledger_bytes(site) < want and time.monotonic() - at < rig.setting("BENCH_FILL_S", 300, 30):
            load.go(5, 0)
            turns += 1
            load.wait_acknowledged(turns)
            rig.say(f"ledger of {ledger_bytes(site) / 1e9:.2f} GB")
        took, r = time.monotonic() - at, load.finish()
    finally:
        load.close()
    report.note("ledger_filled", GB=ledger_bytes(site) / 1e9, seconds=took, batches=r["batches"], samples=r["samples"], complete=r["good"])
    site.wait_landed()


def start():
    """Accepting again with a large ledger: after a clean stop, and after a kill. From the start of the process to an open port, and to
    the first acknowledgement of an agent that comes then."""
    room = rig.setting("BENCH_DISK_GB", shutil.disk_usage(rig.BASE).free / 3 / 1e9, 4.0)
    with rig.Site() as site:
        site.start_collector()
        fill(site, min(rig.setting("BENCH_LEDGER_GB", 5.0, 0.2), room) * 1e9)
        worst = 0.0
        for n in rig.rounds(0.1):
            for how, number in (("kill", 9), ("stop", 15)):
                if how == "kill":
                    load = rig.Load(site, dict(agents=5, series=5, samples=1000, seconds=3, patience=0.1, park=f"last{n}", no_ledger=True))
                    time.sleep(1.5)
                site.collector.stop(number, 120)
                if how == "kill":
                    load.close()
                at = time.monotonic()
                site.start_collector()
                took = time.monotonic() - at
                r = site.load(agents=1, series=1, samples=1, seconds=0.1, park=f"after-{how}{n}", no_ledger=True)
                worst = max(worst, took)
                report.note("accepting_again", after=how, ledger_GB=ledger_bytes(site) / 1e9, seconds=took, first_acknowledgement_s=time.monotonic() - at,
                            complete=r["good"])
        report.row(f"accepting_again_with_{ledger_bytes(site) / 1e9:.1f}_GB", worst, "s", at_most=2)


PARTS = {"landing": landing, "rebuild": rebuild, "start": start}
