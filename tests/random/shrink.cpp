#include <vector>

#include "weft/ir/builder.h"
#include "weft/passes/dce.h"
#include "weft/tests/random/check.h"

namespace weft::test {
namespace {

/// Each attempt compiles the module several times.
constexpr int most_attempts = 500;

class Shrinker {
 public:
  Shrinker(const ir::Module& module, uint64_t seed, std::string kind) : smallest_(module.clone()), seed_(seed), kind_(std::move(kind)) {}

  ir::Module run() {
    for (bool changed = true; changed;) {
      changed = drop_outputs();
      changed |= drop_trained();
      changed |= cut_ops();
    }
    return std::move(smallest_);
  }

 private:
  static size_t size(const ir::Module& m) {
    return m.graph().ops().size() + m.graph().outputs().size() + (m.train ? 1 + m.train->inputs.size() + m.train->attributes.size() : 0);
  }

  bool try_it(ir::Module candidate) {
    passes::dce(candidate.graph());
    drop_unread_inputs(candidate);
    if (size(candidate) >= size(smallest_) || ++attempts_ > most_attempts) return false;
    const auto fault = find_fault(candidate, seed_);
    if (!fault || fault->kind != kind_) return false;
    smallest_ = std::move(candidate);
    return true;
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

  bool drop_trained() {
    bool any = false;
    for (size_t i = 0; smallest_.train && i < smallest_.train->inputs.size() + smallest_.train->attributes.size();) {
      ir::Module candidate = smallest_.clone();
      ir::TrainSpec& train = *candidate.train;
      train.keep.clear();
      const size_t inputs = train.inputs.size();
      if (i < inputs) train.inputs.erase(train.inputs.begin() + static_cast<std::ptrdiff_t>(i));
      else train.attributes.erase(train.attributes.begin() + static_cast<std::ptrdiff_t>(i - inputs));
      if (try_it(std::move(candidate))) any = true;
      else ++i;
    }
    return any;
  }

  /// An op's results become inputs.
  bool cut_ops() {
    bool any = false;
    for (size_t i = 0; i < smallest_.graph().ops().size();) {
      ir::Module candidate = smallest_.clone();
      ir::Graph& g = candidate.graph();
      for (ir::Value v : g.op_list()[i]->results()) v.replace_all_uses_with(g.add_input(new_name(g), v.type()));
      if (try_it(std::move(candidate))) any = true;
      else ++i;
    }
    return any;
  }

  static std::string new_name(const ir::Graph& graph) {
    size_t n = 0;
    while (graph.find_input(fmt::format("cut{}", n))) ++n;
    return fmt::format("cut{}", n);
  }

  ir::Module smallest_;
  uint64_t seed_;
  std::string kind_;
  int attempts_ = 0;
};

}  // namespace

ir::Module shrink(const ir::Module& module, uint64_t seed, const Fault& fault) { return Shrinker(module, seed, fault.kind).run(); }

}  // namespace weft::test
