# SPDX-License-Identifier: MIT
"""State that a daemon inherits from its parent (cron, ssh -n, a shell's background job, another daemon) has no effect."""

import contextlib
import os
import resource
import signal
import socket
import stat

import pytest

from auralis import DAEMONS, HOST, Stack, clean_environment, eventually, open_descriptors, run_daemon

SEGMENTS = ("synthd/audio", "synthd/metrics", "streamd/control", "streamd/metrics")


def close_standard_descriptors():
    for descriptor in (0, 1, 2):
        os.close(descriptor)


@contextlib.contextmanager
def daemons(prepare, settings=None):
    """All three daemons, each started from a process in which `prepare` was called."""
    stack = Stack(settings)
    for daemon in stack.daemons.values():
        daemon.prepare = prepare
    with stack:
        yield stack


def test_closed_standard_descriptors_are_opened_on_dev_null_before_anything_else():
    with daemons(close_standard_descriptors) as stack:
        for name in SEGMENTS:
            with open(stack.runtime_dir / name, "rb") as segment:
                assert segment.read(8) == b"AURALIS1", name
        for daemon in stack.daemons.values():
            for descriptor in (0, 1, 2):
                assert os.readlink(f"/proc/{daemon.pid}/fd/{descriptor}") == os.devnull
        assert all(stack.is_up(name) for name in DAEMONS)


@pytest.mark.parametrize("program", ["SYNTHD_BIN", "STREAMD_BIN", "METRICSD_BIN", "RENDER_BIN", "TICKET_BIN", "LOAD_BIN"])
def test_programs_without_standard_descriptors_end_as_others(program):
    pid = os.posix_spawn(
        os.environ[program],
        [program, "--help"],
        clean_environment(),
        file_actions=[(os.POSIX_SPAWN_CLOSE, descriptor) for descriptor in (0, 1, 2)],
    )
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_socket_of_the_parent_is_not_kept_open():
    with socket.create_server((HOST, 0)) as listening:
        os.set_inheritable(listening.fileno(), True)
        inode = f"socket:[{os.fstat(listening.fileno()).st_ino}]"
        with daemons(None) as stack:
            for daemon in stack.daemons.values():
                assert inode not in open_descriptors(daemon.pid).values()


def block_and_ignore_signals():
    for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR1):
        signal.signal(one, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def set_alarm():
    signal.alarm(2)


def test_an_alarm_of_the_parent_does_not_end_a_daemon():
    with daemons(set_alarm) as stack:
        # The alarm would have fired by then.
        eventually(lambda: stack.status()["sample_index"] > 44_100 * 3, "three seconds of music")
        assert all(daemon.running() for daemon in stack.daemons.values())


def test_blocked_and_ignored_signals_of_the_parent_do_not_keep_a_daemon_from_reloading_and_stopping():
    with daemons(block_and_ignore_signals) as stack:  # which stops it by SIGTERM and asserts status 0
        for daemon in stack.daemons.values():
            daemon.reload()
            eventually(lambda: "configuration reloaded" in daemon.log(), f"{daemon.name} reloads")


@pytest.mark.parametrize("umask", [0o077, 0o000])
def test_modes_of_segments_and_folders_are_those_of_the_contract_under_any_umask(umask):
    with daemons(lambda: os.umask(umask)) as stack:
        for name in SEGMENTS:
            assert stat.S_IMODE(os.stat(stack.runtime_dir / name).st_mode) == 0o640, name
        for folder in (stack.runtime_dir, stack.runtime_dir / "synthd", stack.runtime_dir / "streamd"):
            assert stat.S_IMODE(os.stat(folder).st_mode) == 0o750, folder


def test_a_segment_that_a_former_daemon_left_with_another_mode_gets_the_mode_of_the_contract():
    with daemons(None) as stack:
        stack.daemons["synthd"].kill()
        os.chmod(stack.runtime_dir / "synthd" / "audio", 0o600)
        stack.daemons["synthd"].start()
        mode_of = lambda: stat.S_IMODE(os.stat(stack.runtime_dir / "synthd" / "audio").st_mode)
        eventually(lambda: mode_of() == 0o640, "the mode of the contract")


def test_a_limit_on_file_sizes_is_one_error_and_no_signal():
    stack = Stack()
    try:
        synthd = stack.daemons["synthd"]
        synthd.prepare = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, 65_536))
        synthd.start()
        assert synthd.exit_status() == 1
        assert "no space for" in synthd.log() and "File too large" in synthd.log(), synthd.log()
    finally:
        stack.remove()


def test_a_working_directory_that_is_gone_is_none_of_a_daemons_business(tmp_path):
    gone = tmp_path / "gone"

    def work_there():
        os.mkdir(gone)
        os.chdir(gone)
        os.rmdir(gone)

    stack = Stack()
    try:
        for name in DAEMONS:
            stack.daemons[name].prepare = work_there
            stack.daemons[name].start()
            eventually(lambda: not gone.exists(), "it has started")
        stack.wait_until_ready()
        assert set(stack.stop().values()) == {0}
    finally:
        stack.remove()


def test_variables_of_service_links_and_empty_ones_configure_nothing():
    links = {"AURALIS_STREAMD_PORT": "tcp://10.96.0.11:8000", "AURALIS_STREAMD_SERVICE_HOST": "10.96.0.11"}
    for name in DAEMONS:
        checked = run_daemon(name, "--check-config", environment={**links, "AURALIS_LOG_LEVEL": ""})
        assert checked.returncode == 0, checked.stderr
        assert checked.stdout.count("warning:") == 1 and all(link in checked.stdout for link in links)
        misspelt = run_daemon(name, "--check-config", environment={**links, "AURALIS_STREAMD_PROT": "8000"})
        assert misspelt.returncode == 2 and "AURALIS_STREAMD_PROT" in misspelt.stderr
