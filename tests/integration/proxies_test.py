# SPDX-License-Identifier: MIT
"""streamd behind reverse proxies: those of docs/proxies, at the root of a site and in a folder of one, and bare ones."""

import contextlib
import http.client
import itertools
import json
import os
import subprocess
import time

import pytest

from auralis import HOST, WAIT_LIMIT_S, Stack, eventually, free_ports, http_request
from listener import PCM, Listener
from plain_http import is_sound
from reverse_proxies import (
    FILES, FOLDER, FOLDER_SITE, NAMES, ROOT_SITE, SHIPPED, ReverseProxy, haproxy_command, nginx_command, nginx_scratch, running,
)

TOKEN = "operators-0123456789abcdef0123456789abcdef"
BEARER = f"Authorization: Bearer {TOKEN}"
PER_ADDRESS = 2
CONFIGURATION = """
[[station]]
name = "day"
preset = "bright"
open = true
"""
PLACES = pytest.mark.parametrize("site, folder", [(ROOT_SITE, ""), (FOLDER_SITE, FOLDER)], ids=["root", "folder"])
HEARD_BYTES = 200_000

pytestmark = pytest.mark.usefixtures("balanced")


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    token = tmp_path_factory.mktemp("secrets") / "token"
    token.write_text(TOKEN + "\n", encoding="ascii")
    token.chmod(0o600)
    settings = {
        # Every loopback address, so that clients here are told apart and limited; and so that one which a client
        # claims would be believed if a proxy passed it on.
        "AURALIS_STREAMD_TRUSTED_PROXIES": "127.0.0.0/8",
        "AURALIS_STREAMD_TOKEN_FILE": str(token),
        "AURALIS_STREAMD_MAX_LISTENERS_PER_ADDRESS": str(PER_ADDRESS),
    }
    with Stack(settings, CONFIGURATION) as started:
        yield started


@pytest.fixture(scope="module", params=NAMES)
def proxy(request, stack, tmp_path_factory):
    with ReverseProxy(request.param, stack.stream_port, tmp_path_factory.mktemp(request.param)).serving() as serving:
        yield serving


_last_byte = itertools.count(2)


@pytest.fixture
def address():
    """A client's address that no other test has."""
    return f"127.0.0.{next(_last_byte)}"


@pytest.fixture
def hear():
    """Creates listeners through a proxy, as a browser on its page, that are closed after the test."""
    with contextlib.ExitStack() as cleanup:
        def make(proxy, site, folder, query, address, **headers):
            listener = Listener(
                proxy.url(site, f"{folder}/ws/stream?{query}", "wss"),
                PCM,
                tls=proxy.certificate.trust(),
                headers={"Origin": proxy.url(site, ""), **headers},
                options={"host": HOST, "port": proxy.port, "local_addr": (address, 0), "server_hostname": site},
            )
            cleanup.callback(listener.close)
            return listener

        yield make


@contextlib.contextmanager
def stream(proxy, url, address):
    """The pipe of an endless response, its head first."""
    with subprocess.Popen(proxy.curl("-i", url, address=address), stdout=subprocess.PIPE) as client:
        try:
            yield client.stdout.fileno()
        finally:
            client.kill()


def addresses(proxy):
    """Of all listeners, as operators see them."""
    rows = json.loads(proxy.fetch("-H", BEARER, proxy.url(ROOT_SITE, "/api/listeners")))["listeners"]
    return [row["address"] for row in rows]


def same_music(listener, direct, count=10):
    """Waits until both have `count` chunks of the same numbers, which must be equal."""
    def both():
        one, other = ({chunk.seq: chunk for chunk in each.chunks if not chunk.silence} for each in (listener, direct))
        return [(one[seq].pcm, other[seq].pcm) for seq in one.keys() & other.keys()]

    pairs = eventually(lambda: (found := both()) and len(found) >= count and found, f"{count} chunks heard twice")
    assert all(one == other for one, other in pairs) and any(any(one) for one, _ in pairs)


@PLACES
def test_the_page_and_its_requests_come_over_http_2(proxy, site, folder):
    at = proxy.url(site, folder)
    page = proxy.fetch("--compressed", "-w", "%{http_version}", f"{at}/")
    assert page.startswith("<!doctype html>") and page.endswith("</html>\n2")
    assert proxy.status(f"{at}/player.js") == proxy.status(f"{at}/api/status?station=day") == 200
    change = json.dumps({"type": "select_preset", "preset": "bright", "station": "day"})
    assert proxy.status("-d", change, "-H", f"Origin: {proxy.url(site, '')}", f"{at}/api/control") == 200
    assert proxy.status("-d", change, "-H", "Origin: https://elsewhere.example", f"{at}/api/control") == 403
    assert proxy.status(f"{at}/metrics") == 404, "metricsd is not behind the proxy"
    plain = ["-o", os.devnull, "-w", "%{redirect_url}", "-H", f"Host: {site}", proxy.url(site, f"{folder}/?station=day", "http")]
    assert proxy.fetch(*plain) == f"https://{site}{folder}/?station=day"


def test_a_folder_is_left_alone_but_for_its_own_addresses(proxy):
    at = proxy.url(FOLDER_SITE, FOLDER)
    moved = ["-L", "-o", os.devnull, "-w", "%{url_effective}"]
    assert proxy.fetch(*moved, f"{at}?station=day") == f"{at}/?station=day"
    assert proxy.fetch(*moved, at).rstrip("?") == f"{at}/"
    for path in ("/", "/api/status", "/ws/stream", f"{FOLDER}io/"):
        assert proxy.status(proxy.url(FOLDER_SITE, path)) == 404, path


@PLACES
def test_websocket_carries_the_music_bit_for_bit(proxy, stack, hear, listen, address, site, folder):
    listener = hear(proxy, site, folder, "station=day", address)
    assert listener.subprotocol == PCM
    same_music(listener, listen(PCM, query="station=day"))
    assert listener.ask({"type": "ping", "client_time": 1})["client_time"] == 1


@PLACES
def test_a_station_of_ones_own_plays_through_it(proxy, hear, listen, address, site, folder):
    listener = hear(proxy, site, folder, "station=new&preset=sleep&seed=42", address)
    listener.wait_for_more(1)
    status = listener.texts("status")[0]
    assert status["personal"] and status["seed"] == 42
    same_music(listener, listen(PCM, query=f"station={status['station']}"))


@PLACES
def test_a_stream_begins_at_once_and_ends_with_its_listener(proxy, address, site, folder):
    playlist = proxy.fetch(proxy.url(site, f"{folder}/listen/day.m3u")).splitlines()
    began = time.monotonic()
    with stream(proxy, playlist[-1], address) as pipe:
        head, _, body = os.read(pipe, 65_536).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/2 200") and b"content-encoding" not in head.lower()
        while len(body) < 10_000:
            piece = os.read(pipe, 65_536)
            assert piece
            body += piece
        assert body.startswith(b"OggS") and time.monotonic() - began < 5
        eventually(lambda: addresses(proxy) == [address], "it alone")
    eventually(lambda: addresses(proxy) == [], "no listener any more")


def test_a_client_counts_by_its_own_address_whatever_it_claims(proxy, hear, address):
    claims = {"X-Forwarded-For": "127.0.9.9", "X-Forwarded-Proto": "http"}
    forged = [word for claim in claims.items() for word in ("-H", ": ".join(claim))]
    playlist = proxy.fetch(*forged, proxy.url(ROOT_SITE, "/listen/day.m3u")).splitlines()
    assert playlist[-1] == proxy.url(ROOT_SITE, "/listen/day.opus"), "https"
    for _ in range(PER_ADDRESS):
        hear(proxy, ROOT_SITE, "", "station=day", address, **claims)
    eventually(lambda: addresses(proxy) == [address] * PER_ADDRESS, "them alone")
    more = proxy.url(ROOT_SITE, "/listen/day.opus")
    assert proxy.status(*forged, more, address=address) == 429
    assert proxy.status(*forged, more, address=f"127.0.1.{address.rpartition('.')[2]}", limit_s=1) == 200


def test_while_streamd_is_down_the_proxy_says_so_and_then_serves_again(proxy, stack):
    page = proxy.url(ROOT_SITE, "/")
    streamd = stack.daemons["streamd"]
    streamd.terminate()
    assert streamd.exit_status() == 0
    # Of those that check: once they know, not only when a connection fails.
    told = 502 if proxy.name == "nginx" else 503
    eventually(lambda: proxy.status(page) == told, "a refusal", 10)
    streamd.start()
    stack.wait_until_ready()
    eventually(lambda: proxy.status(page) == 200, "the page", 10)


@pytest.mark.parametrize("name, limits", [
    ("nginx", ["proxy_read_timeout 1h;", "proxy_send_timeout 1h;"]),
    ("haproxy", ["timeout client 1h", "timeout server 1h"]),
], ids=["nginx", "haproxy"])
def test_limits_are_long_and_count_silence_alone(name, limits, stack, hear, address, tmp_path):
    shipped = (SHIPPED / FILES[name]).read_text()
    assert all(limit in shipped for limit in limits)  # Caddy's has none
    # That nginx reads ahead would show only after megabytes, which the kernel takes first.
    assert name != "nginx" or "proxy_buffering off;" in shipped
    with ReverseProxy(name, stack.stream_port, tmp_path, limit="1s").serving() as hasty:
        listener = hear(hasty, ROOT_SITE, "", "station=day", address)
        began = time.monotonic()
        with stream(hasty, hasty.url(ROOT_SITE, "/listen/day.opus"), address) as pipe:
            while time.monotonic() - began < 2.5:
                assert os.read(pipe, 65_536)
        listener.wait_for_more(1)
        assert not listener.closed


def answers(port):
    try:
        return http_request(port, "GET", "/healthz").status == 200
    except OSError:
        return False


def plays(port):
    """Whether a player hears a station there, over HTTP/1.1."""
    with contextlib.closing(http.client.HTTPConnection(HOST, port, timeout=WAIT_LIMIT_S)) as player:
        player.request("GET", "/listen/day.wav")
        response = player.getresponse()
        return response.status == 200 and is_sound(response.read(HEARD_BYTES))


def test_nginx_with_a_plain_proxy_pass_serves_players(stack, tmp_path):
    (port,) = free_ports(1)
    (tmp_path / "nginx.conf").write_text(
        f"master_process off; pid {tmp_path}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; {nginx_scratch(tmp_path)} server {{ listen {HOST}:{port};\n"
        f"location / {{ proxy_pass http://{HOST}:{stack.stream_port}; }} }} }}\n"
    )
    with running(nginx_command(tmp_path / "nginx.conf", tmp_path), lambda: answers(port), tmp_path):
        assert plays(port)
        assert http_request(port, "GET", "/").text.startswith("<!")


def test_haproxy_with_a_plain_httpchk_keeps_the_server_up(stack, tmp_path):
    (port,) = free_ports(1)
    (tmp_path / "haproxy.cfg").write_text(
        "defaults\n mode http\n timeout connect 5s\n timeout client 60s\n timeout server 60s\n timeout check 60s\n"
        f"listen radio\n bind {HOST}:{port}\n option httpchk GET /healthz\n"
        f" server auralis {HOST}:{stack.stream_port} check inter 100ms rise 1 fall 1\n"
    )
    with running(haproxy_command(tmp_path / "haproxy.cfg"), lambda: answers(port), tmp_path):
        assert plays(port)
        assert "DOWN" not in (tmp_path / "proxy.log").read_text()
