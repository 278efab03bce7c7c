"""Receives webhooks and lets Twilio's library for Python judge them: 200 with empty TwiML for a good
signature, 403 for any other. The first line that it writes is its port."""

import http.server
import os
import urllib.parse

from twilio.request_validator import RequestValidator

VALIDATOR = RequestValidator(os.environ["TWILIO_AUTH_TOKEN"])
TWIML = b"<Response/>"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        params = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
        address = f"http://{self.headers['Host']}{self.path}"
        is_good = VALIDATOR.validate(address, params, self.headers["X-Twilio-Signature"])
        self.send_response(200 if is_good else 403)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(TWIML)))
        self.end_headers()
        self.wfile.write(TWIML)

    do_GET = do_POST

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
