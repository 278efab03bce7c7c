"""Builds that are wrong on purpose: source files with a patch, compiled and linked as the
build of today was, in front of the libraries that hold the right ones."""

import os
import pathlib
import re
import shlex
import shutil
import subprocess

from stack import TREE

BUILD = TREE / "build" / "chaos"
PATCHES = pathlib.Path(__file__).resolve().parent / "defects"
PROGRAM = "smsq-worker"
MAIN = "worker/send/main.c"


def run(command, cwd):
    done = subprocess.run(command, cwd=cwd, shell=isinstance(command, str), timeout=120,
                          capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def build(name, folder):
    """Returns a folder with all programs, of which the worker has this defect."""
    patch = (PATCHES / f"{name}.patch").read_text()
    paths = re.findall(r"^\+\+\+ b/(\S+)", patch, re.MULTILINE)
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(TREE / path, folder / path)
    run(["patch", "-p1", "-F1", "-i", PATCHES / f"{name}.patch"], folder)
    commands = run(["ninja", "-t", "commands", PROGRAM], BUILD).splitlines()
    compiled = [folder / path.replace("/", "-").replace(".c", ".o") for path in paths]
    for path, target in zip(paths, compiled):
        run(_compile(commands, TREE / path, folder / path, target), BUILD)
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    for program in (BUILD / "bin").iterdir():
        if program.name != PROGRAM:
            os.symlink(program, bin_folder / program.name)
    run(_link(commands, compiled, bin_folder / PROGRAM), BUILD)
    return bin_folder


def _compile(commands, original, source, target):
    """The command that compiles the original, for the source; it writes no dependencies."""
    (line,) = [line for line in commands if line.endswith(f" -c {original}")]
    words = shlex.split(line)
    words[words.index("-o") + 1] = str(target)
    words[-1] = str(source)
    words[words.index("-MF") + 1] = str(target.with_suffix(".d"))
    return [*words[:-2], f"-I{original.parent}", *words[-2:]]


def _link(commands, compiled, target):
    (line,) = [line for line in commands if f" -o bin/{PROGRAM} " in line]
    objects = " ".join(map(str, compiled))
    line = line.replace(f" -o bin/{PROGRAM} ", f" {objects} -o {target} ")
    return line.split(f"&& cd {BUILD}")[0].removesuffix("&& :").rstrip() + " && :"
