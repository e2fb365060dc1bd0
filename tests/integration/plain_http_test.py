# SPDX-License-Identifier: MIT
"""Stations over plain HTTP, for ordinary players: such players can play them, and count as listeners like others."""

import array
import collections
import http.client
import json
import math
import os
import re
import shutil
import socket
import struct
import subprocess
import threading
import wave

import pytest

from auralis import HOST, WAIT_LIMIT_S, Stack, eventually, http_request
from listener import PCM, SMALL_BUFFER, Listener, gaps
from protocol_files import HTTP, faults

SECONDS = 10
PLAYER_SECONDS = 4
PLAYER_LIMIT_S = 60
OPUS_HZ = 48_000
STATION_HZ = 44_100
WAV_HEADER_BYTES = 44
OGG_BEGINS = 2
TOKEN = "operators-0123456789abcdef0123456789abcdef"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
CONFIGURATION = """
[[station]]
name = "day"
preset = "bright"

[[station]]
name = "night"
preset = "sleep"
"""

pytestmark = pytest.mark.usefixtures("balanced")


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    token = tmp_path_factory.mktemp("token") / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    settings = {
        "AURALIS_AUDIO_SAMPLE_RATE": str(STATION_HZ),
        "AURALIS_STREAMD_MAX_BACKLOG_MS": "500",
        "AURALIS_STREAMD_TOKEN_FILE": str(token),
    }
    with Stack(settings, CONFIGURATION) as running:
        yield running


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


def level_db(samples):
    """Root mean square, below full scale."""
    return 20 * math.log10(math.sqrt(sum(one * one for one in samples) / len(samples)) / 32_768 + 1e-9)


def url(stack, path):
    return f"http://{HOST}:{stack.stream_port}{path}"


def ffmpeg(*arguments, **options):
    return subprocess.Popen(["ffmpeg", "-nostdin", "-v", "error", *arguments], stderr=subprocess.PIPE, text=True, **options)


@pytest.fixture(scope="module")
def recordings(stack, tmp_path_factory):
    """Ten seconds of the station day as decoded by ffmpeg, by format; and the bodies that two other listeners, and a later
    one, received meanwhile."""
    directory = tmp_path_factory.mktemp("recordings")
    processes = {
        name: ffmpeg("-i", url(stack, f"/listen/day.{name}"), "-t", str(SECONDS), str(directory / f"{name}.wav"))
        for name in ("opus", "wav")
    }
    listeners = [HttpListener(stack, f"/listen/day.{name}") for name in ("opus", "opus", "wav", "wav")]
    listeners[0].wait_for_bytes(50_000)
    late = HttpListener(stack, "/listen/day.opus")
    live = Listener(stack.stream_url("station=day"), PCM)
    for name, process in processes.items():
        said = process.communicate(timeout=WAIT_LIMIT_S)[1]
        assert (process.returncode, said) == (0, ""), name
    for listener in [late, live, *listeners]:
        listener.close()
    return directory, listeners, late, live


@pytest.mark.parametrize("name, rate", [("opus", OPUS_HZ), ("wav", STATION_HZ)])
def test_a_player_hears_music(recordings, name, rate):
    directory = recordings[0]
    with wave.open(str(directory / f"{name}.wav")) as recording:
        assert (recording.getframerate(), recording.getnchannels(), recording.getsampwidth()) == (rate, 2, 2)
        frames = recording.getnframes()
        samples = array.array("h", recording.readframes(frames))
    assert abs(frames / rate - SECONDS) < 0.05
    # As a whole and in each second: no silence, no full-scale noise.
    assert -45 < level_db(samples) < -6
    second = 2 * rate
    levels = [level_db(samples[begin : begin + second]) for begin in range(0, SECONDS * second, second)]
    assert min(levels) > -60, levels


def test_all_listeners_of_a_station_get_the_same_pages(recordings):
    _, (first, second, *_), late, _ = recordings
    pages = [ogg_pages(listener.body) for listener in (first, second, late)]
    assert all(page[0].bytes[28:36] == b"OpusHead" and page[1].bytes[28:36] == b"OpusTags" for page in pages)
    audio = [{page.number: page.bytes for page in one[2:]} for one in pages]
    for one in audio:
        assert list(one) == list(range(min(one), max(one) + 1)), "one after the other"
        common = one.keys() & audio[0].keys()
        assert len(common) > 30 and all(one[number] == audio[0][number] for number in common)
    assert min(audio[2]) > min(audio[0]), "who came later"
    assert {page.serial for one in pages for page in one} == {pages[0][0].serial}


def test_a_later_listener_hears_music(recordings, tmp_path):
    late = recordings[2]
    body = b"".join(page.bytes for page in ogg_pages(late.body))
    (tmp_path / "late.opus").write_bytes(body)
    with ffmpeg("-i", str(tmp_path / "late.opus"), str(tmp_path / "late.wav")) as process:
        said = process.communicate(timeout=WAIT_LIMIT_S)[1]
    assert (process.returncode, said) == (0, "")
    with wave.open(str(tmp_path / "late.wav")) as recording:
        seconds = recording.getnframes() / OPUS_HZ
        samples = array.array("h", recording.readframes(recording.getnframes()))
    assert seconds > 3 and level_db(samples) > -45
    played = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", "-show_entries", "stream_tags=title:stream=codec_name,channels",
         str(tmp_path / "late.opus")],
        capture_output=True,
        timeout=WAIT_LIMIT_S,
        check=True,
    )
    (stream,) = json.loads(played.stdout)["streams"]
    assert (stream["codec_name"], stream["channels"]) == ("opus", 2)
    assert {name.lower(): value for name, value in stream["tags"].items()} == {"title": "day"}


def test_wav_equals_the_pcm_of_websocket_listeners(recordings):
    _, (*_, first, second), _, live = recordings
    assert first.body[:4] == b"RIFF" and first.body[8:12] == b"WAVE"
    assert struct.unpack_from("<HHI", first.body, 20) == (1, 2, STATION_HZ)
    chunks = live.chunks[5:20]
    assert len(chunks) == 15 and gaps(chunks) == []
    sound = b"".join(chunk.pcm for chunk in chunks)
    for one in (first, second):
        assert (one.body.index(sound) - WAV_HEADER_BYTES) % 4 == 0


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
        assert abs(rows[form]["bytes"] - len(one.body)) < 40_000
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


def unprivileged(command):
    """VLC does not run as root."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *command]


PLAYERS = {
    "curl": lambda to: ["curl", "-sS", "--max-time", str(PLAYER_SECONDS), "-o", "heard", to("day.opus")],
    "mpv": lambda to: ["mpv", "--no-config", "--ao=null", f"--length={PLAYER_SECONDS}", to("day.m3u")],
    "ffplay": lambda to: ["timeout", str(PLAYER_SECONDS + 2), "ffplay", "-nodisp", "-hide_banner", to("day.opus")],
    "cvlc": lambda to: unprivileged(
        ["cvlc", "-v", "--aout=dummy", f"--run-time={PLAYER_SECONDS}", to("day.m3u"), "vlc://quit"]
    ),
}


@pytest.fixture(scope="module")
def players(stack, tmp_path_factory):
    """Runs all installed players at the same time: exit status and output."""
    directory = tmp_path_factory.mktemp("players")
    environment = {**os.environ, "SDL_AUDIODRIVER": "dummy", "HOME": "/tmp", "LC_ALL": "C.UTF-8"}
    running = {
        name: subprocess.Popen(
            command(lambda file: url(stack, f"/listen/{file}")),
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for name, command in PLAYERS.items()
        if shutil.which(name)
    }
    said = {}
    try:
        for name, process in running.items():
            output = process.communicate(timeout=PLAYER_LIMIT_S)[0].decode(errors="replace")
            said[name] = (process.returncode, output, directory)
    finally:
        for process in running.values():
            process.kill()
    return said


@pytest.mark.parametrize("player", PLAYERS)
def test_an_ordinary_player_plays_it(players, player):
    if player not in players:
        pytest.skip(f"{player} is not installed")
    status, said, directory = players[player]
    if player == "curl":
        assert status == 28, said  # stopped by its time limit
        pages = ogg_pages((directory / "heard").read_bytes())
        assert max(page.granule for page in pages) - pages[2].granule > (PLAYER_SECONDS - 1) * OPUS_HZ
    elif player == "mpv":
        assert status == 0 and "AO: [null] 48000Hz stereo" in said and "Title: day" in said, said
    elif player == "ffplay":
        assert status == 124, said  # would play endlessly
        played = [float(clock) for clock in re.findall(r"([\d.]+) M-A:", said)]
        assert played and max(played) > PLAYER_SECONDS - 1, said[-1_000:]
    else:
        assert status == 0 and "input error" not in said and "stream error" not in said, said


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
