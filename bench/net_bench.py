#!/usr/bin/env python3
"""Measures the network folder: 3 GB up and down, requests a second, 5,000 idle connections; time and resident memory.

  bench/net_bench.py [--build build/bench] [--gigabytes 3] [--idle 5000]

Needs curl and wrk. Each number is of a server of its own; resident memory is the peak (VmHWM) above the idle server's.
"""
import argparse
import re
import resource
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def memory(process, what):
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(what + r":\s+(\d+) kB", status)[1]) / 1024


class Server:
    def __init__(self, binary, file, threads=2):
        self.process = subprocess.Popen([binary, file, str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        subprocess.run(["curl", "-s", self.url + "/small"], check=True, capture_output=True)
        self.idle = memory(self.process, "VmRSS")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def above(self):
        return memory(self.process, "VmHWM") - self.idle


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "bench")
    parser.add_argument("--gigabytes", type=int, default=3)
    parser.add_argument("--idle", type=int, default=5000)
    options = parser.parse_args()
    binary = options.build / "bench" / "net_bench"
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run(["dd", "if=/dev/zero", f"of={file.name}", "bs=1M", f"count={options.gigabytes << 10}"], check=True, capture_output=True)
        for name, command in {
            "upload": ["curl", "-sS", "-T", file.name, "-o", "/dev/null"],
            "upload, chunked": ["curl", "-sS", "-T", file.name, "-H", "Transfer-Encoding: chunked", "-o", "/dev/null"],
            "download": ["curl", "-sS", "-o", "/dev/null"],
        }.items():
            with Server(binary, file.name) as server:
                start = time.monotonic()
                subprocess.run(command + [server.url + ("/file" if name == "download" else "/discard")], check=True)
                seconds = time.monotonic() - start
                print(f"{name:16} {options.gigabytes} GiB: {options.gigabytes / seconds:.2f} GiB/s, "
                      f"{server.above():.1f} MiB above {server.idle:.1f} MiB idle", flush=True)
        for threads in (1, 2):
            with Server(binary, file.name, threads) as server:
                out = subprocess.run(["wrk", "-t1", "-c64", "-d5s", server.url + "/small"], check=True, capture_output=True, text=True).stdout
                print(f"small, {threads} thread{'s' * (threads > 1):8}: {re.search(r'Requests/sec: *([0-9.]+)', out)[1]} requests/s", flush=True)
        with Server(binary, file.name) as server:
            host, port = server.url.removeprefix("http://").split(":")
            connections = []
            for _ in range(options.idle):
                connections.append(socket.create_connection((host, int(port))))
                connections[-1].sendall(b"GET /small HTTP/1.1\r\nHost: a\r\n\r\n")
            for connection in connections:
                connection.recv(1000)
            print(f"{options.idle} idle connections: {memory(server.process, 'VmRSS'):.1f} MiB resident in all", flush=True)


main()
