#include "weft/backends/cuda/exec/attention.h"

#include <algorithm>
#include <limits>

#include "weft/backends/cuda/exec/dnn_call.h"
#include "weft/support/error.h"

namespace weft::cuda {
namespace {

constexpr size_t tensors = 5;
/// Behind those of the buffers: the numbers on the host, and the scores between the operations.
constexpr size_t scale = tensors, hidden = tensors + 1, scores = tensors + 2, seen_scores = tensors + 3;

/// The library wants [samples, heads, rows, width], whose first element lies at a multiple of 16 bytes, as each row does.
constexpr int64_t alignment = 16;

/// With axes of 1 in front of the batch's.
StridedView widened(StridedView view) {
  view.offset = 0;
  while (view.extents.size() < 4) {
    view.extents.insert(view.extents.begin(), 1);
    view.strides.insert(view.strides.begin(), view.strides.front() * view.extents[1]);
  }
  return view;
}

bool is_aligned(const StridedView& view) {
  constexpr int64_t elements = alignment / 2;
  const auto is_multiple = [](int64_t n) { return n % elements == 0; };
  return is_multiple(view.offset) && is_multiple(view.extents.back()) &&
         std::all_of(view.strides.begin(), view.strides.end() - 1, [&](int64_t stride) { return stride > 0 && is_multiple(stride); });
}

DnnObject number_on_host(size_t number) {
  return dnn_tensor(tensor_id(number), dnn_f32, StridedView::dense({1, 1, 1, 1}), DnnPlace::host, sizeof(float));
}

/// What a query sees: keys that do not come after it.
DnnObject band(const Shape& all, DnnHandle* handle) {
  const StridedView lying = StridedView::dense(all);
  const DnnObject before = dnn_tensor(tensor_id(scores), dnn_f32, lying, DnnPlace::nowhere),
                  after = dnn_tensor(tensor_id(seen_scores), dnn_f32, lying, DnnPlace::nowhere), number = number_on_host(hidden);
  DnnObject mask(DnnKind::band_mask);
  mask.set(DnnAttribute::band_x, before);
  mask.set(DnnAttribute::band_hidden, number);
  mask.set(DnnAttribute::band_y, after);
  mask.set(DnnAttribute::band_comparison, DnnType::pointwise_mode, dnn_greater_or_equal);
  mask.finalize();
  return graph_of(mask, handle);
}

}  // namespace

bool is_for_library(const AttentionCall& a) {
  // Inside the library offsets are ints.
  const auto fits = [](const StridedView& view) { return view.reach() <= std::numeric_limits<int32_t>::max(); };
  return !a.is_gradient && a.dtype == bf16 && a.mask == ScoreMask::none && a.batch.size() <= 2 &&
         std::all_of(a.places.begin(), a.places.end(), [&](const StridedView& view) { return fits(view) && is_aligned(view); });
}

int64_t workspace_bytes(const AttentionCall& a) {
  constexpr int64_t counters = 1024;  // by which its blocks share the work
  return is_for_library(a) ? counters : 0;
}

CallDescriptor describe(const AttentionCall& a, const KernelCall& kernels) {
  CallDescriptor call = describe(kernels);
  call.call = call_name(a);
  add_fields(call, a);
  call.fields["dtype"] = std::string(name_of(a.dtype));
  return call;
}

AttentionCall attention_of(const CallDescriptor& c) {
  AttentionCall a;
  a.dtype = c.dtype("dtype");
  if (!is_floating(a.dtype)) throw Error(ErrorKind::file, "attention of {}: no call of weft is so", name_of(a.dtype));
  read_fields(c, a);
  if (!is_for_library(a)) throw Error(ErrorKind::file, "attention of {} that a library runs: no call of weft is so", name_of(a.dtype));
  return a;
}

DnnObject attention_graph(const AttentionCall& a, DnnHandle* handle) {
  using A = DnnAttribute;
  constexpr A buffers[tensors] = {A::attention_q, A::attention_k, A::attention_v, A::attention_result, A::attention_statistics};
  Dims of_rows = a.batch;
  of_rows.insert(of_rows.end(), {a.queries, 1});
  std::vector<DnnObject> all;  // there until the graph is made
  for (size_t i = 0; i < a.places.size(); ++i)
    all.push_back(dnn_tensor(tensor_id(i), dnn_type(a.dtype), widened(a.places[i]), DnnPlace::memory, alignment));
  all.push_back(dnn_tensor(tensor_id(tensors - 1), dnn_f32, widened(StridedView::dense(Shape(of_rows)))));
  DnnObject operation(DnnKind::attention);
  for (size_t i = 0; i < tensors; ++i) operation.set(buffers[i], all[i]);
  all.push_back(number_on_host(scale));
  operation.set(A::attention_scale, all.back());
  if (a.causal) {
    Dims extents = widened(a.places.front()).extents;
    extents.back() = a.keys;
    all.push_back(band(Shape(extents), handle));
    operation.set(A::attention_scores, all.back());
    operation.set(A::attention_scores_before, tensor_id(scores));
    operation.set(A::attention_scores_after, tensor_id(seen_scores));
  }
  operation.finalize();
  return graph_of(operation, handle);
}

std::optional<DnnPlan> choose_plan(const AttentionCall& a, const DnnDevice& device, int64_t most_workspace) {
  return choose_plan(attention_graph(a, device.handle), device, {.matrix_units = true, .most_workspace = most_workspace});
}

void require_attention(const CallDescriptor& call, const Launch& launch) {
  const Dims needed = attention_of(call).bytes();
  const size_t given = launch.buffers.size();
  if (given != needed.size() && given != needed.size() + 1)
    throw Error(ErrorKind::file, "attention takes {} buffers, and scratch memory, not {}", needed.size(), given);
  for (size_t i = 0; i < needed.size(); ++i)
    if (launch.buffers[i].bytes < needed[i])
      throw Error(ErrorKind::file, "buffer {} of attention has {} bytes and needs {}", i, launch.buffers[i].bytes, needed[i]);
}

std::unique_ptr<LibraryCall> plan_attention(const std::shared_ptr<Context>& context, const CallDescriptor& call, const Launch& launch) {
  const AttentionCall a = attention_of(call);
  const int64_t workspace = launch.buffers.size() > tensors ? launch.buffers.back().bytes : 0;
  std::unique_ptr<LibraryCall> made;
  context->with_current([&] {
    const std::shared_ptr<DnnState> state = DnnState::of(context);
    if (!state || cudnn().version() < first_with_attention) return;
    auto plan = choose_plan(a, {.handle = state->get()}, workspace);
    if (!plan) return;
    DnnTensors named{.numbers = {static_cast<float>(a.scale)}};
    for (const StridedView& view : a.places) named.offsets.push_back(view.offset * static_cast<int64_t>(size_of(a.dtype)));
    named.offsets.push_back(0);  // lse
    if (a.causal) named.numbers.push_back(-std::numeric_limits<float>::infinity());
    made = dnn_call(state, *std::move(plan), std::move(named));
  });
  return made;
}

}  // namespace weft::cuda
