#!/usr/bin/env python3
"""docs/words.md has every kind of remark and every reason that a pass gives for one; prints what it lacks."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent.parent
# Where remarks are made, and how their reasons stand there.
reasons = {
    "passes/analysis/loop_nest.cpp": r'(?:Reason|no\(op, |:\s*no\(op, )\{?"([^"]+)"|not_here\("([^"]+)"|fail\("([^"]+)"(?: \+ to_string[^"]+"([^"]+)")?',
    "passes/analysis/nests.cpp": r'\*why = \{"([^"]+)"',
    "passes/fuse.cpp": r'Apart\{\{"([^"]+)"',
    "passes/boundary_remarks.cpp": r'return \{(?:fmt::format\(|is_call \+ )?"([^"]+)"',
    "passes/expand.cpp": r'remark\(\*op, "[^"]+",\s*(?:claimed \? |fmt::format\()?"([^"]+)"| : "([^"]+)"\);',
    "passes/partition.cpp": r'\.why = fmt::format\("([^"]+)"',
    "passes/layout_remarks.cpp": r'(?:return |\.why = |: )\{?fmt::format\("(\{\} (?:wants|also|joins|finds|reads)[^"]+|the target [^"]+|it is an [^"]+)"',
}
kinds = r'remark\(\*op, "([^"]+)"|\.what = "([^"]+)"|push_back\(\{"([^"]+)"'


def found(pattern, text):
    # A reason in two parts has what differs between them.
    return ["{}".join(group for group in groups if group) for groups in (m.groups() for m in re.finditer(pattern, text)) if any(groups)]


def main():
    entries = re.findall(r"^\* \*\*(.+?)\*\*(?: \(([^)]*)\))?", (root / "docs/words.md").read_text(), re.M)
    words = [word for word, _ in entries]
    spoken = words + [form for _, forms in entries for form in forms.split(", ")]
    lacking = []
    for file, pattern in reasons.items():
        text = (root / file).read_text()
        all_reasons = found(pattern, text)
        if not all_reasons:
            lacking.append(f"{file}: this test finds no reason in it")
        for reason in all_reasons:
            # What the program fills in: "{} is no loop over its elements"; of what follows a colon or a comma, nothing.
            plain = re.split(r"[:,] *\{", reason)[0].replace("{}", "").strip()
            if not any(plain == word.replace("…", "").strip() for word in words):
                lacking.append(f"docs/words.md has nothing of '{reason}' ({file})")
        for kind in found(kinds, text):
            if kind not in spoken:
                lacking.append(f"docs/words.md has nothing of the kind '{kind}' ({file})")
    print("\n".join(lacking) or "ok")
    sys.exit(bool(lacking))


main()
