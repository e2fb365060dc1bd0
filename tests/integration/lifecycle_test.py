# SPDX-License-Identifier: MIT
"""Starting in any order, only once, with a valid configuration; and stopping."""

import json
import re

import pytest

import auralis
from auralis import DAEMONS, Stack, eventually, run_daemon
from listener import JSON, PCM, Listener, gaps


def one_line(text):
    (line,) = text.splitlines()
    return line


def said(result):
    """The one error, in one log line, of a daemon that refused to start."""
    entries = [json.loads(line) for line in result.stderr.splitlines()]
    (error,) = [entry for entry in entries if entry["level"] not in ("debug", "info")]
    assert error["level"] == "error" and error is entries[-1]
    return error["message"]


@pytest.fixture
def nobody_is_disturbed(stack, listen):
    """Asserts that the daemons of the test file keep running undisturbed."""
    listener = listen(PCM)
    listener.wait_for_more(3)
    pids = {name: daemon.pid for name, daemon in stack.daemons.items()}
    yield
    listener.wait_for_more(10)
    assert gaps(listener.chunks) == []
    assert {name: daemon.pid for name, daemon in stack.daemons.items() if daemon.running()} == pids
    assert all(stack.is_up(daemon) for daemon in DAEMONS)


def beside(stack, **changes):
    """The stack's environment for another instance, changed."""
    return {**stack.environment, **changes}


@pytest.mark.parametrize("daemon", ["synthd", "streamd"])
def test_a_second_instance_in_the_same_directory_is_refused(stack, nobody_is_disturbed, daemon):
    (other_port,) = auralis.free_ports(1)
    result = run_daemon(daemon, environment=beside(stack, AURALIS_STREAMD_PORT=str(other_port)))
    assert result.returncode == 1
    message = said(result)
    assert f"{stack.runtime_dir}/{daemon}/" in message
    assert f"is held by a running writer (pid {stack.daemons[daemon].pid})" in message


@pytest.mark.parametrize("daemon", ["streamd", "metricsd"])
def test_a_port_that_is_taken_is_named(stack, nobody_is_disturbed, tmp_path, daemon):
    result = run_daemon(daemon, environment=beside(stack, AURALIS_RUNTIME_DIR=str(tmp_path)))
    assert result.returncode == 1
    port = stack.stream_port if daemon == "streamd" else stack.zmq_endpoint.rsplit(":", 1)[1]
    assert f"127.0.0.1:{port}" in said(result)


def test_a_metrics_port_that_is_taken_is_named(stack, nobody_is_disturbed, tmp_path):
    (other_port,) = auralis.free_ports(1)
    elsewhere = f"tcp://127.0.0.1:{other_port}"
    result = run_daemon(
        "metricsd",
        environment=beside(stack, AURALIS_RUNTIME_DIR=str(tmp_path), AURALIS_METRICSD_ZMQ_ENDPOINT=elsewhere),
    )
    assert result.returncode == 1
    assert f"127.0.0.1:{stack.metrics_port}" in said(result)


@pytest.mark.parametrize("daemon", DAEMONS)
def test_a_running_daemon_says_that_it_is_healthy(stack, daemon):
    assert run_daemon(daemon, "--healthcheck", environment=stack.environment).returncode == 0


@pytest.mark.parametrize("daemon", ["synthd", "streamd"])
def test_a_daemon_that_is_not_there_is_not_healthy(stack, tmp_path, daemon):
    environment = beside(stack, AURALIS_RUNTIME_DIR=str(tmp_path))
    assert run_daemon(daemon, "--healthcheck", environment=environment).returncode == 1


@pytest.mark.parametrize("daemon", DAEMONS)
def test_help_and_version(daemon):
    result = run_daemon(daemon, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert all(flag in result.stdout for flag in ("--config", "--check-config", "--version", "AURALIS_RUNTIME_DIR"))
    result = run_daemon(daemon, "--version")
    assert (result.returncode, result.stderr) == (0, "")
    assert re.fullmatch(rf"{daemon} \d+\.\d+\.\d+\n", result.stdout)


@pytest.mark.parametrize("daemon", DAEMONS)
def test_check_config_finds_the_line_that_is_wrong(tmp_path, daemon):
    file = tmp_path / "auralis.toml"
    file.write_text("[audio]\nchunk_ms = 100\nsample_rate = 8000\n")
    result = run_daemon(daemon, "--config", file, "--check-config")
    assert (result.returncode, result.stdout) == (2, "")
    line = one_line(result.stderr)
    assert line.startswith(f"{daemon}: {file}:3: [audio] sample_rate = 8000")
    assert "44100" in line and "48000" in line

    file.write_text("[audio]\nchunk_ms = 100\n")
    assert run_daemon(daemon, "--config", file, "--check-config").returncode == 0


@pytest.mark.parametrize(
    "arguments, environment, named",
    [
        (["--no-such-flag"], {}, "--no-such-flag"),
        (["--config", "/nowhere/auralis.toml"], {}, "/nowhere/auralis.toml"),
        ([], {"AURALIS_AUDIO_CHUNK_MS": "fast"}, "AURALIS_AUDIO_CHUNK_MS"),
        ([], {"AURALIS_NO_SUCH_KEY": "1"}, "AURALIS_NO_SUCH_KEY"),
    ],
)
@pytest.mark.parametrize("daemon", DAEMONS)
def test_a_start_with_an_invalid_configuration_ends_at_once(daemon, arguments, environment, named):
    result = run_daemon(daemon, *arguments, environment=environment)
    assert (result.returncode, result.stdout) == (2, "")
    assert named in one_line(result.stderr)


@pytest.mark.parametrize("daemon", DAEMONS)
def test_sighup_reads_the_configuration_again_without_disturbance(stack, nobody_is_disturbed, daemon):
    process = stack.daemons[daemon]

    def last_reload(of):
        return stack.metric(f"auralis_config_last_reload_{of}", process=daemon)

    assert last_reload("successful") == 1
    try:
        for configuration, level, message, changed in (
            ("[log]\nlevel = 3\n", "error", "configuration not reloaded", None),
            ("[log]\nlevel = 'debug'\n", "warning", "configuration reloaded", "log.level"),
            ("[[station]]\nname = 'default'\n", "info", "configuration reloaded", None),
        ):
            before = len(process.log())
            loaded_s = last_reload("timestamp_seconds")
            stack.config_file.write_text(configuration)
            process.reload()

            def said_of_it():
                return [line for line in process.log()[before:].splitlines() if "configuration" in line]

            eventually(said_of_it, f"{daemon} has read {configuration!r}")
            (line,) = said_of_it()
            entry = json.loads(line)
            assert (entry["level"], entry.get("changed")) == (level, changed)
            assert entry["message"].startswith(message)
            eventually(lambda: last_reload("timestamp_seconds") > loaded_s, "the time of the reload")
            assert last_reload("successful") == (level != "error")
    finally:
        stack.config_file.write_text("")


def test_the_order_of_starting_is_free_and_stopping_is_clean():
    stack = Stack()
    try:
        for name in ("metricsd", "streamd"):
            stack.daemons[name].start()
        eventually(lambda: stack.ready("/healthz", stack.stream_port, running=("streamd",)), "streamd serving")
        eventually(lambda: stack.ready("/healthz", stack.metrics_port, running=("metricsd",)), "metricsd serving")
        answer = stack.http("GET", "/readyz")
        assert (answer.status, bool(answer.text.strip())) == (503, True)
        eventually(lambda: stack.is_up("streamd"), "streamd up on /metrics")
        assert stack.metric("auralis_up", process="synthd") == 0
        listeners = [Listener(stack.stream_url(), protocol) for protocol in (PCM, JSON)]

        stack.daemons["synthd"].start()
        stack.wait_until_ready()
        for listener in listeners:
            listener.wait_for_more(10)
            assert listener.texts("status")
            assert gaps(listener.chunks) == []

        assert stack.stop() == {daemon: 0 for daemon in DAEMONS}
        for listener in listeners:
            listener.wait_until_closed()
            assert listener.close_code == 1001
        for daemon in DAEMONS:
            for line in stack.daemons[daemon].log().splitlines():
                entry = json.loads(line)
                assert (entry["process"], entry["level"]) in [(daemon, "info"), (daemon, "warning")], line
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["time"])
    finally:
        stack.remove()
