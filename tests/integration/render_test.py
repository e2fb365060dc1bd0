# SPDX-License-Identifier: MIT
"""auralis-render: its output, which is the same music from any position, and that no partial file is ever left."""

import array
import ctypes
import contextlib
import os
import pty
import re
import resource
import signal
import subprocess
import wave

import mido
import pytest

from auralis import binary, clean_environment, eventually

LIMIT_S = 120
STEMS = ("pads", "lead", "kicks", "swells")
GROUPS = ("pads", "melody", "kicks", "swells")  # names of their controls, in the same order
FULL_SCALE = 2**31
# Louder than dither, and quieter than music.
AUDIBLE = FULL_SCALE // 200
DITHER = 2 * FULL_SCALE // 2**15
LIVELY = ("--bpm", 120, "--intensity", 1)  # every group of voices is heard within a minute


def command(*arguments):
    return [binary("render"), *map(str, arguments)]


def run(*arguments, **options):
    return subprocess.run(
        command(*arguments),
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
        **options,
    )


def render(*arguments, **options):
    result = run(*arguments, **options)
    assert (result.returncode, result.stderr) == (0, "")
    assert len(result.stdout.splitlines()) == 1
    return result.stdout


def refusal(result, status):
    """The one line of output of a rendering that must fail."""
    assert (result.returncode, result.stdout) == (status, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("auralis-render: ")
    return line


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


class SoundInfo(ctypes.Structure):
    """SF_INFO of sndfile.h."""

    _fields_ = [
        ("frames", ctypes.c_int64),
        ("rate", ctypes.c_int),
        ("channels", ctypes.c_int),
        ("format", ctypes.c_int),
        ("sections", ctypes.c_int),
        ("seekable", ctypes.c_int),
    ]


WAV_16, WAV_24, FLAC_16, FLAC_24, VORBIS = 0x010002, 0x010003, 0x170002, 0x170003, 0x200060


class Sound:
    """A decoded file: 32-bit samples, left and right interleaved."""

    def __init__(self, path):
        library = ctypes.CDLL("libsndfile.so.1")
        library.sf_open.restype = ctypes.c_void_p
        library.sf_open.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(SoundInfo)]
        library.sf_readf_int.restype = ctypes.c_int64
        library.sf_readf_int.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
        library.sf_close.argtypes = [ctypes.c_void_p]
        info = SoundInfo()
        file = library.sf_open(os.fsencode(path), 0x10, info)
        assert file, f"{path} is no sound file"
        try:
            self.frames, self.rate, self.channels, self.format = info.frames, info.rate, info.channels, info.format
            samples = (ctypes.c_int32 * (self.frames * self.channels))()
            assert library.sf_readf_int(file, samples, self.frames) == self.frames
            self.samples = array.array("i", bytes(samples))
        finally:
            library.sf_close(file)

    def peak(self):
        return max(max(self.samples), -min(self.samples))

    def part(self, seconds, length_s):
        begin, frames = round(seconds * self.rate), round(length_s * self.rate)
        return self.samples[begin * self.channels : (begin + frames) * self.channels]


@pytest.mark.parametrize(
    "name, options, rate, sound_format",
    [
        ("a.wav", [], 44_100, WAV_16),
        ("a.WAV", ["--rate", 48_000], 48_000, WAV_16),
        ("a.wav", ["--bits", 24], 44_100, WAV_24),
        ("a.flac", [], 44_100, FLAC_16),
        ("a.flac", ["--bits", 24, "--rate", 48_000], 48_000, FLAC_24),
        ("a.ogg", [], 44_100, VORBIS),
        ("a.ogg", ["--rate", 48_000], 48_000, VORBIS),
    ],
)
def test_a_file_is_of_its_extensions_format_and_holds_as_much_music_as_was_asked_for(
    tmp_path, name, options, rate, sound_format
):
    said = render("--seconds", 6.54321, *options, tmp_path / name)
    assert said.startswith(f"{tmp_path / name}: 0:06 of music in ")
    assert names_in(tmp_path) == [name]
    sound = Sound(tmp_path / name)
    assert (sound.rate, sound.channels, sound.format) == (rate, 2, sound_format)
    assert sound.frames == round(6.54321 * rate)
    assert AUDIBLE < sound.peak()


def test_a_wav_is_one_to_others_too(tmp_path):
    render("--seconds", 2, tmp_path / "a.wav")
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (44_100, 2, 2)
        assert file.getnframes() == 88_200
        assert len(file.readframes(88_200)) == 88_200 * 4


def test_a_file_has_the_permissions_of_the_umask(tmp_path):
    render("--seconds", 1, tmp_path / "a.wav", umask=0o027)
    assert (tmp_path / "a.wav").stat().st_mode & 0o777 == 0o640


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
        (["--link", "seed=1", "--preset", "focus"], "--preset: is for the link to say"),
        (["--link", "seed=1", "--seed", 1], "--seed: is for the link"),
        (["--link", "seed=1", "--key", "C"], "--key: is for the link"),
        (["--link", "seed=1", "--mode", "ionian"], "--mode: is for the link"),
        (["--link", "seed=1", "--rate", 44_100], "--rate: is for the link"),
        (["--link", "seed=1", "--bpm", 60], "--bpm: is for the link"),
        (["--link", "seed=1", "--harmonic-density", 1], "--harmonic-density: is for the link"),
        (["--link", "seed=1", "--kicks", "on"], "--kicks: is for the link"),
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
            r"In the link, at must not lie before its first bar; --at 10 is the earliest\.",
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


def test_the_stem_of_ogg_and_of_24_bits_are_files_too(tmp_path):
    render("--stems", "--seconds", 2, tmp_path / "a.ogg")
    render("--stems", "--seconds", 2, "--bits", 24, tmp_path / "a.flac")
    assert Sound(tmp_path / "a-lead.ogg").frames == Sound(tmp_path / "a-lead.flac").frames == 88_200


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


@pytest.mark.parametrize("options", [[], ["--stems"]])
def test_a_file_that_is_there_is_kept_unless_forced(tmp_path, options):
    taken = tmp_path / ("a-kicks.wav" if options else "a.wav")
    taken.write_text("mine")
    line = refusal(run("--seconds", 1, *options, tmp_path / "a.wav"), 1)
    assert str(taken) in line and "--force" in line
    assert names_in(tmp_path) == [taken.name] and taken.read_text() == "mine"

    render("--seconds", 1, "--force", *options, tmp_path / "a.wav")
    assert Sound(taken).frames == 44_100


def begun(folder, *arguments, **options):
    """A rendering that has opened its files in that empty folder."""
    process = subprocess.Popen(
        command(*arguments), env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )
    eventually(lambda: names_in(folder) or process.poll() is not None, "a temporary file")
    return process


def test_a_file_created_meanwhile_is_kept(tmp_path):
    process = begun(tmp_path, "--seconds", 600, tmp_path / "a.wav")
    process.send_signal(signal.SIGSTOP)
    with open(tmp_path / "a.wav", "x") as file:
        file.write("mine")
    process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, out) == (1, "") and len(err.splitlines()) == 1 and "--force" in err
    assert names_in(tmp_path) == ["a.wav"] and (tmp_path / "a.wav").read_text() == "mine"


def test_a_file_replaces_another_only_when_it_is_complete(tmp_path):
    (tmp_path / "a.flac").write_text("mine")
    refusal(run("--seconds", 60, "--force", tmp_path / "a.flac", preexec_fn=files_of_at_most(100_000)), 1)
    assert names_in(tmp_path) == ["a.flac"] and (tmp_path / "a.flac").read_text() == "mine"


@pytest.mark.parametrize("where", ["no/such/a.wav", "file/a.wav", "folder.wav", "x" * 252 + ".wav"])
@pytest.mark.parametrize("force", [[], ["--force"]])
def test_a_path_that_cannot_be_written_is_reported(tmp_path, where, force):
    (tmp_path / "file").touch()
    (tmp_path / "folder.wav").mkdir()
    line = refusal(run("--seconds", 1, *force, tmp_path / where), 1)
    assert str(tmp_path / where) in line
    assert names_in(tmp_path) == ["file", "folder.wav"] and names_in(tmp_path / "folder.wav") == []


def test_only_a_plain_file_is_replaced(tmp_path):
    os.mkfifo(tmp_path / "a.wav")
    assert "not a regular file" in refusal(run("--seconds", 1, "--force", tmp_path / "a.wav"), 1)
    assert names_in(tmp_path) == ["a.wav"] and (tmp_path / "a.wav").is_fifo()


def test_a_name_may_be_as_long_as_names_can_be(tmp_path):
    render("--seconds", 1, tmp_path / ("x" * 251 + ".wav"))
    assert names_in(tmp_path) == ["x" * 251 + ".wav"]


@pytest.mark.parametrize(
    "arguments, told",
    [
        (["a.mp3"], r"a\.mp3.* \.wav, \.flac or \.ogg"),
        (["wav"], r"\.wav, \.flac or \.ogg"),
        ([".wav"], r"\.wav, \.flac or \.ogg"),
        (["two\nlines"], r"two\\nlines.* \.wav, \.flac or \.ogg"),
        ([], "no file"),
        (["a.wav", "b.wav"], "b.wav: one file"),
        (["a.wav", "--loud"], "--loud: unknown option"),
        (["a.wav", "--seed"], "--seed"),
        (["a.wav", "--preset", "techno"], "--preset techno: must be focus, meditation, sleep or bright"),
        (["a.wav", "--key", "H"], "--key H: must be C, .* or B"),
        (["a.wav", "--mode", "major"], "--mode major: must be aeolian, .* or mixolydian"),
        (["a.wav", "--bpm", 121], "--bpm 121: must be a number from 40 to 120"),
        (["a.wav", "--intensity", -0.1], "--intensity -0.1: must be a number from 0 to 1"),
        (["a.wav", "--melody-complexity", "nan"], "nan: must be a number from 0 to 1"),
        (["a.wav", "--harmonic-density", "1x"], "1x: must be a number from 0 to 1"),
        (["a.wav", "--chord-progression-variety", ""], '"": must be a number from 0 to 1'),
        (["a.wav", "--kicks", "yes"], "--kicks yes: must be off or on"),
        (["a.wav", "--seed", -1], "--seed -1: must be an integer from 0 to 9223372036854775807"),
        (["a.wav", "--seconds", 0], "--seconds 0: must be a number from 0.001 to 1000000"),
        (["a.wav", "--seconds", "inf"], "--seconds inf: must be a number"),
        (["a.wav", "--at", -1], "--at -1: must be a number from 0 to 1000000000"),
        (["a.wav", "--rate", 22_050], "--rate 22050: must be 44100 or 48000"),
        (["a.wav", "--bits", 8], "--bits 8: must be 16 or 24"),
        (["a.ogg", "--bits", 24], "--bits: .*Vorbis"),
        (["a.wav", "--engine", "steam"], "--engine steam: must be native or opencl"),
        (["a.wav", "--device", "0"], "--device: .*opencl"),
    ],
)
def test_wrong_usage_is_one_line_that_says_what_is_expected(tmp_path, arguments, told):
    assert re.search(told, refusal(run(*arguments, cwd=tmp_path), 2))
    assert names_in(tmp_path) == []


def files_of_at_most(size):
    # Like a full disk, except for the system's message.
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg"])
def test_a_full_disk_is_reported_and_no_partial_file_is_left(tmp_path, name):
    render("--seconds", 20, tmp_path / name)
    size = (tmp_path / name).stat().st_size
    (tmp_path / name).unlink()
    # From the header, which libsndfile writes when opening a file, to the last byte, which it writes when closing it.
    for limit in (0, 10, size // 2, size - 1):
        line = refusal(run("--seconds", 20, tmp_path / name, preexec_fn=files_of_at_most(limit)), 1)
        assert line == f"auralis-render: {tmp_path / name}: cannot be written: File too large", f"{limit} of {size}"
        assert names_in(tmp_path) == []


def test_no_stem_is_left_if_one_fills_the_disk(tmp_path):
    line = refusal(run("--stems", "--seconds", 20, tmp_path / "a.flac", preexec_fn=files_of_at_most(700_000)), 1)
    assert "File too large" in line and names_in(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("options", [[], ["--stems"]])
def test_an_interrupted_rendering_leaves_nothing(tmp_path, number, options):
    process = begun(tmp_path, "--seconds", 1_000_000, *options, tmp_path / "a.flac")
    process.send_signal(number)
    out, err = process.communicate(timeout=LIMIT_S)
    # Ended by the signal, so that a waiting script or shell ends as well.
    assert (process.returncode, out, len(err.splitlines())) == (-number, "", 1)
    assert "interrupted" in err and names_in(tmp_path) == []


def test_a_hangup_that_the_parent_ignores_does_not_end_it(tmp_path):
    ignore = lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    process = begun(tmp_path, "--seconds", 60, tmp_path / "a.flac", preexec_fn=ignore)
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0 and names_in(tmp_path) == ["a.flac"]


def test_a_terminal_is_shown_how_far_it_is(tmp_path):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command("--seconds", 1_000_000, tmp_path / "a.flac"), env=clean_environment(), stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = ""

    def drawn_twice():
        nonlocal shown
        shown += os.read(ours, 4_096).decode()
        return len(re.findall(r"\r\[#*\.+\] +\d+ %  \d+ times real time  [\d:]+ left\x1b\[K", shown)) >= 2

    eventually(drawn_twice, "two lines of progress")
    process.terminate()
    assert process.wait(LIMIT_S) == -signal.SIGTERM
    rest = ""
    with contextlib.suppress(OSError):  # EIO: all is read
        while piece := os.read(ours, 4_096):
            rest += piece.decode()
    os.close(ours)
    # The line is cleared before other output.
    assert "\n" not in shown and re.search(r"\r\x1b\[Kauralis-render: interrupted", rest)


def test_help_and_version():
    result = run("--help")
    assert (result.returncode, result.stderr) == (0, "")
    for option in ("--link", "--preset", "--melody-complexity", "--kicks", "--stems", "--at", "--force", ".flac"):
        assert option in result.stdout
    result = run("--version")
    assert (result.returncode, result.stderr) == (0, "")
    assert re.fullmatch(r"auralis-render \d+\.\d+\.\d+\n", result.stdout)


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
