"""A park on the spot for the benchmarks: real programs in a temporary folder, measured through /proc, ended by pid."""
import concurrent.futures
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
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.path.join(ROOT, os.environ.get("BUILD", "build/gcc")))
TICKS = os.sysconf("SC_CLK_TCK")
CORES = ",".join(str(c) for c in sorted(os.sched_getaffinity(0))[:2])  # everything measured runs on these two
QUICK = os.environ.get("BENCH_QUICK", "") not in ("", "0")
PARK = """code: bench
names: {{en: "Bench"}}
city: {{en: "Almaty"}}
about: {{en: "For measuring"}}
time_zone: {zone}
currency: KZT
"""


def setting(name, default, quick=None):
    """A number from the environment."""
    return type(default)(float(os.environ.get(name, quick if QUICK and quick is not None else default)))


for_rounds_s = 900.0  # what BENCH_BUDGET_MIN leaves for rounds; main sets it


def rounds(share=1.0):
    """Numbers of a part's rounds: one, and more up to BENCH_ROUNDS while they take no more than the part's share of what the
    budget leaves."""
    most, begun, allowed = setting("BENCH_ROUNDS", 3, 1), time.monotonic(), share * for_rounds_s
    for n in range(most):
        each = (time.monotonic() - begun) / max(1, n)
        if n > 0 and each * (n + 1) > allowed:
            print(f"note rounds done={n} of={most} each_s={each:.0f} said=\"as many as BENCH_BUDGET_MIN leaves time for\"", flush=True)
            return
        yield n


def zone():
    """One where it is late in the evening: what was an hour or half a day ago is of the present day, as live figures are. Totals of a
    day are added up when it is over; figures of past days, which only a backfill brings, would have that done again and again."""
    ahead = 22 - time.gmtime().tm_hour
    ahead -= 24 if ahead > 14 else 0
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/UTC"


def days(values):
    """How long ago the first of so many values of 10 s is: of the present day if they fit into it."""
    return 0.9 if values < 6000 else 400


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
    argv = [*PINNED, os.path.join(BUILD, name), *[str(a) for a in arguments]]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, check=False, **more)
    if not done.stdout.strip():
        raise RuntimeError(f"{name}: {done.stderr.strip()[-300:]}")
    return json.loads(done.stdout)


# ---- processes

def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def threads_s(pid, asked="control"):
    """CPU seconds by the name of the thread, to the nanosecond; without the one that answers our own questions."""
    out = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/task/{task}/comm", encoding="ascii") as f:
                name = re.sub(r"/\d+$", "", f.read().strip())
            if name == asked:
                continue
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


# On the two cores, and gone with us however we end.
PINNED = ["setpriv", "--pdeathsig", "KILL", "taskset", "-c", CORES]


class Program:
    def __init__(self, argv, log, env=None):
        with open(log, "ab") as out:
            self.process = subprocess.Popen(PINNED + argv, stdin=subprocess.PIPE, stdout=out, stderr=out, env=dict(os.environ, **(env or {})))
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

BASE = os.environ.get("BENCH_DIR", os.environ.get("TMPDIR", "/tmp"))
PREFIX = "esep-bench."
KEEP_FREE = 3 << 30  # of the disk: before that the measurement ends


def born(pid):
    """When a process began, in ticks since the machine did; None: there is no such process."""
    with contextlib.suppress(OSError, IndexError):
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rpartition(")")[2].split()[19]
    return None


def remove(folder):
    """Sixteen at a time: where each file's blocks are given back to the disk at once, one after the other takes minutes."""
    def empty(where):
        with contextlib.suppress(OSError), os.scandir(where) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    if not entry.is_dir(follow_symlinks=False):
                        os.unlink(entry.path)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(empty, [where for where, _, _ in os.walk(folder)]))
    shutil.rmtree(folder, ignore_errors=True)


def sweep():
    """Removes what a run that was killed has left: its programs went with it."""
    for name in os.listdir(BASE):
        if name.startswith(PREFIX):
            with contextlib.suppress(OSError, ValueError):
                with open(os.path.join(BASE, name, "owner"), encoding="ascii") as f:
                    pid, begun = f.read().split()
                if born(pid) != begun:
                    remove(os.path.join(BASE, name))


def begin():
    """For main: ended from outside, everything that was started is ended and removed; what cannot fit is not begun."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda n, _: sys.exit(128 + n))
    sweep()
    kind = subprocess.run(["stat", "-f", "-c", "%T", BASE], capture_output=True, text=True, check=False).stdout.strip()
    if kind in ("tmpfs", "ramfs"):
        raise SystemExit(f"bench: {BASE} is memory, not a disk: set BENCH_DIR to a folder on one")
    if shutil.disk_usage(BASE).free < 4 * KEEP_FREE:
        raise SystemExit(f"bench: {BASE} has less than 12 GiB free: make room, or set BENCH_DIR")


class Place:
    """A temporary folder that is gone afterwards, with the programs that run in it."""

    def __init__(self):
        raise_files()
        self.folder = tempfile.mkdtemp(prefix=PREFIX, dir=BASE)
        with open(self.path("owner"), "w", encoding="ascii") as f:
            f.write(f"{os.getpid()} {born(os.getpid())}")
        self.programs, self.over, self.full = [], threading.Event(), False
        threading.Thread(target=self.guard, daemon=True).start()

    def guard(self):
        """Ends the programs before the disk is full; the measurement fails for it."""
        while not self.over.wait(0.5):
            if shutil.disk_usage(BASE).free < KEEP_FREE:
                self.full = True
                print(f"note disk \"less than {KEEP_FREE >> 30} GiB free: ended\"", flush=True)
                for program in list(self.programs):
                    with contextlib.suppress(OSError):
                        program.process.kill()
                return

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
        numbers = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
        before = [signal.signal(n, signal.SIG_IGN) for n in numbers]  # gigabytes take a moment to remove
        self.over.set()
        for program in self.programs:
            program.stop(signal.SIGKILL)
        remove(self.folder)
        for n, handler in zip(numbers, before):
            signal.signal(n, handler)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Site(Place):
    def __init__(self, short=False):
        """short: files of 44 KiB instead of 1.2 MB, everything else the same (see SHORT in the Makefile)."""
        super().__init__()
        self.program = os.path.join(BUILD, "esep-collector-short" if short else "esep-collector")
        self.port, self.web, self.door = free_port(), free_port(), free_port()
        self.endpoint = f"tcp://127.0.0.1:{self.port}"
        self.state = self.path("state")
        os.mkdir(self.path("parks"))
        with open(self.path("parks", "bench.yaml"), "w", encoding="utf-8") as f:
            f.write(PARK.format(zone=zone()))
        common = f"state: {self.state}\ncatalogue: {ROOT}/deploy/catalogue.yaml\nparks: {self.path('parks')}\n"
        with open(self.path("collector.yaml"), "w", encoding="utf-8") as f:
            f.write(f"endpoint: {self.endpoint}\nenrol: tcp://127.0.0.1:{self.door}\n{common}"
                    f"quota: {{series: 0, samples_per_s: 0}}\nmin_free: 2GiB\n")
        with open(self.path("dashboard.yaml"), "w", encoding="utf-8") as f:
            f.write(f"listen: 127.0.0.1:{self.web}\n{common}")
        self.collector = self.dashboard = None
        self.key = self.command("keygen").stdout.strip()

    def command(self, *arguments):
        argv = [self.program, *arguments, "--config", self.path("collector.yaml")]
        return subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)

    def status(self):
        """As `esep-collector status --json` says it, without the start of a program each time."""
        import zmq
        if self.collector and not self.collector.alive():
            raise RuntimeError(f"the collector has ended: {self.collector.tail()}")
        with zmq.Context.instance().socket(zmq.REQ) as s:
            s.linger, s.rcvtimeo = 0, 30000
            s.connect(f"ipc://{self.state}/control")
            s.send(b'{"command":"status"}')
            try:
                said = json.loads(s.recv())
            except zmq.Again:
                raise TimeoutError("the collector does not answer on its control socket") from None
        if said.get("ok") is not True:
            raise RuntimeError(f"status: {said}")
        return said

    def start_collector(self):
        self.collector = self.start("collector", [self.program, "run", "--config", self.path("collector.yaml")])
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
        begun = time.monotonic()
        while not self.landed():
            waited = time.monotonic() - begun
            if waited > seconds:
                raise TimeoutError(f"not landed within {seconds} s")
            time.sleep(min(0.5, 0.02 + waited / 40))  # the answers cost the collector something too

    def wait_quiet(self, seconds=900):
        """Until it has landed, the disk has it, and nothing is done in the background either."""
        self.wait_landed()
        subprocess.run(["sync", "-f", self.folder], check=False, timeout=1200)

        def quiet():
            before = cpu_s(self.collector.pid)
            time.sleep(0.5)
            return cpu_s(self.collector.pid) - before < 0.05
        wait_for(quiet, seconds)


class Load:
    """A running load; with prime=True it waits for go(), as often as that is said."""

    def __init__(self, site, options):
        self.error = open(site.path(f"load-{options.get('park', 'bench')}.log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(PINNED + site.load_argv(**options), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.error, text=True)
        self.options = options

    def said(self):
        self.error.seek(0)
        return self.error.read()

    def wait_primed(self):
        wait_for(lambda: "primed" in self.said() or self.process.poll() is not None, 900)
        if self.process.poll() is not None:
            raise RuntimeError(f"load: {self.said()}")

    def go(self, seconds=None, rate=None):
        self.process.stdin.write("go" + "".join(f" {v:g}" for v in (seconds, rate) if v is not None) + "\n")
        self.process.stdin.flush()

    def wait_acknowledged(self, turns=1, seconds=3600):
        wait_for(lambda: self.said().count("acknowledged") >= turns or self.process.poll() is not None, seconds)
        if self.process.poll() is not None:
            raise RuntimeError(f"load: {self.said()}")

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


def commit():
    return subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False).stdout.strip()


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), "?")
    with open("/proc/loadavg", encoding="ascii") as f:
        load = f.read().split()[0]
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (f"cpu=\"{model}\" cores={os.cpu_count()} pinned={CORES} memory={memory_gib:.0f}GiB kernel={os.uname().release} commit={commit() or '?'} "
            f"load_before={load} at={time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}")
