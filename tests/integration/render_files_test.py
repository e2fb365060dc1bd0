# SPDX-License-Identifier: MIT
"""The files of auralis-render: their formats, that none replaces another unasked, and that no partial file is ever left;
and its messages."""

import array
import contextlib
import os
import pty
import re
import resource
import signal
import subprocess
import wave

import pytest

from auralis import clean_environment, eventually
from rendering import (
    AUDIBLE,
    FLAC_16,
    FLAC_24,
    LIMIT_S,
    LIVELY,
    VORBIS,
    WAV_16,
    WAV_24,
    Sound,
    command,
    names_in,
    refusal,
    render,
    run,
)


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


def test_opus_is_the_same_in_a_file_and_on_the_standard_output(tmp_path):
    render("--seconds", 3, "--seed", 7, tmp_path / "a.opus")
    words = command("--seconds", 3, "--seed", 7, "--background", "-")
    result = subprocess.run(words, env=clean_environment(), capture_output=True, timeout=LIMIT_S, check=True)
    assert result.stdout == (tmp_path / "a.opus").read_bytes()
    assert result.stdout[:4] == b"OggS"
    assert result.stderr.startswith(b"-: 0:03 of music in ")
    assert Sound(tmp_path / "a.opus").frames / 48_000 == pytest.approx(3, abs=0.06)


def test_a_fade_begins_and_ends_in_silence(tmp_path):
    render("--seconds", 6, "--fade", 2, *LIVELY, tmp_path / "faded.wav")
    render("--seconds", 6, *LIVELY, tmp_path / "plain.wav")
    with wave.open(str(tmp_path / "faded.wav")) as faded, wave.open(str(tmp_path / "plain.wav")) as plain:
        quiet, loud = (array.array("h", file.readframes(file.getnframes())) for file in (faded, plain))
    assert max(map(abs, quiet[:100])) < 20 and max(map(abs, quiet[-100:])) < 20 < max(map(abs, loud[-100:]))
    assert quiet[4 * 44_100 : 8 * 44_100] == loud[4 * 44_100 : 8 * 44_100]


def test_a_wav_is_one_to_others_too(tmp_path):
    render("--seconds", 2, tmp_path / "a.wav")
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (44_100, 2, 2)
        assert file.getnframes() == 88_200
        assert len(file.readframes(88_200)) == 88_200 * 4


def test_a_file_has_the_permissions_of_the_umask(tmp_path):
    render("--seconds", 1, tmp_path / "a.wav", umask=0o027)
    assert (tmp_path / "a.wav").stat().st_mode & 0o777 == 0o640


def test_the_stem_of_ogg_and_of_24_bits_are_files_too(tmp_path):
    render("--stems", "--seconds", 2, tmp_path / "a.ogg")
    render("--stems", "--seconds", 2, "--bits", 24, tmp_path / "a.flac")
    assert Sound(tmp_path / "a-lead.ogg").frames == Sound(tmp_path / "a-lead.flac").frames == 88_200


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
        (["a.mp3"], r"a\.mp3.* \.wav, \.flac, \.ogg or \.opus"),
        (["wav"], r"\.wav, \.flac, \.ogg or \.opus"),
        ([".wav"], r"\.wav, \.flac, \.ogg or \.opus"),
        (["two\nlines"], r"two\\nlines.* \.wav, \.flac, \.ogg or \.opus"),
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
        (["a.wav", "--device", "0"], "--device needs --engine opencl"),
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
