// Lessons beside PyTorch, which trained by the same recipes. They take minutes and real data, so they are skipped but where a variable
// names the folder of it: WEFT_RECIPES=DIR build/tests/test_examples "[recipes]", with DIR/tinyshakespeare/input.txt.

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "weft/tests/catch.h"
#include "weft/tests/process.h"

using namespace weft;
using Json = nlohmann::json;

namespace {

/// The last line of metrics that the lesson wrote.
Json trained(const std::string& lesson) {
  const test::TempDir dir;
  const test::Ran ran = test::run_command(WEFT_EXAMPLES_DIR "/" + lesson + " --log none --metrics " + (dir / "m.jsonl"));
  INFO(ran.out << ran.err);
  REQUIRE(ran.code == 0);
  std::istringstream lines(test::read_file(dir / "m.jsonl"));
  Json last;
  for (std::string line; std::getline(lines, line);) last = Json::parse(line);
  return last;
}

std::string data() {
  const char* folder = std::getenv("WEFT_RECIPES");
  if (!folder) WARN("skipped: it takes minutes and real data ($WEFT_RECIPES names the folder)");
  return folder ? folder : "";
}

}  // namespace

TEST_CASE("08_char_gpt learns tiny Shakespeare as PyTorch does", "[recipes]") {
  if (data().empty()) return;
  const Json last = trained("08_char_gpt --epochs 4 --seed 2 --write 0 --data " + data() + "/tinyshakespeare");
  CHECK(last.at("test_loss").get<double>() < 1.7472 + 0.02);  // char_gpt.py DIR 2000 1, after 1964 steps, as many
}
