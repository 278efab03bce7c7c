"""smsq and the shell around it: terminals, pipes, man pages, completion."""

import http.server
import json
import os
import pty
import select
import subprocess
import threading

import pytest

from stack import TREE, clean_environment

ID = "01a1fe2f-5a5b-7c3d-8e9f-0123456789ab"
EVIL = "\x1b]0;owned\x07\x1b[31m\x9b2J\u202e"


@pytest.fixture(scope="session")
def program(pytestconfig):
    return str(TREE / "build" / pytestconfig.getoption("preset") / "bin" / "smsq")


def run(program, *arguments, **how):
    return subprocess.run([program, *arguments], text=True, timeout=30, capture_output=True,
                          env=how.pop("env", clean_environment()), **how)


def run_on_terminal(program, *arguments, **settings):
    """Runs it with a terminal for all three streams; returns all that it wrote there."""
    master, slave = pty.openpty()
    child = subprocess.Popen([program, *arguments], stdin=slave, stdout=slave, stderr=slave,
                             env=clean_environment(TERM="xterm", **settings))
    os.close(slave)
    said = b""
    while select.select([master], [], [], 30)[0]:
        try:
            read = os.read(master, 65536)
        except OSError:  # the child has closed its end
            break
        said += read
    os.close(master)
    child.wait(30)
    return said.decode()


class Api(http.server.BaseHTTPRequestHandler):
    """An API that answers what it is told to."""

    answer = (200, {})

    def do_GET(self):
        status, body = self.answer
        text = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


@pytest.fixture
def evil_api():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {"SMSQ_API_URL": f"http://127.0.0.1:{server.server_port}", "SMSQ_TOKEN": "x"}
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("flag", [(), ("--json",)])
def test_nothing_that_an_api_says_commands_the_terminal(program, evil_api, flag):
    Api.answer = (200, {"id": ID, EVIL: EVIL, "inner": {"reference": EVIL}, "list": [EVIL]})
    done = run(program, "status", ID, *flag, env=clean_environment(**evil_api))
    assert done.returncode == 0 and "\\u001b" in done.stdout
    for one in EVIL[0], "\x07", "\x9b", "\u202e":
        assert one not in done.stdout.replace("\n", "")
    if flag:
        assert json.loads(done.stdout)["inner"]["reference"] == EVIL
    Api.answer = (422, {"detail": EVIL, "field": EVIL})
    done = run(program, "status", ID, env=clean_environment(**evil_api))
    assert done.returncode == 4 and "\x1b" not in done.stderr and "\x9b" not in done.stderr


def test_what_was_typed_comes_back_escaped(program):
    done = run(program, "status", ID, f"--{EVIL}")
    assert done.returncode == 2 and "\x1b" not in done.stderr and "u001b" in done.stderr


def test_colours_are_for_terminals_that_want_them(program, evil_api):
    Api.answer = (200, {"id": ID, "status": "failed"})
    assert "\x1b[31mfailed\x1b[0m" in run_on_terminal(program, "status", ID, **evil_api)
    assert "\x1b" not in run_on_terminal(program, "status", ID, NO_COLOR="1", **evil_api)
    assert "\x1b" not in run_on_terminal(program, "status", ID, "--json", **evil_api)
    assert "\x1b" not in run(program, "status", ID, env=clean_environment(**evil_api)).stdout


def test_a_full_disk_is_an_error_and_a_closed_pipe_is_silent(program):
    with open("/dev/full", "w") as full:
        done = subprocess.run([program, "--help"], stdout=full, stderr=subprocess.PIPE,
                              text=True, env=clean_environment(), timeout=30)
    assert done.returncode == 1 and "No space left" in done.stderr
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run([program, "--help"], stdout=write, stderr=subprocess.PIPE,
                              text=True, env=clean_environment(), timeout=30)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (-13, "")  # SIGPIPE, 141 in a shell


def pages(program):
    folder = os.path.dirname(os.path.dirname(program)) + "/share/man/man1"
    return sorted(f"{folder}/{name}" for name in os.listdir(folder))


def test_every_man_page_is_well_formed(program):
    names = [os.path.basename(page) for page in pages(program)]
    assert "smsq.1" in names and "smsq-dlq-replay.1" in names and len(names) > 15
    for page in pages(program):
        done = subprocess.run(["groff", "-ww", "-man", "-Tutf8", "-P-cbou", page], text=True,
                              capture_output=True, timeout=30)
        assert (done.returncode, done.stderr) == (0, ""), page
        for word in ("NAME", "SYNOPSIS", "EXIT", "SEE"):
            assert word in done.stdout, page


def test_a_man_page_says_what_the_help_says(program):
    plain = subprocess.run(["groff", "-man", "-Tascii", "-P-cbou",
                            next(page for page in pages(program) if "dlq-replay" in page)],
                           text=True, capture_output=True, timeout=30).stdout
    for option in ("--reason WORD", "--dry-run", "--again", "--json"):
        assert option in plain and option in run(program, "dlq", "replay", "--help").stdout


def completed(program, *words):
    """What bash offers for the last of these words."""
    script = run(program, "completion", "bash").stdout
    line = " ".join(f"'{word}'" for word in ("smsq", *words))
    done = subprocess.run(
        ["bash", "-euc", f"{script}\nCOMP_WORDS=({line}) COMP_CWORD={len(words)}\n_smsq\n"
                         "printf '%s\\n' \"${COMPREPLY[@]}\""],
        text=True, capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(("words", "offered"), [
    (["s"], ["send", "status", "switch", "settings"]),
    (["to"], ["topics", "token"]),
    (["token", ""], ["create", "list", "revoke"]),
    (["dlq", "re"], ["replay"]),
    (["dlq", "replay", "--dr"], ["--dry-run"]),
    (["dlq", "--json", "list", "--st"], ["--state"]),
    (["dlq", "list", "--state", ""], ["waiting", "replayed", "purged", "any"]),
    (["token", "create", "--client", "x", "--scope", "view"],
     ["view_sms_history", "view_dashboard"]),
    (["send", "+1", "--class", "o"], ["otp"]),
    (["ping", "kafka", "p"], ["producer", "postgresql"]),
    (["send", "--message", ""], []),
    (["fly", "--"], []),
])
def test_bash_completes_commands_options_and_values(program, words, offered):
    assert completed(program, *words) == offered


def test_bash_takes_the_completion_without_a_complaint(program, tmp_path):
    script = tmp_path / "smsq.bash"
    script.write_text(run(program, "completion", "bash").stdout)
    done = subprocess.run(["shellcheck", "-s", "bash", script], text=True,
                          capture_output=True, timeout=60)
    assert done.returncode == 0, done.stdout
