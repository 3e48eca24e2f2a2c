"""The real programs as child processes: started with a state folder of their own, killed by pid only."""
import os
import random
import signal
import socket
import subprocess
import time

CATALOGUE = "deploy/catalogue.yaml"
PARKS = "deploy/parks"


HELD = []  # names of our ports, as long as this process lives


def free_port():
    """Below the range the kernel gives to connections, so that none takes it while the collector is away; and no other round's:
    each holds an abstract socket of the port's name."""
    for _ in range(1000):
        port = random.randint(15000, 32000)
        name = socket.socket(socket.AF_UNIX)
        with socket.socket() as s:
            try:
                name.bind(f"\0esep-faults-port-{port}")
                s.bind(("127.0.0.1", port))
            except OSError:
                name.close()
                continue
        HELD.append(name)
        return port
    raise RuntimeError("no free port")


def wait_for(what, seconds=20, every=0.02):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(every)
    return None


class Program:
    def __init__(self, argv, log, env=None, namespace=None):
        full = dict(os.environ, **(env or {}))
        full.setdefault("ASAN_OPTIONS", "verify_asan_link_order=0")  # with a preloaded library beside a sanitizer
        prefix = ["ip", "netns", "exec", namespace] if namespace else []
        self.log = open(log, "ab")
        self.process = subprocess.Popen(prefix + argv, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=full)

    def alive(self):
        return self.process.poll() is None

    def signal(self, number):
        if self.alive():
            self.process.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def stop(self, seconds=20):
        """SIGTERM, a bounded wait; returns the exit code, or None when it had to be killed."""
        self.signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = None
        self.log.close()
        return code


class Collector:
    def __init__(self, build, folder, extra="", host="127.0.0.1", namespace=None, port=None, state=None):
        self.build, self.folder, self.namespace = build, folder, namespace
        self.state = state or os.path.join(folder, "collector")
        self.port = port or free_port()
        self.endpoint = f"tcp://{host}:{self.port}"
        self.config = os.path.join(folder, "collector.yaml")
        self.log = os.path.join(folder, "collector.log")
        os.makedirs(folder, exist_ok=True)
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(f"endpoint: {self.endpoint}\nstate: {self.state}\ncatalogue: {CATALOGUE}\nparks: {PARKS}\n{extra}")
        self.program = None
        self.key = self.command("keygen").stdout.strip().encode()

    def command(self, *words, timeout=60):
        argv = [f"{self.build}/esep-collector", words[0], *words[1:], "--config", self.config]
        return subprocess.run(argv, capture_output=True, text=True, timeout=timeout)

    def admit(self, resident, public_key):
        done = self.command("admit", resident, public_key)
        if done.returncode != 0:
            raise RuntimeError(f"admit {resident}: {done.returncode} {done.stdout}{done.stderr[-300:]}")

    def start(self, env=None, wait=True):
        self.log_begun = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        self.program = Program([f"{self.build}/esep-collector", "run", "--config", self.config], self.log, env, self.namespace)
        return self.wait_listening() if wait else True

    def wait_listening(self, seconds=30):
        return bool(wait_for(lambda: self.listening() or not self.program.alive(), seconds)) and self.program.alive()

    def listening(self):
        if self.namespace:  # its port is not ours
            return "event=listening" in self.said_from(self.log_begun)
        with socket.socket() as s:
            s.settimeout(0.5)
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def alive(self):
        return self.program is not None and self.program.alive()

    def kill(self):
        self.program.kill()

    def stop(self):
        return self.program.stop()

    def said_from(self, offset):
        """What it has logged from that size of the log on."""
        with open(self.log, encoding="utf-8", errors="replace") as f:
            f.seek(offset)
            return f.read()

    def said(self, what):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return what in f.read()
