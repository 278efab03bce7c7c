"""The example of nginx in deploy/nginx, in front of the stack: TLS ends there."""

import json
import re
import socket
import subprocess

import pytest

from api import fresh_number
from cached import CACHE
from callbacks import new_sid, signature
from stack import TREE, clean_environment, wait_until

API, HOOK = "api.sms.example.com", "sms.example.com"
MAIN = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/smsq.conf;
}}
"""


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def certificate(folder, name):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
         "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"],
        check=True, capture_output=True, timeout=30)


def adapted(env, folder, http, https):
    """The example with this machine's ports and certificates."""
    text = (TREE / "deploy" / "nginx" / "smsq.conf").read_text()
    text = re.sub(r"\n *listen \[::\].*", "", text)
    return (text.replace("listen 443", f"listen 127.0.0.1:{https}")
            .replace("listen 80;", f"listen 127.0.0.1:{http};")
            .replace("127.0.0.1:8000", env["SMSQ_API_URL"].removeprefix("http://"))
            .replace("127.0.0.1:8001", env["SMSQ_RECEIVER_URL"].removeprefix("http://"))
            .replace("/etc/ssl/smsq", str(folder)))


class Proxy:
    def __init__(self, folder, http, https):
        self.folder = folder
        self.http = http
        self.https = https

    def curl(self, host, target, *words, scheme="https"):
        """Returns status and body of one request through nginx."""
        port = getattr(self, scheme)
        done = subprocess.run(
            ["curl", "-sS", "--cacert", self.folder / f"{host}.pem", "-w", "\n%{http_code}",
             "--resolve", f"{host}:{port}:127.0.0.1", "--path-as-is", *words,
             f"{scheme}://{host}:{port}{target}"],
            text=True, capture_output=True, timeout=30, check=True)
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body


@pytest.fixture(scope="module")
def proxy(system, tmp_path_factory):
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    for name in (API, HOOK):
        certificate(folder, name)
    found = Proxy(folder, free_port(), free_port())
    (folder / "smsq.conf").write_text(adapted(system.stack.env, folder, found.http, found.https))
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
    binary = CACHE / "tools" / "nginx" / "usr" / "sbin" / "nginx"
    with subprocess.Popen([binary, "-p", folder, "-c", folder / "nginx.conf",
                           "-e", folder / "error.log"], env=clean_environment(),
                          stdin=subprocess.DEVNULL) as nginx:
        try:
            wait_until(lambda: is_open(found.https) or nginx.poll() is not None, 30, "nginx is up")
            assert nginx.poll() is None, (folder / "error.log").read_text()
            yield found
        finally:
            nginx.terminate()


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_message_goes_through_tls(proxy, smsq, api):
    status, body = proxy.curl(
        API, "/sms/send", "-H", f"Authorization: Bearer {api.token}",
        "--json", json.dumps({"to": fresh_number(), "body": "Hello"}))
    assert status == 202, body
    api.wait_for(json.loads(body)["id"])


@pytest.mark.parametrize("query", ("", "?a=%2F%20b+c&d=%C3%BC", "?x=%2f..%2F&y="))
def test_a_callback_arrives_as_it_was_signed(proxy, smsq, query):
    env, target = smsq.stack.env, "/sms/webhook/status" + query
    form = {"MessageSid": new_sid(), "MessageStatus": "sent", "AccountSid": env["SMSQ_ACCOUNT_SID"]}
    signed = signature(env["SMSQ_AUTH_TOKEN"], env["SMSQ_PUBLIC_URL"] + target, form)
    words = [word for name, value in form.items()
             for word in ("--data-urlencode", f"{name}={value}")]
    assert proxy.curl(HOOK, target, *words, "-H", f"X-Twilio-Signature: {signed}")[0] == 204
    forged = ("B" if signed[0] == "A" else "A") + signed[1:]
    assert proxy.curl(HOOK, target, *words, "-H", f"X-Twilio-Signature: {forged}")[0] == 403


@pytest.mark.parametrize("host, target, scheme, status", (
    (HOOK, "/metrics", "https", 404),
    (HOOK, "/sms/send", "https", 404),
    (API, "/healthz", "https", 200),
    (API, "/sms/send", "http", 308),
    (HOOK, "/sms/webhook/status", "http", 308),
))
def test_what_is_let_through(proxy, host, target, scheme, status):
    assert proxy.curl(host, target, scheme=scheme)[0] == status


def test_a_large_body_ends_at_the_proxy(proxy):
    (proxy.folder / "large").write_bytes(100000 * b"x")
    assert proxy.curl(API, "/sms/send", "--data-binary", f"@{proxy.folder}/large")[0] == 413
