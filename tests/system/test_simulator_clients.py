"""Twilio's official libraries, unchanged, against the simulator: every operation, every refusal,
and their judgement of the signatures on webhooks."""

import os
import re
import subprocess

import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from cached import NODE_MODULES, PYTHON_FOLDER
from simulator import ACCOUNT, FROM, TOKEN, TREE, Simulator
from twilio_description import operations
from twilio_hosts import TwilioHosts

CLIENTS = TREE / "tests/clients"
PAGE = TREE / "docs/simulator_api.md"
PYTHON = ["/usr/bin/python3", CLIENTS / "client.py"]
NEW_PYTHON = {"PYTHONPATH": str(PYTHON_FOLDER)}
NODE, NODE_PACKAGES = ["node", CLIENTS / "client.js"], {"NODE_PATH": str(NODE_MODULES)}
# What the simulator serves beyond the descriptions that are kept here.
ACCOUNTS, SERVICES = "/2010-04-01/Accounts/{}", "/v1/Services/{}"
BEYOND = {(method, path) for methods, path in (
    ("GET POST", ACCOUNTS + "/Keys.json"), ("GET POST DELETE", ACCOUNTS + "/Keys/{}.json"),
    ("GET", ACCOUNTS + "/SMS/ShortCodes.json"), ("GET POST", ACCOUNTS + "/SMS/ShortCodes/{}.json"),
    ("GET POST", SERVICES + "/ShortCodes"), ("GET DELETE", SERVICES + "/ShortCodes/{}")
) for method in methods.split()}


@pytest.fixture
def sim(tmp_path):
    simulator = Simulator(tmp_path, sent_delay="0s", delivered_delay="0s", queued_delay="0s",
                          senders=f"{FROM},12345,SHOP")
    yield simulator
    assert simulator.stop() == 0


def run(command, environment):
    clean = {k: v for k, v in os.environ.items() if "PROXY" not in k.upper()}
    done = subprocess.run(
        command, timeout=120, text=True, capture_output=True, stdin=subprocess.DEVNULL,
        env={**clean, "TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN,
             "PYTHONDONTWRITEBYTECODE": "1", **environment}, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pattern_of(address):
    path = address[address.index("/"):].split("?")[0]
    return re.sub(r"\b[A-Z]{2}[0-9a-f]{32}\b", "{}", path).replace("/US", "/{}")


@pytest.mark.parametrize("command,environment", [(PYTHON, NEW_PYTHON), (NODE, NODE_PACKAGES)],
                         ids=["python", "node"])
def test_an_unchanged_program_does_every_operation(tmp_path, sim, command, environment):
    hosts = TwilioHosts(tmp_path, int(sim.url.rsplit(":", 1)[1]))
    try:
        run(command, {**hosts.environment, **environment, "SIMULATOR_URL": sim.url})
    finally:
        hosts.close()
    asked = {(method, pattern_of(address)) for method, address in hosts.requests}
    described = {(method, re.sub(r"{\w+}", "{}", path)) for method, path in operations()}
    assert (described | BEYOND) - asked == set()


def example(language, sim):
    """The manual's HTTP client in that language, for this simulator."""
    code, = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert code.count("127.0.0.1:8002") == 1
    return code.replace("127.0.0.1:8002", sim.url.removeprefix("http://"))


def test_the_example_for_python_does_every_operation_with_debians_library(tmp_path, sim):
    (tmp_path / "local_twilio.py").write_text(f"A, T = {ACCOUNT!r}, {TOKEN!r}\n"
                                              + example("python", sim))
    assert "twilio 7." in run(PYTHON, {"PYTHONPATH": str(tmp_path), "LOCAL_TWILIO": "yes"})


def test_the_example_for_node_does_every_operation(tmp_path, sim):
    local = tmp_path / "local_twilio.js"
    local.write_text(f"const A = {ACCOUNT!r}, T = {TOKEN!r};\n" + example("js", sim)
                     + "module.exports = LocalTwilio;\n")
    run(NODE, {**NODE_PACKAGES, "LOCAL_TWILIO": str(local)})


# --- what goes wrong on order ---

@pytest.fixture
def messages(sim):
    """The messages of a client of Debian's library, made as the manual's example says."""
    names = {"A": ACCOUNT, "T": TOKEN}
    exec(example("python", sim), names)
    return names["client"].messages


@pytest.mark.parametrize("to,status,code", [
    ("+15005559006", 500, 20500), ("+15005559007", 502, 502), ("+14155550100", 429, 20429)])
def test_the_library_sees_the_error_that_was_ordered(sim, messages, to, status, code):
    sim.ask("POST", "/_sim/faults", {"kind": "error", "status": 429, "error_code": 20429,
                                     "to": "+14155550100"}, user=None)
    with pytest.raises(TwilioRestException) as raised:
        messages.create(to=to, from_=FROM, body="Hello")
    assert (raised.value.status, raised.value.code) == (status, code)
    assert sim.ledger()["creates"] == 0


@pytest.mark.parametrize("to,creates", [("+15005559003", 1), ("+15005559004", 0)])
def test_the_library_cannot_know_whether_a_cut_request_was_accepted(sim, messages, to, creates):
    with pytest.raises(requests.exceptions.ConnectionError):
        messages.create(to=to, from_=FROM, body="Hello")
    assert sim.ledger()["creates"] == creates
    assert len(messages.list(to=to)) == creates


@pytest.mark.parametrize("to,status,code", [("+15005559030", "failed", 30008),
                                            ("+15005559031", "undelivered", 30003)])
def test_the_library_sees_how_a_message_ends(sim, messages, to, status, code):
    sid = messages.create(to=to, from_=FROM, body="Hello").sid
    sim.wait_status(sid, status)
    assert messages(sid).fetch().error_code == code


# --- webhooks ---

# What stands in addresses, as people write them into a status callback.
ODD = ["/", "/a?b=c&d=e", "/a?empty=&flag", "/a?x=a+b&y=a%20b", "/a?same=1&same=2",
       "/a%2Fb;v=1/~c?q=a%2Fb", "/a?who=%C3%A9%F0%9F%91%8B", "/a?u=https://b.example/?c=d",
       "/a?sig=a=b==&t='(!*)", "/a?b=c#rc=0&rp=4xx"]
JUDGES = {"python": (["/usr/bin/python3", CLIENTS / "webhooks.py"], NEW_PYTHON),
          "python-debian": (["/usr/bin/python3", CLIENTS / "webhooks.py"], {}),
          "node": (["node", CLIENTS / "webhooks.js"], NODE_PACKAGES)}


@pytest.fixture(scope="module", params=JUDGES)
def judge(request):
    """The address of a site on which a library judges the signatures."""
    command, environment = JUDGES[request.param]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "TWILIO_AUTH_TOKEN": TOKEN, **environment})
    yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    process.kill()
    process.wait()


def test_the_libraries_accept_every_status_callback(sim, judge):
    for address in ODD:
        sim.create(Body="Grüße 👋 & more=1+1", StatusCallback=judge + address)
        sim.create(MessagingServiceSid="MG" + "3" * 32, StatusCallback=judge + address)
    ledger = sim.wait_ledger(callbacks_pending=0, callbacks_sent=5 * len(ODD))
    assert ledger["callbacks_failed"] == 0


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_libraries_accept_every_inbound_message(sim, judge, method):
    numbers = f"/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers"
    number = sim.ask("GET", numbers + ".json").json["incoming_phone_numbers"][0]
    for address in ODD:
        sim.ask("POST", f"{numbers}/{number['sid']}.json",
                {"SmsUrl": judge + address, "SmsMethod": method})
        for body in ("Hello", "Grüße 👋\nline=2&b+c;'\"%20", ""):
            heard = sim.ask("POST", "/_sim/inbound", {
                "from": "+14155550142", "to": FROM, "body": body,
                "media": "https://example.com/a.jpg"}, user=None).json
            assert (heard["webhook_status"], heard["errors"]) == (200, []), (address, body)


def test_the_libraries_refuse_a_wrong_signature(sim, judge):
    sim.ask("POST", "/_sim/faults", {"kind": "wrong_signature", "status_is": "sent"}, user=None)
    sim.create(StatusCallback=judge + "/a?b=c#rc=0")
    sim.wait_ledger(callbacks_sent=1, callbacks_failed=1, callbacks_pending=0)
