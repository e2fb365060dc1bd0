# SPDX-License-Identifier: MIT
"""What the trials share: images of bare Debian, and, for each release, a container in which the tree is built."""

import concurrent.futures
import dataclasses
import pathlib
import tempfile
import time

import pytest

from engine import LABEL, SOURCE_DIR, Container, blocks, docker, eventually, has_image, why_unavailable, make_base, tree

RELEASES = ("bookworm", "trixie")
REPORT = SOURCE_DIR / "build/trials.txt"


@dataclasses.dataclass
class Fresh:
    """What a bare machine did with the tree."""

    playing_s: float  # from nothing to music
    packages: pathlib.Path  # folder
    said: str


def base_image(release):
    name = f"auralis-trial:{release}"
    if not has_image(name):
        make_base(release, name)
    return name


def fresh(release, folder):
    with Container(base_image(release)) as container:
        container.unpack(tree(), "/auralis")
        began = time.monotonic()
        container.begin("cd /auralis && { scripts/run >/run.log 2>&1 & echo $! >/run.pid; wait $!; echo $? >/run.status; }")
        probe = "curl -fsS http://127.0.0.1:8000/readyz && curl -fsS http://127.0.0.1:9464/readyz"

        def ready():
            ended = container.sh("cat /run.status 2>/dev/null || true").strip()
            assert not ended, container.sh("tail -n 50 /run.log")
            return container.sh(probe)

        eventually(ready, "scripts/run plays", 1500)
        playing_s = time.monotonic() - began
        container.sh("kill -TERM $(cat /run.pid)")
        eventually(lambda: container.sh("cat /run.status"), "its end")
        said = container.sh("cat /run.log /run.status")
        container.sh(f"cd /auralis\n{blocks('docs/operations.md', 'package-build')}")
        packages = pathlib.Path(folder, release)
        container.copy_out("/auralis/build/debs/.", packages)
        return Fresh(playing_s, packages, said)


@pytest.fixture(scope="session")
def builds():
    """Of each release, at once: downloads leave a processor idle. release: future of Fresh"""
    if reason := why_unavailable():
        pytest.fail(reason)
    with tempfile.TemporaryDirectory(prefix="auralis-packages-", dir="/var/tmp") as folder:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            yield {release: pool.submit(fresh, release, folder) for release in RELEASES}


@pytest.fixture(scope="session")
def report():
    """Takes lines for the table that scripts/test-deploy prints at its end."""
    REPORT.parent.mkdir(exist_ok=True)
    with open(REPORT, "w", encoding="utf-8") as file:
        yield lambda line: print(line, file=file, flush=True)


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left():
    yield
    left = docker("ps", "--all", "--quiet", "--filter", f"label={LABEL}").split()
    assert not left, f"containers were left: docker rm --force {' '.join(left)}"
