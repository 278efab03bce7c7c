"""Results as text for people, and as the generated parts of docs/performance.md."""

import os
import pathlib
import platform
import re
import subprocess

FACTS = (("p50_ms", "p50"), ("p95_ms", "p95"), ("p99_ms", "p99"))


def _command(*words):
    try:
        return subprocess.run(words, capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""


def machine():
    """What the figures depend on."""
    cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text())
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    return {
        "processor": f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} cores",
        "memory": f"{int(memory[1]) / 2 ** 20:.0f} GiB",
        "system": f"{system}, Linux {platform.release()}",
        "compiler": _command("cc", "--version").split("\n")[0],
        "services": ", ".join(filter(None, (
            _command("/usr/lib/postgresql/15/bin/postgres", "--version"),
            "Apache Kafka 4.2.0",
            " ".join(_command("curl", "--version").split()[3:4])))),
        "version": _command("git", "rev-parse", "--short=10", "HEAD") or "unknown",
        "load before": load,
    }


def number(value):
    """Three digits or so: 23 400, 31.2, 0.61."""
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def figures(result):
    """Rows of (what, value): a run's numbers with words."""
    rows = [(f"{result.get('unit', 'messages')}/s", result["rate"])] if "rate" in result else []
    for name, cost in result.get("cpu", {}).items():
        rows.append((f"CPU µs each, {name} (user + system)",
                     f"{number(cost['us'])} ({number(cost['user_us'])} + "
                     f"{number(cost['system_us'])})"))
    rows += [(f"MiB, {name}", value) for name, value in result.get("memory", {}).items()]
    for name, times in result.get("times", {}).items():
        rows.append((f"ms, {name}", " / ".join(
            f"{word} {number(times[key])}" for key, word in FACTS if key in times)))
    rows += list(result.get("more", {}).items())
    return [(what, number(value) if isinstance(value, (int, float)) else value)
            for what, value in rows]


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]


def markdown(name, found):
    """The part of docs/performance.md that shows one benchmark."""
    lines = [f"{found['what']} Median of {len(found['runs'])} runs"
             f"{found.get('how', '')}.", ""]
    spread = [run["rate"] for run in found["runs"] if "rate" in run]
    lines += table(("", "median"), figures(found["median"]))
    if len(spread) > 1:
        lines += ["", f"Slowest and fastest run: {number(min(spread))} and"
                      f" {number(max(spread))}/s."]
    if found.get("bounds"):
        lines += ["", "Its bounds, measured in the same runs:", ""]
        lines += table(("bound", "each/s", "CPU µs each"), [
            (bound, number(value["rate"]), number(value["us"]) if "us" in value else "")
            for bound, value in found["bounds"].items()])
    if found.get("ratios"):
        lines += [""] + table(("ratio", "reached"), [
            (what, number(value)) for what, value in found["ratios"].items()])
    return lines


def text(name, found):
    """The same for a terminal."""
    width = max(len(what) for what, _ in figures(found["median"]))
    lines = [f"{name}: {found['what']} Median of {len(found['runs'])} runs:"]
    lines += [f"  {what:<{width}}  {value}" for what, value in figures(found["median"])]
    for bound, value in found.get("bounds", {}).items():
        cpu = f", {number(value['us'])} µs of CPU each" if "us" in value else ""
        lines.append(f"  bound: {bound}: {number(value['rate'])}/s{cpu}")
    lines += [f"  ratio: {what}: {number(value)}"
              for what, value in found.get("ratios", {}).items()]
    return "\n".join(lines)


def write(path, results):
    """Replaces the generated parts that were measured; all other text stays."""
    parts = {"machine": table(("", ""), results["machine"].items())}
    parts |= {name: markdown(name, found) for name, found in results["benches"].items()}
    words = path.read_text()
    for name, lines in parts.items():
        begin, end = f"<!-- bench {name} -->", f"<!-- end {name} -->"
        body = "\n".join(lines)
        words, count = re.subn(re.escape(begin) + ".*?" + re.escape(end),
                               lambda _, b=begin, t=body, e=end: f"{b}\n{t}\n{e}", words,
                               flags=re.DOTALL)
        assert count == 1, f"{path} has no place for {name}"
    path.write_text(words)
