// In which type each op computes under autocast.

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "weft/backends/reference/reference.h"
#include "weft/ir/op_def.h"
#include "weft/ir/registry.h"
#include "weft/ir/verifier.h"
#include "weft/passes/pass.h"
#include "weft/tests/catch.h"
#include "weft/tests/ops/samples.h"

using namespace weft;
using ir::Autocast;

namespace {

/// Of an elementwise op, a movement or a constant the kind says that it follows its operands; of these the definition must speak.
bool must_say(const ir::OpDef& def) {
  return def.kind == ir::Kind::composite || def.kind == ir::Kind::heavy || def.kind == ir::Kind::reduction;
}

}  // namespace

TEST_CASE("autocast: every composite, heavy op and reduction says in which type it computes", "[registry][autocast]") {
  for (const ir::OpDef* def : ir::registry().all()) {
    INFO(def->name);
    if (must_say(*def)) CHECK(def->autocast.has_value());
    if (def->contracts()) CHECK(def->autocast_class() == Autocast::low);
    if (def->needs_body()) CHECK(def->autocast_class() == Autocast::fixed);
    if (def->name.ends_with("_loss") || def->name.ends_with("cross_entropy")) CHECK(def->autocast_class() == Autocast::wide);
  }
}

TEST_CASE("autocast: which ops do not follow their operands", "[registry][autocast]") {
  const std::map<Autocast, std::set<std::string>> known{
      {Autocast::low, {"convolution", "convolution_data", "convolution_weight", "matmul"}},
      // torch.amp's ops that autocast to float32, and mean, var and the sums of squares that it computes so inside.
      {Autocast::wide,
       {"binary_cross_entropy", "cross_entropy", "exp", "expm1", "log", "log1p", "log_softmax", "mean", "mse_loss", "nll_loss", "pow",
        "reciprocal", "rsqrt", "softmax", "softplus", "square", "standardize", "sum", "var"}},
      {Autocast::fixed,
       {"adadelta", "adafactor", "adagrad", "adam", "adamax", "adamw", "asgd", "fused", "kernel", "lars", "lion", "muon", "nadam", "radam",
        "rmsprop", "rprop", "sgd", "sparse_adam"}}};
  for (const auto& [how, ops] : known)
    for (const std::string& op : ops) {
      INFO(op);
      CHECK(ir::op_def(op).autocast_class() == how);
    }
  for (const char* op :
       {"add", "mul", "relu", "gelu", "tanh", "sigmoid", "max", "max_pool", "avg_pool", "dropout", "reshape", "concat", "gather"}) {
    INFO(op);
    CHECK(ir::op_def(op).autocast_class() == Autocast::follows);
  }
}

TEST_CASE("autocast: what a program registers follows its operands unless it says more", "[autocast]") {
  ir::OpDef def;
  CHECK(def.autocast_class() == Autocast::follows);
  def.kind = ir::Kind::reduction;
  CHECK(def.autocast_class() == Autocast::wide);
  def.kind = ir::Kind::nest;
  CHECK(def.autocast_class() == Autocast::fixed);
  def.autocast = Autocast::low;
  CHECK(def.autocast_class() == Autocast::low);
}

TEST_CASE("autocast: every op keeps what it takes and gives, and what it computes, within what bf16 rounds", "[autocast]") {
  for (const testing::Sample& sample : testing::samples(f32)) {
    INFO(testing::to_string(sample));
    const ir::Module recorded = testing::module_of(sample);
    ir::Module module = recorded.clone();
    const bool changed = passes::run(module, {"autocast"}, passes::generic_autocast_target())[0].changed;
    ir::verify(module);
    if (sample.body.empty()) CHECK(changed == (ir::op_def(sample.op).autocast_class() == Autocast::low && sample.operands[0].dtype == f32));
    ir::Module again = module.clone();
    CHECK_FALSE(passes::run(again, {"autocast"}, passes::generic_autocast_target())[0].changed);
    const auto values = testing::values_of(sample);
    const auto want = reference::evaluate(recorded.graph(), values), got = reference::evaluate(module.graph(), values);
    REQUIRE(got.size() == want.size());
    for (size_t i = 0; i < want.size(); ++i) {
      CHECK(got[i].type == want[i].type);
      CHECK(got[i].integer == want[i].integer);
      double largest = 0, worst = 0;
      for (size_t e = 0; e < want[i].real.size(); ++e) {
        if (!std::isfinite(want[i].real[e])) continue;
        largest = std::max(largest, std::abs(want[i].real[e]));
        worst = std::max(worst, std::abs(got[i].real[e] - want[i].real[e]));
      }
      CHECK(worst <= largest / 64);
    }
  }
}
