#!/usr/bin/env bash
# The code is as clang-format 19 writes it by .clang-format (other versions write some lines differently). To bring it there:
#
#   git ls-files '*.h' '*.cpp' | xargs clang-format-19 -i
set -uo pipefail
cd "$(dirname "$0")/../.."
for format in clang-format-19 clang-format ''; do
  [[ -n $format ]] || { echo 'skipped: there is no clang-format 19'; exit 77; }
  "$format" --version 2> /dev/null | grep -q 'version 19\.' && break
done
files=$(git ls-files --cached --others --exclude-standard -- '*.h' '*.cpp') || { echo 'skipped: this is no checkout'; exit 77; }
for file in $files; do [[ -f $file ]] && printf '%s\n' "$file"; done | xargs "$format" --dry-run -Werror
