# SPDX-License-Identifier: MIT
"""Another process removes, truncates or overwrites what the daemons share, with a listener connected: no daemon ends, lost
data is restored, no counter falls, and health is reported correctly."""

import os
import random
import shutil

import pytest

from auralis import eventually, run_daemon
from listener import OPUS, PCM, gaps
from restart_test import fallen

# A ring of 10 s, so that a machine that stalls streamd for seconds delays chunks and loses none.
SETTINGS = {"AURALIS_AUDIO_RING_MS": "10000", "AURALIS_SYNTHD_ENGINE": "native"}
SEGMENTS = ("synthd/audio", "synthd/metrics", "streamd/control", "streamd/metrics")
HEADER_BYTES = 64


def remove(path):
    path.unlink()


def remove_folder(path):
    # Renamed first: the daemon would put a file back into a folder that is half empty.
    removed = path.parent.rename(path.parent.with_name("removed"))
    shutil.rmtree(removed)


def replace(path):
    other = path.with_suffix(".other")
    other.write_bytes(os.urandom(4_096))
    other.rename(path)


def cut_short(path):
    os.truncate(path, 0)


def write_noise(path, seed=14):
    """Writes over the whole payload. Some words of a ring of 10 s suffice."""
    size = path.stat().st_size
    bytes_of_noise = random.Random(seed)
    with open(path, "r+b") as file:
        file.seek(HEADER_BYTES)
        file.write(bytes_of_noise.randbytes(min(size - HEADER_BYTES, 1_000_000)))


HARMS = (remove, replace, remove_folder, cut_short, write_noise)


def healthcheck(stack, daemon):
    return run_daemon(daemon, "--healthcheck", environment=stack.environment)


def intact(stack):
    """Whether each segment is in place and its daemon's, by the daemons' own checks."""
    return all(healthcheck(stack, daemon).returncode == 0 for daemon in ("synthd", "streamd"))


def pids(stack):
    return {name: daemon.pid for name, daemon in stack.daemons.items() if daemon.running()}


@pytest.mark.parametrize("name", SEGMENTS)
@pytest.mark.parametrize("harm", HARMS)
def test_no_daemon_ends_no_counter_falls_and_the_music_continues(stack, listen, harm, name):
    listener = listen(PCM)
    listener.wait_for_music(5)
    before, running = stack.scrape().rising(), pids(stack)
    writer = stack.daemons[name.split("/")[0]]
    said = writer.log().count("takes its place")

    harm(stack.runtime_dir / name)
    eventually(lambda: intact(stack), f"{name} is put back", 20)
    if harm is not write_noise:
        eventually(lambda: writer.log().count("takes its place") > said, "the writer says so")
    listener.wait_for_music(15)

    assert pids(stack) == running
    assert not listener.closed and gaps(listener.chunks) == []
    eventually(lambda: not fallen(before, stack.scrape()), "no counter has fallen")
    # A change requested now comes into force.
    accepted = listener.ask({"type": "update_params", "parameters": {"intensity": random.Random(name).random()}})
    assert accepted["type"] == "accepted", accepted
    eventually(lambda: stack.status()["request"] >= accepted["request"], "the change is in force")
    stack.check_books()


def test_an_audio_segment_that_is_removed_is_heard_by_no_listener(stack, listen):
    listener = listen(PCM)

    def removed_unheard():
        listener.wait_for_music(5)
        begin = len(listener.chunks)
        generation = stack.generation("synthd/audio")
        remove(stack.runtime_dir / "synthd/audio")
        eventually(lambda: intact(stack), "it is back")
        assert stack.generation("synthd/audio") == generation + 1
        listener.wait_for_more(20)
        return not any(chunk.silence for chunk in listener.chunks[begin:])

    # Up to three times: a machine that stands still at that moment leaves silence as well.
    assert any(removed_unheard() for _ in range(3))
    assert gaps(listener.chunks) == []


def test_noise_in_the_audio_segment_sends_no_listener_away(stack, listen):
    listeners = [listen(PCM), listen(OPUS)]
    for seed in range(1, 7):
        write_noise(stack.runtime_dir / "synthd/audio", seed)
        for listener in listeners:
            listener.wait_for_more(5)
    listeners[0].wait_for_music(15)
    assert not any(listener.closed for listener in listeners)
    assert all(gaps(listener.chunks) == [] for listener in listeners)


def test_a_segment_that_cannot_be_put_back_is_unhealthy_and_ends_its_daemon_for_the_supervisor(stack):
    synthd = stack.daemons["synthd"]
    folder = stack.runtime_dir / "synthd"
    shutil.rmtree(folder)
    folder.write_text("a file where the folder should be")
    eventually(lambda: not synthd.running(), "synthd ends")
    assert synthd.exit_status() == 1
    assert str(folder) in synthd.log_tail()
    assert healthcheck(stack, "synthd").returncode == 1
    folder.unlink()
    synthd.start()
    eventually(lambda: intact(stack), "synthd plays again")


def test_a_removed_segment_is_unhealthy_until_it_is_restored(stack):
    """A stopped daemon restores nothing."""
    synthd = stack.daemons["synthd"]
    assert intact(stack)
    synthd.hang()
    try:
        remove(stack.runtime_dir / "synthd/audio")
        check = healthcheck(stack, "synthd")
        assert check.returncode == 1 and "synthd/audio" in check.stdout, check.stdout
        eventually(lambda: not stack.is_up("synthd"), "auralis_up is 0")
    finally:
        synthd.go_on()
    eventually(lambda: intact(stack) and stack.is_up("synthd"), "put back")
