#include "weft/tests/random/random_graph.h"
#include "weft/ir/registry.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "weft/ir/builder.h"
#include "weft/ir/ops/loop.h"
#include "weft/passes/canonicalize.h"
#include "weft/passes/dce.h"
#include "weft/tests/random/loops.h"
#include "weft/tests/random/op_weights.h"
#include "weft/tests/random/results.h"
#include "weft/tests/random/values.h"

namespace weft::test {
namespace {

using ir::Kind;
using ir::Op;
using ir::OpDef;
using ir::Value;
using passes::Rewrite;
using reference::Tensor;

/// The values of one op, computed alone.
std::vector<Tensor> evaluate(const Op& op, const std::vector<Tensor>& operands) {
  ir::Graph graph;
  std::vector<Value> values;
  for (const Tensor& t : operands) values.push_back(graph.add_input(std::to_string(values.size()), t.type));
  const Op& twin = graph.insert_copy(op, values);
  for (Value v : twin.results()) graph.add_output({"", v, {}, {}});
  return reference::evaluate(graph, operands);
}

class Generator {
 public:
  Generator(uint64_t seed, const Recipe& recipe, int loops_around = 0)
      : seed_(seed), recipe_(recipe), loops_around_(loops_around), dice_(seed), weights_(dice_), module_("random"), b_(module_.graph()),
        palette_(draw_palette()) {}

  ir::Module run() {
    for (int i = 0; i < 2; ++i) new_input({random_dtype(dice_, ir::Accepts::floating, palette_), random_shape(dice_, palette_)});
    const std::vector<const Rewrite*> rows = all_rewrites();
    for (size_t i = 0; i < 3; ++i) {
      const Rewrite& row = *rows[(seed_ + i * rows.size() / 3) % rows.size()];
      add_op_for(row, left_side_ops().at(&row));
    }
    add_op(weights_.turn(seed_));
    for (size_t left = draw_op_count(); left > 0; --left) add_op(weights_.draw(dice_));
    if (recipe_.loops && Dice(seed_ ^ 0x100b).chance(20)) add_loop();  // dice of its own: other graphs are as they were without loops
    add_results(module_, dice_, palette_, pool_, [this](const ir::Type& type) { return new_input(type); });
    return std::move(module_);
  }

  /// What the outermost op of each equation's left side reads, found out by drawing: to be tried first from then on.
  static const std::unordered_map<const Rewrite*, std::vector<const OpDef*>>& left_side_ops() {
    static const auto known = [] {
      std::unordered_map<const Rewrite*, std::vector<const OpDef*>> ops;
      for (const Rewrite* row : all_rewrites())
        for (uint64_t seed = 0; seed < 30 && ops[row].empty(); ++seed) {
          Generator g(~seed, {});
          g.new_input({f32, {3, 4}});
          if (!g.add_op_for(*row, {})) continue;
          for (Value v : g.module_.graph().ops().back()->operands())
            if (!v.is_input() && v.op()->def().kind != Kind::constant) ops[row].push_back(&v.op()->def());
        }
      return ops;
    }();
    return known;
  }

 private:
  // ---- what the graph is like ----

  Palette draw_palette() {
    static const std::vector<std::vector<DType>> mixes = {{f64}, {f32}, {f32, f32, bf16}, {f32, f32, f32, f32, f64, bf16}};
    static const std::vector<int64_t> usual = {2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 40, 65};
    const bool large = recipe_.largest == 0 && dice_(30) == 0;
    Palette p{{1}, dice_.pick(mixes), large ? 60000 : 2000};
    // Types that are mostly stored take others' places, by dice of their own: graphs without them are as they were.
    static const std::vector<DType> small = {i8, i16, u16, u32};
    if (Dice dice(seed_ ^ 0x57); dice.chance(30)) {
      std::replace(p.floating.begin(), p.floating.end(), bf16, f16);
      p.small = dice.pick(small);
    }
    if (recipe_.largest) p.most_elements = recipe_.largest * recipe_.largest * 4;
    for (int i = 0; i < 3; ++i)
      p.extents.push_back(recipe_.largest ? 1 + static_cast<int64_t>(dice_(static_cast<size_t>(recipe_.largest)))
                          : large         ? 60 + static_cast<int64_t>(dice_(500))
                                          : dice_.pick(usual));
    return p;
  }

  size_t draw_op_count() {
    if (recipe_.ops) return 1 + dice_(static_cast<size_t>(recipe_.ops));
    return dice_(16) == 0 ? 6 + dice_(12) : dice_(4);
  }

  // ---- values ----

  Value new_input(const ir::Type& type, ir::Role role = ir::Role::batch) {
    const Value v = module_.graph().add_input(fmt::format("x{}", inputs_++), type, role);
    pool_.values.push_back(v);
    return v;
  }

  Value splat(const ir::Type& type) {
    const double number = special_number(dice_);
    return is_floating(type.dtype)
               ? b_.splat(type, number)
               : b_("constant", {}, {{"value", ir::Dense::splat_integer(type, std::isfinite(number) ? static_cast<int64_t>(number) : 7)}});
  }

  /// How an operand comes about.
  struct Manner {
    int depth = 0;              // ops that may be drawn for the sake of this one
    size_t fresh_percent = 15;  // drawn ops
    size_t constant_percent = 15;
    bool positive = false;                  // in (0, 1), for ops that want such
    size_t input_percent = 0;               // of first operands: inputs of any type instead of what there is
    std::vector<const OpDef*> likely = {};  // drawn first

    Manner deeper() const { return {depth - 1, fresh_percent, constant_percent, false, input_percent, likely}; }
  };

  const OpDef& inner_op(const Manner& how) {
    return !how.likely.empty() && dice_.chance(70) ? *dice_.pick(how.likely) : weights_.draw(dice_);
  }

  /// Any value that `accepts` takes.
  Value first_operand(const OpDef& def, const Manner& how) {
    const ir::OperandSpec& spec = def.operands[0];
    if (spec.type) return operand(*spec.type, how);
    if (spec.index) return operand({i64, random_shape(dice_, palette_)}, how, true);
    if (how.depth > 0 && dice_.chance(how.fresh_percent)) {
      // The same op twice undoes itself now and then.
      const OpDef& inner = dice_.chance(30) ? def : inner_op(how);
      if (const Op* op = call(inner, how.deeper()))
        if (is_accepted(spec.accepts, op->result().dtype())) return op->result();
    }
    Value v;
    if (!dice_.chance(how.input_percent)) v = pool_.draw(dice_, [&](Value x) { return is_accepted(spec.accepts, x.dtype()); });
    const ir::Type type = v ? v.type() : ir::Type{random_dtype(dice_, spec.accepts, palette_), random_shape(dice_, palette_)};
    if (how.positive && is_floating(type.dtype)) return positive(type, v, def);
    if (dice_.chance(how.constant_percent)) return splat(type);
    return v ? v : new_input(type);
  }

  /// A value of this type.
  Value operand(const ir::Type& type, const Manner& how, bool index = false) {
    if (index && dice_.chance(60)) return new_input(type);
    if (!index && how.depth > 0 && dice_.chance(how.fresh_percent))
      if (const Value v = fresh_value(type, how)) return v;
    if (!index && dice_.chance(how.constant_percent)) return splat(type);
    if (const Value v = pool_.draw(dice_, [&](Value x) { return x.type() == type; })) return v;
    if (dice_.chance(50))
      if (const Value v = adapted(pool_.draw(dice_), type)) return v;
    return new_input(type, type == ir::Type{i64, {2}} ? ir::Role::key : dice_.chance(25) ? ir::Role::state : ir::Role::batch);
  }

  /// The result of an op drawn for this type.
  Value fresh_value(const ir::Type& type, const Manner& how) {
    for (int i = 0; i < 3; ++i) {
      const Op* op = call(inner_op(how), how.deeper());
      if (op && op->result().type() == type) return op->result();
    }
    return {};
  }

  /// `v` brought to the type by a cast, a transpose or a broadcast, if those can.
  Value adapted(Value v, const ir::Type& type) {
    Shape both;
    const Dims &from = v.shape().dims(), &to = type.shape.dims();
    if (broadcast_shapes(v.shape(), type.shape, both) && both == type.shape) return b_.broadcast(b_.cast(v, type.dtype), type.shape);
    if (!std::is_permutation(from.begin(), from.end(), to.begin(), to.end())) return {};
    Dims permutation;
    for (int64_t extent : to)
      for (size_t axis = 0; axis < from.size(); ++axis)
        if (from[axis] == extent && std::count(permutation.begin(), permutation.end(), axis) == 0) {
          permutation.push_back(static_cast<int64_t>(axis));
          break;
        }
    return b_("transpose", {b_.cast(v, type.dtype)}, {{"permutation", permutation}});
  }

  /// Inside the op's domain: `v` squeezed into it, or a positive input.
  Value positive(const ir::Type& type, Value v, const OpDef& def) {
    if (!v || dice_.chance(50)) return new_input(type, ir::Role::state);
    const Value part = b_("mul", {b_("sigmoid", {v}), b_.splat(type, def.sample_high - def.sample_low)});
    return b_("add", {part, b_.splat(type, def.sample_low)});
  }

  // ---- ops ----

  /// The dtypes of what the operand was made from: casts back and forth.
  static std::vector<DType> likely_dtypes(Value v) {
    std::vector<DType> all{v.dtype()};
    if (!v.is_input())
      for (Value operand : v.op()->operands()) all.push_back(operand.dtype());
    return all;
  }

  /// Appends a call of the op and what it takes for operands; null when nothing fits. What it appended stays.
  Op* call(const OpDef& def, const Manner& how) {
    std::vector<Value> operands;
    if (!def.operands.empty()) operands.push_back(first_operand(def, how));
    const ir::Type first = operands.empty() ? ir::Type() : operands[0].type();
    const auto drawn = propose(dice_, def, first, operands.empty() ? std::vector<DType>() : likely_dtypes(operands[0]), palette_);
    if (!drawn) return nullptr;
    for (size_t i = operands.size(); i < drawn->operands.size(); ++i) {
      const ir::OperandSpec& spec = def.operands[std::min(i, def.operands.size() - 1)];
      const ir::Type& type = drawn->operands[i];
      // Both operands the same value, now and then.
      if (type == first && !spec.index && dice_.chance(8)) operands.push_back(operands[0]);
      else if (how.positive && is_floating(type.dtype)) operands.push_back(positive(type, {}, def));
      else operands.push_back(operand(type, how, spec.index));
    }
    ir::NamedAttributes attributes;
    for (size_t i = 0; i < def.attributes.size(); ++i) attributes.emplace_back(def.attributes[i].name, drawn->attributes[i]);
    return &b_.create(def.name, operands, attributes);
  }

  struct Mark {
    size_t ops, inputs, pool;
  };
  Mark mark() const { return {module_.graph().ops().size(), module_.graph().inputs().size(), pool_.values.size()}; }
  void undo(const Mark& m) {
    ir::Graph& g = module_.graph();
    pool_.values.resize(m.pool);
    while (g.ops().size() > m.ops) {
      for (Value v : g.ops().back()->results()) tensors_.erase(v);
      g.erase(*g.ops().back());
    }
    while (g.inputs().size() > m.inputs) {
      tensors_.erase(g.input(static_cast<int>(g.inputs().size()) - 1));
      g.remove_input(static_cast<int>(g.inputs().size()) - 1);
    }
  }

  /// What the call added is worth keeping: its results go into the pool.
  void keep(const Mark& m) {
    size_t number = 0;
    for (const auto& op : module_.graph().ops())
      if (number++ >= m.ops && op->def().kind != Kind::constant)
        for (Value v : op->results()) pool_.values.push_back(v);
  }

  void add_op(const OpDef& def) {
    for (int i = 0; i < 4; ++i) {
      const Mark m = mark();
      const Op* op = call(def, {.depth = 1, .positive = i > 0});
      if (op && is_tame(m)) return keep(m);
      undo(m);
    }
  }

  /// An op that the row rewrites, if one comes up; `likely` are ops to draw for its operands.
  bool add_op_for(const Rewrite& row, const std::vector<const OpDef*>& likely) {
    const OpDef& def = ir::op_def(row.op);
    for (int i = 0; i < 400; ++i) {
      const Mark m = mark();
      Op* op = call(def, {.depth = 2, .fresh_percent = 40, .constant_percent = 25, .input_percent = 30, .likely = likely});
      if (op && applies(row, *op) && is_rewritten(*op, row) && is_tame(m)) {
        // What it reads has no other reader, which some equations ask for.
        pool_.values.resize(m.pool);
        pool_.values.push_back(op->result());
        return true;
      }
      undo(m);
    }
    return false;
  }

  /// Does the row still apply once the other equations have been applied to the operands?
  bool is_rewritten(const Op& op, const Rewrite& row) {
    const auto at = static_cast<std::ptrdiff_t>(module_.graph().ops().size()) - 1;
    WEFT_CHECK(module_.graph().ops().back() == &op, "an op was drawn behind the one wanted");
    ir::Module copy("row");
    copy.set_graph(clone(module_.graph()));
    copy.graph().add_output({"row", (*std::next(copy.graph().ops().begin(), at))->result(), {}, {}});
    passes::dce(copy.graph());
    bool applied = false;
    passes::canonicalize(copy, [&](const Rewrite& r) { applied = applied || &r == &row; });
    return applied;
  }

  bool applies(const Rewrite& row, Op& op) {
    const std::vector<Op*> before = module_.graph().op_list();
    ir::Builder builder(module_.graph(), &op);
    const bool found = static_cast<bool>(row.apply(builder, op));
    const std::vector<Op*> after = module_.graph().op_list();
    for (auto at = after.rbegin(); at != after.rend(); ++at)
      if (std::find(before.begin(), before.end(), *at) == before.end()) module_.graph().erase(**at);
    return found;
  }

  // ---- loops ----

  std::optional<LoopBody> body() {
    for (size_t i = 1 + dice_(3); i > 0; --i)
      new_input({random_dtype(dice_, ir::Accepts::floating, palette_), random_shape(dice_, palette_)});
    for (size_t left = draw_op_count(); left > 0; --left) add_op(weights_.draw(dice_));
    if (loops_around_ < 2 && dice_.chance(25)) add_loop();
    return loop_body(module_, dice_, pool_);
  }

  /// A random graph with a loop around it, which reads what there is.
  void add_loop() {
    for (int i = 0; i < 4; ++i) {
      Generator inside(random_bits(seed_, 0, 6, static_cast<size_t>(i)), {.largest = 5, .ops = 4}, loops_around_ + 1);
      std::optional<LoopBody> body = inside.body();
      if (!body) continue;
      const Mark m = mark();
      std::vector<Value> operands;
      for (int input = 0; input < static_cast<int>(body->graph->inputs().size()); ++input)
        operands.push_back(operand(body->operand(input), {}));
      ir::make_scan(b_, operands, body->carried, body->sliced, body->length, body->reverse, std::move(body->graph));
      if (is_tame(m)) return keep(m);
      undo(m);
    }
  }

  // ---- watching values ----

  const Tensor& tensor(Value v) {
    const auto found = tensors_.find(v);
    if (found != tensors_.end()) return found->second;
    return tensors_[v] = value_of(module_.graph().inputs()[static_cast<size_t>(v.index())], seed_);
  }

  /// Do the ops since the mark give finite, moderate values that do not hang on the last bits of their operands? Some that
  /// are infinite, nan or huge are kept all the same.
  bool is_tame(const Mark& m) {
    if (!recipe_.watched) return true;
    bool moderate = true;
    size_t number = 0;
    for (const auto& op : module_.graph().ops())
      if (number++ >= m.ops && !watch(*op, moderate)) return false;
    return moderate || dice_.chance(6);
  }

  /// A computed value is off by something of the order of the largest, an input or a constant is not.
  Tensor shaken(Value v) {
    Tensor t = tensor(v);
    const bool computed = !v.is_input() && v.op()->def().kind != Kind::constant && v.op()->def().kind != Kind::index;
    double largest = 0;
    for (double x : t.real)
      if (std::isfinite(x)) largest = std::max(largest, std::fabs(x));
    for (size_t e = 0; computed && e < t.real.size(); ++e)
      t.real[e] += (random_bits(seed_, 0, 5, e) % 2 ? 1 : -1) * shake(v.dtype()) * largest;
    return t;
  }

  static double shake(DType dtype) { return dtype == bf16 ? 0x1p-6 : dtype == f16 ? 0x1p-9 : 0x1p-13; }

  /// Returns whether the op's results stay about the same when its operands are shaken.
  bool watch(const Op& op, bool& moderate) {
    std::vector<Tensor> exact, near;
    bool coarse = false;
    for (Value v : op.operands()) {
      exact.push_back(tensor(v));
      near.push_back(shaken(v));
      coarse = coarse || is_narrow(v.dtype());
    }
    const std::vector<Tensor> values = evaluate(op, exact), others = evaluate(op, near);
    bool steady = true;
    for (size_t i = 0; i < values.size(); ++i) {
      tensors_[op.result(static_cast<int>(i))] = values[i];
      steady = steady && values[i].integer == others[i].integer;
      double largest = 0, difference = 0;
      for (size_t e = 0; e < values[i].real.size(); ++e) {
        const double x = values[i].real[e], y = others[i].real[e];
        if (!std::isfinite(x) || !std::isfinite(y)) {
          steady = steady && (x == y || (std::isnan(x) && std::isnan(y)));
          moderate = false;
          continue;
        }
        largest = std::max(largest, std::fabs(x));
        difference = std::max(difference, std::fabs(x - y));
      }
      moderate = moderate && largest < 1e4;
      steady = steady && difference <= (coarse ? 0.5 : 0x1p-7) * largest;
    }
    return steady;
  }

  uint64_t seed_;
  Recipe recipe_;
  int loops_around_;
  Dice dice_;
  OpWeights weights_;
  ir::Module module_;
  ir::Builder b_;
  Palette palette_;
  int inputs_ = 0;
  Pool pool_;
  std::unordered_map<Value, Tensor, ir::ValueHash> tensors_;
};

}  // namespace

ir::Module random_module(uint64_t seed, const Recipe& recipe) { return Generator(seed, recipe).run(); }

}  // namespace weft::test
