"""TLS: all programs through Kafka with SASL_SSL and PostgreSQL with verify-full."""

import contextlib
import json
import subprocess

import pytest

import secure
from api import Api, fresh_number, request
from stack import clean_environment, read_log, wait_until

ADMIN = {"smsq-producer": "producer", "smsq-worker": "worker",
         "smsq-status-consumer": "status", "smsq-webhook-receiver": "receiver",
         "smsq-scheduler": "scheduler"}


@pytest.fixture(scope="module")
def place(system, tmp_path_factory):
    """Certificates, a broker and a database that want TLS."""
    folder = tmp_path_factory.mktemp("secure")
    secure.make_certificates(folder)
    with secure.database_with_tls(system, folder), secure.SecureKafka(folder) as kafka:
        for name, authority in (("good.env", "ca.pem"), ("wrong.env", "other-ca.pem")):
            secure.write_environment(folder / name, brokers=kafka.brokers,
                                     database_url=system.stack.env["SMSQ_DATABASE_URL"],
                                     authority=folder / authority)
        yield folder, kafka


class Programs:
    """Programs of this test beside those of the stack."""

    def __init__(self, system, folder, env_file):
        self.stack, self.folder, self.env_file = system.stack, folder, env_file
        self.running = {}

    def start(self, name, *flags):
        log = (self.folder / f"{name}-{self.env_file.stem}.log").open("wb")
        self.running[name] = self.stack.program(
            name, f"--env-file={self.env_file}", f"--{ADMIN[name]}.admin_port=0", *flags,
            output=log)

    def lines(self, name):
        return read_log(self.folder / f"{name}-{self.env_file.stem}.log")

    def event(self, name, event):
        """The first line of that event."""
        found = wait_until(lambda: [line for line in self.lines(name) if line["event"] == event],
                           30, f"{name} logs {event}")
        return found[0]

    def readiness(self, name):
        port = self.event(name, "process_up")["admin_port"]
        return request(f"http://127.0.0.1:{port}/readyz")

    def stop(self):
        for one in self.running.values():
            one.terminate()
        for name, one in self.running.items():
            assert one.wait(timeout=60) == 0, (name, self.lines(name)[-5:])


@contextlib.contextmanager
def programs_with(system, folder, env_file):
    programs = Programs(system, folder, env_file)
    try:
        yield programs
        programs.stop()
    finally:
        for one in programs.running.values():
            if one.poll() is None:
                one.kill()
                one.wait(timeout=30)


def run_smsq(system, env_file, *arguments):
    return subprocess.run(
        [f"{system.stack.env['SMSQ_BIN']}/smsq", f"--config={system.stack.run}/smsq.cfg",
         f"--env-file={env_file}", *arguments], env=clean_environment(),
        capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


def test_a_message_travels_through_tls_alone(smsq, place):
    folder, kafka = place
    env_file = folder / "good.env"
    made = wait_until(lambda: run_smsq(smsq, env_file, "topics", "create").returncode == 0 or
                      not kafka.is_running(), 60, "the topics are made through TLS")
    assert made and kafka.is_running(), (folder / "kafka.log").read_text()[-2000:]
    with programs_with(smsq, folder, env_file) as programs:
        (port,) = secure.free_ports(1)
        programs.start("smsq-webhook-receiver", f"--receiver.port={port}",
                       f"--public.url=http://127.0.0.1:{port}")
        for name in ("smsq-worker", "smsq-producer"):
            more = ["--producer.port=0"] if name == "smsq-producer" else []
            programs.start(name, f"--public.url=http://127.0.0.1:{port}", *more)
        for name in ("smsq-status-consumer", "smsq-scheduler"):
            programs.start(name)
        for name in ADMIN:
            wait_until(lambda n=name: programs.readiness(n).status == 200, 60,
                       f"{name} is ready through TLS")

        producer = programs.event("smsq-producer", "producer_started")
        api = Api(f"http://127.0.0.1:{producer['port']}",
                  smsq.new_token("send_sms", "view_sms_history"))
        answer = api.send(to=fresh_number(), body="through TLS")
        assert answer.status == 202, answer
        assert api.wait_for(answer.json["id"])["status"] == "delivered"
        through = smsq.db.rows("select s.ssl from pg_stat_ssl s join pg_stat_activity a"
                               " using (pid) where a.application_name like 'smsq-%'"
                               " and s.ssl")
        assert len(through) >= 4
        for name in ADMIN:
            text = json.dumps(programs.lines(name))
            assert secure.PASSWORD not in text and smsq.stack.secret("database_password") not in text


def test_an_unknown_authority_is_told_and_nothing_crashes(smsq, place):
    folder, _ = place
    with programs_with(smsq, folder, folder / "wrong.env") as programs:
        programs.start("smsq-producer", "--producer.port=0")
        programs.start("smsq-worker")
        for name in ("smsq-producer", "smsq-worker"):
            wait_until(lambda n=name: "certificate" in json.dumps(programs.lines(n)), 30,
                       f"{name} logs what is wrong")
            wait_until(lambda n=name: "certificate" in programs.readiness(n).json["reason"], 30,
                       f"{name} says what is wrong")
            assert programs.readiness(name).status == 503
            assert programs.running[name].poll() is None


def test_print_config_hides_what_is_secret(smsq, place):
    folder, _ = place
    done = run_smsq(smsq, folder / "good.env", "--print-config")
    assert done.returncode == 0, done.stderr
    assert 'sasl_username = "smsq"' in done.stdout and "// sasl_password = ***" in done.stdout
    assert secure.PASSWORD not in done.stdout
    assert smsq.stack.secret("database_password") not in done.stdout
