# SPDX-License-Identifier: MIT
"""What the trials share: images of bare Debian, and, for each release, a container in which the tree is built. Trials of a release are
one group, and those of Compose another: groups run side by side, each in a process of its own."""

import dataclasses
import fcntl
import os
import pathlib
import tempfile
import time

import pytest

from engine import LABEL, SOURCE_DIR, Container, blocks, docker, eventually, has_image, why_unavailable, make_base, tree

RELEASES = ("bookworm", "trixie")
BUILD_DIR = SOURCE_DIR / "build"
REPORT = BUILD_DIR / "trials.txt"
# Of the containers that compile, while other groups' daemons play: a sixteenth of what those have. The second waits for the first, whose
# trials, which mostly wait, then run beside it.
CPU_SHARES = dict(zip(RELEASES, ("64", "8")))


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items):
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        item.add_marker(pytest.mark.xdist_group(parameters.get("build", "compose")))


@dataclasses.dataclass
class Fresh:
    """What a bare machine did with the tree."""

    release: str
    playing_s: float  # from nothing to music
    packages: pathlib.Path  # folder
    said: str


def once(name, make):
    """The image `name`, which is made by `make()` if there is none: by one group, for which the others wait."""
    BUILD_DIR.mkdir(exist_ok=True)
    with open(BUILD_DIR / f"{name.replace(':', '-')}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not has_image(name):
            make()
    return name


def base_image(release):
    name = f"auralis-trial:{release}"
    return once(name, lambda: make_base(release, name))


def fresh(release, folder):
    with Container(base_image(release), "--cpu-shares", CPU_SHARES[release]) as container:
        container.unpack(tree(), "/auralis")
        began = time.monotonic()
        container.begin("cd /auralis && { scripts/run >/run.log 2>&1 & echo $! >/run.pid; wait $!; echo $? >/run.status; }")
        # One command that waits: each that is begun in a container costs a tenth of a second of a core, which the build needs.
        probe = "curl -fsS http://127.0.0.1:8000/readyz && curl -fsS http://127.0.0.1:9464/readyz"
        container.sh(f"until {{ {probe}; }} >/dev/null 2>&1 || [ -e /run.status ]; do sleep 1; done")
        playing_s = time.monotonic() - began
        ended = container.sh("cat /run.status 2>/dev/null || true").strip()
        assert not ended, container.sh("tail -n 50 /run.log")
        container.sh("kill -TERM $(cat /run.pid)")
        eventually(lambda: container.sh("cat /run.status"), "its end")
        said = container.sh("cat /run.log /run.status")
        container.sh(f"cd /auralis\n{blocks('docs/operations.md', 'package-build')}")
        packages = pathlib.Path(folder, release)
        container.copy_out("/auralis/build/debs/.", packages)
        return Fresh(release, playing_s, packages, said)


@pytest.fixture(scope="session", params=RELEASES)
def build(request):
    """Fresh, of a release."""
    if reason := why_unavailable():
        pytest.fail(reason)
    with tempfile.TemporaryDirectory(prefix="auralis-packages-", dir="/var/tmp") as folder:
        yield fresh(request.param, folder)


@pytest.fixture(scope="session")
def report():
    """Takes lines for the table that scripts/test-deploy prints at its end."""
    BUILD_DIR.mkdir(exist_ok=True)
    with open(REPORT, "a", encoding="utf-8") as file:
        yield lambda line: print(line, file=file, flush=True)


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left():
    yield
    left = docker("ps", "--all", "--quiet", "--filter", f"label={LABEL}={os.getpid()}").split()
    assert not left, f"containers were left: docker rm --force {' '.join(left)}"
