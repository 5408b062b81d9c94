#include "weft/passes/shrink.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "weft/ir/builder.h"
#include "weft/ir/verifier.h"
#include "weft/passes/dce.h"
#include "weft/passes/shrink_extents.h"
#include "weft/support/error.h"

namespace weft::passes {
namespace {

class Shrinker {
 public:
  Shrinker(const ir::Module& module, const std::function<bool(const ir::Module&)>& holds, const ShrinkOptions& options)
      : smallest_(module.clone()), holds_(holds), attempts_left_(options.attempts) {}

  ir::Module run() {
    for (bool changed = true; changed;) {
      changed = drop_train_block();
      changed |= drop_outputs();
      changed |= raise_outputs();
      changed |= drop_trained();
      for (size_t many = smallest_.graph().ops().size() / 2; many > 0; many /= 2) {
        changed |= replace_ops(many, to_input);
        changed |= replace_ops(many, to_ancestor<false>);
        changed |= replace_ops(many, to_ancestor<true>);
      }
    }
    shrink_extents();
    return std::move(smallest_);
  }

 private:
  static size_t size(const ir::Module& m) {
    return m.graph().ops().size() + m.graph().outputs().size() + (m.train ? 1 + m.train->inputs.size() + m.train->attributes.size() : 0);
  }

  bool try_it(ir::Module candidate) {
    dce(candidate.graph());
    drop_unread_inputs(candidate);
    return size(candidate) < size(smallest_) && take(std::move(candidate));
  }

  bool take(ir::Module candidate) {
    if (attempts_left_ == 0 || !verifies(candidate)) return false;
    --attempts_left_;
    if (!holds_(candidate)) return false;
    smallest_ = std::move(candidate);
    return true;
  }

  /// The large ones first, each to the smallest of a few that will do.
  void shrink_extents() {
    const std::set<int64_t> extents = extents_of(smallest_);
    for (auto from = extents.rbegin(); from != extents.rend(); ++from)
      for (const int64_t to : {int64_t{1}, int64_t{2}, int64_t{3}, *from / 2}) {
        if (to >= *from) continue;
        std::optional<ir::Module> candidate = with_extent(smallest_, *from, to);
        if (candidate && take(std::move(*candidate))) break;
      }
  }

  static bool verifies(const ir::Module& m) {
    try {
      ir::verify(m);
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  static void drop_unread_inputs(ir::Module& m) {
    ir::Graph& g = m.graph();
    for (int i = static_cast<int>(g.inputs().size()) - 1; i >= 0; --i) {
      bool needed = !g.input(i).users().empty() || g.is_output(g.input(i));
      for (const ir::Output& o : g.outputs()) needed = needed || o.alias == i;
      if (m.train) needed = needed || std::count(m.train->inputs.begin(), m.train->inputs.end(), g.input(i).name()) > 0;
      if (!needed) g.remove_input(i);
    }
  }

  bool drop_outputs() {
    bool any = false;
    for (size_t i = 0; i < smallest_.graph().outputs().size() && smallest_.graph().outputs().size() > 1;) {
      ir::Module candidate = smallest_.clone();
      std::vector<ir::Output> outputs = candidate.graph().outputs();
      if (candidate.train && outputs[i].name == candidate.train->loss) candidate.train.reset();
      outputs.erase(outputs.begin() + static_cast<std::ptrdiff_t>(i));
      candidate.graph().set_outputs(std::move(outputs));
      if (try_it(std::move(candidate))) any = true;
      else ++i;
    }
    return any;
  }

  bool drop_train_block() {
    if (!smallest_.train) return false;
    ir::Module candidate = smallest_.clone();
    candidate.train.reset();
    return try_it(std::move(candidate));
  }

  /// An output becomes one of what its op reads.
  bool raise_outputs() {
    bool any = false;
    for (size_t i = 0; i < smallest_.graph().outputs().size();)
      if (raise_output(i)) any = true;
      else ++i;
    return any;
  }

  bool raise_output(size_t i) {
    const ir::Output& output = smallest_.graph().outputs()[i];
    if (output.value.is_input() || output.alias) return false;
    const bool is_loss = smallest_.train && output.name == smallest_.train->loss;
    const size_t count = read_by(smallest_, i, is_loss).size();
    for (size_t k = 0; k < count; ++k) {
      ir::Module candidate = smallest_.clone();
      ir::Graph& g = candidate.graph();
      const ir::Value value = read_by(candidate, i, is_loss)[k];
      if (is_loss && !is_floating(value.dtype())) continue;
      g.set_output(i, is_loss ? summed(g, value) : value);
      if (try_it(std::move(candidate))) return true;
    }
    return false;
  }

  /// What the op of output i reads; with `twice` also what the ops of that read.
  static std::vector<ir::Value> read_by(const ir::Module& m, size_t i, bool twice) {
    const ir::Operands operands = m.graph().outputs()[i].value.op()->operands();
    std::vector<ir::Value> all(operands.begin(), operands.end());
    for (ir::Value v : operands)
      if (twice && !v.is_input()) all.insert(all.end(), v.op()->operands().begin(), v.op()->operands().end());
    return all;
  }

  /// A loss is one number.
  static ir::Value summed(ir::Graph& g, ir::Value v) {
    if (v.shape().rank() == 0) return v;
    Dims axes(v.shape().rank());
    std::iota(axes.begin(), axes.end(), int64_t{0});
    return ir::Builder(g).sum(v, std::move(axes));
  }

  bool drop_trained() {
    bool any = false;
    for (size_t i = 0; smallest_.train && i < smallest_.train->inputs.size() + smallest_.train->attributes.size();) {
      ir::Module candidate = smallest_.clone();
      ir::TrainSpec& train = *candidate.train;
      train.keep.clear(), train.counters.clear();
      const size_t inputs = train.inputs.size();
      if (i < inputs) train.inputs.erase(train.inputs.begin() + static_cast<std::ptrdiff_t>(i));
      else train.attributes.erase(train.attributes.begin() + static_cast<std::ptrdiff_t>(i - inputs));
      if (try_it(std::move(candidate))) any = true;
      else ++i;
    }
    return any;
  }

  /// What stands in for a value; none: the value stays.
  using Replacement = std::optional<ir::Value>(ir::Graph&, ir::Value);

  /// The results of `many` ops in a row become something else.
  bool replace_ops(size_t many, Replacement& replacement) {
    bool any = false;
    for (size_t i = 0; i < smallest_.graph().ops().size();) {
      ir::Module candidate = smallest_.clone();
      ir::Graph& g = candidate.graph();
      const std::vector<ir::Op*> ops = g.op_list();
      for (size_t k = i; k < std::min(i + many, ops.size()); ++k)
        for (ir::Value v : ops[k]->results())
          if (const auto other = replacement(g, v)) v.replace_all_uses_with(*other);
      if (try_it(std::move(candidate))) any = true;
      else i += many;
    }
    return any;
  }

  static std::optional<ir::Value> to_input(ir::Graph& g, ir::Value v) { return g.add_input(new_name(g), v.type()); }

  /// The nearest value of its type that it follows from, through the first operands or the last ones: what depends on what behind it
  /// stays so, along a gradient, say.
  template <bool last_first>
  static std::optional<ir::Value> to_ancestor(ir::Graph&, ir::Value v) {
    std::vector<const ir::Op*> reached = {v.op()};
    std::unordered_set<const ir::Op*> known = {v.op()};
    for (size_t i = 0; i < reached.size(); ++i) {
      const int count = static_cast<int>(reached[i]->operands().size());
      for (int k = 0; k < count; ++k) {
        const ir::Value operand = reached[i]->operand(last_first ? count - 1 - k : k);
        if (operand.type() == v.type()) return operand;
        if (!operand.is_input() && known.insert(operand.op()).second) reached.push_back(operand.op());
      }
    }
    return std::nullopt;
  }

  static std::string new_name(const ir::Graph& graph) {
    size_t n = 0;
    while (graph.find_input(fmt::format("cut{}", n))) ++n;
    return fmt::format("cut{}", n);
  }

  ir::Module smallest_;
  const std::function<bool(const ir::Module&)>& holds_;
  int attempts_left_;
};

}  // namespace

ir::Module shrink(const ir::Module& module, const std::function<bool(const ir::Module&)>& holds, const ShrinkOptions& options) {
  return Shrinker(module, holds, options).run();
}

}  // namespace weft::passes
