"""The table of docs/reliability.md, section HTTP: requests, and what is answered to them.

An answer reads "202/204" where the producer says the first and the receiver the second;
"closed" is the end of the line.
"""

from raw_http import CHUNKED, GET, HOST, LENGTH, chunk, said

OK = "202/204"
BAD = "400, closed"


def line(text):
    """The request that is accepted, with another request line."""
    return lambda site: site.post(line=text.format(path=site.path))


def fields(*more):
    return lambda site: site.post(fields=[*site.fields, *more])


def framing(*lines):
    return lambda site: site.post(*lines)


def raw_field(text):
    """A field in which anything may stand, or its line end."""
    return lambda site: site.post().replace(b"\r\n", b"\r\n" + text, 1)


def body(*parts):
    return lambda site: site.chunked(*parts)


def padded(site):
    """The accepted request with a body of the largest size."""
    blank = b" " if site.name == "producer" else b"&"
    return site.post(body=site.body.ljust(site.body_max, blank))


def without_host(site):
    return site.post(fields=site.fields[1:])


def bare(which):
    """One of the line ends is a line feed alone: of the first line, of a field, of all."""
    def build(site):
        head, _, rest = site.post().partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        ends = [b"\n" if which in (n, "all") else b"\r\n" for n in range(len(lines))]
        last = b"\n" if which == "all" else b"\r\n"
        return b"".join(map(b"".join, zip(lines, ends))) + last + rest
    return build


ROWS = {
    # what is well formed is answered, in order
    "one request": (OK, lambda s: s.post()),
    "three requests in one write": (f"{OK}, 200, {OK}", lambda s: s.post() + GET + s.post()),
    "1 000 pipelined requests": ("1000 × 200", lambda s: 1000 * GET),
    "an empty line before the request": (OK, lambda s: b"\r\n" + s.post()),
    "chunks, with extensions and trailers": (OK, lambda s: s.chunked(
        chunk(s.body[:9], b";a=b"), chunk(s.body[9:]), b"0;c\r\nX-Sum: 1\r\n\r\n")),
    "a body of the largest size": (OK, padded),
    "a whole URL as target": (OK, line("POST http://test{path} HTTP/1.1")),
    "HTTP/1.0": (f"{OK}, closed", line("POST {path} HTTP/1.0")),
    "Connection: close": (f"{OK}, closed", fields("Connection: close")),
    "HEAD": ("200 without body", lambda s: said("HEAD /healthz HTTP/1.1", HOST)),
    "OPTIONS": ("204 with Allow", lambda s: said(s.line("OPTIONS"), HOST)),
    "OPTIONS *": ("204 with Allow", lambda s: said("OPTIONS * HTTP/1.1", HOST)),
    # what no route takes
    "an unknown path": ("404", line("POST /nowhere HTTP/1.1")),
    "another method": ("405 with Allow", line("PUT {path} HTTP/1.1")),
    "an unknown method": ("405 with Allow", line("BREW {path} HTTP/1.1")),
    "TRACE": ("405 with Allow", line("TRACE {path} HTTP/1.1")),
    "CONNECT": ("405 with Allow, closed", line("CONNECT test:443 HTTP/1.1")),
    "another media type": ("415 with Accept-Post", lambda s: s.post(
        fields=[*s.fields[:2], "Content-Type: text/plain"])),
    "no media type": ("415 with Accept-Post", lambda s: s.post(fields=s.fields[:2])),
    "a compressed body": ("415 with Accept-Post", fields("Content-Encoding: gzip")),
    # expectations
    "Expect, for a body too large": ("413, closed", lambda s: s.post(
        "Expect: 100-continue", LENGTH.format(s.body_max + 1), body=b"")),
    "Expect, for an unknown path": ("404, closed", lambda s: s.post(
        "Expect: 100-continue", LENGTH.format(9), line="POST /nowhere HTTP/1.1", body=b"")),
    "another expectation": ("417, closed", fields("Expect: tea")),
    # sizes
    "a length too large by one": ("413, closed", lambda s: s.post(
        LENGTH.format(s.body_max + 1))),
    "a length beyond all measure": ("413, closed", framing(LENGTH.format(2**63 - 1))),
    "chunks too large by one": ("413, closed", lambda s: s.chunked(
        chunk(s.body_max * b"x"), chunk(b"x"), b"0\r\n\r\n")),
    "a chunk that will be too large": ("413, closed", body(b"fffffff\r\n")),
    "a target of 9 000 bytes": ("414, closed", lambda s: s.post(
        line=f"POST {s.path}?{9000 * 'q'} HTTP/1.1")),
    "a target without end": ("414, closed", lambda s: b"GET /" + 1000000 * b"q"),
    "a header of 16 400 bytes": ("431, closed", fields(f"X-Long: {16400 * 'x'}")),
    "a header without end": ("431, closed", lambda s: GET[:-2] + b"X: " + 1000000 * b"x"),
    "101 header fields": ("431, closed", fields(*(98 * ["X: y"]))),
    # the request line
    "no version": (BAD, line("POST {path}")),
    "a version in small letters": (BAD, line("POST {path} http/1.1")),
    "a version of two digits": (BAD, line("POST {path} HTTP/1.10")),
    "HTTP/2": ("505, closed", lambda s: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "two blanks in the request line": (BAD, line("POST  {path} HTTP/1.1")),
    "a tab in the request line": (BAD, line("POST\t{path} HTTP/1.1")),
    "a blank in the target": (BAD, line("POST {path} x HTTP/1.1")),
    "a method that is no token": (BAD, line("PO(ST {path} HTTP/1.1")),
    "TLS on a port without it": (BAD, lambda s: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "a NUL in the target": (BAD, line("POST {path}\0x HTTP/1.1")),
    "an escaped NUL in the target": (BAD, line("POST {path}%00 HTTP/1.1")),
    "a broken escape": (BAD, line("POST {path}%4 HTTP/1.1")),
    "a dot segment": (BAD, line("POST /x/..{path} HTTP/1.1")),
    "an escaped dot segment": (BAD, line("POST /x/%2e%2E{path} HTTP/1.1")),
    "a backslash": (BAD, line("POST /x\\..{path} HTTP/1.1")),
    "a path that is not UTF-8": (BAD, line("POST {path}%c0%ae HTTP/1.1")),
    "a fragment": (BAD, line("POST {path}#x HTTP/1.1")),
    "* for another method": (BAD, line("POST * HTTP/1.1")),
    # header fields
    "a bare line feed after the request line": (BAD, bare(0)),
    "a bare line feed after a field": (BAD, bare(2)),
    "only bare line feeds": (BAD, bare("all")),
    "a bare carriage return": (BAD, raw_field(b"X: a\rb\r\n")),
    "a NUL in a value": (BAD, raw_field(b"X: a\0b\r\n")),
    "a NUL in a name": (BAD, raw_field(b"X\0: a\r\n")),
    "a control character in a value": (BAD, raw_field(b"X: \x1b[31m\r\n")),
    "a folded field": (BAD, raw_field(b"X: a\r\n b\r\n")),
    "a blank before the first field": (BAD, raw_field(b" X: a\r\n")),
    "a blank before the colon": (BAD, raw_field(b"X : a\r\n")),
    "no colon": (BAD, raw_field(b"nothing\r\n")),
    "no name": (BAD, raw_field(b": a\r\n")),
    "no Host": (BAD, without_host),
    "two Hosts": (BAD, fields("Host: other")),
    "a Host that is none": (BAD, lambda s: s.post(fields=["Host: a/b", *s.fields[1:]])),
    "two credentials": (BAD, fields("Authorization: a", "Authorization: b")),
    # where the body ends
    "two lengths": (BAD, lambda s: s.post(LENGTH.format(len(s.body)), LENGTH.format(5))),
    "the same length twice": (BAD, lambda s: s.post(*2 * [LENGTH.format(len(s.body))])),
    "a list of lengths": (BAD, framing("Content-Length: 5, 5")),
    "a length with a sign": (BAD, framing("Content-Length: +5")),
    "a negative length": (BAD, framing("Content-Length: -5")),
    "a length in hexadecimal": (BAD, framing("Content-Length: 0x5")),
    "a length that is no number": (BAD, framing("Content-Length: five")),
    "an empty length": (BAD, framing("Content-Length:")),
    "a length above 63 bits": (BAD, framing(LENGTH.format(2**64))),
    "a blank before the colon of the length": (BAD, framing("Content-Length : 5")),
    "a length and chunks": (BAD, framing(LENGTH.format(5), CHUNKED)),
    "chunks and a length": (BAD, framing(CHUNKED, LENGTH.format(5))),
    "chunks twice": (BAD, framing(CHUNKED, CHUNKED)),
    "chunked, chunked": (BAD, framing("Transfer-Encoding: chunked, chunked")),
    "gzip, chunked": (BAD, framing("Transfer-Encoding: gzip, chunked")),
    "chunked, identity": (BAD, framing("Transfer-Encoding: chunked, identity")),
    "an unknown encoding": (BAD, framing("Transfer-Encoding: xchunked")),
    "a vertical tab before chunked": (BAD, framing("Transfer-Encoding: \x0bchunked")),
    "a blank before the colon of the encoding": (BAD, framing("Transfer-Encoding : chunked")),
    "chunks in HTTP/1.0": (BAD, lambda s: s.post(CHUNKED, line=s.line(version="HTTP/1.0"))),
    # chunks
    "a chunk size with a sign": (BAD, body(b"+5\r\nhello\r\n0\r\n\r\n")),
    "a chunk size with 0x": (BAD, body(b"0x5\r\nhello\r\n0\r\n\r\n")),
    "a chunk size of 17 digits": (BAD, body(b"00000000000000005\r\nhello\r\n0\r\n\r\n")),
    "a blank behind the chunk size": (BAD, body(b"5 \r\nhello\r\n0\r\n\r\n")),
    "no chunk size": (BAD, body(b"\r\nhello\r\n0\r\n\r\n")),
    "a bare line feed after the chunk size": (BAD, body(b"5\nhello\r\n0\r\n\r\n")),
    "a bare line feed in an extension": (BAD, body(b"5;a\nb\r\nhello\r\n0\r\n\r\n")),
    "data longer than the chunk": (BAD, body(b"4\r\nhello\r\n0\r\n\r\n")),
    "data shorter than the chunk": (BAD, body(b"6\r\nhello\r\n0\r\n\r\n")),
    "a bare line feed at the end of the chunks": (BAD, body(b"5\r\nhello\r\n0\r\n\n")),
    "an extension of 2 000 bytes": (BAD, body(chunk(b"hello", b";" + 2000 * b"x"))),
    "trailers of 2 000 bytes": (BAD, body(b"0\r\nX: " + 2000 * b"x")),
    "a trailer that is no field": (BAD, body(b"0\r\nnothing\r\n\r\n")),
}
