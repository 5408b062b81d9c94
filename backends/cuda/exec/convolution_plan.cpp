#include "weft/backends/cuda/exec/convolution_plan.h"

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

}  // namespace

DnnObject convolution_graph(const ConvolutionSpec& spec, DnnHandle* handle) {
  const ConvolutionSpec s = widened(spec);
  const Operation op = operation_for(s.wanted);
  const DnnObject convolution = window(s);
  std::vector<DnnObject> tensors;  // there until the graph is made
  for (const Shape& shape : tensors_of(s))
    tensors.push_back(dnn_tensor(tensor_id(tensors.size()), dnn_type(s.dtype), StridedView::dense(shape)));
  const float alpha = 1, beta = 0;
  DnnObject operation(op.kind);
  operation.set(op.convolution, convolution);
  operation.set(op.alpha, DnnType::float32, 1, &alpha);
  operation.set(op.beta, DnnType::float32, 1, &beta);
  for (size_t i = 0; i < tensors.size(); ++i) operation.set(op.buffers[i], tensors[i]);
  operation.finalize();
  return graph_of(operation, handle);
}

std::optional<DnnPlan> choose_plan(const ConvolutionSpec& spec, const DnnDevice& device, int64_t most_workspace) {
  // In f32 those units round to TF32.
  const bool matrix_units = spec.dtype != f32 || spec.tf32;
  return choose_plan(convolution_graph(spec, device.handle), device, {.matrix_units = matrix_units, .most_workspace = most_workspace});
}

}  // namespace weft::cuda
