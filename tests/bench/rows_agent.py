"""Rows about the agent: what it costs the enterprise's server, and what goes over the wire."""
import os
import re
import socket
import subprocess
import threading
import time

import report
import rig

KPIS = 30


def write_agent(site, name, kpis, every):
    folder = site.path(name)
    os.mkdir(folder)
    lines = "".join(f'      - {{name: k{i}, kpi: out_units, dimension: k{i}, unit: piece, step: {every}s}}\n' for i in range(kpis))
    with open(os.path.join(folder, "figures.sh"), "w", encoding="ascii") as f:
        f.write("#!/bin/sh\n" + "".join(f"echo k{i} {i * 37 % 1000}\n" for i in range(kpis)))
    os.chmod(os.path.join(folder, "figures.sh"), 0o755)
    config = os.path.join(folder, "agent.yaml")
    with open(config, "w", encoding="utf-8") as f:
        f.write(f'collector: {{endpoint: "{site.endpoint}", key: "{site.key}"}}\nstate: {folder}/state\nsources:\n  - name: machines\n    kind: exec\n'
                f'    command: ["{folder}/figures.sh"]\n    every: {every}s\n    class: measurement\n    series:\n{lines}')
    made = subprocess.run([os.path.join(rig.BUILD, "esep-agent"), "keygen", "--config", config], capture_output=True, text=True, check=True)
    site.command("admit", f"bench/{name}", made.stdout.strip())
    return site.start(name, [os.path.join(rig.BUILD, "esep-agent"), "run", "--config", config])


def batches_of(site, name):
    return next(a["batches"] for a in site.status()["agents"] if a["resident"] == f"bench/{name}")


def traced(site, agent, seconds):
    """Syncs and bytes written to the spool's files, and batches, meanwhile."""
    out = site.path("strace")
    before = batches_of(site, "agent")
    subprocess.run(["timeout", str(seconds), "strace", "-f", "-y", "-s", "0", "-p", str(agent.pid), "-o", out,
                    "-e", "trace=fsync,fdatasync,write,pwrite64,writev,pwritev"], capture_output=True, timeout=seconds + 30, check=False)
    batches = batches_of(site, "agent") - before
    syncs = written = 0
    with open(out, encoding="utf-8", errors="replace") as f:
        for line in f:
            if "/spool" not in line:
                continue
            syncs += bool(re.search(r"\bf(data)?sync\(", line))
            wrote = re.search(r"\bp?writev?(?:64)?\(.*= (\d+)$", line.strip())
            written += int(wrote.group(1)) if wrote else 0
    return syncs, written, batches


def agent():
    seconds = rig.setting("BENCH_AGENT_S", 60, 20)
    with rig.Site() as site:
        site.start_collector()
        it = write_agent(site, "agent", KPIS, 10)
        rig.wait_for(lambda: site.status()["agents"] and batches_of(site, "agent") >= 2, 60, 0.5)
        before, at = sum(rig.threads_s(it.pid).values()), time.monotonic()
        time.sleep(seconds)
        cpu = (sum(rig.threads_s(it.pid).values()) - before) / (time.monotonic() - at) * 100
        mem = rig.memory(it.pid)
        report.note("agent", kpis=KPIS, rss_MiB=mem["rss"] / 2**20, private_MiB=mem["private"] / 2**20,
                    threads_ms=" ".join(f"{k}:{v * 1e3:.1f}" for k, v in rig.threads_s(it.pid).items()).replace(" ", ","))
        report.row("agent_private_memory", mem["private"] / 1e6, "MB", at_most=2.5)
        report.row("agent_cpu", cpu, "%", at_most=0.1)
        syncs, written, batches = traced(site, it, max(30, seconds))
        report.note("agent_spool", syncs=syncs, written=written, batches=batches)
        if batches:
            report.row("agent_syncs_a_batch", syncs / batches, "syncs", at_most=1)
            report.row("agent_written_a_batch", written / batches / 1024, "KiB", at_most=16)
        wire(site)


class Meter:
    """A proxy that counts what passes towards the collector."""

    def __init__(self, port):
        self.port, self.bytes, self.back = port, 0, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.own = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.port))
            threading.Thread(target=self.pump, args=(near, far, True), daemon=True).start()
            threading.Thread(target=self.pump, args=(far, near, False), daemon=True).start()

    def pump(self, source, target, up):
        while True:
            try:
                data = source.recv(1 << 16)
                if not data:
                    break
                target.sendall(data)
            except OSError:
                break
            if up:
                self.bytes += len(data)
            else:
                self.back += len(data)
        for s in (source, target):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def wire(site):
    """30 series, 100 samples a batch, all that goes to the collector counted: greeting, keys, declares, encryption, frames."""
    meter = Meter(site.port)
    argv = dict(agents=1, series=KPIS, samples=100, rate=20000, seconds=5, park="wire")
    straight, site.endpoint = site.endpoint, f"tcp://127.0.0.1:{meter.own}"
    try:
        r = site.load(**argv)
    finally:
        site.endpoint = straight
        meter.listener.close()
    report.note("agent_wire", samples=r["samples"], batches=r["batches"], bytes=meter.bytes, answers_bytes=meter.back, message_bytes_a_sample=r["bytes"] / r["samples"])
    report.row("agent_bytes_a_sample", meter.bytes / r["samples"], "bytes", at_most=6)


PARTS = {"agent": agent}
