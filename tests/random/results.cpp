#include "weft/tests/random/results.h"
#include "weft/ir/registry.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "weft/ir/builder.h"
#include "weft/ir/ops/optimizer.h"
#include "weft/passes/autodiff.h"
#include "weft/passes/dce.h"
#include "weft/passes/pass.h"

namespace weft::test {
namespace {

using ir::Kind;
using ir::OpDef;
using ir::Value;

Dims every_axis(Value v) {
  Dims axes(v.shape().dims().size());
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

class Results {
 public:
  Results(ir::Module& module, Dice& dice, const Palette& palette, const Pool& pool, const std::function<Value(const ir::Type&)>& new_input)
      : module_(module), dice_(dice), palette_(palette), pool_(pool), new_input_(new_input), b_(module.graph()) {}

  void add_outputs() {
    ir::Graph& g = module_.graph();
    for (Value v : pool_.values)
      if (!v.is_input() && (v.users().empty() || dice_(6) == 0)) g.add_output({fmt::format("y{}", g.outputs().size()), v, {}, {}});
    if (!dice_.chance(25)) return;
    for (const ir::Input& input : g.inputs()) {
      const Value v = pool_.draw(dice_, [&](Value x) { return !x.is_input() && x.type() == input.node->type; });
      if (!v || dice_.chance(50)) continue;
      g.add_output({input.node->name, v, input.value().index(), {}});
      if (!compiles({"decompose", "updates"}))
        g.set_outputs({g.outputs().begin(), std::prev(g.outputs().end())});  // updates that wait for each other
    }
  }

  void add_training() {
    if (dice_.chance(55)) return;
    const Value loss = bounded_loss(pool_.values);
    if (!loss) return;
    module_.graph().add_output({"loss", loss, {}, {}});
    if (dice_.chance(40) && add_train_block()) return;
    std::vector<Value> dx = add_gradients(loss, "d");
    if (dice_(6) == 0)
      if (const Value second = bounded_loss(dx)) add_gradients(second, "dd");
  }

 private:
  bool compiles(const std::vector<std::string>& passes) {
    ir::Module copy = module_.clone();
    try {
      passes::run(copy, passes, passes::generic_target());
    } catch (const Error&) {
      return false;
    }
    return true;
  }

  std::vector<Value> floating_inputs() const {
    std::vector<Value> all;
    for (const ir::Input& input : module_.graph().inputs())
      if (is_floating(input.node->type.dtype)) all.push_back(input.value());
    return all;
  }

  /// The mean over some values' means of tanh, which is bounded; null when there is none.
  Value bounded_loss(const std::vector<Value>& values) {
    Value loss;
    std::vector<Value> candidates;
    for (Value v : values)
      if (!v.is_input() && is_floating(v.dtype()) && v.shape().numel() > 0) candidates.push_back(v);
    dice_.shuffle(candidates);
    candidates.resize(std::min<size_t>(candidates.size(), 1 + dice_(3)));
    for (Value v : candidates) {
      const Value part = b_.cast(b_("mean", {b_("tanh", {v})}, {{"axes", every_axis(v)}}), palette_.floating[0]);
      loss = loss ? b_("add", {loss, part}) : part;
    }
    return loss;
  }

  std::vector<Value> add_gradients(Value loss, const std::string& prefix) {
    const std::vector<Value> xs = floating_inputs(), all = passes::gradients(module_.graph(), loss, xs);
    std::vector<Value> dx;
    for (size_t i = 0; i < all.size() && dx.size() < 3; ++i) {
      if (all[i].op()->def().kind == Kind::constant) continue;  // the loss does not depend on it
      module_.graph().add_output({prefix + xs[i].name(), all[i], {}, {}});
      dx.push_back(all[i]);
    }
    passes::dce(module_.graph());
    return dx;
  }

  /// A table whose looked-up rows the loss depends on, too; its name.
  std::string add_table() {
    const DType dtype = dice_.pick(palette_.floating);
    const int64_t rows = 3 + static_cast<int64_t>(dice_(6)), width = 1 + static_cast<int64_t>(dice_(5));
    const Value table = new_input_({dtype, {rows, width}});
    module_.graph().inputs()[static_cast<size_t>(table.index())].role = ir::Role::parameter;
    Value part;
    for (size_t lookups = 1 + dice_(2); lookups > 0; --lookups) {
      const Value index =
          new_input_({i64, random_shape(dice_, {.extents = {1, 2, 5}, .floating = palette_.floating, .most_elements = 50})});
      const Value bounded = b_("tanh", {b_("gather", {table, index}, {{"axis", int64_t{0}}, {"sparse", true}})});
      const Value mean = b_.cast(b_("mean", {bounded}, {{"axes", every_axis(bounded)}}), palette_.floating[0]);
      part = part ? b_("add", {part, mean}) : mean;
    }
    const ir::Output& loss = *module_.graph().find_output("loss");
    module_.graph().set_output(static_cast<size_t>(&loss - module_.graph().outputs().data()), b_("add", {loss.value, part}));
    return table.name();
  }

  /// Trains the inputs that the loss depends on; false when there is none, or when updates wait for each other.
  bool add_train_block() {
    std::vector<const OpDef*> optimizers, of_rows;
    for (const OpDef* def : ir::registry().all())
      if (const ir::OptimizerSpec* spec = ir::find_optimizer(def->name); spec && !spec->rank)  // a rule for matrices rounds to bf16
        (spec->rows ? of_rows : optimizers).push_back(def);
    const std::string table = dice_.chance(20) ? add_table() : "";
    const OpDef& optimizer = *dice_.pick(optimizers);
    ir::TrainSpec train{.loss = "loss", .optimizer = optimizer.name};
    for (const ir::AttributeSpec& spec : optimizer.attributes) train.attributes.emplace_back(spec.name, ir::Attribute(dice_.chance(50)));
    for (Value x : floating_inputs()) {
      const bool replaced = std::any_of(module_.graph().outputs().begin(), module_.graph().outputs().end(),
                                        [&](const ir::Output& o) { return o.alias == x.index(); });
      ir::Role& role = module_.graph().inputs()[static_cast<size_t>(x.index())].role;
      if (replaced || x.name() == table || role == ir::Role::hyper) continue;
      const ir::Role before = std::exchange(role, role == ir::Role::batch ? ir::Role::parameter : role);
      train.inputs = {x.name()};
      module_.train = train;
      if (compiles({"autodiff"})) trained_.push_back(x.name());
      else role = before;
    }
    train.inputs = trained_;
    train.clip_value = table.empty() && dice_.chance(25), train.clip_norm = dice_.chance(25);  // clipped by value, rows are dense
    if (trained_.size() > 1 && dice_.chance(30)) {
      train.groups = {{.name = "last", .inputs = {trained_.back()}, .optimizer = dice_.pick(optimizers)->name}};
      train.inputs.pop_back();
    }
    if (!table.empty()) train.groups.push_back({.name = "table", .inputs = {table}, .optimizer = dice_.pick(of_rows)->name});
    module_.train = train;
    if (!trained_.empty() && dice_.chance(30)) module_.train->keep = {trained_[0] + ".grad"};
    if (!trained_.empty() && compiles(passes::pipeline("step"))) return true;
    module_.train.reset();
    return false;
  }

  ir::Module& module_;
  Dice& dice_;
  const Palette& palette_;
  const Pool& pool_;
  const std::function<Value(const ir::Type&)>& new_input_;
  ir::Builder b_;
  std::vector<std::string> trained_;
};

}  // namespace

void add_results(ir::Module& module, Dice& dice, const Palette& palette, const Pool& pool,
                 const std::function<Value(const ir::Type&)>& new_input) {
  Results results(module, dice, palette, pool, new_input);
  results.add_outputs();
  results.add_training();
}

}  // namespace weft::test
