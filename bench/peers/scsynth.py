# SPDX-License-Identifier: MIT
"""The pad for SuperCollider's server in non-realtime mode, which renders a file of timed OSC messages; without sclang."""

import struct

import pad_patch as patch

PROGRAM, PACKAGE, VERSION_FLAG = "scsynth", "supercollider-server", "-v"

_CONTROLS = [440.0, 0.0, 0.1, 1.0]  # defaults of frequency, pan, gain and gate
_KR, _AR = 1, 2
_MULTIPLY = 2  # special index of a BinaryOpUGen
_CURVE = [5.0, -4.0]  # shape and curvature of a segment, as in Env.adsr
_SAW_PEAK = 0.5  # peak of a Saw; the other programs' saws peak at 1
_NO_LOOP, _FREE_SYNTH = -99.0, 2.0


def command(folder, voice_count, seconds, output, as_float):
    """Writes the score into `folder`; returns the arguments that render it from there."""
    definition = _definition()
    blob = struct.pack(">i", len(definition)) + definition + bytes(-len(definition) % 4)
    score = [_bundle(0, "/d_recv", ",b", blob)]
    for frequency_hz, pan, gain in patch.voices(voice_count):
        synth = [_osc_string("pad"), -1, 0, 0]
        score.append(_bundle(0, "/s_new", ",siiiififif", *synth, 0, frequency_hz, 1, pan, 2, gain))
    score.append(_bundle(seconds, "/c_set", ",if", 0, 0.0))  # the last message ends the rendering
    (folder / "pad.osc").write_bytes(b"".join(score))
    limits = ["-n", voice_count + 64, "-m", 65_536]  # nodes, KiB
    shape = ["-i", 0, "-o", 2, "-z", patch.BLOCK_FRAMES]
    form = ["RAW", "float"] if as_float else ["WAV", "int16"]
    return ["-V", -1, "-D", 0, *limits, *shape, "-N", "pad.osc", "_", output, patch.SAMPLE_RATE, *form]


def _bundle(seconds, address, tags, *arguments):
    packed = (x if isinstance(x, bytes) else struct.pack(">" + tag, x) for tag, x in zip(tags[1:], arguments))
    message = _osc_string(address) + _osc_string(tags) + b"".join(packed)
    bundle = _osc_string("#bundle") + struct.pack(">Qi", seconds << 32, len(message)) + message
    return struct.pack(">i", len(bundle)) + bundle


def _osc_string(text):
    return text.encode() + bytes(4 - len(text) % 4)


def _definition():
    """Returns a file with one synth definition: SCgf, version 2."""
    constants, units = [], []

    def packed_input(value):
        if isinstance(value, tuple):
            return struct.pack(">ii", *value)
        if value not in constants:
            constants.append(value)
        return struct.pack(">ii", -1, constants.index(value))

    def unit(name, rate, *inputs, outputs=1, special=0):
        head = struct.pack(f">{len(name) + 1}pbiih", name.encode(), rate, len(inputs), outputs, special)
        units.append(head + b"".join(map(packed_input, inputs)) + bytes([rate]) * outputs)
        return [(len(units) - 1, output) for output in range(outputs)]

    frequency, pan, gain, gate = unit("Control", _KR, outputs=len(_CONTROLS))
    [sine] = unit("SinOsc", _AR, frequency, 0.0)
    [detuned] = unit("BinaryOpUGen", _KR, frequency, patch.SAW_RATIO, special=_MULTIPLY)
    [saw] = unit("Saw", _AR, detuned)
    [tone] = unit("MulAdd", _AR, saw, patch.SAW_LEVEL / _SAW_PEAK, sine)
    points = [1.0, patch.ATTACK_S, *_CURVE, patch.SUSTAIN_LEVEL, patch.DECAY_S, *_CURVE, 0.0, patch.RELEASE_S, *_CURVE]
    shape = [0.0, 3.0, 2.0, _NO_LOOP, *points]  # level at the start, segments, the point to hold
    [envelope] = unit("EnvGen", _KR, gate, gain, 0.0, 1.0, _FREE_SYNTH, *shape)
    [swing] = unit("SinOsc", _KR, patch.TREMOLO_HZ, 0.0)
    [tremolo] = unit("MulAdd", _KR, swing, patch.TREMOLO_SWING, patch.TREMOLO_MIDDLE)
    [level] = unit("BinaryOpUGen", _KR, envelope, tremolo, special=_MULTIPLY)
    # Pan2 applies the level, too: cheaper than a multiplication at audio rate, and as smooth.
    unit("Out", _AR, 0.0, *unit("Pan2", _AR, tone, pan, level, outputs=2), outputs=0)

    floats = [struct.pack(f">i{len(values)}f", len(values), *values) for values in (constants, _CONTROLS)]
    # No names of controls, which are set by index, and no variants.
    parts = [*floats, struct.pack(">ii", 0, len(units)), *units, struct.pack(">h", 0)]
    return struct.pack(">4sih4p", b"SCgf", 2, 1, b"pad") + b"".join(parts)
