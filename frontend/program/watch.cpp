#include "weft/frontend/program/watch.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "weft/ir/builder.h"
#include "weft/runtime/array.h"
#include "weft/support/error.h"

namespace weft {
namespace detail {
namespace {

using ir::Value;

const std::string prefix = "weft.watch.";

/// The last floating value of each layer, in the order of their first ops.
std::vector<std::pair<std::string, Value>> layers_of(const ir::Graph& graph) {
  std::vector<std::pair<std::string, Value>> layers;
  for (const ir::Op* op : graph.ops()) {
    const ir::Locations lines = ir::source_lines(op->locations());
    if (lines.empty() || lines[0].scope.empty() || !is_floating(op->result().dtype())) continue;
    if (lines.phases() != ir::Phase::forward) continue;
    const auto known = std::find_if(layers.begin(), layers.end(), [&](const auto& l) { return l.first == lines[0].scope; });
    if (known == layers.end()) layers.emplace_back(lines[0].scope, op->result());
    else known->second = op->result();
  }
  return layers;
}

const std::byte* output_of(const Program& program, const std::string& name, size_t& number) {
  const auto& outputs = program.outputs();
  const auto at = std::find_if(outputs.begin(), outputs.end(), [&](const Port& p) { return p.name == name; });
  WEFT_CHECK(at != outputs.end(), "the program has lost its output '{}'", name);
  number = static_cast<size_t>(at - outputs.begin());
  return program.output(static_cast<int>(number));
}

}  // namespace

bool fits(std::string_view pattern, std::string_view name) {
  size_t p = 0, n = 0, star = std::string_view::npos, after = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') star = p++, after = n;
    else if (p < pattern.size() && pattern[p] == name[n]) ++p, ++n;
    else if (star != std::string_view::npos) p = star + 1, n = ++after;
    else return false;
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

Watch::Watch(ir::Module& recorded, const std::vector<std::string>& patterns) {
  if (!recorded.stage.empty())
    throw Error("values are watched by their names in a program as it was recorded, but passes have been at this one, up to '{}'",
                recorded.stage);
  ir::Graph& graph = recorded.graph();
  std::vector<bool> used(patterns.size(), false);
  std::vector<std::string> names;
  const auto wanted = [&](const std::string& name) {
    names.push_back(name);
    bool any = false;
    for (size_t i = 0; i < patterns.size(); ++i)
      if (fits(patterns[i], name)) used[i] = any = true;
    return any;
  };
  for (const auto& [layer, value] : layers_of(graph)) {
    if (!wanted(layer)) continue;
    watched_.push_back({layer, prefix + layer});
    graph.add_output({prefix + layer, value, {}, value.op()->locations()});
  }
  for (const std::string& input : recorded.train ? recorded.train->all_inputs() : std::vector<std::string>()) {
    std::vector<std::string>& keep = recorded.train->keep;
    const bool updates = !recorded.train->optimizer.empty();  // else the gradients are outputs anyway
    const std::string gradient = input + ".grad", update = input + ".update";
    if (wanted(gradient)) {
      watched_.push_back({gradient, gradient});
      if (updates && std::find(keep.begin(), keep.end(), gradient) == keep.end()) keep.push_back(gradient);
    }
    if (updates && wanted(update)) watched_.push_back({update, prefix + update, prefix + input + ".squares", input});
  }
  for (size_t i = 0; i < patterns.size(); ++i)
    if (!used[i])
      throw Error("nothing to watch is called '{}'", patterns[i])
          .hint(did_you_mean(patterns[i], names))
          .hint(names.empty()
                    ? "the program has no layers and trains nothing"
                    : fmt::format("names are layers, and PARAMETER.grad and PARAMETER.update of what is trained: {}, ...", names[0]));
}

void Watch::add_updates(ir::Module& module) const {
  ir::Graph& graph = module.graph();
  for (const Watched& w : watched_) {
    if (w.of.empty()) continue;
    const ir::Input& input = *graph.find_input(w.of);
    const Value before = input.value();
    const auto& outputs = graph.outputs();
    const auto after = std::find_if(outputs.begin(), outputs.end(), [&](const ir::Output& o) { return o.alias == before.index(); });
    WEFT_CHECK(after != outputs.end(), "'{}' is trained, but not updated", w.of);
    ir::Builder b(graph, nullptr, input.locations.in(ir::Phase::update));
    Dims axes(static_cast<size_t>(before.shape().rank()));
    std::iota(axes.begin(), axes.end(), 0);
    const Value change = b("sub", {after->value, before});
    const Value squares = b.sum(b("mul", {before, before}), axes);
    graph.add_output({w.output, change, {}, input.locations});
    graph.add_output({w.weight, squares, {}, input.locations});
  }
}

std::vector<WatchedValue> Watch::read(const Program& program) const {
  std::vector<WatchedValue> all;
  for (const Watched& w : watched_) {
    size_t number = 0;
    const std::byte* data = output_of(program, w.output, number);
    const Port& port = program.outputs()[number];
    WatchedValue value{
        .name = w.name, .values = statistics_of(port.dtype, data, port.shape.numel()), .relative = NAN, .dtype = port.dtype, .data = data};
    if (!w.weight.empty()) {
      double squares = 0;
      for (int64_t i = 0; i < port.shape.numel(); ++i) squares += std::pow(load_element(port.dtype, data, i), 2);
      const std::byte* weight = output_of(program, w.weight, number);
      value.relative = std::sqrt(squares / load_element(program.outputs()[number].dtype, weight, 0));
    }
    all.push_back(std::move(value));
  }
  return all;
}

bool is_watched_output(std::string_view name) { return name.starts_with(prefix); }

std::vector<std::pair<std::string, MetricValue>> line_of(const WatchedValue& value, int64_t step, const std::string& net) {
  const ValueStatistics& v = value.values;
  std::vector<std::pair<std::string, MetricValue>> line{{"step", step}, {"value", value.name}};
  if (!net.empty()) line.emplace_back("net", net);
  const double count = static_cast<double>(std::max<int64_t>(1, v.count));
  line.emplace_back("mean", v.mean);
  line.emplace_back("deviation", v.deviation);
  line.emplace_back("smallest", v.smallest);
  line.emplace_back("largest", v.largest);
  line.emplace_back("zeros", static_cast<double>(v.zeros) / count);
  line.emplace_back("subnormals", static_cast<double>(v.subnormals) / count);
  line.emplace_back("not_finite", v.nans + v.infinities);
  if (!std::isnan(value.relative)) line.emplace_back("relative", value.relative);
  return line;
}

std::pair<std::vector<std::string>, std::vector<std::string>> around_training_step(const std::vector<std::string>& passes) {
  const auto at = std::find(passes.begin(), passes.end(), "training_step");
  const auto behind = at == passes.end() ? passes.begin() : std::next(at);
  return {{passes.begin(), behind}, {behind, passes.end()}};
}

}  // namespace detail
}  // namespace weft
