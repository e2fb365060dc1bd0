# SPDX-License-Identifier: MIT
"""The files of the daemons' logs. (The journal has a socket of its own only in unit tests.)"""

import json
import os
import stat

import pytest

from auralis import DAEMONS, Stack


def records(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "logs"


def of_files(folder, pattern):
    return [record for file in folder.glob(pattern) for record in records(file.read_text())]


def test_with_a_folder_each_daemon_logs_to_a_file_of_the_day_as_well(folder):
    folder.mkdir()
    with Stack({"AURALIS_LOG_DIR": str(folder)}) as stack:
        for name in DAEMONS:
            written = of_files(folder, f"{name}-2*.log")
            logged = records(stack.daemons[name].log())
            assert written[0] == logged[0]
            assert {record["process"] for record in written} == {name}
        for file in folder.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) & 0o137 == 0


def test_without_the_folder_a_daemon_says_so_in_one_line_and_runs(folder):
    with Stack({"AURALIS_LOG_DIR": str(folder)}) as stack:
        for name in DAEMONS:
            errors = [record for record in records(stack.daemons[name].log()) if record["level"] == "error"]
            assert [error["message"] for error in errors] == [
                "log file cannot be written, the log is on standard error only"
            ]
            assert errors[0]["file"].startswith(f"{folder}/{name}-2") and errors[0]["error"] == os.strerror(2)

