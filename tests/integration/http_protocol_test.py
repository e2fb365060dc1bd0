# SPDX-License-Identifier: MIT
"""HTTP as clients and proxies use it (RFC 9110, RFC 9112): versions, forms of requests, and refusals."""

import contextlib
import email.utils
import http.client
import socket

import pytest

from auralis import HOST, WAIT_LIMIT_S, raw_request
from plain_http import WAV_HEADER_BYTES, is_sound
from raw_listener import upgrade_request

HEARD_BYTES = 200_000

pytestmark = pytest.mark.usefixtures("balanced")


class Raw:
    """The response to bytes sent unchanged."""

    def __init__(self, stack, data):
        head, _, self.body = raw_request(stack.stream_port, data).partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        self.version, code, self.phrase = status.split(" ", 2)
        self.status = int(code)
        self.headers = http.client.HTTPMessage()
        for line in lines:
            name, _, value = line.partition(":")
            self.headers[name] = value.strip()


def heard(stack, request, count=HEARD_BYTES):
    """The response's head, and at least that many bytes of its body, as received."""
    with socket.create_connection((HOST, stack.stream_port), timeout=WAIT_LIMIT_S) as connection:
        connection.sendall(request)
        received = b""
        while len(received.partition(b"\r\n\r\n")[2]) < count:
            piece = connection.recv(65_536)
            assert piece, f"it ended after {received[:500]!r}"
            received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    return head.decode(), body


# The requests that these send by default: nginx's proxy_pass, HAProxy's httpchk, curl --http1.0, MPlayer.
NGINX = b"GET %s HTTP/1.0\r\nHost: auralis_upstream\r\nConnection: close\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n"


@pytest.mark.parametrize(
    "request_text",
    [
        NGINX % b"/listen/default.wav",
        b"GET /listen/default.wav HTTP/1.0\r\nHost: 127.0.0.1:8000\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n",
        b"GET /listen/default.wav HTTP/1.0\r\n\r\n",
        b"GET /listen/default.wav HTTP/1.0\r\nConnection: keep-alive\r\nRange: bytes=0-\r\n\r\n",
    ],
    ids=["nginx", "curl", "without a host", "keep-alive"],
)
def test_a_client_of_http_1_0_hears_the_stream_without_chunked_coding(stack, request_text):
    head, body = heard(stack, request_text)
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert "transfer-encoding" not in head.lower() and "Connection: close" in head
    # Complete from the first byte: RIFF, then audio shared by two listeners of either version.
    assert is_sound(body)
    chunked = http.client.HTTPConnection(HOST, stack.stream_port, timeout=WAIT_LIMIT_S)
    chunked.request("GET", "/listen/default.wav")
    other = chunked.getresponse()
    assert other.headers["Transfer-Encoding"] == "chunked"
    assert is_sound(other.read(HEARD_BYTES))
    chunked.close()


def test_both_versions_get_the_same_bytes(stack):
    with contextlib.ExitStack() as cleanup:
        bodies = []
        for version in (b"1.0", b"1.1"):
            connection = cleanup.enter_context(socket.create_connection((HOST, stack.stream_port), timeout=WAIT_LIMIT_S))
            connection.sendall(b"GET /listen/default.wav HTTP/%s\r\nHost: x\r\n\r\n" % version)
            response = http.client.HTTPResponse(connection)
            response.begin()
            bodies.append((response, bytearray()))
        for _ in range(20):
            for response, body in bodies:
                body += response.read(17_640)
        old, new = (bytes(body) for _, body in bodies)
    sound = new[100_000:150_000]
    assert (old.index(sound) - WAV_HEADER_BYTES) % 4 == 0


def test_the_end_of_the_connection_ends_a_stream_of_http_1_0(stack, restart_streamd):
    with socket.create_connection((HOST, stack.stream_port), timeout=WAIT_LIMIT_S) as connection:
        connection.sendall(NGINX % b"/listen/default.wav")
        received = connection.recv(65_536)  # it is a listener by now
        restart_streamd()
        while piece := connection.recv(65_536):
            received += piece
        assert not received.endswith(b"0\r\n\r\n") and is_sound(received.partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize(
    "request_text",
    [
        b"GET /healthz HTTP/1.0\r\n\r\n",
        b"OPTIONS / HTTP/1.0\r\n\r\n",
        b"HEAD /readyz HTTP/1.0\r\n\r\n",
        b"GET /healthz HTTP/1.0\nUser-Agent: x\n\n",
        b"\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost:\r\n\r\n",
        b"GET /healthz HTTP/1.2\r\nHost: x\r\n\r\n",
        b"GET /%68ealth%7a HTTP/1.1\r\nhOST: my_upstream:8000\r\n\r\n",
        b"GET http://radio.example/healthz?a=b HTTP/1.1\r\nHost: radio.example\r\n\r\n",
        b"GET http://radio.example HTTP/1.1\r\nHost: radio.example\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"x\"\r\nIf-Modified-Since: Sat, 1 Jan 2000 00:00:00 GMT\r\n\r\n",
    ],
)
def test_requests_of_ordinary_clients_and_health_checks_are_served(stack, request_text):
    answer = Raw(stack, request_text)
    assert answer.status == (204 if request_text.startswith(b"OPTIONS") else 200)
    assert email.utils.parsedate_to_datetime(answer.headers["Date"])
    assert (answer.body == b"") == (not request_text.lstrip().startswith(b"GET"))


@pytest.mark.parametrize(
    "status, request_text",
    [
        (400, b"GET /healthz HTTP/1.1\r\n\r\n"),
        (400, b"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"),
        (400, b"GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n"),
        (400, b"GET /healthz HTTP/1.1\r\nHost: x:99999\r\n\r\n"),
        (400, b"GET /healthz\r\n\r\n"),
        (400, b"GET HTTP/1.1\r\nHost: x\r\n\r\n"),
        (400, b"GET healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
        (400, b"GET /health z HTTP/1.1\r\nHost: x\r\n\r\n"),
        (400, b"G{T / HTTP/1.1\r\nHost: x\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost : x\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n"),
        (400, b"POST /api/control HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}"),
        (400, b"POST /api/control HTTP/1.1\r\nHost: x\r\nContent-Length: -2\r\n\r\n{}"),
        (400, b"POST /api/control HTTP/1.1\r\nHost: x\r\nContent-Length: two\r\n\r\n{}"),
        (400, b"POST /api/control HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}"),
        (411, b"POST /api/control HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        (413, b"POST /api/control HTTP/1.1\r\nHost: x\r\nContent-Length: 4097\r\n\r\n"),
        (413, b"POST /api/control HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n"),
        (431, b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 9_000 + b"\r\n\r\n"),
        (501, b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n"),
        (501, b"POST /api/control HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
        (405, b"DELETE / HTTP/1.1\r\nHost: x\r\n\r\n"),
        (505, b"GET / HTTP/2.0\r\nHost: x\r\n\r\n"),
        (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ],
)
def test_a_refusal_says_why_in_every_part(stack, status, request_text):
    answer = Raw(stack, request_text)
    assert answer.status == status and answer.phrase, "a reason phrase"
    assert len(answer.body) == int(answer.headers["Content-Length"]) > 10, "a sentence"
    assert email.utils.parsedate_to_datetime(answer.headers["Date"])
    assert answer.headers["Connection"] == "close"
    if status == 405:
        assert answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/status", "/listen/none.wav", "/none", "/api/control", "/api/listeners"])
def test_head_is_get_without_a_body(stack, path):
    get, head = (Raw(stack, b"%s %s HTTP/1.1\r\nHost: x\r\n\r\n" % (method, path.encode())) for method in (b"GET", b"HEAD"))
    assert (head.status, head.body) == (get.status, b"") and get.body
    for name in ("Content-Type", "Allow", "Connection"):
        assert head.headers[name] == get.headers[name], name
    assert int(head.headers["Content-Length"]) > 0


def test_a_client_that_expects_100_continue_gets_it(stack):
    body = b'{"type": "select_preset", "preset": "sleep"}'
    request = b"POST /api/control HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
    with socket.create_connection((HOST, stack.stream_port), timeout=WAIT_LIMIT_S) as connection:
        connection.sendall(request % len(body))
        answer = connection.makefile("rb")
        assert answer.readline() == b"HTTP/1.1 100 Continue\r\n" and answer.readline() == b"\r\n"
        connection.sendall(body)
        assert answer.readline() == b"HTTP/1.1 200 OK\r\n"
    # A client whose body would be refused need not send it; one that has sent it gets no 100.
    assert Raw(stack, request % 5_000).status == 413
    assert Raw(stack, request % len(body) + body).status == 200
    assert Raw(stack, (request % len(body) + body).replace(b"HTTP/1.1", b"HTTP/1.0")).status == 200


def test_an_upgrade_is_what_rfc_6455_says(stack, connect_raw):
    firefox = upgrade_request("/ws/stream", {"Connection": "keep-alive, Upgrade", "Upgrade": "WebSocket"})
    lines = firefox.replace(b"Sec-WebSocket-Protocol: auralis.pcm.v1", b"sec-websocket-protocol: x\r\nSEC-WEBSOCKET-PROTOCOL: auralis.pcm.v1")
    for request in (firefox, lines):
        head, _ = heard(stack, request, 1)
        assert head.startswith("HTTP/1.1 101 ") and "\r\nDate: " in head
        assert "Sec-WebSocket-Protocol: auralis.pcm.v1" in head
    for request in (
        b"GET /ws/stream HTTP/1.1\r\nHost: x\r\n\r\n",
        firefox.replace(b"HTTP/1.1", b"HTTP/1.0"),
        firefox.replace(b"GET ", b"POST ", 1),
    ):
        answer = Raw(stack, request)
        assert (answer.status, answer.headers["Upgrade"]) == (426, "websocket")
        assert "Upgrade" in answer.headers["Connection"] and answer.body
    for wrong in (b"Sec-WebSocket-Version: 13\r\n", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"):
        answer = Raw(stack, firefox.replace(wrong, b""))
        assert (answer.status, bool(answer.body)) == (400, True)
        answer = Raw(stack, firefox.replace(wrong, wrong.replace(b"3", b"2").replace(b"d", b"")))
        assert (answer.status, bool(answer.body)) == (400, True)


def test_a_playlist_is_playable_whatever_the_client_calls_the_server(stack):
    def address(request_text):
        return Raw(stack, request_text).body.decode().splitlines()[2]

    assert address(b"GET /listen/default.m3u HTTP/1.0\r\n\r\n") == "default.opus", "beside the playlist itself"
    assert address(b"GET /listen/default.m3u?ticket=a HTTP/1.1\r\nHost:\r\n\r\n") == "default.opus?ticket=a"
    assert address(b"GET http://radio.example/listen/default.m3u HTTP/1.1\r\nHost: x\r\n\r\n") == "http://radio.example/listen/default.opus"


@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_a_file_of_the_player_is_sent_again_only_if_it_is_another_one(stack, coding):
    def ask(method, *lines):
        fields = "".join(f"{line}\r\n" for line in ("Host: x", f"Accept-Encoding: {coding}", *lines))
        return Raw(stack, f"{method} / HTTP/1.1\r\n{fields}\r\n".encode())

    page = ask("GET")
    assert page.status == 200 and len(page.body) == int(page.headers["Content-Length"]) > 1_000
    tag = page.headers["ETag"]
    # HEAD has the fields of GET, and nothing else.
    head = ask("HEAD")
    assert (head.status, head.body) == (200, b"")
    for name in ("Content-Length", "Content-Type", "Content-Encoding", "ETag", "Cache-Control", "Vary"):
        assert head.headers[name] == page.headers[name], name
    for wanted in (tag, f'"other", {tag}', f"W/{tag.removeprefix('W/')}", "*"):
        same = ask("GET", f"If-None-Match: {wanted}")
        assert (same.status, same.body, same.headers["ETag"]) == (304, b"", tag), wanted
    assert ask("GET", 'If-None-Match: "other"').status == 200
