"""Kafka with SASL_SSL and the stack's PostgreSQL with TLS: certificates, broker, and
the environment file with which the programs reach both."""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import uuid

from stack import TREE, is_alive, wait_until

USER, PASSWORD = "smsq", "pass;word"  # a ; divides properties from each other
SERVER_PROPERTIES = """
listeners=SASL_SSL://127.0.0.1:{tls},PLAINTEXT://127.0.0.1:{plain},CONTROLLER://127.0.0.1:{control}
advertised.listeners=SASL_SSL://127.0.0.1:{tls},PLAINTEXT://127.0.0.1:{plain}
listener.security.protocol.map=SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.quorum.voters=1@127.0.0.1:{control}
log.dirs={folder}/data
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{password}";
ssl.keystore.type=PEM
ssl.keystore.location={folder}/keystore.pem
ssl.client.auth=none
"""


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True,
                   timeout=60)


def make_authority(folder, name):
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2",
            "-subj", f"/CN={name}")


def make_certificates(folder):
    """An authority, a server of 127.0.0.1 that it signed, and an authority that did not."""
    make_authority(folder, "ca")
    make_authority(folder, "other-ca")
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl(folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-out", "server.pem", "-days", "2", "-extfile", "names")
    (folder / "keystore.pem").write_text(
        (folder / "server.key").read_text() + (folder / "server.pem").read_text())


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def class_path():
    version = re.search(r"kafka_2\.13</artifactId>\s*<version>(.*)</version>",
                        (TREE / "deploy" / "kafka" / "pom.xml").read_text())[1]
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    sums = (TREE / "deploy" / "kafka" / "SHA256SUMS").read_text().splitlines()
    return ":".join(str(cache / "smsq" / f"kafka-{version}" / "libs" / line.split()[1].lstrip("*"))
                    for line in sums)


class SecureKafka:
    """A broker of its own with one listener for clients, SASL_SSL."""

    def __init__(self, folder):
        self.folder = folder
        tls, plain, control = free_ports(3)
        self.brokers = f"127.0.0.1:{tls}"
        given = SERVER_PROPERTIES.format(tls=tls, plain=plain, control=control, folder=folder,
                                         user=USER, password=PASSWORD)
        names = {line.partition("=")[0] for line in given.splitlines()}
        kept = [line for line in
                (TREE / "deploy" / "kafka" / "server.properties").read_text().splitlines()
                if line.partition("=")[0] not in names]
        (folder / "server.properties").write_text("\n".join(kept) + given)
        self.process = None

    def _java(self, *arguments, start=subprocess.Popen, **options):
        log4j = TREE / "deploy" / "kafka" / "log4j2.properties"
        with (self.folder / "kafka.log").open("ab") as log:
            return start(["java", "-Xms256m", "-Xmx512m", "-XX:-UsePerfData",
                          f"-Djava.io.tmpdir={self.folder}",
                          f"-Dlog4j2.configurationFile={log4j}", "-cp", class_path(),
                          *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                         **options)

    def __enter__(self):
        properties = str(self.folder / "server.properties")
        cluster = uuid.uuid4().hex[:22]
        self._java("kafka.tools.StorageTool", "format", "-t", cluster, "-c", properties,
                   start=subprocess.run, check=True, timeout=120)
        self.process = self._java("kafka.Kafka", properties)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(timeout=30)
        shutil.rmtree(self.folder / "data", ignore_errors=True)

    def is_running(self):
        return is_alive(self.process.pid)


@contextlib.contextmanager
def database_with_tls(system, certificates):
    """PostgreSQL takes a key and a certificate over while it runs."""
    data = (system.stack.run / "postgres").resolve() / "data"
    owner = data.stat()
    for name, source in (("server.crt", "server.pem"), ("server.key", "server.key")):
        shutil.copy(certificates / source, data / name)
        (data / name).chmod(0o600)
        os.chown(data / name, owner.st_uid, owner.st_gid)
    system.db.rows("alter system set ssl = on")
    system.db.rows("select pg_reload_conf()")
    wait_until(lambda: system.db.one("show ssl") == "on", 10, "PostgreSQL has TLS")
    try:
        yield
    finally:
        system.db.rows("alter system reset ssl")
        system.db.rows("select pg_reload_conf()")
        wait_until(lambda: system.db.one("show ssl") == "off", 10, "PostgreSQL is as before")


def write_environment(path, *, brokers, database_url, authority):
    """The environment file of programs that trust this authority only."""
    separator = "&" if "?" in database_url else "?"
    path.write_text(f"""\
# Written by a test.
SMSQ_KAFKA_BROKERS={brokers}
SMSQ_KAFKA_PROPERTIES='security.protocol=SASL_SSL; ssl.ca.location={authority}'
SMSQ_KAFKA_PROPERTIES_SASL_MECHANISMS=PLAIN
SMSQ_KAFKA_PROPERTIES_SASL_USERNAME="{USER}"
export SMSQ_KAFKA_PROPERTIES_SASL_PASSWORD='{PASSWORD}'  # a ; needs no second one here
SMSQ_DATABASE_URL={database_url}{separator}sslmode=verify-full&sslrootcert={authority}&channel_binding=require
""")
    path.chmod(0o600)
