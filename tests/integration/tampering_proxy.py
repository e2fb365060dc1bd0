# SPDX-License-Identifier: MIT
"""A TCP proxy to streamd that changes what its listeners receive."""

import socket
import struct
import threading

from auralis import HOST

_BINARY = 2


def split_frames(data):
    """The whole WebSocket frames at the beginning of a server's bytes, each with its header's size, and the rest."""
    frames = []
    while len(data) >= 2:
        length, header = data[1] & 0x7F, 2
        if length >= 126:
            size = 2 if length == 126 else 8
            if len(data) < 2 + size:
                break
            length, header = int.from_bytes(data[2 : 2 + size], "big"), 2 + size
        if len(data) < header + length:
            break
        frames.append((data[: header + length], header))
        data = data[header + length :]
    return frames, data


class TamperingProxy:
    """`tamper` is called with the number of each binary message, from 0, and its bytes; it returns those that are sent
    on, or None for none. Other traffic passes unchanged."""

    def __init__(self, server_port, tamper):
        self._server_port = server_port
        self._tamper = tamper
        self._listening = socket.create_server((HOST, 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listening.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return  # closed
            server = socket.create_connection((HOST, self._server_port))
            threading.Thread(target=self._copy, args=(client, server, lambda data: data), daemon=True).start()
            threading.Thread(target=self._copy, args=(server, client, self._downstream()), daemon=True).start()

    @staticmethod
    def _copy(source, target, change):
        try:
            while data := source.recv(65_536):
                target.sendall(change(data))
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _downstream(self):
        """A function that changes a server's bytes, piece by piece."""
        held, upgraded, number = b"", None, 0

        def change(data):
            nonlocal held, upgraded, number
            held += data
            out = b""
            if upgraded is None:
                if b"\r\n\r\n" not in held:
                    return b""
                head, held = held.split(b"\r\n\r\n", 1)
                upgraded = b" 101 " in head.split(b"\r\n")[0]
                out = head + b"\r\n\r\n"
            if not upgraded:
                out, held = out + held, b""
                return out
            frames, held = split_frames(held)
            for frame, header in frames:
                if frame[0] & 0x0F == _BINARY:
                    message = self._tamper(number, frame[header:])
                    number += 1
                    frame = None if message is None else frame[:header] + message
                out += frame or b""
            return out

        return change


def flip_sample(chunk, frame):
    """Tampers with one bit of the left sample of one frame of one message of PCM."""

    def tamper(number, message):
        if number != chunk:
            return message
        at = 32 + 4 * frame
        (sample,) = struct.unpack_from("<h", message, at)
        return message[:at] + struct.pack("<h", sample ^ 1) + message[at + 2 :]

    return tamper


def drop_message(chunk):
    return lambda number, message: None if number == chunk else message
