// Small programs that are wrong, each beside a good twin: what kind of error they are, where, and what is said (wrong_programs.txt).
// WEFT_BLESS=1 writes what is said into the file; `git diff` then shows what that changed.

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "weft/ir/parser.h"
#include "weft/passes/pass.h"
#include "weft/passes/target.h"
#include "weft/support/error.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

struct Wrong {
  std::string name, bad, good, said;
};

const std::string path = WEFT_SOURCE_DIR "/tests/ir/wrong_programs.txt";

/// "== name", the bad statements, "-- good", the good ones, "-- said", what is said of the bad ones.
std::vector<Wrong> all() {
  std::ifstream file(path);
  std::vector<Wrong> programs;
  std::string* part = nullptr;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("== ")) programs.push_back({line.substr(3), "", "", ""}), part = &programs.back().bad;
    else if (line == "-- good") part = &programs.back().good;
    else if (line == "-- said") part = &programs.back().said;
    else if (part) *part += line + "\n";
  }
  return programs;
}

/// Statements of a function, behind a train block if they begin with one.
std::string program(const std::string& statements) {
  std::string train, body = statements;
  if (statements.starts_with("train")) train = statements.substr(0, statements.find('\n') + 1), body = statements.substr(train.size());
  return "weft 1\n" + train + "func @f {\n" + body + "}\n";
}

/// The kind of error and its text; empty if it is a program that can be trained and planned.
std::string said_of(const std::string& statements) {
  try {
    ir::Module module = ir::parse(program(statements), "wrong.weft");
    passes::run(module, passes::pipeline("compile"), passes::generic_target());
    return "";
  } catch (const Error& e) {
    return std::string(name_of(e.kind())) + ": " + e.what() + "\n";
  }
}

}  // namespace

TEST_CASE("wrong programs are refused with kind, line and hint, and their good twins are not", "[parser]") {
  std::vector<Wrong> programs = all();
  REQUIRE(programs.size() >= 40);
  const bool bless = std::getenv("WEFT_BLESS") != nullptr;
  for (Wrong& w : programs) {
    INFO(w.name);
    CHECK(said_of(w.good) == "");
    if (bless) w.said = said_of(w.bad);
    CHECK_FALSE(w.said.empty());
    CHECK(said_of(w.bad) == w.said);
  }
  if (!bless) return;
  std::ofstream file(path);
  for (const Wrong& w : programs) file << "== " << w.name << "\n" << w.bad << "-- good\n" << w.good << "-- said\n" << w.said;
}
