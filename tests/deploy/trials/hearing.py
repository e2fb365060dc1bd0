# SPDX-License-Identifier: MIT
"""A listener that asks for its chunks early, connects again at once when its connection ends and asks for what it missed, as the player
does, and says what it lost."""

import dataclasses
import threading
import time

from listener import PCM, Listener

LATE_S = 2.0  # after a chunk is due: later than the player waits
LEAD_MS = 500
RETRY_S = 0.2


@dataclasses.dataclass
class Heard:
    chunks: int  # that came in time, as music
    missing: int  # of those between the first and the last
    silent: int
    late: int
    connections: int
    refused: int  # attempts to connect

    def __str__(self):
        return (
            f"{self.chunks} chunks, {self.missing} missing, {self.silent} silent, {self.late} late; "
            f"{self.connections} connections, {self.refused} refused"
        )

    def is_whole(self, may_miss=0):
        return self.chunks > 0 and self.missing <= may_miss and (self.silent, self.late, self.refused) == (0, 0, 0)


class Hearing:
    """As a context manager: listens until the end of the context. Then `heard` tells of it."""

    def __init__(self, url):
        self._url = url
        self._listeners = []
        self._refused = 0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self.heard = None

    def __enter__(self):
        self._thread.start()
        while not (self._listeners and len(self._listeners[0].chunks) > 10):
            assert self._refused < 50, f"{self._url} refuses"
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        time.sleep(2)  # for what is due by now
        self._ending.set()
        self._thread.join()
        self.heard = self._account()

    def _listen(self):
        while not self._ending.is_set():
            try:
                listener = Listener(f"{self._url}?lead_ms={LEAD_MS}{self._after()}", PCM)
            except Exception:  # pylint: disable=broad-except  # whatever a failed attempt raises
                self._refused += 1
                time.sleep(RETRY_S)
                continue
            self._listeners.append(listener)
            while not listener.closed and not self._ending.is_set():
                time.sleep(0.02)
            listener.close()

    def _after(self):
        newest = max((listener.newest_seq for listener in self._listeners), default=-1)
        return f"&after={newest}" if newest >= 0 else ""

    def _account(self):
        chunks = {}
        for listener in self._listeners:
            for chunk in listener.chunks:
                chunks.setdefault(chunk.seq, chunk)
        late = [chunk for chunk in chunks.values() if chunk.received > chunk.timestamp + LATE_S]
        silent = [chunk for chunk in chunks.values() if chunk.silence]
        span = max(chunks) - min(chunks) + 1
        return Heard(
            len(chunks) - len({chunk.seq for chunk in late + silent}), span - len(chunks), len(silent), len(late),
            len(self._listeners), self._refused,
        )
