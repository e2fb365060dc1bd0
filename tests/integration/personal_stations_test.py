# SPDX-License-Identifier: MIT
"""Personal stations: their listeners' own, and limited in number, by address and in encoders."""

import contextlib

from auralis import HOST, eventually
from listener import OPUS, PCM, Listener, gaps
from several_stations import (
    CONFIGURATION,
    CONFIGURED,
    OPUS_PLACES,
    PLACES,
    SETTINGS,
    first_status,
    names,
    no_personal,
    places,
    rendered,
)


def test_a_personal_station_is_its_listeners_own(stack, listen, tmp_path):
    no_personal(stack)
    own = listen(PCM, query="station=new&preset=sleep&seed=42")
    status = first_status(own)
    assert (status["personal"], status["open"], status["seed"], status["preset"]) == (True, True, 42, "sleep")
    assert names(stack) == CONFIGURED  # it is not on the public list
    own.wait_for_music(20)
    assert gaps(own.chunks) == [] and own.warnings_of_streamd() == []
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
    assert stack.metric("auralis_station_places") == PLACES
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
