#!/usr/bin/env bash
# Numbers are read in one place (support/number_text.h), for C's functions and C++'s streams ask the locale what a decimal point
# is, and each reader has a mind of its own about blanks, signs and what stands behind a number. Fails when product code or an
# example reads one in another way.
set -uo pipefail
cd "$(dirname "$0")/../.."
number='(double|float|value|number|count)'
found=$(grep -rnE "\b(std::)?(sto(d|f|ld|i|l|ll|ul|ull)|strto(d|f|ld|l|ll|ul|ull|imax|umax)|ato(f|i|l|ll)|v?s?f?scanf|setlocale)\(|std::locale|from_chars|to_string\((double|float)|\{:[^}]*L\}|>> *([a-z_]+)?$number\b" \
  support ir passes backends runtime frontend examples --include='*.h' --include='*.cpp' | grep -v '^support/number_text\.h:')
[[ -z $found ]] && exit 0
printf 'a reader or writer of numbers that is not in support/number_text.h:\n%s\n' "$found"
exit 1
