#include "weft/backends/cuda/exec/attention_plan.h"

#include <limits>

namespace weft::cuda {
namespace {

constexpr size_t tensors = 5;
/// Behind those of the buffers: the numbers on the host, and the scores between the operations.
constexpr size_t scale = tensors, hidden = tensors + 1, scores = tensors + 2, seen_scores = tensors + 3;

/// The library wants [samples, heads, rows, width]: with axes of 1 in front of the batch's.
StridedView widened(StridedView view) {
  view.offset = 0;
  while (view.extents.size() < 4) {
    view.extents.insert(view.extents.begin(), 1);
    view.strides.insert(view.strides.begin(), view.strides.front() * view.extents[1]);
  }
  return view;
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

DnnObject attention_graph(const AttentionCall& a, DnnHandle* handle) {
  using A = DnnAttribute;
  constexpr A buffers[tensors] = {A::attention_q, A::attention_k, A::attention_v, A::attention_result, A::attention_statistics};
  Dims of_rows = a.batch;
  of_rows.insert(of_rows.end(), {a.queries, 1});
  std::vector<DnnObject> all;  // there until the graph is made
  for (size_t i = 0; i < a.places.size(); ++i)
    all.push_back(dnn_tensor(tensor_id(i), dnn_type(a.dtype), widened(a.places[i]), DnnPlace::memory, attention_alignment));
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

DnnTensors attention_tensors(const AttentionCall& a) {
  DnnTensors named{.offsets = {}, .numbers = {static_cast<float>(a.scale)}};
  for (const StridedView& view : a.places) named.offsets.push_back(view.offset * static_cast<int64_t>(size_of(a.dtype)));
  named.offsets.push_back(0);  // lse
  if (a.causal) named.numbers.push_back(-std::numeric_limits<float>::infinity());
  return named;
}

std::optional<DnnPlan> choose_plan(const AttentionCall& a, const DnnDevice& device, int64_t most_workspace) {
  return choose_plan(attention_graph(a, device.handle), device, {.matrix_units = true, .most_workspace = most_workspace});
}

}  // namespace weft::cuda
