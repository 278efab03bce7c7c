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

All programs read one settings file and skip the groups of the others:

    smsq-worker --config=/etc/smsq/smsq.cfg --worker.in_flight=128
    SMSQ_CONFIG=/etc/smsq/smsq.cfg SMSQ_WORKER_IN_FLIGHT=128 smsq-worker

## Where a value comes from

The first of these that has a value wins:

1. a flag: `--worker.in_flight=128`. Not for secrets: everybody can read them in the list of
   processes, and the program warns.
2. the environment: `SMSQ_WORKER_IN_FLIGHT=128`, or the second name that some settings have. An
   empty variable is like none. With `_FILE` at its end a variable names a file that holds the value:
   `SMSQ_DATABASE_URL_FILE=/run/secrets/database_url`. Both at once are an error.
3. an environment file, `--env-file=FILE` or `SMSQ_ENV_FILE=FILE`: the same names, one `NAME=value` on
   each line, written as for docker compose: `export ` in front, comments, single and double
   quotes, Windows line ends. A `$` that compose would replace is refused outside single quotes.
   (`./dev` reads `.env` by itself.)
4. a systemd credential with the setting's name: `LoadCredential=database.url:/etc/smsq/database.url`.
5. the settings file, which is in [libconfig](https://hyperrealm.github.io/libconfig/)'s format:
   `worker.in_flight` is the key `in_flight` in the group `worker`;
   [deploy/smsq.cfg](../deploy/smsq.cfg) is an example.
6. the default.

A file with one value may end in a newline, which does not count, and holds at most 64 KiB; an empty
one is as if it were not there. One with a secret must be private (`chmod 600`; a file of root's may be
open to the group of a program that is not root). The mode does not count in systemd's folder of
credentials, below `/run/secrets` and on what is mounted read-only, as container runtimes mount
secrets.

## What is checked

A name that is not a setting and a value that is not allowed end the program, with the place and
with the nearest name that is one. That holds for the settings file, for flags, for credentials and
for every variable that begins with `SMSQ_` and a group of the program. `--check-config` lists
everything that is wrong or odd, also what belongs together and what librdkafka says to its properties;
it ends with 0 when nothing is wrong. Warnings are for what is allowed and yet odd, and a
running program logs them as `setting_warning`: a secret that others can read, PostgreSQL on
another machine without `sslmode=verify-full`, Kafka on another machine without TLS, a variable that
nearly is one of Twilio's, and the names below.

`--print-config` prints all values and where they come from as a settings file, without the secrets.

At SIGHUP a running program reads everything again and takes over what is *live* in the tables
below. It logs `setting_changed` for each of these, `setting_needs_restart` for each other
setting that differs and stays as it was, and `settings_reloaded` at the end. When anything is
wrong it logs `settings_refused` and changes nothing.

## TLS

Whatever librdkafka knows passes through `kafka.properties`, for consumers and producers alike, except
what smsq's promises rest on; the program says which and why. Each key may come from another source,
so the password need not be where the rest is:

    kafka: {
        brokers = "kafka-1:9093,kafka-2:9093";
        properties: {
            security_protocol = "SASL_SSL";   // '_' stands for '.'
            sasl_mechanisms = "PLAIN";
            sasl_username = "smsq-worker";
            ssl_ca_location = "/etc/smsq/kafka-ca.pem";
        };
    };

Debian's librdkafka 2.0.2 cannot log in to Kafka 4 with SCRAM; PLAIN inside TLS and client
certificates work. The password may come
with `SMSQ_KAFKA_PROPERTIES_SASL_PASSWORD_FILE=/etc/smsq/secrets/kafka_password`, or all in one text,
`SMSQ_KAFKA_PROPERTIES="security.protocol=SASL_SSL;sasl.username=…"`, where a `;` that is part of a value is
written twice. `database.url` is a connection string of libpq and takes all its parameters:

    postgresql://smsq:password@db.example.com/smsq?sslmode=verify-full&sslrootcert=/etc/smsq/db-ca.pem&channel_binding=require

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


def _help(bin_folder, program):
    flag = ["settings"] if program == "smsq" else ["--help"]
    return subprocess.run([pathlib.Path(bin_folder) / program, *flag], check=True,
                          capture_output=True, text=True, timeout=30).stdout


def rows(bin_folder, program):
    """The settings of one program, as it lists them."""
    for name, kind, what, terms in ROW.findall(_help(bin_folder, program)):
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
    words.append(row.help + (" (secret)" if row.kind in ("SECRET", "PROPERTIES") else ""))
    words.append(", ".join(name.removeprefix("smsq-") for name in programs))
    return "| " + " | ".join(word.replace("|", "\\|") for word in words) + " |"


def known(bin_folder):
    """The names of guides that no program takes, and why."""
    text = _help(bin_folder, PROGRAMS[0]).partition("\nNames that guides print")[2]
    return re.findall(r"^  ([A-Z_]+)\n      (.*)$", text, re.MULTILINE)


def _known_lines(bin_folder):
    lines = ["\n## Names that guides print\n\n",
             "Guides to Twilio name further variables. These are known and have no effect; a "
             "program that\nfinds one set says so.\n\n| name | why |\n|---|---|\n"]
    return lines + [f"| `{name}` | {why} |\n" for name, why in known(bin_folder)]


def render(bin_folder):
    lines, group = [HEAD, *_known_lines(bin_folder)], None
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
