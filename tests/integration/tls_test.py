# SPDX-License-Identifier: MIT
"""TLS: with a certificate, which may be renewed, all is encrypted; old and weak versions are refused."""

import socket
import ssl
import subprocess
import time

import pytest

from auralis import HOST, WAIT_LIMIT_S, eventually, raw_request, run_daemon
from certificate import Certificate
from listener import PCM, SMALL_BUFFER, Listener, gaps

CONFIGURATION = """
[[station]]
name = "day"
"""

pytestmark = pytest.mark.usefixtures("balanced")


@pytest.fixture
def certificate(tmp_path):
    return Certificate(tmp_path, "streamd")


@pytest.fixture
def tls(certificate, restart_streamd):
    """streamd with that certificate."""
    restart_streamd(certificate.settings, tls=certificate.trust())


def served_certificate(stack):
    return ssl.get_server_certificate((HOST, stack.stream_port), timeout=WAIT_LIMIT_S)


def test_with_a_certificate_all_is_encrypted(stack, certificate, tls):
    listener = Listener(stack.stream_url("station=day"), PCM, tls=stack.tls)
    listener.wait_for_music(10)
    assert gaps(listener.chunks) == []
    assert "<html" in stack.http("GET", "/").text
    assert "https://" in stack.http("GET", "/listen/day.m3u").text
    fetch = ["curl", "-sS", "--max-time", "2", "--cacert", str(certificate.certificate)]
    stream = subprocess.run(
        [*fetch, f"https://{HOST}:{stack.stream_port}/listen/day.opus"],
        capture_output=True,
        timeout=WAIT_LIMIT_S,
        check=False,
    )
    assert stream.stdout.startswith(b"OggS") and b"OpusHead" in stream.stdout
    assert stack.http("GET", "/" + "x" * 10_000).status == 431
    plain = raw_request(stack.stream_port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"HTTP" not in plain and b"ok" not in plain
    listener.wait_for_more(3)
    began = time.monotonic()
    listener.close()
    eventually(lambda: stack.metric("websocket_active_connections") == 0, "its permit free again")
    assert time.monotonic() - began < 4, "sooner than the library gives up on a farewell"


def test_a_slow_listener_over_tls_loses_chunks_and_no_other_does(stack, certificate, restart_streamd):
    restart_streamd({**certificate.settings, "AURALIS_STREAMD_MAX_BACKLOG_MS": "300"}, tls=certificate.trust())
    live = Listener(stack.stream_url(), PCM, tls=stack.tls)
    slow = Listener(stack.stream_url(), PCM, receive_buffer=SMALL_BUFFER, tls=stack.tls)
    before = stack.metric("websocket_chunks_dropped_total", reason="backlog")
    slow.wait_for_more(3)
    slow.pause()
    eventually(
        lambda: stack.metric("websocket_chunks_dropped_total", reason="backlog") >= before + 5, "chunks left out"
    )
    stack.check_books()
    slow.resume()
    eventually(lambda: slow.newest_seq >= live.newest_seq, "the live position")
    assert sum(b - a - 1 for a, b in gaps(slow.chunks)) == len(slow.texts("warning")) >= 5
    assert gaps(live.chunks) == []
    for one in (live, slow):
        one.close()


def handshake_failure(stack, version, ciphers=None):
    """Why the server refuses a client of that TLS version, or None if it does not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    context.set_ciphers(f"{ciphers or 'ALL'}:@SECLEVEL=0")
    with socket.create_connection((HOST, stack.stream_port), timeout=WAIT_LIMIT_S) as connection:
        try:
            context.wrap_socket(connection).close()
        except ssl.SSLError as error:
            return error.reason
    return None


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_old_and_weak_tls_is_refused(stack, tls):
    assert handshake_failure(stack, ssl.TLSVersion.TLSv1_3) is None
    assert handshake_failure(stack, ssl.TLSVersion.TLSv1_2) is None
    assert handshake_failure(stack, ssl.TLSVersion.TLSv1_1) == "TLSV1_ALERT_PROTOCOL_VERSION"
    weak = handshake_failure(stack, ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA")
    assert weak == "SSLV3_ALERT_HANDSHAKE_FAILURE"


def test_a_client_that_does_not_start_tls_is_not_waited_for(stack, certificate, restart_streamd):
    settings = {**certificate.settings, "AURALIS_STREAMD_HANDSHAKE_TIMEOUT_MS": "300"}
    restart_streamd(settings, tls=certificate.trust())
    began = time.monotonic()
    with socket.create_connection((HOST, stack.stream_port), timeout=WAIT_LIMIT_S) as connection:
        assert connection.recv(100) == b""
    assert time.monotonic() - began < 4, "sooner than the library's own five seconds"


def test_a_renewed_certificate_is_used_without_a_restart(stack, certificate, tls):
    former, former_key = certificate.certificate.read_text(), certificate.key.read_text()
    assert served_certificate(stack) == former
    listener = Listener(stack.stream_url(), PCM, tls=stack.tls)
    listener.wait_for_more(3)
    # An invalid one leaves the former in use.
    certificate.certificate.write_text("rubbish")
    streamd = stack.daemons["streamd"]
    eventually(lambda: "the former TLS certificate stays in use" in streamd.log(), "it was found")
    assert served_certificate(stack) == former
    certificate.renew()
    renewed = certificate.certificate.read_text()
    assert former != renewed and former_key != certificate.key.read_text()
    eventually(lambda: served_certificate(stack) == renewed, "the new one")
    stack.tls = certificate.trust()
    assert stack.http("GET", "/healthz").status == 200
    listener.wait_for_more(5)
    assert gaps(listener.chunks) == []
    listener.close()


@pytest.mark.parametrize("wrong", ["no certificate", "no key", "rubbish", "another key"])
def test_an_unusable_certificate_is_reported_at_the_start(stack, certificate, tmp_path, wrong):
    if wrong == "no certificate":
        certificate.certificate.unlink()
    elif wrong == "no key":
        certificate.key.unlink()
    elif wrong == "rubbish":
        certificate.certificate.write_text("rubbish")
    else:
        former = certificate.certificate.read_text()
        certificate.renew()
        certificate.certificate.write_text(former)
    result = run_daemon(
        "streamd",
        environment={**stack.environment, **certificate.settings, "AURALIS_RUNTIME_DIR": str(tmp_path / "runtime")},
    )
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    file = certificate.key if wrong in ("no key", "another key") else certificate.certificate
    assert f"tls_{file.stem}: {file}" in line
