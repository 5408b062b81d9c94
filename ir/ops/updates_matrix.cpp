// muon: updates of matrices by orthogonal ones.

#include <algorithm>
#include <cmath>

#include "weft/ir/ops/update.h"

namespace weft::ir {
namespace {

using Switches = std::function<bool(std::string_view)>;

/// Numbers of bf16, computed with in f32: each of torch's ops rounds once.
class Rounding {
 public:
  explicit Rounding(Builder& b) : b_(b) {}
  Expr operator()(Expr x) const { return {b_, b_.cast(b_.cast(x, bf16), f32)}; }
  Expr product(Expr x, Expr y, bool transpose_y = false) const { return {b_, b_("matmul", {x, y}, {{"transpose_b", transpose_y}})}; }
  /// A scalar in f64, stretched.
  Expr stretched(Expr scalar, Expr like) const { return {b_, b_.broadcast_as(scalar, like.value().type())}; }

 private:
  Builder& b_;
};

/// Five steps of Newton and Schulz's iteration: a matrix with nearly the same singular vectors, whose singular values are near 1.
Expr orthogonal(const Update& u, Expr matrix) {
  Builder& b = u.builder();
  const Rounding rounded(b);
  const bool tall = matrix.value().shape()[0] > matrix.value().shape()[1];
  const auto turned = [&](Expr x) { return tall ? Expr(b, b("transpose", {x}, {{"permutation", Dims{1, 0}}})) : x; };
  Expr x = turned(rounded(matrix));
  const Expr length = rounded(sqrt(Expr(b, b.sum(x * x, {0, 1}))));
  const Expr least = rounded(Expr(b, b.cast(u.hyper("eps"), f32)));
  x = rounded(x / Expr(b, b.broadcast(maximum(length, least), x.value().shape())));
  for (int step = 0; step < 5; ++step) {
    const Expr gram = rounded(rounded.product(x, x, true));
    const Expr update =
        rounded(rounded.stretched(u.hyper("ns_b"), gram) * gram + rounded.stretched(u.hyper("ns_c"), gram) * rounded.product(gram, gram));
    x = rounded(rounded.stretched(u.hyper("ns_a"), x) * x + rounded.product(update, x));
  }
  return turned(x);
}

/// What the rate is multiplied by.
double adjustment(const Update& u, const Shape& shape) {
  const auto a = static_cast<double>(shape[0]), b = static_cast<double>(shape[1]);
  if (u.flag("match_rms_adamw")) return 0.2 * std::sqrt(std::max(a, b));
  return std::sqrt(u.flag("spectral_unclamped") ? a / b : std::max(1.0, a / b));
}

std::vector<Value> muon(const Update& u) {
  const Expr g = u.gradient();
  const Expr average = fading(lerp(u.state(0), g, u.broadcast(1.0 - u.hyper("momentum"))));
  if (g.value().shape().numel() == 0) return {u.parameter(), average};
  const Expr direction = orthogonal(u, u.flag("nesterov") ? lerp(g, average, u.broadcast("momentum")) : average);
  const Expr step{u.builder(), u.builder().cast(direction, g.value().dtype())};
  return {u.shrunk_parameter() - u.broadcast(u.hyper("lr") * adjustment(u, g.value().shape())) * step, average};
}

}  // namespace

const std::vector<UpdateRule>& matrix_rules() {
  static const std::vector<UpdateRule> rules = {
      {{.op = "muon",
        .hypers = {{"lr", "learning rate"},
                   {"weight_decay", "weight decay, decoupled"},
                   {"momentum", "decay of the running mean"},
                   {"eps", "the least norm that is divided by"},
                   {"ns_a", "the iteration's first coefficient"},
                   {"ns_b", "its second one"},
                   {"ns_c", "its third one"}},
        .states = [](const Type&, const Switches&) { return std::vector<StateSpec>{{"momentum_buffer", like_parameter}}; },
        .rank = 2},
       "One step of torch.optim.Muon (Jordan et al. 2024), whose matrix is made nearly orthogonal in bf16",
       {"weight_decay", "nesterov", "match_rms_adamw", "spectral_unclamped"},
       muon,
       0x1p17,  // bf16's
       "it rounds to bf16, and jumps from one number to the next"},
  };
  return rules;
}

}  // namespace weft::ir
