#!/usr/bin/env bash
# Numbers are read by std::from_chars (support/number_text.h), for C's functions and C++'s streams ask the locale what a decimal
# point is. Fails when product code or an example reads one in another way.
set -uo pipefail
cd "$(dirname "$0")/../.."
found=$(grep -rnE '\b(std::)?(sto(d|f|ld)|strto(d|f|ld)|atof|sscanf|fscanf|vsscanf|setlocale)\(|std::locale|to_string\((double|float)|\{:[^}]*L\}|>> *[a-z_]+(double|float|value)\b' \
  support ir passes backends runtime frontend examples --include='*.h' --include='*.cpp')
[[ -z $found ]] && exit 0
printf 'a reader or writer of numbers that obeys the locale:\n%s\n' "$found"
exit 1
