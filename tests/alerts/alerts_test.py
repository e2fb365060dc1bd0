# SPDX-License-Identifier: MIT
"""The shipped rules and routes tell of real faults, and of their cause alone. How soon: scripts/alerts."""

import concurrent.futures

from faults import FAULTS, prove

NAMES = ("synthd-killed", "streamd-7s")
PATIENCE = 5  # of a machine that has other tests to run


def test_faults_arrive_at_the_receivers_and_are_resolved():
    with concurrent.futures.ThreadPoolExecutor() as pool:
        outcomes = dict(zip(NAMES, pool.map(lambda name: prove(FAULTS[name], PATIENCE), NAMES)))
    for name, outcome in outcomes.items():
        assert not outcome.complaints, (name, outcome)
        assert outcome.receivers[next(iter(FAULTS[name].expected))] == "pagerduty"
    assert outcomes["synthd-killed"].silenced, "what follows fires, and is not told"
