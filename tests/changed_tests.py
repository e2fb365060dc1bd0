#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lists the tests that a change can affect, for scripts/test --changed: by RULES, and unit tests by what their objects depend on.

A change is what differs from where this branch left BASE, committed or not, with files that git does not know yet.
"""

import argparse
import json
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).parents[1]
BUILD = ROOT / "build/release"
ALL = r"."
ALWAYS = [r"^tidy\."]
DAEMONS = ["synthd", "streamd", "metricsd", "auralis-render", "auralis-ticket", "auralis-load", "auralis-probe", "auralis-top"]
UNIT_TARGETS = ["unit_tests", "synthd_tests", "concurrency_tests"]

# Path: tests by name, besides unit tests that depend on it. The first that fits counts; what fits none affects all.
RULES = [
    (r"(^|/)CMakeLists\.txt$|\.cmake$|^CMakePresets", [ALL]),
    (r"^(docs/proxies/.*[^d]|tests/integration/reverse_proxies\.py)$", [r"^(integration|browser)\.proxies$"]),
    (r"^tests/integration/\w+(?<!_test)\.py$", [r"^integration\.", r"^soak\.", r"^alerts\."]),
    (r"^tests/(integration|browser)/(\w+)_test\.(?:py|mjs)$", [r"^\1\.\2(_gaps)?$"]),
    (r"^tests/(deploy|monitoring|alerts|bench|soak|tidy)/(\w+)_test\.py$", [r"^\1\.\2$"]),
    (r"^(deploy|tests/deploy)/kubernetes/", [r"^deploy\.kubernetes$"]),
    (r"^tests/(integration|browser|deploy|monitoring|alerts|bench|soak|tidy)/", [r"^\1\."]),
    (r"^tests/unit/(?!.*(_test\.cpp|\.h)$)", [r"^unit\."]),
    (r"^tests/unit/", []),
    (r"^tests/changed_tests\.py$", []),
    (r"^streamd/web/", [r"^browser\.", r"^integration\.plain_http$"]),
    (r"^streamd/", [r"^integration\.(?!metrics_|render|ticket)", r"^browser\.", r"^soak\."]),
    (r"^synthd/engine/.*\.cl$", [r"^unit\.synthd\.engine\.", r"^integration\.(render|stations)"]),
    (
        r"^synthd/",
        [r"^integration\.(?!metrics_|ticket|http_protocol|access|tls)", r"^browser\.(personal_)?stations", r"^soak\."],
    ),
    (r"^metricsd/web/", [r"^browser\.dashboard"]),
    (r"^metricsd/", [r"^browser\.dashboard", r"^integration\.(metrics|books|restart|lifecycle|inherited|logs|traces|top$)", r"^soak\."]),
    (r"^common/", [r"^integration\.", r"^browser\.", r"^soak\."]),
    (r"^tools/render/", [r"^integration\.(render|(personal_)?stations$)"]),
    (r"^tools/(ticket|load|probe|top)/", [r"^integration\.\1$"]),
    (r"^tools/metrics_", [r"^unit\.tools\.metrics_page$"]),
    (r"^tools/", [r"^integration\.(render|ticket$|load$|probe$|top$)"]),
    (r"^bench/", [r"^bench\."]),
    (r"^monitoring/", [r"^monitoring\.", r"^alerts\.", r"^deploy\.(compose|kubernetes)$"]),
    (r"^systemd/auralis\.toml$", [r"^deploy\.", r"^unit\.common\.config\.config$"]),
    (r"^(systemd/|docker-compose)", [r"^deploy\.", r"^monitoring\.(dashboard|logs)$"]),
    (r"^(Dockerfile|scripts/run)", [r"^deploy\."]),
    (r"^(packaging/|scripts/package$)", [r"^deploy\.package$"]),
    (r"^docs/metrics\.md$", [r"^unit\.tools\.metrics_page$", r"^monitoring\."]),
    (r"^docs/(runbooks|logs)\.md$", [r"^monitoring\."]),
    (r"^docs/(zeromq\.md|schemas/metricsd)", [r"^integration\.(metrics_zmq_messages|protocol)$", r"^unit\.metricsd\.snapshot_json$"]),
    (r"^docs/(asyncapi|schemas|protocol)", [r"^integration\.protocol$"]),
    (r"^scripts/soak$", [r"^soak\."]),
    (r"^scripts/alerts$", [r"^alerts\."]),
    (r"^(docs/|[A-Z]+\.md$|LICENSE|scripts/(bench|lint|test|bootstrap)$|\.(ci|clang|editor|git|docker))", []),
]


def git(*arguments):
    result = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return result.stdout.split("\n")[:-1] if result.returncode == 0 else []


def base_of(asked):
    if asked and not git("rev-parse", "--verify", f"{asked}^{{commit}}"):
        raise SystemExit(f"changed_tests: git knows no {asked}")
    for name in (asked, "@{upstream}", "origin/main", "main"):
        if name and (fork := git("merge-base", name, "HEAD")):
            return fork[0]
    raise SystemExit("changed_tests: compared with what? Give a BASE")


def changed_files(base):
    return sorted({*git("diff", "--name-only", base), *git("ls-files", "--others", "--exclude-standard")})


def by_rules(paths):
    """Patterns of tests, by path."""
    chosen = {}
    for path in paths:
        for pattern, tests in RULES:
            if match := re.search(pattern, path):
                chosen[path] = [re.sub(r"\\(\d)", lambda group: match[int(group[1])], test) for test in tests]
                break
        else:
            chosen[path] = [ALL]
    return chosen


def dependencies():
    """What each object of the last build was made of, within the tree."""
    output = subprocess.run(["ninja", "-C", BUILD, "-t", "deps"], capture_output=True, text=True, check=False).stdout
    found, current = {}, None
    for line in output.splitlines():
        if not line.startswith(" "):
            current = found.setdefault(line.split(":")[0], set())
        elif (path := (BUILD / line.strip()).resolve()).is_relative_to(ROOT):
            current.add(str(path.relative_to(ROOT)))
    return found


def by_dependencies(paths, objects):
    """Unit tests whose object depends on a changed file, or on the header of a source whose object does: its own, or where
    it has none, because several sources share a class, those of its folder that it includes."""
    changed = set(paths)
    touched = set(paths)
    for name, parts in objects.items():
        if not changed & parts or "/tests/unit/" in f"/{name}":
            continue
        headers = {part for part in parts if part.endswith(".h")}
        own = {header for header in headers if header[:-2] + ".cpp" in parts}
        folders = {pathlib.PurePath(part).parent for part in parts if part.endswith(".cpp")}
        touched |= own or {header for header in headers if pathlib.PurePath(header).parent in folders}
    found = set()
    for name, parts in objects.items():
        if match := re.search(r"tests/unit/CMakeFiles/\w+\.dir/(.*)_test\.cpp\.o$", name):
            if touched & parts:
                found.add("^unit\\." + re.escape(match[1].replace("/", ".")) + "$")
    return sorted(found)


def tests_matching(patterns):
    """As a pattern for ctest -R, which knows fewer regular expressions than RULES use."""
    output = subprocess.run(
        ["ctest", "--test-dir", BUILD, "--show-only=json-v1"], capture_output=True, text=True, check=True
    ).stdout
    names = [test["name"] for test in json.loads(output)["tests"]]
    return "^(" + "|".join(name for name in names if any(re.search(p, name) for p in patterns)) + ")$"


def targets(paths, chosen):
    if any(ALL in tests for tests in chosen.values()):
        return ["all"]
    wanted = []
    called_for = [test for tests in chosen.values() for test in tests]
    if any(re.search(r"\.(h|cpp|cl|in)$|^streamd/web/", path) for path in paths) or any("unit" in test for test in called_for):
        wanted += UNIT_TARGETS
    if any(re.search(r"integration|browser|soak|alerts|deploy", test) for test in called_for):
        wanted += DAEMONS
    return wanted


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", nargs="?", metavar="BASE")
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--explain", action="store_true", help="what changed, and which tests that calls for")
    kind.add_argument("--targets", action="store_true", help="what to build, a line each")
    kind.add_argument("--tests", action="store_true", help="a pattern for ctest -R; after the build")
    arguments = parser.parse_args()
    paths = changed_files(base_of(arguments.base))
    chosen = by_rules(paths)
    if arguments.explain:
        for path, tests in chosen.items():
            print(f"changed: {path}: {', '.join(tests) or 'only what depends on it'}")
    elif arguments.targets:
        for target in targets(paths, chosen):
            print(target)
    else:
        tests = {test for tests in chosen.values() for test in tests}
        print(tests_matching([*ALWAYS, *tests, *by_dependencies(paths, dependencies())]))


if __name__ == "__main__":
    main()
