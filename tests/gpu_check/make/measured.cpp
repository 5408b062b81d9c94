#include "weft/tests/gpu_check/make/measured.h"

#include <cmath>

#include "weft/runtime/checkpoint_names.h"
#include "weft/runtime/step_file.h"

namespace weft::gpu_check {
namespace {

Fill fill_of(const StepInput& input, const Port& port) {
  const bool kept = input.kind == StepInput::Kind::tensor;
  Fill fill{kept ? input.tensor : port.name};
  const int rank = static_cast<int>(port.shape.rank());
  if (input.indices) return fill.low = static_cast<double>(input.indices->low), fill.high = static_cast<double>(input.indices->high), fill;
  if (!is_floating(port.dtype)) return fill;
  if (kept && rank == 1 && (fill.input.ends_with(".weight") || fill.input.ends_with("_var"))) return fill.low = fill.high = 1, fill;
  if (kept && rank == 1 && fill.input.find('.') != std::string::npos) return fill;
  double most = 1;
  if (kept && rank >= 2) most = 1 / std::sqrt(static_cast<double>(port.shape.numel() / port.shape[0]));
  return fill.low = -most, fill.high = most, fill;
}

}  // namespace

Measured measured_from(const Maker& maker, std::string name, std::string file, std::string kind, std::string precision) {
  const StepData step = read_step(maker.path(file, ".weftprog"));
  Measured measured{std::move(name), std::move(file), std::move(kind), 0, 0, std::move(precision), {}};
  const LaunchList& list = step.program.list;
  for (const Launch& launch : list.launches) measured.bytes += launch.bytes, measured.flops += launch.flops;
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    using Kind = StepInput::Kind;
    const Kind is = step.inputs[i].kind;
    // An optimizer's state begins at 0.
    const bool state = is == Kind::tensor && step.inputs[i].tensor.starts_with("weft.optimizer");
    if (!state && (is == Kind::tensor || is == Kind::batch)) measured.fills.push_back(fill_of(step.inputs[i], list.inputs[i]));
  }
  return measured;
}

}  // namespace weft::gpu_check
