// --memory-limit of the tool's commands.

#include "weft/runtime/step_file.h"
#include "weft/tests/catch.h"
#include "weft/tests/process.h"

using namespace weft;
using test::TempDir;

namespace {

/// A deep net: what each layer keeps for its gradient can be computed again.
std::string deep_net() {
  std::string text = "weft 1\ntrain {loss = \"loss\", inputs = [\"w\"], optimizer = \"sgd\"}\nfunc @deep {\n";
  text += "  input %x: f32[256,32]\n  input %w: f32[32,32] parameter\n";
  std::string last = "%x";
  for (int layer = 0; layer < 8; ++layer) {
    const std::string n = std::to_string(layer);
    text += "  %m" + n + " = matmul(" + last + ", %w) : f32[256,32]\n  %g" + n + " = gelu(%m" + n + ") : f32[256,32]\n";
    text += "  %t" + n + " = tanh(%g" + n + ") : f32[256,32]\n";
    last = "%t" + n;
  }
  return text + "  %loss = sum(" + last + ") {axes = [0, 1]} : f32[]\n  output loss = %loss\n}\n";
}

int64_t arena_of(const TempDir& dir, const std::string& options) {
  const std::string file = dir / "deep.weftprog";
  const test::Ran ran =
      test::run_command(WEFT_TOOL " compile " + dir.write("deep.weft", deep_net()) + " -o " + file + " --set sgd.lr=1" + options);
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  return read_step(file).program.list.arena_bytes;
}

}  // namespace

TEST_CASE("weft compile, run, report and opt take --memory-limit", "[tool]") {
  const TempDir dir;
  const int64_t all = arena_of(dir, ""), limit = all * 3 / 4;
  CHECK(arena_of(dir, fmt::format(" --memory-limit {}", limit)) <= limit);
  CHECK(arena_of(dir, fmt::format(" --memory-limit {}KB", limit / 1000)) <= limit);
  const std::string file = dir / "deep.weft";
  const auto refused = [&](const std::string& command, const std::string& words) {
    const test::Ran ran = test::run_command(WEFT_TOOL " " + command);
    INFO(command << ": " << ran.err);
    CHECK(ran.code != 0);
    CHECK_THAT(ran.err, contains_text(words));
  };
  for (const std::string command : {"opt " + file, "run " + file + " --zeros --set sgd.lr=1", "report " + file + " -o " + dir / "page.html",
                                    "compile " + file + " -o " + dir / "small.weftprog --set sgd.lr=1"})
    refused(command + " --memory-limit 4KiB", "and it may have 4096 bytes (memory_limit): nothing more can be computed again");
  refused("run " + file + " --zeros --device reference --memory-limit 1MB", "--memory-limit has no effect with --device reference");
  refused("opt " + file + " --passes=dce --memory-limit 1MB",
          "--memory-limit: the pass 'rematerialize' does not run here; these do: dce; it comes before memory is planned");
  for (const std::string wrong : {"0", "-1", "many", "3XB"})
    refused("opt " + file + " --memory-limit=" + wrong, "--memory-limit must be a number of bytes, as 64MiB or 1GB, not '" + wrong + "'");
}

TEST_CASE("weft opt: a reproducer says the limit of memory", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("deep.weft", deep_net()), again = dir / "again.weft";
  CHECK(test::run_command(WEFT_TOOL " opt " + file + " --memory-limit 4KiB --reproducer " + again).code != 0);
  CHECK_THAT(test::read_file(again), contains_text(" --memory-limit=4096\n"));
  CHECK_THAT(test::run_command(WEFT_TOOL " opt " + again).err, contains_text("it may have 4096 bytes (memory_limit)"));
}
