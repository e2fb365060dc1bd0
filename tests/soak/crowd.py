# SPDX-License-Identifier: MIT
"""Listeners of every format that come, go and change, and clients of the HTTP API: the load of a public server.

They live on a thread of their own. What a listener does is drawn from a seed; the order in which the drawings fall depends
on the machine.
"""

import asyncio
import collections
import json
import os
import random
import threading
import time

import websockets

from listener import HEADERS_OPTION

HOST = "127.0.0.1"
STATIONS = ("main", "night", "day")
CONFIGURATION = """
[[station]]
name = "main"
open = true
[[station]]
name = "night"
preset = "sleep"
[[station]]
name = "day"
preset = "bright"
open = true
"""
FORMATS = ("auralis.opus.v1", "auralis.pcm.v1", "auralis.json.v1")
PRESETS = ("focus", "meditation", "sleep", "bright")
LIMIT_S = 30  # for a handshake, a request, and the end of all
CLOSE_S = 2  # for a closing handshake; the library waits for several of these
STALL_S = 4

# Newer versions of websockets look for a proxy.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = HOST


class Crowd:
    """`count` listeners from entering the context until stop(); one that leaves is replaced by another. `life_s` is how long
    they stay on average. `tally` counts events; any thread may read it."""

    def __init__(self, port, count, life_s, seed=1):
        self.tally = collections.Counter()
        self._port, self._count, self._life_s = port, count, life_s
        self._random = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._tasks = []
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        self._on_loop(self._begin())
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Disconnects all listeners. May be called twice."""
        if not self._thread.is_alive():
            return
        self._on_loop(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LIMIT_S)

    def _on_loop(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(2 * LIMIT_S)

    async def _begin(self):
        people = [self._generations(index) for index in range(self._count)]
        self._tasks = [asyncio.ensure_future(one) for one in (*people, self._visitors())]

    async def _end(self):
        """Cancels until all have ended: asyncio.wait_for() may lose a cancellation that coincides with its result."""
        deadline = time.monotonic() + LIMIT_S
        # The library's own tasks for each connection end on their own.
        while (left := asyncio.all_tasks() - {asyncio.current_task()}) and time.monotonic() < deadline:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(left, timeout=1)

    async def _generations(self, index):
        """Runs one listener after the other; the first ones are spread over time."""
        await asyncio.sleep(self._random.uniform(0, min(10, self._life_s)))
        while True:
            one = self._listen_to_file if index % 10 == 0 else self._listen
            try:
                await one(self._random.expovariate(1 / self._life_s))
            except websockets.InvalidStatusCode as error:
                self.tally[f"refused with HTTP {error.status_code}"] += 1
                await asyncio.sleep(1)
            except websockets.ConnectionClosed as error:
                self.tally[f"closed with {error.code}"] += 1
            except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, websockets.WebSocketException) as error:
                self.tally[type(error).__name__] += 1
                await asyncio.sleep(1)

    def _headers(self):
        """An address of its own for each listener, half of them IPv6."""
        bits = self._random.getrandbits
        if bits(1):
            return {"X-Forwarded-For": f"2001:db8:{bits(16):x}:{bits(16):x}::1"}
        return {"X-Forwarded-For": f"10.{bits(8)}.{bits(8)}.{bits(8)}"}

    def _query(self):
        if self._random.random() < 0.05:
            return f"station=new&preset={self._random.choice(PRESETS)}&seed={self._random.getrandbits(20)}"
        return f"station={self._random.choice(STATIONS)}"

    async def _listen(self, life_s):
        formats = self._random.sample(FORMATS, 3)
        if self._random.random() < 0.5:  # most prefer Opus
            formats.sort(key=FORMATS.index)
        url = f"ws://{HOST}:{self._port}/ws/stream?{self._query()}"
        options = {"compression": None, "ping_interval": None, "open_timeout": LIMIT_S, "close_timeout": CLOSE_S}
        options[HEADERS_OPTION] = self._headers()
        websocket = await websockets.connect(url, subprotocols=formats, max_queue=4, **options)
        self.tally["came"] += 1
        may_read = asyncio.Event()
        may_read.set()
        reading = asyncio.ensure_future(self._read(websocket, may_read))
        reading.add_done_callback(lambda done: done.cancelled() or done.exception())  # else asyncio reports it
        try:
            await self._live(websocket, may_read, reading, life_s)
            if self._random.random() < 0.7:  # the others lose their network instead of closing
                await websocket.close()
        finally:
            # Without a reader the library would wait forever to deliver received messages.
            may_read.set()
            websocket.transport.abort()
            await asyncio.wait({reading})

    async def _read(self, websocket, may_read):
        while True:
            await may_read.wait()
            message = await websocket.recv()
            self.tally["bytes"] += len(message)
            self.tally["messages"] += 1

    async def _live(self, websocket, may_read, reading, life_s):
        ends = time.monotonic() + life_s
        while (left := ends - time.monotonic()) > 0:
            pause_s = min(left, self._random.expovariate(1 / 3))
            done, _ = await asyncio.wait({reading}, timeout=pause_s)
            if done:
                reading.result()  # it was closed
            if time.monotonic() < ends:
                await self._act(websocket, may_read)

    async def _act(self, websocket, may_read):
        """Performs a random action of a listener."""
        draw = self._random
        kind = draw.choice(("subscribe", "subscribe", "format", "parameters", "preset", "ping", "report", "status",
                            "flush", "stall", "nonsense"))  # fmt: skip
        self.tally["acts"] += 1
        if kind == "stall":
            may_read.clear()
            await asyncio.sleep(draw.uniform(0, STALL_S))
            may_read.set()
            return
        message = {
            "subscribe": lambda: {"type": "subscribe", "query": self._query()},
            "format": lambda: {"type": "buffer_control", "format": draw.choice(FORMATS)},
            "parameters": lambda: {
                "type": "update_params",
                "parameters": {"bpm": draw.randint(40, 120), "intensity": round(draw.random(), 2)},
            },
            "preset": lambda: {"type": "select_preset", "preset": draw.choice(PRESETS)},
            "ping": lambda: {"type": "ping", "client_time": time.time()},
            "report": lambda: {"type": "playback_report", "latency_ms": draw.uniform(50, 900), "buffer_ms": 300},
            "status": lambda: {"type": "status"},
            "flush": lambda: {"type": "buffer_control", "flush": True, "max_backlog_ms": draw.randint(200, 2_000)},
            "nonsense": lambda: {"type": "nonsense"},
        }[kind]()
        await websocket.send(json.dumps(message))

    async def _request(self, method, path, body=""):
        """Sends an HTTP request; the response is still to be read."""
        reader, writer = await asyncio.wait_for(asyncio.open_connection(HOST, self._port), LIMIT_S)
        headers = {"Host": f"{HOST}:{self._port}", "Connection": "close", **self._headers()}
        if body:
            headers["Content-Length"] = len(body)
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        return reader, writer

    async def _listen_to_file(self, life_s):
        """Plays over plain HTTP."""
        name = self._random.choice(STATIONS)
        reader, writer = await self._request("GET", f"/listen/{name}.{self._random.choice(('opus', 'wav'))}")
        try:
            status = await asyncio.wait_for(reader.readline(), LIMIT_S)
            if b" 200 " not in status:
                self.tally[f"refused with HTTP {status.split()[1].decode() if status else 'nothing'}"] += 1
                return
            self.tally["came"] += 1
            ends = time.monotonic() + life_s
            while time.monotonic() < ends and (piece := await asyncio.wait_for(reader.read(65_536), LIMIT_S)):
                self.tally["bytes"] += len(piece)
        finally:
            writer.transport.abort()

    async def _visitors(self):
        """Requests everything other than the streams, one after the other."""
        requests = (
            ("GET", "/"),
            ("GET", "/api/status"),
            ("GET", "/api/presets"),
            ("GET", "/listen/main.m3u"),
            ("GET", "/nowhere"),
            ("GET", "/ws/stream"),
            ("POST", "/api/control", '{"type": "select_preset", "preset": "sleep", "station": "day"}'),
            ("POST", "/api/control", "no JSON"),
        )
        while True:
            await asyncio.sleep(0.5)
            try:
                reader, writer = await self._request(*self._random.choice(requests))
                try:
                    await asyncio.wait_for(reader.read(), LIMIT_S)
                finally:
                    writer.transport.abort()
                self.tally["visits"] += 1
            except (OSError, asyncio.TimeoutError) as error:
                self.tally[f"visit: {type(error).__name__}"] += 1
