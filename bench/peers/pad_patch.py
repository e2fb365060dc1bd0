# SPDX-License-Identifier: MIT
"""The pad that all programs play, as far as it is numbers."""

import math

SAMPLE_RATE = 44_100
BLOCK_FRAMES = 64  # what is of control rate changes once in so many
SAW_RATIO = 2 ** (5 / 1200)  # five cents above the sine
SAW_LEVEL = 0.25
TREMOLO_HZ, TREMOLO_MIDDLE, TREMOLO_SWING = 0.5, 0.9, 0.1
ATTACK_S, DECAY_S, SUSTAIN_LEVEL, RELEASE_S = 2.5, 3.0, 0.75, 3.0
MIX_GAIN = 0.15  # of all voices together, whose powers add up

_LOWEST_MIDI, _HIGHEST_MIDI = 36, 72
_GOLDEN = (math.sqrt(5) - 1) / 2  # its multiples spread evenly, whatever their number


def voices(count):
    """Frequency in Hz, pan from -1 to 1, and gain of each; no two of one pitch, so that none add up in phase."""
    step = (_HIGHEST_MIDI - _LOWEST_MIDI) / max(count - 1, 1)
    gain = MIX_GAIN / math.sqrt(count)
    return [(440 * 2 ** ((_LOWEST_MIDI + i * step - 69) / 12), 2 * (i * _GOLDEN % 1) - 1, gain) for i in range(count)]


def sustained_level():
    """The RMS that left and right must have together, once all voices have reached their sustain."""
    oscillators = 1 / 2 + SAW_LEVEL**2 / 3
    tremolo = TREMOLO_MIDDLE**2 + TREMOLO_SWING**2 / 2
    return MIX_GAIN * SUSTAIN_LEVEL * math.sqrt(oscillators * tremolo)
