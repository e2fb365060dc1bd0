# SPDX-License-Identifier: MIT
"""docker-compose.yml: built, started, heard from outside, hurt and removed as docs/operations.md has it, by both generations of Compose."""

import json
import os
import pathlib
import resource
import socket
import ssl
import tempfile
import time
import urllib.request

import pytest

from conftest import base_image
from engine import SOURCE_DIR, CommandError, Container, blocks, docker, eventually, has_image, is_available, run
from hearing import Hearing
from listener import PCM, Listener

DOCUMENT = "docs/operations.md"
DAEMONS = ("synthd", "streamd", "metricsd")
BASE = "debian:bookworm-slim"
PROJECT = "auralistrial"
URL = "ws://127.0.0.1:8000/ws/stream"
DESCRIPTORS = 65_536  # that docker-compose.yml gives streamd


def free(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) != 0


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


@pytest.fixture(scope="module")
def environment():
    """Of Compose: a project of its own, and no more descriptors than this machine allows."""
    with tempfile.TemporaryDirectory(prefix="auralis-trial-") as folder:
        files = [SOURCE_DIR / "docker-compose.yml"]
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if most < DESCRIPTORS:
            override = pathlib.Path(folder, "override.yml")
            override.write_text(f"services: {{streamd: {{ulimits: {{nofile: {most}}}}}}}\n")
            files.append(override)
        yield {**os.environ, "COMPOSE_PROJECT_NAME": PROJECT, "COMPOSE_FILE": ":".join(map(str, files)), "DOCKER_BUILDKIT": "0"}


@pytest.fixture(scope="module")
def service(environment):
    """The block that starts it has run."""
    if reason := is_available():
        pytest.fail(reason)
    taken = [port for port in (8000, 9464, 5556) if not free(port)]
    assert not taken, f"other programs use the ports {taken}"
    borrowed = not has_image(BASE)
    if borrowed:
        docker("tag", base_image("bookworm"), BASE)
    try:
        yield run(["bash", "-euo", "pipefail", "-c", "docker-compose up --build --detach"], cwd=SOURCE_DIR, env=environment)
    finally:
        run(["docker-compose", "down", "--volumes"], cwd=SOURCE_DIR, env=environment, check=False)
        if borrowed:
            docker("rmi", BASE, check=False)


def container_of(daemon):
    return docker("ps", "--quiet", "--filter", f"label=com.docker.compose.project={PROJECT}",
                  "--filter", f"label=com.docker.compose.service={daemon}").strip()


def inspect(daemon):
    return json.loads(docker("inspect", container_of(daemon)))[0]


def all_healthy():
    return all(container_of(daemon) and inspect(daemon)["State"]["Health"]["Status"] == "healthy" for daemon in DAEMONS)


def test_it_becomes_healthy_and_plays_as_told(service, environment):
    eventually(all_healthy, "three healthy containers")
    run(["bash", "-euo", "pipefail", "-c", blocks(DOCUMENT, "compose-start")], cwd=SOURCE_DIR, env=environment)
    assert "ready" in get("http://127.0.0.1:9464/readyz")


def test_its_image_is_small_and_has_no_compiler_and_no_header(service, report):
    size = json.loads(docker("image", "inspect", "auralis"))[0]["Size"]
    base = json.loads(docker("image", "inspect", BASE))[0]["Size"]
    report(f"image auralis: {size / 1e6:.0f} MB, of which Debian {base / 1e6:.0f} MB")
    for daemon in DAEMONS:
        docker("exec", container_of(daemon), "sh", "-c", "! command -v cc g++ clang ld make && ! ls /usr/include/boost /usr/include/asio* 2>/dev/null")


def test_a_daemon_has_no_rights(service):
    for daemon in DAEMONS:
        container = container_of(daemon)
        assert docker("exec", container, "id", "-u").strip() == "10001"
        assert "CapEff:\t0000000000000000" in docker("exec", container, "cat", "/proc/1/status")
        with pytest.raises(CommandError):
            docker("exec", container, "touch", "/usr/bin/mark")
    with pytest.raises(CommandError):
        docker("exec", container_of("metricsd"), "touch", "/run/auralis/mark")


@pytest.mark.parametrize("daemon", DAEMONS)
def test_a_container_that_dies_is_back(service, report, daemon):
    before = inspect(daemon)["State"]["Pid"]
    with Hearing(URL) as hearing:
        began = time.monotonic()
        os.kill(before, 9)
        eventually(lambda: inspect(daemon)["State"]["Pid"] not in (0, before) and "ready" in get("http://127.0.0.1:9464/readyz"), f"{daemon} is back")
        took_s = time.monotonic() - began
        hearing.wait(3)
    report(f"compose: SIGKILL of {daemon}: ready again after {took_s:.1f} s; a listener heard {hearing.heard}")
    if daemon != "streamd":
        assert hearing.heard.missing == 0, hearing.heard


def test_a_proxy_serves_https_with_a_certificate_of_its_own_and_passes_addresses_on(service, environment):
    for port in (80, 443):
        assert free(port), f"another program uses port {port}"
    run(["bash", "-euo", "pipefail", "-c", blocks(DOCUMENT, "compose-tls")], cwd=SOURCE_DIR, env=environment)
    page = ["curl", "-sk", "--http2", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", "https://localhost/"]
    eventually(lambda: run(page) == "2 200", "the page")
    assert run(["curl", "-sk", "https://localhost/listen/default.m3u"]).strip().endswith("https://localhost/listen/default.wav")
    music = run(["bash", "-c", "curl -skN --http2 -m 4 https://localhost/listen/default.wav | wc -c"])
    assert int(music) > 4 * 0.8 * 44_100 * 4
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    listener = Listener("wss://localhost/ws/stream", PCM, tls=trusting)
    listener.wait_for_music(5)
    listener.close()


def test_down_leaves_nothing(service, environment):
    run(["bash", "-euo", "pipefail", "-c", blocks(DOCUMENT, "compose-remove")], cwd=SOURCE_DIR, env=environment)
    label = f"label=com.docker.compose.project={PROJECT}"
    for kind in (["ps", "--all"], ["volume", "ls"], ["network", "ls"]):
        assert not docker(*kind, "--quiet", "--filter", label).split(), kind

