# SPDX-License-Identifier: MIT
"""Stations over plain HTTP: their playlists, and that who plays them counts as a listener like others."""

import json
import struct

import pytest

from auralis import HOST, Stack, eventually, http_request
from listener import PCM, SMALL_BUFFER, Listener, gaps
from plain_http import CONFIGURATION, OPUS_HZ, SETTINGS, STATION_HZ, WAV_HEADER_BYTES, HttpListener, ogg_pages, url
from protocol_files import HTTP, faults

OGG_BEGINS = 2
TOKEN = "operators-0123456789abcdef0123456789abcdef"
BEARER = {"Authorization": f"Bearer {TOKEN}"}

pytestmark = pytest.mark.usefixtures("balanced")


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    token = tmp_path_factory.mktemp("token") / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    with Stack({**SETTINGS, "AURALIS_STREAMD_TOKEN_FILE": str(token)}, CONFIGURATION) as running:
        yield running


@pytest.fixture
def fetch(stack):
    """Creates HttpListeners that are closed after the test."""
    listeners = []

    def make(path, **options):
        listeners.append(HttpListener(stack, path, **options))
        return listeners[-1]

    yield make
    for listener in listeners:
        listener.close()


def listening(stack):
    answer = stack.http("GET", "/api/listeners", headers=BEARER)
    body = json.loads(answer.text)
    assert faults(HTTP, "listeners", body) == []
    return body["listeners"]


def no_listeners(stack):
    eventually(lambda: stack.metric("websocket_active_connections") == 0, "no listeners")


@pytest.mark.parametrize("name, kind", [("opus", "audio/ogg"), ("wav", "audio/wav")])
def test_head_of_a_stream_is_answered(stack, name, kind):
    no_listeners(stack)
    before = stack.metric("websocket_connections_total")
    answer = stack.http("HEAD", f"/listen/day.{name}")
    assert (answer.status, answer.headers["Content-Type"]) == (200, kind)
    assert stack.metric("websocket_connections_total") == before, "that is no listener"


def test_an_unknown_stream_is_reported(stack):
    for path in ("/listen/dusk.opus", "/listen/dusk.wav", "/listen/dusk.m3u"):
        for method in ("GET", "HEAD"):
            assert stack.http(method, path).status == 404
        text = stack.http("GET", path).text
        assert "day" in text and "night" in text
    for path in ("/listen/", "/listen/day", "/listen/day.mp3", "/listen/.opus"):
        assert stack.http("GET", path).status == 404
    answer = stack.http("POST", "/listen/day.opus")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_a_playlist_points_to_the_stream_under_the_requested_host(stack):
    def playlist(path, **headers):
        answer = http_request(stack.stream_port, "GET", path, headers=headers)
        assert (answer.status, answer.headers["Content-Type"]) == (200, "audio/x-mpegurl")
        head, title, address = answer.text.splitlines()
        assert head == "#EXTM3U" and title.startswith("#EXTINF:-1,")
        return title.partition(",")[2], address

    assert playlist("/listen/day.m3u") == ("day", url(stack, "/listen/day.opus"))
    assert playlist("/listen/night.m3u", Host="radio.example") == ("night", "http://radio.example/listen/night.opus")
    with_ticket = playlist("/listen/day.m3u?ticket=day.4102444800.abc-_", Host="radio.example:81")
    assert with_ticket == ("day", "http://radio.example:81/listen/day.opus?ticket=day.4102444800.abc-_")
    # The sender is not a trusted proxy.
    untrusted = playlist("/listen/day.m3u", **{"Host": "radio.example", "X-Forwarded-Proto": "https"})
    assert untrusted[1].startswith("http://")


def test_a_stream_is_a_listener(stack, fetch):
    no_listeners(stack)
    opus, wav = fetch("/listen/day.opus"), fetch("/listen/night.wav")
    for one in (opus, wav):
        one.wait_for_bytes(20_000)
    rows = {row["format"]: row for row in listening(stack)}
    assert {(form, row["station"], row["transport"], row["address"]) for form, row in rows.items()} == {
        ("opus", "day", "http", HOST),
        ("wav", "night", "http", HOST),
    }
    for form, one in (("opus", opus), ("wav", wav)):
        assert rows[form]["sent"] >= 3 and rows[form]["dropped"] == 0
        # What was handed to the kernel may still be on its way.
        eventually(lambda form=form, one=one: abs(next(row["bytes"] for row in listening(stack) if row["format"] == form) - len(one.body)) < 40_000, form)
    assert stack.metric("websocket_active_connections") == 2
    assert stack.status("day")["listeners"] == stack.status("night")["listeners"] == 1
    assert stack.http("POST", f"/api/listeners/{rows['opus']['id']}/close", headers=BEARER).status == 204
    eventually(lambda: opus.ended, "the end of what an operator closed")
    wav.close()
    no_listeners(stack)
    eventually(lambda: stack.status("night")["listeners"] == 0, "no listener of the station")
    assert listening(stack) == []


def test_a_stalled_stream_does_not_affect_others(stack, fetch):
    def dropped():
        return stack.metric("websocket_chunks_dropped_total", reason="backlog")

    others = [fetch("/listen/day.wav"), Listener(stack.stream_url("station=day"), PCM)]
    before, skipped = stack.metric("websocket_send_errors_total"), dropped()
    slow = fetch("/listen/day.wav", receive_buffer=SMALL_BUFFER)
    slow.wait_for_bytes(20_000)
    slow.pause()
    eventually(lambda: dropped() >= skipped + 10, "chunks left out")
    for _ in range(20):
        stack.check_books()
    assert stack.metric("auralis_chunks_queued") >= 4
    slow.resume()
    others[1].wait_for_more(10)
    newest = others[1].chunks[-1].pcm
    eventually(lambda: newest in slow.body, "the live position")
    assert (slow.body.index(newest) - WAV_HEADER_BYTES) % len(newest) == 0, "whole chunks were left out"
    eventually(lambda: newest in others[0].body, "the same chunk")
    # Each has its own phase: the second may have started a chunk before the first.
    first = next(number for number in (0, 1) if others[1].chunks[number].pcm in others[0].body)
    begin = others[0].body.index(others[1].chunks[first].pcm)
    heard = b"".join(chunk.pcm for chunk in others[1].chunks[first:])
    assert gaps(others[1].chunks) == [] and others[0].body[begin:].startswith(heard[: len(others[0].body) - begin])
    assert stack.metric("websocket_send_errors_total") == before
    others[1].close()


def test_a_stream_ends_with_the_server(stack, fetch):
    streams = [fetch("/listen/day.opus"), fetch("/listen/day.wav")]
    for one in streams:
        one.wait_for_bytes(20_000)
    stack.daemons["streamd"].terminate()
    assert stack.daemons["streamd"].exit_status() == 0
    for one in streams:
        eventually(lambda: one.ended, "the end")
        assert one.whole, "its body has an end, too"
    stack.daemons["streamd"].start()
    stack.wait_until_ready()


def test_a_wav_ends_when_the_sample_rate_changes_and_others_continue(stack, fetch):
    wav, opus = fetch("/listen/day.wav"), fetch("/listen/day.opus")
    live = Listener(stack.stream_url("station=day"), PCM)
    for one in (wav, opus):
        one.wait_for_bytes(20_000)
    synthd = stack.daemons["synthd"]
    former = synthd.environment
    try:
        synthd.terminate()
        assert synthd.exit_status() == 0
        synthd.environment = {**former, "AURALIS_AUDIO_SAMPLE_RATE": str(OPUS_HZ)}
        synthd.start()
        eventually(lambda: wav.ended, "the end of what cannot change its rate")
        eventually(lambda: live.chunks[-1].sample_rate == OPUS_HZ, "the new rate")
        opus.wait_for_bytes(len(opus.body) + 20_000)
        assert not opus.ended
        # The logical stream ends with the former rate; another one follows (RFC 3533, 4).
        pages = ogg_pages(opus.body)
        begins = [page.serial for page in pages if page.kind & OGG_BEGINS]
        assert len(begins) > 1 and begins == list(dict.fromkeys(page.serial for page in pages))
        again = fetch("/listen/day.wav")
        again.wait_for_bytes(WAV_HEADER_BYTES)
        assert struct.unpack_from("<I", again.body, 24) == (OPUS_HZ,)
    finally:
        live.close()
        synthd.terminate()
        assert synthd.exit_status() == 0
        synthd.environment = former
        synthd.start()
        eventually(lambda: stack.status("day")["sample_rate"] == STATION_HZ, "the former rate")
        stack.wait_until_ready()
