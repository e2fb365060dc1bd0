# SPDX-License-Identifier: MIT
"""Parameters of the pad that all programs render."""

import math

SAMPLE_RATE = 44_100
BLOCK_FRAMES = 64  # control period
SAW_RATIO = 2 ** (5 / 1200)  # five cents above the sine
SAW_LEVEL = 0.25
TREMOLO_HZ, TREMOLO_MIDDLE, TREMOLO_SWING = 0.5, 0.9, 0.1
ATTACK_S, DECAY_S, SUSTAIN_LEVEL, RELEASE_S = 2.5, 3.0, 0.75, 3.0
MIX_GAIN = 0.15  # of the sum of all voices, whose powers add

_LOWEST_MIDI, _HIGHEST_MIDI = 36, 72
_GOLDEN = (math.sqrt(5) - 1) / 2  # its multiples modulo 1 spread evenly for any count


def voices(count):
    """Returns frequency in Hz, pan from -1 to 1 and gain of each voice. All pitches differ, so that none add in phase."""
    step = (_HIGHEST_MIDI - _LOWEST_MIDI) / max(count - 1, 1)
    gain = MIX_GAIN / math.sqrt(count)
    return [(440 * 2 ** ((_LOWEST_MIDI + i * step - 69) / 12), 2 * (i * _GOLDEN % 1) - 1, gain) for i in range(count)]


def sustained_level():
    """Returns the expected RMS of left and right together, when all voices have reached their sustain level."""
    oscillators = 1 / 2 + SAW_LEVEL**2 / 3
    tremolo = TREMOLO_MIDDLE**2 + TREMOLO_SWING**2 / 2
    return MIX_GAIN * SUSTAIN_LEVEL * math.sqrt(oscillators * tremolo)
