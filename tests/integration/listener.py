# SPDX-License-Identifier: MIT
"""A listener as in docs/protocol.md. It reads on its own thread, so that a test can do other things meanwhile."""

import asyncio
import base64
import contextlib
import dataclasses
import inspect
import json
import os
import socket
import struct
import threading
import time

import websockets

from auralis import WAIT_LIMIT_S, eventually

JSON = "auralis.json.v1"
PCM = "auralis.pcm.v1"
OPUS = "auralis.opus.v1"
# Of websockets.connect() for more headers: its name since version 14, of Debian 13, else the former one.
HEADERS_OPTION = (
    "additional_headers" if "additional_headers" in inspect.signature(websockets.connect).parameters else "extra_headers"
)
SMALL_BUFFER = 4_096  # `receive_buffer` of a listener that must fall behind soon

_HEADER = struct.Struct("<4sBBHQqII")
_CODEC_PCM, _CODEC_OPUS = 0, 1
_FLAG_SILENCE, _FLAG_BEGINS = 1, 2
_OPUS_HZ = 48_000
_OPUS_PACKET_FRAMES = 960
# Messages whose reply may also come unsolicited.
_ANSWERS = {"status": "status", "buffer_control": "buffer_status", "subscribe": "subscribed"}

# Newer versions of websockets look for a proxy.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"

_loop = asyncio.new_event_loop()
threading.Thread(target=_loop.run_forever, daemon=True).start()


def _on_loop(coroutine):
    return asyncio.run_coroutine_threadsafe(coroutine, _loop).result(WAIT_LIMIT_S)


@dataclasses.dataclass(frozen=True)
class Chunk:
    seq: int
    timestamp: float  # when it is due, Unix seconds
    sample_rate: int
    channels: int
    frames: int
    pcm: bytes
    silence: bool  # by the header's flag; absent in JSON
    received: float  # Unix seconds
    packets: tuple = ()  # of Opus, without pcm
    begins: bool = False  # of Opus: its decoder resets


def _from_json(message):
    pcm = base64.b64decode(message["data"], validate=True)
    assert set(message) == {"type", "seq", "timestamp", "duration_ms", "sample_rate", "channels", "data"}
    channels, sample_rate = message["channels"], message["sample_rate"]
    frames = len(pcm) // (2 * channels)
    assert len(pcm) == frames * channels * 2
    assert message["duration_ms"] == frames / sample_rate * 1000
    return Chunk(message["seq"], message["timestamp"], sample_rate, channels, frames, pcm, False, time.time())


def _from_binary(data):
    magic, codec, channels, flags, seq, timestamp_us, sample_rate, frames = _HEADER.unpack_from(data)
    sound = data[_HEADER.size :]
    known_flags = {_CODEC_PCM: _FLAG_SILENCE, _CODEC_OPUS: _FLAG_SILENCE | _FLAG_BEGINS}[codec]
    assert (magic, flags & ~known_flags) == (b"AUR1", 0)
    silence = bool(flags & _FLAG_SILENCE)
    due = timestamp_us / 1e6
    if codec == _CODEC_PCM:
        assert len(sound) == frames * channels * 2
        return Chunk(seq, due, sample_rate, channels, frames, sound, silence, time.time())
    packets = []
    while sound:
        (size,) = struct.unpack_from("<H", sound)
        assert 0 < size <= len(sound) - 2
        packets.append(sound[2 : 2 + size])
        sound = sound[2 + size :]
    assert (sample_rate, frames) == (_OPUS_HZ, len(packets) * _OPUS_PACKET_FRAMES)
    begins = bool(flags & _FLAG_BEGINS)
    return Chunk(seq, due, sample_rate, channels, frames, b"", silence, time.time(), tuple(packets), begins)


class Listener:
    """Connects on construction. `receive_buffer` bounds what the kernel buffers while it is paused; `tls` is its
    context, for wss; `options`: more of websockets.connect()."""

    def __init__(self, url, *protocols, receive_buffer=None, tls=None, headers=None, options=None):
        self.messages = []  # in order: a Chunk, or a message's JSON object
        self.raw_texts = []  # the text messages among them, as received
        self.closed = False
        self.close_code = None  # as sent by the server; None without a close frame
        self._failure = None
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._websocket = _on_loop(self._connect(url, protocols, receive_buffer, tls, headers, options))
        self._reading = asyncio.run_coroutine_threadsafe(self._read(), _loop)

    @staticmethod
    async def _connect(url, protocols, receive_buffer, tls, headers, options):
        options = {**({"ssl": tls} if tls else {}), **(options or {})}
        if headers:
            options[HEADERS_OPTION] = headers
        if receive_buffer is not None:
            host, port = url.split("/")[2].split(":")
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            connection.connect((host, int(port)))
            options |= {"sock": connection, "max_queue": 1, **({"server_hostname": host} if tls else {})}
        return await websockets.connect(
            url,
            subprotocols=protocols or None,
            compression=None,
            ping_interval=None,
            open_timeout=WAIT_LIMIT_S,
            close_timeout=WAIT_LIMIT_S,
            **options,
        )

    async def _read(self):
        try:
            while True:
                await self._may_read.wait()
                self.messages.append(self._parse(await self._websocket.recv()))
        except websockets.ConnectionClosed as end:
            self.close_code = end.rcvd.code if end.rcvd else None
        except BaseException as failure:
            self._failure = failure
            raise
        finally:
            self.closed = True

    def _parse(self, data):
        if isinstance(data, bytes):
            return _from_binary(data)
        self.raw_texts.append(data)
        message = json.loads(data)
        return _from_json(message) if message["type"] == "audio" else message

    @property
    def subprotocol(self):
        return self._websocket.subprotocol

    @property
    def chunks(self):
        if self._failure:
            raise self._failure
        return [message for message in self.messages if isinstance(message, Chunk)]

    def texts(self, *types):
        """Messages of these types, or all except audio."""
        if self._failure:
            raise self._failure
        return [
            message
            for message in self.messages
            if isinstance(message, dict) and (not types or message["type"] in types)
        ]

    def warnings_of_streamd(self):
        """Warnings, except of chunks that synthd did not render in time: any listener gets those from a machine that stands still."""
        return [warning for warning in self.texts("warning") if warning["code"] != "underrun"]

    @property
    def newest_seq(self):
        chunks = self.chunks
        return chunks[-1].seq if chunks else -1

    def wait_for_more(self, count):
        """Waits until it has received `count` more chunks."""
        enough = len(self.chunks) + count
        eventually(lambda: len(self.chunks) >= enough, f"{count} more chunks")

    def wait_for_music(self, count):
        """Waits until the newest `count` chunks received from now on are music; PCM only."""
        begin = len(self.chunks)

        def music():
            newest = self.chunks[begin:][-count:]
            return len(newest) == count and not any(chunk.silence for chunk in newest)

        eventually(music, f"{count} chunks of music in a row")

    def send(self, message):
        """Sends a text, bytes, or an object as JSON."""
        data = message if isinstance(message, (str, bytes)) else json.dumps(message)
        _on_loop(self._websocket.send(data))

    def ask(self, message):
        """Sends a message and returns its reply, or an unsolicited message of the same type."""
        kind = message.get("type") if isinstance(message, dict) else None
        answers = {"accepted", "pong", "error"} | ({_ANSWERS[kind]} if kind in _ANSWERS else set())
        before = len(self.texts(*answers))
        self.send(message)
        return eventually(lambda: self.texts(*answers)[before:], f"an answer to {str(message)[:200]}")[0]

    def pause(self):
        """Stops reading; what fits into the buffers still arrives."""
        _loop.call_soon_threadsafe(self._may_read.clear)

    def resume(self):
        _loop.call_soon_threadsafe(self._may_read.set)

    def wait_until_closed(self):
        eventually(lambda: self.closed, "the connection's end")

    def close(self):
        if self.closed:
            return
        self.resume()
        # The server may end the connection at the same moment.
        with contextlib.suppress(websockets.ConnectionClosed):
            _on_loop(self._websocket.close())
        self.wait_until_closed()


def gaps(chunks):
    """Pairs of neighbours whose numbers are not consecutive."""
    return [(a.seq, b.seq) for a, b in zip(chunks, chunks[1:]) if b.seq != a.seq + 1]
