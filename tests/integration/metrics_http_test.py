# SPDX-License-Identifier: MIT
"""metricsd's HTTP port: what HTTP requires of a server, request by request."""

import contextlib
import email.utils
import gzip
import re
import socket
import subprocess
import time

import pytest

import exposition
from auralis import HOST, WAIT_LIMIT_S
from metricsd_alone import Metricsd

HOST_LINE = "Host: localhost:9464\r\n"
END = "Connection: close\r\n\r\n"
LONG = 40_000
HEAD_DEADLINE_S = 5


@pytest.fixture(scope="module")
def metricsd():
    with Metricsd() as running:
        yield running


def connect(port, host=HOST):
    return socket.create_connection((host, port), timeout=WAIT_LIMIT_S)


def received(connection):
    """Everything received until the connection ends."""
    data = b""
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65_536):
            data += piece
    return data


def ask(port, request, host=HOST):
    with connect(port, host) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(request if isinstance(request, bytes) else request.encode("latin-1"))
        return received(connection)


class Reply:
    """One response at the beginning of `data`; `rest` is what follows it."""

    def __init__(self, data, head=False):
        top, separator, rest = data.partition(b"\r\n\r\n")
        assert separator, f"no whole head in {data[:200]!r}"
        first, *lines = top.decode("latin-1").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 (\d{3}) [ -~]*", first)
        assert match, first
        self.status = int(match[1])
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = 0 if head or self.status in (100, 204) else int(self.headers["content-length"])
        self.body, self.rest = rest[:length], rest[length:]
        assert len(self.body) == length


def test_only_this_machine_is_served_by_default():
    with Metricsd({"AURALIS_METRICSD_HOST": ""}) as metricsd:
        assert metricsd.get("/healthz").status == 200
        with pytest.raises(ConnectionRefusedError):
            connect(metricsd.port, "127.0.0.2")


GOOD = {
    "HTTP/1.1": f"GET /healthz HTTP/1.1\r\n{HOST_LINE}{END}",
    "HTTP/1.0 without Host, as HAProxy's httpchk": "GET /healthz HTTP/1.0\r\n\r\n",
    "HTTP/1.0 with Host": f"GET /healthz HTTP/1.0\r\n{HOST_LINE}\r\n",
    "empty Host": f"GET /healthz HTTP/1.1\r\nHost:\r\n{END}",
    "Host of IPv6": f"GET /healthz HTTP/1.1\r\nHost: [::1]:9464\r\n{END}",
    "absolute-form": f"GET http://localhost:9464/healthz HTTP/1.1\r\n{HOST_LINE}{END}",
    "absolute-form in capitals": f"GET HTTP://LOCALHOST/healthz HTTP/1.1\r\n{HOST_LINE}{END}",
    "absolute-form without a path": f"GET http://localhost:9464 HTTP/1.1\r\n{HOST_LINE}{END}",
    "absolute-form with a query alone": f"GET http://localhost?a=b HTTP/1.1\r\n{HOST_LINE}{END}",
    "query": f"GET /healthz?a=b&c=%20?/ HTTP/1.1\r\n{HOST_LINE}{END}",
    "encoded unreserved characters": f"GET /%68ealth%7a HTTP/1.1\r\n{HOST_LINE}{END}",
    "leading empty line": f"\r\nGET /healthz HTTP/1.1\r\n{HOST_LINE}{END}",
    "leading empty lines": f"\r\n\r\n\r\nGET /healthz HTTP/1.1\r\n{HOST_LINE}{END}",
    "later minor version": f"GET /healthz HTTP/1.2\r\n{HOST_LINE}{END}",
    "names and values in other cases": "GET /healthz HTTP/1.1\r\nhOST:localhost\r\nCONNECTION: Close\r\n\r\n",
    "spaces around a value": f"GET /healthz HTTP/1.1\r\nHost: \t localhost \t\r\n{END}",
    "empty value": f"GET /healthz HTTP/1.1\r\n{HOST_LINE}X-Empty:\r\n{END}",
    "Latin-1 in a value": f"GET /healthz HTTP/1.1\r\n{HOST_LINE}X-Name: caf\xe9\r\n{END}",
    "Accept-Encoding": f"GET /healthz HTTP/1.1\r\n{HOST_LINE}Accept-Encoding: gzip, br\r\n{END}",
    "Accept": f"GET /healthz HTTP/1.1\r\n{HOST_LINE}Accept: application/openmetrics-text;q=0.9,*/*;q=0.1\r\n{END}",
    "Range and conditions": f"GET /healthz HTTP/1.1\r\n{HOST_LINE}Range: bytes=0-0\r\nIf-None-Match: *\r\n{END}",
    "an upgrade that is not wanted": f"GET /healthz HTTP/1.1\r\n{HOST_LINE}Upgrade: h2c\r\nConnection: Upgrade, close\r\n\r\n",
    "body on GET": f"GET /healthz HTTP/1.1\r\n{HOST_LINE}Content-Length: 5\r\n{END}hello",
    "chunked body on GET": f"GET /healthz HTTP/1.1\r\n{HOST_LINE}Transfer-Encoding: chunked\r\n{END}"
    "5;x=y\r\nhello\r\n0\r\nTrailer: z\r\n\r\n",
    "a cookie of some length": f"GET /healthz HTTP/1.1\r\n{HOST_LINE}Cookie: {'c' * 8_000}\r\n{END}",
    "an expectation over HTTP/1.0": "GET /healthz HTTP/1.0\r\nExpect: 100-continue\r\n\r\n",
}


def test_each_alert_has_its_runbook(metricsd):
    answer = metricsd.get("/runbooks/DeadAir")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.startswith("## DeadAir\n") and "## SilenceOnAir" not in answer.text
    assert answer.text in metricsd.get("/runbooks").text
    assert metricsd.get("/runbooks/NoSuchAlert").status == 404


@pytest.mark.parametrize("request_text", GOOD.values(), ids=GOOD)
def test_requests_of_usual_clients_and_proxies_are_served(metricsd, request_text):
    reply = Reply(ask(metricsd.port, request_text))
    assert reply.status == 200, reply.body
    assert reply.rest == b""
    assert "content-encoding" not in reply.headers
    assert reply.headers["content-type"].startswith("text/")


REFUSED = {
    "HTTP/1.1 without Host": (400, f"GET /healthz HTTP/1.1\r\n{END}"),
    "two Hosts": (400, f"GET /healthz HTTP/1.1\r\n{HOST_LINE}{HOST_LINE}{END}"),
    "two Hosts in HTTP/1.0": (400, f"GET /healthz HTTP/1.0\r\n{HOST_LINE}{HOST_LINE}{END}"),
    "Host of two names": (400, f"GET /healthz HTTP/1.1\r\nHost: a, b\r\n{END}"),
    "Host with a path": (400, f"GET /healthz HTTP/1.1\r\nHost: a/b\r\n{END}"),
    "Host with a user": (400, f"GET /healthz HTTP/1.1\r\nHost: a@b\r\n{END}"),
    "Host with a port that is none": (400, f"GET /healthz HTTP/1.1\r\nHost: a:b\r\n{END}"),
    "space before a colon": (400, f"GET /healthz HTTP/1.1\r\nHost : a\r\n{END}"),
    "header without a colon": (400, f"GET /healthz HTTP/1.1\r\n{HOST_LINE}nonsense\r\n{END}"),
    "line feeds alone": (400, "GET /healthz HTTP/1.1\nHost: a\n\n"),
    "zero byte": (400, f"GET /healthz HTTP/1.1\r\n{HOST_LINE}X: a\0b\r\n{END}"),
    "no version": (400, "GET /healthz\r\n\r\n"),
    "a version that is none": (400, f"GET /healthz HTTP/x.y\r\n{HOST_LINE}{END}"),
    "HTTP/2's preface": (400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "a TLS hello": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200))),
    "HTTP/2.0": (505, f"GET /healthz HTTP/2.0\r\n{HOST_LINE}{END}"),
    "HTTP/3.0": (505, f"GET /healthz HTTP/3.0\r\n{HOST_LINE}{END}"),
    "HTTP/0.9": (505, f"GET /healthz HTTP/0.9\r\n{HOST_LINE}{END}"),
    "a path without a slash": (400, f"GET healthz HTTP/1.1\r\n{HOST_LINE}{END}"),
    "a fragment": (400, f"GET /healthz#a HTTP/1.1\r\n{HOST_LINE}{END}"),
    "half an encoding": (400, f"GET /healthz%7 HTTP/1.1\r\n{HOST_LINE}{END}"),
    "an encoding that is none": (400, f"GET /healthz%zz HTTP/1.1\r\n{HOST_LINE}{END}"),
    "another scheme": (400, f"GET ftp://localhost/healthz HTTP/1.1\r\n{HOST_LINE}{END}"),
    "absolute-form without a host": (400, f"GET http:///healthz HTTP/1.1\r\n{HOST_LINE}{END}"),
    "another path": (404, f"GET /nothing HTTP/1.1\r\n{HOST_LINE}{END}"),
    "an encoded slash": (404, f"GET /metrics%2F HTTP/1.1\r\n{HOST_LINE}{END}"),
    "an encoded zero": (404, f"GET /metrics%00 HTTP/1.1\r\n{HOST_LINE}{END}"),
    "a slash too many": (404, f"GET //metrics HTTP/1.1\r\n{HOST_LINE}{END}"),
    "a folder above": (404, f"GET /../etc/passwd HTTP/1.1\r\n{HOST_LINE}{END}"),
    "the asterisk of OPTIONS": (404, f"GET * HTTP/1.1\r\n{HOST_LINE}{END}"),
    "POST": (405, f"POST /metrics HTTP/1.1\r\n{HOST_LINE}Content-Length: 3\r\n{END}abc"),
    "PUT": (405, f"PUT /healthz HTTP/1.1\r\n{HOST_LINE}Content-Length: 0\r\n{END}"),
    "TRACE": (405, f"TRACE /healthz HTTP/1.1\r\n{HOST_LINE}{END}"),
    "CONNECT": (405, f"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n{END}"),
    "an unknown method": (501, f"BREW /healthz HTTP/1.1\r\n{HOST_LINE}{END}"),
    "a method in small letters": (501, f"get /healthz HTTP/1.1\r\n{HOST_LINE}{END}"),
    "a long method": (414, "G" * LONG),
    "a long target": (414, f"GET /{'x' * LONG} HTTP/1.1\r\n{HOST_LINE}{END}"),
    "a long header": (431, f"GET /healthz HTTP/1.1\r\n{HOST_LINE}X: {'x' * LONG}\r\n{END}"),
    "many headers": (431, f"GET /healthz HTTP/1.1\r\n{HOST_LINE}{'X: y' + chr(13) + chr(10)}" * 2_000 + END),
    "a long body": (413, f"GET /healthz HTTP/1.1\r\n{HOST_LINE}Content-Length: 9999999999\r\n{END}"),
    "a long chunk": (413, f"GET /healthz HTTP/1.1\r\n{HOST_LINE}Transfer-Encoding: chunked\r\n{END}fffffff\r\n"),
    "a length that is none": (400, f"GET /healthz HTTP/1.1\r\n{HOST_LINE}Content-Length: -1\r\n{END}"),
    "a signed length": (400, f"GET /healthz HTTP/1.1\r\n{HOST_LINE}Content-Length: +1\r\n{END}a"),
    "two lengths": (400, f"GET /healthz HTTP/1.1\r\n{HOST_LINE}Content-Length: 1\r\nContent-Length: 2\r\n{END}ab"),
    "length, then coding": (
        400,
        f"POST /healthz HTTP/1.1\r\n{HOST_LINE}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n{END}0\r\n\r\n",
    ),
    "coding, then length": (
        400,
        f"POST /healthz HTTP/1.1\r\n{HOST_LINE}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n{END}0\r\n\r\n",
    ),
    "a coding over HTTP/1.0": (400, f"GET /healthz HTTP/1.0\r\nTransfer-Encoding: chunked\r\n{END}0\r\n\r\n"),
    "another coding": (501, f"GET /healthz HTTP/1.1\r\n{HOST_LINE}Transfer-Encoding: gzip\r\n{END}"),
    "two codings": (501, f"GET /healthz HTTP/1.1\r\n{HOST_LINE}Transfer-Encoding: gzip, chunked\r\n{END}0\r\n\r\n"),
    "a chunk that is none": (400, f"GET /healthz HTTP/1.1\r\n{HOST_LINE}Transfer-Encoding: chunked\r\n{END}zz\r\n"),
    "another expectation": (417, f"GET /healthz HTTP/1.1\r\n{HOST_LINE}Expect: miracles\r\n{END}"),
}


@pytest.mark.parametrize(("status", "request_text"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_has_a_reason_and_affects_no_other_request(metricsd, status, request_text):
    began = time.monotonic()
    reply = Reply(ask(metricsd.port, request_text))
    assert reply.status == status, reply.body
    assert time.monotonic() - began < HEAD_DEADLINE_S, "answered only at a deadline"
    assert reply.rest == b"", "more than one answer to what was one request"
    assert reply.body.endswith(b".\n") or status == 404
    assert reply.headers["connection"] == "close"
    if status == 405:
        assert reply.headers["allow"] == "GET, HEAD, OPTIONS"
    assert metricsd.get("/healthz").status == 200


def test_head_is_get_without_its_body(metricsd):
    for path in ("/", "/healthz", "/readyz", "/metrics", "/nothing"):
        replies = {
            method: Reply(ask(metricsd.port, f"{method} {path} HTTP/1.1\r\n{HOST_LINE}{END}"), head=method == "HEAD")
            for method in ("GET", "HEAD")
        }
        get, head = replies["GET"], replies["HEAD"]
        assert head.rest == b""
        assert head.status == get.status
        for header in ("content-type", "cache-control", "connection"):
            assert head.headers[header] == get.headers[header]
        if path != "/metrics":  # whose values change
            assert head.headers["content-length"] == str(len(get.body))


def test_options_says_what_is_allowed(metricsd):
    # HAProxy's `option httpchk` without arguments sends the first of them.
    for request_text in (
        "OPTIONS / HTTP/1.0\r\n\r\n",
        f"OPTIONS /metrics HTTP/1.1\r\n{HOST_LINE}{END}",
        f"OPTIONS * HTTP/1.1\r\n{HOST_LINE}{END}",
    ):
        reply = Reply(ask(metricsd.port, request_text))
        assert (reply.status, reply.headers["allow"], reply.rest) == (204, "GET, HEAD, OPTIONS", b"")
        assert "content-length" not in reply.headers
    assert Reply(ask(metricsd.port, f"OPTIONS /nothing HTTP/1.1\r\n{HOST_LINE}{END}")).status == 404


def test_every_answer_has_a_date(metricsd):
    for request_text in (GOOD["HTTP/1.1"], REFUSED["two Hosts"][1], f"OPTIONS / HTTP/1.1\r\n{HOST_LINE}{END}"):
        date = Reply(ask(metricsd.port, request_text)).headers["date"]
        assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", date)
        assert abs(email.utils.parsedate_to_datetime(date).timestamp() - time.time()) < WAIT_LIMIT_S


def test_requests_that_follow_one_another_at_once_are_answered_in_order(metricsd):
    paths = ["/healthz", "/nothing", "/readyz", "/", "/healthz"] * 4
    sent = "".join(f"GET {path} HTTP/1.1\r\n{HOST_LINE}\r\n" for path in paths)
    body = "GET /secret HTTP/1.1\r\nHost: a\r\n\r\n"
    sent += f"POST / HTTP/1.1\r\n{HOST_LINE}Content-Length: {len(body)}\r\n\r\n{body}"
    rest = ask(metricsd.port, sent + f"GET /healthz HTTP/1.1\r\n{HOST_LINE}{END}GET / HTTP/1.1\r\n{HOST_LINE}\r\n")
    statuses = []
    while rest:
        reply = Reply(rest)
        statuses.append(reply.status)
        rest = reply.rest
    other = {"/nothing": 404, "/readyz": 503}  # it is alone
    assert statuses == [other.get(path, 200) for path in paths] + [405, 200]


def curl(port, *arguments):
    command = ["curl", "-sS", "--max-time", str(WAIT_LIMIT_S), *arguments, f"http://{HOST}:{port}/metrics"]
    return subprocess.run(command, capture_output=True, timeout=2 * WAIT_LIMIT_S, check=True).stdout


def test_what_is_long_is_compressed_where_the_client_wants_that(metricsd):
    plain = Reply(ask(metricsd.port, f"GET /metrics HTTP/1.1\r\n{HOST_LINE}{END}"))
    assert "content-encoding" not in plain.headers
    packed = Reply(ask(metricsd.port, f"GET /metrics HTTP/1.1\r\n{HOST_LINE}Accept-Encoding: br, gzip\r\n{END}"))
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept, Accept-Encoding"
    assert len(packed.body) < len(plain.body) / 2
    exposition.parse(gzip.decompress(packed.body).decode())
    head = Reply(ask(metricsd.port, f"HEAD / HTTP/1.1\r\n{HOST_LINE}Accept-Encoding: gzip\r\n{END}"), head=True)
    assert head.headers["content-encoding"] == "gzip" and int(head.headers["content-length"]) > 0
    exposition.parse(curl(metricsd.port, "--compressed").decode())


def test_the_format_is_that_of_prometheus_unless_openmetrics_is_asked_for(metricsd):
    for accept, openmetrics in (("application/openmetrics-text", True), ("application/json", False), ("*/*", False)):
        assert curl(metricsd.port, "-H", f"Accept: {accept}").endswith(b"\n# EOF\n") == openmetrics


def one_reply(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65_536)
        assert piece, data
        data += piece
    length = int(re.search(rb"(?i)content-length: (\d+)", data)[1])
    while len(data.partition(b"\r\n\r\n")[2]) < length:
        data += connection.recv(65_536)
    return Reply(data)


def test_a_connection_is_kept_as_its_client_wants_it(metricsd):
    with connect(metricsd.port) as connection:
        for _ in range(3):
            connection.sendall(f"GET /healthz HTTP/1.1\r\n{HOST_LINE}\r\n".encode())
            assert "connection" not in one_reply(connection).headers
        for _ in range(3):
            connection.sendall(b"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            assert one_reply(connection).headers["connection"] == "keep-alive"
        connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert one_reply(connection).headers["connection"] == "close"
        assert connection.recv(1) == b""


def test_a_body_is_awaited_before_the_answer_and_invited_if_the_client_wants_that(metricsd):
    with connect(metricsd.port) as connection:
        connection.sendall(
            f"GET /healthz HTTP/1.1\r\n{HOST_LINE}Content-Length: 5\r\nExpect: 100-Continue\r\n\r\n".encode()
        )
        assert connection.recv(1_000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hello")
        assert one_reply(connection).status == 200
        connection.sendall(f"GET /healthz HTTP/1.1\r\n{HOST_LINE}Expect: 100-continue\r\n\r\n".encode())
        assert one_reply(connection).status == 200  # without a body there is no 100
        big = f"GET /healthz HTTP/1.1\r\n{HOST_LINE}Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n"
        connection.sendall(big.encode())
        assert one_reply(connection).status == 413


def test_a_request_that_arrives_byte_by_byte_is_served(metricsd):
    with connect(metricsd.port) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in f"\r\nGET /healthz HTTP/1.1\r\n{HOST_LINE}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n":
            connection.sendall(byte.encode())
        assert one_reply(connection).status == 200


def test_a_client_that_closes_its_half_gets_its_answer(metricsd):
    with connect(metricsd.port) as connection:
        connection.sendall(f"GET /healthz HTTP/1.1\r\n{HOST_LINE}\r\n".encode())
        connection.shutdown(socket.SHUT_WR)
        assert Reply(received(connection)).status == 200
