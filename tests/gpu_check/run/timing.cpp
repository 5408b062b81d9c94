#include "weft/tests/gpu_check/run/timing.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "weft/support/error.h"
#include "weft/support/philox.h"

namespace weft::gpu_check {
namespace {

/// So many elements are drawn; those behind them are the same again.
constexpr int64_t drawn = 1 << 18;

void fill(Array& array, const Fill& how) {
  const int64_t count = array.shape().numel(), own = std::min(count, drawn);
  std::byte* data = array.data();
  for (int64_t e = 0; e < own; ++e) {
    const double u = uniform_from_bits(random_bits(3, static_cast<uint32_t>(how.input.size()), 0, static_cast<uint64_t>(e)));
    const double x = how.low == how.high ? how.low : how.low + (how.high - how.low) * u;
    store_element(array.dtype(), data, e, is_floating(array.dtype()) ? x : std::floor(x));
  }
  const size_t size = size_of(array.dtype());
  for (int64_t e = own; e < count; e += own)
    std::memcpy(data + static_cast<size_t>(e) * size, data, static_cast<size_t>(std::min(own, count - e)) * size);
}

}  // namespace

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

TimedProgram::TimedProgram(const Measured& measured, const Options& options)
    : device_(options.folder + "/" + measured.file + ".weftprog", options.device) {
  SavedStep& step = device_.step();
  const std::vector<std::string> kept = step.tensors();
  const std::vector<Port> batch = step.batch();
  for (const Fill& how : measured.fills) {
    if (std::find(kept.begin(), kept.end(), how.input) != kept.end()) {
      fill(step.tensor(how.input), how);
      continue;
    }
    const auto port = std::find_if(batch.begin(), batch.end(), [&](const Port& p) { return p.name == how.input; });
    if (port == batch.end()) throw Error(ErrorKind::file, "'{}' has no input '{}'", measured.name, how.input);
    fill(fed_.emplace_back(how.input, Array(port->dtype, port->shape)).second, how);
  }
  for (const auto& [name, array] : fed_) feeds_.push_back({name, array});
}

void TimedProgram::warm_up() {
  for (int n = 0; n < 5; ++n) call();
  device_.wait();
}

double TimedProgram::group(int calls) {
  const auto start = Clock::now();
  for (int n = 0; n < calls; ++n) call();
  device_.wait();
  return seconds_since(start);
}

double TimedProgram::milliseconds(double seconds) {
  const auto start = Clock::now();
  const double one = group(1);
  const int calls = static_cast<int>(std::clamp(std::ceil(0.02 / std::max(one, 1e-7)), 1.0, 10000.0));
  std::vector<double> all;
  do all.push_back(1e3 * group(calls) / calls);
  while (seconds_since(start) < seconds);
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2), all.end());
  return all[all.size() / 2];
}

std::vector<CallTime> TimedProgram::launches(int calls) {
  device_.start_profile();
  for (int n = 0; n < calls; ++n) call();
  device_.wait();
  return device_.profile();
}

}  // namespace weft::gpu_check
