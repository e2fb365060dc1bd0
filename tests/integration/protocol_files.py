# SPDX-License-Identifier: MIT
"""The protocol as described in docs/: its schemas, asyncapi.yaml, and the tables of protocol.md."""

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
    """Every object in a document, including itself."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from walk(child)


def at(document, pointer):
    """The value at a JSON pointer (/a/b)."""
    for part in pointer.split("/")[1:]:
        document = document[part.replace("~1", "/").replace("~0", "~")]
    return document


def _bundled(node, file):
    """The schema with its references pointing into the bundle of all schemas below."""
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
    """Violations of the definition, in words."""
    validator = jsonschema.Draft202012Validator({"$ref": f"#/$defs/{file}/$defs/{name}", "$defs": _BUNDLE})
    return [f"{error.json_path}: {error.message}"[:300] for error in validator.iter_errors(instance)]


def message_faults(file, message):
    """Likewise for a message, by its type."""
    if not isinstance(message, dict) or message.get("type") not in definitions(file):
        return [f"no message of {file}: {str(message)[:200]}"]
    return faults(file, message["type"], message)


def strict_json(text):
    """Parses strict JSON; Python's parser accepts more."""

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON: {text[:200]}")

    return json.loads(text, parse_constant=refuse)


def section(text, title):
    """The part of a page below a heading, up to the next one of the same or a higher level."""
    marks = title.split(" ")[0]
    begin = re.search(rf"^{re.escape(title)}$", text, re.MULTILINE)
    assert begin, f"no heading {title!r}"
    rest = text[begin.end() :]
    end = re.search(rf"^#{{1,{len(marks)}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def tables(text):
    """The text's tables, each a list of rows, the heading first; a row is a list of cells."""
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
    """Code spans of a cell."""
    return re.findall(r"`([^`]+)`", cell)
