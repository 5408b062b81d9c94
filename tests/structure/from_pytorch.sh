#!/usr/bin/env bash
# from_pytorch.sh PAGE NAMES: writes a C++ file that compiles when the snippets of PAGE's tables do; NAMES is the header that declares
# what they name. A row is a function, and compilers say its line of PAGE. Its second column counts, and what stands there between
# backticks, but
#   a lone name, member or text (`Sampler`, `.layers`, `"max"`), a shape (`[N, S]`) and a command (`weft show FILE`).
# Where the column begins with "the same", the first one counts, as it would be written in C++: without `torch.` and `F.`, with
# `nn::`, `true` and `false`, keywords left out; there a lone name must be a function of weft's.
set -euo pipefail
awk -v page="$1" -v names="$2" '
  function say(text) { printf "#line %d \"%s\"\n%s;\n", FNR, page, text }
  function lone(text) { return text ~ /^[A-Za-z0-9_.:<>"]+$/ }
  function as_cpp(text) {
    gsub(/(torch|F)\.(linalg\.)?/, "", text)
    gsub(/nn\./, "nn::", text)
    gsub(/[a-z_]+=/, "", text)
    gsub(/True/, "true", text)
    gsub(/False/, "false", text)
    return text
  }
  BEGIN { printf "#include \"%s\"\n", names }
  /^## / {
    room = tolower(substr($0, 4))
    gsub(/[^a-z]+/, "_", room)
  }
  /^\|/ {
    row = $0
    gsub(/\\\|/, "\001", row)
    split(row, cells, "|")
    same = cells[3] ~ /^ *the same/
    parts = split(same ? cells[2] : cells[3], texts, "`")
    body = ""
    printf "namespace from_pytorch::%s {\n", room
    for (i = 2; i <= parts; i += 2) {
      text = texts[i]
      gsub("\001", "|", text)
      if (same) text = as_cpp(text)
      if (text ~ /^struct /) say(text)
      else if (lone(text) ? same && text ~ /^[a-z]/ : text !~ /^(\[|weft )/)
        body = body sprintf("#line %d \"%s\"\n  %s%s;\n", FNR, page, lone(text) ? "using weft::" : "", text)
    }
    if (body) printf "void row_%d() {\n%s}\n", FNR, body
    print "}"
  }' "$1"
