#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Prints the software bill of materials of a Debian package that was built on this machine, as CycloneDX 1.5 in JSON.

It lists the packages that it depends on, with all that these depend on, in the versions installed here; and the packages whose
headers and scripts were compiled into its programs or others of the same build, by what the build recorded.
"""

import argparse
import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import urllib.parse
import uuid

ONE = re.compile(r"([a-z0-9][a-z0-9+.-]*)")
FIELDS = ("Package", "Version", "Architecture", "Pre-Depends", "Depends", "Provides")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def installed_packages():
    """What is installed here, by name and by the names that it provides."""
    form = "".join(f"${{{field}}}\t" for field in FIELDS) + "${db:Status-Status}\n"
    rows = [line.split("\t") for line in run("dpkg-query", "-W", "-f", form).splitlines()]
    packages = [dict(zip(FIELDS, row)) for row in rows if row[-1] == "installed"]
    provided = {name: package for package in packages for name in ONE.findall(re.sub(r"\(.*?\)", "", package["Provides"]))}
    return provided | {package["Package"]: package for package in packages}


def names_needed(fields):
    """A list of alternatives for each dependency."""
    clauses = filter(None, (clause.strip() for field in ("Pre-Depends", "Depends") for clause in fields[field].split(",")))
    return [[ONE.match(alternative.strip())[1] for alternative in clause.split("|")] for clause in clauses]


def with_dependencies(names, installed):
    """The packages of these names, and all that they depend on, by name; each with the names that it depends on."""
    found = {}
    waiting = list(names)
    while waiting:
        package = installed[waiting.pop()]
        if package["Package"] not in found:
            needed = chosen(names_needed(package), installed)
            found[package["Package"]] = (package, needed)
            waiting += needed
    return found


def chosen(clauses, installed):
    """The alternative of each dependency that is installed here. Where none is, the package was built where it would not run."""
    known = (next((name for name in clause if name in installed), None) for clause in clauses)
    return sorted({installed[name]["Package"] for name in known if name})


def compiled_in(build):
    """Names of the packages whose files the build's objects were made of."""
    recorded = run("ninja", "-C", str(build), "-t", "deps") + run("ninja", "-C", str(build), "-t", "inputs", "all")
    paths = {line.strip() for line in recorded.splitlines() if line.strip().startswith("/usr/")}
    if not paths:
        raise SystemExit(f"sbom: {build} has no record of what was compiled; build it first")
    # Fails where one file is of no package, but names the others.
    owners = subprocess.run(["dpkg-query", "-S", *sorted(paths)], check=False, capture_output=True, text=True).stdout
    return {name.split(":")[0] for line in owners.splitlines() for name in line.rsplit(": ", 1)[0].split(", ")}


def release():
    fields = dict(line.split("=", 1) for line in pathlib.Path("/etc/os-release").read_text("utf-8").splitlines() if "=" in line)
    return f"{fields['ID']}-{fields['VERSION_ID']}".replace('"', "")


def component(name, version, architecture, kind="library"):
    purl = f"pkg:deb/debian/{urllib.parse.quote(name, safe='')}@{urllib.parse.quote(version, safe=':')}?arch={architecture}&distro={release()}"
    return {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl}


def bill(deb, build):
    fields = {field: run("dpkg-deb", "-f", str(deb), field).strip() for field in FIELDS}
    content = hashlib.sha256(deb.read_bytes()).hexdigest()
    installed = installed_packages()
    needed_at_run_time = chosen(names_needed(fields), installed)
    headers = {name: (installed[name], []) for name in compiled_in(build)}
    parts = headers | with_dependencies(needed_at_run_time, installed)
    direct = sorted({*needed_at_run_time, *headers})
    components = {
        name: component(name, package["Version"], package["Architecture"]) for name, (package, _) in sorted(parts.items())
    }
    whole = component(fields["Package"], fields["Version"], fields["Architecture"], "application")
    whole["hashes"] = [{"alg": "SHA-256", "content": content}]
    built = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    edges = [(whole, direct)] + [(components[name], needed) for name, (_, needed) in sorted(parts.items())]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, content)}",
        "version": 1,
        "metadata": {"timestamp": built.strftime("%Y-%m-%dT%H:%M:%SZ"), "component": whole},
        "components": list(components.values()),
        "dependencies": [
            {"ref": part["bom-ref"], "dependsOn": [components[name]["bom-ref"] for name in needed]} for part, needed in edges
        ],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("deb", type=pathlib.Path, help="the package")
    parser.add_argument("build", type=pathlib.Path, help="the folder that it was built in, by Ninja")
    options = parser.parse_args()
    print(json.dumps(bill(options.deb, options.build), indent=2))


if __name__ == "__main__":
    main()
