# SPDX-License-Identifier: MIT
"""Whether a value grows: straight lines through samples. Pure. Times in seconds, values in any unit."""

import dataclasses
import math

HOUR_S = 3_600
FEWEST = 4  # samples for a line with an error


@dataclasses.dataclass(frozen=True)
class Slope:
    """A value's growth in an hour, and its standard error."""

    per_hour: float
    error: float


def _correlation(residuals):
    """Correlation of each residual with the next one, at least 0: correlated neighbours are not independent samples."""
    power = sum(one * one for one in residuals)
    if power == 0:
        return 0.0
    return max(0.0, sum(a * b for a, b in zip(residuals, residuals[1:])) / power)


def slope(times, values):
    """The least-squares line, or None if there are too few samples. Memory moves in lasting steps, so the samples count as
    fewer independent ones, according to their correlation."""
    count = len(times)
    if count < FEWEST:
        return None
    mean_time, mean_value = sum(times) / count, sum(values) / count
    spread = sum((time - mean_time) ** 2 for time in times)
    if spread == 0:
        return None
    per_s = sum((time - mean_time) * (one - mean_value) for time, one in zip(times, values)) / spread
    residuals = [one - mean_value - per_s * (time - mean_time) for time, one in zip(times, values)]
    correlation = _correlation(residuals)
    independent = max(count * (1 - correlation) / (1 + correlation), 3)
    variance = sum(one * one for one in residuals) / count * independent / (independent - 2)
    error = math.sqrt(variance / (spread / count * independent))
    return Slope(per_s * HOUR_S, error * HOUR_S)


def halves(times, values):
    """The slopes of the first and of the second half of the time."""
    if not times:
        return None, None
    middle = (times[0] + times[-1]) / 2
    parts = ([], []), ([], [])
    for time, one in zip(times, values):
        part = parts[time > middle]
        part[0].append(time)
        part[1].append(one)
    return tuple(slope(*part) for part in parts)


def text(one):
    return "" if one is None else f"{one.per_hour:+.2f} ± {one.error:.2f}"
