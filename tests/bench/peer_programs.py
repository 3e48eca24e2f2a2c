"""The others, each as its users run it: from Debian's packages, unpacked under build/peers, state in a temporary folder. Every measure is a
dict: rate (samples a second), samples, cpu_s (of the server, for these samples), memory (peak), disk."""
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

import peer_work
import rig

PEERS = os.path.abspath(os.path.join(rig.ROOT, "build", "peers"))
PYTHON = os.path.join(PEERS, "usr", "lib", "python3", "dist-packages")
LISTENERS = 2  # connections that send at once


def program(name):
    return os.path.join(PEERS, "usr", name)


def answers(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def figure(rate, samples, cpu_s, memory, disk):
    return {"rate": rate, "samples": samples, "cpu_s": cpu_s, "memory": memory, "disk": disk}


# ---- over HTTP

def post_all(port, path, bodies, headers):
    """All bodies in turn over a few connections; body i goes over connection i % LISTENERS."""
    failed = []

    def run(share):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        try:
            for body in share:
                client.request("POST", path, body=body, headers=headers)
                answer = client.getresponse()
                text = answer.read()
                if answer.status // 100 != 2:
                    failed.append(f"{answer.status} {text[:200]}")
                    return
        except (OSError, http.client.HTTPException) as e:
            failed.append(repr(e))
    threads = [threading.Thread(target=run, args=(bodies[i::LISTENERS],)) for i in range(LISTENERS)]
    at = time.monotonic()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failed:
        raise RuntimeError(f"{path}: {failed[0]}")
    return time.monotonic() - at


def count(port, work):
    """How many samples a query finds."""
    end = work.time(work.values)
    query = f'sum(count_over_time({{resident=~"load-.*"}}[{(work.values + 20) * peer_work.STEP}s]))'
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    client.request("GET", f"/api/v1/query?{urllib.parse.urlencode({'query': query, 'time': end + 1})}")
    answer = client.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"query: {answer.status} {body[:300]}")
    found = json.loads(body)["data"]["result"]
    return int(float(found[0]["value"][1])) if found else 0


def over_http(place, it, port, path, first, bodies, headers, work, flush):
    """{accepted, queryable}: until the last answer; until a query finds all."""
    post_all(port, path, first, headers)
    flush()
    rig.wait_for(lambda: count(port, work) == work.series, 60, 0.2)
    begun, cpu = time.monotonic(), rig.cpu_s(it.pid)
    took = post_all(port, path, bodies, headers)
    accepted_cpu = rig.cpu_s(it.pid) - cpu
    asked = 0.0

    def all_there():
        nonlocal asked
        at = time.monotonic()
        found = count(port, work)
        asked = time.monotonic() - at
        return found == work.samples + work.series
    rig.wait_for(all_there, 120, 0.1)
    there = time.monotonic() - begun - asked  # the time that the counting itself took is not theirs
    cpu, memory = rig.cpu_s(it.pid) - cpu, rig.memory(it.pid)["peak"]
    flush()
    time.sleep(1)
    disk = place.bytes("data")
    return {"accepted": figure(work.samples / took, work.samples, accepted_cpu, memory, disk),
            "queryable": figure(work.samples / there, work.samples, cpu, memory, disk)}


def victoria_metrics(work, bodies):
    with rig.Place() as place:
        port = rig.free_port()
        it = place.start("victoria-metrics", [program("bin/victoria-metrics"), f"-storageDataPath={place.path('data')}", f"-httpListenAddr=127.0.0.1:{port}"])
        rig.wait_for(lambda: answers(port), 30)

        def flush():
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            client.request("GET", "/internal/force_flush")
            client.getresponse().read()
        return over_http(place, it, port, bodies["path"], bodies["first"], bodies["rest"], bodies["headers"], work, flush)


def prometheus(work, bodies):
    with rig.Place() as place:
        port = rig.free_port()
        with open(place.path("prometheus.yml"), "w", encoding="ascii") as f:
            f.write("global: {scrape_interval: 1m}\n")
        it = place.start("prometheus", [program("bin/prometheus"), f"--config.file={place.path('prometheus.yml')}", f"--storage.tsdb.path={place.path('data')}",
                                        f"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver"])

        def ready():
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            client.request("GET", "/-/ready")
            return client.getresponse().status == 200
        rig.wait_for(lambda: answers(port) and ready(), 60)
        return over_http(place, it, port, "/api/v1/write", bodies["first"], bodies["rest"], bodies["headers"], work, lambda: None)


# ---- into round-robin files

def make_files(place, work):
    """Begun right before the first value: a gap would have librrd rewrite every archive with the first one."""
    with open(place.path("names"), "w", encoding="ascii") as f:
        for n in range(work.series):
            f.write(peer_work.file_name(work, n) + "\n")
    rig.tool("bare_rrd", "--folder", place.path("data"), "--series", work.series, "--step", peer_work.STEP, "--begin", work.time(-1), "--names", place.path("names"), "--create")
    subprocess.run(["sync", "-f", place.path("data")], check=False)


def landed_share(place, work):
    """Of a sample of the files, how many of the values are there."""
    import rrdtool
    found = wanted = 0
    for n in range(0, work.series, max(1, work.series // 100)):
        _, _, rows = rrdtool.fetch(place.path("data", peer_work.file_name(work, n)), "AVERAGE", "-s", str(work.time(0)), "-e", str(work.time(work.values)), "-r", "10")
        found += sum(1 for row in rows if row[0] is not None)
        wanted += work.values
    return min(1.0, found / wanted)


class Cached:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def ask(self, line):
        self.socket.sendall(line.encode() + b"\n")
        head = self.file.readline().decode()
        return [self.file.readline().decode().strip() for _ in range(max(0, int(head.split()[0])))] if head else []

    def batch(self, body):
        self.socket.sendall(body)
        self.file.readline()  # go ahead
        errors = int(self.file.readline().split()[0])
        if errors:
            raise RuntimeError(f"rrdcached: {errors} errors: {self.file.readline()}")

    def stats(self):
        return {k: int(v) for k, v in (line.split(": ") for line in self.ask("STATS"))}


def rrdcached(work, ways):
    """Accepted: when the last BATCH is answered (the journal is written, not synced). Landed: when FLUSHALL has emptied the queue. {way:
    figures}; the ways follow each other in the same files, each with its own times."""
    with rig.Place() as place:
        make_files(place, work)
        os.mkdir(place.path("journal"))
        it = place.start("rrdcached", [program("bin/rrdcached"), "-g", "-l", f"unix:{place.path('socket')}", "-b", place.path("data"), "-B", "-R",
                                       "-j", place.path("journal"), "-p", place.path("pid"), "-w", "1800", "-z", "1800", "-t", "4"])
        rig.wait_for(lambda: os.path.exists(place.path("socket")), 30)
        return {way: one_way(place, it, Cached(place.path("socket")), work, bodies) for way, bodies in ways.items()}


def one_way(place, it, client, work, bodies):
    for body in bodies["first"]:
        client.batch(body)
    before, cpu, at = client.stats(), rig.cpu_s(it.pid), time.monotonic()
    for body in bodies["rest"]:
        client.batch(body)
    took, accepted_cpu = time.monotonic() - at, rig.cpu_s(it.pid) - cpu
    journal = place.bytes("journal")
    client.ask("FLUSHALL")

    def written():
        return client.stats()["DataSetsWritten"] - before["DataSetsWritten"] >= work.samples
    rig.wait_for(written, 1800, 0.05)
    landed = time.monotonic() - at
    cpu, memory = rig.cpu_s(it.pid) - cpu, rig.memory(it.pid)["peak"]
    return {"accepted": figure(work.samples / took, work.samples, accepted_cpu, memory, journal),
            "landed": figure(work.samples / landed, work.samples, cpu, memory, place.bytes("data"))}


def collectd(work, bodies):
    """Landed: until it has ended, which writes all that it holds. The datagrams are paced so that none is lost."""
    with rig.Place() as place:
        make_files(place, work)
        port = rig.free_port()
        with open(place.path("types.db"), "w", encoding="ascii") as f:
            f.write("esep v:GAUGE:U:U\n")
        with open(place.path("collectd.conf"), "w", encoding="ascii") as f:
            f.write(f'Hostname "bench"\nBaseDir "{place.folder}"\nPIDFile "{place.path("pid")}"\nPluginDir "{program("lib/collectd")}"\n'
                    f'TypesDB "{place.path("types.db")}"\nInterval 10\nLoadPlugin network\nLoadPlugin rrdtool\n'
                    f'<Plugin network>\nListen "127.0.0.1" "{port}"\n</Plugin>\n'
                    f'<Plugin rrdtool>\nDataDir "{place.path("data")}"\nCacheTimeout 120\nCacheFlush 900\n</Plugin>\n')
        it = place.start("collectd", [program("sbin/collectd"), "-f", "-C", place.path("collectd.conf")])
        time.sleep(1)
        if not it.alive():
            raise RuntimeError(f"collectd: {it.tail()}")
        out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        out.connect(("127.0.0.1", port))
        pace = rig.setting("BENCH_COLLECTD_RATE", 60000)
        each = work.samples / len(bodies["rest"])

        def send(packets):
            begun = time.monotonic()
            for i, packet in enumerate(packets):
                wait = begun + i * each / pace - time.monotonic()
                if wait > 0.001:
                    time.sleep(wait)
                with contextlib.suppress(ConnectionRefusedError):
                    out.send(packet)
        send(bodies["first"])
        time.sleep(1)
        cpu, at = rig.cpu_s(it.pid), time.monotonic()
        send(bodies["rest"])
        memory = rig.memory(it.pid)["peak"]
        it.process.send_signal(signal.SIGTERM)
        last = rig.cpu_s(it.pid)
        while it.alive():
            with contextlib.suppress(OSError, ValueError, IndexError):
                last = max(last, rig.cpu_s(it.pid))
            time.sleep(0.01)
            if time.monotonic() - at > 1800:
                raise TimeoutError("collectd does not end")
        took = time.monotonic() - at
        landed = work.samples * landed_share(place, work)
        if landed < 0.5 * work.samples:
            raise RuntimeError(f"collectd wrote {landed:.0f} of {work.samples}: {it.tail()}")
        return {"landed": figure(landed / took, landed, last - cpu, memory, place.bytes("data"))}


def carbon(work, bodies):
    """Landed: until it has been idle for a second, which its files confirm."""
    sys.path.append(PYTHON)
    import whisper
    with rig.Place() as place:
        port, line, query = rig.free_port(), rig.free_port(), rig.free_port()
        for folder in ("conf", "data", "log"):
            os.mkdir(place.path(folder))
        with open(place.path("conf", "storage-schemas.conf"), "w", encoding="ascii") as f:
            f.write("[all]\npattern = .*\nretentions = 10s:8d,5m:35d,1h:732d,1d:7320d\n")
        with open(place.path("conf", "carbon.conf"), "w", encoding="ascii") as f:
            f.write(f"[cache]\nSTORAGE_DIR = {place.folder}\nLOCAL_DATA_DIR = {place.path('data')}\nCONF_DIR = {place.path('conf')}\nLOG_DIR = {place.path('log')}\n"
                    f"PID_DIR = {place.folder}\nUSER =\nMAX_CACHE_SIZE = inf\nMAX_UPDATES_PER_SECOND = inf\nMAX_CREATES_PER_MINUTE = inf\n"
                    f"LINE_RECEIVER_INTERFACE = 127.0.0.1\nLINE_RECEIVER_PORT = {line}\nPICKLE_RECEIVER_INTERFACE = 127.0.0.1\nPICKLE_RECEIVER_PORT = {port}\n"
                    f"CACHE_QUERY_INTERFACE = 127.0.0.1\nCACHE_QUERY_PORT = {query}\nLOG_UPDATES = False\nLOG_CREATES = False\nCARBON_METRIC_INTERVAL = 0\n"
                    f"CACHE_WRITE_STRATEGY = sorted\nWHISPER_FALLOCATE_CREATE = True\nENABLE_LOGROTATION = False\nUSE_FLOW_CONTROL = True\n")
        it = place.start("carbon", ["/usr/bin/python3", program("bin/carbon-cache"), f"--config={place.path('conf', 'carbon.conf')}", f"--pidfile={place.path('pid')}",
                                    "--debug", "start"], {"PYTHONPATH": PYTHON, "GRAPHITE_CONF_DIR": place.path("conf"), "GRAPHITE_STORAGE_DIR": place.folder})
        rig.wait_for(lambda: answers(port) or not it.alive(), 30)
        if not it.alive():
            raise RuntimeError(f"carbon: {it.tail()}")

        def idle():
            """When it last used more than a tenth of a core."""
            seen, last = rig.cpu_s(it.pid), time.monotonic()
            while time.monotonic() - last < 1.5:
                time.sleep(0.25)
                now = rig.cpu_s(it.pid)
                if now - seen > 0.025:
                    last = time.monotonic()
                seen = now
            return last

        def send(packets):
            with socket.create_connection(("127.0.0.1", port)) as s:
                for packet in packets:
                    s.sendall(packet)
        send(bodies["first"])
        idle()
        subprocess.run(["sync", "-f", place.path("data")], check=False)
        cpu, at = rig.cpu_s(it.pid), time.monotonic()
        send(bodies["rest"])
        took = idle() - at
        cpu = rig.cpu_s(it.pid) - cpu
        found = wanted = 0
        for n in range(0, work.series, max(1, work.series // 100)):
            resident, dimension = work.labels(n)
            _, values = whisper.fetch(place.path("data", "esep", resident, f"{dimension}.wsp"), work.time(0), work.time(work.values))
            found, wanted = found + sum(1 for v in values if v is not None), wanted + work.values
        if found < 0.95 * wanted:
            raise RuntimeError(f"carbon wrote {found} of {wanted} values that were looked for: {it.tail()}")
        return {"landed": figure(work.samples / took, work.samples, cpu, rig.memory(it.pid)["peak"], place.bytes("data"))}
