# SPDX-License-Identifier: MIT
"""The music of auralis-render, which is the same from any position, and what it makes of links."""

import re

import pytest

from rendering import AUDIBLE, DITHER, LIVELY, Sound, names_in, refusal, render, run

STEMS = ("pads", "lead", "kicks", "swells")
GROUPS = ("pads", "melody", "kicks", "swells")  # names of their controls, in the same order


@pytest.mark.parametrize("options", [["--preset", "bright"], ["--bits", 24, "--rate", 48_000, *LIVELY]])
def test_music_from_anywhere_is_what_it_is_in_a_rendering_from_the_beginning(tmp_path, options):
    render("--seed", 7, "--seconds", 120, *options, tmp_path / "whole.wav")
    whole = Sound(tmp_path / "whole.wav")
    for start in (0.00003, 2.5, 7.3, 31.999, 59.123456, 100, 117.5):
        render("--seed", 7, "--seconds", 2.5, "--at", start, "--force", *options, tmp_path / "part.wav")
        assert Sound(tmp_path / "part.wav").samples == whole.part(start, 2.5), f"from {start} s on"


def test_it_is_no_further_to_music_of_years_later(tmp_path):
    later_s = 20 * 365 * 24 * 3_600
    # The earlier one starts a second before, and so does its warm-up.
    render("--at", later_s - 13.7, "--seconds", 15.7, tmp_path / "early.wav")
    render("--at", later_s, "--seconds", 2, tmp_path / "late.wav")
    late = Sound(tmp_path / "late.wav")
    assert late.samples == Sound(tmp_path / "early.wav").part(13.7, 2)
    assert AUDIBLE < late.peak()


def test_a_rendering_is_the_same_again(tmp_path):
    for name in ("a.flac", "b.flac"):
        render("--preset", "sleep", "--seed", 7, "--seconds", 10, tmp_path / name)
    assert (tmp_path / "a.flac").read_bytes() == (tmp_path / "b.flac").read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        ["--preset", "sleep"],
        ["--seed", 2],
        ["--key", "F#"],
        ["--mode", "lydian"],
        ["--bpm", 119],
        ["--intensity", 0.5],
        ["--melody-complexity", 1],
        ["--chord-progression-variety", 1],
        ["--harmonic-density", 1],
        *([f"--{group}", "off"] for group in GROUPS),
    ],
)
def test_every_option_of_the_music_is_heard(tmp_path, change):
    calm = ("--melody-complexity", 0, "--chord-progression-variety", 0, "--harmonic-density", 0)
    for name, options in (("a.wav", []), ("b.wav", change)):
        render("--seconds", 40, *LIVELY, *calm, *options, tmp_path / name)
    assert (tmp_path / "a.wav").read_bytes() != (tmp_path / "b.wav").read_bytes()


def test_a_preset_is_what_its_parameters_are(tmp_path):
    render("--preset", "sleep", "--seconds", 10, tmp_path / "a.wav")
    meant = ("--key", "E", "--mode", "phrygian", "--bpm", 40, "--intensity", 0.2, "--melody-complexity", 0.1)
    meant += ("--chord-progression-variety", 0.1, "--harmonic-density", 0.2)
    render("--preset", "bright", *meant, "--seconds", 10, tmp_path / "b.wav")
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


@pytest.mark.parametrize(
    "link, options",
    [
        ("seed=7&preset=sleep", ["--seed", 7, "--preset", "sleep"]),
        ("/?station=new&seed=7&changes=0-kFs-mlydian", ["--seed", 7, "--key", "F#", "--mode", "lydian"]),
        (
            "https://music.example/?station=new&seed=7&rate=48000&chunk=20&at=625"
            "&changes=0-kA-maeolian-b90-i0.9-c0.8-v0.7-d0.6-gpmk",
            ["--seed", 7, "--rate", 48_000, "--at", 12.5, "--key", "A", "--mode", "aeolian", "--bpm", 90]
            + ["--intensity", 0.9, "--melody-complexity", 0.8, "--chord-progression-variety", 0.7]
            + ["--harmonic-density", 0.6, "--swells", "off"],
        ),
    ],
)
def test_a_link_without_changes_equals_its_options(tmp_path, link, options):
    render("--link", link, "--seconds", 20, tmp_path / "link.wav")
    render(*options, "--seconds", 20, tmp_path / "options.wav")
    assert (tmp_path / "link.wav").read_bytes() == (tmp_path / "options.wav").read_bytes()


CHANGES = "0-b120-i1-gpmks_83-i0.2_127-b50_201-kFs-mlydian_260-gpm-d1_301-i1-c1-gpmks_304-v1_500-b117.7_503-i0"


@pytest.mark.parametrize(
    "link, options",
    [
        (f"seed=18446744073709551615&rate=44100&chunk=100&changes={CHANGES}", []),
        (f"seed=9&rate=48000&chunk=50&bar=3-1234&at=1&changes={CHANGES}", ["--bits", 24]),
    ],
)
def test_music_of_a_link_is_from_anywhere_what_it_is_in_one_piece(tmp_path, link, options):
    render("--link", link, "--at", 1, "--seconds", 69, *options, tmp_path / "whole.wav")
    whole = Sound(tmp_path / "whole.wav")
    # On a change, within a change's chunk, between two close changes, and long after all of them.
    for start in (8.3, 8.35, 12.69999, 15.2, 20.1, 30.2, 30.45, 50.3, 61.2345):
        arguments = ("--link", link, "--at", start, "--seconds", 2.5, "--force", *options)
        render(*arguments, tmp_path / "part.wav")
        assert Sound(tmp_path / "part.wav").samples == whole.part(start - 1, 2.5), f"from {start} s on"


def test_a_link_starts_at_its_position_unless_at_overrides_it(tmp_path):
    link = f"seed=7&rate=48000&chunk=50&at=310&changes={CHANGES}"
    render("--link", link, "--seconds", 3, tmp_path / "link.wav")
    render("--link", link, "--at", 15.5, "--seconds", 3, tmp_path / "same.wav")
    render("--link", link, "--at", 0, "--seconds", 18.5, tmp_path / "whole.wav")
    assert (tmp_path / "link.wav").read_bytes() == (tmp_path / "same.wav").read_bytes()
    assert Sound(tmp_path / "link.wav").samples == Sound(tmp_path / "whole.wav").part(15.5, 3)


def test_a_change_is_heard_from_its_chunk_on_and_a_tempo_from_the_next_bar_on(tmp_path):
    before = "seed=7&rate=44100&chunk=100&changes=0-b120-i1"
    for name, link in (("a", before), ("b", before + "_83-i0.2"), ("c", before + "_83-b60")):
        render("--link", link, "--seconds", 14, tmp_path / f"{name}.wav")
    same, quieter, slower = (Sound(tmp_path / f"{name}.wav") for name in "abc")
    first_difference = lambda other: next(i for i, (x, y) in enumerate(zip(same.samples, other.samples)) if x != y)
    assert 8.3 <= first_difference(quieter) / 2 / 44_100 < 8.4
    # Bars are 2 s long; from the first note on the music differs from that of the old tempo.
    assert 10 <= first_difference(slower) / 2 / 44_100 < 10.5


def test_a_link_without_its_first_bars_is_exact_once_they_have_decayed(tmp_path):
    after = "83-kE-mphrygian-b60-i0.9-c0.4-v0.4-d0.5-gpmks_200-i0.3_420-b80"
    whole = f"seed=3&rate=44100&chunk=100&changes=0-kE-mphrygian-b120-i1-c0.4-v0.4-d0.5-gpmks_{after}"
    # Bars of 2 s until 10 s, where the sixth bar starts, the first of the new tempo.
    rest = f"seed=3&rate=44100&chunk=100&bar=5-441000&at=320&changes={after}"
    render("--link", whole, "--seconds", 30, "--at", 32, tmp_path / "whole.wav")
    render("--link", rest, "--seconds", 30, tmp_path / "rest.wav")
    assert (tmp_path / "whole.wav").read_bytes() == (tmp_path / "rest.wav").read_bytes()
    # It can be rendered from its first bar on, without the notes that began earlier.
    render("--link", whole, "--seconds", 1, "--at", 10, "--force", tmp_path / "whole.wav")
    render("--link", rest, "--seconds", 1, "--at", 10, "--force", tmp_path / "rest.wav")
    assert Sound(tmp_path / "whole.wav").samples != Sound(tmp_path / "rest.wav").samples


def test_the_stems_of_a_link_are_those_of_its_groups(tmp_path):
    link = "seed=7&rate=44100&chunk=100&changes=0-b120-i1-gps_100-gpm"
    render("--link", link, "--stems", "--seconds", 40, tmp_path / "all.wav")
    pads, lead, kicks, swells = (Sound(tmp_path / f"all-{stem}.wav") for stem in STEMS)
    assert kicks.peak() <= DITHER and min(pads.peak(), swells.peak()) > AUDIBLE
    assert max(lead.part(0, 10)) <= DITHER and max(lead.part(10, 30)) > AUDIBLE


@pytest.mark.parametrize(
    "arguments, told",
    [
        (["--link", "seed=1&tempo=60"], r"In the link, tempo is unknown; known are .*chunk\."),
        (["--link", "http://x/?seed=1&preset=techno"], r"In the link, preset must be focus, .* or bright\."),
        (["--link", "http://x/"], "In the link, http%3A%2F%2Fx%2F is unknown"),
        (["--link", "seed=1&at=4"], "In the link, rate and chunk must be given"),
        (["--link", "seed=1&changes=0-b\n60"], r"In the link, b of changes, bpm, must be a number from 40 to 120\."),
        (["--link", "seed=1&%ff%0A=1"], "In the link, %FF%0A is unknown"),
        (["--link", ""], "In the link, seed must be given"),
        (["--link", "http://x/?station=new&preset=sleep"], "In the link, seed must be given"),
        (["--link", "seed=1&rate=22050&chunk=100"], r"In the link, rate must be 44100 or 48000\."),
        (["--link", "seed=1&rate=44100&chunk=25"], "In the link, chunk must be a multiple of 10 from 20 to 200"),
        (["--link", "seed=1&rate=44100&chunk=210"], "In the link, chunk must be a multiple of 10 from 20 to 200"),
        (["--link", "seed=1", "--preset", "focus"], "--preset: cannot be combined with --link"),
        (["--link", "seed=1", "--seed", 1], "--seed: cannot be combined with --link"),
        (["--link", "seed=1", "--key", "C"], "--key: cannot be combined with --link"),
        (["--link", "seed=1", "--mode", "ionian"], "--mode: cannot be combined with --link"),
        (["--link", "seed=1", "--rate", 44_100], "--rate: cannot be combined with --link"),
        (["--link", "seed=1", "--bpm", 60], "--bpm: cannot be combined with --link"),
        (["--link", "seed=1", "--harmonic-density", 1], "--harmonic-density: cannot be combined with --link"),
        (["--link", "seed=1", "--kicks", "on"], "--kicks: cannot be combined with --link"),
        (
            ["--link", "seed=1&rate=44100&chunk=100&at=200&bar=5-441000&changes=83-b60_400-b70", "--at", 9.999],
            "--at 9.999: must be 10 or later",
        ),
        (
            ["--link", "seed=1&rate=44100&chunk=100&bar=5-441001&changes=83-b60_400-b70", "--at", 10],
            "--at 10: must be 10.001 or later",
        ),
        (
            ["--link", "seed=1&rate=44100&chunk=100&at=99&bar=5-441000&changes=83-b60_400-b70"],
            r"In the link, at lies before the first bar; give --at 10 or later\.",
        ),
    ],
)
def test_a_link_that_cannot_be_rendered_is_reported_in_one_line(tmp_path, arguments, told):
    assert re.search(told, refusal(run(*arguments, "--seconds", 1, "a.wav", cwd=tmp_path), 2))
    assert names_in(tmp_path) == []


def test_the_earliest_reported_second_can_be_rendered(tmp_path):
    link = "seed=1&rate=44100&chunk=100&bar=5-441001&changes=83-b60_400-b70"
    render("--link", link, "--at", 10.001, "--seconds", 1, tmp_path / "a.wav")


def test_stems_are_each_groups_voices_alone(tmp_path):
    render("--stems", "--seconds", 60, *LIVELY, tmp_path / "all.flac")
    assert names_in(tmp_path) == sorted(f"all-{stem}.flac" for stem in STEMS)
    for stem, group in zip(STEMS, GROUPS):
        sound = Sound(tmp_path / f"all-{stem}.flac")
        assert sound.frames == 60 * 44_100
        assert AUDIBLE < sound.peak(), stem
        others_off = [word for other in GROUPS if other != group for word in (f"--{other}", "off")]
        alone = tmp_path / f"{group}.wav"
        render("--seconds", 60, *LIVELY, *others_off, alone)
        assert Sound(alone).samples == sound.samples, stem


def test_the_stem_of_a_group_that_is_off_is_silent(tmp_path):
    render("--stems", "--seconds", 10, "--at", 20, *LIVELY, "--pads", "off", tmp_path / "all.wav")
    assert Sound(tmp_path / "all-pads.wav").peak() <= DITHER
    assert AUDIBLE < Sound(tmp_path / "all-lead.wav").peak()


def test_opencl_renders_too(tmp_path):
    # A driver that compiles the kernels for the first time may print messages.
    result = run("--engine", "opencl", "--seconds", 3, "--at", 60, tmp_path / "opencl.wav")
    assert result.returncode == 0, result.stderr
    render("--seconds", 3, "--at", 60, tmp_path / "native.wav")
    opencl, native = Sound(tmp_path / "opencl.wav"), Sound(tmp_path / "native.wav")
    furthest = max(abs(a - b) for a, b in zip(opencl.samples, native.samples))
    assert furthest < native.peak() / 100 and native.frames == opencl.frames


def test_an_unknown_device_is_reported(tmp_path):
    line = refusal(run("--engine", "opencl", "--device", "abacus", tmp_path / "a.wav"), 1)
    assert "abacus" in line and names_in(tmp_path) == []
