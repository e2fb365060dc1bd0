# SPDX-License-Identifier: MIT
"""Each daemon is killed in turn and restarted with a listener connected: the others keep running, and it continues."""

import array
import statistics
import wave

from auralis import eventually, run_daemon
from listener import JSON, PCM, gaps
from seed_metrics import metrics_of

CHUNK_S = 0.1

# A ring of 10 s, so that a machine that stalls streamd for seconds delays chunks and loses none.
# One engine, so that the audio can be rendered again, sample for sample.
SETTINGS = {"AURALIS_AUDIO_RING_MS": "10000", "AURALIS_SYNTHD_ENGINE": "native"}


def underruns(stack):
    return stack.metric("ring_buffer_underruns_total", station="default")


def is_down(stack, daemon):
    """Whether /metrics reports it as down, without any of its metrics."""
    scrape = stack.scrape()
    return scrape.value("auralis_up", process=daemon) == 0 and not metrics_of(scrape, daemon)


def is_down_with_its_counts(stack, daemon):
    """Whether /metrics reports it as down, with nothing of it but what it has counted."""
    scrape = stack.scrape()
    left = {series for series in metrics_of(scrape, daemon) if not series[0].endswith("_sum")}
    return scrape.value("auralis_up", process=daemon) == 0 and left and left <= scrape.rising().keys()


def is_back(stack, daemon):
    return stack.is_up(daemon) and metrics_of(stack.scrape(), daemon)


def ready_status(stack):
    return stack.http("GET", "/readyz").status


def silent(listener):
    return [chunk.seq for chunk in listener.chunks if chunk.silence]


def fallen(before, after):
    """Series that must never fall, but fell or disappeared."""
    later = after.rising()
    return {series: (value, later.get(series)) for series, value in before.items() if later.get(series, -1) < value}


def timeline_start(chunks):
    """Unix time of chunk 0, by the chunks' own numbers and timestamps."""
    return statistics.median(chunk.timestamp - chunk.seq * CHUNK_S for chunk in chunks)


def steepest_step(samples):
    return max(abs(a - b) for a, b in zip(samples, samples[2:]))


def test_a_synthd_restarted_at_once_continues_the_same_music(stack, listen):
    listener = listen(PCM)
    listener.wait_for_music(10)
    silence_before, underruns_before = len(silent(listener)), underruns(stack)
    generation = stack.generation("synthd/audio")

    stack.daemons["synthd"].kill()
    stack.daemons["synthd"].start()
    eventually(lambda: stack.generation("synthd/audio") == generation + 1, "the segment taken over")
    eventually(lambda: is_back(stack, "synthd"), "synthd back on /metrics")
    listener.wait_for_music(20)

    assert not listener.closed
    assert gaps(listener.chunks) == []
    # Silence replaces only chunks that were not in the ring in time: none if synthd was back within the depth.
    eventually(
        lambda: len(silent(listener)) - silence_before == underruns(stack) - underruns_before,
        "as many silent chunks as underruns",
    )
    # No click where one synthd's music meets the other's: no step larger than in the music itself.
    chunks = listener.chunks
    inside = max(steepest_step(array.array("h", chunk.pcm)) for chunk in chunks)
    for one, next_one in zip(chunks, chunks[1:]):
        if not one.silence and not next_one.silence:
            seam = array.array("h", one.pcm[-4:] + next_one.pcm[:4])
            assert steepest_step(seam) <= 2 * inside, f"a click between {one.seq} and {next_one.seq}"


def test_the_audio_across_a_kill_equals_a_rendering(stack, listen, tmp_path):
    listener = listen(PCM)
    listener.wait_for_music(10)
    # Restarted at once, and after so long that chunks are missed.
    for is_missed in (False, True):
        generation = stack.generation("synthd/audio")
        stack.daemons["synthd"].kill()
        if is_missed:
            eventually(lambda: listener.chunks[-1].silence, "silence in place of what is not there")
        stack.daemons["synthd"].start()
        eventually(lambda: stack.generation("synthd/audio") > generation, "the segment taken over")
        listener.wait_for_music(20)

    heard = listener.chunks
    assert gaps(heard) == []
    assert any(chunk.silence for chunk in heard)
    piece = tmp_path / "piece.wav"
    places = ["--at", f"{heard[0].seq * CHUNK_S:.1f}", "--seconds", f"{len(heard) * CHUNK_S:.1f}"]
    result = run_daemon("render", *places, str(piece))
    assert (result.returncode, result.stderr) == (0, "")
    with wave.open(str(piece)) as file:
        chunk_frames = file.getframerate() // 10
        for chunk in heard:
            rendered = file.readframes(chunk_frames)
            assert chunk.silence or chunk.pcm == rendered, f"chunk {chunk.seq} is other music"


def test_while_synthd_is_away_listeners_get_silence_and_then_the_music_again(stack, listen):
    listener, other = listen(PCM), listen(JSON)
    listener.wait_for_music(10)
    silence_before, underruns_before = len(silent(listener)), underruns(stack)
    warnings_before = len(listener.texts("warning"))

    stack.daemons["synthd"].kill()
    eventually(lambda: is_down(stack, "synthd"), "synthd down on /metrics, its metrics absent")
    eventually(lambda: len(silent(listener)) - silence_before >= 5, "silence in place of what is not there")
    eventually(lambda: ready_status(stack) == 503, "/readyz says that no audio flows")
    assert stack.http("GET", "/healthz").status == 200
    assert stack.is_up("streamd")
    assert stack.http("POST", "/api/control", '{"type":"select_preset","preset":"sleep"}').status == 503
    assert listener.ask({"type": "select_preset", "preset": "sleep"})["code"] == "unavailable"

    stack.daemons["synthd"].start()
    eventually(lambda: is_back(stack, "synthd"), "synthd back on /metrics")
    listener.wait_for_music(20)
    eventually(lambda: ready_status(stack) == 200, "/readyz says that audio flows")

    eventually(
        lambda: len(silent(listener)) - silence_before == underruns(stack) - underruns_before,
        "as many silent chunks as underruns",
    )
    told = [warning["seq"] for warning in listener.texts("warning")[warnings_before:]]
    assert told == silent(listener)[silence_before:]
    assert {warning["code"] for warning in listener.texts("warning")} == {"underrun"}
    assert gaps(listener.chunks) == gaps(other.chunks) == []
    assert not listener.closed and not other.closed


def test_a_synthd_that_hangs_is_detected_by_its_heartbeat(stack, listen):
    listener = listen(PCM)
    listener.wait_for_music(10)
    stack.daemons["synthd"].hang()
    eventually(lambda: is_down_with_its_counts(stack, "synthd"), "synthd down on /metrics, its gauges absent")
    eventually(lambda: ready_status(stack) == 503, "/readyz says that no audio flows")
    stack.daemons["synthd"].go_on()
    eventually(lambda: is_back(stack, "synthd"), "synthd back on /metrics")
    listener.wait_for_music(20)
    assert gaps(listener.chunks) == []
    assert not listener.closed


def test_parameters_in_force_outlive_synthd(stack, listen):
    listener = listen(PCM)
    answer = listener.ask({"type": "update_params", "parameters": {"intensity": 0.25, "swells": False}})
    assert answer["type"] == "accepted"
    eventually(lambda: listener.texts("status")[-1]["request"] >= answer["request"], "the change in force")

    generation = stack.generation("synthd/audio")
    stack.daemons["synthd"].kill()
    stack.daemons["synthd"].start()
    eventually(lambda: stack.generation("synthd/audio") > generation, "the segment taken over")
    listener.wait_for_music(20)

    status = listen(PCM)
    eventually(lambda: status.texts("status"), "a status")
    assert status.texts("status")[0]["request"] >= answer["request"]
    assert status.texts("status")[0]["target"] == answer["target"]


def test_a_restarted_streamd_continues(stack, listen):
    listener = listen(PCM)
    listener.wait_for_more(20)
    generation = stack.generation("streamd/metrics")
    before = stack.scrape()
    before_counts = {
        series: value for series, value in before.rising().items() if series in metrics_of(before, "streamd")
    }
    # The comparison covers the expected series.
    compared = {name for name, _ in before_counts}
    assert {"websocket_chunks_sent_total", "websocket_connections_total", "network_bytes_sent_total"} <= compared

    stack.daemons["streamd"].kill()
    listener.wait_until_closed()
    assert listener.close_code is None
    eventually(lambda: is_down(stack, "streamd"), "streamd down on /metrics, its metrics absent")
    published = stack.metric("auralis_chunks_published_total", station="default")
    eventually(
        lambda: stack.metric("auralis_chunks_published_total", station="default") > published + 15,  # more than a new listener is sent of the past
        "synthd going on without streamd",
    )

    stack.daemons["streamd"].start()
    stack.wait_until_ready()
    assert stack.generation("streamd/metrics") == generation + 1
    eventually(lambda: is_back(stack, "streamd"), "streamd back on /metrics")
    assert fallen(before_counts, stack.scrape()) == {}

    again = listen(PCM)
    again.wait_for_more(20)
    assert again.chunks[0].seq > listener.newest_seq
    assert gaps(again.chunks) == []
    assert abs(timeline_start(again.chunks) - timeline_start(listener.chunks)) < 0.005


def test_without_metricsd_nothing_else_changes(stack, listen):
    listeners = [listen(PCM), listen(JSON)]
    listeners[0].wait_for_more(10)
    before = stack.scrape()

    stack.daemons["metricsd"].kill()
    for listener in listeners:
        listener.wait_for_more(20)
    stack.daemons["metricsd"].start()
    stack.wait_until_ready()
    for listener in listeners:
        listener.wait_for_more(20)

    assert all(stack.is_up(daemon) for daemon in stack.daemons)
    others = {
        series: value
        for series, value in before.rising().items()
        if series in metrics_of(before, "synthd") | metrics_of(before, "streamd")
    }
    assert fallen(others, stack.scrape()) == {}
    for listener in listeners:
        assert not listener.closed
        assert gaps(listener.chunks) == []
        assert listener.texts("warning") == []
