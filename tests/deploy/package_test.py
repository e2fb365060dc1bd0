# SPDX-License-Identifier: MIT
"""The Debian packages: what they hold, and that dpkg installs, upgrades, removes and purges them. Into a folder, so nothing is
started: how they play is tried in containers."""

import gzip
import hashlib
import json
import os
import pathlib
import re
import stat
import subprocess
import tempfile
import unittest
import urllib.parse

import staging

BUILD_DIR = pathlib.Path(os.environ["BUILD_DIR"])
PROGRAMS = {
    "auralis": ("synthd", "streamd", "metricsd", "auralis-probe", "auralis-ticket", "auralis-top"),
    "auralis-tools": ("auralis-load", "auralis-render"),
}
SCRIPTS = ("postinst", "postrm", "prerm")
TIME = "1700000000"
PACKAGES = {}


def run(*command, **options):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True, **options).stdout


def files_of(folder):
    """What is in a folder, by its path there."""
    return {str(path.relative_to(folder)): path for path in folder.rglob("*")}


def options_of(help_text):
    return re.findall(r"(?m)^  (?:-\w,)?(--[\w-]+)", help_text)


def setUpModule():
    """Makes the packages of the release build, in PACKAGES by name. What takes long is done for the small one alone: finding
    the libraries that it depends on, and splitting off its debug symbols."""
    settings = {
        "CPACK_DEBIAN_COMPRESSION_TYPE": "none",
        "CPACK_DEBIAN_PACKAGE_SHLIBDEPS": "OFF",
        "CPACK_DEBIAN_AURALIS-TOOLS_PACKAGE_SHLIBDEPS": "ON",
        "CPACK_DEBIAN_DEBUGINFO_PACKAGE": "OFF",
        "CPACK_DEBIAN_AURALIS-TOOLS_DEBUGINFO_PACKAGE": "ON",
    }
    folder = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(folder.cleanup)
    definitions = [word for name, value in settings.items() for word in ("-D", f"{name}={value}")]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": TIME}
    run("cpack", "--config", BUILD_DIR / "CPackConfig.cmake", "-B", folder.name, *definitions, env=environment)
    PACKAGES.update((name, next(pathlib.Path(folder.name).glob(f"{name}_*.deb"))) for name in PROGRAMS)


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.folder = pathlib.Path(folder)
        cls.content = {name: cls.folder / "content" / name for name in PROGRAMS}
        for name, deb in PACKAGES.items():
            cls.content[name].mkdir(parents=True)
            run("dpkg-deb", "--raw-extract", deb, cls.content[name])
        cls.help = {
            program: (name, run(cls.content[name] / "usr/bin" / program, "--help"))
            for name, programs in PROGRAMS.items()
            for program in programs
        }

    def field(self, name, field):
        return run("dpkg-deb", "-f", PACKAGES[name], field).strip()

    def test_each_program_is_in_its_package_and_has_the_packages_version(self):
        for name, programs in PROGRAMS.items():
            folder = self.content[name] / "usr/bin"
            self.assertEqual({path.name for path in folder.iterdir()}, set(programs))
            for program in programs:
                with self.subTest(program=program):
                    self.assertEqual(run(folder / program, "--version"), f"{program} {self.field(name, 'Version')}\n")

    def test_all_that_cmake_installs_is_in_one_of_the_packages(self):
        with tempfile.TemporaryDirectory() as stage:
            installed = {path for path, file in files_of(staging.install(stage)).items() if file.is_file()}
        packaged = [path for content in self.content.values() for path, file in files_of(content).items() if file.is_file()]
        self.assertEqual(installed - set(packaged), set())
        doubles = {path for path in packaged if packaged.count(path) > 1 and not path.startswith("DEBIAN/")}
        self.assertEqual(doubles, set())

    def test_files_and_folders_have_the_modes_that_debian_wants(self):
        for content in self.content.values():
            for path, file in files_of(content).items():
                is_program = path.startswith(("usr/bin/", "usr/lib/systemd/system-generators/")) or path.startswith("DEBIAN/") and file.name in SCRIPTS
                wanted = 0o755 if file.is_dir() or is_program else 0o644
                self.assertEqual(oct(stat.S_IMODE(file.lstat().st_mode)), oct(wanted), path)

    def test_no_text_names_a_folder_of_the_build(self):
        for content in self.content.values():
            for path, file in files_of(content).items():
                if file.is_file() and not path.startswith("usr/bin/"):
                    data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
                    for folder in (BUILD_DIR, staging.SOURCE_DIR, PACKAGES["auralis"].parent):
                        self.assertNotIn(os.fsencode(folder), data, path)

    def test_a_package_depends_on_the_libraries_of_its_own_programs(self):
        needed = re.findall(r"NEEDED +(\S+)", run("objdump", "-p", self.content["auralis-tools"] / "usr/bin/auralis-render"))
        self.assertIn("libsndfile.so.1", needed)
        depends = self.field("auralis-tools", "Depends")
        self.assertIn("libsndfile1 ", depends)
        self.assertNotIn("libzmq", depends)
        self.assertNotIn("systemd |", depends)

    def test_the_configuration_is_a_conffile_with_every_key_commented(self):
        content = self.content["auralis"]
        conffiles = (content / "DEBIAN/conffiles").read_text("utf-8").split()
        self.assertEqual(set(conffiles), {f"/etc/{path}" for path, file in files_of(content / "etc").items() if file.is_file()})
        config = (content / "etc/auralis/auralis.toml").read_text("utf-8")
        self.assertEqual([line for line in config.splitlines() if line and not re.match(r"#|\[\w+\]$", line)], [])
        clean = {key: value for key, value in os.environ.items() if not key.startswith("AURALIS_")}
        printed = run(content / "usr/bin/synthd", "--config", "/dev/null", "--print-config", env=clean)
        self.assertEqual(config, printed)

    def test_the_changelog_and_the_copyright_are_where_debian_wants_them(self):
        for name in PROGRAMS:
            folder = self.content[name] / "usr/share/doc" / name
            changelog = gzip.decompress((folder / "changelog.gz").read_bytes()).decode()
            self.assertTrue(changelog.startswith(f"auralis ({self.field(name, 'Version')}) "), changelog)
            licence = " ".join((staging.SOURCE_DIR / "LICENSE").read_text("utf-8").split("\n\n", 2)[2].split())
            stated = re.sub(r"(?m)^ \.$", "", (folder / "copyright").read_text("utf-8"))
            self.assertIn(licence, " ".join(stated.split()))

    def test_a_man_page_has_every_option_of_its_program(self):
        for program, (name, text) in self.help.items():
            with self.subTest(program=program):
                (page,) = (self.content[name] / "usr/share/man").glob(f"man[18]/{program}.[18].gz")
                plain = re.sub(r"\\f.", "", gzip.decompress(page.read_bytes()).decode()).replace("\\-", "-")
                documented = re.findall(r"(?m)^\.TP\n(?:-\w,)?(--[\w-]+)", plain)
                self.assertEqual(documented, options_of(text))
                what = text.split(".\n", 1)[0]
                self.assertIn(f"{program} - {what[0].lower()}{what[1:]}\n", plain)

    def test_bash_completes_every_option_and_the_values_that_a_program_knows(self):
        lines, expected = [], []
        for program, (name, text) in self.help.items():
            lines.append(f". {self.content[name]}/usr/share/bash-completion/completions/{program}")
            lines.append(f"at {program} --")
            expected.append(" ".join(options_of(text)))
        for words, reply in {
            ("synthd", "--engine", ""): "auto opencl native",
            ("synthd", "--engine", "=", "na"): "native",
            ("auralis-render", "--key", "C"): "C C#",
            ("auralis-load", "--protocol", "auralis.o"): "auralis.opus.v1",
            ("streamd", "--control-by", "="): "listeners operators",
            ("streamd", "--port", ""): "",
            ("streamd", "--config", "/etc/host"): " ".join(map(str, pathlib.Path("/etc").glob("host*"))),
        }.items():
            lines.append("at " + " ".join(f"'{word}'" for word in words))
            expected.append(reply)
        # As the shell does it: it calls the function that `complete` named, with the words in an array.
        at = """at() {
          local function=$(complete -p "$1")
          function=${function#*-F }
          COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
          ${function% *}
          echo "${COMPREPLY[*]}"
        }"""
        replies = run("bash", "-c", "\n".join((at, *lines))).splitlines()
        self.assertEqual([sorted(reply.split()) for reply in replies], [sorted(reply.split()) for reply in expected])

    def test_zsh_completes_every_option_and_the_values_that_a_program_knows(self):
        expected = {f"{program} --": options_of(text) for program, (_, text) in self.help.items()}
        expected["synthd --engine="] = ["auto", "native", "opencl"]
        expected["auralis-render --key C"] = ["C", "C#"]
        expected["streamd --config /etc/hos"] = [path.name for path in pathlib.Path("/etc").glob("hos*")]
        folders = [content / "usr/share/zsh/vendor-completions" for content in self.content.values()]
        script = pathlib.Path(__file__).with_name("zsh_offers.zsh")
        offers = run("zsh", "-f", script, *folders, input="".join(f"{line}\n" for line in expected), timeout=60).splitlines()
        for line, offered in zip(expected, offers, strict=True):
            self.assertEqual(sorted(offered.split()), sorted(expected[line]), line)

    def test_every_daemon_accepts_the_examples(self):
        content = self.content["auralis"]
        example = content / "usr/share/doc/auralis/examples/stations.toml"
        for daemon in staging.DAEMONS:
            run(content / "usr/bin" / daemon, "--config", example, "--check-config")

    def test_the_monitoring_pack_is_what_the_repository_has_for_operators(self):
        pack = self.content["auralis"] / "usr/share/auralis/monitoring"
        packed = {path for path, file in files_of(pack).items() if file.is_file()}
        known = run("git", "ls-files", cwd=staging.SOURCE_DIR / "monitoring").split()
        unwanted = re.compile(r"Dockerfile|\.dockerignore|grafana/source/|prometheus/tests/")
        self.assertEqual(packed, {path for path in known if not unwanted.match(path)})

    def test_debug_symbols_are_apart(self):
        (symbols,) = PACKAGES["auralis-tools"].parent.glob("auralis-tools-dbgsym_*.ddeb")
        self.assertEqual(run("dpkg-deb", "-f", symbols, "Depends"), f"auralis-tools (= {self.field('auralis', 'Version')})\n")
        contents = run("dpkg-deb", "--contents", symbols)
        for program in PROGRAMS["auralis-tools"]:
            file = self.content["auralis-tools"] / "usr/bin" / program
            self.assertNotIn(".symtab", run("readelf", "--sections", file))
            build_id = re.search(r"Build ID: (..)(\w+)", run("readelf", "--notes", file))
            self.assertIn(f"/usr/lib/debug/.build-id/{build_id[1]}/{build_id[2]}.debug\n", contents)

    def test_the_bill_of_materials_is_what_cyclonedx_requires_and_lists_every_dependency(self):
        deb = PACKAGES["auralis-tools"]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": TIME}
        bill = json.loads(run(staging.SOURCE_DIR / "packaging/sbom.py", deb, BUILD_DIR, env=environment))
        self.assertEqual((bill["bomFormat"], bill["specVersion"], bill["version"]), ("CycloneDX", "1.5", 1))
        self.assertRegex(bill["serialNumber"], r"^urn:uuid:[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$")
        self.assertEqual(bill["metadata"]["timestamp"], "2023-11-14T22:13:20Z")
        whole = bill["metadata"]["component"]
        self.assertEqual([whole[key] for key in ("type", "name")], ["application", "auralis-tools"])
        self.assertEqual(whole["version"], self.field("auralis-tools", "Version"))
        self.assertEqual(whole["hashes"], [{"alg": "SHA-256", "content": hashlib.sha256(deb.read_bytes()).hexdigest()}])

        parts = [whole, *bill["components"]]
        for part in parts:
            self.assertIn(part["type"], ("application", "library"))
            name = re.escape(urllib.parse.quote(part["name"]))
            self.assertRegex(part["purl"], rf"^pkg:deb/debian/{name}@\S+\?arch=\w+&distro=debian-\d+$")
            self.assertEqual(part["bom-ref"], part["purl"])
        references = [part["bom-ref"] for part in parts]
        self.assertEqual(len(set(references)), len(references))
        edges = {edge["ref"]: edge["dependsOn"] for edge in bill["dependencies"]}
        self.assertEqual(sorted(edges), sorted(references))
        for needed in edges.values():
            self.assertEqual(set(needed) - set(references), set())
            self.assertEqual(len(set(needed)), len(needed))

        # Libraries that are linked and what they depend on in turn, in the versions installed here; and headers that are compiled in.
        listed = {part["name"]: part["version"] for part in parts}
        self.assertGreater(len(edges[whole["bom-ref"]]), len(self.field("auralis-tools", "Depends").split(", ")))
        for name in ("libc6", "libsndfile1", "libogg0", "libcli11-dev", "libjs-dygraphs", "node-qrcode-generator"):
            self.assertEqual(listed[name], run("dpkg-query", "-W", "-f", "${Version}", f"{name}").strip(), name)


class InstalledPackage(unittest.TestCase):
    """By dpkg into a folder, with the package's own scripts."""

    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.folder = pathlib.Path(folder)
        cls.deb = PACKAGES["auralis"]
        content = cls.folder / "older"
        run("dpkg-deb", "--raw-extract", cls.deb, content)
        control = content / "DEBIAN/control"
        control.write_text(re.sub(r"(?m)^Version: .*", "Version: 0.0.1", control.read_text("utf-8")), "utf-8")
        cls.older_deb = cls.folder / "older.deb"
        run("fakeroot", "dpkg-deb", "-Znone", "--build", content, cls.older_deb)

    def setUp(self):
        root = tempfile.TemporaryDirectory()
        self.addCleanup(root.cleanup)
        self.root = pathlib.Path(root.name)
        for folder in ("etc", "run", "var/cache", "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/systemd"):
            (self.root / folder).mkdir(parents=True)
        for file in ("etc/passwd", "etc/group", "var/lib/dpkg/available", "var/lib/dpkg/status"):
            (self.root / file).touch()
        self.enabled = self.root / "etc/systemd/system/multi-user.target.wants/auralis.target"
        self.config = self.root / "etc/auralis/auralis.toml"

    def dpkg(self, *arguments):
        forced = ("script-chrootless", "depends", "bad-path", "confold")
        result = subprocess.run(
            ["fakeroot", "dpkg", f"--root={self.root}", "--log=/dev/null", *(f"--force-{what}" for what in forced), *arguments],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def left(self):
        own = ("var/lib/dpkg", "etc/passwd", "etc/group", "etc/shadow", "etc/gshadow", "etc/.pwd.lock")  # dpkg's, and the user
        return [path for path, file in files_of(self.root).items() if not file.is_dir() and not path.startswith(own)]

    def test_the_target_is_enabled_but_not_the_probe_and_there_is_a_user(self):
        self.dpkg("-i", self.deb)
        self.assertEqual(os.readlink(self.enabled), "/usr/lib/systemd/system/auralis.target")
        self.assertEqual([path.name for path in (self.root / "etc/systemd/system").rglob("*") if path.is_symlink()], ["auralis.target"])
        self.assertIn("auralis:", (self.root / "etc/passwd").read_text("utf-8"))
        self.assertTrue((self.root / "run/auralis").is_dir())

    def test_an_upgrade_and_a_downgrade_keep_what_the_administrator_changed(self):
        self.dpkg("-i", self.older_deb)
        self.config.write_text("[streamd]\nport = 8001\n", "utf-8")
        self.enabled.unlink()
        for deb in (self.deb, self.older_deb):
            self.dpkg("-i", deb)
            self.assertEqual(self.config.read_text("utf-8"), "[streamd]\nport = 8001\n")
            self.assertFalse(self.enabled.is_symlink())

    def test_a_removed_package_keeps_its_configuration_and_a_purged_one_leaves_nothing(self):
        self.dpkg("-i", self.deb)
        for made in ("etc/auralis/ticket.key", "var/cache/auralis/pocl/kernel", "run/auralis/synthd/audio"):
            (self.root / made).parent.mkdir(parents=True, exist_ok=True)
            (self.root / made).touch()
        self.dpkg("-r", "auralis")
        self.assertTrue(self.config.is_file())
        self.assertEqual([path for path in self.left() if path.startswith("usr/")], [])
        self.dpkg("-P", "auralis")
        self.assertEqual(self.left(), [])


if __name__ == "__main__":
    unittest.main()
