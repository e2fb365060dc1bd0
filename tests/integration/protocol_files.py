# SPDX-License-Identifier: MIT
"""What docs/ says of the protocol: its schemas, asyncapi.yaml, and the tables of protocol.md."""

import json
import pathlib
import re

import jsonschema
import yaml

DOCS = pathlib.Path(__file__).parents[2] / "docs"
CLIENT = "client-messages.json"
SERVER = "server-messages.json"
HTTP = "http-bodies.json"
COMMON = "common.json"

SCHEMAS = {path.name: json.loads(path.read_text()) for path in sorted((DOCS / "schemas").iterdir())}
ASYNCAPI = yaml.safe_load((DOCS / "asyncapi.yaml").read_text())
PROTOCOL = (DOCS / "protocol.md").read_text()


def definitions(file):
    return SCHEMAS[file]["$defs"]


def walk(node):
    """Every object in a document, itself included."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from walk(child)


def at(document, pointer):
    """What a JSON pointer (/a/b) points at."""
    for part in pointer.split("/")[1:]:
        document = document[part.replace("~1", "/").replace("~0", "~")]
    return document


def _bundled(node, file):
    """The schema with references into the one document that all schemas are put into below."""
    if isinstance(node, dict):
        node = {name: _bundled(child, file) for name, child in node.items()}
        if "$ref" in node:
            target, pointer = node["$ref"].split("#")
            node["$ref"] = f"#/$defs/{target or file}{pointer}"
    elif isinstance(node, list):
        node = [_bundled(child, file) for child in node]
    return node


_BUNDLE = {file: _bundled(schema, file) for file, schema in SCHEMAS.items()}


def faults(file, name, instance):
    """What the definition finds wrong with it, in words."""
    validator = jsonschema.Draft202012Validator({"$ref": f"#/$defs/{file}/$defs/{name}", "$defs": _BUNDLE})
    return [f"{error.json_path}: {error.message}"[:300] for error in validator.iter_errors(instance)]


def message_faults(file, message):
    """Likewise, of a message, by the type that it says it is of."""
    if not isinstance(message, dict) or message.get("type") not in definitions(file):
        return [f"no message of {file}: {str(message)[:200]}"]
    return faults(file, message["type"], message)


def strict_json(text):
    """What JSON itself allows, which Python's reader exceeds."""

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON: {text[:200]}")

    return json.loads(text, parse_constant=refuse)


def section(text, title):
    """The part of a page below a heading, up to the next one of its level or above."""
    marks = title.split(" ")[0]
    begin = re.search(rf"^{re.escape(title)}$", text, re.MULTILINE)
    assert begin, f"no heading {title!r}"
    rest = text[begin.end() :]
    end = re.search(rf"^#{{1,{len(marks)}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def tables(text):
    """Its tables, each a list of rows, the heading first; a row is a list of cells."""
    found = []
    inside = False
    for line in text.splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        if not inside:
            found.append([])
        inside = True
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not all(set(cell) <= set("-:") for cell in cells):
            found[-1].append(cells)
    return found


def table(text, first_column):
    """The rows of its table whose first column has that heading."""
    (rows,) = [rows[1:] for rows in tables(text) if rows[0][0] == first_column]
    return rows


def code_names(cell):
    """What stands in a cell as code."""
    return re.findall(r"`([^`]+)`", cell)
