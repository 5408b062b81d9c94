// Attention by cuDNN, in a stream.

#include "weft/backends/cuda/exec/attention_plan.h"

namespace weft::cuda {

std::unique_ptr<LibraryCall> plan_attention(const std::shared_ptr<Context>& context, const CallDescriptor& call, const Launch& launch) {
  const AttentionCall a = attention_of(call);
  const int64_t workspace = launch.buffers.size() > a.bytes().size() ? launch.buffers.back().bytes : 0;
  std::unique_ptr<LibraryCall> made;
  context->with_current([&] {
    const std::shared_ptr<DnnState> state = DnnState::of(context);
    if (!state || cudnn().version() < first_with_attention) return;
    if (auto plan = choose_plan(a, {.handle = state->get()}, workspace)) made = dnn_call(state, *std::move(plan), attention_tensors(a));
  });
  return made;
}

}  // namespace weft::cuda
