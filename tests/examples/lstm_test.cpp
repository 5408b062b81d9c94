// 09_lstm end to end: every cell learns, and its loop is one op whatever the number of rows.

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "weft/tests/catch.h"
#include "weft/tests/process.h"

using namespace weft;
using Json = nlohmann::json;

TEST_CASE("09_lstm learns the drawn digits with every cell, row by row") {
  for (const std::string cell : {"lstm", "gru", "rnn", "own"}) {
    INFO(cell);
    const test::TempDir dir;
    const test::Ran ran =
        test::run_command(fmt::format(WEFT_EXAMPLES_DIR "/09_lstm --cell {} --epochs 1 --log none --metrics {}", cell, dir / "m.jsonl"));
    INFO(ran.err);
    REQUIRE(ran.code == 0);
    std::istringstream lines(test::read_file(dir / "m.jsonl"));
    std::string last;
    for (std::string line; std::getline(lines, line);) last = line;
    CHECK(Json::parse(last)["test_accuracy"].get<double>() > 0.9);
  }
  CHECK(test::run_command(WEFT_EXAMPLES_DIR "/09_lstm --cell elman").code == 2);
}
