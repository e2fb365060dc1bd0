# SPDX-License-Identifier: MIT
"""What scripts/test --changed runs for a change."""

import re

import pytest

import changed_tests

OBJECTS = {
    "common/CMakeFiles/auralis_common.dir/base/a.cpp.o": {"common/base/a.cpp", "common/base/a.h", "common/base/b.h"},
    "common/CMakeFiles/auralis_common.dir/base/more_of_a.cpp.o": {"common/base/more_of_a.cpp", "common/base/a.h", "x/y.h"},
    "tests/unit/CMakeFiles/unit_tests.dir/common/base/a_test.cpp.o": {
        "tests/unit/common/base/a_test.cpp",
        "common/base/a.h",
    },
    "tests/unit/CMakeFiles/unit_tests.dir/common/base/c_test.cpp.o": {
        "tests/unit/common/base/c_test.cpp",
        "common/base/c.h",
    },
}


@pytest.mark.parametrize(
    ("path", "run", "left_out"),
    [
        ("tests/integration/books_test.py", ["integration.books"], ["integration.load"]),
        ("tests/integration/listener.py", ["integration.load", "soak.soak"], ["browser.player"]),
        ("tests/browser/player_test.mjs", ["browser.player", "browser.player_gaps"], ["browser.stations"]),
        ("streamd/web/player.js", ["browser.player"], ["integration.stations", "deploy.run"]),
        ("streamd/control/worker.cpp", ["integration.stations", "browser.player"], ["integration.metrics_zmq"]),
        ("synthd/synth_loop.cpp", ["integration.stations", "browser.personal_stations"], ["integration.tls"]),
        ("tools/render/midi.cpp", ["integration.render_midi", "integration.personal_stations"], ["integration.load"]),
        ("tools/probe/verdict.cpp", ["integration.probe"], ["integration.load"]),
        ("tools/top/page.cpp", ["integration.top"], ["integration.load"]),
        ("tools/arguments.h", ["integration.render_files", "integration.ticket"], ["integration.stations"]),
        ("metricsd/snapshot.cpp", ["integration.metrics_zmq"], ["integration.stations", "browser.player"]),
        ("common/base/log.cpp", ["integration.stations", "browser.player", "soak.soak"], ["monitoring.rules"]),
        ("monitoring/prometheus/rules/high.yml", ["monitoring.rules"], ["integration.books"]),
        ("scripts/run", ["deploy.run"], ["integration.books"]),
        ("deploy/kubernetes/base/deployment.yaml", ["deploy.kubernetes"], ["deploy.run"]),
        ("tests/deploy/kubernetes/check.mjs", ["deploy.kubernetes"], ["deploy.run"]),
        ("packaging/postinst", ["deploy.package"], ["deploy.units"]),
        ("docs/runbooks.md", ["monitoring.alerts"], ["integration.books"]),
        ("docs/metrics.md", ["monitoring.alerts", "unit.tools.metrics_page"], ["integration.books"]),
        ("systemd/auralis.toml", ["deploy.install", "unit.common.config.config"], ["integration.books"]),
        ("tests/unit/synthd/composer/golden_bars.txt", ["unit.synthd.composer.composer"], ["integration.books"]),
        ("tests/unit/synthd/measure.cpp", ["unit.synthd.composer.composer"], ["integration.books"]),
        ("synthd/engine/dsp/kernels.cl", ["unit.synthd.engine.engine", "integration.render"], ["integration.books"]),
        ("tools/metrics_doc.cpp", ["unit.tools.metrics_page"], ["integration.books"]),
        ("tests/unit/lsan.supp", ["unit.synthd.composer.composer"], ["integration.books"]),
        ("README.md", [], ["integration.books"]),
        ("streamd/CMakeLists.txt", ["integration.books", "monitoring.rules"], []),
        ("of/a/kind/not/known", ["integration.books"], []),
    ],
)
def test_a_file_calls_for_tests_by_its_folder(path, run, left_out):
    patterns = changed_tests.by_rules([path])[path]
    chosen = [name for name in (*run, *left_out) if any(re.search(pattern, name) for pattern in patterns)]
    assert chosen == run


@pytest.mark.parametrize(
    "path", ["common/base/a.h", "common/base/a.cpp", "common/base/more_of_a.cpp", "common/base/b.h", "tests/unit/common/base/a_test.cpp"]
)
def test_a_unit_test_runs_where_what_it_is_made_of_or_tests_has_changed(path):
    assert changed_tests.by_dependencies([path], OBJECTS) == [r"^unit\.common\.base\.a$"]


def test_a_source_needs_the_programs_that_are_built_of_it():
    def built_for(path):
        return changed_tests.targets([path], changed_tests.by_rules([path]))

    assert "streamd" in built_for("streamd/control/worker.cpp")
    assert built_for("tests/unit/common/base/a_test.cpp") == changed_tests.UNIT_TARGETS
    assert built_for("README.md") == []
    for path in ("docs/metrics.md", "systemd/auralis.toml", "tests/unit/synthd/composer/golden_bars.txt"):
        assert set(changed_tests.UNIT_TARGETS) <= set(built_for(path)), path
    assert built_for("CMakeLists.txt") == ["all"]
