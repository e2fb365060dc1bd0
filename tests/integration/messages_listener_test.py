# SPDX-License-Identifier: MIT
"""A connection for messages alone (auralis.messages.v1), whose client hears its station over plain HTTP."""

import json

import pytest

from auralis import Stack, eventually
from listener import Listener
from protocol_files import HTTP, faults
from raw_listener import RawListener

MESSAGES = "auralis.messages.v1"
TOKEN = "operators-0123456789abcdef0123456789abcdef"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    token_file = tmp_path_factory.mktemp("messages") / "token"
    token_file.write_text(TOKEN)
    token_file.chmod(0o600)
    settings = {
        "AURALIS_STREAMD_TOKEN_FILE": str(token_file),
        "AURALIS_STREAMD_IDLE_TIMEOUT_S": "5",
        "AURALIS_STREAMD_DRAIN_MS": "1000",
    }
    with Stack(settings) as stack:
        yield stack


@pytest.fixture
def listener(stack):
    one = Listener(stack.stream_url(), MESSAGES)
    eventually(lambda: one.texts("status"), "its first status")
    yield one
    one.close()
    eventually(lambda: stack.metric("auralis_message_connections") == 0, "it is gone")


def test_it_is_told_what_plays_without_audio_and_counts_as_no_listener(stack, listener):
    eventually(lambda: stack.metric("auralis_message_connections") == 1, "it is counted")
    answer = listener.ask({"type": "update_params", "parameters": {"intensity": 0.75}})
    assert answer["type"] == "accepted"
    eventually(lambda: listener.texts("status")[-1]["target"]["intensity"] == 0.75, "the change")
    eventually(lambda: listener.texts("buffer_status"), "the state of its queue, seconds later")
    assert listener.chunks == []
    assert listener.texts("status")[-1]["listeners"] == 0
    assert stack.metric("websocket_active_connections") == 0


def test_what_its_player_reports_counts_and_is_shown_to_operators(stack, listener):
    def listened_ms():
        return stack.metric("auralis_player_listened_ms_total")

    before, latencies = listened_ms(), stack.metric("audio_end_to_end_latency_ms_count")
    listener.send({"type": "playback_report", "buffer_ms": 5200, "way": "element", "listened_ms": 5000, "silence_ms": 200})
    eventually(lambda: listened_ms() == before + 5000, "its report")
    assert stack.metric("audio_end_to_end_latency_ms_count") == latencies  # which it does not know
    body = json.loads(stack.http("GET", "/api/listeners", headers=BEARER).text)
    assert faults(HTTP, "listeners", body) == []
    (row,) = body["listeners"]
    assert (row["format"], row["playback"]) == (MESSAGES, {"buffer_ms": 5200, "way": "element"})


def test_one_that_gives_no_sign_of_life_is_closed(stack, listener):
    with RawListener(stack, protocols=(MESSAGES,)) as silent:  # answers no ping
        assert silent.close_code() == 4009
    assert not listener.closed


def test_it_is_warned_before_the_server_stops(stack, listener):
    stack.daemons["streamd"].terminate()
    listener.wait_until_closed()
    assert listener.close_code == 1001
    (warning,) = listener.texts("shutdown_warning")
    assert warning["reason"] == "stopping"
    assert stack.daemons["streamd"].exit_status() == 0
    stack.daemons["streamd"].start()
