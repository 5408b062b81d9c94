// Randomness as a function of (seed, site, step, element): support/philox.h. The key operand is i64[2], the seed
// and the step; `site` tells apart the random ops of a program and is fixed when they are recorded.

#include <algorithm>
#include <cmath>
#include <numbers>

#include "weft/ir/ops/families.h"
#include "weft/support/philox.h"

namespace weft::ir {
namespace {

/// One word of a 32-bit value kept in an i64.
Scalar low_word(Scalar x) { return x & x.like_integer(0xffffffff); }
Scalar high_word(Scalar x) { return shift_right(x, x.like_integer(32)); }

/// The scalar form of support/philox.h's random_bits; all words live in i64.
Scalar philox(std::span<const Scalar> args, const AttributeView& attributes) {
  const Scalar element = args[0], seed = args[1], step = args[2];
  Scalar c0 = low_word(element), c1 = high_word(element), c3 = low_word(step);
  Scalar c2 = element.like_integer(attributes.integer("site") & 0xffffffff);
  Scalar k0 = low_word(seed), k1 = high_word(seed);
  for (int round = 0; round < philox_rounds; ++round) {
    const Scalar p0 = c0 * c0.like_integer(philox_factors[0]), p1 = c2 * c2.like_integer(philox_factors[1]);
    c0 = high_word(p1) ^ c1 ^ k0;
    c2 = high_word(p0) ^ c3 ^ k1;
    c1 = low_word(p1);
    c3 = low_word(p0);
    k0 = low_word(k0 + k0.like_integer(philox_key_steps[0]));
    k1 = low_word(k1 + k1.like_integer(philox_key_steps[1]));
  }
  return cast(c0, i32);
}

OperandSpec key_operand() { return {.name = "key", .accepts = Accepts::integer, .doc = "seed, step", .type = Type{i64, {2}}}; }

std::vector<AttributeSpec> random_attributes(bool dtype) {
  std::vector<AttributeSpec> all{{"shape", AttributeKind::dims, {}, "the result's shape"},
                                 {"site", AttributeKind::integer, {}, "which random op of the program this is"}};
  if (dtype) all.push_back({"dtype", AttributeKind::dtype, Attribute(f32), "a floating type"});
  return all;
}

OpDef random(std::string name, std::string doc, bool dtype) {
  OpDef def;
  def.name = std::move(name);
  def.doc = std::move(doc);
  def.operands = {key_operand()};
  def.attributes = random_attributes(dtype);
  def.infer = [dtype](const InferContext& c) -> std::vector<Type> {
    const DType type = dtype ? c.get<DType>("dtype") : i32;
    c.require(!dtype || is_floating(type), "dtype must be floating");
    return {{type, Shape(c.get<Dims>("shape"))}};
  };
  def.no_gradient = "it depends on the key alone";
  def.autocast = Autocast::follows;
  return def;
}

/// bits at `site`, drawn for each element of the op's shape by its row-major number.
Value bits(Builder& b, const Op& op, int64_t site) {
  const Shape shape(op.dims("shape")), flat{shape.numel()};
  const auto word = [&](int64_t i) {
    const Value one = b("slice", {op.operand(0)}, {{"start", Dims{i}}, {"end", Dims{i + 1}}});
    return b.broadcast(one, flat);
  };
  const Value element = b("iota", {}, {{"shape", flat.dims()}});
  return b.reshape(b("philox", {element, word(0), word(1)}, {{"site", site}}), shape);
}

/// Uniform in [0, 1) with as many bits as the type holds exactly, so that none rounds up to 1.
Value uniform(Builder& b, const Op& op, int64_t site, DType dtype) {
  const int used = std::min(24, significand_bits(dtype));
  const Value raw = bits(b, op, site);
  const Value upper = b("shift_right", {raw, b.splat(raw.type(), 32 - used)});
  return Expr(b, b.cast(b.cast(upper, f32), dtype)) * std::ldexp(1.0, -used);
}

}  // namespace

void define_random_ops(Registry& r) {
  OpDef bits_op;
  bits_op.name = "philox";
  bits_op.kind = Kind::elementwise;
  bits_op.doc = "32 random bits for each (element, seed, step) at this site: Philox 4x32-10";
  bits_op.operands = {{"element", Accepts::integer}, {"seed", Accepts::integer}, {"step", Accepts::integer}};
  bits_op.attributes = {{"site", AttributeKind::integer, {}, "which random op of the program this is"}};
  bits_op.infer = [](const InferContext& c) -> std::vector<Type> {
    for (int i = 0; i < 3; ++i) c.require(c.operand(i).dtype == i64, "the operands must be i64");
    return {{i32, c.shape(0)}};
  };
  bits_op.scalar = philox;
  bits_op.no_gradient = "its result is discrete";
  r.add(std::move(bits_op));

  OpDef raw = random("random_bits", "32 random bits per element, as i32", false);
  raw.decompose = [](Builder& b, const Op& op) -> std::vector<Value> { return {bits(b, op, op.integer("site"))}; };
  r.add(std::move(raw));

  OpDef uniform_op = random("random_uniform", "Uniform in [0, 1), a multiple of 2^-24, of f16 of 2^-11, of bf16 of 2^-8", true);
  uniform_op.decompose = [](Builder& b, const Op& op) -> std::vector<Value> {
    return {uniform(b, op, op.integer("site"), op.attribute<DType>("dtype"))};
  };
  r.add(std::move(uniform_op));

  OpDef normal =
      random("random_normal", "Standard normal by Box and Muller, from two uniforms of 24 bits; f16 and bf16 are rounded from f32", true);
  normal.decompose = [](Builder& b, const Op& op) -> std::vector<Value> {
    // The second uniform is drawn at the site's complement, which no recorded site has. 1 - u lies in (0, 1], and its
    // logarithm is finite only while the uniforms keep all their bits.
    const DType dtype = op.attribute<DType>("dtype"), exact = computed_in(dtype);
    const Expr u{b, uniform(b, op, op.integer("site"), exact)}, v{b, uniform(b, op, ~op.integer("site"), exact)};
    const Expr drawn = ((1.0 - u).apply("log") * -2.0).apply("sqrt") * (v * (2 * std::numbers::pi)).apply("cos");
    return {b.cast(drawn, dtype)};
  };
  normal.error_ulps = 64;
  r.add(std::move(normal));

  OpDef bernoulli;
  bernoulli.name = "bernoulli";
  bernoulli.doc = "1 with the probability p, else 0";
  bernoulli.operands = {{.name = "p", .accepts = Accepts::floating, .doc = "in [0, 1]", .range = {{0, 1}}}, key_operand()};
  bernoulli.attributes = {{"site", AttributeKind::integer, {}, "which random op of the program this is"}};
  bernoulli.infer = [](const InferContext& c) -> std::vector<Type> { return {c.operand(0)}; };
  bernoulli.autocast = Autocast::follows;
  bernoulli.no_gradient = "its result is discrete";
  bernoulli.decompose = [](Builder& b, const Op& op) -> std::vector<Value> {
    const Type type = op.operand(0).type();
    const DType exact = computed_in(type.dtype);
    const Value drawn =
        b("random_uniform", {op.operand(1)}, {{"shape", type.shape.dims()}, {"site", op.integer("site")}, {"dtype", exact}});
    return {b.cast(b("lt", {drawn, b.cast(op.operand(0), exact)}), type.dtype)};
  };
  r.add(std::move(bernoulli));

  OpDef dropout;
  dropout.name = "dropout";
  dropout.doc =
      "Each element is 0 with probability `rate`, else x / (1 - rate). The mask is a function of the key, "
      "so it is recomputed where needed and never stored";
  dropout.operands = {
      {"x", Accepts::floating}, key_operand(), {.name = "rate", .accepts = Accepts::floating, .doc = "in [0, 1]", .type = Type{f64, {}}}};
  dropout.attributes = {{"site", AttributeKind::integer, {}, "which random op of the program this is"}};
  dropout.infer = [](const InferContext& c) -> std::vector<Type> { return {c.operand(0)}; };
  dropout.autocast = Autocast::follows;
  dropout.decompose = [](Builder& b, const Op& op) -> std::vector<Value> {
    const Expr x{b, op.operand(0)}, rate{b, op.operand(2)};
    const Shape& shape = x.value().shape();
    const Value raw = b("random_bits", {op.operand(1)}, {{"shape", shape.dims()}, {"site", op.integer("site")}});
    // Integers are compared, so that every backend drops the same elements.
    const Expr drawn{b, b("shift_right", {raw, b.splat(raw.type(), 8)})};
    const Expr threshold{b, b.broadcast(b.cast(rate * 0x1p24, i32), shape)};
    const Expr scale{b, b.broadcast(b.cast(1.0 / (1.0 - rate), x.value().dtype()), shape)};
    return {select(drawn < threshold, x.like(0), x * scale)};
  };
  // The rate's own derivative is zero almost everywhere and infinite elsewhere: none flows.
  dropout.gradient = [](GradientContext& c) -> std::vector<Value> {
    // The same key, site and rate drop and scale the gradient as they did x.
    return {c.builder("dropout", {c.result_gradients[0], c.op.operand(1), c.op.operand(2)}, {{"site", c.op.integer("site")}}), Value(),
            Value()};
  };
  r.add(std::move(dropout));
}

}  // namespace weft::ir
