#include "weft/tests/ops/samples.h"

#include <algorithm>
#include <cmath>

#include "weft/ir/builder.h"
#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/support/philox.h"
#include "weft/tests/ops/samples_parts.h"

namespace weft::testing {
namespace {

using ir::Accepts;
using ir::Attribute;
using ir::Type;

/// The integer types that are tried together with a floating one: three each, so that all come up where all floating types do.
std::vector<DType> integers_beside(DType floating) {
  if (floating == f32) return {i64, i16, u32};
  if (floating == bf16) return {i32, i8, u16};
  return floating == f16 ? std::vector{i16, i8, u16} : std::vector{i64, i32, u8};
}

std::vector<DType> dtypes_of(Accepts accepts, DType floating) {
  if (accepts == Accepts::boolean) return {boolean};
  std::vector<DType> all;
  if (accepts == Accepts::any || accepts == Accepts::floating || accepts == Accepts::number) all.push_back(floating);
  if (accepts == Accepts::floating) return all;
  for (DType t : integers_beside(floating)) all.push_back(t);
  if (accepts == Accepts::any || accepts == Accepts::bits) all.push_back(boolean);
  return all;
}

/// An elementwise op without required attributes takes operands of one shape, and of one type but for conditions.
void add_elementwise(std::vector<Sample>& all, const ir::OpDef& def, DType floating) {
  for (const auto& attribute : def.attributes)
    if (!attribute.fallback) return;
  for (DType dtype : dtypes_of(def.operands.back().accepts, floating))
    for (const Shape& shape : {Shape{2, 3}, Shape{}, Shape{37}, Shape{0}}) {
      Sample sample{def.name, {}};
      for (const auto& operand : def.operands) sample.operands.push_back({operand.accepts == Accepts::boolean ? boolean : dtype, shape});
      all.push_back(std::move(sample));
    }
}

void add_reduction(std::vector<Sample>& all, const ir::OpDef& def, DType floating) {
  for (DType dtype : dtypes_of(def.operands[0].accepts, floating)) {
    const auto add = [&](Shape shape, Dims axes, bool keep) {
      all.push_back({def.name, {{dtype, shape}}, {{"axes", axes}, {"keep_dims", keep}}});
    };
    add({2, 3, 4}, {1}, false);
    add({2, 3, 4}, {0, 2}, true);
    add({3, 41}, {1}, false);
    add({37, 3}, {0}, true);
    add({5, 1, 19}, {0, 1, 2}, false);
    add({2, 0}, {0}, false);
    add({}, {}, false);
  }
}

void add_movements(std::vector<Sample>& all, DType t) {
  all.push_back({"broadcast", {{t, {3, 1}}}, {{"shape", Dims{2, 3, 4}}}});
  all.push_back({"broadcast", {{t, {}}}, {{"shape", Dims{5}}}});
  all.push_back({"broadcast", {{i32, {2, 1}}}, {{"shape", Dims{2, 0}}}});
  all.push_back({"reshape", {{t, {2, 6}}}, {{"shape", Dims{3, 4}}}});
  all.push_back({"reshape", {{t, {4, 1}}}, {{"shape", Dims{2, 2}}}});
  all.push_back({"reshape", {{boolean, {1, 1}}}, {{"shape", Dims{}}}});
  all.push_back({"reshape", {{t, {0, 3}}}, {{"shape", Dims{2, 0, 1}}}});
  all.push_back({"transpose", {{t, {2, 3, 4}}}, {{"permutation", Dims{2, 0, 1}}}});
  all.push_back({"transpose", {{u8, {3, 17}}}, {{"permutation", Dims{1, 0}}}});
  all.push_back({"slice", {{t, {4, 5}}}, {{"start", Dims{1, 0}}, {"end", Dims{3, 5}}}});
  all.push_back({"slice", {{t, {5, 7}}}, {{"start", Dims{0, 1}}, {"end", Dims{5, 7}}, {"step", Dims{2, 3}}}});
  all.push_back({"slice", {{t, {5}}}, {{"start", Dims{1}}, {"end", Dims{3}}, {"step", Dims{4}}}});
  all.push_back({"slice", {{i64, {3}}}, {{"start", Dims{2}}, {"end", Dims{2}}}});
  all.push_back({"flip", {{t, {2, 3, 4}}}, {{"axes", Dims{2, 0}}}});
  all.push_back({"flip", {{i32, {3, 37}}}, {{"axes", Dims{1}}}});
  all.push_back({"flip", {{boolean, {5}}}, {{"axes", Dims{}}}});
  all.push_back({"pad", {{t, {2, 3}}}, {{"low", Dims{1, 0}}, {"high", Dims{0, 2}}, {"value", 0.1}}});
  all.push_back({"pad", {{i32, {2}}}, {{"low", Dims{0}}, {"high", Dims{2}}, {"value", -7.0}}});
  all.push_back({"concat", {{t, {2, 3}}, {t, {2, 1}}, {t, {2, 0}}, {t, {2, 2}}}, {{"axis", int64_t{1}}}});
  all.push_back({"concat", {{i64, {1, 2}}, {i64, {3, 2}}}, {{"axis", int64_t{0}}}});
}

void add_composites(std::vector<Sample>& all, DType t) {
  for (const char* approximate : {"none", "tanh"}) all.push_back({"gelu", {{t, {2, 5}}}, {{"approximate", std::string(approximate)}}});
  all.push_back({"detach", {{t, {2, 3}}}});
  all.push_back({"detach", {{i64, {4}}}});
  all.push_back({"clamp", {{t, {4, 5}}}, {{"min", -0.5}, {"max", 0.75}}});
  all.push_back({"clamp", {{t, {4, 5}}}, {{"max", 0.1}}});
  all.push_back({"elu", {{t, {4, 5}}}, {{"alpha", 0.5}, {"scale", 1.5}}});
  all.push_back({"softplus", {{t, {4, 5}}}, {{"beta", 2.0}, {"threshold", 1.0}}, {{0, {-1, 0.45}}}});
  all.push_back({"softplus", {{t, {4, 5}}}, {{"beta", 2.0}, {"threshold", 1.0}}, {{0, {0.55, 2}}}});
  for (const char* op : {"softmax", "log_softmax"}) {
    all.push_back({op, {{t, {3, 5}}}, {{"axis", int64_t{1}}}});
    all.push_back({op, {{t, {2, 3, 2}}}, {{"axis", int64_t{1}}}});
    all.push_back({op, {{t, {0, 3}}}, {{"axis", int64_t{0}}}});
  }
  for (const char* reduction : {"mean", "sum", "none"}) {
    const ir::NamedAttributes attributes{{"reduction", std::string(reduction)}};
    all.push_back({"mse_loss", {{t, {2, 3}}, {t, {2, 3}}}, attributes});
    for (const char* op : {"cross_entropy", "nll_loss"}) {
      all.push_back({op, {{t, {3, 4}}, {i64, {3}}}, attributes});
      all.push_back({op, {{t, {2, 3, 2}}, {i64, {2, 2}}}, attributes});
      all.push_back({op, {{t, {4}}, {i64, {}}}, attributes});
    }
  }
  all.push_back({"mean", {{t, {2, 3, 4}}}, {{"axes", Dims{1}}}});
  all.push_back({"mean", {{t, {3, 41}}}, {{"axes", Dims{0, 1}}, {"keep_dims", true}}});
  all.push_back({"mean", {{t, {0, 2}}}, {{"axes", Dims{1}}}});
  for (double correction : {0.0, 1.0, 1.5}) {
    all.push_back({"var", {{t, {2, 3, 4}}}, {{"axes", Dims{0, 2}}, {"correction", correction}}});
    all.push_back({"var", {{t, {3, 17}}}, {{"axes", Dims{1}}, {"keep_dims", true}, {"correction", correction}}});
  }
  for (bool center : {true, false})
    for (double eps : {1e-5, 0.5}) {
      const auto add = [&](Shape shape, Dims axes) {
        all.push_back({"standardize", {{t, shape}}, {{"axes", axes}, {"eps", eps}, {"center", center}}});
      };
      add({4, 19}, {1});
      add({5, 3}, {0});
      add({2, 3, 2, 4}, {0, 2, 3});
      add({3, 0}, {1});
    }
  for (int64_t n : {1, 2, 5}) {
    all.push_back({"polygamma", {{t, {2, 7}}}, {{"n", n}}});
    all.push_back({"polygamma", {{t, {7}}}, {{"n", n}}, {{0, {-1.9, -1.1}}}});
    all.push_back({"polygamma", {{t, {}}}, {{"n", n}}});
  }
  for (const char* op : {"lgamma", "digamma"}) all.push_back({op, {{t, {9}}}, {}, {{0, {-2.9, -2.1}}}});
  all.push_back({"argmax", {{t, {3, 19}}}, {{"axis", int64_t{1}}}});
  all.push_back({"argmax", {{i32, {4, 2}}}, {{"axis", int64_t{0}}, {"keep_dims", true}}});
}

void add_contractions(std::vector<Sample>& all, DType t) {
  all.push_back({"matmul", {{t, {2, 3}}, {t, {3, 4}}}});
  all.push_back({"matmul", {{t, {3, 2}}, {t, {3, 4}}}, {{"transpose_a", true}}});
  all.push_back({"matmul", {{t, {2, 3}}, {t, {4, 3}}}, {{"transpose_b", true}}});
  all.push_back({"matmul", {{t, {2, 3, 2}}, {t, {2, 4, 3}}}, {{"transpose_a", true}, {"transpose_b", true}}});
  all.push_back({"matmul", {{i32, {2, 3}}, {i32, {3, 1}}}});
  all.push_back({"matmul", {{t, {2, 0}}, {t, {0, 3}}}});
  const std::string type(name_of(t));
  all.push_back({"matmul",
                 {{t, {2, 3}}, {t, {3, 4}}, {t, {4}}},
                 {},
                 {},
                 "input %product: " + type + "[2,4] input %bias: " + type +
                     "[4] "
                     "%0 = broadcast(%bias) {shape = [2,4]} : " +
                     type +
                     "[2,4] "
                     "%1 = add(%product, %0) : " +
                     type + "[2,4] %2 = relu(%1) : " + type + "[2,4] output %2"});
  all.back().differentiable = false;
}

void add_attention(std::vector<Sample>& all, DType t) {
  using Attributes = ir::NamedAttributes;
  const Attributes causal{{"causal", true}, {"scale", 0.5}}, plain{{"scale", 0.25}};
  const auto add = [&](const Shape& q, const Shape& k, const Shape& v, const Attributes& attributes, std::vector<Type> mask = {}) {
    Sample forward{"attention", {{t, q}, {t, k}, {t, v}}, attributes};
    Dims rows(q.begin(), q.end() - 1), result = rows;
    result.push_back(v[-1]);
    const Type row{computed_in(t), Shape(rows)};
    Sample gradient{"attention_gradient", {{t, q}, {t, k}, {t, v}, {t, Shape(result)}, row, row}, attributes};
    for (Sample* sample : {&forward, &gradient}) {
      sample->operands.insert(sample->operands.end(), mask.begin(), mask.end());
      all.push_back(std::move(*sample));
    }
  };
  add({3, 2}, {4, 2}, {4, 3}, plain);
  add({2, 4, 3}, {2, 4, 3}, {2, 4, 3}, causal);
  add({2, 4, 2, 3}, {2, 2, 5, 3}, {2, 2, 5, 2}, causal);
  add({4, 3, 2}, {2, 3, 2}, {2, 3, 2}, plain, {{boolean, {1, 3, 3}}});
  add({2, 2, 3, 2}, {2, 1, 4, 2}, {2, 1, 4, 2}, plain, {{t, {2, 1, 1, 4}}});
}

/// As the pass `views` makes them, which comes after differentiation.
void add_planned_attention(std::vector<Sample>& all, DType t) {
  // Queries, keys and values of two samples, three tokens, two heads and width 2 lie side by side in each token's row; the first result's
  // heads do so too.
  const auto part = [](int64_t which) { return Dims{which * 4, 2, 2, 3, 2, 36, 2, 12, 1}; };
  const Type joined{t, {2, 3, 12}}, rows{computed_in(t), {2, 2, 3}}, shared{t, {3, 2}};
  const Dims by_token{0, 2, 1, 3}, stretched{0, 2, 2, 3, 2, 0, 0, 2, 1};
  const ir::NamedAttributes forward{{"q_view", part(0)}, {"k_view", part(1)}, {"v_view", part(2)}, {"order", by_token}};
  all.push_back({"attention", {joined, joined, joined}, forward});
  all.push_back(
      {"attention", {joined, shared, joined}, {{"q_view", part(0)}, {"k_view", stretched}, {"v_view", part(2)}, {"causal", true}}});
  const ir::NamedAttributes backward{{"q_view", part(0)},   {"k_view", part(1)},
                                     {"v_view", part(2)},   {"g_view", Dims{0, 2, 2, 3, 2, 12, 2, 4, 1}},
                                     {"q_order", by_token}, {"v_order", Dims{1, 0, 2, 3}}};
  all.push_back({"attention_gradient", {joined, joined, joined, {t, {2, 3, 4}}, rows, rows}, backward});
  all[all.size() - 3].differentiable = all[all.size() - 2].differentiable = false;
}

void add_indexed(std::vector<Sample>& all, DType t) {
  all.push_back({"gather", {{t, {4, 3}}, {i64, {6}}}});
  all.push_back({"gather", {{t, {2, 4, 2}}, {i64, {2, 3}}}, {{"axis", int64_t{1}}}});
  all.push_back({"gather", {{boolean, {3}}, {i64, {}}}});
  all.push_back({"gather", {{t, {4, 3}}, {i64, {2, 3}}}, {{"sparse", true}}});
  all.push_back({"scatter_add", {{t, {4, 3}}, {i64, {6}}, {t, {6, 3}}}});
  all.push_back({"scatter_add", {{t, {2, 4, 2}}, {i64, {2, 3}}, {t, {2, 2, 3, 2}}}, {{"axis", int64_t{1}}}});
  all.push_back({"scatter_add", {{u8, {3}}, {i64, {9}}, {u8, {9}}}});
  all.push_back({"row_sparse", {{i64, {6}}, {t, {6, 3}}}, {{"extent", int64_t{4}}}});
  all.push_back({"row_sparse", {{i64, {2, 3}}, {t, {2, 3, 2, 2}}}, {{"extent", int64_t{4}}}});
  const std::map<int, Interval> few{{0, {0, 2}}};
  all.push_back({"coalesce", {{i64, {6}}, {t, {6, 3}}}, {}, few});
  all.push_back({"coalesce", {{i64, {2, 3}}, {t, {2, 3}}}, {}, few});
  all.push_back({"coalesce", {{i64, {9}}, {u8, {9, 2}}}, {}, few});
  all.push_back({"scatter_rows", {{t, {4, 3}}, {i64, {6}}, {t, {6, 3}}}});
  all.push_back({"scatter_rows", {{t, {4, 2, 2}}, {i64, {2, 3}}, {t, {2, 3, 2, 2}}}});
  all.push_back({"scatter_rows", {{boolean, {3}}, {i64, {}}, {boolean, {}}}});
  all.push_back({"checked_index", {{i64, {2, 3}}}, {{"below", int64_t{7}}}});
  all.push_back({"checked_index", {{i64, {5}}}, {{"below", int64_t{4}}, {"ascending", true}}});
  all.push_back({"one_hot", {{i64, {5}}}, {{"classes", int64_t{4}}}});
  all.push_back({"one_hot", {{i64, {2, 2}}}, {{"classes", int64_t{3}}, {"dtype", t}}});
}

void add_sorts(std::vector<Sample>& all, DType t) {
  const auto along = [](int64_t axis, bool descending = false, int64_t start = 0, int64_t count = -1) {
    return ir::NamedAttributes{{"axis", axis}, {"descending", descending}, {"start", start}, {"count", count}};
  };
  all.push_back({"sort", {{t, {3, 7}}}, along(1)});
  all.push_back({"sort", {{t, {3, 7}}}, along(1, true)});
  all.push_back({"sort", {{t, {2, 5, 3}}}, along(1, true, 1)});
  all.push_back({"sort", {{t, {6, 2}}}, along(0, false, 2, 3)});
  all.push_back({"sort", {{t, {37}}}, along(0)});
  for (DType dtype : dtypes_of(Accepts::bits, t)) {
    all.push_back({"sort", {{dtype, {2, 9}}}, along(1)});
    all.push_back({"sort", {{dtype, {9, 2}}}, along(0, true, 0, 4)});
  }
  all.push_back({"median", {{t, {3, 5}}}});
  all.push_back({"median", {{t, {6}}}});
  all.push_back({"median", {{i32, {2, 4}}}});
}

void add_leaves(std::vector<Sample>& all, DType t) {
  all.push_back({"constant", {}, {{"value", ir::Dense::splat({t, {2, 3}}, 0.75)}}});
  all.push_back({"constant", {}, {{"value", ir::Dense::splat_integer({i64, {}}, (int64_t{1} << 53) + 1)}}});
  all.push_back({"iota", {}, {{"shape", Dims{2, 3}}, {"axis", int64_t{1}}}});
  all.push_back({"cast", {{t, {2, 3}}}, {{"dtype", t}}});
  all.push_back({"cast", {{f64, {2, 3}}}, {{"dtype", f32}}});
  for (DType to : {f16, bf16}) all.push_back({"cast", {{f32, {2, 3}}}, {{"dtype", to}}});
  for (DType to : {i64, i32, i16, i8, u32, u16, u8, boolean}) {
    all.push_back({"cast", {{t, {7}}}, {{"dtype", to}}, {{0, {-300, 300}}}});
    all.push_back({"cast", {{t, {7}}}, {{"dtype", to}}, {{0, {-6e4, 6e4}}}});
    all.push_back({"cast", {{to, {7}}}, {{"dtype", t}}});
    all.push_back({"cast", {{i64, {7}}}, {{"dtype", to}}, {{0, {-1e10, 1e10}}}});
  }
}

void add_random(std::vector<Sample>& all, DType t) {
  const std::map<int, Interval> words{{0, {0, 1e6}}, {1, {0, 1e15}}, {2, {0, 1e4}}};
  all.push_back({"philox", {{i64, {9}}, {i64, {9}}, {i64, {9}}}, {{"site", int64_t{3}}}, words});
  const ir::NamedAttributes attributes{{"shape", Dims{3, 5}}, {"site", int64_t{3}}};
  ir::NamedAttributes typed = attributes;
  typed.emplace_back("dtype", t);
  const std::map<int, Interval> key{{0, {0, 1e6}}};
  all.push_back({"bernoulli", {{t, {4, 5}}, {i64, {2}}}, {{"site", int64_t{3}}}, {{0, {0, 1}}, {1, {0, 1e6}}}});
  all.push_back({"random_bits", {{i64, {2}}}, attributes, key});
  all.push_back({"random_uniform", {{i64, {2}}}, typed, key});
  all.push_back({"random_normal", {{i64, {2}}}, typed, key});
  all.push_back({"dropout", {{t, {4, 5}}, {i64, {2}}, {f64, {}}}, {{"site", int64_t{3}}}, {{1, {0, 1e6}}, {2, {0.2, 0.5}}}, {}, {2}});
}

void add_regions(std::vector<Sample>& all, DType t) {
  const std::string type = std::string(name_of(t)) + "[2,3]";
  const std::string nest =
      "input %x: " + type + " input %y: " + type + " %0 = mul(%x, %y) : " + type + " %1 = add(%0, %x) : " + type + " output %0 output %1";
  all.push_back({"fused", {{t, {2, 3}}, {t, {2, 3}}}, {}, {}, nest});
  all.back().differentiable = false;
  const std::string kernel = "input %a: " + type + " input %b: " + type + " %0, %1 = fused(%a, %b) : " + type + ", " + type + " {" + nest +
                             "} %2 = fused(%1) : " + type + " {input %z: " + type + " %0 = exp(%z) : " + type + " output %0} output %2";
  all.push_back({"kernel", {{t, {2, 3}}, {t, {2, 3}}}, {{"serial", true}}, {}, kernel});
  all.back().differentiable = false;
}

void add_loops(std::vector<Sample>& all, DType t) {
  const std::string type = std::string(name_of(t)) + "[3]";
  const std::string body = "input %s: " + type + " input %x: " + type + " input %k: " + type + " %0 = mul(%s, %x) : " + type +
                           " %1 = add(%0, %k) : " + type + " output %1 aliases %s output %0";
  for (const int64_t length : {0, 1, 2})
    for (const bool reverse : {false, true})
      all.push_back({"scan",
                     {{t, {3}}, {t, {length, 3}}, {t, {3}}},
                     {{"carried", int64_t{1}}, {"sliced", int64_t{1}}, {"length", length}, {"reverse", reverse}},
                     {},
                     body});
}

void add_gradient_bodies(std::vector<Sample>& all, DType t) {
  const std::string type = std::string(name_of(t)) + "[3]";
  const std::string body = "input %g: " + type + " input %y: " + type + " input %x: " + type + " input %k: " + type +
                           " %0 = mul(%g, %k) : " + type + " output %0";
  all.push_back({"with_gradient", {{t, {3}}, {t, {3}}, {t, {3}}}, {{"results", int64_t{1}}, {"of", Dims{1}}}, {}, body});
  all.back().differentiable = false;  // it says what it likes
}

std::string input_name(const ir::OpDef& def, size_t i) {
  const size_t last = def.operands.size() - 1;
  const bool variadic = i >= last && def.operands[last].variadic;
  return def.operands[std::min(i, last)].name + (variadic ? std::to_string(i - last) : "");
}

bool near_a_kink(const ir::OpDef& def, double value) {
  return std::any_of(def.kinks.begin(), def.kinks.end(), [&](double k) { return std::abs(value - k) < 0.05; });
}

/// Draws the elements of one operand.
reference::Tensor draw(const ir::Op& op, int operand, const Sample& sample) {
  const ir::OpDef& def = op.def();
  reference::Tensor t(op.operand(operand).type());
  const bool floating = is_floating(t.type.dtype);
  Interval in = floating ? Interval{def.sample_low, def.sample_high} : Interval{is_unsigned(t.type.dtype) ? 0.0 : -9.0, 9};
  if (t.type.dtype == boolean) in = {0, 1};
  if (const auto given = sample.intervals.find(operand); given != sample.intervals.end()) in = given->second;
  if (def.index_bound)
    if (const auto bound = def.index_bound(op, operand)) in = {0, static_cast<double>(*bound - 1)};
  uint32_t draws = 0;
  const auto uniform = [&] { return uniform_from_bits(random_bits(1, static_cast<uint32_t>(operand), 0, draws++)); };
  for (double& x : t.real) do
      x = in.low + (in.high - in.low) * uniform();
    while (near_a_kink(def, x));
  for (int64_t& x : t.integer) x = static_cast<int64_t>(std::floor(in.low + (in.high - in.low + 1) * uniform()));
  return t;
}

}  // namespace

std::vector<Sample> samples(DType floating) {
  std::vector<Sample> all;
  for (const ir::OpDef* def : ir::registry().all()) {
    if (def->kind == ir::Kind::elementwise) add_elementwise(all, *def, floating);
    if (def->kind == ir::Kind::reduction) add_reduction(all, *def, floating);
  }
  add_movements(all, floating);
  add_composites(all, floating);
  add_contractions(all, floating);
  add_attention(all, floating);
  add_planned_attention(all, floating);
  add_sliding(all, floating);
  add_indexed(all, floating);
  add_sorts(all, floating);
  add_leaves(all, floating);
  add_random(all, floating);
  add_optimizers(all, floating);
  add_regions(all, floating);
  add_loops(all, floating);
  add_gradient_bodies(all, floating);
  add_degenerate(all);
  return all;
}

ir::Module module_of(const Sample& sample) {
  ir::Module module("sample");
  const ir::OpDef& def = ir::op_def(sample.op);
  std::vector<ir::Value> operands;
  for (size_t i = 0; i < sample.operands.size(); ++i) operands.push_back(module.graph().add_input(input_name(def, i), sample.operands[i]));
  std::vector<std::unique_ptr<ir::Graph>> bodies;
  if (!sample.body.empty())
    bodies.push_back(ir::clone(ir::parse("weft 1 func @\"\" {" + sample.body + "}", "body of " + sample.op).graph()));
  ir::Op& op = ir::Builder(module.graph()).create(sample.op, operands, sample.attributes, std::move(bodies));
  for (int i = 0; i < op.result_count(); ++i) module.graph().add_output({"result" + std::to_string(i), op.result(i), {}, {}});
  return module;
}

std::vector<reference::Tensor> values_of(const Sample& sample) {
  const ir::Module module = module_of(sample);
  const ir::Op& op = *module.graph().ops().front();
  std::vector<reference::Tensor> values;
  for (size_t i = 0; i < sample.operands.size(); ++i) {
    const reference::Tensor exact = draw(op, static_cast<int>(i), sample);
    std::vector<std::byte> memory(static_cast<size_t>(exact.type.bytes()));
    reference::to_memory(exact, memory.data());
    values.push_back(reference::from_memory(exact.type, memory.data()));
  }
  return values;
}

std::string to_string(const Sample& sample) { return ir::print(*module_of(sample).graph().ops().front()); }

}  // namespace weft::testing
