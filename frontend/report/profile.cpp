#include "weft/frontend/report/profile.h"

#include <fmt/ranges.h>

#include "weft/frontend/report/rows.h"
#include "weft/ir/op_def.h"
#include "weft/passes/lowered.h"

namespace weft {
namespace detail {
namespace {

constexpr size_t most_sums = 20;  // layers, and kernels, that have a line each
constexpr int call_width = 61, layer_width = 20, sum_width = 55, limit_width = 6;

void add_to(ProfileRow& row, const ProfileRow& more) {
  row.calls += more.calls, row.microseconds += more.microseconds, row.waiting += more.waiting;
  row.flops += more.flops, row.bytes += more.bytes, row.least += more.least;
}

bool takes_longer(const ProfileRow& a, const ProfileRow& b) { return a.microseconds > b.microseconds; }

/// `calls` by what `name` gives of each.
template <class Name>
std::vector<ProfileRow> summed(const std::vector<ProfileRow>& calls, Name name) {
  Sums<ProfileRow, add_to> sums;
  for (const ProfileRow& call : calls) sums.add(name(call), call);
  return std::move(sums).sorted(takes_longer);
}

std::string numbers_text(const ProfileRow& r, const ProfileRow& step) {
  return fmt::format("{:8.1f} {:7.1f} {:5.1f}% {:>7} {:>5}", r.microseconds, r.waiting,
                     step.microseconds > 0 ? 100 * r.microseconds / step.microseconds : 0, per_second(r.flops, r.microseconds),
                     per_second(r.bytes, r.microseconds)) +
         (step.least > 0 ? fmt::format(" {:4.0f}%", 100 * r.share_of_limits()) : "");
}

/// The titles of these numbers.
std::string titles_text(const ProfileRow& step) {
  return fmt::format("{:>8} {:>7} {:>6} {:>7} {:>5}", "us", "waiting", "share", "GFLOP/s", "GB/s") + (step.least > 0 ? " limit" : "");
}

/// The largest rows, and the others as one.
std::string sums_text(const char* title, const std::vector<ProfileRow>& rows, const ProfileRow& step) {
  std::string text = fmt::format("{} {:>5}  {}\n", titles_text(step), "calls", title);
  const std::vector<std::string> names = names_of_rows(rows, sum_width - (step.least > 0 ? limit_width : 0));
  ProfileRow others;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i >= most_sums && rows.size() > most_sums + 1) {
      add_to(others, rows[i]);
    } else {
      text += fmt::format("{} {:5}  {}\n", numbers_text(rows[i], step), rows[i].calls, names[i]);
    }
  }
  if (others.calls > 0) text += fmt::format("{} {:5}  {} others\n", numbers_text(others, step), others.calls, rows.size() - most_sums);
  return text + "\n";
}

/// A loop nest with what was recorded of it, which its name does not say: "k3_exp = softmax, relu (f32[64,10]) -> f32[64]".
std::string named(const ProfileRow& call) {
  const std::string name = call.name.substr(0, call.name.rfind("  # "));
  if (call.origin.op != "fused" || call.recorded.empty()) return name;
  const size_t end = std::min(name.find(" ("), name.size());
  return fmt::format("{} = {}{}", name.substr(0, end), fmt::join(call.recorded, ", "), name.substr(end));
}

/// What is called on what, and its `place`, cut to what of the line is left for it.
std::string call_text(const ProfileRow& call, const std::string& place, size_t width) {
  return fmt::format("{}  # {}", cut(named(call), width - 4 - place.size()), place);
}

/// The element type that an op computes in: of a library call that of what it reads, of a loop nest a wide one.
DType computed_in(const ir::Op& op) {
  if (op.def().kind == ir::Kind::heavy && !op.operands().empty() && is_floating(op.operand(0).dtype())) return op.operand(0).dtype();
  for (ir::Value v : op.results())
    if (v.dtype() == f64) return f64;
  return f32;
}

}  // namespace

std::string kernel_of(const std::string& call) {
  const std::string by = "  by ", behind = "  # ", times = " x ";
  const size_t types = call.find(" ("), from = call.find(by, types), to = call.rfind(behind);
  std::string name = call.substr(0, types);
  if (const size_t repeated = name.rfind(times); repeated != std::string::npos) name.erase(0, repeated + times.size());
  if (from != std::string::npos && to != std::string::npos) name += " by " + call.substr(from + by.size(), to - from - by.size());
  return name;
}

Profile profile_of(std::span<const CallTime> calls, const ir::Graph& planned, const std::optional<MachineLimits>& limits,
                   const std::vector<std::vector<std::string>>& recorded) {
  Profile profile{.step = {.name = "the whole step"}, .calls = {}, .limits = limits};
  if (calls.empty()) return profile;
  const std::vector<Origin> origins = launched_origins(planned);
  const std::vector<passes::LaunchedOp> ops = passes::launched_ops(planned);
  WEFT_CHECK(origins.size() == calls.size(), "{} calls were measured, but the graph has {}", calls.size(), origins.size());
  for (size_t i = 0; i < calls.size(); ++i) {
    const CallTime& c = calls[i];
    const DType dtype = computed_in(*ops[i].op);
    const auto runs = static_cast<double>(std::max<int64_t>(1, ops[i].runs));  // each finds in a cache what one of them touches
    const double least = limits ? runs * limits->least_microseconds(c.flops / runs, dtype, c.bytes / runs) : 0;
    profile.calls.push_back({.name = c.call,
                             .origin = origins[i],
                             .kernel = kernel_of(c.call),
                             .calls = 1,
                             .runs = ops[i].runs,
                             .microseconds = c.microseconds,
                             .waiting = c.waiting,
                             .flops = c.flops,
                             .bytes = c.bytes,
                             .recorded = recorded.empty() ? std::vector<std::string>() : recorded[i],
                             .computes_in = dtype,
                             .least = least});
    add_to(profile.step, profile.calls.back());
  }
  profile.layers = summed(profile.calls, [](const ProfileRow& r) { return r.origin.place(); });
  profile.sources = summed(profile.calls, [](const ProfileRow& r) { return r.origin.source; });
  profile.phases = summed(profile.calls, [](const ProfileRow& r) { return r.origin.phase; });
  profile.ops = summed(profile.calls, [](const ProfileRow& r) { return r.origin.op; });
  profile.kernels = summed(profile.calls, [](const ProfileRow& r) { return r.kernel; });
  return profile;
}

}  // namespace detail

std::string Profile::table() const {
  using namespace detail;
  if (empty()) return "nothing was measured: start_profile() comes before the steps, and the reference measures nothing\n";
  std::string text = phases.size() > 1 ? sums_text("part of the step", phases, step) : "";
  text += sums_text("layer", layers, step) + sums_text("source line", sources, step) + sums_text("op", ops, step) +
          sums_text("kernel", kernels, step);
  text += titles_text(step) + "  call\n";
  std::vector<ProfileRow> sorted = calls;
  std::stable_sort(sorted.begin(), sorted.end(), takes_longer);
  std::vector<std::string> places;
  for (const ProfileRow& r : sorted) places.push_back(r.origin.place());
  places = told_apart(std::move(places), layer_width);
  const auto width = static_cast<size_t>(call_width - (step.least > 0 ? limit_width : 0));
  for (size_t i = 0; i < sorted.size(); ++i)
    text += fmt::format("{}  {}\n", numbers_text(sorted[i], step), call_text(sorted[i], places[i], width));
  return text + fmt::format("{}  {}\n", numbers_text(step, step), step.name);
}

}  // namespace weft
