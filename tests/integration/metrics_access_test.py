# SPDX-License-Identifier: MIT
"""metricsd's HTTP port with a password and a certificate."""

import base64
import http.client
import os
import select
import socket
import ssl
import subprocess

import pytest

from auralis import HOST, WAIT_LIMIT_S, eventually, http_request, raw_request, run_daemon
from certificate import Certificate
from metricsd_alone import Metricsd

PASSWORD = "open-sesame-open"
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.fixture
def password_file(tmp_path):
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")
    path.chmod(0o640)
    return path


@pytest.fixture
def certificate(tmp_path):
    return Certificate(tmp_path, "metricsd")


@pytest.fixture
def settings(password_file, certificate):
    return {**certificate.settings, "AURALIS_METRICSD_PASSWORD_FILE": str(password_file)}


def authorization(password, user="auralis"):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def curl(*arguments):
    command = ["curl", "-sS", "--max-time", str(WAIT_LIMIT_S), "-o", "/dev/null", "-w", "%{http_code} %{num_connects}\n"]
    return subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, timeout=2 * WAIT_LIMIT_S, check=False
    ).stdout


def test_password_and_certificate_are_what_prometheus_and_curl_expect(settings, certificate, password_file):
    with Metricsd(settings) as metricsd:
        trust = certificate.trust()
        url = f"https://{HOST}:{metricsd.port}"
        assert url in metricsd.log()
        right = http_request(metricsd.port, "GET", "/metrics", headers=authorization(PASSWORD), tls=trust)
        assert right.status == 200 and "auralis_up" in right.text
        for wrong in ({}, authorization(PASSWORD + "x"), authorization(PASSWORD, "admin"), {"Authorization": "Basic ?"}):
            refused = http_request(metricsd.port, "GET", "/metrics", headers=wrong, tls=trust)
            assert (refused.status, "auralis_up" in refused.text) == (401, False)
            assert refused.headers["WWW-Authenticate"].startswith('Basic realm="auralis"')
        assert http_request(metricsd.port, "GET", "/healthz", tls=trust).status == 200
        secure = ["--cacert", certificate.certificate]
        # One connection serves all three.
        answers = curl(*secure, "-u", f"auralis:{PASSWORD}", f"{url}/metrics", "-o", "/dev/null", f"{url}/readyz")
        assert [line.split() for line in answers.splitlines()] == [["200", "1"], ["503", "0"]]
        assert curl(*secure, f"{url}/metrics").split()[0] == "401"
        healthy = run_daemon("metricsd", "--healthcheck", environment=metricsd.environment)
        assert (healthy.returncode, healthy.stderr) == (0, "")
        # curl does not trust a certificate that is its own issuer's.
        assert curl(f"{url}/metrics").split()[0] == "000"


def test_over_tls_every_answer_is_whole_and_every_request_is_understood(certificate):
    with Metricsd(certificate.settings) as metricsd:
        connection = http.client.HTTPSConnection(
            HOST, metricsd.port, timeout=WAIT_LIMIT_S, context=certificate.trust()
        )
        for path, status in (("/metrics", 200), ("/", 200), ("/nothing", 404), ("/" + "x" * 20_000, 414)):
            connection.request("GET", path)
            answer = connection.getresponse()
            assert answer.status == status
            assert len(answer.read()) == int(answer.headers["Content-Length"])
        connection.close()
        continued = certificate.trust().wrap_socket(
            socket.create_connection((HOST, metricsd.port), timeout=WAIT_LIMIT_S), server_hostname=HOST
        )
        with continued:
            continued.sendall(REQUEST.replace(b"\r\n\r\n", b"\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"))
            assert continued.recv(1_000) == b"HTTP/1.1 100 Continue\r\n\r\n"
            continued.sendall(b"ok")
            assert continued.recv(1_000).startswith(b"HTTP/1.1 200 ")
            while continued.recv(1_000):
                pass


def test_the_dashboard_is_followed_with_password_and_certificate_alone(settings, certificate):
    with Metricsd(settings) as metricsd:
        for headers, status in (({}, 401), (authorization(PASSWORD), 200)):
            connection = http.client.HTTPSConnection(
                HOST, metricsd.port, timeout=WAIT_LIMIT_S, context=certificate.trust()
            )
            connection.request("GET", "/api/live", headers=headers)
            answer = connection.getresponse()
            assert answer.status == status
            if status == 200:
                lines = [answer.readline() for _ in range(4)]
                assert [line[:7] for line in lines] == [b'data: {', b"\n", b'data: {', b"\n"]
            connection.close()


def test_clients_without_tls_learn_nothing_and_keep_no_other_waiting(certificate):
    with Metricsd(certificate.settings) as metricsd:
        assert b"HTTP" not in raw_request(metricsd.port, REQUEST)
        waiting = [socket.create_connection((HOST, metricsd.port), timeout=WAIT_LIMIT_S) for _ in range(20)]
        assert http_request(metricsd.port, "GET", "/metrics", tls=certificate.trust()).status == 200
        for connection in waiting:
            connection.close()
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with socket.create_connection((HOST, metricsd.port), timeout=WAIT_LIMIT_S) as connection:
            assert old.wrap_socket(connection).version() == "TLSv1.2"


def test_tls_handshakes_are_limited(certificate):
    with Metricsd(certificate.settings) as metricsd:

        def some_are_closed():
            """Of a crowd that metricsd has room for, without a word of TLS."""
            crowd = [socket.create_connection((HOST, metricsd.port), timeout=WAIT_LIMIT_S) for _ in range(150)]
            try:
                closed, _, _ = select.select(crowd, [], [], 1)
                return closed
            finally:
                for connection in crowd:
                    connection.close()

        def is_served():
            try:
                return http_request(metricsd.port, "GET", "/metrics", tls=certificate.trust()).status == 200
            except OSError:
                return False  # the rate is still used up

        eventually(some_are_closed, "more handshakes than the limit")
        eventually(is_served, "others are served after that")


def test_a_renewed_certificate_is_used_without_a_restart(certificate):
    with Metricsd(certificate.settings) as metricsd:
        certificate.certificate.write_text("rubbish")
        eventually(lambda: "the former TLS certificate stays in use" in metricsd.log(), "it was found")
        certificate.renew()

        def served():
            return ssl.get_server_certificate((HOST, metricsd.port), timeout=WAIT_LIMIT_S)

        eventually(lambda: served() == certificate.certificate.read_text(), "the new one")
        assert http_request(metricsd.port, "GET", "/metrics", tls=certificate.trust()).status == 200


def test_a_file_that_cannot_be_used_is_one_line_at_the_start(settings, certificate, password_file, tmp_path):
    environment = {**settings, "AURALIS_RUNTIME_DIR": str(tmp_path), "AURALIS_METRICSD_ZMQ_ENDPOINT": "tcp://127.0.0.1:*"}

    def reason():
        ended = run_daemon("metricsd", "--log-format", "text", environment=environment)
        assert ended.returncode == 1
        assert PASSWORD not in ended.stderr
        return ended.stderr

    password_file.chmod(0o644)
    assert f"metricsd.password_file: {password_file}: must be closed to others" in reason()
    password_file.chmod(0o600)
    password_file.write_text("short")
    assert "must hold 16 to 4096 characters" in reason()
    password_file.write_text(PASSWORD)
    os.rename(certificate.key, f"{certificate.key}.away")
    assert f"metricsd.tls_key: {certificate.key} cannot be used: No such file or directory" in reason()
    protect = ["openssl", "ec", "-in", f"{certificate.key}.away", "-aes128", "-passout", "pass:x", "-out", certificate.key]
    subprocess.run(protect, check=True, capture_output=True, timeout=WAIT_LIMIT_S)
    assert f"metricsd.tls_key: {certificate.key} cannot be used: " in reason()
