# SPDX-License-Identifier: MIT
"""What listeners hear is measured, as published and as sent: a service that is up but silent is seen."""

import json

import pytest

from auralis import eventually, http_request
from listener import PCM

CHUNK_S = 0.1
VOICES = ("pads", "melody", "kicks", "swells")
AUDIBLE = 0.001  # of full scale, -60 dBFS
SILENT = 0.0001


def audio(stack, name, at, **labels):
    """A metric of the station's audio; None if it is absent."""
    return stack.metric(f"auralis_audio_{name}", station="default", at=at, **labels)


def silence(stack, at, cause):
    return audio(stack, "silence_seconds_total", at, cause=cause) or 0


def missing(stack):
    """How many chunks synthd did not render in time, and the seconds of silence sent in their place."""
    scrape = stack.scrape()
    seconds = scrape.value("auralis_audio_silence_seconds_total", station="default", at="sent", cause="underrun") or 0
    return scrape.value("ring_buffer_underruns_total", station="default"), seconds


def silent_as_long(stack, since):
    """Whether the silence sent is exactly as long as the chunks that are missing. `since`: missing() of before."""
    (before_chunks, before_s), (chunks, seconds) = since, missing(stack)
    return abs((chunks - before_chunks) * CHUNK_S - (seconds - before_s)) < 1e-6


def switch(stack, on):
    answer = stack.http("POST", "/api/control", json.dumps({"type": "update_params", "parameters": dict.fromkeys(VOICES, on)}))
    assert answer.status == 200, answer.text


def condition(stack, name):
    """As the dashboard shows it."""
    shown = json.loads(http_request(stack.metrics_port, "GET", "/api/history").text)
    return next(one for one in shown["conditions"] if one["name"] == name)


@pytest.fixture
def listener(listen):
    """One that is sent music."""
    listener = listen(PCM)
    listener.wait_for_more(3)
    return listener


def test_music_has_a_level_and_no_faults_on_its_way(stack, listener):
    for at in ("published", "sent"):
        eventually(lambda at=at: -40 < (audio(stack, "loudness_lufs", at) or 0) < -10, f"loudness {at}")
        assert AUDIBLE < audio(stack, "peak", at) <= 1
    listener.wait_for_more(30)
    for at in ("published", "sent"):
        assert audio(stack, "clipped_samples_total", at) is None
        assert audio(stack, "discontinuities_total", at) is None
    assert condition(stack, "SilenceOnAir")["state"] == "inactive"
    listener.close()
    eventually(lambda: audio(stack, "peak", "sent") is None, "no level of what nobody is sent")
    assert audio(stack, "peak", "published") > AUDIBLE


@pytest.mark.usefixtures("listener")
def test_a_station_whose_voices_are_all_switched_off_is_seen(stack):
    missing_before = missing(stack)
    switch(stack, False)
    try:
        for at in ("published", "sent"):
            # Once the reverb has died away, and the window of 3 s has passed.
            eventually(lambda at=at: audio(stack, "peak", at) < SILENT, f"silence {at}")
            before = silence(stack, at, "muted")
            assert before > 0
            eventually(lambda at=at, before=before: silence(stack, at, "muted") > before, f"silence {at} goes on")
        # Silence that is rendered is none of chunks that are missing.
        eventually(lambda: silent_as_long(stack, missing_before), "silence of missing chunks alone")
        assert silence(stack, "sent", "zero") == 0
        eventually(lambda: condition(stack, "SilenceOnAir")["state"] != "inactive", "the condition")
        assert condition(stack, "SilenceOnAir")["subject"] == "default"
    finally:
        switch(stack, True)
    for at in ("published", "sent"):
        eventually(lambda at=at: audio(stack, "peak", at) > AUDIBLE, f"music {at}")


@pytest.mark.usefixtures("listener")
def test_silence_in_place_of_missing_chunks_is_exactly_as_long_as_they_are(stack):
    eventually(lambda: audio(stack, "peak", "sent"), "measured")
    missing_before = missing(stack)
    synthd = stack.daemons["synthd"]
    synthd.hang()
    try:
        eventually(lambda: missing(stack)[0] >= missing_before[0] + 5, "underruns")
        eventually(lambda: audio(stack, "peak", "published") is None, "nothing is published")
    finally:
        synthd.go_on()
    eventually(lambda: audio(stack, "peak", "published"), "published again")
    eventually(lambda: silent_as_long(stack, missing_before), "the same length")
    assert silence(stack, "published", "underrun") == 0
