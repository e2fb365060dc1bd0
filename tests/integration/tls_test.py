# SPDX-License-Identifier: MIT
"""The port encrypted: streams come through, and who has gone is gone."""

import asyncio
import http.client
import json
import ssl
import subprocess

import pytest
import websockets

from auralis import DAEMONS, Station, eventually
from listener import PCM

_HOST = "127.0.0.1"
# Less than the 5 s for which a peer is waited for that does not take part in the end of TLS.
_GONE_LIMIT_S = 4


class EncryptedStation(Station):
    def __init__(self, certificate, key):
        super().__init__({"AURALIS_STREAMD_TLS_CERTIFICATE": str(certificate), "AURALIS_STREAMD_TLS_KEY": str(key)})
        self.trust = ssl.create_default_context(cafile=certificate)

    def ready(self, path, port, running=DAEMONS):
        if port != self.stream_port:
            return super().ready(path, port, running)
        try:
            with self.get(path) as answer:
                return answer.status == 200
        except OSError:
            return False

    def get(self, path):
        """The answer, whose connection ends with it."""
        connection = http.client.HTTPSConnection(_HOST, self.stream_port, timeout=20, context=self.trust)
        connection.request("GET", path)
        return connection.getresponse()

    def listeners(self):
        with self.get("/api/status") as answer:
            return json.load(answer)["stations"][0]["listeners"]


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key]
    names = ["-subj", "/CN=localhost", "-addext", f"subjectAltName=IP:{_HOST}"]
    command = ["openssl", "req", "-x509", "-days", "2", "-out", certificate, *new_key, *names]
    subprocess.run(command, check=True, capture_output=True)
    with EncryptedStation(certificate, key) as running:
        yield running


@pytest.mark.parametrize(("path", "begin"), [("default.opus", b"OggS"), ("default.wav", b"RIFF")])
def test_a_plain_stream_comes_through(encrypted, path, begin):
    with encrypted.get(f"/listen/{path}") as stream:
        assert (stream.status, stream.read(len(begin))) == (200, begin)
        assert len(stream.read(20_000)) == 20_000


def test_who_says_farewell_keeps_no_place(encrypted):
    eventually(lambda: encrypted.listeners() == 0, "nobody of another test")

    async def listen():
        url = f"wss://{_HOST}:{encrypted.stream_port}/ws/stream"
        async with websockets.connect(url, subprotocols=[PCM], ssl=encrypted.trust) as listener:
            while isinstance(await listener.recv(), str):
                pass

    asyncio.run(listen())
    eventually(lambda: encrypted.listeners() == 0, "the listener gone", _GONE_LIMIT_S)
