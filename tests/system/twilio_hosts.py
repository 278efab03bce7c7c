"""A proxy that stands for Twilio's hosts: it ends TLS with a certificate of its own and passes
every byte on to a simulator. A client needs to know nothing but its proxy and its authority."""

import re
import select
import socket
import ssl
import threading

from secure import make_authority, openssl

HOSTS = ("api.twilio.com", "messaging.twilio.com", "pricing.twilio.com")
REQUEST = re.compile(rb"^(GET|POST|DELETE) (\S+) HTTP/1\.1\r\n")
SLICE_BYTES = 65536


def make_certificate(folder):
    """Files of an authority and of a server with all of Twilio's names."""
    make_authority(folder, "ca")
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=Twilio in a box")
    (folder / "names").write_text("subjectAltName=" + ",".join("DNS:" + h for h in HOSTS) + "\n")
    openssl(folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-out", "server.pem", "-days", "2", "-extfile", "names")
    return folder / "ca.pem"


class TwilioHosts:
    """requests: (method, host and path) of everything that came through."""

    def __init__(self, folder, port):
        self.authority = make_certificate(folder)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(folder / "server.pem", folder / "server.key")
        self.port, self.requests = port, []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def environment(self):
        """What the libraries of Python and Node read."""
        return {"HTTPS_PROXY": self.url, "REQUESTS_CA_BUNDLE": str(self.authority),
                "HTTP_PROXY": self.url, "NODE_EXTRA_CA_CERTS": str(self.authority)}

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = client.recv(1)
            if not byte:
                client.close()
                return
            head += byte
        host = head.split()[1].split(b":")[0].decode()
        if not head.startswith(b"CONNECT ") or host not in HOSTS:
            client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            client.close()
            return
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            self.pass_on(host, self.tls.wrap_socket(client, server_side=True))
        except OSError:
            client.close()

    def pass_on(self, host, client):
        with client, socket.create_connection(("127.0.0.1", self.port)) as server:
            while True:
                ready = [client] if client.pending() else select.select([client, server], [],
                                                                        [])[0]
                for source in ready:
                    data = source.recv(SLICE_BYTES)
                    if not data:
                        return
                    if source is client:
                        self.note(host, data)
                    (server if source is client else client).sendall(data)

    def note(self, host, data):
        """A request begins a slice: clients wait for each answer."""
        if found := REQUEST.match(data):
            self.requests.append((found[1].decode(), host + found[2].decode()))

    def close(self):
        self.listener.close()
