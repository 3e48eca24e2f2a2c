"""A park on the spot for the benchmarks: real programs in a temporary folder, measured through /proc, ended by pid."""
import contextlib
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.path.join(ROOT, os.environ.get("BUILD", "build/gcc")))
TICKS = os.sysconf("SC_CLK_TCK")
CORES = ",".join(str(c) for c in sorted(os.sched_getaffinity(0))[:2])  # everything measured runs on these two
QUICK = os.environ.get("BENCH_QUICK", "") not in ("", "0")
PARK = """code: bench
names: {en: "Bench"}
city: {en: "Almaty"}
about: {en: "For measuring"}
time_zone: Asia/Almaty
currency: KZT
"""


def setting(name, default, quick=None):
    """A number from the environment."""
    return type(default)(float(os.environ.get(name, quick if QUICK and quick is not None else default)))


def say(text):
    """Progress, for who watches."""
    if sys.stderr.isatty() or os.environ.get("BENCH_VERBOSE"):
        print(f"  {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def median(values):
    values = sorted(values)
    return values[len(values) // 2] if len(values) % 2 else (values[len(values) // 2 - 1] + values[len(values) // 2]) / 2


def wait_for(what, seconds, every=0.02):
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(every)


def free_port():
    while True:
        port = random.randint(15000, 32000)
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            return port


def tool(name, *arguments, timeout=3600, **more):
    """Runs one of our programs that prints one JSON object."""
    argv = ["taskset", "-c", CORES, os.path.join(BUILD, name), *[str(a) for a in arguments]]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, check=False, **more)
    if not done.stdout.strip():
        raise RuntimeError(f"{name}: {done.stderr.strip()[-300:]}")
    return json.loads(done.stdout)


# ---- processes

def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def threads_s(pid):
    """CPU seconds by the name of the thread, to the nanosecond."""
    out = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/task/{task}/comm", encoding="ascii") as f:
                name = re.sub(r"/\d+$", "", f.read().strip())
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
                out[name] = out.get(name, 0) + int(f.read().split()[0]) / 1e9
    return out


def memory(pid):
    """{rss, peak, private} in bytes."""
    out = {"private": 0}
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        for line in f:
            if line.startswith(("VmRSS", "VmHWM", "RssAnon")):
                out[{"VmRSS": "rss", "VmHWM": "peak", "RssAnon": "anonymous"}[line.split(":")[0]]] = int(line.split()[1]) * 1024
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        for line in f:
            if line.startswith("Private_"):
                out["private"] += int(line.split()[1]) * 1024
    return out


class Program:
    def __init__(self, argv, log, env=None, pinned=True):
        with open(log, "ab") as out:
            self.process = subprocess.Popen((["taskset", "-c", CORES] if pinned else []) + argv, stdin=subprocess.PIPE, stdout=out,
                                            stderr=out, env=dict(os.environ, **(env or {})))
        self.pid, self.log = self.process.pid, log

    def alive(self):
        return self.process.poll() is None

    def stop(self, number=signal.SIGTERM, patience=90):
        """Its CPU seconds, children it has waited for not included."""
        spent = cpu_s(self.pid) if self.alive() else 0.0
        if self.alive():
            self.process.send_signal(number)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return spent

    def tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()[-600:]


def raise_files():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (65536, hard):
        with contextlib.suppress(ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, max(limit, hard)))
            return


# ---- a place on the disk

class Place:
    """A temporary folder that is gone afterwards, with the programs that run in it."""

    def __init__(self):
        raise_files()
        self.folder = tempfile.mkdtemp(prefix="esep-bench.", dir=os.environ.get("BENCH_DIR", os.environ.get("TMPDIR", "/tmp")))
        self.programs = []

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def start(self, name, argv, env=None):
        program = Program(argv, self.path(f"{name}.log"), env)
        self.programs.append(program)
        return program

    def bytes(self, *parts):
        out = subprocess.run(["du", "-s", "-B1", self.path(*parts)], capture_output=True, text=True, check=False)
        return int(out.stdout.split()[0]) if out.stdout else 0

    def close(self):
        before = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # gigabytes take a moment to remove
        for program in self.programs:
            program.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)
        signal.signal(signal.SIGTERM, before)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Site(Place):
    def __init__(self, extra=""):
        super().__init__()
        self.port, self.web, self.door = free_port(), free_port(), free_port()
        self.endpoint = f"tcp://127.0.0.1:{self.port}"
        self.state = self.path("state")
        os.mkdir(self.path("parks"))
        with open(self.path("parks", "bench.yaml"), "w", encoding="utf-8") as f:
            f.write(PARK)
        common = f"state: {self.state}\ncatalogue: {ROOT}/deploy/catalogue.yaml\nparks: {self.path('parks')}\n"
        with open(self.path("collector.yaml"), "w", encoding="utf-8") as f:
            f.write(f"endpoint: {self.endpoint}\nenrol: tcp://127.0.0.1:{self.door}\n{common}"
                    f"quota: {{series: 0, samples_per_s: 0}}\nmin_free: 2GiB\n{extra}")
        with open(self.path("dashboard.yaml"), "w", encoding="utf-8") as f:
            f.write(f"listen: 127.0.0.1:{self.web}\n{common}")
        self.collector = self.dashboard = None
        self.key = self.command("keygen").stdout.strip()

    def command(self, *arguments):
        argv = [os.path.join(BUILD, "esep-collector"), *arguments, "--config", self.path("collector.yaml")]
        return subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)

    def status(self):
        return json.loads(self.command("status", "--json").stdout)

    def start_collector(self):
        self.collector = self.start("collector", [os.path.join(BUILD, "esep-collector"), "run", "--config", self.path("collector.yaml")])
        wait_for(lambda: self.accepting() or not self.collector.alive(), 120, 0.002)
        if not self.collector.alive():
            raise RuntimeError(f"the collector did not start: {self.collector.tail()}")
        return self

    def accepting(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def start_dashboard(self):
        self.dashboard = self.start("dashboard", [os.path.join(BUILD, "esep-dashboard"), "run", "--config", self.path("dashboard.yaml")])

        def answers():
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", self.web)) == 0
        wait_for(answers, 30)
        return self

    def load_argv(self, **options):
        out = [os.path.join(BUILD, "load"), "--state", self.state, "--endpoint", self.endpoint]
        for name, value in options.items():
            name = "--" + name.replace("_", "-")
            out += [name] if value is True else [name, str(value)]
        return out

    def load(self, **options):
        """Runs the load to its end; its figures."""
        load = Load(self, options)
        return load.finish()

    def landed(self):
        s = self.status()
        return s["cursors"]["rrd"]["lag"] == 0 and s["cursors"]["observations"]["lag"] == 0 and s["rrd_dirty"] == 0

    def wait_landed(self, seconds=1800):
        wait_for(self.landed, seconds, 0.05)


class Load:
    """A running load; with prime=True it waits for go()."""

    def __init__(self, site, options):
        self.error = open(site.path(f"load-{options.get('park', 'bench')}.log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(["taskset", "-c", CORES] + site.load_argv(**options), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.error, text=True)
        self.options = options

    def said(self):
        self.error.seek(0)
        return self.error.read()

    def wait_primed(self):
        wait_for(lambda: "primed" in self.said() or self.process.poll() is not None, 900)
        if self.process.poll() is not None:
            raise RuntimeError(f"load: {self.said()}")

    def go(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def finish(self, timeout=7200):
        out, _ = self.process.communicate(timeout=timeout)
        said = self.said()
        self.error.close()
        if not out.strip():
            raise RuntimeError(f"load: {said[-300:]}")
        result = json.loads(out)
        result["good"] = self.process.returncode == 0
        if not result["good"]:
            print(f"note load_not_good {result} {said[-300:]}", flush=True)
        return result

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), "?")
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False).stdout.strip()
    with open("/proc/loadavg", encoding="ascii") as f:
        load = f.read().split()[0]
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (f"cpu=\"{model}\" cores={os.cpu_count()} pinned={CORES} memory={memory_gib:.0f}GiB kernel={os.uname().release} commit={commit or '?'} "
            f"load_before={load} at={time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}")
