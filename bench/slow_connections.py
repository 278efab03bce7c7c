#!/usr/bin/python3
"""What hostile connections cost: python3 bench/slow_connections.py PID PORT [COUNT]

Of the program with that process id and HTTP port (producer or webhook receiver): memory, CPU
and the latency of GET /healthz while COUNT (1000) connections do nothing, drip a head, or
have sent all of the largest body but one byte. They come from this machine.
"""

import contextlib
import os
import re
import resource
import selectors
import socket
import sys
import time

ROUND_S = 3.0  # less than http.header_timeout, so that nobody is cut off meanwhile
BODY_BYTES = 16352
PROBE = b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n"
HEAD = PROBE[:-2] + b"X: "
HALF_BODY = (b"POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
             + (BODY_BYTES - 1) * b"x")
TARGETS = ((b"/sms/send", b"application/json"),
           (b"/sms/webhook/status", b"application/x-www-form-urlencoded"))
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def memory_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def connect(port):
    line = socket.create_connection(("127.0.0.1", port))
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def half_body(port):
    """The path whose route takes a body here decides which program it is."""
    for path, media in TARGETS:
        with connect(port) as line:
            line.sendall(b"OPTIONS %s HTTP/1.1\r\nHost: bench\r\n\r\n" % path)
            if b" 204 " in line.recv(4096)[:16]:
                return HALF_BODY % (path, media, BODY_BYTES)
    sys.exit("neither producer nor webhook receiver answers at this port")


def probe(port, seconds, each_turn):
    """Latencies of single requests, each on a connection of its own."""
    took, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        each_turn()
        began = time.monotonic()
        with connect(port) as line:
            line.sendall(PROBE)
            assert b" 200 " in line.recv(4096)[:16]
        took.append(time.monotonic() - began)
        time.sleep(0.002)
    return sorted(took)


def measure(pid, port, what, words, drip, count):
    with contextlib.ExitStack() as stack:
        before = memory_kb(pid)
        lines = [stack.enter_context(connect(port)) for _ in range(count)]
        for line in lines:
            line.sendall(words)
        turn = iter(range(sys.maxsize))
        cpu, began = cpu_s(pid), time.monotonic()
        took = probe(port, ROUND_S, lambda: drip and lines[next(turn) % count].sendall(b"x")
                     if count else None)
        share = (cpu_s(pid) - cpu) / (time.monotonic() - began)
        after = memory_kb(pid)
        alive = count - ended(lines)
    print(f"| {what} | {alive} | {before / 1024:.1f} | {after / 1024:.1f} | {share:.1%} "
          f"| {took[len(took) // 2] * 1000:.2f} | {took[len(took) * 99 // 100] * 1000:.2f} |")


def ended(lines):
    """How many of them the server has cut off or answered."""
    if not lines:
        return 0
    with selectors.DefaultSelector() as selector:
        for line in lines:
            selector.register(line, selectors.EVENT_READ)
        return len(selector.select(0))


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    pid, port = int(sys.argv[1]), int(sys.argv[2])
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print("| connections | open in the end | MiB before | MiB with them | CPU | p50 ms | p99 ms |")
    print("|---|---|---|---|---|---|---|")
    measure(pid, port, "none", b"", False, 0)
    measure(pid, port, "nothing sent", b"", False, count)
    measure(pid, port, "heads that drip", HEAD, True, count)
    measure(pid, port, "largest bodies, one byte short", half_body(port), False, count)


main()
