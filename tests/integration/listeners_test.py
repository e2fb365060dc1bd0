# SPDX-License-Identifier: MIT
"""Ten listeners at once: each hears the complete station, in real time, independently of the others."""

import array
import math
import statistics

import pytest

from auralis import eventually
from listener import JSON, PCM, Listener, gaps

CHUNK_S = 0.1
PREFILL_S = 1.0
LIVE_CHUNKS = 60
PROTOCOLS = [(), *[(JSON,)] * 4, *[(PCM,)] * 5]

# A ring of 10 s, so that a machine that stalls streamd for seconds delays chunks and loses none.
SETTINGS = {
    "AURALIS_AUDIO_RING_MS": "10000",
    "AURALIS_STREAMD_MAX_BACKLOG_MS": "10000",
    "AURALIS_STREAMD_PREFILL_MS": str(int(PREFILL_S * 1000)),
}


@pytest.fixture(scope="module")
def listeners(stack):
    """What ten listeners heard: the past chunks, and at least LIVE_CHUNKS more."""
    listeners = [Listener(stack.stream_url())]
    try:
        # A new station has no past chunks.
        eventually(lambda: listeners[0].newest_seq > 2 * PREFILL_S / CHUNK_S, "a past")
        listeners += [Listener(stack.stream_url(), *protocols) for protocols in PROTOCOLS]
        for listener in listeners[1:]:
            eventually(lambda: len(listener.chunks) >= PREFILL_S / CHUNK_S + LIVE_CHUNKS, "enough chunks")
    finally:
        for listener in listeners:
            listener.close()
    return listeners[1:]


def test_the_subprotocol_asked_for_is_the_one_in_use(listeners):
    assert [listener.subprotocol for listener in listeners] == [(*asked, None)[0] for asked in PROTOCOLS]


def test_the_first_message_is_the_status(listeners):
    for listener, asked in zip(listeners, PROTOCOLS):
        status = listener.messages[0]
        assert status["type"] == "status"
        assert status["protocol"] == (*asked, JSON)[0]
        assert (status["station"], status["sample_rate"], status["channels"]) == ("default", 44_100, 2)
        assert status["chunk_ms"] == 100
        assert set(status) == {
            "type", "station", "personal", "open", "seed", "sample_index", "parameters", "target", "preset", "request", "bar", "sample_rate", "channels",
            "chunk_ms", "protocol", "listeners", "server_time",
        }  # fmt: skip
        assert status["preset"] == "focus"


def test_the_newest_past_chunks_come_at_once(listeners):
    for listener in listeners:
        # Both times are the server's, read together: no slow machine separates them.
        past = listener.messages[0]["server_time"] - listener.chunks[0].timestamp
        assert past > PREFILL_S - 2 * CHUNK_S


def test_every_listener_gets_every_chunk_in_sequence(listeners):
    for listener in listeners:
        assert gaps(listener.chunks) == []
        assert listener.warnings_of_streamd() == []


def test_every_chunk_is_stereo_and_of_the_promised_length(listeners):
    for listener in listeners:
        shapes = {(chunk.sample_rate, chunk.channels, chunk.frames) for chunk in listener.chunks}
        assert shapes == {(44_100, 2, 4_410)}


def test_a_chunk_is_the_same_for_all_listeners_and_in_both_formats(listeners):
    known = {}
    compared = 0
    for listener in listeners:
        for chunk in listener.chunks:
            pcm, timestamp = known.setdefault(chunk.seq, (chunk.pcm, chunk.timestamp))
            assert chunk.pcm == pcm, f"chunk {chunk.seq} differs"
            assert abs(chunk.timestamp - timestamp) < 1e-5
            compared += 1
    assert compared > len(listeners) * LIVE_CHUNKS


def test_timestamps_lie_one_chunk_apart(listeners):
    chunks = listeners[-1].chunks
    starts = [chunk.timestamp - chunk.seq * CHUNK_S for chunk in chunks]
    # The server reads two clocks for each, and may be delayed in between.
    assert statistics.median(abs(start - statistics.median(starts)) for start in starts) < 0.002


def test_the_stream_runs_in_real_time(listeners):
    for listener in listeners:
        live = [chunk for chunk in listener.chunks if chunk.timestamp > listener.messages[0]["server_time"]]
        delays = [chunk.received - chunk.timestamp for chunk in live]
        # Never more than a chunk early, and at the end not late by a large part of the time: 43 % of real time would be
        # late by more than half.
        assert min(delays) > -1.5 * CHUNK_S
        span = live[-1].timestamp - live[0].timestamp
        assert min(delays[-10:]) < span / 4


def test_it_is_music(listeners):
    samples = array.array("h", b"".join(chunk.pcm for chunk in listeners[-1].chunks))
    left, right = samples[0::2], samples[1::2]
    for side in (left, right):
        rms = math.sqrt(sum(sample * sample for sample in side) / len(side)) / 32_768
        assert 0.01 < rms < 0.5
        assert sum(abs(sample) >= 32_767 for sample in side) < len(side) / 1000, "clipped"
    assert left != right
