# SPDX-License-Identifier: MIT
"""The repository keeps the rules of rules.py."""

import fnmatch
import os
import pathlib

import pytest

import rules

ROOT = pathlib.Path(os.environ.get("SOURCE_DIR", pathlib.Path(__file__).parents[2]))

# (rule, where, why); where may be a pattern. One that is not needed any more fails the test.
EXCEPTIONS = (
    ("function_lines", "synthd/engine/dsp/reverb.h:reverb_run", "one loop of a kernel, eight lines of delay side by side"),
    ("function_lines", "tests/browser/quality_test.mjs:*", "runs in the page as one function"),
    ("function_lines", "tests/unit/common/config/config_refusal_test.cpp:*", "a table of what is refused"),
    ("function_lines", "tests/unit/common/music/permalink_test.cpp:*", "a table of what is refused"),
    ("unit_tests", "common/base/inherited_state.cpp", "integration.inherited: it changes the whole process"),
    ("unit_tests", "streamd/stream_metrics.cpp", "metrics_page_test.cpp: declarations only"),
    ("unit_tests", "synthd/engine/native_avx2.cpp", "engine_test.cpp: what make_engine() makes; no header of its own"),
    ("unit_tests", "synthd/engine/native_avx512.cpp", "engine_test.cpp: what make_engine() makes; no header of its own"),
    ("unit_tests", "synthd/engine/native_baseline.cpp", "engine_test.cpp: what make_engine() makes; no header of its own"),
)


def excepts(exception, violation):
    return exception[0] == violation.rule and fnmatch.fnmatchcase(violation.where, exception[1])


def test_the_tree_keeps_the_rules():
    found = [v for v in rules.violations(ROOT) if not any(excepts(e, v) for e in EXCEPTIONS)]
    assert not found, "\n" + "\n".join(map(str, found))


@pytest.mark.parametrize("exception", EXCEPTIONS, ids=lambda e: f"{e[0]}:{e[1]}")
def test_an_exception_is_needed_and_says_why(exception, tree_violations):
    assert any(excepts(exception, violation) for violation in tree_violations), "remove it: the tree keeps the rule now"
    assert exception[2]


@pytest.fixture(scope="module")
def tree_violations():
    return rules.violations(ROOT)
