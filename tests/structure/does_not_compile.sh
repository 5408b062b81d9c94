#!/usr/bin/env bash
# does_not_compile.sh COMPILER FILE INCLUDE_DIR: FILE compiles as it is, and with -DWEFT_MUST_FAIL it does not, with the
# words of the line `// expect: WORDS` in the message.
set -uo pipefail
compile() { "$1" -std=c++20 -fsyntax-only -I"$3" "${@:4}" "$2" 2>&1; }
good=$(compile "$@") || { printf 'the good twin does not compile:\n%s\n' "$good"; exit 1; }
bad=$(compile "$@" -DWEFT_MUST_FAIL) && { echo "it compiles, but must not"; exit 1; }
words=$(sed -n 's,^// expect: ,,p' "$2")
[[ $words ]] || { echo "no expected words in $2"; exit 1; }
grep -qF -- "$words" <<< "$bad" || { printf 'expected "%s" in:\n%s\n' "$words" "$bad"; exit 1; }
