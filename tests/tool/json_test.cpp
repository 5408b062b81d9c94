// What commands print for people, as JSON for programs.

#include <nlohmann/json.hpp>

#include "weft/tests/catch.h"
#include "weft/tests/process.h"

using weft::test::Ran;
using weft::test::read_file;
using weft::test::run_command;
using weft::test::TempDir;
using Json = nlohmann::json;

namespace {

const std::string net = R"(weft 1
train {loss = "loss", inputs = ["w"], optimizer = "sgd"}
func @net {
  input %x: f32[4,8] at "net.cpp":5
  input %w: f32[8,2] parameter at "net.cpp":4 "fc"
  %0 = matmul(%x, %w) : f32[4,2] at "net.cpp":6 "fc"
  %1 = exp(%0) : f32[4,2] at "net.cpp":6 "fc"
  %2 = mean(%1) {axes = [0,1]} : f32[] at "net.cpp":7
  output loss = %2 at "net.cpp":7
  output y = %1
}
)";

Json json_of(const std::string& arguments) {
  const Ran ran = run_command(WEFT_TOOL " " + arguments);
  INFO(arguments << "\n" << ran.err);
  REQUIRE(ran.code == 0);
  return Json::parse(ran.out);
}

}  // namespace

TEST_CASE("weft run: outputs, watched values and the profile as JSON", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("net.weft", net), x = dir / "x.npy";
  // Zeros of the type, as NumPy writes them.
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 8), }";
  header.resize(117, ' ');
  dir.write("x.npy", std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + "\n" + std::string(4 * 8 * 4, '\0'));
  const std::string run = "run " + file + " --input x=" + x + " --zeros --set sgd.lr=0.1 --steps 3 --json";
  const Json json = json_of(run + " --output-dir " + (dir / "out"));
  CHECK((json["program"] == "net" && json["device"] == "cpu" && json["steps"] == 3));
  REQUIRE(json["outputs"].size() == 4);  // and the weight, and the count of steps
  CHECK(json["outputs"][0] == Json({{"name", "loss"}, {"type", "f32[]"}, {"value", 1.0}, {"file", dir / "out/loss.npy"}}));
  CHECK(json["outputs"][1] == Json({{"name", "y"}, {"type", "f32[4,2]"}, {"file", dir / "out/y.npy"}}));
  CHECK_FALSE(read_file(dir / "out/y.npy").empty());
  CHECK_FALSE(json.contains("watched"));
  CHECK_FALSE(json.contains("profile"));
  const Json more = json_of(run + " --watch fc --profile");
  REQUIRE(more["watched"].size() == 1);
  CHECK((more["watched"][0]["value"] == "fc" && more["watched"][0]["mean"] == 1 && more["watched"][0]["step"] == 3));
  CHECK(more["profile"]["step"]["us"] > 0);
  CHECK(more["profile"]["calls"].size() > 1);
  const Json timed = json_of(run + " --profile");
  CHECK(timed["profile"]["calls"][0]["recorded"][0] == "matmul");
  const std::string table = run_command(WEFT_TOOL " " + run.substr(0, run.size() - 7) + " --profile").out;
  CHECK_THAT(table, contains_text("loss") && contains_text("part of the step") && contains_text("the whole step"));
  CHECK(run_command(WEFT_TOOL " " + run + " --profile --check-finite").code == 1);
}

TEST_CASE("weft grad-check and the remarks of weft opt as JSON", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("net.weft", net);
  const Json gradients = json_of("grad-check " + file + " --json");
  REQUIRE(gradients.size() == 1);
  CHECK((gradients[0]["parameter"] == "w" && gradients[0]["type"] == "f32[8,2]" && gradients[0]["checked"] == 16 &&
         gradients[0]["ok"] == true));
  CHECK(gradients[0]["gradient"].get<double>() == Approx(gradients[0]["difference"].get<double>()));
  const Json remarks = json_of("opt " + file + " -o /dev/null --remarks-json -");
  REQUIRE_FALSE(remarks.empty());
  CHECK((remarks[0].contains("what") && remarks[0].contains("why") && remarks[0]["of"].contains("source")));
  CHECK((remarks[0]["of"]["calls"].size() == 1 && remarks[0]["of"]["recorded"].size() == 1));
  const Ran none = run_command(WEFT_TOOL " opt " + file + " --passes=cse -o /dev/null --remarks-json -");
  CHECK(none.code == 1);
  CHECK_THAT(none.err, contains_text("--remarks-json: the pass 'fuse' does not run here"));
}
