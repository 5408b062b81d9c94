#!/usr/bin/env bash
# walkthrough.sh GUIDE SOURCES DIR: what CONTRIBUTING.md's walks tell a reader to add, added to copies under DIR/weft. Prints the files.
# A walk starts with
#   <!-- walk NAME: N files -->           (N: how many files its blocks touch)
# and a block of code follows one of
#   <!-- new file FILE -->
#   <!-- add to FILE before "LINE" -->    (LINE as it stands in FILE, where it must stand once)
#   <!-- add to FILE after "LINE" -->
set -euo pipefail
rm -rf "$3.new" && mkdir -p "$3.new" "$3"
awk -v out="$3.new/weft/" -v sources="$2/" '
  function fail(what) { print "CONTRIBUTING.md:" NR ": " what > "/dev/stderr"; failed = 1; exit 1 }
  function check_walk() { if (walk != "" && count != wanted) fail("the walk " walk " touches " count " files, not " wanted) }
  function touch(file,   dir) {
    if (!((walk, file) in touched)) { touched[walk, file] = 1; ++count }
    if (file in text) return
    dir = out file; sub("/[^/]*$", "", dir); system("mkdir -p \"" dir "\"")
    text[file] = ""; order[++files] = file
  }
  function load(file,   line, all) {
    if (file in text) return
    all = ""
    while ((getline line < (sources file)) > 0) all = all line "\n"
    if (all == "") fail("there is no " file)
    touch(file); text[file] = all
  }
  function add(   n, lines, i, all, found) {
    if (place == "new") { touch(file); text[file] = block; return }
    load(file); touch(file)
    # Who followed the walk has it there already.
    if (index(text[file], place == "before" ? block anchor "\n" : anchor "\n" block)) return
    n = split(text[file], lines, "\n"); all = ""; found = 0
    for (i = 1; i < n; ++i) {
      if (lines[i] == anchor && place == "before") all = all block
      all = all lines[i] "\n"
      if (lines[i] == anchor && place == "after") all = all block
      if (lines[i] == anchor) ++found
    }
    if (found != 1) fail("\"" anchor "\" stands " found " times in " file)
    text[file] = all
  }
  /^<!-- walk [a-z]+: [0-9]+ files -->$/ { check_walk(); walk = $3; sub(":", "", walk); wanted = $4 + 0; count = 0; ++walks; next }
  /^<!-- new file [^ ]+ -->$/ { file = $4; place = "new"; next }
  /^<!-- add to [^ ]+ (before|after) ".*" -->$/ {
    file = $4; place = $5
    anchor = $0; sub(/^[^"]*"/, "", anchor); sub(/" -->$/, "", anchor)
    next
  }
  /^```/ {
    if (inside) { add(); file = ""; block = ""; inside = 0 }
    else if (file != "") { if (walk == "") fail("a block outside of a walk"); inside = 1 }
    next
  }
  inside { block = block $0 "\n" }
  END {
    if (failed) exit 1
    check_walk()
    if (walks == 0) fail("there are no walks")
    for (i = 1; i <= files; ++i) { printf "%s", text[order[i]] > (out order[i]); print order[i] }
  }' "$1"
# What did not change keeps its time, so that it is not compiled again.
(cd "$3.new" && find . -type f) | while read -r file; do
  mkdir -p "$(dirname "$3/$file")"
  cmp -s "$3.new/$file" "$3/$file" || cp "$3.new/$file" "$3/$file"
done
(cd "$3" && find . -type f) | while read -r file; do [[ -f $3.new/$file ]] || rm "$3/$file"; done
rm -rf "$3.new"
