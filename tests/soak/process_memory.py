# SPDX-License-Identifier: MIT
"""A process as the kernel reports it: its resident memory by kind, its descriptors and threads."""

import os
import pathlib
import re

KINDS = ("anonymous", "heap", "mapped", "file", "shmem")  # heap and mapped are parts of anonymous
_MAPPING = re.compile(r"[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+ *(.*)")


def by_kind(smaps, status):
    """Kinds in KiB from the texts of /proc/PID/smaps and status. Malloc's main arena is `heap`; `mapped` are its other
    arenas, its large blocks, and the threads' stacks. Both files are read one after the other, so that sums may differ."""
    kinds = {"anonymous": 0, "heap": 0, "mapped": 0}
    name = ""
    for line in smaps.splitlines():
        mapping = _MAPPING.fullmatch(line)
        if mapping:
            name = mapping[1]
        elif line.startswith("Anonymous:"):
            kib = int(line.split()[1])
            kinds["anonymous"] += kib
            if name == "[heap]":
                kinds["heap"] += kib
            elif not name.startswith("/"):
                kinds["mapped"] += kib
    for kind, field in (("file", "RssFile"), ("shmem", "RssShmem")):
        kinds[kind] = int(re.search(rf"^{field}:\s*(\d+) kB$", status, re.MULTILINE)[1])
    return kinds


def sample(pid):
    """Kinds in KiB, and the numbers of descriptors and threads; None if the process has ended."""
    process = pathlib.Path(f"/proc/{pid}")
    try:
        status = (process / "status").read_text()
        return {
            **by_kind((process / "smaps").read_text(), status),
            "descriptors": len(os.listdir(process / "fd")),
            "threads": int(re.search(r"^Threads:\s*(\d+)$", status, re.MULTILINE)[1]),
        }
    except (OSError, TypeError):
        return None  # a zombie has a status without memory
