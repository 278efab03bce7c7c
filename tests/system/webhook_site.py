"""A web site for inbound messages: remembers what it was asked and answers as told."""

import http.server
import threading
import urllib.parse

TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response>{}</Response>'


class Hit:
    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers = method, target, headers
        pairs = body if method == "POST" else urllib.parse.urlsplit(target).query
        self.params = dict(urllib.parse.parse_qsl(pairs, keep_blank_values=True))
        self.path = urllib.parse.urlsplit(target).path


class WebhookSite:
    """answers: path -> (status, content type or None, body); others get an empty Response."""

    def __init__(self):
        site = self
        self.hits = []
        self.answers = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                size = int(self.headers.get("Content-Length", 0))
                hit = Hit(self.command, self.path, self.headers,
                          self.rfile.read(size).decode())
                site.hits.append(hit)
                status, kind, body = site.answers.get(hit.path,
                                                      (200, "text/xml", TWIML.format("")))
                data = body.encode()
                self.send_response(status)
                if kind:
                    self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def twiml(self, path, inner):
        self.answers[path] = (200, "text/xml", TWIML.format(inner))

    def close(self):
        self.server.shutdown()
        self.server.server_close()
