# SPDX-License-Identifier: MIT
"""docker-compose.yml: built, started, heard from outside, hurt and removed as docs/operations.md has it, by both generations of Compose."""

import io
import json
import os
import pathlib
import resource
import socket
import ssl
import tarfile
import tempfile
import time
import urllib.request

import pytest

from conftest import base_image
from engine import SOCKET, CommandError, Container, blocks, docker, eventually, has_image, run, tree, why_unavailable
from hearing import Hearing
from listener import PCM, Listener

DOCUMENT = "docs/operations.md"
DAEMONS = ("synthd", "streamd", "metricsd")
IMAGE = "auralis-trial:daemons"  # others may have one named auralis
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
def folder():
    """A copy of the tree, which the commands may write to."""
    with tempfile.TemporaryDirectory(prefix="auralis-trial-") as path:
        with tarfile.open(fileobj=io.BytesIO(tree())) as archive:
            archive.extractall(path)
        yield pathlib.Path(path)


@pytest.fixture(scope="module")
def environment(folder):
    """Of Compose: a project of its own, and no more descriptors than this machine allows."""
    services = {name: {"image": IMAGE, "build": {"args": {"BASE": base_image("bookworm")}}} for name in DAEMONS}
    services["proxy"] = {"image": f"{IMAGE}-proxy", "build": {"args": {"BASE": base_image("bookworm")}}}
    # `down --rmi all` removes the images of all profiles: those of others stay.
    for name, image in (("prometheus", "monitoring"), ("alertmanager", "monitoring"), ("grafana", "grafana")):
        services[name] = {"image": f"{IMAGE}-{image}"}
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most < DESCRIPTORS:
        services["streamd"]["ulimits"] = {"nofile": most}
    override = folder / "trial.json"
    override.write_text(json.dumps({"services": services}))
    files = f"{folder}/docker-compose.yml:{override}"
    return {**os.environ, "PWD": str(folder), "COMPOSE_PROJECT_NAME": PROJECT, "COMPOSE_FILE": files, "DOCKER_BUILDKIT": "0"}


def shell(script, environment):
    return run(["bash", "-euo", "pipefail", "-c", script], cwd=environment["PWD"], env=environment)


@pytest.fixture(scope="module")
def image(environment):
    """Of the daemons."""
    if reason := why_unavailable():
        pytest.fail(reason)
    taken = [port for port in (80, 443, 8000, 9464, 5556) if not free(port)]
    assert not taken, f"other programs use the ports {taken}"
    yield shell("docker-compose build", environment)


@pytest.fixture(scope="module")
def service(image, environment):
    """Started as told."""
    try:
        yield shell("docker-compose up --detach", environment)
    finally:
        shell("docker-compose --profile tls down --volumes", environment)


def left_over():
    label = f"label=com.docker.compose.project={PROJECT}"
    return {kind[0]: docker(*kind, "--quiet", "--filter", label).split() for kind in (["ps", "--all"], ["volume", "ls"], ["network", "ls"])}


def container_of(daemon):
    return docker("ps", "--quiet", "--filter", f"label=com.docker.compose.project={PROJECT}",
                  "--filter", f"label=com.docker.compose.service={daemon}").strip()


def inspect(daemon):
    return json.loads(docker("inspect", container_of(daemon)))[0]


def all_healthy():
    return all(container_of(daemon) and inspect(daemon)["State"]["Health"]["Status"] == "healthy" for daemon in DAEMONS)


def test_the_newer_compose_starts_and_ends_it_as_well(image, environment, report):
    """Debian 13's, in a container that has the engine's socket."""
    mounts = ("--volume", f"{SOCKET}:/var/run/docker.sock", "--volume", "{0}:{0}:ro".format(environment["PWD"]))
    with Container(base_image("trixie"), *mounts) as container:
        container.sh("apt-get update -q && apt-get install -y -q --no-install-recommends docker-compose")
        compose = f"DOCKER_BUILDKIT=0 COMPOSE_PROJECT_NAME={PROJECT} COMPOSE_FILE={environment['COMPOSE_FILE']} docker-compose"
        version = container.sh("docker-compose version --short").strip()
        assert version.startswith("2."), version
        container.sh(f"{compose} up --build --detach")
        eventually(all_healthy, "three healthy containers")
        container.sh(f"{compose} --profile monitoring --profile tls config --quiet")
        container.sh(f"{compose} down --volumes")
    assert not any(left_over().values()), left_over()
    report(f"compose {version}: built, started, healthy, ended")


def test_it_becomes_healthy_and_plays_as_told(service, environment):
    eventually(all_healthy, "three healthy containers")
    shell(blocks(DOCUMENT, "compose-start"), environment)
    assert "ready" in get("http://127.0.0.1:9464/readyz")


def test_it_renders_downloads(service):
    with urllib.request.urlopen("http://127.0.0.1:8000/download/1.opus?station=new&seed=7", timeout=120) as answer:
        music = answer.read()
    assert music[:4] == b"OggS" and len(music) > 300_000


def test_its_image_is_small_and_has_no_compiler_and_no_header(service, report):
    size = json.loads(docker("image", "inspect", IMAGE))[0]["Size"]
    base = json.loads(docker("image", "inspect", base_image("bookworm")))[0]["Size"]
    report(f"image: {(size - base) / 1e6:.0f} MB and Debian's base, here {base / 1e6:.0f} MB")
    assert size - base < 50e6
    inside = "for name in cc c++ gcc g++ clang ld make; do ! command -v $name || exit 1; done; test ! -e /usr/include/boost; dpkg-query -f '${Package} ' -W"
    packages = docker("exec", container_of("streamd"), "sh", "-ec", inside).split()
    assert not [name for name in packages if name.endswith("-dev")]


def test_its_labels_say_what_it_is(service):
    labels = json.loads(docker("image", "inspect", IMAGE))[0]["Config"]["Labels"]
    named = {key.removeprefix("org.opencontainers.image."): value for key, value in labels.items()}
    assert named["title"] == "Auralis" and named["licenses"] == "MIT"
    assert {"description", "revision", "version"} <= set(named)


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
    before = eventually(lambda: inspect(daemon)["State"]["Pid"], f"{daemon} runs")  # 0 while it is restarted
    with Hearing(URL) as hearing:
        began = time.monotonic()
        os.kill(before, 9)
        eventually(lambda: inspect(daemon)["State"]["Pid"] not in (0, before) and "ready" in get("http://127.0.0.1:9464/readyz"), f"{daemon} is back")
        took_s = time.monotonic() - began
        time.sleep(3)
    report(f"compose: SIGKILL of {daemon}: ready again after {took_s:.1f} s; a listener heard {hearing.heard}")
    if daemon != "streamd":
        assert hearing.heard.missing == 0, hearing.heard


def test_a_proxy_serves_https_with_a_certificate_of_its_own_and_passes_addresses_on(service, environment):
    shell(blocks(DOCUMENT, "compose-tls"), environment)
    page = ["curl", "-sk", "--http2", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", "https://localhost/"]
    eventually(lambda: run(page) == "2 200", "the page")
    assert run(["curl", "-sk", "https://localhost/listen/default.m3u"]).strip().endswith("https://localhost/listen/default.opus")
    music = run(["bash", "-c", "curl -skN --http2 -m 4 https://localhost/listen/default.wav | wc -c"])
    assert int(music) > 4 * 0.8 * 44_100 * 4
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    listener = Listener("wss://localhost/ws/stream", PCM, tls=trusting)
    listener.wait_for_music(5)
    listener.close()


def test_it_takes_stations_from_a_file_and_a_secret_from_another(service, environment):
    with_override = {**environment, "COMPOSE_FILE": f"{environment['COMPOSE_FILE']}:{environment['PWD']}/docker-compose.override.yml"}
    shell(blocks(DOCUMENT, "compose-configure"), with_override)
    eventually(all_healthy, "three healthy containers")
    assert '"night"' in get("http://127.0.0.1:8000/api/status?station=night")
    token = shell("cat operators.token", environment).strip()
    call = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:8000/api/listeners"]
    assert run(call) == "401"
    assert run([*call, "-H", f"Authorization: Bearer {token}"]) == "200"
    # In containers without `rtprio` and `memlock` a daemon says what it lacks, and plays.
    assert "not protected from a busy machine" in docker("logs", container_of("synthd"))


def test_down_leaves_nothing(service, environment):
    shell(blocks(DOCUMENT, "compose-remove"), environment)
    assert not any(left_over().values()), left_over()
    assert not has_image(IMAGE)

