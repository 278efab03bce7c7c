"""SIGHUP: what a running program takes over, what it refuses, what it never shows."""

import json
import signal
import subprocess

import pytest

from callbacks import Callbacks, new_sid
from stack import clean_environment, read_log, wait_until

OLD_TOKEN = "old0" + 28 * "0"


class Receiver:
    """A webhook receiver of the test's own, with a settings file that it may change."""

    def __init__(self, system, folder):
        self.stack, self.config, self.log = system.stack, folder / "smsq.cfg", folder / "log"
        self.base = (system.stack.run / "smsq.cfg").read_text()
        self.write()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [f"{system.stack.env['SMSQ_BIN']}/smsq-webhook-receiver",
                 f"--config={self.config}", "--receiver.port=0", "--receiver.admin_port=0"],
                env=clean_environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.port = self.event("receiver_started")["port"]
        self.callbacks = Callbacks(f"http://127.0.0.1:{self.port}",
                                   system.stack.env["SMSQ_PUBLIC_URL"],
                                   system.stack.env["SMSQ_AUTH_TOKEN"],
                                   system.stack.secret("lookup_key"))

    def write(self, text=""):
        self.config.write_text(self.base + text)
        self.config.chmod(0o600)

    def lines(self, event):
        return [line for line in read_log(self.log) if line["event"] == event]

    def event(self, event, count=1):
        return wait_until(lambda: len(self.lines(event)) >= count and self.lines(event), 30,
                          f"{event}, {count} of it")[-1]

    def hang_up(self, text, event):
        """Changes the file, sends SIGHUP, and returns the line that ends the reloading."""
        count = len(self.lines(event)) + 1
        self.write(text)
        self.process.send_signal(signal.SIGHUP)
        return self.event(event, count)

    def post(self, token):
        return self.callbacks.post_form("/sms/webhook/status", {
            "MessageSid": new_sid(), "MessageStatus": "sent", "AccountSid": "AC" + 32 * "0"},
            token=token).status


@pytest.fixture
def receiver(smsq, tmp_path):
    receiver = Receiver(smsq, tmp_path)
    yield receiver
    receiver.process.terminate()
    assert receiver.process.wait(timeout=60) == 0


def test_tokens_and_log_level_change_while_it_runs(receiver):
    # Its Kafka client is new: what is signed is taken as soon as a broker answers.
    wait_until(lambda: receiver.post(None) == 204, 30, "what is signed is taken")
    assert receiver.post(OLD_TOKEN) == 403
    text = f"""
        twilio: {{ auth_tokens_old = "{OLD_TOKEN}"; }};
        log: {{ level = "debug"; }};
        stop: {{ deadline = "20s"; }};
    """
    done = receiver.hang_up(text, "settings_reloaded")
    assert (done["changed"], done["need_restart"]) == (2, 1)
    assert receiver.post(OLD_TOKEN) == 204 and receiver.post(None) == 204
    told = {line["setting"]: (line["old"], line["new"])
            for line in receiver.lines("setting_changed")}
    assert told == {"twilio.auth_tokens_old": ("(not set)", "***"),
                    "log.level": ("info", "debug")}
    kept = receiver.event("setting_needs_restart")
    assert (kept["setting"], kept["runs_with"], kept["new"]) == ("stop.deadline", "25s", "20s")

    receiver.hang_up("", "settings_reloaded")
    assert receiver.post(OLD_TOKEN) == 403
    assert OLD_TOKEN not in receiver.log.read_text()


@pytest.mark.parametrize("text, reason", [
    ('log: { level = "loud"; };', "log.level"),
    ("log: { level = ", "syntax error"),
    ('log: { levle = "debug"; };', "the nearest is log.level"),
    ('twilio: { account_sid = "SK00000000000000000000000000000000"; };', "twilio.account_sid"),
])
def test_a_bad_file_changes_nothing(receiver, text, reason):
    refused = receiver.hang_up(text, "settings_refused")
    assert reason in refused["reason"] and "smsq.cfg:" in refused["reason"], refused
    assert not receiver.lines("setting_changed")
    assert receiver.process.poll() is None
    assert "settings_refused" not in json.dumps(receiver.hang_up("", "settings_reloaded"))
