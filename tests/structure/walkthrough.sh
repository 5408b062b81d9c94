#!/usr/bin/env bash
# walkthrough.sh GUIDE SOURCES DIR: what CONTRIBUTING.md tells a reader to add, added to copies under DIR. A block follows
#   <!-- add to FILE before "LINE" -->    (LINE as it stands in FILE, where it must stand once)
set -euo pipefail
rm -rf "$3" && mkdir -p "$3"
awk -v out="$3" -v sources="$2" '
  /^<!-- add to .* before ".*" -->/ {
    split($0, part, "\""); anchor = part[2]; file = $4; next
  }
  /^```/ {
    if (file && !inside) { inside = 1; next }
    if (inside) {
      to = out "/weft/" file; from = sources "/" file; found = 0
      dir = to; sub("/[^/]*$", "", dir); system("mkdir -p " dir)
      while ((getline line < from) > 0) {
        if (line == anchor) { printf "%s", block > to; ++found }
        print line > to
      }
      close(to)
      if (found != 1) { print "CONTRIBUTING.md: \"" anchor "\" stands " found " times in " file > "/dev/stderr"; exit 1 }
      file = ""; block = ""; inside = 0; ++added
    }
    next
  }
  inside { block = block $0 "\n" }
  END { if (added != 2) { print "CONTRIBUTING.md adds to " added + 0 " files, not to two" > "/dev/stderr"; exit 1 } }' "$1"
