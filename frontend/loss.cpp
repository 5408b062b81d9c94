#include "weft/frontend/loss.h"

#include "weft/frontend/recorder.h"

namespace weft {

using detail::Recorder;

Tensor CrossEntropy::operator()(Arg logits, Arg target, LossOptions options) const {
  Recorder r("cross_entropy", {&logits, &target});
  const ir::Value x = r.value(logits), y = r.value(target);
  return r("cross_entropy", {x, y}, {{"reduction", options.reduction}});
}

Tensor MseLoss::operator()(Arg input, Arg target, LossOptions options) const {
  Recorder r("mse_loss", {&input, &target});
  const DType dtype = r.common_dtype();
  const ir::Value x = r.value(input, dtype), y = r.value(target, dtype);
  return r("mse_loss", {x, y}, {{"reduction", options.reduction}});
}

}  // namespace weft
