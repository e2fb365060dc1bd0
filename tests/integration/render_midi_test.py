# SPDX-License-Identifier: MIT
"""The MIDI files of auralis-render: they hold the composition that sounds."""

import mido
import pytest

from rendering import names_in, refusal, render, run


def notes_of(track):
    """(start, end, pitch), in ticks; every note ends."""
    notes, sounding, now = [], {}, 0
    for message in track:
        now += message.time
        if message.type == "note_on":
            assert message.note not in sounding
            sounding[message.note] = now
        elif message.type == "note_off":
            notes.append((sounding.pop(message.note), now, message.note))
    assert not sounding
    return sorted(notes)


def test_midi_is_the_composition(tmp_path):
    out = tmp_path / "out.mid"
    line = render("--preset", "bright", "--seconds", 240, "--midi", out)
    piece = mido.MidiFile(out)
    conductor, *parts = piece.tracks
    assert (piece.type, [part.name for part in parts]) == (1, ["Pads", "Melody", "Kicks", "Swells"])
    told = {message.type: message for message in conductor}
    assert mido.tempo2bpm(told["set_tempo"].tempo) == pytest.approx(70, abs=1e-3)
    assert (told["time_signature"].numerator, told["time_signature"].denominator) == (4, 4)
    assert (told["text"].text, told["key_signature"].key) == ("G lydian", "D")
    pads, melody, kicks, swells = map(notes_of, parts)
    assert all((pads, melody, kicks, swells))
    assert line.startswith(f"{out}: {sum(map(len, (pads, melody, kicks, swells)))} notes in 4:00")
    bar, beats = 4 * piece.ticks_per_beat, 4 * 70
    lydian = {(7 + step) % 12 for step in (0, 2, 4, 6, 7, 9, 11)}
    assert {pitch % 12 for _, _, pitch in pads} <= lydian
    assert {start % bar for start, _, _ in pads} <= {0, bar // 2}  # at the bar line, or at the end of a suspension
    assert {start // bar for start, _, _ in pads} == set(range(beats // 4))
    assert {start % (bar // 8) for start, _, _ in melody} == {0}
    assert all(start % bar < 20 for start, _, _ in kicks)
    # Swells last 3 to 8 s.
    assert all(2.9 < mido.tick2second(end - start, piece.ticks_per_beat, told["set_tempo"].tempo) < 8.1
               for start, end, _ in swells)


@pytest.mark.parametrize("at", [40, 41.5, 43.999])
def test_midi_of_a_piece_is_what_it_is_in_the_whole_from_its_first_bar_line_on(tmp_path, at):
    whole, piece = tmp_path / "whole.mid", tmp_path / "piece.mid"
    music = ("--bpm", 60, "--seed", 9)
    render(*music, "--seconds", 120, "--midi", whole)
    render(*music, "--at", at, "--seconds", 40, "--midi", piece)
    beat = mido.MidiFile(whole).ticks_per_beat  # a second
    bar_line = 40 * beat
    first, end = at * beat, (at + 40) * beat
    for all_of_it, part in zip(mido.MidiFile(whole).tracks[1:], mido.MidiFile(piece).tracks[1:]):
        starts = [(start - bar_line, pitch) for start, _, pitch in notes_of(all_of_it) if first <= start < end]
        assert starts == [(start, pitch) for start, _, pitch in notes_of(part)]


def told_of(track, kinds):
    """A track's messages of those types: (tick, message), in order."""
    told, now = [], 0
    for message in track:
        now += message.time
        if message.type in kinds:
            told.append((now, message))
    return told


@pytest.mark.parametrize("at, bars", [(0, 0), (13.1, 3)])
def test_midi_of_a_link_has_tempo_and_key_at_the_bars_where_they_change(tmp_path, at, bars):
    out = tmp_path / "out.mid"
    # Bars of 4 s until 12 s, of 2 s from there on; A flat from 18 s on.
    link = "seed=5&rate=44100&chunk=100&changes=0-kD-mdorian-b60-c0-i1_81-b120_165-kGs-mlydian_170-i0.9"
    render("--link", link, "--at", at, "--seconds", 60, "--midi", out)
    piece = mido.MidiFile(out)
    bar = 4 * piece.ticks_per_beat
    conductor = piece.tracks[0]
    tempos = [(tick // bar + bars, mido.tempo2bpm(one.tempo)) for tick, one in told_of(conductor, {"set_tempo"})]
    assert tempos == ([(3, 120)] if bars else [(0, 60), (3, 120)])
    keys = [(tick // bar + bars, one.text) for tick, one in told_of(conductor, {"text"})]
    assert keys == [(bars, "D dorian"), (6, "Ab lydian")]
    signatures = [(tick // bar + bars, one.key) for tick, one in told_of(conductor, {"key_signature"})]
    assert signatures == [(bars, "C"), (6, "Eb")]
    assert all(tick % bar == 0 for tick, _ in told_of(conductor, {"set_tempo", "text", "key_signature"}))
    dorian = {(2 + step) % 12 for step in (0, 2, 3, 5, 7, 9, 10)}
    lydian = {(8 + step) % 12 for step in (0, 2, 4, 6, 7, 9, 11)}
    pads = [(start // bar + bars, pitch % 12) for start, _, pitch in notes_of(piece.tracks[1])]
    assert {pitch for number, pitch in pads if number < 6} <= dorian
    assert {pitch for number, pitch in pads if number >= 6} <= lydian
    # Every bar that starts within the piece: 3 of 4 s, then of 2 s.
    assert {number for number, _ in pads} == set(range(0, 27) if at == 0 else range(4, 34))


@pytest.mark.parametrize(
    "key, mode, text, signature",
    [
        ("C#", "ionian", "Db ionian", "Db"),
        ("C#", "aeolian", "C# aeolian", "C#m"),
        ("D#", "dorian", "Eb dorian", "Db"),
        ("D#", "phrygian", "D# phrygian", "B"),
        ("F", "phrygian", "F phrygian", "Db"),
        ("F#", "ionian", "F# ionian", "F#"),
        ("F#", "lydian", "Gb lydian", "Db"),
        ("G#", "dorian", "G# dorian", "F#"),
        ("G#", "ionian", "Ab ionian", "Ab"),
        ("A#", "aeolian", "Bb aeolian", "Bbm"),
    ],
)
def test_midi_spells_a_key_as_its_scale_does(tmp_path, key, mode, text, signature):
    out = tmp_path / "out.mid"
    render("--key", key, "--mode", mode, "--seconds", 1, "--midi", out)
    told = {message.type: message for message in mido.MidiFile(out).tracks[0]}
    assert (told["text"].text, told["key_signature"].key) == (text, signature)


def test_midi_and_sound_are_written_together_and_kept_alike(tmp_path):
    sound, out = tmp_path / "out.wav", tmp_path / "out.mid"
    result = run("--seconds", 2, "--midi", out, "--kicks", "off", sound)
    assert (result.returncode, result.stderr, len(result.stdout.splitlines())) == (0, "", 2)
    assert notes_of(mido.MidiFile(out).tracks[3]) == []
    before = sound.read_bytes(), out.read_bytes()
    assert "out.mid" in refusal(run("--seconds", 3, "--midi", out, tmp_path / "other.wav"), 1)
    assert "out.wav" in refusal(run("--seconds", 3, "--midi", tmp_path / "other.mid", sound), 1)
    assert names_in(tmp_path) == ["out.mid", "out.wav"]
    assert (sound.read_bytes(), out.read_bytes()) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("--midi", ""),
        ("--midi", "a.mid", "--stems"),
        ("--midi", "a.mid", "--bits", 24),
        ("--midi", "a.mid", "--bits", 16),
        ("--midi", "a.wav", "a.wav"),
        ("--force", "--midi", "./b/../a.wav", "a.wav"),
        ("--stems", "--midi", "a-pads.wav", "a.wav"),
    ],
)
def test_midi_options_that_make_no_sense_are_refused(arguments, tmp_path):
    refusal(run(*arguments, cwd=tmp_path), 2)
    assert names_in(tmp_path) == []
