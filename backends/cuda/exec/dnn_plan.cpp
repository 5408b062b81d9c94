#include "weft/backends/cuda/exec/dnn_plan.h"

#include <algorithm>

#include "weft/runtime/array.h"

namespace weft::cuda {
namespace {

static_assert(buffer_alignment == 64);

/// An FFT and Winograd's transformations mix the elements of a tile, so that one that is infinite or nan is seen by results that do not
/// depend on it; and their errors grow with the tile.
bool is_wanted(bool matrix_units, const std::vector<int>& notes) {
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
      case DnnNote::tensor_core: return !matrix_units;
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

int dnn_type(DType dtype) { return dtype == bf16 ? dnn_bf16 : dnn_f32; }

DnnObject dnn_tensor(int64_t id, int type, const StridedView& view, DnnPlace place, int64_t alignment) {
  DnnObject made(DnnKind::tensor);
  made.set(DnnAttribute::tensor_id, id);
  made.set(DnnAttribute::tensor_type, DnnType::data_type, type);
  made.set(DnnAttribute::tensor_extents, view.extents);
  made.set(DnnAttribute::tensor_strides, view.strides);
  made.set(DnnAttribute::tensor_alignment, alignment);
  const bool yes = true;
  if (place == DnnPlace::nowhere) made.set(DnnAttribute::tensor_is_virtual, DnnType::boolean, 1, &yes);
  if (place == DnnPlace::host) made.set(DnnAttribute::tensor_is_by_value, DnnType::boolean, 1, &yes);
  made.finalize();
  return made;
}

DnnObject graph_of(const DnnObject& operation, DnnHandle* handle) {
  DnnObject graph(DnnKind::graph);
  if (handle) graph.set(DnnAttribute::graph_handle, DnnType::handle, 1, &handle);
  graph.set(DnnAttribute::graph_operations, operation);
  graph.finalize();
  return graph;
}

std::optional<DnnPlan> choose_plan(DnnObject graph, const DnnDevice& device, const PlanLimits& limits) {
  for (const int mode : {dnn_heuristics_a, dnn_heuristics_b, dnn_heuristics_fallback})
    for (DnnObject& config : proposals(graph, mode, device.properties)) {
      if (!is_wanted(limits.matrix_units, notes_of(config))) continue;
      std::optional<DnnObject> plan = plan_of(config, device);
      if (!plan) continue;
      const int64_t workspace = plan->get_integer(DnnAttribute::plan_workspace);
      if (workspace <= limits.most_workspace) return DnnPlan{std::move(graph), std::move(config), *std::move(plan), workspace};
    }
  return std::nullopt;
}

}  // namespace weft::cuda
