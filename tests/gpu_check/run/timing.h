#pragma once
// A program of the bundle that is called for its time.

#include <chrono>
#include <string>
#include <vector>

#include "weft/tests/gpu_check/run/device_step.h"
#include "weft/tests/gpu_check/run/options.h"

namespace weft::gpu_check {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start);

class TimedProgram {
 public:
  /// Loads it and makes its inputs.
  TimedProgram(const Measured& measured, const Options& options);

  /// Until nothing is new any more: launched, captured, replayed.
  void warm_up();
  /// Median milliseconds of a call, over groups of calls that together take so long. The device is waited for behind each group alone,
  /// and a group takes 20 ms or more, so that waiting does not count.
  double milliseconds(double seconds);
  /// Of one call, launch by launch.
  std::vector<CallTime> launches(int calls);

 private:
  void call() { device_.step().run(feeds_); }
  double group(int calls);

  DeviceStep device_;
  std::vector<std::pair<std::string, Array>> fed_;
  std::vector<Feed> feeds_;
};

}  // namespace weft::gpu_check
