# SPDX-License-Identifier: MIT
"""Runs of auralis-render, and the sound files that it writes."""

import array
import ctypes
import os
import subprocess

from auralis import binary, clean_environment

LIMIT_S = 120
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
