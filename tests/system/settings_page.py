"""Writes docs/settings.md from what the programs' --help says. After a change of a table:

    python3 tests/system/settings_page.py build/release/bin > docs/settings.md
"""

import pathlib
import re
import subprocess
import sys
import typing

PROGRAMS = ("smsq-producer", "smsq-scheduler", "smsq-worker", "smsq-status-consumer",
            "smsq-webhook-receiver", "smsq-twilio-simulator", "smsq")
ROW = re.compile(r"^  --([a-z0-9_.]+)=(\S+)\n      (.*)\n      (.*)$", re.MULTILINE)
HEAD = """\
# Settings

All programs read one settings file and skip the groups of the others. A flag wins over the
environment, the environment over the file:

    smsq-worker --config=/etc/smsq/smsq.cfg --worker.in_flight=128
    SMSQ_CONFIG=/etc/smsq/smsq.cfg SMSQ_WORKER_IN_FLIGHT=128 smsq-worker

In the file, which is in [libconfig](https://hyperrealm.github.io/libconfig/)'s format,
`worker.in_flight` is the key `in_flight` in the group `worker`;
[deploy/smsq.cfg](../deploy/smsq.cfg) is an example. With `_FILE` at its end a variable names a
file that holds the value: `SMSQ_DATABASE_URL_FILE=/run/secrets/database_url`. An empty
variable is like none.

A name that is not a setting ends the program, with the nearest one that is. `--check-config`
reads and checks everything, `--print-config` also shows each value and where it comes from,
secrets as `***`.

At SIGHUP a running program reads everything again and takes over what is *live* in the tables
below. It logs `setting_changed` for each of these, `setting_needs_restart` for each other
setting that differs and stays as it was, and `settings_reloaded` at the end. When anything is
wrong it logs `settings_refused` and changes nothing.

Durations are whole numbers with a unit: `500ms`, `3s`, `10m`, `24h`, `7d`. This page is
written from the programs' own tables, and a test compares it with them.
"""


class Row(typing.NamedTuple):
    name: str
    kind: str
    help: str
    environment: tuple
    default: str
    allowed: str
    is_live: bool


def rows(bin_folder, program):
    """The settings of one program, as it lists them."""
    flag = ["settings"] if program == "smsq" else ["--help"]
    text = subprocess.run([pathlib.Path(bin_folder) / program, *flag], check=True,
                          capture_output=True, text=True, timeout=30).stdout
    for name, kind, what, terms in ROW.findall(text):
        is_live = terms.endswith("; live")
        environment, default, *allowed = terms.removesuffix("; live").split("; ")
        yield Row(name, kind, what, tuple(environment.split(" or ")),
                  default.removeprefix("default "), "".join(allowed) or "true, false", is_live)


def tables(bin_folder):
    """The programs of each setting. One with another rule in another program is two."""
    readers = {}
    for program in PROGRAMS:
        for row in rows(bin_folder, program):
            readers.setdefault(row, []).append(program)
    return readers


def _cells(row, programs):
    words = [f"`{row.name}`", "<br>".join(f"`{name}`" for name in row.environment)]
    is_value = row.default not in ("required", "not set by default")
    words.append(f"`{row.default}`" if is_value else row.default.removesuffix(" by default"))
    words.append(row.allowed)
    words.append("live" if row.is_live else "")
    words.append(row.help + (" (secret)" if row.kind == "SECRET" else ""))
    words.append(", ".join(name.removeprefix("smsq-") for name in programs))
    return "| " + " | ".join(word.replace("|", "\\|") for word in words) + " |"


def render(bin_folder):
    lines, group = [HEAD], None
    readers = tables(bin_folder)
    for row in sorted(readers, key=lambda row: row.name.partition(".")[0]):
        if group != row.name.partition(".")[0]:
            group = row.name.partition(".")[0]
            lines.append(f"\n## {group}\n\n"
                         "| setting | environment | default | allowed | live | what | read by |\n"
                         "|---|---|---|---|---|---|---|\n")
        lines.append(_cells(row, readers[row]) + "\n")
    return "".join(lines)


if __name__ == "__main__":
    sys.stdout.write(render(sys.argv[1]))
