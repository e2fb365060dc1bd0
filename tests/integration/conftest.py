# SPDX-License-Identifier: MIT
import pytest

from auralis import Station
from listener import Listener


@pytest.fixture(scope="module")
def station(request):
    """The daemons of a test file, configured by its SETTINGS and CONFIGURATION; that each stops with status 0 is a test of every file."""
    module = request.module
    with Station(getattr(module, "SETTINGS", None), getattr(module, "CONFIGURATION", "")) as running:
        yield running


@pytest.fixture
def listen(station):
    """Makes listeners that are gone after the test."""
    listeners = []

    def make(*protocols, query="", **options):
        listeners.append(Listener(station.stream_url(query), *protocols, **options))
        return listeners[-1]

    yield make
    for listener in listeners:
        listener.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    running = getattr(item, "funcargs", {}).get("station")
    if report.failed and isinstance(running, Station):
        for daemon in running.daemons.values():
            report.sections.append((f"log of {daemon.name}", daemon.log_tail()))
