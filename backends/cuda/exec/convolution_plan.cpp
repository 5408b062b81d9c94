#include "weft/backends/cuda/exec/convolution_plan.h"

#include <algorithm>

#include "weft/runtime/array.h"

namespace weft::cuda {
namespace {

/// With two spatial axes at least, as the library wants them: in front of one that is alone there is one of extent 1.
ConvolutionSpec widened(ConvolutionSpec s) {
  if (s.spatial() != 1) return s;
  const auto with = [](Dims extents, size_t at, int64_t value) {
    extents.insert(extents.begin() + static_cast<std::ptrdiff_t>(at), value);
    return extents;
  };
  s.x = Shape(with(s.x.dims(), 2, 1)), s.w = Shape(with(s.w.dims(), 2, 1)), s.y = Shape(with(s.y.dims(), 2, 1));
  s.stride = with(s.stride, 0, 1), s.dilation = with(s.dilation, 0, 1), s.low = with(s.low, 0, 0), s.high = with(s.high, 0, 0);
  return s;
}

DnnObject tensor(DType dtype, const Shape& shape, int64_t id) {
  std::vector<int64_t> strides(static_cast<size_t>(shape.rank()), 1);
  for (size_t i = strides.size() - 1; i > 0; --i) strides[i - 1] = strides[i] * shape[static_cast<int>(i)];
  DnnObject made(DnnKind::tensor);
  made.set(DnnAttribute::tensor_id, id);
  made.set(DnnAttribute::tensor_type, DnnType::data_type, dtype == bf16 ? dnn_bf16 : dnn_f32);
  made.set(DnnAttribute::tensor_extents, shape.dims());
  made.set(DnnAttribute::tensor_strides, strides);
  made.set(DnnAttribute::tensor_alignment, static_cast<int64_t>(buffer_alignment));
  made.finalize();
  return made;
}

DnnObject window(const ConvolutionSpec& s) {
  DnnObject made(DnnKind::convolution);
  made.set(DnnAttribute::convolution_spatial, static_cast<int64_t>(s.spatial()));
  made.set(DnnAttribute::convolution_type, DnnType::data_type, dnn_f32);
  made.set(DnnAttribute::convolution_mode, DnnType::convolution_mode, dnn_cross_correlation);
  made.set(DnnAttribute::convolution_strides, s.stride);
  made.set(DnnAttribute::convolution_dilations, s.dilation);
  made.set(DnnAttribute::convolution_low, s.low);
  made.set(DnnAttribute::convolution_high, s.high);
  made.finalize();
  return made;
}

/// How each of the three operations is told its operands.
struct Operation {
  DnnKind kind;
  DnnAttribute convolution, alpha, beta, buffers[3];
};

Operation operation_for(Wanted wanted) {
  using A = DnnAttribute;
  switch (wanted) {
    case Wanted::y:
      return {DnnKind::forward, A::forward_convolution, A::forward_alpha, A::forward_beta, {A::forward_x, A::forward_w, A::forward_y}};
    case Wanted::x: return {DnnKind::backward_data, A::data_convolution, A::data_alpha, A::data_beta, {A::data_dy, A::data_w, A::data_dx}};
    case Wanted::w: break;
  }
  return {DnnKind::backward_filter, A::filter_convolution, A::filter_alpha, A::filter_beta, {A::filter_x, A::filter_dy, A::filter_dw}};
}

/// An FFT and Winograd's transformations mix the elements of a tile, so that one that is infinite or nan is seen by results that do not
/// depend on it; and their errors grow with the tile.
bool is_wanted(const ConvolutionSpec& s, const std::vector<int>& notes) {
  return std::none_of(notes.begin(), notes.end(), [&](int note) {
    switch (static_cast<DnnNote>(note)) {
      case DnnNote::rounds_inputs:
      case DnnNote::rounds_sums:
      case DnnNote::nondeterministic:
      case DnnNote::fft:
      case DnnNote::winograd:
      case DnnNote::winograd_4x4:
      case DnnNote::winograd_6x6:
      case DnnNote::winograd_13x13: return true;
      case DnnNote::tensor_core: return s.dtype == f32 && !s.tf32;  // to TF32
    }
    return false;
  });
}

std::vector<int> notes_of(const DnnObject& config) {
  constexpr int64_t most = 64;
  const std::vector<DnnObject> engine = config.get_objects(DnnAttribute::config_engine, DnnKind::engine, 1);
  return engine.front().get_list(DnnAttribute::engine_numerics, DnnType::numerical_note, most);
}

/// The library's proposals, what it thinks the fastest first.
std::vector<DnnObject> proposals(const DnnObject& graph, int mode, const DnnObject* properties) {
  DnnObject heuristics(DnnKind::heuristics);
  heuristics.set(DnnAttribute::heuristics_graph, graph);
  heuristics.set(DnnAttribute::heuristics_mode, DnnType::heuristics_mode, mode);
  if (properties) heuristics.set(DnnAttribute::heuristics_device, *properties);
  if (!heuristics.try_finalize()) return {};
  const int64_t count = heuristics.count(DnnAttribute::heuristics_results);
  return heuristics.get_objects(DnnAttribute::heuristics_results, DnnKind::engine_config, count);
}

/// None: on this device, the library has no plan of that kind.
std::optional<DnnObject> plan_of(const DnnObject& config, const DnnDevice& device) {
  DnnObject plan(DnnKind::plan);
  if (device.handle) plan.set(DnnAttribute::plan_handle, DnnType::handle, 1, &device.handle);
  if (device.properties) plan.set(DnnAttribute::plan_device, *device.properties);
  plan.set(DnnAttribute::plan_config, config);
  if (!plan.try_finalize()) return std::nullopt;
  return plan;
}

}  // namespace

DnnObject convolution_graph(const ConvolutionSpec& spec, DnnHandle* handle) {
  const ConvolutionSpec s = widened(spec);
  const Operation op = operation_for(s.wanted);
  const DnnObject convolution = window(s);
  std::vector<DnnObject> tensors;  // there until the graph is made
  for (const Shape& shape : tensors_of(s)) tensors.push_back(tensor(s.dtype, shape, tensor_id(tensors.size())));
  const float alpha = 1, beta = 0;
  DnnObject operation(op.kind);
  operation.set(op.convolution, convolution);
  operation.set(op.alpha, DnnType::float32, 1, &alpha);
  operation.set(op.beta, DnnType::float32, 1, &beta);
  for (size_t i = 0; i < tensors.size(); ++i) operation.set(op.buffers[i], tensors[i]);
  operation.finalize();
  DnnObject graph(DnnKind::graph);
  if (handle) graph.set(DnnAttribute::graph_handle, DnnType::handle, 1, &handle);
  graph.set(DnnAttribute::graph_operations, operation);
  graph.finalize();
  return graph;
}

std::optional<ConvolutionPlan> choose_plan(const ConvolutionSpec& spec, const DnnDevice& device, int64_t most_workspace) {
  DnnObject graph = convolution_graph(spec, device.handle);
  for (const int mode : {dnn_heuristics_a, dnn_heuristics_b, dnn_heuristics_fallback})
    for (DnnObject& config : proposals(graph, mode, device.properties)) {
      if (!is_wanted(spec, notes_of(config))) continue;
      std::optional<DnnObject> plan = plan_of(config, device);
      if (!plan) continue;
      const int64_t workspace = plan->get_integer(DnnAttribute::plan_workspace);
      if (workspace <= most_workspace) return ConvolutionPlan{std::move(graph), std::move(config), *std::move(plan), workspace};
    }
  return std::nullopt;
}

}  // namespace weft::cuda
