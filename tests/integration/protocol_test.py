# SPDX-License-Identifier: MIT
"""The protocol's three descriptions (docs/protocol.md, docs/asyncapi.yaml, docs/schemas/) and the daemons agree."""

import json
import re

import jsonschema
import pytest

from auralis import eventually, run_daemon
from control_test import REFUSED, preset, report, update
from listener import JSON, PCM
from protocol_files import (
    ASYNCAPI,
    CLIENT,
    COMMON,
    DOCS,
    HTTP,
    PROTOCOL,
    SCHEMAS,
    SERVER,
    at,
    code_names,
    definitions,
    faults,
    message_faults,
    section,
    strict_json,
    table,
    walk,
)

CONFIGURATION = """
[[station]]
name = "day"
open = true

[[station]]
name = "night"
preset = "sleep"
"""

MESSAGES = [(file, name) for file in (CLIENT, SERVER) for name in definitions(file)]
SECTIONS = {CLIENT: "## Messages from the client", SERVER: "## Messages from the server"}
NO_MESSAGE = {"Parameters"}

# Messages of every type that a client may send, and the type of the reply, None if there is none.
TAKEN = [
    (update(bpm=40, key="C#", mode="phrygian"), "accepted"),
    (update(bpm=120.0, intensity=0, melody_complexity=1), "accepted"),
    (update(chord_progression_variety=0.123456789, harmonic_density=1e-9), "accepted"),
    (update(pads=False, melody=True, kicks=False, swells=True), "accepted"),
    *[(preset(name), "accepted") for name in ("focus", "meditation", "sleep", "bright")],
    ({"type": "ping", "client_time": 0}, "pong"),
    ({"type": "ping", "client_time": -1.5e300}, "pong"),
    (report(latency_ms=-1_000, buffer_ms=60_000), None),
    ({"type": "status"}, "status"),
    ({"type": "buffer_control", "max_backlog_ms": 200}, "buffer_status"),
    ({"type": "buffer_control", "max_backlog_ms": 10_000, "flush": True, "format": PCM}, "buffer_status"),
    ({"type": "subscribe", "station": "night"}, "subscribed"),
    ({"type": "subscribe", "query": "station=night", "ticket": "of no use here"}, "subscribed"),
    ({"type": "subscribe", "query": "station=new&preset=sleep&seed=42"}, "subscribed"),
    ({"type": "subscribe", "query": ""}, "subscribed"),
]


def short(message):
    return str(message)[:60]


# The documents.


@pytest.mark.parametrize("file", SCHEMAS)
def test_a_schema_is_one_and_leaves_nothing_open(file):
    schema = SCHEMAS[file]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)
    for part in walk(schema):
        if "$ref" in part:
            assert set(part) == {"$ref"}, "draft 07 knows nothing beside a reference"
            target, pointer = part["$ref"].split("#")
            at(SCHEMAS[target or file], pointer)
        if part.get("type") == "object":
            assert part["additionalProperties"] is False
            assert set(part.get("required", [])) <= set(part["properties"])


@pytest.mark.parametrize("file", [CLIENT, SERVER])
def test_a_message_is_defined_by_its_type(file):
    for name, definition in definitions(file).items():
        assert definition["properties"]["type"] == {"const": name}
        assert "type" in definition["required"]
    assert SCHEMAS[file]["oneOf"] == [{"$ref": f"#/$defs/{name}"} for name in definitions(file)]


def test_an_error_may_answer_every_message_of_a_client():
    in_reply_to = definitions(SERVER)["error"]["properties"]["in_reply_to"]["enum"]
    assert in_reply_to == list(definitions(CLIENT))


def test_parameters_and_their_changes_have_the_same_fields():
    whole, some = definitions(COMMON)["parameters"], definitions(COMMON)["parameter_changes"]
    assert whole["properties"] == some["properties"]
    assert whole["required"] == list(whole["properties"])


def test_asyncapi_has_what_its_version_requires():
    assert ASYNCAPI["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(ASYNCAPI["info"])
    assert all({"host", "protocol"} <= set(server) for server in ASYNCAPI["servers"].values())
    (channel,) = ASYNCAPI["channels"].values()
    assert channel["address"] == "/ws/stream"
    for name, message in channel["messages"].items():
        assert message == {"$ref": f"#/components/messages/{name}"}
    assert set(channel["messages"]) == set(ASYNCAPI["components"]["messages"])
    for operation in ASYNCAPI["operations"].values():
        assert operation["action"] in ("send", "receive")
        assert operation["channel"] == {"$ref": "#/channels/stream"}
        for end in (operation, operation.get("reply", operation)):
            assert end["channel"] == {"$ref": "#/channels/stream"}
            # Through the channel, as the specification requires.
            assert end["messages"] and all(
                message["$ref"].startswith("#/channels/stream/messages/") for message in end["messages"]
            )


def test_every_reference_of_asyncapi_leads_somewhere():
    for part in walk(ASYNCAPI):
        if "$ref" not in part:
            continue
        assert set(part) == {"$ref"}
        file, pointer = part["$ref"].split("#")
        at(json.loads((DOCS / file).read_text()) if file else ASYNCAPI, pointer)


def definition_of(message):
    """File and name of the definition that a message of asyncapi.yaml refers to; None if it is binary."""
    if message.get("contentType") == "application/octet-stream":
        return None
    file, name = re.fullmatch(r"schemas/([^#]+)#/\$defs/(\w+)", message["payload"]["$ref"]).groups()
    return file, name


def test_asyncapi_has_every_message_once_and_no_other():
    messages = ASYNCAPI["components"]["messages"].values()
    defined = [definition_of(message) for message in messages]
    assert sorted(filter(None, defined)) == sorted(MESSAGES)
    assert defined.count(None) == 2  # PCM and Opus
    assert all(message["name"] == definition[1] for message, definition in zip(messages, defined) if definition)


def test_every_message_has_an_operation_of_its_direction():
    used = {"receive": set(), "send": set()}
    for operation in ASYNCAPI["operations"].values():
        ends = [(operation["action"], operation)]
        if "reply" in operation:
            assert operation["action"] == "receive"
            ends.append(("send", operation["reply"]))
        for action, end in ends:
            used[action] |= {reference["$ref"].rsplit("/", 1)[1] for reference in end["messages"]}
    messages = ASYNCAPI["components"]["messages"]
    from_client = {name for name in messages if (definition_of(messages[name]) or [None])[0] == CLIENT}
    assert used == {"receive": from_client, "send": set(messages) - from_client}


@pytest.mark.parametrize("name", ASYNCAPI["components"]["messages"])
def test_the_examples_of_asyncapi_are_what_they_exemplify(name):
    message = ASYNCAPI["components"]["messages"][name]
    definition = definition_of(message)
    if definition is None:
        assert "examples" not in message
        return
    assert message["examples"]
    for example in message["examples"]:
        assert faults(*definition, example["payload"]) == []


@pytest.mark.parametrize("file", SECTIONS)
def test_the_page_has_every_message_and_no_other(file):
    headings = re.findall(r"^### (.+)$", section(PROTOCOL, SECTIONS[file]), re.MULTILINE)
    named = [heading.strip("`") for heading in headings if heading not in NO_MESSAGE]
    assert sorted(named) == sorted(definitions(file))


def test_the_page_says_when_each_message_of_the_server_comes():
    rows = table(section(PROTOCOL, SECTIONS[SERVER]), "message")
    assert [row[0].strip("`") for row in rows] == list(definitions(SERVER))


def check_table(rows, definition, implied=()):
    """Asserts that a table lists the definition's fields, and which are optional."""
    described = {}
    for names, kind, *_ in rows:
        described.update({name: kind.endswith("optional") for name in code_names(names)})
    required = set(definition.get("required", []))
    assert described == {name: name not in required for name in definition["properties"] if name not in implied}


@pytest.mark.parametrize("file, name", MESSAGES, ids=[f"{name} in {file}" for file, name in MESSAGES])
def test_the_page_has_every_field_and_no_other(file, name):
    text = section(section(PROTOCOL, SECTIONS[file]), f"### `{name}`")
    fieldless = set(definitions(file)[name]["properties"]) == {"type"}
    check_table([] if fieldless else table(text, "field"), definitions(file)[name], implied={"type"})


def test_the_page_has_the_fields_of_parameters_and_listeners():
    check_table(table(section(PROTOCOL, "### Parameters"), "field"), definitions(COMMON)["parameters"])
    check_table(table(section(PROTOCOL, "### The list of listeners"), "field"), definitions(HTTP)["listener"])


def test_the_page_has_every_code_and_no_other():
    errors = section(section(PROTOCOL, SECTIONS[SERVER]), "### `error`")
    codes = [row[0].strip("`") for row in table(errors, "`code`")]
    assert codes == definitions(SERVER)["error"]["properties"]["code"]["enum"]
    warnings = table(section(section(PROTOCOL, SECTIONS[SERVER]), "### `warning`"), "field")
    (code,) = [row[2] for row in warnings if row[0] == "`code`"]
    assert code_names(code) == definitions(SERVER)["warning"]["properties"]["code"]["enum"]


def test_the_page_shows_messages_that_are_such():
    shown = 0
    for file, title in SECTIONS.items():
        for block in re.findall(r"^```json\n(.*?)^```", section(PROTOCOL, title), re.MULTILINE | re.DOTALL):
            assert message_faults(file, strict_json(block)) == []
            shown += 1
    assert shown == PROTOCOL.count("```json")


def test_the_page_has_the_limits_that_the_server_has():
    explained = run_daemon("streamd", "--print-config").stdout
    defaults = dict(re.findall(r"^# (\w+) = (.+)$", explained.split("[streamd]\n")[1].split("\n[")[0], re.MULTILINE))
    rows = [(row[0].strip("`"), row[1]) for row in table(section(PROTOCOL, "## Limits"), "key")]
    assert rows == [(key, defaults.get(key)) for key, _ in rows]


# Messages on the wire.


@pytest.mark.parametrize("message, answer", TAKEN, ids=[short(message) for message, _ in TAKEN])
def test_what_the_server_takes_the_schemas_take(listen, message, answer):
    assert message_faults(CLIENT, message) == []
    listener = listen(PCM, query="station=day")
    eventually(lambda: listener.texts("status"), "the first status")
    if answer:
        assert listener.ask(message)["type"] == answer
    else:
        listener.send(message)
        listener.wait_for_more(3)
    assert listener.texts("error") == []


# Other tests check that the server refuses them.
REFUSED_OBJECTS = [message for message, _ in REFUSED if isinstance(message, dict)]


@pytest.mark.parametrize("message", REFUSED_OBJECTS, ids=short)
def test_what_the_server_refuses_the_schemas_refuse(message):
    assert message_faults(CLIENT, message) != []


def check_texts(*listeners):
    for listener in listeners:
        for text in listener.raw_texts:
            assert message_faults(SERVER, strict_json(text)) == [], text[:500]


def test_every_text_that_a_listener_gets_is_described(stack, listen):
    listeners = [listen(JSON, query="station=day"), listen(PCM), listen(), listen(PCM, query="station=new&seed=3")]
    for listener in listeners:
        listener.wait_for_more(1)
    talker = listeners[0]
    for message in (
        update(intensity=0.25, key="A#", bpm=100),
        preset("bright"),
        {"type": "ping", "client_time": 1767225600123.5},
        {"type": "status"},
        {"type": "buffer_control", "max_backlog_ms": 300, "format": JSON},
        report(),
        "rubbish",
        "\u00e4\U0001f3b5",
        '{"type": "\\ud83c"}',
        {"type": "dance", "f\u00fcr": "dich"},
        {"type": "ping"},
        update(**{"\u0000": 1}),
        b"\0\xff",
        {"type": "subscribe", "station": "dusk"},
        {"type": "subscribe", "query": "station=%zz"},
    ):
        talker.send(message)
    assert listen(PCM, query="station=night").ask(preset("focus"))["code"] == "not_allowed"
    eventually(lambda: len(talker.texts("error")) >= 9, "an error for each of those that are wrong")
    # Without synthd silence is sent, and requests wait.
    stack.daemons["synthd"].hang()
    try:
        eventually(lambda: all(listener.texts("warning") for listener in listeners), "a warning to each")
    finally:
        stack.daemons["synthd"].go_on()
    listeners[1].wait_for_music(3)

    seen = {strict_json(text)["type"] for listener in listeners for text in listener.raw_texts}
    assert {"audio", "status", "accepted", "pong", "buffer_status", "warning", "error"} <= seen
    check_texts(*listeners)


@pytest.mark.parametrize(
    "method, path, body, status, name",
    [
        ("GET", "/api/status", None, 200, "status"),
        ("GET", "/api/status?station=night", None, 200, "status"),
        ("GET", "/api/status?station=dusk", None, 404, "error"),
        ("GET", "/api/status?station=%zz", None, 400, "error"),
        ("GET", "/api/presets", None, 200, "presets"),
        ("GET", "/api/status?presets=1", None, 200, "status"),
        ("POST", "/api/control", update(bpm=66), 200, "accepted"),
        ("POST", "/api/control", {**preset("sleep"), "station": "day"}, 200, "accepted"),
        ("POST", "/api/control", {**preset("sleep"), "station": "night"}, 403, "error"),
        ("POST", "/api/control", {**update(bpm=66), "station": "dusk"}, 404, "error"),
        ("POST", "/api/control", {**update(bpm=66), "preset": "focus"}, 400, "error"),
        ("POST", "/api/control", {**preset("focus"), "parameters": {"bpm": 66}}, 400, "error"),
        ("POST", "/api/control", {"type": "ping", "client_time": 1}, 400, "error"),
        ("POST", "/api/control", {"station": "day"}, 400, "error"),
    ],
)
def test_every_body_is_described(stack, method, path, body, status, name):
    answer = stack.http(method, path, json.dumps(body) if body else None)
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/json")
    assert faults(HTTP, name, strict_json(answer.text)) == []
    if body:
        # An unknown or closed station is not an error in the request's form.
        assert (faults(HTTP, "control", body) == []) == (status != 400)


def test_the_presets_come_with_the_status_where_they_are_asked_for(stack):
    presets = strict_json(stack.http("GET", "/api/presets").text)["presets"]
    assert strict_json(stack.http("GET", "/api/status?presets=1").text)["presets"] == presets
    assert "presets" not in strict_json(stack.http("GET", "/api/status").text)
