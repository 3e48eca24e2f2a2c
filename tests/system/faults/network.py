"""Two network namespaces with a cable between them that can be cut, made lossy or one-way, and a proxy that delays and stalls.
The round's own process lives in the agents' namespace, the collector in the other."""
import asyncio
import ctypes
import os
import random
import subprocess
import threading

CLONE_NEWNET = 0x40000000
AGENTS, COLLECTOR = "10.99.0.1", "10.99.0.2"


def run(*words, stdin=None):
    subprocess.run(words, check=True, input=stdin, text=True, capture_output=True)


class Cable:
    def __init__(self, seed):
        prefix = f"ef{os.getppid()}-{seed}"  # by which the driver finds what is left behind
        self.agents, self.collector = f"{prefix}a", f"{prefix}c"
        for name in (self.agents, self.collector):
            run("ip", "netns", "add", name)
        self.inside(self.agents, "ip", "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", self.collector)
        for name, address in ((self.agents, AGENTS), (self.collector, COLLECTOR)):
            self.inside(name, "ip", "address", "add", f"{address}/24", "dev", "cable")
            self.inside(name, "ip", "link", "set", "cable", "up")
            self.inside(name, "ip", "link", "set", "lo", "up")
        with open(f"/run/netns/{self.agents}", "rb") as f:
            if ctypes.CDLL(None, use_errno=True).setns(f.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    @staticmethod
    def inside(name, *words, stdin=None):
        run("ip", "netns", "exec", name, *words, stdin=stdin)

    def rules(self, text):
        """Of the collector's side: chains, a line each; none for a whole cable."""
        table = "table inet faults"
        self.inside(self.collector, "nft", "-f", "-", stdin=f"{table}\ndelete {table}\n{table} {{\n{text}}}\n")

    def drop(self, incoming="", outgoing=""):
        chains = ""
        if incoming:
            chains += f"chain incoming {{ type filter hook input priority 0; {incoming} drop; }}\n"
        if outgoing:
            chains += f"chain outgoing {{ type filter hook output priority 0; {outgoing} drop; }}\n"
        self.rules(chains)

    def heal(self):
        self.rules("")
        self.up(True)

    def up(self, up):
        self.inside(self.collector, "ip", "link", "set", "cable", "up" if up else "down")

    def close(self):
        for name in (self.agents, self.collector):
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


class Proxy(threading.Thread):
    """Passes TCP on with a delay each way; can stall, and can break connections in the middle of a message."""

    def __init__(self, target):
        super().__init__(daemon=True)
        self.target, self.delay_s, self.stalled = target, 0.0, False
        self.port, self.ready, self.transports = 0, threading.Event(), set()
        self.start()
        self.ready.wait(10)

    def run(self):
        asyncio.run(self.serve())

    async def serve(self):
        self.loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self.accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        async with server:
            await server.serve_forever()

    async def accept(self, reader, writer):
        try:
            there, back = await asyncio.open_connection(*self.target)
        except OSError:
            writer.close()
            return
        self.transports |= {writer.transport, back.transport}
        await asyncio.gather(self.pipe(reader, back), self.pipe(there, writer), return_exceptions=True)
        self.transports -= {writer.transport, back.transport}

    async def pipe(self, reader, writer):
        queue = asyncio.Queue(64)
        taking = asyncio.create_task(self.take(reader, queue))
        try:
            while (item := await queue.get()) is not None:
                due, data = item
                await asyncio.sleep(max(0.0, due - self.loop.time()))
                while self.stalled:
                    await asyncio.sleep(0.05)
                writer.write(data)
                await writer.drain()
        finally:
            taking.cancel()
            writer.close()

    async def take(self, reader, queue):
        try:
            while data := await reader.read(65536):
                await queue.put((self.loop.time() + self.delay_s, data))
        finally:
            await queue.put(None)

    def break_all(self):
        """After a random part of what is on the way: connections are reset."""
        self.loop.call_soon_threadsafe(lambda: [t.abort() for t in list(self.transports) if random.random() < 0.8])
