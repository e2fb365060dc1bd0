# SPDX-License-Identifier: MIT
"""Downloads: streamd has them rendered by auralis-render, a process of its own, which nobody hears."""

import contextlib
import json
import os
import socket
import subprocess

from auralis import HOST, Stack, binary, clean_environment, eventually, run_daemon
from listener import PCM, gaps
from rendering import command

SETTINGS = {
    "AURALIS_STREAMD_RENDER_PROGRAM": binary("render"),
    "AURALIS_STREAMD_MAX_DOWNLOADS": "2",
    "AURALIS_STREAMD_DOWNLOAD_MINUTES": "30",
    "AURALIS_SYNTHD_ENGINE": "native",
    "AURALIS_AUDIO_RING_MS": "10000",
}
LINK = "station=new&seed=42&preset=sleep"


def ended(stack, result):
    return stack.metric("auralis_downloads_total", result=result) or 0  # absent until it counts


def children(stack):
    """Processes that streamd has started and that are not gone."""
    tasks = f"/proc/{stack.daemons['streamd'].pid}/task"
    found = []
    for task in os.listdir(tasks):
        with contextlib.suppress(FileNotFoundError), open(f"{tasks}/{task}/children") as file:
            found += file.read().split()
    return found


def begin(stack):
    """The socket of a download of half an hour, whose answer has begun; None while none is allowed."""
    client = socket.create_connection((HOST, stack.stream_port), timeout=60)
    client.sendall(f"GET /download/30.opus?{LINK} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    head = client.recv(100)
    if head.startswith(b"HTTP/1.1 200"):
        return client
    client.close()
    assert head.startswith(b"HTTP/1.1 503"), head
    return None


@contextlib.contextmanager
def begun(stack):
    """Such a download: one of before holds its place until its process is gone."""
    with eventually(lambda: begin(stack), "a free place") as client:
        yield client


def rendered(link, seconds):
    """What auralis-render makes of the same."""
    words = command("--fade", 4, "--seconds", seconds, "--link", link, "-")
    result = subprocess.run(words, env=clean_environment(), capture_output=True, timeout=120, check=True)
    return result.stdout


def test_a_download_is_what_auralis_render_makes_of_the_permalink(stack):
    before = ended(stack, "complete")
    permalink = stack.status()["permalink"].split("?")[1]
    for link in (LINK, permalink):
        answer = stack.http("GET", f"/download/1.opus?{link}")
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "audio/ogg"
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="auralis-')
        assert answer.body == rendered(link, 60)
    eventually(lambda: ended(stack, "complete") == before + 2, "counted")
    eventually(lambda: children(stack) == [], "no process is left")


def test_it_is_a_minute_of_music_for_other_programs_too(stack, tmp_path):
    file = tmp_path / "a.opus"
    file.write_bytes(stack.http("GET", f"/download/1.opus?{LINK}").body)
    probe = ["ffprobe", "-v", "error", "-show_entries", "format=duration:stream=codec_name", "-of", "json", str(file)]
    told = json.loads(subprocess.run(probe, capture_output=True, check=True).stdout)
    assert told["streams"][0]["codec_name"] == "opus"
    assert 60 <= float(told["format"]["duration"]) < 60.1


def test_a_listener_hears_nothing_of_downloads(stack, listen):
    listener = listen(PCM)
    listener.wait_for_music(5)
    with begun(stack) as one, begun(stack) as other:
        read = 0
        while read < 4_000_000:  # of both, minutes of music
            read += len(one.recv(65536)) + len(other.recv(65536))
        listener.wait_for_music(20)
    assert gaps(listener.chunks) == []
    assert listener.warnings_of_streamd() == []


def test_a_client_that_goes_away_ends_the_rendering(stack):
    eventually(lambda: children(stack) == [], "those of before are counted")
    before = ended(stack, "aborted")
    with begun(stack):
        eventually(lambda: len(children(stack)) == 1, "a process renders")
    eventually(lambda: children(stack) == [], "it is gone")
    eventually(lambda: ended(stack, "aborted") == before + 1, "counted")


def test_more_than_allowed_are_refused_until_one_has_ended(stack):
    with begun(stack), begun(stack):
        for method in ("GET", "HEAD"):
            answer = stack.http(method, f"/download/1.opus?{LINK}")
            assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
        assert "max_downloads" in stack.http("GET", f"/download/1.opus?{LINK}").text
    eventually(lambda: stack.http("HEAD", f"/download/1.opus?{LINK}").status == 200, "free again")


def test_what_cannot_be_rendered_is_refused_in_a_sentence(stack):
    for path, status, sentence in (
        ("/download/31.opus?" + LINK, 400, "30 minutes"),
        ("/download/1.opus", 400, "permalink"),
        ("/download/1.opus?station=new", 400, "seed"),
        ("/download/1.opus?station=new&seed=1&preset=loud", 400, "preset"),
        ("/download/1.opus?station=nowhere", 404, "No such station"),
        ("/download/1.mp3?" + LINK, 404, "No such path"),
    ):
        answer = stack.http("GET", path)
        assert answer.status == status, path
        assert sentence in answer.text, answer.text


def test_a_stop_ends_a_download_by_breaking_it_off(stack):
    with begun(stack):
        (pid,) = eventually(lambda: len(children(stack)) == 1 and children(stack), "a process renders")
        stack.daemons["streamd"].terminate()
        assert stack.daemons["streamd"].exit_status() == 0
        eventually(lambda: not os.path.exists(f"/proc/{pid}"), "it is gone")
    stack.daemons["streamd"].start()
    stack.wait_until_ready()


def test_without_the_program_none_are_offered():
    with Stack() as stack:
        assert json.loads(stack.http("GET", "/api/status").text)["download_minutes"] == 0
        assert stack.http("GET", f"/download/1.opus?{LINK}").status == 404
        assert "no downloads are offered" in stack.daemons["streamd"].log()


def test_a_configured_program_that_is_not_there_is_an_error_at_the_start(tmp_path):
    result = run_daemon("streamd", "--runtime-dir", str(tmp_path), "--port", "1", "--render-program", "/nowhere/render")
    assert result.returncode != 0
    assert "/nowhere/render" in result.stderr
