# SPDX-License-Identifier: MIT
"""32 configured stations, a personal one, and listeners in each format: who hears what, and how much /metrics holds."""

import subprocess

import pytest

from auralis import HOST, binary, clean_environment, eventually, free_ports, http_request
from listener import JSON, OPUS, PCM
from plain_http import HttpListener

STATIONS = [f"station{number}" for number in range(32)]
SETTINGS = {"AURALIS_SYNTHD_MAX_STATIONS": str(len(STATIONS) + 4)}  # a personal station stays for some seconds
CONFIGURATION = "".join(f"[[station]]\nname = '{name}'\n" for name in STATIONS)

MOST_SAMPLES = 600
# Counters by station that are absent at 0, and appear on a machine that has no time for its daemons.
TROUBLES = ("auralis_chunks_skipped_total", "auralis_audio_silence_seconds_total", "auralis_audio_discontinuities_total")
PROBED_STREAMS = 8  # whose results auralis-probe keeps


@pytest.fixture
def audience(stack, listen):
    """Listeners, by what /metrics calls them."""
    pairs = [
        (("station0", "pcm", "websocket"), listen(PCM, query="station=station0")),
        (("station0", "json", "websocket"), listen(JSON, query="station=station0")),
        (("station1", "opus", "websocket"), listen(OPUS, query="station=station1")),
        (("station1", "opus", "http"), HttpListener(stack, "/listen/station1.opus")),
        (("station31", "wav", "http"), HttpListener(stack, "/listen/station31.wav")),
        (("personal", "pcm", "websocket"), listen(PCM, query="station=new")),
    ]
    yield dict(pairs)
    for _, listener in pairs:
        listener.close()
    eventually(lambda: stack.metric("websocket_active_connections") == 0, "all gone")


def listeners(scrape):
    return {
        (dict(labels)["station"], dict(labels)["format"], dict(labels)["transport"]): value
        for (name, labels), value in scrape.values.items()
        if name == "auralis_listeners"
    }


def test_listeners_are_counted_by_what_they_hear(stack, audience):
    expected = dict.fromkeys(audience, 1)
    eventually(lambda: listeners(stack.scrape()) == expected, "each listener")
    assert stack.metric("auralis_listeners_peak") >= len(audience)
    for station, form in (("station0", "pcm"), ("station1", "opus"), ("station31", "wav"), ("personal", "pcm")):
        eventually(lambda: stack.metric("auralis_listener_seconds_total", station=station, format=form), "its seconds")

    audience["station0", "pcm", "websocket"].send({"type": "subscribe", "station": "station2"})
    del expected["station0", "pcm", "websocket"]
    expected["station2", "pcm", "websocket"] = 1
    eventually(lambda: listeners(stack.scrape()) == expected, "the one that switched")


def publish_probes(stack):
    """One result more than are kept, of probes that find no server."""
    (port,) = free_ports(1)
    for station in STATIONS[: PROBED_STREAMS + 1]:
        url = f"ws://{HOST}:{port}/ws/stream?station={station}"
        command = [binary("probe"), url, "--publish", "--config", stack.config_file]
        environment = {**clean_environment(), **stack.environment}
        assert subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 2


def test_metrics_stay_few(stack, audience):
    publish_probes(stack)
    expected = dict.fromkeys(audience, 1)
    eventually(lambda: listeners(stack.scrape()) == expected, "each listener")
    eventually(lambda: [name for name, _ in stack.scrape().values].count("auralis_audio_loudness_lufs") >= len(STATIONS), "the loudness of all")
    for accept in ("text/plain", "application/openmetrics-text"):
        page = http_request(stack.metrics_port, "GET", "/metrics", headers={"Accept": accept}).text
        samples = [line for line in page.splitlines() if not line.startswith(("#", *TROUBLES))]
        assert sum(line.startswith("auralis_probe_success{") for line in samples) == PROBED_STREAMS
        noise_ratios = PROBED_STREAMS  # had these probes heard anything
        assert len(samples) + noise_ratios < MOST_SAMPLES
