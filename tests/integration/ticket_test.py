# SPDX-License-Identifier: MIT
"""auralis-ticket: its tickets follow the format, its checks are right, and errors are one line."""

import datetime
import os
import re
import subprocess
import time

import pytest

from auralis import binary, clean_environment
from tickets import FUTURE, KEY, PAST, signed

LIMIT_S = 60


def run(*arguments):
    return subprocess.run(
        [binary("ticket"), *map(str, arguments)],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def answer(result):
    assert (result.returncode, result.stderr) == (0, "")
    (line,) = result.stdout.splitlines()
    return line


def shown(text):
    """As an error names it: quoted if it has other than plain characters."""
    return text if re.fullmatch(r"[\w.+:-]+", text) else f'"{text}"'


def refusal(result, status):
    assert (result.returncode, result.stdout) == (status, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("auralis-ticket: ")
    return line.removeprefix("auralis-ticket: ")


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "ticket.key"
    path.write_text(f"{KEY}\n", encoding="ascii")
    path.chmod(0o640)
    return path


@pytest.mark.parametrize("station", ["night", "new", "*", "a_1-b"])
def test_a_ticket_follows_its_format(key_file, station):
    ticket = answer(run("--key-file", key_file, "--station", station, "--until", FUTURE))
    assert ticket == signed(station, FUTURE)
    assert re.fullmatch(r"[a-z0-9_*-]+\.\d+\.[A-Za-z0-9_-]{43}", ticket)


@pytest.mark.parametrize(
    "written", ["4102444800", "2100-01-01T00:00:00Z", "2100-01-01T01:30:00+01:30", "2099-12-31T20:00:00-0400"]
)
def test_an_end_may_be_written_in_several_ways(key_file, written):
    assert answer(run("--key-file", key_file, "--station", "night", "--until", written)) == signed("night", FUTURE)


@pytest.mark.parametrize("written, seconds", [("30s", 30), ("90m", 5_400), ("2h", 7_200), ("7d", 604_800)])
def test_a_ticket_is_valid_for_so_long_from_now(key_file, written, seconds):
    before = int(time.time())
    ticket = answer(run("--key-file", key_file, "--station", "night", "--valid", written))
    after = int(time.time())
    assert before + seconds <= int(ticket.split(".")[1]) <= after + seconds


def test_a_ticket_is_found_valid_with_what_it_says(key_file):
    for station in ("night", "*"):
        line = answer(run("--key-file", key_file, "--check", signed(station, FUTURE)))
        assert line == f"The ticket is valid. Station {station}, until 2100-01-01T00:00:00Z."
    assert answer(run("--key-file", key_file, "--check", signed("*", FUTURE), "--station", "night"))
    assert answer(run("--key-file", key_file, "--check", signed("new", FUTURE), "--station", "new"))


def test_the_reason_is_given_for_an_invalid_ticket(key_file):
    def check(ticket, *more):
        return refusal(run("--key-file", key_file, "--check", ticket, *more), 1)

    forged = "The ticket was not made for this server, or was changed."
    assert check(signed("night", FUTURE, key="another key of some length")) == forged
    assert check("day" + signed("night", FUTURE).removeprefix("night")) == forged
    assert check(signed("night", PAST)) == "The ticket has expired. Station night, until 2000-01-01T00:00:00Z."
    other = "The ticket is for another station. Station night, until 2100-01-01T00:00:00Z."
    assert check(signed("night", FUTURE), "--station", "day") == other
    for rubbish in ("", "night", "..", "\n", "night.1.\x1b[31m"):
        assert check(rubbish) == "A ticket is needed, and what was given is none."


@pytest.mark.parametrize(
    "written",
    ["", "2", "h", "0h", "-1h", "+1h", "1.5h", "2 h", "2H", "1w", "1h30m", "99999999999999999999s", "9999999d"],
)
def test_a_duration_that_is_none_is_refused(key_file, written):
    line = refusal(run("--key-file", key_file, "--station", "night", "--valid", written), 2)
    assert line.startswith(f"--valid {shown(written)}: must be a whole number with its unit")


@pytest.mark.parametrize(
    "written",
    [
        "",
        "tomorrow",
        "-1",
        "1e10",
        "2100-01-01",
        "2100-01-01T00:00:00",
        "2100-01-01T00:00:00Zx",
        "2100-02-30T00:00:00Z",
        "2100-13-01T00:00:00Z",
        "2100-01-01T25:00:00Z",
        "99999-01-01T00:00:00Z",
        "999999999999999",
    ],
)
def test_an_end_that_is_no_time_is_refused(key_file, written):
    line = refusal(run("--key-file", key_file, "--station", "night", "--until", written), 2)
    assert line == f"--until {shown(written)}: must be Unix time in seconds, or a time such as 2026-12-31T23:59:59Z"


def test_an_end_that_is_past_is_refused(key_file):
    line = refusal(run("--key-file", key_file, "--station", "night", "--until", PAST), 2)
    told = re.fullmatch(r'--until 946684800: must be in the future; it is (\S+)', line)[1]
    now = datetime.datetime.fromisoformat(told.replace("Z", "+00:00"))
    assert abs(now.timestamp() - time.time()) < LIMIT_S


@pytest.mark.parametrize("station", ["", "Night", "a.b", "night day", "**", "x" * 32, "n\n"])
def test_a_station_that_there_cannot_be_is_refused(key_file, station):
    line = refusal(run("--key-file", key_file, "--station", station, "--valid", "1h"), 2)
    assert line.endswith(": must be 1 to 31 of a-z, 0-9, _ and -, or new, or *")


def test_missing_and_excess_options_are_refused(key_file):
    both = ("--valid", "1h", "--until", FUTURE)
    for arguments, told in (
        ((), "--key-file: must be given; it is the file that ticket_key_file in [streamd] names"),
        (("--key-file", key_file), "--station: must be given, as --station night"),
        (
            ("--key-file", key_file, "--station", "night"),
            "--valid: must be given, or --until instead; one of them sets when the ticket expires",
        ),
        (("--key-file", key_file, "--station", "night", *both), "--valid and --until exclude each other"),
        (
            ("--key-file", key_file, "--check", "x", "--valid", "1h"),
            "--valid and --until do not apply to --check",
        ),
        (("--key-file", key_file, "--night"), '--night: unknown option; --help lists them'),
        (("night",), 'night: unknown option; --help lists them'),
    ):
        assert refusal(run(*arguments), 2) == told
    assert refusal(run("--key-file"), 2).startswith("--key-file: ")


def test_a_key_that_is_open_to_others_missing_or_short_makes_no_ticket(key_file, tmp_path):
    def refused(path):
        return refusal(run("--key-file", path, "--station", "night", "--valid", "1h"), 1)

    assert refused(tmp_path / "none") == f"{tmp_path / 'none'}: cannot be read: No such file or directory"
    key_file.chmod(0o644)
    assert refused(key_file).startswith(f"{key_file}: must be closed to others than its owner and group")
    key_file.chmod(0o600)
    key_file.write_text("short", encoding="ascii")
    assert refused(key_file) == f"{key_file}: must hold 16 to 4096 characters, holds 5"


def test_help_and_version_are_answered():
    assert "--key-file" in run("--help").stdout
    assert re.fullmatch(r"auralis-ticket \d+\.\d+\.\d+", answer(run("--version")))


def test_a_ticket_that_cannot_be_written_is_a_failure(key_file):
    with open("/dev/full", "w", encoding="ascii") as full:
        result = subprocess.run(
            [binary("ticket"), "--key-file", os.fspath(key_file), "--station", "night", "--valid", "1h"],
            env=clean_environment(),
            stdout=full,
            timeout=LIMIT_S,
            check=False,
        )
    assert result.returncode == 1
