# SPDX-License-Identifier: MIT
"""A staged installation in its own folder, as a packager makes it."""

import os
import pathlib
import re
import subprocess

SOURCE_DIR = pathlib.Path(os.environ["SOURCE_DIR"])
DAEMONS = ("synthd", "streamd", "metricsd")


def install(stage, prefix="/usr"):
    """Installs the build into `stage` under `prefix`; returns `stage` as a path."""
    subprocess.run(
        [os.environ["CMAKE"], "--install", os.environ["BUILD_DIR"], "--prefix", prefix],
        env={**os.environ, "DESTDIR": str(stage)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return pathlib.Path(stage)


def greatest(key):
    """The maximum of an integer key according to auralis.toml."""
    text = (SOURCE_DIR / "systemd/auralis.toml").read_text(encoding="utf-8")
    explanation = text.split(f"\n# {key} = ", 1)[0].replace("\n# ", " ")
    return int(re.search(r"Must be an integer from \d+ to (\d+)\.$", explanation)[1])


def default(section, key):
    """The default of a key according to auralis.toml, as it is written there."""
    text = (SOURCE_DIR / "systemd/auralis.toml").read_text(encoding="utf-8")
    return re.search(rf"^# {key} = (.*)$", text.split(f"[{section}]", 1)[1], re.M)[1]


def read_unit(path):
    """The settings of a unit: name to its values, in order; an empty value resets the list, as in systemd."""
    settings = {}
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        line = line.strip()
        if not line or line[0] in "#;[":
            continue
        name, value = line.split("=", 1)
        values = settings.setdefault(name, [])
        values.append(value)
    return settings
