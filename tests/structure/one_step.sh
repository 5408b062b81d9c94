#!/usr/bin/env bash
# one_step.sh PAGE PROGRAM BY_HAND WEFT DIR: docs/one_step.md says what its first program's step becomes, pass by pass, and what it
# computes by its second program. Runs both, which must print the same, and compares the page's texts with those that the passes
# give (works in DIR); WEFT_BLESS=1 writes them into the page. A block follows one of
#   <!-- recorded -->
#   <!-- after PASS -->                       the program after the pass, source lines and parts of the step left out
#   <!-- after PASS from "TEXT" to "TEXT" --> its lines from the first that holds the one to the next that holds the other
# and <!-- unchanged after PASS PASS ... --> says which passes leave the program as it is. Every pass must be in the page.
set -euo pipefail
page=$1 program=$2 by_hand=$3 weft=$4 dir=$5
rm -rf "$dir" && mkdir -p "$dir"
cd "$dir"
WEFT_DUMP_IR=ir "$program" > losses
sed -i 's|"[^"]*/one_step.cpp"|"one_step.cpp"|' ir/one_step/00-recorded.weft  # wherever it was built
"$by_hand" > losses_by_hand
diff losses losses_by_hand || { echo "the program (<) and what the page says that it computes (>) print different losses"; exit 1; }
"$weft" opt ir/one_step/00-recorded.weft --pipeline=compile --target=generic --print-after=all -o /dev/null 2> stages
awk -v recorded=ir/one_step/00-recorded.weft '
  function fail(what) { print FILENAME ":" FNR ": " what > "/dev/stderr"; failed = 1; exit 1 }
  function text_of(name,   n, lines, i, out, on) {
    if (!(name in text)) fail("there is no pass " name " in the pipeline")
    if (from == "") return text[name]
    n = split(text[name], lines, "\n")
    for (i = 1; i < n; ++i) {
      if (!on && !out && index(lines[i], from)) on = 1
      if (on) out = out lines[i] "\n"
      if (on && index(lines[i], to)) return out
    }
    fail("after " name " nothing goes from \"" from "\" to \"" to "\"")
  }
  FILENAME == recorded { text["recorded"] = text["recorded"] $0 "\n"; next }
  FILENAME == "stages" {
    if (/^# after /) { pass = $3; sub(",", "", pass); same[pass] = /which changed nothing$/; passes[++count] = pass; next }
    gsub(/ at "[^"]*":[0-9]+( "[^"]*")?(, "[^"]*":[0-9]+( "[^"]*")?)*( in [a-z, ]+)?$/, "")
    text[pass] = text[pass] $0 "\n"; next
  }
  /^<!-- unchanged after .* -->$/ {
    for (i = 4; i < NF; ++i) { if (!same[$i]) fail("the pass " $i " changes the program"); seen[$i] = 1 }
  }
  /^<!-- recorded -->$/ { wanted = "recorded"; from = "" }
  /^<!-- after [a-z_]+ (from ".*" to ".*" )?-->$/ {
    wanted = $3; from = to = ""; seen[wanted] = 1
    if (same[wanted]) fail("the pass " wanted " changes nothing")
    if ($4 == "from") {
      from = to = $0
      sub(/^[^"]*"/, "", from); sub(/" to ".*/, "", from)
      sub(/.*" to "/, "", to); sub(/" -->$/, "", to)
    }
  }
  /^```/ && inside { inside = 0; wanted = "" }
  inside { next }
  { print }
  /^```/ && wanted != "" { inside = 1; printf "%s", text_of(wanted) }
  END {
    if (failed) exit 1
    for (i = 1; i <= count; ++i) if (!(passes[i] in seen)) fail("the page does not speak of the pass " passes[i])
  }' ir/one_step/00-recorded.weft stages "$page" > page.md
if [[ ${WEFT_BLESS:-0} != 0 ]]; then cp page.md "$page"; fi
diff -u "$page" page.md || { echo "the page (-) is not what the passes give (+); WEFT_BLESS=1 writes that into it"; exit 1; }
