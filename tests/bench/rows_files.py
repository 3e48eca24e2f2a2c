"""Rows about round-robin files: landing, rebuilding, and starting with a large ledger; each beside librrd alone."""
import os
import shutil
import time

import report
import rig

STEP = 10


def file_bytes():
    with rig.Place() as place:
        rig.tool("bare_rrd", "--folder", place.folder, "--series", 4, "--step", STEP, "--create")
        return place.bytes() / 4


def series_that_fit(wanted):
    """As many series as half of the free disk (BENCH_DISK_GB) holds files of."""
    with rig.Place() as place:
        free = shutil.disk_usage(place.folder).free
    room = rig.setting("BENCH_DISK_GB", free / 2 / 1e9, 4.0) * 1e9
    fit = int(min(wanted, room / file_bytes()))
    return fit // 1000 * 1000 if fit > 1000 else fit


def bare(series, values):
    with rig.Place() as place:
        return rig.tool("bare_rrd", "--folder", place.folder, "--series", series, "--values", values, "--visit", 100, "--step", STEP)


def flood(site, series, values):
    """A ledger with about so many values a series that are not landed yet, of files that are there; the load's figures."""
    agents = max(1, series // 1000)
    load = rig.Load(site, dict(agents=agents, series=series // agents, samples=2500, seconds=max(0.2, series * values / 2.5e6), prime=True,
                               no_ledger=True, step=STEP))
    try:
        load.wait_primed()
        rig.say(f"{series} files are being made")
        site.wait_landed()
        load.go()
        return load.finish()
    finally:
        load.close()


def landing():
    """What lands when nothing more comes: the backlog that a flood has left, until the last value is in its file."""
    series, values = series_that_fit(rig.setting("BENCH_SERIES", 20000, 2000)), rig.setting("BENCH_VALUES", 400)
    rates, bares, bare_cpu = [], [], []
    for _ in range(rig.setting("BENCH_ROUNDS", 3, 1)):
        with rig.Site() as site:
            site.start_collector()
            flood(site, series, values)
            at, before = time.monotonic(), site.status()["counters"]
            cpu = rig.threads_s(site.collector.pid)
            site.wait_landed()
            took, after = time.monotonic() - at, site.status()["counters"]
            now = rig.threads_s(site.collector.pid)
            landed, visits = (after[k] - before[k] for k in ("rrd_values_written", "rrd_file_visits"))
            rates.append(landed / took)
            report.note("landed", series=series, values=landed, values_a_visit=landed / max(1, visits), seconds=took, values_s=landed / took,
                        **{f"{k}_ns_a_value": (now[k] - cpu.get(k, 0)) / landed * 1e9 for k in now if now[k] - cpu.get(k, 0) > 0.01})
        b = bare(series, values)
        bares.append(b["values_s"])
        bare_cpu.append(b["update_cpu_s"] / b["values"] * 1e9)
        report.note("bare_librrd", series=series, values_s=b["values_s"], cpu_ns_a_value=bare_cpu[-1], create_ms_a_file=b["create_s"] / b["files"] * 1e3)
    report.note("landed_median", values_s=rig.median(rates), bare_librrd_values_s=rig.median(bares))
    report.row("landed_to_bare_librrd", rig.median([a / b for a, b in zip(rates, bares)]), "x", at_least=0.9)


def rebuild():
    """All files made again from the ledger, beside librrd making and filling as many."""
    series, values = series_that_fit(rig.setting("BENCH_REBUILD_SERIES", 2000, 500)), rig.setting("BENCH_REBUILD_VALUES", 500)
    ratios = []
    for _ in range(rig.setting("BENCH_ROUNDS", 3, 1)):
        with rig.Site() as site:
            site.start_collector()
            r = flood(site, series, values)
            site.wait_landed()
            total = r["samples"] + series
            at = time.monotonic()
            site.command("rebuild")
            site.wait_landed()
            took = time.monotonic() - at
        b = bare(series, max(1, round(total / series)))
        ratios.append(total / took / b["all_values_s"])
        report.note("rebuilt", series=series, values=total, seconds=took, values_s=total / took, bare_librrd_values_s=b["all_values_s"])
    report.row("rebuild_to_bare_librrd", rig.median(ratios), "x", at_least=0.8)


def ledger_bytes(site):
    return os.path.getsize(os.path.join(site.state, "ledger.sqlite"))


def start():
    """Accepting again with a large ledger: after a clean stop, and after a kill. From the start of the process to an open port, and to
    the first acknowledgement of an agent that comes then."""
    want = rig.setting("BENCH_LEDGER_GB", 1.0, 0.2) * 1e9
    with rig.Site() as site:
        site.start_collector()
        while ledger_bytes(site) < want:
            part = f"bench{ledger_bytes(site)}"
            site.load(agents=20, series=5, samples=2500, seconds=20 if want > 5e8 else 5, park=part, no_ledger=True)
            rig.say(f"ledger of {ledger_bytes(site) / 1e9:.2f} GB")
        worst = 0.0
        for how, number in (("kill", 9), ("stop", 15)):
            if how == "kill":
                load = rig.Load(site, dict(agents=5, series=5, samples=1000, seconds=3, patience=0.1, park="last", no_ledger=True))
                time.sleep(1.5)
            site.collector.stop(number, 120)
            if how == "kill":
                load.close()
            at = time.monotonic()
            site.start_collector()
            took = time.monotonic() - at
            r = site.load(agents=1, series=1, samples=1, seconds=0.1, park=f"after-{how}", no_ledger=True)
            worst = max(worst, took)
            report.note("accepting_again", after=how, ledger_GB=ledger_bytes(site) / 1e9, seconds=took, first_acknowledgement_s=time.monotonic() - at,
                        complete=r["good"])
        report.row(f"accepting_again_with_{ledger_bytes(site) / 1e9:.1f}_GB", worst, "s", at_most=2)


PARTS = {"landing": landing, "rebuild": rebuild, "start": start}
