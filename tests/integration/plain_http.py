# SPDX-License-Identifier: MIT
"""Listeners over plain HTTP to the stations of a fixture `stack` with these SETTINGS and this CONFIGURATION."""

import collections
import http.client
import socket
import struct
import threading

from auralis import HOST, WAIT_LIMIT_S, eventually

OPUS_HZ = 48_000
STATION_HZ = 44_100
WAV_HEADER_BYTES = 44

SETTINGS = {"AURALIS_AUDIO_SAMPLE_RATE": str(STATION_HZ), "AURALIS_STREAMD_MAX_BACKLOG_MS": "500"}

CONFIGURATION = """
[[station]]
name = "day"
preset = "bright"

[[station]]
name = "night"
preset = "sleep"
"""


class HttpListener:
    """Listens to a path over plain HTTP, on its own thread. `receive_buffer` bounds what the kernel buffers while it is
    paused."""

    def __init__(self, stack, path, receive_buffer=None):
        self.body = b""
        self.ended = False
        self.whole = False
        self._may_read = threading.Event()
        self._may_read.set()
        connection = http.client.HTTPConnection(HOST, stack.stream_port)
        self._socket = connection.sock = socket.socket()
        if receive_buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.settimeout(WAIT_LIMIT_S)
        self._socket.connect((HOST, stack.stream_port))
        connection.request("GET", path)
        self.response = connection.getresponse()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        try:
            while piece := self.response.read1(65_536):
                self.body += piece
                self._may_read.wait()
            self.whole = True
        except (http.client.HTTPException, OSError):
            pass  # an endless body ends in the middle
        finally:
            self.ended = True

    def wait_for_bytes(self, count):
        eventually(lambda: len(self.body) >= count, f"{count} bytes")

    def pause(self):
        self._may_read.clear()

    def resume(self):
        self._may_read.set()

    def close(self):
        self.resume()
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended
        self._thread.join(WAIT_LIMIT_S)
        self._socket.close()


Page = collections.namedtuple("Page", "kind granule serial number bytes")


def ogg_pages(body):
    """Its complete pages (RFC 3533)."""
    pages = []
    begin = 0
    while len(body) >= begin + 27:
        magic, kind, granule, serial, number, segments = struct.unpack_from("<4sxBqII4xB", body, begin)
        assert magic == b"OggS"
        table = body[begin + 27 : begin + 27 + segments]
        end = begin + 27 + segments + sum(table)
        if len(table) < segments or len(body) < end:
            break
        pages.append(Page(kind, granule, serial, number, body[begin:end]))
        begin = end
    return pages


def is_sound(body):
    """Whether it begins as WAV, and then is not silent."""
    return body[:4] == b"RIFF" and body[8:12] == b"WAVE" and any(body[WAV_HEADER_BYTES:])


def url(stack, path):
    return f"http://{HOST}:{stack.stream_port}{path}"
