#include "weft/frontend/reports.h"

#include <algorithm>

#include "weft/passes/liveness.h"
#include "weft/support/error.h"

namespace weft::detail {
namespace {

/// "12.3", or nothing for what makes no sense per second.
std::string per_second(double amount, double microseconds) {
  return microseconds > 0 && amount > 0 ? fmt::format("{:.1f}", amount / microseconds * 1e-3) : "";
}

}  // namespace

std::string profile_table(std::span<const CallTime> calls) {
  double total = 0, flops = 0;
  for (const CallTime& c : calls) total += c.microseconds, flops += c.flops;
  std::string text = fmt::format("{:>9} {:>8} {:>6} {:>9} {:>7}  {}\n", "us", "waiting", "share", "GFLOP/s", "GB/s", "call");
  for (const CallTime& c : calls)
    text += fmt::format("{:9.2f} {:8.2f} {:5.1f}% {:>9} {:>7}  {}\n", c.microseconds, c.waiting,
                        total > 0 ? 100 * c.microseconds / total : 0, per_second(c.flops, c.microseconds),
                        per_second(c.bytes, c.microseconds), c.call);
  return text + fmt::format("{:9.2f} {:8} {:>6} {:>9} {:>7}  the whole step\n", total, "", "", per_second(flops, total), "");
}

std::string memory_table(const ir::Module& planned) {
  if (!planned.arena_bytes) return "nothing was planned: the target keeps each value by itself\n";
  std::vector<passes::Interval> values = passes::arena_intervals(planned.graph());
  std::stable_sort(values.begin(), values.end(), [](const auto& a, const auto& b) {
    return a.value.type().bytes() > b.value.type().bytes();
  });
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
