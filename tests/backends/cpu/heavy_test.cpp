// Every heavy op has a row in every backend, and every row is of a heavy op.

#include <algorithm>

#include "weft/backends/cpu/cpu.h"
#include "weft/backends/cpu/heavy.h"
#include "weft/backends/reference/heavy.h"
#include "weft/ir/registry.h"
#include "weft/tests/backends/epilogues.h"
#include "weft/tests/catch.h"

using namespace weft;

TEST_CASE("every heavy op has a row in every backend", "[cpu][reference]") {
  const auto rows = cpu::heavy_ops();
  for (const ir::OpDef* def : ir::registry().all()) {
    if (def->kind != ir::Kind::heavy) continue;
    INFO(def->name);
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const cpu::HeavyOp& r) { return r.name == def->name; });
    REQUIRE(row != rows.end());
    CHECK(row->describe);
    CHECK(reference::runs_heavy(def->name));
  }
  for (const cpu::HeavyOp& row : rows) {
    INFO(row.name);
    const ir::OpDef* def = ir::registry().find(row.name);
    CHECK((def && def->kind == ir::Kind::heavy));
  }
}

TEST_CASE("a product on the cpu takes a bias or an addend", "[cpu]") { test::check_epilogues(cpu::target()); }
