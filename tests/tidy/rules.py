# SPDX-License-Identifier: MIT
"""The rules of the tree's layout, each a function from a folder to its violations. tree_test.py holds the repository to them,
rules_test.py shows what each refuses."""

import ast
import collections
import dataclasses
import os
import pathlib
import re

FILE_LINES = 400
FUNCTION_LINES = 60

CODE = (".h", ".cpp", ".js", ".mjs", ".py")
PROSE = (*CODE, ".md", ".yml", ".yaml", ".json", ".toml", ".in", ".cmake", ".txt", ".html", ".css", "")
SOURCE_FOLDERS = ("common", "synthd", "streamd", "metricsd", "tools")
GENERATED = ("docs/performance.md", "docs/metrics.md", "tests/browser/package-lock.json")

# Which sources may include a foreign header that begins so: a file, or a folder that ends in a slash.
FOREIGN = {
    "websocketpp/": ("streamd/net/", "streamd/encode/wire_message.cpp"),
    "asio": ("streamd/net/",),
    "zmq": (
        "metricsd/zmq_authenticator.cpp",
        "metricsd/zmq_authenticator.h",
        "metricsd/zmq_keys.cpp",
        "metricsd/zmq_peers.h",
        "metricsd/zmq_publisher.cpp",
    ),
    "prometheus/": ("metricsd/prometheus_exporter.cpp",),
    "boost/interprocess/": ("common/segments/segment_file.h",),
    "boost/asio": ("metricsd/",),
    "boost/beast": ("metricsd/",),
    "boost/lockfree": ("streamd/delivery/sent_meter.cpp",),
    "boost/": (),
    "CL/": ("synthd/engine/opencl_support.h",),
    "nlohmann/": (
        "common/base/log_lines.cpp",
        "common/config/config_table.cpp",
        "metricsd/dashboard_json.cpp",
        "metricsd/otlp_json.cpp",
        "metricsd/snapshot_json.cpp",
        "streamd/api/",
        "streamd/encode/frame.cpp",
        "tools/load/report.cpp",
        "tools/probe/",
        "tools/top/view_json.cpp",
    ),
    "CLI/": ("common/config/command_line.cpp", "common/config/load_config.cpp", "tools/arguments.cpp"),
    "toml++/": ("common/config/config_loader.cpp",),
    "spdlog/": ("common/base/log.cpp",),
    "openssl/": ("common/access/", "metricsd/http_client.cpp", "streamd/encode/frame.cpp", "tools/wire.cpp"),
    "opus": ("streamd/encode/opus_stream.cpp", "tools/probe/opus_audio.cpp"),
    "ogg/": ("streamd/encode/ogg_opus.cpp",),
    "speex/": ("streamd/encode/resampler.cpp",),
    "ebur128": ("common/metrics/audio_meter.cpp",),
    "curses": ("tools/top/screen.cpp",),
    "sndfile": ("tools/render/sndfile_file.cpp",),
    "systemd/": ("common/daemon/service.cpp", "streamd/net/listening_socket.cpp"),
}

# The standard libraries' and the system's own.
SYSTEM = re.compile(r"[a-z_0-9]+|(std(int|def|lib|io)|string|math|signal|unistd|fcntl|poll|netdb|dlfcn|sched|spawn|zlib)\.h|(sys|netinet|arpa|net|linux)/\w+\.h")

# From the top downwards; a file includes what is below it, or beside it in its own folder. Each folder is in one.
LAYERS = {
    "common": (("daemon",), ("metrics",), ("config", "segments"), ("music", "access"), ("base",)),
    "synthd": (("",), ("composer", "engine")),
    "metricsd": (("",),),
    "streamd": (("",), ("control",), ("net",), ("delivery",), ("admission",), ("api",), ("encode",)),
}
FOR_ALL_LAYERS = ("streamd/stream_metrics.h",)
PROJECTS = {"common": (), "synthd": ("common",), "streamd": ("common",), "metricsd": ("common",)}

# Of the language that the project has left behind.
FORBIDDEN_WORDS = ("whoever", "anew", "is told so", "nobody but", "of those who")


@dataclasses.dataclass(frozen=True, order=True)
class Violation:
    rule: str
    where: str  # a path, or path:function
    what: str

    def __str__(self):
        return f"{self.where}: {self.what} ({self.rule})"


def text_of(root, path):
    return (root / path).read_text(encoding="utf-8")


def sources(root, folders=SOURCE_FOLDERS, suffixes=(".h", ".cpp")):
    found = []
    for folder in folders:
        found += [p for p in (root / folder).rglob("*") if p.suffix in suffixes and "node_modules" not in p.parts]
    return sorted(str(p.relative_to(root)) for p in found)


def file_lines(root):
    for path in sources(root, (*SOURCE_FOLDERS, "bench", "tests"), CODE):
        lines = text_of(root, path).count("\n")
        if lines > FILE_LINES:
            yield Violation("file_lines", path, f"{lines} lines, {FILE_LINES} at most")


# Comments, strings and, in JavaScript, templates and regular expressions: what may hold braces that are none.
LITERALS = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`"""
    r"""|(?<=[(,=:])\s*/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/""",
    re.DOTALL,
)
CONTAINER = re.compile(r"\b(?:namespace|class|struct|union|enum)\b|^\s*extern\s*$")


def without_literals(text):
    return LITERALS.sub(lambda match: "\n" * match[0].count("\n"), text)


def functions(text):
    """Name and lines of each outermost block that is a function's, in C++ or JavaScript as clang-format leaves them."""
    text = without_literals(text)
    text = re.sub(r"^[ \t]*#(?:[^\n\\]|\\[\s\S])*", lambda m: "\n" * m[0].count("\n"), text, flags=re.MULTILINE)
    depth, begin, statement, line, open_containers = 0, None, "", 1, []
    for character in text:
        if character == "\n":
            line += 1
        if character == "{":
            head = statement.strip()
            if begin is None and CONTAINER.search(head.split("(")[0]) and not head.endswith(")"):
                open_containers.append(depth)
            elif begin is None and is_function(head):
                begin = (depth, line, head)
            depth += 1
            statement = "" if begin is None and open_containers[-1:] == [depth - 1] else statement + character
        elif character == "}":
            depth -= 1
            if begin is not None and begin[0] == depth:
                yield name_of(begin[2]), line - begin[1] + 1
                begin, statement = None, ""
            elif open_containers[-1:] == [depth]:
                open_containers.pop()
                statement = ""
            else:
                statement += character
        elif character == ";" and begin is None:
            statement = ""
        else:
            statement += character


def is_function(head):
    if re.search(r"[=,(\w]\s*$", head) and not re.search(r"\b(?:const|noexcept|override|final|mutable)\s*$", head):
        return "->" in head and "(" in head and not head.endswith(("=", ",", "("))
    return "(" in head


def name_of(head):
    found = re.search(r"([~\w:.]+)\s*\(", head)
    return found[1] if found else head[-40:]


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.end_lineno - node.lineno + 1


def function_lines(root):
    for path in sources(root, (*SOURCE_FOLDERS, "bench", "tests"), CODE):
        text = text_of(root, path)
        for name, lines in python_functions(text) if path.endswith(".py") else functions(text):
            if lines > FUNCTION_LINES:
                yield Violation("function_lines", f"{path}:{name}", f"{lines} lines, {FUNCTION_LINES} at most")


def includes(root, path, foreign=False):
    pattern = r"^\s*#\s*include <([^>]+)>" if foreign else r'^\s*#\s*include "([^"]+)"'
    return re.findall(pattern, text_of(root, path), re.MULTILINE)


def foreign_headers(root):
    for path in sources(root):
        for header in includes(root, path, foreign=True):
            if SYSTEM.fullmatch(header):
                continue
            prefix = max((p for p in FOREIGN if header.startswith(p)), key=len, default=None)
            allowed = FOREIGN.get(prefix, ())
            if not any(path == a or a.endswith("/") and path.startswith(a) for a in allowed):
                yield Violation("foreign_headers", path, f"includes <{header}>, which is for {allowed or 'none'}")


def layer_of(path):
    project, *folders, _ = path.split("/")
    names = LAYERS.get(project, ())
    return next((rank for rank, layer in enumerate(names) if (folders or [""])[0] in layer), None)


def may_include(path, header):
    project, other = path.split("/")[0], header.split("/")[0]
    if project != other:
        return project not in PROJECTS or other in (*PROJECTS[project], "embedded")
    if project == "tools":
        mine, theirs = path.split("/")[1:-1], header.split("/")[1:-1]
        return not theirs or mine == theirs
    if header in FOR_ALL_LAYERS or path.split("/")[1:-1][:1] == header.split("/")[1:-1][:1]:
        return True
    mine, theirs = layer_of(path), layer_of(header)
    return mine is None or theirs is None or mine < theirs


def layers(root):
    for path in sources(root):
        if path.split("/")[0] in LAYERS and layer_of(path) is None:
            yield Violation("layers", path, "its folder is in no layer")
        for header in includes(root, path):
            if "/" in header and not may_include(path, header):
                yield Violation("layers", path, f'includes "{header}", which is not below it')


def unit_of(path):
    return path.rsplit(".", 1)[0]


def circles(root):
    """Units, a header and its sources each, that include each other, if by way of others."""
    graph = collections.defaultdict(set)
    for path in sources(root):
        graph[unit_of(path)] |= {unit_of(h) for h in includes(root, path) if "/" in h} - {unit_of(path)}
    reachable = {start: reach(graph, start) for start in list(graph)}
    for start in sorted(graph):
        others = sorted(o for o in reachable[start] if o != start and start in reachable.get(o, ()))
        if others:
            yield Violation("circles", start, f"in a circle with {', '.join(others)}")


def reach(graph, start):
    seen, waiting = set(), [start]
    while waiting:
        for following in graph.get(waiting.pop(), ()):
            if following not in seen:
                seen.add(following)
                waiting.append(following)
    return seen


def header_of(root, path):
    """A source's own header, or that of the class which it shares with other sources: the first that it includes."""
    own = path.removesuffix(".cpp") + ".h"
    if (root / own).exists():
        return own
    return next((h for h in includes(root, path) if pathlib.PurePath(h).parent == pathlib.PurePath(path).parent), None)


def unit_tests(root):
    """A test in the mirrored folder, or in one above it, begins with the header of what it tests."""
    tested = collections.defaultdict(set)
    for test in (source for source in sources(root, ("tests/unit",), (".cpp",)) if source.endswith("_test.cpp")):
        first = next((header for header in includes(root, test) if "/" in header), None)
        tested[first].add(str(pathlib.PurePath(test).relative_to("tests/unit").parent))
    for path in sources(root, suffixes=(".cpp",)):
        if path.endswith("/main.cpp"):
            continue
        header = header_of(root, path)
        folders = {str(folder) for folder in pathlib.PurePath(path).parents}
        if not folders & tested.get(header, set()):
            mirror = f"tests/unit/{pathlib.PurePath(path).parent}"
            yield Violation("unit_tests", path, f"no test in {mirror} has {header} as its first include")


def prose(root):
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in (".git", "build", "node_modules", "tidy"))
        for path in (pathlib.Path(folder, name).relative_to(root) for name in sorted(names)):
            if path.suffix in PROSE and str(path) not in GENERATED:
                yield str(path)


def plain_words(root):
    pattern = re.compile(r"\b(" + "|".join(word.replace(" ", r"\s+") for word in FORBIDDEN_WORDS) + r")\b", re.IGNORECASE)
    for where in prose(root):
        try:
            lines = text_of(root, where).splitlines()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, 1):
            for word in pattern.findall(line):
                yield Violation("plain_words", where, f'line {number} says "{word}"')


RULES = (file_lines, function_lines, foreign_headers, layers, circles, unit_tests, plain_words)


def violations(root):
    return [violation for rule in RULES for violation in rule(root)]
