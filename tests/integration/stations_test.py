# SPDX-License-Identifier: MIT
"""Several stations: the choice among them, and links that play them again; also when synthd is killed, stopped or
reloads its configuration."""

import json

import pytest

from auralis import eventually
from listener import PCM, gaps
from several_stations import CONFIGURATION, CONFIGURED, SETTINGS, first_status, names, no_personal, rendered

SLEEP = {"type": "select_preset", "preset": "sleep"}
CHUNK_S = 0.1


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


def test_a_listener_with_a_lead_hears_the_same_earlier_also_after_a_switch(stack, listen):
    def heard():
        usual, early = listen(PCM, query="station=day"), listen(PCM, query="station=day&lead_ms=500")
        # The ring of 750 ms carries all of it. Phases may part the two by a chunk.
        eventually(lambda: early.newest_seq - usual.newest_seq >= 4, "half a second ahead")
        early.wait_for_more(5)
        answer = early.ask({"type": "subscribe", "station": "night"})
        assert answer["type"] == "subscribed"
        early.wait_for_more(20)
        usual.wait_for_more(20)
        assert gaps(early.chunks) == []
        return usual, early, answer

    # Up to three times: a machine that stands still at that moment leaves silence as well.
    for _ in range(3):
        usual, early, answer = heard()
        if not any(chunk.silence for chunk in early.chunks):
            break
    assert not any(chunk.silence for chunk in early.chunks)
    day = {chunk.seq: chunk.pcm for chunk in usual.chunks}
    same = [chunk.seq for chunk in early.chunks if chunk.seq in day and chunk.pcm == day[chunk.seq]]
    assert same and max(same) == answer["seq"] - 1  # and from there on the night's


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("station=dusk", 404, "day, night"),
        ("station=", 404, "day, night"),
        ("station=new&preset=loud", 400, "preset"),
        ("station=new&seed=-1", 400, "seed"),
        ("station=new&tempo=9", 400, "tempo"),
        ("lead_ms=501", 400, "lead_ms"),
        ("lead_ms=x", 400, "lead_ms"),
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
