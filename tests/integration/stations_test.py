# SPDX-License-Identifier: MIT
"""Several stations: configured and personal ones, and links that play them again; also when synthd is killed, stopped or
reloads its configuration."""

import contextlib
import json
import wave

import pytest

from auralis import HOST, eventually, run_daemon
from listener import OPUS, PCM, Listener, gaps

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

SLEEP = {"type": "select_preset", "preset": "sleep"}
CHUNK_S = 0.1


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


def link_query(stack, name):
    return stack.status(name)["permalink"].removeprefix("/?")


def check_against_link(stack, name, heard, tmp_path):
    """Asserts that every heard chunk of music equals, by its number, the rendering of the station's link."""
    query = link_query(stack, name)
    status = stack.status(name)
    due_now = heard[-1].seq + int((status["server_time"] - heard[-1].timestamp) / CHUNK_S)
    own_first = heard[0].seq - due_now + status["sample_index"] // (status["sample_rate"] // 10)
    # The estimate may be off by one, since the clocks were not read together.
    for first in (own_first, own_first - 1, own_first + 1):
        place = ("--at", f"{max(first, 0) * CHUNK_S:.1f}", "--seconds", f"{len(heard) * CHUNK_S:.1f}")
        music = rendered(tmp_path, "--link", query, *place)
        if music[-1] != heard[-1].pcm:
            continue
        wrong = [chunk.seq for chunk, pcm in zip(heard, music) if not chunk.silence and chunk.pcm != pcm]
        assert wrong == [], f"other music than the link's, of {len(heard)} chunks"
        return
    raise AssertionError("the newest chunk is not what the link says")


def test_a_listener_chooses_a_station_by_its_name(stack, listen):
    assert names(stack) == CONFIGURED
    day, night, usual = listen(PCM, query="station=day"), listen(PCM, query="station=night"), listen(PCM)
    assert first_status(day)["station"] == first_status(usual)["station"] == "day"
    assert first_status(night)["station"] == "night"
    assert (first_status(night)["seed"], first_status(night)["preset"]) == (7, "sleep")
    for listener in (day, night, usual):
        listener.wait_for_music(10)
        assert gaps(listener.chunks) == []
    heard = {chunk.seq: chunk.pcm for chunk in day.chunks}
    both = [chunk for chunk in night.chunks if chunk.seq in heard]
    assert both and all(chunk.pcm != heard[chunk.seq] for chunk in both)
    assert all(chunk.pcm == heard[chunk.seq] for chunk in usual.chunks if chunk.seq in heard)
    eventually(lambda: stack.status("day")["listeners"] == 2, "two listeners of the day")
    assert stack.status("night")["listeners"] == 1


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("station=dusk", 404, "day, night"),
        ("station=", 404, "day, night"),
        ("station=new&preset=loud", 400, "preset"),
        ("station=new&seed=-1", 400, "seed"),
        ("station=new&tempo=9", 400, "tempo"),
        ("station=new&at=7", 400, "rate"),
        ("station=new&rate=48000&chunk=100&at=7&changes=0", 400, "48000"),
        ("station=day&station=night", 400, "once"),
        ("station=%zz", 400, "%"),
    ],
)
def test_a_station_that_is_not_to_be_had_is_refused_before_the_upgrade(stack, query, status, said):
    before = stack.metric("websocket_connections_rejected_total", reason="station")
    answer = stack.refused_upgrade(f"/ws/stream?{query}")
    assert answer.status == status
    assert said in answer.text and answer.text.count("\n") == 1
    eventually(
        lambda: stack.metric("websocket_connections_rejected_total", reason="station") == before + 1, "it is counted"
    )


def test_only_open_stations_obey_their_listeners(stack, listen):
    night, day = listen(PCM, query="station=night"), listen(PCM, query="station=day")
    assert first_status(night)["open"] is False and first_status(day)["open"] is True
    refusal = night.ask(SLEEP)
    assert (refusal["type"], refusal["code"], refusal["in_reply_to"]) == ("error", "not_allowed", "select_preset")
    assert day.ask(SLEEP)["type"] == "accepted"

    def control(**fields):
        return stack.http("POST", "/api/control", json.dumps({**SLEEP, **fields}))

    assert control(station="night").status == 403
    assert control(station="day").status == 200
    assert control().status == 200
    unknown = control(station="dusk")
    assert unknown.status == 404 and json.loads(unknown.text)["code"] == "unknown_station"
    assert "day, night" in unknown.text


def test_a_personal_station_is_its_listeners_own(stack, listen, tmp_path):
    no_personal(stack)
    own = listen(PCM, query="station=new&preset=sleep&seed=42")
    status = first_status(own)
    assert (status["personal"], status["open"], status["seed"], status["preset"]) == (True, True, 42, "sleep")
    assert names(stack) == CONFIGURED  # it is not on the public list
    own.wait_for_music(20)
    assert gaps(own.chunks) == [] and own.texts("warning") == []
    # From its first chunk on it equals auralis-render's output for the same options.
    music = rendered(tmp_path, "--preset", "sleep", "--seed", "42", "--seconds", "5")
    begin = music.index(own.chunks[0].pcm)
    assert begin <= 5
    for chunk, pcm in zip(own.chunks, music[begin:]):
        assert chunk.pcm == pcm

    assert own.ask({"type": "update_params", "parameters": {"intensity": 0.9}})["type"] == "accepted"
    eventually(lambda: own.texts("status")[-1]["parameters"]["intensity"] == 0.9, "the change in force")
    # A listener who knows its name may hear it as well.
    friend = listen(PCM, query=f"station={status['station']}")
    assert first_status(friend)["station"] == status["station"]
    friend.wait_for_music(5)
    assert stack.metric("auralis_stations", kind="personal") == 1
    assert stack.metric("auralis_chunks_published_total", station="personal") > 0

    other = listen(PCM, query="station=new")
    assert first_status(other)["station"] != status["station"]
    assert first_status(other)["seed"] != 42
    other.wait_for_music(5)


def test_personal_stations_end_with_their_listeners_and_places_are_limited(stack, listen):
    no_personal(stack)
    assert places(stack) == {
        "total": PLACES, "free": PLACES - 2, "personal": 0, "opus_total": OPUS_PLACES, "opus_free": OPUS_PLACES
    }
    own = [listen(PCM, query="station=new") for _ in range(PLACES - 2)]
    for listener in own:
        first_status(listener)
    before = stack.metric("websocket_connections_rejected_total", reason="places")
    refused = stack.refused_upgrade("/ws/stream?station=new")
    assert refused.status == 503
    assert "day, night" in refused.text
    eventually(
        lambda: stack.metric("websocket_connections_rejected_total", reason="places") == before + 1, "it is counted"
    )
    assert listen(PCM, query="station=night")  # not a personal station

    name = first_status(own[0])["station"]
    own[0].close()
    # It stays for some seconds.
    again = listen(PCM, query=f"station={name}")
    assert first_status(again)["station"] == name
    again.close()
    eventually(lambda: places(stack)["free"] == 1, "room for another station")
    assert stack.refused_upgrade(f"/ws/stream?station={name}").status == 404
    last = listen(PCM, query="station=new&seed=3")
    assert first_status(last)["seed"] == 3
    last.wait_for_music(5)
    for listener in own[1:]:
        listener.wait_for_music(1)
        assert gaps(listener.chunks) == []


def test_a_link_plays_the_same_music_again(stack, listen, tmp_path):
    no_personal(stack)
    own = listen(PCM, query="station=new&preset=bright&seed=11")
    name = first_status(own)["station"]
    for parameters in ({"intensity": 0.2, "bpm": 90}, {"swells": False, "key": "A#"}, {"harmonic_density": 0.9}):
        request = own.ask({"type": "update_params", "parameters": parameters})["request"]
        eventually(lambda: own.texts("status")[-1]["request"] >= request, "the change in force")
        own.wait_for_music(7)
    check_against_link(stack, name, own.chunks, tmp_path)

    query = link_query(stack, name)
    again = listen(PCM, query=query)
    status = first_status(again)
    assert status["personal"] and status["station"] != name
    assert status["seed"] == 11 and status["target"] == own.texts("status")[-1]["target"]
    again.wait_for_music(20)
    music = rendered(tmp_path, "--link", query, "--seconds", "5")
    begin = music.index(again.chunks[0].pcm)
    assert begin <= 5
    for chunk, pcm in zip(again.chunks, music[begin:]):
        assert chunk.pcm == pcm


def replaced(stack, how):
    """Ends synthd in that way, and starts another one."""
    synthd = stack.daemons["synthd"]
    generation = stack.generation("synthd/audio")
    if how == "killed":
        synthd.kill()
    else:
        synthd.terminate()
        assert synthd.exit_status() == 0
    synthd.start()
    eventually(lambda: stack.generation("synthd/audio") == generation + 1, "the segment taken over")


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_a_replaced_synthd_is_inaudible(stack, listen, tmp_path, how):
    no_personal(stack)
    own = listen(PCM, query="station=new&preset=bright&seed=12")
    name = first_status(own)["station"]
    listeners = {"day": listen(PCM, query="station=day"), "night": listen(PCM, query="station=night"), name: own}
    request = own.ask({"type": "update_params", "parameters": {"intensity": 0.3, "bpm": 100}})["request"]
    eventually(lambda: own.texts("status")[-1]["request"] >= request, "the change in force")
    own.wait_for_music(5)

    def underruns():
        scrape = stack.scrape()
        return sum(
            scrape.value("ring_buffer_underruns_total", station=label) for label in (*CONFIGURED, "personal")
        )

    # A busy machine may start a process too late, but not every time.
    heard_nothing = False
    for _ in range(4):
        before = underruns()
        replaced(stack, how)
        for listener in listeners.values():
            listener.wait_for_music(15)
        heard_nothing = heard_nothing or underruns() == before
        if heard_nothing:
            break
    assert heard_nothing, "an underrun at each of four restarts"

    # Parameters and personal stations are unchanged, and every sample equals the rendering of the links.
    assert own.texts("status")[-1]["target"]["bpm"] == 100
    for station_name, listener in listeners.items():
        assert gaps(listener.chunks) == []
        assert not listener.closed
        check_against_link(stack, station_name, listener.chunks, tmp_path)


def test_no_log_tells_the_name_of_a_personal_station(stack, listen):
    no_personal(stack)
    synthd = stack.daemons["synthd"]
    before = len(synthd.log())
    own, day = listen(PCM, query="station=new"), listen(PCM, query="station=day")
    name = first_status(own)["station"]
    first_status(day)
    for listener in (own, day):
        assert listener.ask(SLEEP)["type"] == "accepted"
    replaced(stack, "killed")
    own.wait_for_music(15)
    own.close()
    no_personal(stack)
    for said in ("station plays", "controls applied", "continuing", "station ends"):
        eventually(lambda said=said: said in synthd.log()[before:], said)
    assert '"station":"day"' in synthd.log()[before:]
    for daemon in stack.daemons.values():
        assert name not in daemon.log()


def test_a_reload_adds_and_removes_stations_and_leaves_the_others_alone(stack, listen):
    no_personal(stack)
    own = listen(PCM, query="station=new&seed=13")
    day, night = listen(PCM, query="station=day"), listen(PCM, query="station=night")
    for listener in (own, day, night):
        listener.wait_for_music(5)
    synthd = stack.daemons["synthd"]
    generation = stack.generation("synthd/audio")

    stack.config_file.write_text(CONFIGURATION.replace('"night"', '"dusk"').replace('"bright"', '"loud"'))
    synthd.reload()
    eventually(lambda: "loud" in synthd.log(), "the refusal of a preset that there is not")
    assert names(stack) == CONFIGURED

    stack.config_file.write_text(CONFIGURATION.replace('"night"', '"dusk"'))
    synthd.reload()
    eventually(lambda: names(stack) == ["day", "dusk"], "another station")
    night.wait_until_closed()
    assert night.close_code == 4004
    dusk = listen(PCM, query="station=dusk")
    assert first_status(dusk)["preset"] == "sleep"
    dusk.wait_for_music(10)
    for listener in (own, day):
        listener.wait_for_music(10)
        assert gaps(listener.chunks) == []
        assert listener.texts("warning") == []
        assert not listener.closed
    assert stack.generation("synthd/audio") == generation

    def labelled():
        scrape = stack.scrape()
        named = ("day", "night", "dusk")
        return {name for name in named if scrape.value("ring_buffer_depth_ms", station=name) is not None}

    eventually(lambda: labelled() == {"day", "dusk"}, "metrics of the current stations")
    stack.config_file.write_text(CONFIGURATION)
    synthd.reload()
    eventually(lambda: sorted(names(stack)) == CONFIGURED, "the stations as before")
    dusk.wait_until_closed()


def test_personal_stations_are_shared_out_by_address(stack, restart_streamd):
    no_personal(stack)
    share, crowd = 2, 20
    restart_streamd(
        {
            "AURALIS_STREAMD_TRUSTED_PROXIES": HOST,
            "AURALIS_STREAMD_MAX_PERSONAL_STATIONS_PER_ADDRESS": str(share),
            "AURALIS_STREAMD_MAX_LISTENERS_PER_ADDRESS": "100",
            "AURALIS_STREAMD_CHANGES_PER_SECOND": "100",
        }
    )

    def listener(client, query):
        return Listener(stack.stream_url(query), PCM, headers={"X-Forwarded-For": client})

    def own(one):
        return one.ask({"type": "subscribe", "query": "station=new"})

    with contextlib.ExitStack() as cleanup:
        flippers = [listener("192.0.2.1", "station=day") for _ in range(crowd)]
        for one in flippers:
            cleanup.callback(one.close)
        most = 0
        for _ in range(3):
            answers = [own(one) for one in flippers]
            most = max(most, places(stack)["personal"])
            refused = [answer for answer in answers if answer["type"] == "error"]
            assert {answer["code"] for answer in refused} == {"no_place"}
            assert "max_personal_stations_per_address" in refused[0]["message"]
            assert len(refused) >= crowd - 2 * share
        assert 1 <= most <= share
        # Includes stations left a moment ago.
        before = stack.metric("websocket_connections_rejected_total", reason="places")
        assert places(stack)["free"] == PLACES - 2 - share
        answer = stack.refused_upgrade("/ws/stream?station=new", headers={"X-Forwarded-For": "192.0.2.1"})
        assert answer.status == 429 and int(answer.headers["Retry-After"]) > 0
        assert "day, night" in answer.text
        eventually(
            lambda: stack.metric("websocket_connections_rejected_total", reason="places") == before + 1, "counted"
        )
        # Another address may still start one.
        other = listener("192.0.2.2", "station=new")
        cleanup.callback(other.close)
        other.wait_for_music(3)
        assert places(stack)["personal"] == share + 1


def test_a_listener_that_switches_personal_stations_holds_only_one(stack, restart_streamd):
    no_personal(stack)
    restart_streamd({"AURALIS_STREAMD_CHANGES_PER_SECOND": "100"})
    own = Listener(stack.stream_url("station=new"), PCM)
    try:
        names = [first_status(own)["station"]]
        for _ in range(3 * PLACES):
            answer = eventually(
                lambda: (said := own.ask({"type": "subscribe", "query": "station=new"}))["type"] == "subscribed" and said,
                "a station",
            )
            names.append(answer["station"])
            # The former one ends at once, not after the time for a lost listener to return.
            eventually(lambda: places(stack)["personal"] == 1, "the former station gone", 5)
        assert len(set(names)) == len(names)
        own.wait_for_music(3)
        assert gaps(own.chunks) == []
    finally:
        own.close()


def test_stations_beyond_the_limit_of_encoders_are_available_in_pcm_only(stack, listen):
    no_personal(stack)

    def opus_free():
        return places(stack)["opus_free"]

    eventually(lambda: opus_free() == OPUS_PLACES, "all encoders free")
    own = [listen(OPUS, query="station=new") for _ in range(OPUS_PLACES)]
    names = [first_status(one)["station"] for one in own]
    assert opus_free() == 0
    eventually(lambda: stack.metric("auralis_opus_stations") == OPUS_PLACES, "it is shown")
    assert stack.metric("auralis_opus_station_places") == OPUS_PLACES
    before = stack.metric("websocket_connections_rejected_total", reason="encoders")
    answer = stack.refused_upgrade("/ws/stream?station=new", OPUS)
    assert answer.status == 503 and "auralis.pcm.v1" in answer.text and int(answer.headers["Retry-After"]) > 0
    eventually(
        lambda: stack.metric("websocket_connections_rejected_total", reason="encoders") == before + 1, "counted"
    )

    # It is available in PCM, and its listener stays with PCM.
    plain = listen(PCM, OPUS, query="station=new")
    plain.wait_for_music(3)
    assert opus_free() == 0
    refusal = plain.ask({"type": "buffer_control", "format": OPUS})
    assert (refusal["type"], refusal["code"], refusal["in_reply_to"]) == ("error", "no_place", "buffer_control")
    assert "auralis.pcm.v1" in refusal["message"]
    assert stack.http("GET", f"/listen/{first_status(plain)['station']}.opus").status == 503
    # A station's encoder serves all its listeners, and configured stations always have one.
    friend, night = listen(OPUS, query=f"station={names[0]}"), listen(OPUS, query="station=night")
    for one in (friend, night):
        one.wait_for_more(5)
    refusal = night.ask({"type": "subscribe", "station": first_status(plain)["station"]})
    assert (refusal["type"], refusal["code"], refusal["in_reply_to"]) == ("error", "no_place", "subscribe")

    # An encoder is free once the station has no listener of Opus; the station need not end.
    own[1].close()
    eventually(lambda: opus_free() == 1, "an encoder free")
    assert plain.ask({"type": "buffer_control", "format": OPUS})["format"] == OPUS
    eventually(lambda: plain.chunks[-1].packets, "Opus")
    assert opus_free() == 0
    assert plain.ask({"type": "buffer_control", "format": PCM})["format"] == PCM
    eventually(lambda: opus_free() == 1, "an encoder free again")
    for one in (own[0], plain, friend, night):
        one.wait_for_more(5)
        assert gaps(one.chunks) == []


def test_encoders_are_limited_per_address(stack, restart_streamd):
    no_personal(stack)
    restart_streamd(
        {"AURALIS_STREAMD_TRUSTED_PROXIES": HOST, "AURALIS_STREAMD_MAX_PERSONAL_STATIONS_PER_ADDRESS": "1"}
    )

    def listener(client, query):
        return Listener(stack.stream_url(query), OPUS, headers={"X-Forwarded-For": client})

    with contextlib.ExitStack() as cleanup:
        first = listener("192.0.2.1", "station=new")
        cleanup.callback(first.close)
        refused = stack.refused_upgrade("/ws/stream?station=new", OPUS, headers={"X-Forwarded-For": "192.0.2.1"})
        assert refused.status in (429, 503)
        second = listener("192.0.2.2", "station=new")
        cleanup.callback(second.close)
        for one in (first, second):
            one.wait_for_more(5)
