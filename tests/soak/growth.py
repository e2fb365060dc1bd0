# SPDX-License-Identifier: MIT
"""Whether a figure grows: straight lines through samples, as plain arithmetic. Times in seconds, figures in any unit."""

import dataclasses
import math

HOUR_S = 3_600
FEWEST = 4  # samples that a line with an error is laid through


@dataclasses.dataclass(frozen=True)
class Slope:
    """What a figure gains in an hour, and the standard error of that."""

    per_hour: float
    error: float


def _correlation(residuals):
    """Of each residual with the next one, 0 at least: neighbours that resemble one another are no independent samples."""
    power = sum(one * one for one in residuals)
    if power == 0:
        return 0.0
    return max(0.0, sum(a * b for a, b in zip(residuals, residuals[1:])) / power)


def slope(times, figures):
    """The least-squares line, or None where there are too few samples. Memory moves in steps that last: its samples count
    for as many independent ones as their correlation leaves."""
    count = len(times)
    if count < FEWEST:
        return None
    mean_time, mean_figure = sum(times) / count, sum(figures) / count
    spread = sum((time - mean_time) ** 2 for time in times)
    if spread == 0:
        return None
    per_s = sum((time - mean_time) * (one - mean_figure) for time, one in zip(times, figures)) / spread
    residuals = [one - mean_figure - per_s * (time - mean_time) for time, one in zip(times, figures)]
    correlation = _correlation(residuals)
    independent = max(count * (1 - correlation) / (1 + correlation), 3)
    variance = sum(one * one for one in residuals) / count * independent / (independent - 2)
    error = math.sqrt(variance / (spread / count * independent))
    return Slope(per_s * HOUR_S, error * HOUR_S)


def halves(times, figures):
    """The slopes of the first and of the second half of the time."""
    if not times:
        return None, None
    middle = (times[0] + times[-1]) / 2
    parts = ([], []), ([], [])
    for time, one in zip(times, figures):
        part = parts[time > middle]
        part[0].append(time)
        part[1].append(one)
    return tuple(slope(*part) for part in parts)


def text(one):
    return "" if one is None else f"{one.per_hour:+.2f} ± {one.error:.2f}"
