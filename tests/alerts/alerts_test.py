# SPDX-License-Identifier: MIT
"""The shipped rules and routes tell of real faults, and of their cause alone. How soon: scripts/alerts.
The shipped expressions find something.
"""

import concurrent.futures
import re

import pytest

import expressions
from faults import FAULTS, prove

NAMES = ("synthd-killed", "streamd-7s")
PATIENCE = 5  # of a machine that has other tests to run


@pytest.fixture(scope="module")
def results():
    """Of all that this file asks for, at once: each takes minutes, and mostly waits."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        futures = {name: pool.submit(prove, FAULTS[name], PATIENCE) for name in NAMES}
        yield {**futures, "expressions": pool.submit(expressions.prove)}


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_arrives_at_the_receivers_and_is_resolved(results, name):
    outcome = results[name].result()
    assert not outcome.complaints, outcome
    assert outcome.receivers[next(iter(FAULTS[name].expected))] == "pagerduty"


def test_what_follows_from_a_dead_process_fires_and_is_not_told(results):
    assert results["synthd-killed"].result().silenced


def test_a_page_says_what_to_do_and_leads_to_the_sound_of_that_time(results):
    text = results["synthd-killed"].result().texts["AuralisProcessDown"].replace("\\n", "\n")
    assert re.search(r"Do: http://\S+/runbooks/AuralisProcessDown\n", text), text
    assert re.search(r"Look and hear: http://\S+/\?at=\d{13}\n", text), text
    assert re.search(r"What the probe heard: http://\S+/probe\n", text), text


def test_every_expression_finds_something_or_has_a_reason_not_to(results):
    unanswered, errors = results["expressions"].result()
    assert not errors
    assert not unanswered
