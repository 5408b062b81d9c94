#pragma once
// Runs a program and keeps what it says.

#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "weft/tests/runtime/temp_files.h"

namespace weft::test {

struct Ran {
  int code;  // exit code; 128 + signal when killed
  std::string out, err;
};

/// `command` goes through the shell.
inline Ran run_command(const std::string& command) {
  const TempDir dir;
  const std::string out = dir / "out", err = dir / "err";
  const int status = std::system(("(" + command + ") >" + out + " 2>" + err + " </dev/null").c_str());
  const auto read = [](const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read(out), read(err)};
}

}  // namespace weft::test
