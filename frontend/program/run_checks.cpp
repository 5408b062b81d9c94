#include "weft/frontend/program/run_checks.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "weft/frontend/program/index_bounds.h"
#include "weft/ir/builder.h"
#include "weft/passes/dce.h"

namespace weft::detail {
namespace {

int output_named(const Program& program, const std::string& name) {
  const auto& outputs = program.outputs();
  const auto at = std::find_if(outputs.begin(), outputs.end(), [&](const Port& p) { return p.name == name; });
  WEFT_CHECK(at != outputs.end(), "the program has lost its output '{}'", name);
  return static_cast<int>(at - outputs.begin());
}

int64_t index_in(const Program& program, const std::string& name) {
  return *reinterpret_cast<const int64_t*>(program.output(output_named(program, name)));
}

}  // namespace

RunChecks::RunChecks(ir::Module& module) : on_(true) {
  ir::Graph& graph = module.graph();
  passes::dce(graph);  // what nobody computes has no indices
  for (const ComputedIndex& index : computed_indices(graph)) {
    const ir::Value v = index.value;
    if (v.shape().numel() == 0) continue;
    ir::Builder b(graph, nullptr, index.op->locations());
    Dims axes(v.shape().dims().size());
    std::iota(axes.begin(), axes.end(), 0);
    const std::string name = fmt::format("weft.indices.{}", indices_.size());
    indices_.push_back(
        {name + ".least", name + ".largest", fmt::format("{} at {}", index.op->name(), to_string(index.op->locations())), index.bound});
    graph.add_output({name + ".least", b("min", {v}, {{"axes", axes}}), {}, index.op->locations()});
    graph.add_output({name + ".largest", b("max", {v}, {{"axes", axes}}), {}, index.op->locations()});
  }
}

void RunChecks::check_indices(const Program& program, const std::string& step) const {
  for (const Indices& i : indices_)
    for (const int64_t index : {index_in(program, i.least), index_in(program, i.largest)})
      if (index < 0 || index >= i.bound)
        throw Error(ErrorKind::numeric, "the index {} is computed for {}, which takes indices below {}", index, i.what, i.bound)
            .of(fmt::format("step '{}'", step));
}

void RunChecks::check(const Program& program, const std::string& step) const {
  if (!on_) return;
  check_indices(program, step);
  for (size_t i = 0; i < program.outputs().size(); ++i) {
    const Port& port = program.outputs()[i];
    if (!is_floating(port.dtype)) continue;
    const std::byte* const data = program.output(static_cast<int>(i));
    for (int64_t e = 0; e < port.shape.numel(); ++e)
      if (const double x = load_element(port.dtype, data, e); !std::isfinite(x))
        throw Error(ErrorKind::numeric, "element {} of the output '{}' is {}; it is computed at {}", e, port.name,
                    std::isnan(x) ? "nan"
                    : x < 0       ? "-inf"
                                  : "inf",
                    port.where.empty() ? "an unknown line" : port.where)
            .of(fmt::format("step '{}'", step));
  }
}

}  // namespace weft::detail
