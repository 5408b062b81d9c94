// Standardization: what batch, layer, group and RMS normalization do before their affine part.

#include <cmath>

#include "weft/ir/ops/families.h"
#include "weft/ir/ops/moments.h"

namespace weft::ir {
namespace {

struct Standardize {
  Builder& b;
  const Op& op;

  Expr mean(Expr v) const { return {b, b("mean", {v}, {{"axes", op.dims("axes")}, {"keep_dims", true}})}; }
  Expr broadcast(Expr v) const { return {b, b.broadcast(v, op.operand(0).shape())}; }
  Expr x() const { return {b, op.operand(0)}; }
  Moments moments() const { return Moments(b, op.operand(0), op.dims("axes")); }
  /// x, less its mean if the op centers.
  Expr centered() const { return op.flag("center") ? moments().centered() : x(); }
  /// 1 / sqrt(mean of squares + eps), stretched.
  Expr scale() const {
    const Expr variance = op.flag("center") ? moments().squares() / count() : mean(x().apply("square"));
    return broadcast((variance + op.real("eps")).apply("rsqrt"));
  }

 private:
  double count() const {
    double count = 1;
    for (int64_t axis : op.dims("axes")) count *= static_cast<double>(op.operand(0).shape()[static_cast<int>(axis)]);
    return count;
  }
};

}  // namespace

void define_norm_ops(Registry& r) {
  OpDef def;
  def.name = "standardize";
  def.doc =
      "d / sqrt(mean(d^2) + eps) with d = x - mean(x), or x itself without `center`; the means are over `axes`. The "
      "heart of batch, layer, group and RMS normalization";
  def.operands = {{"x", Accepts::floating}};
  def.attributes = {{"axes", AttributeKind::dims, {}, "over which the means are taken, ascending"},
                    {"eps", AttributeKind::real, Attribute(1e-5), "keeps the root away from 0; not negative"},
                    {"center", AttributeKind::boolean, Attribute(true), "subtract the mean"}};
  def.infer = [](const InferContext& c) -> std::vector<Type> {
    int64_t after = 0;
    for (int64_t axis : c.get<Dims>("axes")) {
      c.require(axis >= after && axis < c.shape(0).rank(), "the axes must be ascending and exist");
      after = axis + 1;
    }
    c.require(c.get<double>("eps") >= 0 && std::isfinite(c.get<double>("eps")), "eps must be finite and not negative");
    return {c.operand(0)};
  };
  def.decompose = [](Builder& b, const Op& op) -> std::vector<Value> {
    const Standardize s{b, op};
    return {s.centered() * s.scale()};
  };
  def.gradient = [](GradientContext& c) -> std::vector<Value> {
    // With the result y: dx = (g - mean(g) - y mean(g y)) / sqrt(...); two means, one sweep.
    const Standardize s{c.builder, c.op};
    const Expr g{c.builder, c.result_gradients[0]}, y{c.builder, c.op.result()};
    const Expr along = y * s.broadcast(s.mean(g * y));
    const Expr across = c.op.flag("center") ? g - s.broadcast(s.mean(g)) : g;
    return {(across - along) * s.scale()};
  };
  def.error_ulps = 64;
  def.autocast = Autocast::wide;
  r.add(std::move(def));
}

}  // namespace weft::ir
