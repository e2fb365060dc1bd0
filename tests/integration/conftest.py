# SPDX-License-Identifier: MIT
import contextlib
import resource

import pytest

from auralis import Stack, eventually
from listener import PCM, Listener, gaps
from raw_listener import RawListener


@pytest.fixture(scope="module")
def stack(request):
    """The daemons of a test file, configured by its SETTINGS and CONFIGURATION. Every file tests that each stops with status 0."""
    module = request.module
    with Stack(getattr(module, "SETTINGS", None), getattr(module, "CONFIGURATION", "")) as running:
        yield running


@pytest.fixture
def balanced(stack):
    """The chunk counters add up after the test."""
    yield
    stack.check_books()


@pytest.fixture
def restart_streamd(stack):
    """Restarts streamd for one test, as Stack.restart_streamd does, and restores it afterwards."""
    yield stack.restart_streamd
    stack.check_books()
    stack.restart_streamd()


@pytest.fixture
def connect_raw(stack):
    """Creates RawListeners that are closed after the test."""
    with contextlib.ExitStack() as cleanup:
        yield lambda *arguments, **options: cleanup.enter_context(RawListener(stack, *arguments, **options))


@pytest.fixture
def listen(stack):
    """Creates listeners that are closed after the test."""
    listeners = []

    def make(*protocols, query="", **options):
        listeners.append(Listener(stack.stream_url(query), *protocols, **options))
        return listeners[-1]

    yield make
    for listener in listeners:
        listener.close()


@pytest.fixture
def other(stack):
    """A listener that keeps up, and has missed nothing when the test ends."""
    listener = Listener(stack.stream_url(), PCM)
    listener.wait_for_more(3)
    yield listener
    listener.wait_for_more(5)
    assert gaps(listener.chunks) == []
    assert listener.warnings_of_streamd() == []
    listener.close()
    eventually(lambda: stack.metric("websocket_active_connections") == 0, "all gone")


@pytest.fixture
def many_descriptors():
    """Enough descriptors for hundreds of clients in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    running = getattr(item, "funcargs", {}).get("stack")
    if report.failed and isinstance(running, Stack):
        for daemon in running.daemons.values():
            report.sections.append((f"log of {daemon.name}", daemon.log_tail()))
