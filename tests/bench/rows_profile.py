"""Where the time of a sample goes: CPU by thread (from the scheduler, exact), divided among kinds of work by sampled symbols (perf's
cpu-clock; no figures where perf is not there). Notes only."""
import collections
import re
import shutil
import subprocess
import time

import report
import rig
import rows_files

# The first that matches "library symbol" names the work; the kernel's is called [kernel].
KINDS = [("encrypt_and_hash", r"^libsodium"),
         ("zeromq", r"^libzmq"),
         ("sqlite", r"^libsqlite"),
         ("librrd", r"^librrd"),
         ("codec", r"^libprotobuf|wire_|codec|varint|figures?_|decode"),
         ("verdict", r"verdict|find_series|declared"),
         ("observe", r"observ|totals|tally|take_sample|id_table|sums_"),
         ("round_robin", r"rrd_"),
         ("read", r"reader_|points_|sort|compare"),
         ("sync", r"kernel.*(sync|jbd2|blk|bio|virt|iowrite|vring|queue_rq|plug)"),
         ("network", r"kernel.*(tcp|inet|ip_|sock|skb|epoll|eventfd|loopback|netif|net_|csum|softirq|nf_|fib_)"),
         ("files", r"kernel.*(ext4|vfs|page|filemap|folio|map|fault|open|close|stat|path|d_lookup|lookup|copy|pread|pwrite|block_|write|read|zap|tlb|inode|lru|xas|strncpy|namei|fput|clear_)"),
         ("waiting", r"kernel.*(futex|poll|sched|wake|switch|spin|timer|clock|rcu|idle|irq|entry|exit)"),
         ("kernel", r"kernel"),
         ("libc", r"^libc|^ld-|vdso")]


def kind_of(library, symbol):
    name = f"{library.strip('[]')} {symbol}"
    return next((kind for kind, pattern in KINDS if re.search(pattern, name)), "own")


def record(pids, seconds, out):
    subprocess.run(["timeout", str(seconds + 20), "perf", "record", "-q", "-e", "cpu-clock", "-F", "997", "-o", out, "-p", ",".join(map(str, pids)), "--",
                    "sleep", str(seconds)], capture_output=True, timeout=seconds + 40, check=False)


def sampled(out):
    """{(comm, kind): samples}, and the commonest symbols of each thread."""
    text = subprocess.run(["timeout", "120", "perf", "report", "-i", out, "--stdio", "-q", "--sort", "comm,dso,sym", "-F", "sample,comm,dso,sym"], capture_output=True, text=True,
                          errors="replace", timeout=130, check=False).stdout
    counts, top = collections.Counter(), collections.defaultdict(collections.Counter)
    for line in text.splitlines():
        found = re.match(r"\s*(\d+)\s+(\S+)\s+(\S+)\s+\[.\]\s+(\S+)", line)
        if found:
            n, comm, library, symbol = found.groups()
            comm = re.sub(r"/\d+$", "", comm)
            counts[comm, kind_of(library, symbol)] += int(n)
            top[comm][symbol if not symbol.startswith("0x") else library] += int(n)
    return counts, top


# In the order of a sample's way. Names of libzmq's threads are the same in both programs: their symbols are counted together.
STAGES = [("source_and_encode", "load", "load"), ("encrypt_and_send", "load", "ZMQbg/IO"), ("receive_and_decrypt", "collector", "ZMQbg/IO"),
          ("decode", "collector", "ingest"), ("verdict_chain_and_commit", "collector", "committer"), ("observe", "collector", "observer"),
          ("land", "collector", "rrd")]


def profile():
    """Nanoseconds of CPU a sample at each stage, and by kind of work within it."""
    series, seconds = rows_files.series_that_fit(min(4000, rig.setting("BENCH_SERIES", 20000, 2000))), rig.setting("BENCH_SECONDS", 10, 5)
    for samples in (2500, 100):
        with rig.Site() as site:
            site.start_collector()
            load = rig.Load(site, dict(agents=max(1, series // 1000), series=min(series, 1000), samples=samples, seconds=seconds, prime=True, no_ledger=True))
            try:
                load.wait_primed()
                site.wait_quiet()
                ns, counts, top = measured(site, load, max(2, seconds - 2))
                load.finish()
            finally:
                load.close()
            for stage, who, thread in STAGES:
                whole = sum(c for (comm, _), c in counts.items() if comm == thread) or 1
                cost = ns.pop((who, thread), 0.0)
                parts = {kind: cost * c / whole for (comm, kind), c in sorted(counts.items(), key=lambda x: -x[1]) if comm == thread and c / whole > 0.02}
                report.note(f"profile samples_a_batch={samples} {stage} {who}/{thread}", ns_a_sample=cost, **parts)
                if thread in top:
                    print("note   " + " ".join(f"{symbol}:{100 * c / whole:.0f}%" for symbol, c in top[thread].most_common(9)), flush=True)
            report.note(f"profile samples_a_batch={samples} the_rest", **{f"{who}/{thread}_ns": v for (who, thread), v in ns.items() if v >= 0.5})


def measured(site, load, seconds):
    """{(program, thread): ns a sample}, and what perf has seen, over so many seconds of full speed."""
    pids = {"load": load.process.pid, "collector": site.collector.pid}
    before, counters = {who: rig.threads_s(pid) for who, pid in pids.items()}, site.status()["counters"]
    load.go()
    if shutil.which("perf"):
        record(pids.values(), seconds, site.path("perf.data"))
    else:
        time.sleep(seconds)
    # What was accepted by now stands for what was made by now: in flight is little beside it. A value's way into its file is the writer's, which
    # is behind when more comes than lands.
    after, now = {who: rig.threads_s(pid) for who, pid in pids.items()}, site.status()["counters"]
    accepted, landed = (max(1, now[k] - counters[k]) for k in ("samples_accepted", "rrd_values_written"))
    ns = {(who, thread): (s - before[who].get(thread, 0)) / (landed if thread == "rrd" else accepted) * 1e9 for who in pids for thread, s in after[who].items()}
    return (ns, *sampled(site.path("perf.data"))) if shutil.which("perf") else (ns, collections.Counter(), {})


PARTS = {"profile": profile}
