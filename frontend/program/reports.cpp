#include "weft/frontend/program/reports.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "weft/ir/op_def.h"
#include "weft/passes/analysis/liveness.h"
#include "weft/passes/lowered.h"
#include "weft/support/error.h"

namespace weft::detail {
namespace {

constexpr size_t most_sums = 20;  // layers, and kernels, that have a line each
constexpr size_t call_width = 61, layer_width = 20, sum_width = 55;

/// "12.3", or nothing for what makes no sense per second.
std::string per_second(double amount, double microseconds) {
  return microseconds > 0 && amount > 0 ? fmt::format("{:.1f}", amount / microseconds * 1e-3) : "";
}

std::string cut(const std::string& text, size_t width) { return text.size() <= width ? text : text.substr(0, width - 3) + "..."; }

/// The end of a path says most.
std::string cut_start(const std::string& text, size_t width) {
  return text.size() <= width ? text : "..." + text.substr(text.size() - (width - 3));
}

/// The layers that an op comes from; of an op outside of all layers its lines.
std::string layer_of(const ir::Op& op) {
  std::vector<std::string> layers;
  for (const ir::Location& at : op.locations())
    if (!at.scope.empty() && std::find(layers.begin(), layers.end(), at.scope) == layers.end()) layers.push_back(at.scope);
  if (layers.empty()) return to_string(op.locations());
  std::sort(layers.begin(), layers.end());  // the same layers are one row
  if (layers.size() <= 3) return fmt::format("{}", fmt::join(layers, ", "));
  return fmt::format("{}, {} and {} more", layers[0], layers[1], layers.size() - 2);
}

/// What is called: a kernel, or an op and the library's implementation of it. Program::calls() begins with it.
std::string kernel_of(const std::string& call) {
  const std::string by = "  by ", behind = "  # ";
  const size_t types = call.find(" ("), from = call.find(by, types), to = call.rfind(behind);
  std::string name = call.substr(0, types);
  if (from != std::string::npos && to != std::string::npos) name += " by " + call.substr(from + by.size(), to - from - by.size());
  return name;
}

void add(ProfileRow& row, const ProfileRow& more) {
  row.calls += more.calls, row.microseconds += more.microseconds, row.waiting += more.waiting;
  row.flops += more.flops, row.bytes += more.bytes;
}

std::vector<ProfileRow> sorted(std::vector<ProfileRow> rows) {
  std::stable_sort(rows.begin(), rows.end(), [](const ProfileRow& a, const ProfileRow& b) { return a.microseconds > b.microseconds; });
  return rows;
}

/// A row of each name.
class Sums {
 public:
  void add(const std::string& name, const ProfileRow& call) {
    const auto [at, is_new] = place_.try_emplace(name, rows_.size());
    if (is_new) rows_.push_back({.name = name});
    detail::add(rows_[at->second], call);
  }
  std::vector<ProfileRow> sorted() && { return detail::sorted(std::move(rows_)); }

 private:
  std::vector<ProfileRow> rows_;
  std::unordered_map<std::string, size_t> place_;
};

std::string numbers_text(const ProfileRow& r, const ProfileRow& step) {
  return fmt::format("{:8.1f} {:7.1f} {:5.1f}% {:>7} {:>5}", r.microseconds, r.waiting,
                     step.microseconds > 0 ? 100 * r.microseconds / step.microseconds : 0, per_second(r.flops, r.microseconds),
                     per_second(r.bytes, r.microseconds));
}

/// The largest rows, and the others as one.
std::string sums_text(const char* title, const std::vector<ProfileRow>& rows, const ProfileRow& step) {
  std::string text = fmt::format("{:>8} {:>7} {:>6} {:>7} {:>5} {:>5}  {}\n", "us", "waiting", "share", "GFLOP/s", "GB/s", "calls", title);
  ProfileRow others;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i >= most_sums && rows.size() > most_sums + 1) {
      add(others, rows[i]);
    } else {
      text += fmt::format("{} {:5}  {}\n", numbers_text(rows[i], step), rows[i].calls, cut_start(rows[i].name, sum_width));
    }
  }
  if (others.calls > 0) text += fmt::format("{} {:5}  {} others\n", numbers_text(others, step), others.calls, rows.size() - most_sums);
  return text + "\n";
}

/// What is called on what, and the layer, each cut to its share of the line.
std::string call_text(const ProfileRow& call) {
  const std::string layer = cut_start(call.layer, layer_width);
  return fmt::format("{}  # {}", cut(call.name.substr(0, call.name.rfind("  # ")), call_width - 4 - layer.size()), layer);
}

}  // namespace

Profile profile_of(std::span<const CallTime> calls, const ir::Graph& planned) {
  Profile profile{.step = {.name = "the whole step"}};
  const std::vector<const ir::Op*> called = passes::launched_ops(planned);
  WEFT_CHECK(called.size() == calls.size(), "{} calls were measured, but the graph has {}", calls.size(), called.size());
  Sums layers, kernels;
  for (size_t i = 0; i < calls.size(); ++i) {
    const CallTime& c = calls[i];
    const ProfileRow& row =
        profile.calls.emplace_back(ProfileRow{c.call, layer_of(*called[i]), 1, c.microseconds, c.waiting, c.flops, c.bytes});
    add(profile.step, row);
    layers.add(row.layer, row);
    kernels.add(kernel_of(c.call), row);
  }
  profile.layers = std::move(layers).sorted(), profile.kernels = std::move(kernels).sorted();
  profile.calls = sorted(std::move(profile.calls));
  return profile;
}

std::string to_string(const Profile& profile) {
  if (profile.calls.empty()) return "nothing was measured: start_profile() comes before the steps, and the reference measures nothing\n";
  std::string text = sums_text("layer", profile.layers, profile.step) + sums_text("kernel", profile.kernels, profile.step);
  text += fmt::format("{:>8} {:>7} {:>6} {:>7} {:>5}  {}\n", "us", "waiting", "share", "GFLOP/s", "GB/s", "call");
  for (const ProfileRow& r : profile.calls) text += fmt::format("{}  {}\n", numbers_text(r, profile.step), call_text(r));
  return text + fmt::format("{}  {}\n", numbers_text(profile.step, profile.step), profile.step.name);
}

std::string memory_table(const ir::Module& planned) {
  if (!planned.arena_bytes) return "nothing was planned: the target keeps each value by itself\n";
  std::vector<passes::Interval> values = passes::arena_intervals(planned.graph());
  std::stable_sort(values.begin(), values.end(),
                   [](const auto& a, const auto& b) { return a.value.type().bytes() > b.value.type().bytes(); });
  int64_t sum = 0;
  for (const passes::Interval& v : values) sum += v.value.type().bytes();
  std::string text = fmt::format("arena: {} bytes for {} values of {} bytes in all\n{:>12} {:>12} {:>11}  {}\n", *planned.arena_bytes,
                                 values.size(), sum, "bytes", "offset", "ops", "value");
  for (const passes::Interval& v : values)
    text += fmt::format("{:12} {:12} {:>11}  {} of {} at {}\n", v.value.type().bytes(), v.value.offset().value_or(-1),
                        fmt::format("{} to {}", v.begin, v.end), to_string(v.value.type()), v.value.op()->name(),
                        to_string(v.value.op()->locations()));
  return text;
}

}  // namespace weft::detail
