#pragma once
// The program `weft`, run through the shell.

#include <sys/wait.h>

#include <cstdlib>
#include <string>

#include "weft/tests/catch.h"
#include "weft/tests/runtime/temp_files.h"

namespace weft::test {

inline std::string tool_program() {
  const char* given = std::getenv("WEFT_TOOL");
  return given ? given : WEFT_TOOL;
}

struct Outcome {
  int code;
  std::string out, err;
};

/// Runs the program through the shell; `input` is its standard input.
inline Outcome weft_tool(const std::string& arguments, const std::string& input = "") {
  const TempDir dir;
  const std::string in = dir.write("in", input), out = dir / "out", err = dir / "err";
  const int status = std::system(("env -u COLUMNS " + tool_program() + " " + arguments + " < " + in + " > " + out + " 2> " + err).c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_file(out), read_file(err)};
}

/// A mistake of the user: exit code 1, nothing on standard output, and this on standard error.
inline void check_refused(const std::string& arguments, const std::string& message, const std::string& input = "") {
  const Outcome o = weft_tool(arguments, input);
  INFO(arguments);
  CHECK(o.code == 1);
  CHECK(o.out.empty());
  CHECK(o.err == "weft: error: " + message + "\n");
}

/// What it prints when all goes well.
inline std::string output_of(const std::string& arguments, const std::string& input = "") {
  const Outcome o = weft_tool(arguments, input);
  INFO(arguments << "\n" << o.err);
  REQUIRE(o.code == 0);
  return o.out;
}

inline const std::string line_program = R"(weft 1
train {loss = "loss", inputs = ["w"], optimizer = "sgd"}
func @line {
  input %x: f32[4] at "line.cpp":5
  input %w: f32[] parameter at "line.cpp":4
  %0 = broadcast(%w) {shape = [4]} : f32[4] at "line.cpp":7
  %1 = mul(%0, %x) : f32[4] at "line.cpp":7
  %2 = mean(%1) {axes = [0]} : f32[] at "line.cpp":8
  output loss = %2 at "line.cpp":8
}
)";

inline const std::string small_program = R"(weft 1
func @small {
  input %x: f32[2,3] at "net.cpp":3
  %exp = exp(%x) : f32[2,3] at "net.cpp":5
  %y = sum(%exp) {axes = [1]} : f32[2] at "net.cpp":6 "head"
  output y = %y
}
)";

}  // namespace weft::test
