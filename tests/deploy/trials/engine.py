# SPDX-License-Identifier: MIT
"""Containers of Docker's engine, and images made of nothing but Debian's packages: none is pulled."""

import contextlib
import http.client
import io
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile
import time

SOURCE_DIR = pathlib.Path(__file__).resolve().parents[3]
LABEL = "auralis-trial"  # of all containers made here: the process that did
COMMAND_LIMIT_S = 1500  # a build included


SOCKET = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")


class CommandError(Exception):
    pass


def run(command, limit_s=COMMAND_LIMIT_S, check=True, **options):
    """Runs a command to its end; its standard output. Fails with all that it said."""
    result = subprocess.run(
        [*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=limit_s, check=False, **options
    )
    if check and result.returncode != 0:
        raise CommandError(f"status {result.returncode} of {' '.join(map(str, command))[:500]}\n{result.stdout[-6000:]}")
    return result.stdout


def docker(*arguments, **options):
    return run(["docker", *arguments], **options)


def has_image(name):
    return bool(docker("image", "ls", "--quiet", name).strip())


def mirror():
    """Where this machine's packages of Debian come from."""
    targets = run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(SUITE)$(RELEASE)", "Created-By: Packages"])
    for line in targets.splitlines():
        address, names = line.split(" ", 1)
        if "security" not in names and "security" not in address and re.search("stable|bookworm|trixie", names):
            return address
    raise CommandError(f"apt knows no repository of Debian:\n{targets}")


def make_base(release, name):
    """The image `name`: what Debian's own slim images hold, about."""
    with tempfile.TemporaryDirectory(prefix="auralis-trial-", dir="/var/tmp") as folder:
        root = pathlib.Path(folder, "root")
        run(["debootstrap", "--variant=minbase", release, root, mirror()])
        # As Debian's own: what is lost with the power, a container would not outlive anyway.
        pathlib.Path(root, "etc/dpkg/dpkg.cfg.d/docker-apt-speedup").write_text("force-unsafe-io\n", encoding="utf-8")
        with subprocess.Popen(["tar", "-C", root, "--one-file-system", "-c", "."], stdout=subprocess.PIPE) as archive:
            docker("import", "-", name, stdin=archive.stdout)


def tree():
    """This working tree as a tar archive: what git knows, and what it would."""
    names = run(["git", "-C", SOURCE_DIR, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]).split("\0")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name in filter(None, names):
            if (SOURCE_DIR / name).exists():
                tar.add(SOURCE_DIR / name, name, recursive=False)
    return archive.getvalue()


class Container:
    """As a context manager: runs until the end of the context, and is removed."""

    def __init__(self, image, *options, command=("sleep", "infinity")):
        self.id = docker("run", "--detach", "--label", f"{LABEL}={os.getpid()}", *options, image, *command).split()[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        docker("rm", "--force", "--volumes", self.id)

    def sh(self, script, **options):
        """Runs it in bash, and returns what it said."""
        return docker("exec", self.id, "bash", "-euo", "pipefail", "-c", script, **options)

    def begin(self, script):
        """Runs it in the background."""
        docker("exec", "--detach", self.id, "bash", "-c", script)

    def unpack(self, archive, folder):
        command = ["docker", "exec", "--interactive", self.id, "sh", "-c", f"mkdir -p {folder} && tar -x -C {folder}"]
        subprocess.run(command, input=archive, check=True)

    def copy_out(self, path, folder):
        docker("cp", f"{self.id}:{path}", folder)

    def copy_in(self, path, folder):
        docker("cp", path, f"{self.id}:{folder}")

    def address(self):
        return docker("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", self.id).strip()

    def commit(self, image):
        docker("commit", self.id, image)


def eventually(probe, what, limit_s=120):
    """Calls `probe` until it returns something true, and returns that."""
    began = time.monotonic()
    while True:
        with contextlib.suppress(CommandError, OSError, http.client.HTTPException):
            if seen := probe():
                return seen
        assert time.monotonic() - began < limit_s, f"waited {limit_s} s in vain: {what}"
        time.sleep(0.5)


def blocks(document, trial):
    """The commands of a document's blocks that are marked `tested=trial`."""
    text = (SOURCE_DIR / document).read_text(encoding="utf-8")
    found = re.findall(rf"^```sh tested={re.escape(trial)}\n(.*?)^```$", text, re.M | re.S)
    assert found, f"{document} has no block marked tested={trial}"
    return "\n".join(found)


def why_unavailable():
    """Why no container can run here; nothing if one can."""
    if not shutil.which("docker"):
        return "docker is not installed"
    result = subprocess.run(["docker", "info"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return None if result.returncode == 0 else f"the engine does not answer: {result.stdout.strip().splitlines()[-1]}"
