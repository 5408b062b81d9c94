// Every heavy op as generated kernels, on the PTX machine, against the reference.

#include <algorithm>
#include <cmath>
#include <map>
#include <regex>
#include <set>

#include "weft/backends/cuda/heavy.h"
#include "weft/backends/reference/agreement.h"
#include "weft/ir/op_def.h"
#include "weft/passes/pass.h"
#include "weft/tests/backends/cuda/heavy_run.h"
#include "weft/tests/backends/cuda/ptxas.h"
#include "weft/tests/catch.h"
#include "weft/tests/passes/programs.h"
#include "weft/tests/passes/rewrite.h"
#include "weft/tests/random/random_graph.h"

using namespace weft;
using reference::Tensor;
using testing::Sample;

namespace {

double ulp_of(DType t) { return t == f64 ? 0x1p-52 : t == f32 ? 0x1p-23 : t == f16 ? 0x1p-10 : 0x1p-7; }

std::vector<Tensor> moved(std::vector<Tensor> values) {
  for (Tensor& t : values)
    for (size_t e = 0; e < t.real.size(); ++e) t.real[e] *= 1 + (e % 2 ? 1 : -1) * ulp_of(t.type.dtype);
  return values;
}

void check_agreement(const test::HeavyRun& run, const Sample& sample) {
  const std::vector<Tensor> inputs = testing::values_of(sample);
  const ir::Module module = testing::module_of(sample);
  const std::vector<Tensor> got = run.results(inputs, {}), want = reference::evaluate(module.graph(), inputs),
                            near = reference::evaluate(module.graph(), moved(inputs));
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < want.size(); ++i) {
    INFO("result " << i);
    const Tensor* const all[] = {&near[i]};
    for (size_t e = 0; e < want[i].real.size(); ++e) CHECK(std::isnan(got[i].real[e]) == std::isnan(want[i].real[e]));
    const double bound = run.op().def().error_ulps * ulp_of(want[i].type.dtype);
    const double absolute = reference::rounding_at_zero(want[i].type.dtype);
    CHECK(reference::disagreement(got[i], want[i], all, {.bound = bound, .absolute = absolute}).value_or("") == "");
  }
}

/// A load or store that names no space.
bool has_generic_access(const std::string& ptx) {
  return std::regex_search(ptx, std::regex("\n\\s*(?:@!?%\\w+\\s+)?(ld|st)\\.(v[24]\\.)?[bfsu][0-9]+"));
}

/// A target that the table makes.
class TableTarget final : public passes::Target {
 public:
  std::string_view name() const override { return "table"; }
  bool claims(const ir::Op& op) const override {
    const cuda::HeavyOp* row = cuda::find_heavy(op);
    return row && (!row->claims || row->claims(op));
  }
  bool accepts_epilogue(const ir::Op&, const ir::Graph&) const override { return false; }
  int64_t scratch_bytes(const ir::Op& op) const override {
    const cuda::HeavyOp* row = cuda::find_heavy(op);
    return row && row->scratch_bytes ? row->scratch_bytes(op) : 0;
  }
};

/// The op by itself, as recorded.
Sample sample_of(const ir::Op& op) {
  Sample sample{std::string(op.name()), {}};
  for (const ir::Value v : op.operands()) sample.operands.push_back(v.type());
  for (const ir::AttributeSpec& a : op.def().attributes)
    if (a.name != "scratch") sample.attributes.emplace_back(a.name, op.attribute(a.name));
  return sample;
}

}  // namespace

TEST_CASE("heavy kernels: ptxas takes them for older GPUs too", "[cuda]") {
  if (const std::string why = test::why_no_ptxas(12.0); !why.empty()) {
    WARN("skipped: " << why);
    return;
  }
  std::map<std::string, std::string> texts;
  for (const DType floating : {f32, bf16})
    for (const Sample& sample : testing::samples(floating)) {
      const ir::Module module = testing::module_of(sample);
      const ir::Op& op = *module.graph().ops().front();
      const cuda::HeavyOp* row = cuda::find_heavy(op);
      if (row && !(row->claims && !row->claims(op)))
        texts.emplace(sample.op + std::string(name_of(floating)), test::HeavyRun(sample, "sm_75").text);
    }
  std::vector<std::string> all;
  for (const auto& [name, text] : texts) all.push_back(text);
  CHECK(all.size() == 2 * cuda::heavy_ops().size());
  CHECK(test::assemble(all, "sm_75") == "");
}

TEST_CASE("heavy kernels: every sample of the registry agrees with the reference", "[cuda][ptx-machine]") {
  std::map<std::string, int> checked;
  for (DType floating : {f32, f64, f16, bf16})
    for (const Sample& sample : testing::samples(floating)) {
      const ir::Module module = testing::module_of(sample);
      const ir::Op& op = *module.graph().ops().front();
      const cuda::HeavyOp* row = cuda::find_heavy(op);
      if (!row || (row->claims && !row->claims(op))) continue;
      INFO(testing::to_string(sample));
      const test::HeavyRun run(sample);
      CHECK(run.launches().empty() == (op.result().shape().numel() == 0));
      CHECK(!has_generic_access(run.text));
      check_agreement(run, sample);
      ++checked[sample.op];
    }
  for (const cuda::HeavyOp& row : cuda::heavy_ops()) {
    INFO(row.name);
    CHECK(checked[std::string(row.name)] >= 5);
  }
}

TEST_CASE("heavy kernels: those of planned programs and of random graphs agree with the reference", "[cuda][ptx-machine]") {
  const TableTarget target;
  std::map<std::string, int> checked;
  std::set<std::string> known;
  const auto check = [&](ir::Module module) {
    passes::run(module, passes::remaining_passes(module), target);
    for (const auto& op : module.graph().ops()) {
      if (op->def().kind != ir::Kind::heavy) continue;
      REQUIRE(target.claims(*op));
      const bool has_scratch = op->def().attribute_index("scratch") >= 0 && op->integer("scratch") > 0;
      CHECK(has_scratch == (target.scratch_bytes(*op) > 0));
      const Sample sample = sample_of(*op);
      INFO(testing::to_string(sample));
      if (!known.insert(testing::to_string(sample)).second) continue;
      check_agreement(test::HeavyRun(sample), sample);
      ++checked[sample.op];
    }
  };
  for (const testing::NamedProgram& program : testing::programs())
    for (const char* dtype : {"f32", "bf16"}) check(testing::module_from(program.with(dtype)));
  // A hundred graphs, and more until each of the ops has come twice.
  const auto is_rare = [&](const cuda::HeavyOp& row) { return checked[std::string(row.name)] < 2; };
  const auto any_is_rare = [&] { return std::any_of(cuda::heavy_ops().begin(), cuda::heavy_ops().end(), is_rare); };
  for (uint64_t seed = 0; seed < 100 || (seed < 2000 && any_is_rare()); ++seed) check(test::random_module(seed, {.largest = 20}));
  for (const cuda::HeavyOp& row : cuda::heavy_ops()) {
    INFO(row.name);
    CHECK(!is_rare(row));
  }
}
