// Convolutions by cuDNN, in a stream.

#include "weft/backends/cuda/exec/convolution_plan.h"
#include "weft/backends/cuda/exec/dnn_call.h"

namespace weft::cuda {

std::unique_ptr<LibraryCall> plan_convolution(const std::shared_ptr<Context>& context, const CallDescriptor& call, const Launch& launch) {
  const ConvolutionSpec spec = convolution_of(call);
  const size_t tensors = tensors_of(spec).size();
  const int64_t workspace = launch.buffers.size() > tensors ? launch.buffers.back().bytes : 0;
  std::unique_ptr<LibraryCall> made;
  context->with_current([&] {
    const std::shared_ptr<DnnState> state = DnnState::of(context);
    if (!state) return;
    if (auto plan = choose_plan(spec, {.handle = state->get()}, workspace))
      made = dnn_call(state, *std::move(plan), {std::vector<int64_t>(tensors, 0)});
  });
  return made;
}

}  // namespace weft::cuda
