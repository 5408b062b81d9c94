#!/usr/bin/env python3
"""Numbers of the code that may only fall: prints what is above its limit, and what is below, so that the limit follows.

An op's name outside of the definitions says that a pass or a backend knows the op, where a property of its definition could say
what it needs to know. A silent `default:` hides the kind that is added next. What is long holds more than one idea.
"""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent.parent
limits = {
    "comparisons with an op's name outside of ir/ops": 12,
    "switches over op kinds with a default": 0,
    "files of more than 400 lines": 0,
    "functions of more than 60 lines": 0,
}
# Lists of what there is, which grow with it.
tables = {"ir/ops"}


def sources():
    for folder in ("support", "ir", "passes", "backends", "runtime", "frontend", "examples"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".h", ".cpp"):
                yield path.relative_to(root).as_posix(), path.read_text().split("\n")


def functions(lines):
    """(first line, lines) of every function's body: what an opening brace behind a parameter list or an initializer encloses."""
    bare = [re.sub(r"\"(\\.|[^\"\\])*\"|'(\\.|[^'\\])'|//.*", "", line).rstrip() for line in lines]
    opens = re.compile(r"^ *(?!if|for|while|switch|do\b|else|try|catch|return|case|default|namespace|struct|class|enum|union|extern|\}).*\).*\{$")
    for i, line in enumerate(bare):
        if not opens.match(line) or re.search(r"\](?: *\(|<)", line):  # a lambda is a part of its function
            continue
        depth = 0
        for k in range(i, len(bare)):
            depth += bare[k].count("{") - bare[k].count("}")
            if depth <= 0:
                yield i + 1, k - i + 1
                break


def main():
    found = {what: [] for what in limits}
    for name, lines in sources():
        text = "\n".join(lines)
        if not name.startswith("ir/ops/"):
            for i, line in enumerate(lines):
                for _ in re.finditer(r'(?<!lex_)(?:->|\.)is\("[a-z_]+"\)', line):
                    found["comparisons with an op's name outside of ir/ops"].append(f"{name}:{i + 1}: {line.strip()}")
        for at in re.finditer(r"^( *)switch \(.*\) \{\n(.*?)^\1\}", text, re.M | re.S):
            if "Kind::nest" in at.group(2) or "Kind::movement" in at.group(2):
                if re.search(r"^ *default:", at.group(2), re.M):
                    found["switches over op kinds with a default"].append(f"{name}:{text.count(chr(10), 0, at.start()) + 1}")
        if len(lines) > 401 and not any(name.startswith(t) for t in tables):
            found["files of more than 400 lines"].append(f"{name}: {len(lines) - 1}")
        for first, count in functions(lines):
            if count > 60 and not any(name.startswith(t) for t in tables):
                found["functions of more than 60 lines"].append(f"{name}:{first}: {count}")
    bad = False
    for what, limit in limits.items():
        if len(found[what]) == limit:
            continue
        bad = True
        print(f"{len(found[what])} {what}, where tests/structure/counts.py has {limit}")
        for one in found[what] if len(found[what]) > limit else []:
            print("  " + one)
    return bad


sys.exit(main())
