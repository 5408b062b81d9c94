#include "weft/backends/cuda/exec/convolution_plan.h"

namespace weft::cuda {
namespace {

/// With two spatial axes at least, as the library wants them: in front of one that is alone there is one of extent 1.
Dims widened(Dims of_spatial_axes, int64_t value) {
  if (of_spatial_axes.size() == 1) of_spatial_axes.insert(of_spatial_axes.begin(), value);
  return of_spatial_axes;
}

StridedView widened(StridedView view) {
  if (view.extents.size() != 3) return view;
  view.strides.insert(view.strides.begin() + 2, view.strides[2] * view.extents[2]);
  view.extents.insert(view.extents.begin() + 2, 1);
  return view;
}

DnnObject window(const ConvolutionSpec& s) {
  DnnObject made(DnnKind::convolution);
  const Dims strides = widened(s.stride, 1);
  made.set(DnnAttribute::convolution_spatial, static_cast<int64_t>(strides.size()));
  made.set(DnnAttribute::convolution_type, DnnType::data_type, dnn_f32);
  made.set(DnnAttribute::convolution_mode, DnnType::convolution_mode, dnn_cross_correlation);
  made.set(DnnAttribute::convolution_strides, strides);
  made.set(DnnAttribute::convolution_dilations, widened(s.dilation, 1));
  made.set(DnnAttribute::convolution_low, widened(s.low, 0));
  made.set(DnnAttribute::convolution_high, widened(s.high, 0));
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

DnnObject convolution_graph(const ConvolutionSpec& s, DnnHandle* handle) {
  const Operation op = operation_for(s.wanted);
  const DnnObject convolution = window(s);
  std::vector<DnnObject> tensors;  // there until the graph is made
  for (const ConvolutionTensor& t : tensors_of(s))
    tensors.push_back(dnn_tensor(tensor_id(tensors.size()), dnn_type(s.dtype), widened(t.layout.view(t.shape).value())));
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
  const PlanLimits limits{.matrix_units = takes_matrix_units(spec), .most_workspace = most_workspace};
  return choose_plan(convolution_graph(spec, device.handle), device, limits);
}

}  // namespace weft::cuda
