# SPDX-License-Identifier: MIT
"""Two stations for the fixture `stack`, with room for personal ones, and what auralis-render makes of them."""

import json
import wave

from auralis import eventually, run_daemon

# A ring of 10 s, so that a machine that stalls streamd for seconds delays chunks and loses none; one engine, so that
# the audio can be rendered again, sample for sample.
SETTINGS = {
    "AURALIS_AUDIO_RING_MS": "10000",
    "AURALIS_AUDIO_TARGET_DEPTH_MS": "1000",
    "AURALIS_SYNTHD_ENGINE": "native",
    "AURALIS_SYNTHD_MAX_STATIONS": "5",
    "AURALIS_STREAMD_MAX_OPUS_STATIONS": "2",
}

CONFIGURATION = """
[[station]]
name = "day"
preset = "bright"
open = true

[[station]]
name = "night"
seed = 7
preset = "sleep"
"""

PLACES = 5
OPUS_PLACES = 2
CONFIGURED = ["day", "night"]


def names(stack):
    return [one["station"] for one in json.loads(stack.http("GET", "/api/status").text)["stations"]]


def places(stack):
    return json.loads(stack.http("GET", "/api/status").text)["places"]


def first_status(listener):
    return eventually(lambda: listener.texts("status"), "a status")[0]


def no_personal(stack):
    """Waits until the personal stations of earlier tests have ended."""
    eventually(lambda: places(stack)["personal"] == 0, "all personal stations ended")


def rendered(tmp_path, *options):
    """The chunks that auralis-render renders with these options."""
    piece = tmp_path / "piece.wav"
    result = run_daemon("render", "--force", *options, str(piece))
    assert (result.returncode, result.stderr) == (0, "")
    with wave.open(str(piece)) as file:
        frames = file.getframerate() // 10
        return [file.readframes(frames) for _ in range(file.getnframes() // frames)]
