# SPDX-License-Identifier: MIT
"""The pad for Csound, rendered offline."""

import pad_patch as patch

PROGRAM, PACKAGE, VERSION_FLAG = "csound", "csound", "--version"


def command(folder, voice_count, seconds, output, as_float):
    """Writes the score into `folder`; returns the arguments that render it from there."""
    # Held notes (p3 < 0) with distinct fractional instrument numbers: equal ones would be tied. f 0 ends the score.
    notes = ""
    for i, (frequency_hz, pan, gain) in enumerate(patch.voices(voice_count)):
        notes += f"i {1 + (i + 1) / 10_000:.4f} 0 -1 {frequency_hz:.6f} {(pan + 1) / 2:.6f} {gain:.9f}\n"
    (folder / "pad.csd").write_text(
        f"""<CsoundSynthesizer>
<CsInstruments>
sr = {patch.SAMPLE_RATE}
ksmps = {patch.BLOCK_FRAMES}
nchnls = 2
0dbfs = 1
instr 1
kEnvelope madsr {patch.ATTACK_S}, {patch.DECAY_S}, {patch.SUSTAIN_LEVEL}, {patch.RELEASE_S}
kTremolo poscil {patch.TREMOLO_SWING}, {patch.TREMOLO_HZ}
aSine poscil 1, p4
aSaw vco2 {patch.SAW_LEVEL}, p4 * {patch.SAW_RATIO:.9f}
aLeft, aRight pan2 (aSine + aSaw) * (kEnvelope * ({patch.TREMOLO_MIDDLE} + kTremolo) * p6), p5
outs aLeft, aRight
endin
</CsInstruments>
<CsScore>
{notes}f 0 {seconds}
e
</CsScore>
</CsoundSynthesizer>
"""
    )
    form = ["-h", "-f"] if as_float else ["-W", "-s"]
    return ["-d", "-m0", "-K", *form, "-o", output, "pad.csd"]
