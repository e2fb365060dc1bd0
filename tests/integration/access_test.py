# SPDX-License-Identifier: MIT
"""Access: pages of other sites, tickets, the operators' token, and limits per address."""

import json
import socket
import subprocess

import pytest

from auralis import HOST, WAIT_LIMIT_S, binary, clean_environment, eventually, run_daemon
from listener import PCM, Listener, gaps
from tickets import FUTURE, KEY, PAST, signed

TOKEN = "operators-0123456789abcdef0123456789abcdef"
BEARER = {"Authorization": f"Bearer {TOKEN}"}

CONFIGURATION = """
[[station]]
name = "day"
open = true

[[station]]
name = "night"
"""

pytestmark = pytest.mark.usefixtures("balanced")


def rejected(stack, reason):
    return stack.metric("websocket_connections_rejected_total", reason=reason)


def secret(path, text):
    path.write_text(text + "\n", encoding="ascii")
    path.chmod(0o600)
    return str(path)


@pytest.mark.parametrize("key", ["token_file", "ticket_key_file"])
def test_an_unreadable_secret_is_reported_at_the_start(stack, tmp_path, key):
    missing = str(tmp_path / "missing")
    settings = {**stack.environment, "AURALIS_RUNTIME_DIR": str(tmp_path), f"AURALIS_STREAMD_{key.upper()}": missing}
    result = run_daemon("streamd", "--config", stack.config_file, environment=settings)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert f"{key}: {missing}: cannot be read" in line


def test_pages_of_other_sites_may_not_use_the_server(stack, connect_raw):
    own = f"{HOST}:{stack.stream_port}"

    def answers(origin):
        """Statuses of the three requests that a page of that site makes."""
        headers = {"Host": own, **({"Origin": origin} if origin else {})}
        change = stack.http("POST", "/api/control", '{"type": "select_preset", "preset": "sleep"}', headers)
        plain = stack.http("GET", "/listen/none.opus", headers=headers)
        assert plain.status == 404
        return connect_raw(headers=headers).status, change.status

    before = rejected(stack, "origin")
    assert answers(None) == answers(f"http://{own}") == (101, 200)
    foreign = ["https://elsewhere.example", f"http://{HOST}", f"http://{own}.elsewhere.example", "null", "http://"]
    for origin in foreign:
        assert answers(origin) == (403, 403), origin
    assert rejected(stack, "origin") == before + len(foreign)
    listening = stack.http("GET", "/listen/day.opus", headers={"Host": own, "Origin": foreign[0]})
    assert listening.status == 403


def test_pages_of_sites_that_are_listed_may(stack, restart_streamd, connect_raw):
    restart_streamd({"AURALIS_STREAMD_ALLOWED_ORIGINS": "https://friend.example, http://other.example:8080"})
    for origin in ("https://friend.example", "https://FRIEND.example:443", "http://other.example:8080"):
        assert connect_raw(headers={"Origin": origin}).status == 101, origin
    for origin in ("http://friend.example", "https://friend.example.org", "http://other.example", "null"):
        assert connect_raw(headers={"Origin": origin}).status == 403, origin
    restart_streamd({"AURALIS_STREAMD_ALLOWED_ORIGINS": "*"})
    for origin in ("https://elsewhere.example", "null"):
        assert connect_raw(headers={"Origin": origin}).status == 101, origin


@pytest.fixture
def tickets(restart_streamd, tmp_path):
    """streamd requires tickets."""
    restart_streamd({"AURALIS_STREAMD_TICKET_KEY_FILE": secret(tmp_path / "ticket.key", KEY)})
    return tmp_path / "ticket.key"


def test_without_a_valid_ticket_a_listener_is_refused(stack, tickets, connect_raw):
    before = rejected(stack, "ticket")
    night = "station=night"
    refused = [
        night,
        f"{night}&ticket=",
        f"{night}&ticket=rubbish",
        f"{night}&ticket={signed('night', FUTURE, key='another key of some length')}",
        f"{night}&ticket={signed('night', PAST)}",
        f"{night}&ticket={signed('day', FUTURE)}",
        f"{night}&ticket={signed('new', FUTURE)}",
        f"ticket={signed('night', FUTURE)}",  # the default station is day
        f"station=new&ticket={signed('night', FUTURE)}",
    ]
    for query in refused:
        answer = connect_raw(query)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Ticket"), query
    answer = stack.http("GET", f"/listen/night.opus?ticket={signed('day', FUTURE)}")
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Ticket")
    head = stack.http("HEAD", "/listen/night.opus")
    assert (head.status, head.headers["WWW-Authenticate"]) == (401, "Ticket")
    assert rejected(stack, "ticket") == before + len(refused) + 2
    assert KEY not in stack.daemons["streamd"].log()


def test_a_valid_ticket_admits_its_holder(stack, tickets, connect_raw):
    made = subprocess.run(
        [binary("ticket"), "--key-file", str(tickets), "--station", "night", "--valid", "1h"],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=WAIT_LIMIT_S,
        check=True,
    ).stdout.strip()
    for query in (
        f"station=night&ticket={made}",
        f"ticket={signed('day', FUTURE)}",
        f"station=day&ticket={signed('*', FUTURE)}",
        f"station=new&ticket={signed('new', FUTURE)}",
    ):
        assert connect_raw(query).status == 101, query
    with socket.create_connection((HOST, stack.stream_port), timeout=WAIT_LIMIT_S) as connection:
        connection.sendall(f"GET /listen/night.opus?ticket={made} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert connection.makefile("rb").readline() == b"HTTP/1.1 200 OK\r\n"


def test_a_station_cannot_be_changed_without_the_right_to_hear_it(stack, tickets):
    def change(query="", **fields):
        return stack.http("POST", f"/api/control{query}", json.dumps({"type": "select_preset", "preset": "focus", **fields}))

    for answer in (change(), change(f"?ticket={signed('night', FUTURE)}"), change(station="day")):
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Ticket")
        assert json.loads(answer.text)["code"] == "no_ticket"
    assert change(f"?ticket={signed('day', FUTURE)}").status == 200
    assert change(f"?ticket={signed('*', FUTURE)}", station="day").status == 200


def test_another_station_needs_its_own_ticket(stack, tickets):
    listener = Listener(stack.stream_url(f"station=day&ticket={signed('day', FUTURE)}"), PCM)
    listener.wait_for_more(3)
    night = signed("night", FUTURE)
    for message in ({"station": "night"}, {"station": "night", "ticket": signed("day", FUTURE)}, {"query": "station=new"}):
        answer = listener.ask({"type": "subscribe", **message})
        assert (answer["type"], answer["code"], answer["in_reply_to"]) == ("error", "no_ticket", "subscribe")
    assert listener.ask({"type": "status"})["station"] == "day"
    assert listener.ask({"type": "subscribe", "station": "night", "ticket": night})["station"] == "night"
    back = {"type": "subscribe", "query": f"station=day&ticket={signed('*', FUTURE)}"}
    assert listener.ask(back)["station"] == "day"
    listener.wait_for_more(3)
    assert gaps(listener.chunks) == []
    listener.close()


def test_without_a_token_there_are_no_operators(stack):
    for headers in ({}, BEARER, {"Authorization": "Bearer "}):
        assert stack.http("GET", "/api/listeners", headers=headers).status == 403
        assert stack.http("POST", "/api/listeners/1/close", headers=headers).status == 403


def test_listeners_cannot_change_the_music_if_operators_control_it(stack, restart_streamd, tmp_path):
    restart_streamd(
        {
            "AURALIS_STREAMD_TOKEN_FILE": secret(tmp_path / "token", TOKEN),
            "AURALIS_STREAMD_CONTROL_BY": "operators",
            "AURALIS_LOG_LEVEL": "debug",
        }
    )
    listener = Listener(stack.stream_url("station=day"), PCM)
    listener.wait_for_more(1)
    before = listener.ask({"type": "status"})["target"]
    wanted = 0.25 if before["intensity"] != 0.25 else 0.75
    change = {"type": "update_params", "parameters": {"intensity": wanted}}
    for message in (change, {"type": "select_preset", "preset": "bright"}):
        answer = listener.ask(message)
        assert (answer["type"], answer["code"], answer["in_reply_to"]) == ("error", "not_allowed", message["type"])
    body = json.dumps(change)
    for headers in ({}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": TOKEN}):
        refusal = stack.http("POST", "/api/control", body, headers)
        assert refusal.status == 401 and refusal.headers["WWW-Authenticate"].startswith("Bearer")
    assert listener.ask({"type": "status"})["target"] == before
    assert stack.http("POST", "/api/control", body, BEARER).status == 200
    eventually(lambda: listener.texts("status")[-1]["target"]["intensity"] == wanted, "the operator's change")
    (row,) = json.loads(stack.http("GET", "/api/listeners", headers=BEARER).text)["listeners"]
    assert stack.http("POST", f"/api/listeners/{row['id']}/close", headers=BEARER).status == 204
    listener.wait_until_closed()
    assert listener.close_code == 4010
    assert not any(word in stack.daemons["streamd"].log() for word in (TOKEN, "Bearer"))


def test_operators_who_control_must_have_a_token(stack):
    result = run_daemon(
        "streamd", environment={**stack.environment, "AURALIS_STREAMD_CONTROL_BY": "operators"}
    )
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert "token_file" in line


def test_listeners_are_limited_per_address(stack, restart_streamd, connect_raw):
    restart_streamd(
        {"AURALIS_STREAMD_TRUSTED_PROXIES": HOST, "AURALIS_STREAMD_MAX_LISTENERS_PER_ADDRESS": "2"}
    )
    before = rejected(stack, "address")

    def of(client):
        return {"X-Forwarded-For": client}

    first = connect_raw(headers=of("192.0.2.1"))
    # The client's own entry comes before the one that the proxy added.
    second = connect_raw(headers=of("198.51.100.7, 192.0.2.1"))
    assert (first.status, second.status) == (101, 101)
    third = connect_raw(headers=of("192.0.2.1"))
    assert third.status == 429 and int(third.headers["Retry-After"]) > 0
    assert stack.http("GET", "/listen/day.opus", headers=of("198.51.100.9, 192.0.2.1")).status == 429
    assert [connect_raw(headers=of(f"192.0.2.{last}")).status for last in (2, 2, 2, 3)] == [101, 101, 429, 101]
    household = [f"2001:db8:0:1::{last}" for last in (1, 2, 3)] + ["2001:db8:0:2::1"]
    assert [connect_raw(headers=of(client)).status for client in household] == [101, 101, 429, 101]
    assert rejected(stack, "address") == before + 4
    first.close()
    eventually(lambda: connect_raw(headers=of("192.0.2.1")).status == 101, "a permit that became free")
    # The proxy's own connections are limited as well.
    assert [connect_raw().status for _ in range(3)] == [101, 101, 429]


def test_this_machine_is_not_limited_and_strangers_name_no_other_address(stack, restart_streamd, connect_raw, tmp_path):
    restart_streamd(
        {
            "AURALIS_STREAMD_MAX_LISTENERS_PER_ADDRESS": "1",
            "AURALIS_STREAMD_TOKEN_FILE": secret(tmp_path / "token", TOKEN),
        }
    )
    inside = [connect_raw(headers={"X-Forwarded-For": "192.0.2.1"}) for _ in range(4)]
    assert {one.status for one in inside} == {101}

    def addresses():
        rows = json.loads(stack.http("GET", "/api/listeners", headers=BEARER).text)["listeners"]
        return [row["address"] for row in rows]

    eventually(lambda: addresses() == [HOST] * 4, "all of them")
