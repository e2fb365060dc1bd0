#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Prints the completion of a program for bash or zsh, made from its --help."""

import argparse
import dataclasses
import pathlib
import re
import subprocess

OPTION = re.compile(r"^  (?:(-\w),)?(--[\w-]+)(?: ([A-Z]+))?(?: +(\S.*))?$")
POSITIONAL = re.compile(r"^  ([A-Z]+)(?: {2,}(.*))?$")
# An enumeration that ends its part of the sentence: "auto, text or json."
CHOICES = re.compile(r"(?:^|: |Must be )((?:[\w.#-]+, )*[\w.#-]+ or [\w.#-]+)(?=[.;]|$)")

# compopt: folders are completed with a slash; it works only where the shell itself completes.
BASH_NAMES = 'compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen {} -- "$word")'


@dataclasses.dataclass
class Argument:
    names: list  # of an option; a positional has none
    value: str  # what stands for its value in the help; empty for a flag
    text: str

    def choices(self):
        match = CHOICES.search(self.text) if self.names and self.value else None
        return re.split(", | or ", match[1].rstrip(".")) if match else []

    def is_folder(self):
        return self.value == "DIR" or bool(self.value) and self.text.startswith("Folder")

    def is_file(self):
        return self.value == "FILE" or bool(self.value) and "absolute path" in self.text


def arguments_of(program):
    output = subprocess.run([program, "--help"], check=True, capture_output=True, text=True).stdout
    found = []
    for line in output.splitlines():
        if match := OPTION.match(line):
            found.append(Argument([name for name in match.group(1, 2) if name], match[3] or "", match[4] or ""))
        elif match := POSITIONAL.match(line):
            found.append(Argument([], match[1], match[2] or ""))
        elif found and re.match(r" {20,}\S", line):
            found[-1].text = f"{found[-1].text} {line.strip()}".strip()
    return found


def bash(name, arguments):
    function = "_" + name.replace("-", "_")
    cases, others = [], []
    for argument in arguments:
        if not argument.names or not argument.value:
            continue
        if argument.choices():
            does = f"""mapfile -t COMPREPLY < <(compgen -W '{" ".join(argument.choices())}' -- "$word")"""
        elif argument.is_folder():
            does = BASH_NAMES.format("-d")
        elif argument.is_file():
            does = BASH_NAMES.format("-f")
        else:
            others += argument.names
            continue
        cases.append(f"    {' | '.join(argument.names)}) {does} ;;")
    if others:
        cases.append(f"    {' | '.join(others)}) COMPREPLY=() ;;")
    names = " ".join(name for argument in arguments for name in argument.names if name.startswith("--"))
    takes_file = any(not argument.names and argument.is_file() for argument in arguments)
    other = BASH_NAMES.format("-f") if takes_file else "COMPREPLY=()"
    return "\n".join(
        [
            f"# Completion of {name} for bash, made from its --help.",
            f"{function}() {{",
            "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}",
            "  # An option and its value may be joined by =, which is a word of its own here.",
            '  if [ "$word" = "=" ]; then',
            "    word=",
            '  elif [ "$before" = "=" ]; then',
            "    before=${COMP_WORDS[COMP_CWORD - 2]}",
            "  fi",
            '  case "$before" in',
            *cases,
            "    *)",
            '      if [[ "$word" == -* ]]; then',
            f"""        mapfile -t COMPREPLY < <(compgen -W '{names}' -- "$word")""",
            "      else",
            f"        {other}",
            "      fi",
            "      ;;",
            "  esac",
            "}",
            f"complete -F {function} {name}",
        ]
    )


def zsh_text(text):
    """The first sentence, within the brackets of a specification that is quoted."""
    first = re.split(r"[.;] ", text)[0].rstrip(".;")
    return re.sub(r"([\[\]\\])", r"\\\1", first).replace("'", "'\\''")


def zsh_action(argument):
    if argument.choices():
        return "(" + " ".join(choice.replace("#", "\\#") for choice in argument.choices()) + ")"
    return "_files -/" if argument.is_folder() else "_files" if argument.is_file() else " "


def zsh(name, arguments):
    specifications = []
    for argument in arguments:
        message = f":{argument.value}:{zsh_action(argument)}" if argument.value else ""
        text = zsh_text(argument.text)
        if not argument.names:
            specifications.append(f"'1{message}'")
        elif len(argument.names) > 1:
            exclusive = " ".join(argument.names)
            specifications.append(f"'({exclusive})'{{{','.join(argument.names)}}}'[{text}]{message}'")
        else:
            specifications.append(f"'{argument.names[0]}{'=' if argument.value else ''}[{text}]{message}'")
    return "\n".join(
        [
            f"#compdef {name}",
            f"# Completion of {name} for zsh, made from its --help.",
            "_arguments \\",
            " \\\n".join(f"  {specification}" for specification in specifications),
        ]
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shell", choices=("bash", "zsh"), required=True)
    parser.add_argument("program", type=pathlib.Path, help="the built program")
    options = parser.parse_args()
    arguments = arguments_of(options.program)
    if not any(argument.names for argument in arguments):
        raise SystemExit(f"completion: no options found in what {options.program} --help prints")
    print({"bash": bash, "zsh": zsh}[options.shell](options.program.name, arguments))


if __name__ == "__main__":
    main()
