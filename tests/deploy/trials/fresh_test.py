# SPDX-License-Identifier: MIT
"""README's first command on a machine that has nothing."""

import pytest

from conftest import RELEASES


@pytest.mark.parametrize("release", RELEASES)
def test_scripts_run_plays_on_a_bare_machine_and_ends_in_order(builds, release, report):
    result = builds[release].result()
    assert result.said.rstrip().endswith("\n0"), result.said[-3000:]
    report(f"{release}: scripts/run played {result.playing_s:.0f} s after the start, packages and build included")


@pytest.mark.parametrize("release", RELEASES)
def test_scripts_package_makes_the_packages_there(builds, release, report):
    packages = sorted(builds[release].result().packages.glob("*.deb"))
    assert {path.name.split("_")[0] for path in packages} >= {"auralis", "auralis-tools"}
    for path in packages:
        report(f"{release}: {path.name}, {path.stat().st_size / 1e6:.2f} MB")
