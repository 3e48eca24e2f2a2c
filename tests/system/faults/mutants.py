#!/usr/bin/python3
"""Does anybody notice? Deliberate bugs, one at a time, in a copy of the tree; for each one the check that must fail.

    tests/system/faults/mutants.py [--build build/gcc] [NAME…]

A mutant is (name, file, what stands there, what it becomes, the check). One whose text is no longer there, or that the check lets
through, is an error. The copy is made anew in TMPDIR and removed; objects are taken over, so a mutant costs one compilation."""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
SIM = "make -s check-sim SEEDS=600"


def faults(parts, rounds=1.0):
    return f"FAULT_ROUNDS={rounds} make -s check-faults FAULT_ONLY='{parts}'"


def unit(part):
    return f"make -s check CHECK_ONLY={part}"


MUTANTS = [
    ("acknowledged before the sync", "lib/store/db.c", "PRAGMA synchronous=FULL; PRAGMA trusted", "PRAGMA synchronous=NORMAL;"
     " PRAGMA trusted", faults("power/power")),
    ("the spool is not synced before a batch is sent", "agent/spool.c", "    e = check_structure(db, d);",
     "    e = db_exec(db, \"PRAGMA synchronous=OFF\", d);\n    if (e == ERR_OK)\n        e = check_structure(db, d);",
     faults("power/spoolpower syncs/spoolsyncs")),
    ("a file is renamed into place unsynced", "lib/base/fs.c", "    else if (fsync_retry(fd) < 0)", "    else if (false)",
     faults("power/power crashpoints/crashpoints")),
    ("a repeat is not compared with what is stored", "lib/store/ledger.c", "        e = same ? ERR_OK : ERR_CONFLICT;",
     "        e = same || len > 0 ? ERR_OK : ERR_CONFLICT;", faults("order/order")),
    ("the gap of the quota is forgotten", "agent/spool_quota.c",
     "    return e == ERR_OK ? spool_insert_gap(s, &r->gap, d) : e;", "    return e;", faults("full/quota")),
    ("a watermark is not in its row's transaction", "lib/store/ledger_streams.c", "    if (s->dirty)\n        return;",
     "    if (s->dirty || s->now.last_sequence % 3 == 0)\n        return;", faults("kill/kill", 0.3)),
    ("counters are not in the transaction of what they count", "collector/committer.c",
     "(e = streams_store_counts(c->streams, c->o.ledger)) != ERR_OK ||", "", faults("kill/kill", 0.3)),
    ("damage to a round-robin file is not looked for", "collector/rrd_land.c",
     "    if (s->mtime_ns != 0 && stat(path, &st) == 0 && mtime_ns(&st) != s->mtime_ns)", "    if (false && stat(path, &st) == 0)",
     faults("rrd/rrdfiles")),
    ("verify does not compare the chain's hash", "lib/store/reader_verify.c",
     "    bool same = v->lost_end[c] || memcmp(hash, row->chain, HASH_BYTES) == 0;",
     "    bool same = v->lost_end[c] || hash[0] + 1 > 0;", unit("store/reader_verify")),
    ("verify goes on where pages hand out rows in another order", "lib/store/reader_verify.c",
     "    if (row.position <= v->ends.position || row.position > INT64_MAX)", "    if (row.position > INT64_MAX && row.samples > 9)",
     "timeout 400 " + unit("store/reader_verify")),
    ("a projection ignores the verdict", "lib/store/reader_samples.c",
     "        if (reader_refused(v, s.index) != WIRE_REASON_NONE || w->refused", "        if (v->next > 1u << 30 || w->refused", SIM),
    ("what was acknowledged is sent again after a Welcome", "agent/uplink_core.c", "    c->next = c->acknowledged + 1;",
     "    c->next = c->acknowledged > 5 ? c->acknowledged - 4 : c->acknowledged + 1;", faults("stopped", 0.34)),
    ("ledger.head is not written", "lib/store/ledger.c", "    enum err e = ledger_head_store(l->state, &h, d);",
     "    enum err e = l->head_measurement > 3 ? ERR_OK : ledger_head_store(l->state, &h, d);", faults("restored/restored")),
    ("the positions of sources are not stored", "agent/spool.c",
     "        e = spool_position_put(&s->tables, &c->positions[i], d);", "        e = ERR_OK;", faults("kill/agentkill", 0.34)),
    ("credit does not come back when there is room again", "collector/ingest.c",
     "c->welcomed && (changed || c->ack_owed ||", "c->welcomed && ((changed && paused) || c->ack_owed ||",
     faults("full/full")),
    ("no alarm for two connections with one key", "collector/ingest.c",
     "    collector_count(in->o.counters, COUNTER_CONNECTIONS_SUPERSEDED, 1);", "", faults("restored/cloned", 0.5)),
    ("receive times may go back", "lib/store/ledger.c", "    if (now > l->now.received_us)\n        l->now", "    l->now",
     faults("clock", 0.34)),
    ("ZMTP's heartbeats are on", "lib/net/mq.c", "        {ZMQ_TCP_KEEPALIVE, 1},",
     "        {ZMQ_TCP_KEEPALIVE, 1}, {ZMQ_HEARTBEAT_IVL, 5000}, {ZMQ_HEARTBEAT_TIMEOUT, 15000},", faults("stopped", 0.34)),
    ("a start does not wait for a reader that recovers the log", "lib/store/db.c", "        if ((rc & 0xff) != SQLITE_BUSY ||",
     "        if (rc >= 0 ||", unit("store/db_test")),
    ("of several Welcomes the last one decides", "collector/ingest_reply.c", "    c->welcomed = e == ERR_OK || c->ack_owed;",
     "    c->welcomed = e == ERR_OK;", unit("collector/ingest")),
    ("what was sent before a second Hello is not remembered", "agent/uplink_core.c",
     "    if (c->reached < c->acknowledged)\n        c->reached", "    c->reached", "make -s check-sim SEED=4151"),
]


def copy_of_tree(build):
    folder = tempfile.mkdtemp(prefix="esep-mutants-")
    for name in os.listdir(ROOT):
        if name in (".git", "build"):
            continue
        source = os.path.join(ROOT, name)
        if os.path.isdir(source):
            shutil.copytree(source, f"{folder}/{name}", symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, f"{folder}/{name}")
    if os.path.isdir(f"{ROOT}/{build}"):
        shutil.copytree(f"{ROOT}/{build}", f"{folder}/{build}", symlinks=True)
    return folder


def try_one(folder, mutant):
    """What came of it."""
    name, file, old, new, check = mutant
    path = f"{folder}/{file}"
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if text.count(old) != 1:
        return "STALE: its text is no longer there"
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace(old, new))
    try:
        built = subprocess.run("make -s", shell=True, cwd=folder, capture_output=True, text=True, check=False)
        if built.returncode != 0:
            return f"DOES NOT BUILD: {built.stderr[-400:]}"
        done = subprocess.run(check, shell=True, cwd=folder, capture_output=True, text=True, check=False, timeout=1500)
        said = [line for line in (done.stdout + done.stderr).splitlines() if "FAILED" in line]
        why = f": {said[0][:300]}" if said else ""
        return f"noticed by {check}{why}" if done.returncode != 0 else f"NOT NOTICED by {check}"
    finally:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("names", nargs="*", help="only mutants with one of these in their name")
    p.add_argument("--build", default="build/gcc")
    options = p.parse_args()
    chosen = [m for m in MUTANTS if not options.names or any(n in m[0] for n in options.names)]
    folder, bad = copy_of_tree(options.build), 0
    try:
        for mutant in chosen:
            begun = time.monotonic()
            result = try_one(folder, mutant)
            bad += not result.startswith("noticed")
            print(f"{mutant[0]}: {result} ({time.monotonic() - begun:.0f} s)", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"mutants: tried={len(chosen)} noticed={len(chosen) - bad}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
