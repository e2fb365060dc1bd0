# SPDX-License-Identifier: MIT
"""Slopes and their errors, and the kinds of a process's memory, of known samples."""

import itertools
import os
import random

import pytest

import growth
import process_memory

TIMES = [5.0 * index for index in range(240)]  # 20 min


def test_a_line_is_found_without_error():
    one = growth.slope(TIMES, [100 + 8.7 * time / 3_600 for time in TIMES])
    assert one.per_hour == pytest.approx(8.7)
    assert one.error == pytest.approx(0, abs=1e-6)


def test_noise_around_a_line_is_within_its_error():
    draw = random.Random(3)
    one = growth.slope(TIMES, [100 + 8.7 * time / 3_600 + draw.gauss(0, 0.2) for time in TIMES])
    assert 0.05 < one.error < 0.5
    assert abs(one.per_hour - 8.7) < 3 * one.error


def walk(seed):
    draw = random.Random(seed)
    return list(itertools.accumulate(draw.gauss(0, 0.1) for _ in TIMES))


def test_a_random_walk_is_rarely_taken_for_growth():
    """A random walk's samples are correlated: treated as independent, nearly all walks would seem to grow."""
    slopes = [growth.slope(TIMES, walk(seed)) for seed in range(50)]
    assert sum(abs(one.per_hour) > 3 * one.error for one in slopes) <= 20


def test_a_value_that_levels_off_grows_only_in_the_first_half():
    values = [min(time, 600) / 60 for time in TIMES]
    first, second = growth.halves(TIMES, values)
    assert first.per_hour == pytest.approx(60)
    assert second.per_hour == pytest.approx(0)


@pytest.mark.parametrize("count", range(growth.FEWEST))
def test_too_few_samples_have_no_slope(count):
    assert growth.slope(TIMES[:count], [1.0] * count) is None
    assert growth.text(growth.slope(TIMES[:count], [1.0] * count)) == ""


def test_samples_of_one_moment_have_no_slope():
    assert growth.slope([1.0] * 5, [1, 2, 3, 4, 5]) is None
    assert growth.halves([], []) == (None, None)


def test_a_slope_is_shown_with_its_error():
    assert growth.text(growth.Slope(8.7, 1.3)) == "+8.70 ± 1.30"
    assert growth.text(growth.Slope(-0.004, 0.1)) == "-0.00 ± 0.10"


SMAPS = """55d9-55da r-xp 00000000 fe:00 1234    /usr/bin/streamd
Rss:                1000 kB
Anonymous:             8 kB
55da-55db rw-p 00000000 00:00 0                          [heap]
Rss:                 400 kB
Anonymous:           400 kB
7fe0-7fe1 rw-p 00000000 00:00 0 
Rss:                 300 kB
Anonymous:           300 kB
7ffe-7fff rw-p 00000000 00:00 0                          [stack]
Rss:                  20 kB
Anonymous:            20 kB
7fe2-7fe3 rw-s 00000000 00:17 99                         /dev/shm/auralis/streamd/metrics
Rss:                  64 kB
Anonymous:             0 kB
"""
STATUS = "Name:\tstreamd\nRssAnon:\t     728 kB\nRssFile:\t     992 kB\nRssShmem:\t      64 kB\nThreads:\t5\n"


def test_memory_is_told_apart_by_kind():
    expected = {"anonymous": 728, "heap": 400, "mapped": 320, "file": 992, "shmem": 64}
    assert process_memory.by_kind(SMAPS, STATUS) == expected


def test_a_process_is_sampled_as_long_as_it_lives():
    own = process_memory.sample(os.getpid())
    assert own.keys() == {*process_memory.KINDS, "descriptors", "threads"}
    assert own["anonymous"] > 1_000 and own["descriptors"] >= 3 and own["threads"] >= 1
    gone = os.fork()
    if gone == 0:
        os._exit(0)
    os.waitid(os.P_PID, gone, os.WEXITED | os.WNOWAIT)
    assert process_memory.sample(gone) is None  # a zombie
    os.waitpid(gone, 0)
    assert process_memory.sample(gone) is None
