# SPDX-License-Identifier: MIT
"""A WebSocket client fully controlled by the test: it reads only on request, and answers no ping."""

import http.client
import os
import socket
import struct
import time

from auralis import HOST, WAIT_LIMIT_S
from listener import PCM

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10

_KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def upgrade_request(path, headers=None, protocols=(PCM,)):
    lines = {
        "Host": HOST,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": _KEY,
        "Sec-WebSocket-Protocol": ", ".join(protocols),
        **(headers or {}),
    }
    fields = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    return f"GET {path} HTTP/1.1\r\n{fields}\r\n".encode()


class RawListener:
    """Connects on construction: `status` is 101 if it was accepted. As a context manager it closes at the end.
    `receive_buffer` bounds what the kernel buffers."""

    def __init__(self, stack, query="", headers=None, protocols=(PCM,), receive_buffer=None):
        self.connection = socket.socket()
        if receive_buffer is not None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.connection.settimeout(WAIT_LIMIT_S)
        self.connection.connect((HOST, stack.stream_port))
        path = "/ws/stream" + (f"?{query}" if query else "")
        self.connection.sendall(upgrade_request(path, headers, protocols))
        self._file = self.connection.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        self.headers = http.client.parse_headers(self._file)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Closes without a close frame."""
        self._file.close()
        self.connection.close()

    def send(self, opcode, payload=b""):
        self.connection.sendall(masked_frame(opcode, payload))

    def frame(self):
        """The next frame: (opcode, payload); None at the end."""
        head = self._file.read(2)
        if len(head) < 2:
            return None
        size = head[1] & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", self._file.read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._file.read(8))
        return head[0] & 0x0F, self._file.read(size)

    def wait_for(self, opcode):
        """The payload of the next frame with that opcode."""
        deadline = time.monotonic() + WAIT_LIMIT_S
        while (frame := self.frame()) is not None:
            if frame[0] == opcode:
                return frame[1]
            assert time.monotonic() < deadline, f"waited {WAIT_LIMIT_S} s in vain for a frame {opcode}"
        raise AssertionError(f"the connection ended before a frame {opcode}")

    def close_code(self):
        """Reads up to the server's close frame."""
        return struct.unpack_from("!H", self.wait_for(CLOSE))[0]


def masked_frame(opcode, payload):
    mask = os.urandom(4)
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack("!H", size)
    return bytes([0x80 | opcode]) + length + mask + bytes(one ^ mask[i % 4] for i, one in enumerate(payload))
