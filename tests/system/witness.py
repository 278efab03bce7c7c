"""Our simulator of Twilio: what it was really sent and billed, and its switches."""

import json
import urllib.parse

from api import request
from stack import wait_until


class Witness:
    def __init__(self, url):
        self.url = url
        self._defaults = None

    def _get(self, path):
        answer = request(self.url + path)
        assert answer.status == 200, answer
        return answer.json

    def ledger(self):
        return self._get("/_sim/ledger")

    def messages(self):
        """All messages it accepted since the reset, each as its row."""
        rows, path = [], "/_sim/messages?limit=10000"
        while path:
            page = self._get(path)
            rows += page["messages"]
            path = page["next_uri"]
        return rows

    def by_message_id(self):
        """Its rows by our message id. A message that was posted twice fails the test."""
        rows = self.messages()
        ids = {row["message_id"]: row for row in rows}
        assert len(ids) == len(rows), "a message was posted twice"
        return ids

    def switch(self, **switches):
        """Sets delays ("500ms") and faults; see docs/simulator.md."""
        self._remember()
        answer = request(f"{self.url}/_sim/delays", "POST", urllib.parse.urlencode(switches),
                         {"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status == 200, answer

    def reset_switches(self):
        """Sets the switches as they were at the start, for messages on their way too."""
        self._remember()
        self.switch(**self._defaults)

    def _remember(self):
        if self._defaults is None:
            self._defaults = {
                name.removesuffix("_us"): _as_switch(name, value)
                for name, value in self._get("/_sim/delays").items()}

    def reset(self):
        """Forgets all messages and resets the switches."""
        self.reset_switches()
        assert request(f"{self.url}/_sim/reset", "POST").status == 204

    def wait_quiet(self, within=30):
        """Waits until no callback waits or is on its way."""
        wait_until(lambda: self.ledger()["callbacks_pending"] == 0, within,
                   "all callbacks are sent")


def _as_switch(name, value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value}us" if name.endswith("_us") else json.dumps(value)
