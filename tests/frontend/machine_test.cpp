#include "weft/frontend/report/machine.h"

#include "weft/ir/parser.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
using test::read_file;
using test::TempDir;

namespace {

MachineLimits limits(int threads) {
  return {
      threads, 100.0 * threads, 50.0 * threads, 400.0 * threads, {{"L1", 1000, 200.0 * threads}, {"L2", 50000, 100}, {"memory", 0, 10}}};
}

}  // namespace

TEST_CASE("limits: what work takes at least, by its arithmetic or by the nearest memory that holds it") {
  const MachineLimits one = limits(1);
  CHECK(one.least_microseconds(1e6, f32, 0) == Approx(10));
  CHECK(one.least_microseconds(1e6, f64, 0) == Approx(20));
  CHECK(one.least_microseconds(1e6, bf16, 0) == Approx(2.5));
  CHECK(one.least_microseconds(0, f32, 1000) == Approx(0.005));
  CHECK(one.least_microseconds(0, f32, 1001) == Approx(0.01001));
  CHECK(one.least_microseconds(0, f32, 1e6) == Approx(100));
  CHECK(one.least_microseconds(1e6, f32, 1e6) == Approx(100));
  CHECK(one.least_microseconds(1e8, f32, 1e6) == Approx(1000));
  MachineLimits old = one;
  old.bf16 = 0;  // no instructions: it is computed in f32
  CHECK(old.gflops(bf16) == 100);
  const Machine machine{"a machine", {limits(1), limits(2), limits(8)}};
  CHECK((machine.with(1).threads == 1 && machine.with(2).threads == 2 && machine.with(3).threads == 8 && machine.with(9).threads == 8));
  CHECK_THAT(machine.table(),
             contains_text("a machine\n") && contains_text("      8     800.0     400.0    3200.0    1600.0     100.0      10.0\n"));
}

TEST_CASE("limits are kept by the machine's name, and what is damaged is not believed") {
  const TempDir dir;
  const std::string folder = dir / "new/cache";
  const Machine machine{"AMD (R) 9, 2 cores, avx2", {limits(1), limits(2)}};
  CHECK_FALSE(detail::read_machine(machine.name, folder));
  detail::keep_machine(machine, folder);
  const std::string file = detail::machine_file(machine.name, folder);
  CHECK(file == folder + "/machine_AMD_R_9_2_cores_avx2.json");
  const auto read = detail::read_machine(machine.name, folder);
  REQUIRE(read);
  CHECK(read->json() == machine.json());
  CHECK_FALSE(detail::read_machine("AMD (R) 9. 2 cores, avx2", folder));  // the same file, another machine
  CHECK_FALSE(detail::read_machine("", folder));
  for (
      const char* text :
      {"", "{", "[]", R"({"machine": "AMD (R) 9, 2 cores, avx2", "limits": []})",
       R"({"machine": "AMD (R) 9, 2 cores, avx2", "limits": [{"threads": 1}]})",
       R"({"machine": "AMD (R) 9, 2 cores, avx2", "limits": [{"threads": 1, "f32_gflops": 1, "f64_gflops": 1, "bf16_gflops": 0, "memories": []}]})"}) {
    INFO(text);
    dir.write("new/cache/machine_AMD_R_9_2_cores_avx2.json", text);
    CHECK_FALSE(detail::read_machine(machine.name, folder));
  }
  dir.write("file", "");
  CHECK_THROWS_WITH(detail::keep_machine(machine, dir / "file/cache"), contains_text("cannot make the folder"));
}

TEST_CASE("a profile has each call's share of the limits, and that of their sums") {
  const ir::Module planned = ir::parse(R"(weft 1
func @net {
  input %x: bf16[4,4]
  input %y: f32[4,4]
  %0 = matmul(%x, %x) : bf16[4,4] at "net.cpp":3 "fc1"
  %1 = matmul(%y, %y) : f32[4,4] at "net.cpp":3 "fc1"
  %2 = exp(%y) : f32[4,4] at "net.cpp":4 "fc2"
  output y = %2
}
)");
  const std::vector<CallTime> calls{{"matmul (bf16[4,4], bf16[4,4]) -> bf16[4,4]  by jit:x  # net.cpp:3 (fc1)", 10, 0, 1e6, 10},
                                    {"matmul (f32[4,4], f32[4,4]) -> f32[4,4]  by jit:x  # net.cpp:3 (fc1)", 40, 0, 1e6, 10},
                                    {"weft_k00_exp (f32[4,4]) -> f32[4,4]  # net.cpp:4 (fc2)", 20, 0, 10, 1e5}};
  const Profile profile = detail::profile_of(calls, planned.graph(), limits(1));
  CHECK((profile.calls[0].computes_in == bf16 && profile.calls[1].computes_in == f32 && profile.calls[2].computes_in == f32));
  CHECK(profile.calls[0].share_of_limits() == Approx(0.25));
  CHECK(profile.calls[1].share_of_limits() == Approx(0.25));
  CHECK(profile.calls[2].share_of_limits() == Approx(0.5));
  CHECK(profile.layers[0].share_of_limits() == Approx(12.5 / 50));
  CHECK(profile.step.share_of_limits() == Approx(22.5 / 70));
  const std::string text = profile.table();
  INFO(text);
  CHECK_THAT(text, contains_text("GFLOP/s  GB/s limit  call\n") && contains_text("   25%  matmul (f32[4,4]") &&
                       contains_text("   50%     1  fc2\n"));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 100);
  CHECK_THAT(profile.json(),
             contains_text("\"share_of_limits\": 0.25") && contains_text("\"least_us\": 2.5") && contains_text("\"limits\": {"));
  const Profile without = detail::profile_of(calls, planned.graph());
  CHECK(without.calls[0].share_of_limits() == 0);
  CHECK_THAT(without.table(), !contains_text("limit"));
  CHECK_THAT(without.json(), !contains_text("limits"));
}

TEST_CASE("a step is compared with the limits of its machine, with the threads that it has") {
  const TempDir dir;
  const Target target = Target::cpu({.threads = 2, .share_all = true});
  REQUIRE_FALSE(target.backend().machine().empty());
  CHECK(Target::reference().backend().machine().empty());
  Graph g("small");
  const Tensor x = g.input("x", f32, {64, 256}), w = g.input("w", f32, {256, 128});
  g.output("y", sum(square(matmul(x, w))));
  Step step = compile(g, target, {.cache = dir / "cache"});
  step.start_profile();
  step({{"x", std::vector<float>(64 * 256, 1)}, {"w", std::vector<float>(256 * 128, 1)}});
  CHECK_FALSE(step.profile().limits);
  CHECK(step.profile().step.least == 0);
  detail::keep_machine({target.backend().machine(), {limits(1), limits(2), limits(4)}}, dir / "cache");
  const Profile profile = step.profile();
  REQUIRE(profile.limits);
  CHECK(profile.limits->threads == 2);
  CHECK(profile.calls[0].least == Approx(limits(2).least_microseconds(profile.calls[0].flops, f32, profile.calls[0].bytes)));
}
