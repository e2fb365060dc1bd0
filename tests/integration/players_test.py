# SPDX-License-Identifier: MIT
"""Stations over plain HTTP: ordinary players can play them, and all of a station's listeners get the same music."""

import array
import json
import math
import os
import re
import shutil
import struct
import subprocess
import wave

import pytest

from auralis import WAIT_LIMIT_S
from listener import PCM, Listener, gaps
from plain_http import CONFIGURATION, OPUS_HZ, SETTINGS, STATION_HZ, WAV_HEADER_BYTES, HttpListener, ogg_pages, url

SECONDS = 10
PLAYER_SECONDS = 4
PLAYER_LIMIT_S = 60

pytestmark = pytest.mark.usefixtures("balanced")


def level_db(samples):
    """Root mean square, below full scale."""
    return 20 * math.log10(math.sqrt(sum(one * one for one in samples) / len(samples)) / 32_768 + 1e-9)


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
