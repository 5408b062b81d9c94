#include "weft/tests/passes/random_graph.h"

#include <vector>

#include "weft/ir/builder.h"

namespace weft::testing {
namespace {

using ir::Value;

class Generator {
 public:
  Generator(ir::Graph& graph, uint32_t seed, DType dtype, uint32_t largest) : b_(graph), dice_(seed), dtype_(dtype) {
    for (int64_t& extent : extents_) extent = 1 + dice_(largest);
    for (int64_t rows : extents_)
      for (int64_t columns : extents_) add_input({rows, columns});
    for (int64_t extent : extents_) add_input({extent});
  }

  void add_op() {
    const Value x = any(values_), m = any(values_, 2);
    const int64_t axis = dice_(2);
    switch (dice_(10)) {
      case 0: return keep(b_("matmul", {m, with(m.shape()[1], dice_(2))}));
      case 1: return keep(b_("add", {m, b_.broadcast(vector(m.shape()[1]), m.shape())}));
      case 2: return keep(b_("mul", {m, b_.broadcast(b_.reshape(vector(m.shape()[0]), {m.shape()[0], 1}), m.shape())}));
      case 3: return keep(b_("sum", {m}, {{"axes", Dims{axis}}}));
      case 4: return keep(b_.broadcast(b_("max", {m}, {{"axes", Dims{axis}}, {"keep_dims", true}}), m.shape()));
      case 5: return keep(b_("transpose", {m}, {{"permutation", Dims{1, 0}}}));
      case 6: return keep(b_("tanh", {x}));
      case 7: return keep(b_("relu", {x}));
      case 8: return keep(b_("mul", {x, alike(x)}));
      default: return keep(b_("sub", {x, alike(x)}));
    }
  }

  void add_outputs() {
    for (const char* name : {"a", "b", "c"}) b_.graph().add_output({name, any(values_), {}, {}});
    // So that little of the graph is dead: the sum of all elements of all results.
    Value total = b_.splat({dtype_, {}}, 0);
    for (Value v : values_)
      if (!v.is_input() && v.users().empty()) total = b_("add", {total, b_.sum_to(v, {})});
    b_.graph().add_output({"total", total, {}, {}});
    // More than one could trade places, which is an error.
    for (const ir::Input& input : b_.graph().inputs())
      if (input.node->type == values_.back().type()) return b_.graph().add_output({"new", values_.back(), input.value().index(), {}});
  }

 private:
  void add_input(Shape shape) {
    values_.push_back(b_.graph().add_input("x" + std::to_string(values_.size()), {dtype_, std::move(shape)}, ir::Role::state));
  }

  void keep(Value v) { values_.push_back(v); }

  Value any(const std::vector<Value>& from) { return from[dice_(from.size())]; }

  /// Any of this rank.
  Value any(const std::vector<Value>& from, int rank) {
    std::vector<Value> fitting;
    for (Value v : from)
      if (v.shape().rank() == rank) fitting.push_back(v);
    return any(fitting);
  }

  Value alike(Value x) {
    std::vector<Value> fitting;
    for (Value v : values_)
      if (v.type() == x.type()) fitting.push_back(v);
    return any(fitting);
  }

  Value vector(int64_t extent) {
    std::vector<Value> fitting;
    for (Value v : values_)
      if (v.shape() == Shape{extent}) fitting.push_back(v);
    return any(fitting);
  }

  /// A matrix with so many rows, transposed if asked for.
  Value with(int64_t rows, bool transpose) {
    std::vector<Value> fitting;
    for (Value v : values_)
      if (v.shape().rank() == 2 && v.shape()[transpose ? 1 : 0] == rows) fitting.push_back(v);
    const Value v = any(fitting);
    return transpose ? b_("transpose", {v}, {{"permutation", Dims{1, 0}}}) : v;
  }

  ir::Builder b_;
  Dice dice_;
  DType dtype_;
  int64_t extents_[3] = {};
  std::vector<Value> values_;
};

}  // namespace

ir::Module random_module(uint32_t seed, DType dtype, uint32_t largest) {
  ir::Module m("random");
  Generator generator(m.graph(), seed, dtype, largest);
  for (uint32_t count = 3 + Dice(~seed)(60); count > 0; --count) generator.add_op();
  generator.add_outputs();
  return m;
}

}  // namespace weft::testing
