# SPDX-License-Identifier: MIT
"""README's first command on a machine that has nothing."""


def test_scripts_run_plays_on_a_bare_machine_and_ends_in_order(build, report):
    assert build.said.rstrip().endswith("\n0"), build.said[-3000:]
    report(f"{build.release}: scripts/run played {build.playing_s:.0f} s after the start, packages and build included")


def test_scripts_package_makes_the_packages_there(build, report):
    packages = sorted(build.packages.glob("*.deb"))
    assert {path.name.split("_")[0] for path in packages} >= {"auralis", "auralis-tools"}
    for path in packages:
        report(f"{build.release}: {path.name}, {path.stat().st_size / 1e6:.2f} MB")
