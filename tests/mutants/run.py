#!/usr/bin/env python3
"""Breaks weft on purpose, one small defect at a time, and looks whether the tests notice.

    run.py [--dir DIR] [--only TEXT]... [--jobs N] builds a copy of the sources once, then each mutant of mutants.json
    run.py --check                                 only that every mutant still fits the sources; builds nothing

A mutant replaces one text, which must stand in its file exactly once, by another, and names the test programs of which
one must fail. One that survives, or does not compile, is an error. A run takes about a minute for each mutant.
"""
import argparse
import filecmp
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
root = here.parent.parent


def mutants():
    return json.loads((here / "mutants.json").read_text())


def misfits():
    """A line for each mutant whose text is not in its file exactly once."""
    for mutant in mutants():
        count = (root / mutant["file"]).read_text().count(mutant["find"])
        if count != 1 or mutant["find"] == mutant["replace"]:
            yield f"{mutant['name']}: its text stands {count} times in {mutant['file']}"


def copy_sources(to):
    listed = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if not (root / name).is_file():
            continue  # deleted, not yet committed
        if (to / name).is_file() and filecmp.cmp(root / name, to / name, shallow=False):
            continue  # so that it keeps its time, and what was built from a mutant is built anew
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, to / name)
        shutil.copymode(root / name, to / name)


class Copy:
    """The sources in a directory of their own, built there."""

    def __init__(self, directory, jobs):
        self.directory, self.jobs = directory, jobs
        copy_sources(directory)
        self.run("cmake", "--preset", "release", "-DWEFT_EXAMPLES=OFF")

    def run(self, *command):
        return subprocess.run(command, cwd=self.directory, capture_output=True, text=True)

    def build(self, tests):
        return self.run("cmake", "--build", "build", "-j", str(self.jobs), "--target", *(f"test_{t}" for t in tests))

    def passes(self, test):
        try:
            command = [self.directory / "build" / "tests" / f"test_{test}"]
            command += [] if test == "programs" else ["--abort"]  # it is no program of Catch2's
            return subprocess.run(command, cwd=self.directory, capture_output=True, timeout=900).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def verdict(self, mutant):
        file = self.directory / mutant["file"]
        original = file.read_text()
        file.write_text(original.replace(mutant["find"], mutant["replace"]))
        try:
            built = self.build(mutant["tests"])
            if built.returncode:
                return "DOES NOT COMPILE", built.stdout[-2000:]
            for test in mutant["tests"]:
                if not self.passes(test):
                    return f"killed by test_{test}", ""
            return "SURVIVED", ""
        finally:
            file.write_text(original)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--dir", type=pathlib.Path)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    wrong = list(misfits())
    print(*wrong, sep="\n", end="\n" if wrong else "")
    if wrong or arguments.check:
        sys.exit(1 if wrong else 0)
    chosen = [m for m in mutants() if not arguments.only or any(text in m["name"] for text in arguments.only)]
    with tempfile.TemporaryDirectory() as temporary:
        directory = arguments.dir or pathlib.Path(temporary)
        directory.mkdir(parents=True, exist_ok=True)
        copy = Copy(directory, arguments.jobs)
        tests = sorted({t for m in chosen for t in m["tests"]})
        built = copy.build(tests)
        if built.returncode:
            sys.exit(f"the unchanged sources do not build:\n{built.stdout[-2000:]}{built.stderr[-2000:]}")
        for test in tests:
            if not copy.passes(test):
                sys.exit(f"test_{test} fails without any mutant")
        survivors = 0
        for mutant in chosen:
            verdict, detail = copy.verdict(mutant)
            survivors += not verdict.startswith("killed")
            print(f"{verdict:24} {mutant['name']}", flush=True)
            if detail:
                print(detail)
    print(f"{len(chosen) - survivors} of {len(chosen)} mutants killed")
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
