// weft report, and the graphs and numbers that weft show writes for others.

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
func @"a net" {
  input %x: f32[4,8] at "net.cpp":5
  input %w: f32[8,2] parameter at "net.cpp":4 "body.fc"
  %0 = matmul(%x, %w) : f32[4,2] at "net.cpp":6 "body.fc"
  %1 = exp(%0) : f32[4,2] at "net.cpp":6 "body.fc"
  %2 = mean(%1) {axes = [0,1]} : f32[] at "net.cpp":7
  output loss = %2 at "net.cpp":7
}
)";

Ran weft_tool(const std::string& arguments) { return run_command(WEFT_TOOL " " + arguments); }

std::string output_of(const std::string& arguments) {
  const Ran ran = weft_tool(arguments);
  INFO(arguments << "\n" << ran.err);
  REQUIRE(ran.code == 0);
  return ran.out;
}

}  // namespace

TEST_CASE("weft report writes a page of a program, for any target, at any stage", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("net.weft", net), page = dir / "net.html";
  dir.write("net.cpp", "\n\n\nw = 1\nx = 2\ny = exp(x @ w)\n");
  const auto facts_of = [&](const std::string& arguments) {
    output_of("report " + arguments + " -o " + page);
    const std::string text = read_file(page);
    const size_t from = text.find("id=\"facts\">") + 11;
    return Json::parse(text.substr(from, text.find("</script>", from) - from));
  };
  const Json facts = facts_of(file);
  CHECK(facts["program"] == "a net");
  CHECK(facts["target"] == "cpu");
  CHECK(facts["graph"]["stages"].size() == 24);
  CHECK(facts["launches"].size() > 1);
  CHECK_FALSE(facts["kernels"].empty());
  CHECK_THAT(facts["sources"]["net.cpp"].get<std::string>(), contains_text("exp(x @ w)"));
  // A GPU need not be there.
  const Json cuda = facts_of(file + " --device cuda");
  CHECK(cuda["target"] == "cuda");
  CHECK(cuda["launches"].size() > 1);
  CHECK(facts_of(file + " --device reference")["memory"].is_null());
  output_of("opt " + file + " -o " + (dir / "planned.weft"));
  const Json planned = facts_of(dir / "planned.weft");
  CHECK(planned["graph"]["stages"].size() == 1);
  CHECK(planned["launches"].size() == facts["launches"].size());
}

TEST_CASE("weft report says what is missing", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("net.weft", net);
  CHECK_THAT(weft_tool("report " + file).err, contains_text("--output is required"));
  const Ran nowhere = weft_tool("report " + file + " -o " + (dir / "none/net.html"));
  CHECK(nowhere.code == 1);
  CHECK_THAT(nowhere.err, contains_text("none/net.html"));
  CHECK(weft_tool("report " + file + " -o p.html --device abacus").code == 1);
}

TEST_CASE("weft show: a program as JSON", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("net.weft", net), planned = dir / "planned.weft";
  const Json recorded = Json::parse(output_of("show --json " + file));
  CHECK(recorded["program"] == "a net");
  CHECK(recorded["cost"]["whole"]["ops"] == 3);
  CHECK(recorded["cost"]["layers"][0]["name"] == "body.fc");
  CHECK_FALSE(recorded.contains("memory"));
  output_of("opt " + file + " -o " + planned);
  const Json run = Json::parse(output_of("show --json " + planned));
  CHECK(run["stage"] == "plan");
  CHECK(run["memory"]["peak_bytes"].get<int64_t>() > 0);
  CHECK(run["calls"][0]["op"] == "matmul");
  CHECK(weft_tool("show --json --dot " + file).code == 1);
}

TEST_CASE("weft show: a program as graphs for Graphviz and for Model Explorer", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("net.weft", net);
  const std::string dot = output_of("show --dot " + file);
  CHECK_THAT(dot, contains_text("digraph \"a net\" {") && contains_text("label = \"body.fc (forward)\"") && contains_text("n2 -> n3;") &&
                      contains_text("matmul\nf32[4,2]"));
  if (run_command("command -v dot").code == 0) {
    const std::string text = dir.write("net.dot", dot);
    CHECK(run_command("dot -Tsvg " + text + " -o " + (dir / "net.svg")).code == 0);
  }
  const Json graph = Json::parse(output_of("show --model-explorer " + file))["graphs"][0];
  CHECK(graph["nodes"].size() == 2 + 3 + 1);  // inputs, ops, outputs
  const Json& exp = graph["nodes"][3];
  CHECK((exp["label"] == "exp" && exp["namespace"] == "forward/body/fc"));
  CHECK(exp["incomingEdges"][0]["sourceNodeId"] == graph["nodes"][2]["id"]);
}
