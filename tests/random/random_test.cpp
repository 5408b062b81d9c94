// A thousand random graphs, ten blocks of a hundred so that every core has some (ten of ten under sanitizers).
//
//   WEFT_RANDOM_SEED=5000 WEFT_RANDOM_GRAPHS=20000 test_random "[.many]"    a longer run, from that seed on
//   WEFT_RANDOM_FILE=fault.weft WEFT_RANDOM_SEED=17 test_random "[.file]"   a graph that a failure left behind
//
// A failure shrinks to a text, which goes into the folder random_faults of the build directory.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "weft/ir/ops/loop.h"
#include "weft/ir/ops/optimizer.h"
#include "weft/ir/ops/with_gradient.h"
#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/ir/registry.h"
#include "weft/passes/pass.h"
#include "weft/tests/catch.h"
#include "weft/tests/random/check.h"
#include "weft/tests/random/random_graph.h"

using namespace weft;

namespace {

constexpr test::Recipe with_loops{.loops = true};

#ifdef WEFT_SANITIZED
constexpr uint64_t block = 10;
#else
constexpr uint64_t block = 100;
#endif

uint64_t from_environment(const char* name, uint64_t fallback) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : fallback;
}

/// Writes the text of the smallest module that has the fault, and says where.
std::string save(const ir::Module& module, uint64_t seed, const test::Fault& fault) {
  const ir::Module smallest = test::shrink(module, seed, fault);
  const auto found = test::find_fault(smallest, seed);
  const std::filesystem::path file = std::filesystem::path(WEFT_FAULTS_DIR) / fmt::format("{}.weft", seed);
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << "# seed " << seed << ": " << (found ? found->text : fault.text) << "\n" << ir::print(smallest);
  return file.string();
}

void check(const ir::Module& module, uint64_t seed, test::Firings* firings) {
  const auto fault = test::find_fault(module, seed, firings);
  if (fault) FAIL_CHECK("seed " << seed << ": " << fault->text << "\nsmallest: " << save(module, seed, *fault));
}

void check_block(uint64_t number) {
  test::Firings firings;
  for (uint64_t seed = number * block; seed < (number + 1) * block; ++seed) {
    const ir::Module module = test::random_module(seed, with_loops);
    check(module, seed, &firings);
  }
  if (block < 100) return;
  // Ten blocks make 50.
  for (const auto* table : {&passes::arithmetic_rewrites(), &passes::movement_rewrites(), &passes::contraction_rewrites()})
    for (const passes::Rewrite& row : *table) {
      INFO(row.op << ": " << row.equation);
      CHECK(firings[&row] >= 5);
    }
}

}  // namespace

#define WEFT_BLOCK(n) \
  TEST_CASE("random graphs " #n ": every stage and every way of compiling computes the same") { check_block(n); }
WEFT_BLOCK(0)
WEFT_BLOCK(1)
WEFT_BLOCK(2)
WEFT_BLOCK(3)
WEFT_BLOCK(4)
WEFT_BLOCK(5)
WEFT_BLOCK(6)
WEFT_BLOCK(7)
WEFT_BLOCK(8)
WEFT_BLOCK(9)

TEST_CASE("the thousand random graphs have every op of the registry") {
  std::set<std::string_view> drawn;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    ir::Module module = test::random_module(seed, with_loops);
    if (module.train) {
      drawn.insert(ir::op_def(module.train->optimizer).name);
      for (const ir::TrainGroup& group : module.train->groups) drawn.insert(ir::op_def(group.optimizer).name);
    }
    passes::run(module, {"autodiff"}, passes::generic_target());  // gradients belong to the graphs
    for (const auto& op : module.graph().ops()) drawn.insert(op->name());
  }
  for (const ir::OpDef* def : ir::registry().all()) {
    INFO(def->name);
    const ir::OptimizerSpec* update = ir::find_optimizer(def->name);
    const bool of_matrices = update && update->rank;                          // results.cpp leaves them out
    const bool of_passes = def->needs_body() && def->kind != ir::Kind::loop;  // regions
    if (ir::has_gradient_body(*def)) continue;                                // gradients that are none: nothing to compare with
    CHECK((drawn.contains(def->name) || of_passes || of_matrices));
  }
}

TEST_CASE("random graphs have loops of every form") {
  int nested = 0, several = 0, reversed = 0, made_by_gradients = 0;
  for (uint64_t seed = 0; seed < 500; ++seed) {
    ir::Module module = test::random_module(seed, with_loops);
    int loops = 0;
    for (const auto& op : module.graph().ops()) {
      if (!ir::is_loop(*op)) continue;
      const ir::Scan scan = ir::scan_of(*op);
      const auto& inside = op->body().ops();
      nested += std::any_of(inside.begin(), inside.end(), [](const auto& inner) { return ir::is_loop(*inner); });
      several += scan.carried > 1, reversed += scan.reverse, ++loops;
    }
    passes::run(module, {"autodiff"}, passes::generic_target());
    for (const auto& op : module.graph().ops()) loops -= ir::is_loop(*op);
    made_by_gradients += loops < 0;
  }
  CHECK(nested >= 3);
  CHECK(several >= 10);
  CHECK(reversed >= 10);
  CHECK(made_by_gradients >= 3);
}

TEST_CASE("random graphs, as many as asked for", "[.many]") {
  const uint64_t first = from_environment("WEFT_RANDOM_SEED", 1000), count = from_environment("WEFT_RANDOM_GRAPHS", 20000);
  for (uint64_t seed = first; seed < first + count; ++seed) check(test::random_module(seed, with_loops), seed, nullptr);
  SUCCEED();
}

TEST_CASE("a graph from a file", "[.file]") {
  const char* file = std::getenv("WEFT_RANDOM_FILE");
  REQUIRE(file);
  const auto fault = test::find_fault(ir::parse_file(file), from_environment("WEFT_RANDOM_SEED", 0));
  INFO((fault ? fault->text : ""));
  CHECK(!fault);
}
