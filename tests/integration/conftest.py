# SPDX-License-Identifier: MIT
import contextlib

import pytest

from auralis import Station
from listener import Listener
from raw_listener import RawListener


@pytest.fixture(scope="module")
def station(request):
    """The daemons of a test file, configured by its SETTINGS and CONFIGURATION; that each stops with status 0 is a test of every file."""
    module = request.module
    with Station(getattr(module, "SETTINGS", None), getattr(module, "CONFIGURATION", "")) as running:
        yield running


@pytest.fixture
def balanced(station):
    """The books add up after the test."""
    yield
    station.check_books()


@pytest.fixture
def start():
    """Starts daemons for one test, as Station does. Their books add up at its end."""
    with contextlib.ExitStack() as stack:
        stations = []

        def make(settings=None, configuration="", tls=None):
            stations.append(stack.enter_context(Station(settings, configuration, tls)))
            return stations[-1]

        make.stations = stations
        yield make
        for one in stations:
            one.check_books()


@pytest.fixture
def enter():
    """Makes RawListeners that are gone after the test."""
    with contextlib.ExitStack() as stack:
        yield lambda station, *arguments, **options: stack.enter_context(RawListener(station, *arguments, **options))


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
    if not report.failed:
        return
    fixtures = getattr(item, "funcargs", {})
    for running in [fixtures.get("station"), *getattr(fixtures.get("start"), "stations", [])]:
        for daemon in running.daemons.values() if isinstance(running, Station) else ():
            report.sections.append((f"log of {daemon.name}", daemon.log_tail()))
