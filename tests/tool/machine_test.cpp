// weft machine: measures for some seconds.

#include <sched.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "weft/tests/catch.h"
#include "weft/tests/process.h"

using weft::test::Ran;
using weft::test::run_command;
using weft::test::TempDir;
using Json = nlohmann::json;

namespace {

/// Has what is behind it run on one of the cores that there are for this process.
std::string on_one_core() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  int core = 0;
  while (!CPU_ISSET(core, &set)) ++core;
  return "taskset -c " + std::to_string(core) + " ";
}

}  // namespace

TEST_CASE("weft machine measures once what the machine does at most", "[tool]") {
  const TempDir dir;
  const std::string machine = on_one_core() + WEFT_TOOL " machine --cache " + (dir / "cache");
  const Ran first = run_command(machine + " --json");
  INFO(first.err);
  REQUIRE(first.code == 0);
  CHECK_THAT(first.err, contains_text("measuring 1 thread ..."));
  const Json json = Json::parse(first.out);
  REQUIRE(json["limits"].size() == 1);
  const Json& limits = json["limits"][0];
  CHECK((limits["threads"] == 1 && limits["f32_gflops"] > 0 && limits["f64_gflops"] > 0 && limits["bf16_gflops"] >= 0));
  REQUIRE_FALSE(limits["memories"].empty());
  CHECK(limits["memories"].back()["name"] == "memory");
  CHECK(limits["memories"].back()["bytes"] == 0);
  for (const Json& memory : limits["memories"]) CHECK(memory["gbs"] > 0);
  // What was measured is kept.
  const Ran second = run_command(machine);
  CHECK(second.code == 0);
  CHECK(second.err.empty());
  CHECK_THAT(second.out,
             contains_text(json["machine"].get<std::string>()) && contains_text("GFLOP/s") && contains_text("kept in " + (dir / "cache")));
  CHECK_THAT(run_command(machine + " --again").err, contains_text("measuring"));
  CHECK(run_command(machine + " --json").out != first.out);
  // Narrower instructions are another machine.
  CHECK_THAT(run_command("WEFT_MAX_ISA=sse4 " + machine).out, contains_text(", sse4\n"));
  CHECK(std::distance(std::filesystem::directory_iterator(dir / "cache"), {}) == 2);
  dir.write("file", "");
  CHECK_THAT(run_command(WEFT_TOOL " machine --cache " + (dir / "file/x")).err, contains_text("cannot make the folder"));
}
