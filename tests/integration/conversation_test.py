# SPDX-License-Identifier: MIT
"""Requests on a listener's connection other than music controls: status, its queue, another format, another station;
unsolicited messages; the rate limit; and the list of listeners for operators."""

import json

import pytest

from auralis import Stack, eventually, http_request
from listener import JSON, OPUS, PCM, SMALL_BUFFER, Chunk, Listener, gaps
from protocol_files import HTTP, SERVER, faults, message_faults, strict_json

CAP_MS = 5_000
SETTINGS = {
    "AURALIS_AUDIO_RING_MS": "10000",
    "AURALIS_STREAMD_MAX_BACKLOG_MS": str(CAP_MS),
    "AURALIS_SYNTHD_MAX_STATIONS": "3",
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


def control(**fields):
    return {"type": "buffer_control", **fields}


def subscribe(**fields):
    return {"type": "subscribe", **fields}


def ping(number):
    return {"type": "ping", "client_time": number}


def refused(answer, code, in_reply_to):
    return (answer["type"], answer["code"], answer["in_reply_to"]) == ("error", code, in_reply_to)


def check_texts(*listeners):
    for listener in listeners:
        for text in listener.raw_texts:
            assert message_faults(SERVER, strict_json(text)) == [], text[:500]


def test_a_listener_may_ask_for_the_status(listen):
    listener, other = listen(PCM, query="station=night"), listen(PCM, query="station=night")
    for one in (listener, other):
        one.wait_for_more(3)
    before = len(other.texts("status"))
    first = listener.texts("status")[0]
    answer = listener.ask({"type": "status"})
    assert answer["type"] == "status"
    assert (answer["station"], answer["seed"], answer["target"]) == ("night", 7, first["target"])
    assert answer["server_time"] > first["server_time"]
    other.wait_for_more(5)
    assert len(other.texts("status")) == before, "no other listener is told"


def test_a_listener_gets_its_buffer_status_every_five_seconds(listen):
    listener = listen(PCM, query="station=day")
    eventually(lambda: len(listener.texts("buffer_status")) >= 2, "two of them")
    # Measured by the chunks in between, which are the server's own clock.
    chunks, marks = 0, []
    for message in listener.messages:
        if isinstance(message, Chunk):
            chunks += 1
        elif message["type"] == "buffer_status":
            marks.append(chunks)
    assert marks[0] <= 60
    assert 40 <= marks[1] - marks[0] <= 60
    second = listener.texts("buffer_status")[1]
    assert (second["format"], second["max_backlog_ms"], second["dropped"]) == (PCM, CAP_MS, 0)
    assert marks[1] - 2 <= second["sent"] <= marks[1]
    check_texts(listener)


def test_the_maximum_age_of_the_queue_can_be_lowered_and_the_servers_limit_holds(listen):
    listener = listen(PCM, query="station=day")
    assert listener.ask(control(max_backlog_ms=400))["max_backlog_ms"] == 400
    assert listener.ask(control(max_backlog_ms=10_000))["max_backlog_ms"] == CAP_MS
    check_texts(listener)


def test_a_listener_can_flush_its_queue_to_be_live(stack, listen):
    live = listen(PCM, query="station=day")
    slow = listen(PCM, query="station=day", receive_buffer=SMALL_BUFFER)
    slow.wait_for_more(5)
    slow.pause()
    eventually(lambda: stack.metric("auralis_chunks_queued") >= 20, "chunks that wait")
    slow.send(control(flush=True))
    eventually(lambda: stack.metric("auralis_chunks_queued") <= 5, "they are gone")
    slow.resume()
    eventually(lambda: [status for status in slow.texts("buffer_status") if status["dropped"] >= 15], "the answer")
    slow.wait_for_more(5)
    eventually(lambda: slow.newest_seq >= live.newest_seq - 2, "the live position")
    missing = sum(after - before - 1 for before, after in gaps(slow.chunks))
    assert missing == slow.ask(control(max_backlog_ms=CAP_MS))["dropped"]
    live.wait_for_more(3)
    assert gaps(live.chunks) == [] and live.warnings_of_streamd() == []
    check_texts(live, slow)


def test_a_listener_changes_the_format_without_a_gap(listen):
    listener, other = listen(PCM, JSON, query="station=day"), listen(PCM, query="station=day")
    assert listener.subprotocol == PCM
    for wanted in (JSON, PCM):
        listener.wait_for_more(5)
        assert listener.ask(control(format=wanted))["format"] == wanted
    listener.wait_for_more(5)
    assert gaps(listener.chunks) == []
    assert {json.loads(text)["type"] for text in listener.raw_texts} >= {"audio", "buffer_status"}
    eventually(lambda: other.newest_seq >= listener.newest_seq, "the same chunks")
    heard = {chunk.seq: chunk.pcm for chunk in other.chunks}
    compared = [chunk for chunk in listener.chunks if chunk.seq in heard]
    assert len(compared) >= 10 and all(chunk.pcm == heard[chunk.seq] for chunk in compared)
    check_texts(listener)


def test_a_listener_changes_to_opus_and_back(listen):
    listener = listen(PCM, OPUS, query="station=day")
    listener.wait_for_more(5)
    assert listener.ask(control(format=OPUS))["format"] == OPUS
    eventually(lambda: len([chunk for chunk in listener.chunks if chunk.packets]) >= 10, "packets")
    assert listener.ask(control(format=PCM))["format"] == PCM
    eventually(lambda: listener.chunks[-1].pcm, "PCM again")
    assert gaps(listener.chunks) == []
    opus = [chunk for chunk in listener.chunks if chunk.packets]
    assert sum(len(packet) for chunk in opus for packet in chunk.packets) < len(opus) * 17_640 / 4
    check_texts(listener)


@pytest.mark.parametrize("offered, wanted", [((PCM,), JSON), ((PCM, JSON), OPUS), ((OPUS,), PCM), ((), PCM)])
def test_a_format_that_was_not_offered_is_refused(listen, offered, wanted):
    listener = listen(*offered, query="station=day")
    listener.wait_for_more(1)
    assert refused(listener.ask(control(format=wanted)), "not_offered", "buffer_control")
    # The rest of the message has no effect either.
    assert refused(listener.ask(control(format=wanted, max_backlog_ms=400)), "not_offered", "buffer_control")
    assert eventually(lambda: listener.texts("buffer_status"), "the first one")[0]["max_backlog_ms"] == CAP_MS


def chunks_after(listener, seq):
    return [chunk for chunk in listener.chunks if chunk.seq >= seq]


@pytest.mark.parametrize("message", [subscribe(station="night"), subscribe(query="station=night")], ids=str)
def test_a_listener_goes_to_another_station_without_a_gap(stack, listen, message):
    day, night = listen(PCM, query="station=day"), listen(PCM, query="station=night")
    listener = listen(PCM, query="station=day")
    for one in (day, night, listener):
        one.wait_for_music(5)
    answer = listener.ask(message)
    assert (answer["type"], answer["station"]) == ("subscribed", "night")
    eventually(lambda: len(chunks_after(listener, answer["seq"])) >= 10, "the night's chunks")
    for one in (day, night):
        eventually(lambda: one.newest_seq >= listener.newest_seq, "the same chunks")

    assert gaps(listener.chunks) == []
    heard = {
        True: {chunk.seq: chunk.pcm for chunk in night.chunks},
        False: {chunk.seq: chunk.pcm for chunk in day.chunks},
    }
    compared = {True: 0, False: 0}
    for chunk in listener.chunks:
        of_night = chunk.seq >= answer["seq"]
        if chunk.seq in heard[of_night]:
            assert chunk.pcm == heard[of_night][chunk.seq], f"chunk {chunk.seq}, {answer}"
            compared[of_night] += 1
    assert min(compared.values()) >= 3
    # The reply comes before the new station's first chunk, and is followed by its status.
    told = listener.messages.index(answer)
    assert all(chunk.seq < answer["seq"] for chunk in listener.messages[:told] if isinstance(chunk, Chunk))
    later = [message for message in listener.messages[told:] if isinstance(message, dict)]
    assert next(message for message in later if message["type"] == "status")["station"] == "night"
    eventually(lambda: stack.status("night")["listeners"] == 2, "one more there")
    assert stack.status("day")["listeners"] == 1
    check_texts(listener)


def test_after_a_change_of_station_messages_are_to_the_new_one(listen):
    listener = listen(PCM, query="station=day")
    listener.wait_for_more(1)
    assert listener.ask(subscribe(station="night"))["type"] == "subscribed"
    assert refused(listener.ask({"type": "select_preset", "preset": "focus"}), "not_allowed", "select_preset")
    assert listener.ask(subscribe(station="day"))["type"] == "subscribed"
    assert listener.ask({"type": "select_preset", "preset": "bright"})["type"] == "accepted"


def test_a_listener_goes_to_a_station_of_its_own_while_there_is_a_place(stack, listen):
    first, second = listen(PCM, query="station=day"), listen(PCM, query="station=day")
    for one in (first, second):
        one.wait_for_more(1)
    wanted = subscribe(query="station=new&preset=sleep&seed=42")
    answer = first.ask(wanted)
    assert answer["type"] == "subscribed" and answer["station"] not in ("day", "night")
    status = eventually(
        lambda: [status for status in first.texts("status") if status["station"] == answer["station"]], "its status"
    )[0]
    assert (status["personal"], status["open"], status["seed"], status["preset"]) == (True, True, 42, "sleep")
    first.wait_for_music(5)
    assert refused(second.ask(wanted), "no_place", "subscribe")
    second.wait_for_music(5)
    assert gaps(second.chunks) == [], "it still hears what it heard"
    assert second.texts("status")[-1]["station"] == "day"
    # A friend who knows the name may listen.
    assert second.ask(subscribe(station=answer["station"]))["station"] == answer["station"]
    check_texts(first, second)


def test_changes_before_a_station_begins_apply_to_it_and_replies_keep_their_order(stack, listen):
    listener, other = listen(PCM, query="station=day"), listen(PCM, query="station=day")
    for one in (listener, other):
        one.wait_for_more(1)
    eventually(
        lambda: json.loads(stack.http("GET", "/api/status").text)["places"]["free"] == 1, "a place for a station"
    )
    before = len(listener.messages)
    synthd = stack.daemons["synthd"]
    synthd.hang()
    try:
        for message in (
            subscribe(query="station=new&seed=1"),
            {"type": "select_preset", "preset": "sleep"},
            subscribe(query="station=night"),
            subscribe(query="station=day"),
            {"type": "update_params", "parameters": {"bpm": 99}},
        ):
            listener.send(message)
        eventually(lambda: [one for one in listener.texts("error") if one["in_reply_to"] == "select_preset"], "a refusal")
    finally:
        synthd.go_on()
    kinds = ("subscribed", "accepted", "error")
    eventually(lambda: listener.texts("accepted"), "the last answer")
    answers = [one for one in listener.messages[before:] if isinstance(one, dict) and one["type"] in kinds]
    assert [(one["type"], one.get("code"), one.get("in_reply_to")) for one in answers] == [
        ("error", "unavailable", "subscribe"),
        ("error", "unavailable", "select_preset"),
        ("subscribed", None, None),
        ("subscribed", None, None),
        ("accepted", None, None),
    ]
    other.wait_for_more(3)
    assert other.texts("status")[-1]["target"]["bpm"] == 99


@pytest.mark.parametrize(
    "message, code",
    [
        (subscribe(station="dusk"), "unknown_station"),
        (subscribe(station=""), "unknown_station"),
        (subscribe(query="station=dusk"), "unknown_station"),
        (subscribe(query="station=new&seed=-1"), "bad_query"),
        (subscribe(query="station=%zz"), "bad_query"),
        (subscribe(query="station=day&station=night"), "bad_query"),
    ],
    ids=str,
)
def test_a_refused_station_leaves_the_listener_where_it_is(listen, message, code):
    listener = listen(PCM, query="station=night")
    listener.wait_for_more(3)
    assert refused(listener.ask(message), code, "subscribe")
    listener.wait_for_music(5)
    assert gaps(listener.chunks) == []
    assert listener.ask({"type": "status"})["station"] == "night"
    check_texts(listener)


def test_a_burst_of_messages_is_cut_off_and_the_connection_lives_on(listen):
    listener = listen(PCM, query="station=night")
    listener.wait_for_more(1)
    sent = 60
    for number in range(sent):
        listener.send(ping(number))
    eventually(lambda: len(listener.texts("pong", "error")) == sent, "an answer to each")
    pongs, errors = listener.texts("pong"), listener.texts("error")
    assert len(pongs) >= 20
    assert errors and {error["code"] for error in errors} == {"rate_limited"}
    listener.wait_for_more(30)
    assert listener.ask(ping(sent))["type"] == "pong"
    assert gaps(listener.chunks) == []
    check_texts(listener)


def test_a_burst_of_changes_is_cut_off_and_answered_in_order(listen):
    listener = listen(PCM, query="station=day")
    listener.wait_for_more(1)
    wanted = [number / 100 for number in range(10, 22)]
    for intensity in wanted:
        listener.send({"type": "update_params", "parameters": {"intensity": intensity}})
    answers = eventually(
        lambda: len(listener.texts("accepted", "error")) == len(wanted) and listener.texts("accepted", "error"),
        "an answer to each",
    )
    accepted = {
        intensity: answer for intensity, answer in zip(wanted, answers) if answer["type"] == "accepted"
    }
    assert all(answer["target"]["intensity"] == intensity for intensity, answer in accepted.items())
    assert 5 <= len(accepted) < len(wanted)
    assert all(
        refused(answer, "rate_limited", "update_params") for answer in answers if answer["type"] == "error"
    )
    newest = max(accepted)
    eventually(lambda: listener.texts("status")[-1]["target"]["intensity"] == newest, "the last accepted one")
    check_texts(listener)


def test_listeners_are_warned_before_the_server_stops(tmp_path):
    with Stack({"AURALIS_STREAMD_DRAIN_MS": "1000"}) as stack:
        listeners = [Listener(stack.stream_url(), PCM) for _ in range(5)]
        for listener in listeners:
            listener.wait_for_more(3)
        stack.daemons["streamd"].terminate()
        for listener in listeners:
            listener.wait_until_closed()
            assert listener.close_code == 1001
            (warning,) = listener.texts("shutdown_warning")
            assert warning["reason"] == "stopping" and warning["closes_in_ms"] <= 1_000
            assert gaps(listener.chunks) == []
        assert len({listener.texts("shutdown_warning")[0]["reconnect_after_ms"] for listener in listeners}) > 1
        assert stack.daemons["streamd"].exit_status() == 0
        check_texts(*listeners)


def test_operators_list_listeners_and_close_connections(tmp_path):
    token = "operators-0123456789abcdef0123456789abcdef"
    token_file = tmp_path / "token"
    token_file.write_text(token + "\n")
    token_file.chmod(0o600)
    bearer = {"Authorization": f"Bearer {token}"}
    with Stack({"AURALIS_STREAMD_TOKEN_FILE": str(token_file)}) as stack:

        def ask(method, path, headers):
            return http_request(stack.stream_port, method, path, headers=headers)

        listeners = [Listener(stack.stream_url(), PCM), Listener(stack.stream_url(), JSON)]
        for listener in listeners:
            listener.wait_for_more(3)
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {token}"}):
            answer = ask("GET", "/api/listeners", headers)
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        answer = ask("GET", "/api/listeners", bearer)
        assert answer.status == 200
        body = strict_json(answer.text)
        assert faults(HTTP, "listeners", body) == []
        rows = {row["format"]: row for row in body["listeners"]}
        assert set(rows) == {PCM, JSON}
        assert {row["transport"] for row in rows.values()} == {"websocket"}
        assert {(row["address"], row["station"]) for row in rows.values()} == {("127.0.0.1", "default")}
        assert all(row["sent"] >= 3 and row["bytes"] > 0 for row in rows.values())

        path = f"/api/listeners/{rows[PCM]['id']}/close"
        assert ask("POST", path, {}).status == 401
        assert ask("POST", path, bearer).status == 204
        listeners[0].wait_until_closed()
        assert listeners[0].close_code == 4010
        eventually(lambda: ask("POST", path, bearer).status == 404, "it is gone")
        listeners[1].wait_for_more(3)
        assert gaps(listeners[1].chunks) == []
        listeners[1].close()
