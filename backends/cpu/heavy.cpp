#include "weft/backends/cpu/heavy.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "weft/backends/cpu/channels.h"
#include "weft/backends/cpu/exec/calls.h"
#include "weft/backends/cpu/exec/winograd.h"
#include "weft/backends/cpu/specs.h"
#include "weft/backends/program/attention.h"
#include "weft/backends/program/epilogue.h"
#include "weft/ir/op_def.h"
#include "weft/ir/ops/contraction.h"
#include "weft/ir/ops/convolution.h"

namespace weft::cpu {
namespace {

using ir::Op;
using Wanted = ConvolutionSpec::Wanted;

/// Inside the library some sizes are ints.
constexpr int64_t most_elements = std::numeric_limits<int32_t>::max();

bool fits_library(const MatrixProduct& p) { return std::max({p.batch, p.m, p.n, p.k}) <= most_elements; }

HeavyOp matmul_row() {
  HeavyOp row{"matmul"};
  row.claims = [](const Op& op) { return supports_matmul(op.operand(0).dtype()) && fits_library(ir::matrix_product_of(op)); };
  row.accepts_epilogue = [](const ir::Graph& body) { return program::epilogue_of(body).has_value(); };
  row.slices = [](const Op& op, int cores) { return useful_slices(matmul_spec(op), cores); };
  row.answer = [](const Op& op) { return matmul_answer(matmul_spec(op)); };
  row.describe = [](const Op& op) { return describe(matmul_spec(op), op.integer("scratch")); };
  return row;
}

/// So is how far in memory a kernel's elements, or two positions, lie apart. And the library takes a step for each element of padding,
/// and for each of a stride, some of them in the code that it generates: much padding beyond the axis' own extent is left to loops.
bool fits_library(const Convolution& c) {
  constexpr int64_t much = int64_t{1} << 16;
  for (const Shape* shape : {&c.x, &c.w, &c.y})
    for (int64_t extent : *shape)
      if (extent > most_elements) return false;
  double row = static_cast<double>(sizeof(float)) * static_cast<double>(std::max(c.x[1], c.y[1]));
  for (int d = c.spatial(); d-- > 0;) {
    const SlidingWindow w = c.window(d);
    const auto farthest = static_cast<double>(std::max({w.reach(), w.stride, w.low, w.high}));
    if (std::max(w.low, w.high) > std::max(much, c.x[d + 2]) || farthest * row > static_cast<double>(most_elements)) return false;
    row *= static_cast<double>(std::max(c.x[d + 2], c.y[d + 2]));
  }
  return true;
}

/// The same without numbers that mean nothing and may be huge: how far a second position, or a second element of the kernel, would be.
Convolution without_idle_numbers(Convolution c) {
  for (int d = 0; d < c.spatial(); ++d) {
    const auto i = static_cast<size_t>(d);
    if (c.w[d + 2] == 1) c.dilation[i] = 1;
    // No second position fits with any that is larger than what is left.
    if (c.y[d + 2] == 1) c.stride[i] = std::clamp<int64_t>(c.x[d + 2] + c.low[i] + c.high[i] - c.window(d).reach(), 1, c.stride[i]);
  }
  return c;
}

template <Wanted wanted>
ConvolutionSpec spec_of(const Op& op) {
  return {without_idle_numbers(ir::convolution_of(op)), wanted, op.operand(0).dtype(),
          op.integer(wanted == Wanted::w ? "parts" : "slices")};
}

template <Wanted wanted>
bool claims_convolution(const Op& op) {
  // The library knows no empty tensors.
  const bool empty = op.operand(0).shape().numel() == 0 || op.operand(1).shape().numel() == 0 || op.result().shape().numel() == 0;
  if (!supports_convolution(op.operand(0).dtype()) || empty) return false;
  const ConvolutionSpec spec = spec_of<wanted>(op);
  if (!fits_library(spec)) return false;
  if (spec.algorithm == ConvolutionAlgorithm::winograd) return has_winograd(spec) && !spec.layouts.are_plain();
  return knows_formats(spec);
}

template <Wanted wanted>
HeavyOp convolution_row(std::string_view name) {
  HeavyOp row{name};
  row.claims = claims_convolution<wanted>;
  row.is_better_expanded = [](const Op& op) {
    const ConvolutionSpec spec = spec_of<wanted>(op);
    return has_only_plain_loops(spec) || is_faster_in_f32(spec);
  };
  row.layouts = [](const Op& op, int cores, bool strict) {
    ConvolutionSpec spec = spec_of<wanted>(op);
    spec.slices = useful_slices(spec, cores);
    ConvolutionLayouts liked = preferred_layouts(spec);
    const bool by_winograd = !strict && is_faster_by_winograd(spec);
    if (by_winograd) liked = winograd_layouts(spec, liked);
    ir::NamedAttributes all{{"x_layout", liked.x.text()}, {"w_layout", liked.w.text()}, {"y_layout", liked.y.text()}};
    if (by_winograd) all.emplace_back("algorithm", std::string(name_of(ConvolutionAlgorithm::winograd)));
    return all;
  };
  row.channels = [](const Op& op, bool strict) { return better_channels(spec_of<wanted>(op), strict); };
  row.parts = row.slices = [](const Op& op, int cores) { return useful_slices(spec_of<wanted>(op), cores); };
  row.answer = [](const Op& op) { return convolution_answer(spec_of<wanted>(op)); };
  row.describe = [](const Op& op) { return describe(spec_of<wanted>(op), op.integer("scratch")); };
  return row;
}

bool mirrors_convolution(const Op& op, bool strict) {
  const ConvolutionSpec forward = spec_of<Wanted::y>(op);
  if (!strict && is_faster_by_winograd(forward)) return false;
  const std::optional<Convolution> other = mirrored(forward);
  return other && runs_faster_as({*other, Wanted::x, forward.dtype}, forward);
}

HeavyOp attention_row(std::string_view name) {
  HeavyOp row{name};
  row.claims = [](const Op& op) { return op.operand(0).dtype() == f32 && program::is_attention_call(op); };
  row.slices = [](const Op& op, int cores) { return useful_slices(attention_spec(op), cores); };
  row.answer = [](const Op& op) { return Answer{attention_implementation(), attention_scratch_bytes(attention_spec(op))}; };
  row.describe = [](const Op& op) { return describe(attention_spec(op), op.integer("scratch")); };
  return row;
}

std::vector<HeavyOp> all_rows() {
  std::vector<HeavyOp> rows{matmul_row(), convolution_row<Wanted::y>("convolution"), convolution_row<Wanted::x>("convolution_data"),
                            convolution_row<Wanted::w>("convolution_weight")};
  rows[1].mirrors = mirrors_convolution;
  rows.insert(rows.end(), {attention_row("attention"), attention_row("attention_gradient")});
  HeavyOp row{"gather"};
  row.describe = [](const Op& op) { return describe_gather(indexing_spec(op)); };
  rows.push_back(row);
  row = {"scatter_add"};
  row.scratch_bytes = [](const Op& op) { return scatter_add_scratch_bytes(indexing_spec(op)); };
  row.describe = [](const Op& op) { return describe_scatter_add(indexing_spec(op), op.integer("scratch")); };
  rows.push_back(row);
  row = {"scatter_rows"};
  row.describe = [](const Op& op) { return describe_scatter_rows(indexing_spec(op)); };
  rows.push_back(row);
  row = {"sort"};
  row.slices = [](const Op& op, int cores) { return useful_slices(sort_spec(op), cores); };
  row.scratch_bytes = [](const Op& op) { return sort_scratch_bytes(sort_spec(op)); };
  row.describe = [](const Op& op) { return describe(sort_spec(op), op.integer("scratch")); };
  rows.push_back(row);
  row = {"coalesce"};
  row.scratch_bytes = [](const Op& op) { return coalesce_scratch_bytes(coalesce_spec(op).count); };
  row.describe = [](const Op& op) { return describe_coalesce(coalesce_spec(op), op.integer("scratch")); };
  rows.push_back(row);
  return rows;
}

}  // namespace

std::span<const HeavyOp> heavy_ops() {
  static const std::vector<HeavyOp> rows = all_rows();
  return rows;
}

const HeavyOp* find_heavy(const Op& op) {
  const std::span<const HeavyOp> rows = heavy_ops();
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const HeavyOp& row) { return row.name == op.name(); });
  return found == rows.end() ? nullptr : &*found;
}

}  // namespace weft::cpu
