#include "weft/frontend/nn/pairs.h"

#include <cmath>

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"

namespace weft::nn {

Bilinear::Bilinear(int64_t in1, int64_t in2, int64_t out, BilinearOptions options, std::source_location at) {
  const detail::Making make{"nn::Bilinear", at};
  for (int64_t size : {in1, in2, out}) make.require(size > 0, fmt::format("sizes must be positive, but there is {}", size));
  const double bound = 1 / std::sqrt(static_cast<double>(in1));
  weight = add("weight", make.uniform("weight", {out, in1, in2}, bound, options.dtype));
  if (options.bias) bias = add("bias", make.uniform("bias", {out}, bound, options.dtype));
}

Tensor Bilinear::operator()(Arg a, Arg b) {
  const Entered entered(*this, a);
  const Tensor x = entered.tensor(a), y = entered.tensor(b);
  const Shape& w = weight.shape();
  const Arg first(x), second(y);
  if (x.dim() < 1 || y.dim() != x.dim() || x.size(-1) != w[1] || y.size(-1) != w[2] ||
      !std::equal(x.shape().begin(), x.shape().end() - 1, y.shape().begin()))
    weft::detail::Recorder("nn::Bilinear", {&first, &second})
        .fail(fmt::format("the operands must be [..., {}] and [..., {}], equal in front", w[1], w[2]));
  // [rows, in1] times [in1, out in2], then a sum over in2.
  const Tensor by_first = matmul(reshape(x, {-1, w[1]}), reshape(permute(weight, {1, 0, 2}), {w[1], w[0] * w[2]}));
  const Tensor sums = matmul(reshape(by_first, {-1, w[0], w[2]}), reshape(y, {-1, w[2], 1}));
  Dims shape(x.shape().begin(), x.shape().end() - 1);
  shape.push_back(w[0]);
  const Tensor z = reshape(sums, shape);
  return bias.defined() ? z + bias : z;
}

Tensor CosineSimilarity::operator()(Arg a, Arg b) {
  const Entered entered(*this, a);
  return cosine_similarity(entered.tensor(a), entered.tensor(b), axis_, eps_);
}

Tensor PairwiseDistance::operator()(Arg a, Arg b) {
  const Entered entered(*this, a);
  return pairwise_distance(entered.tensor(a), entered.tensor(b), p_, eps_, keep_dims_);
}

}  // namespace weft::nn
