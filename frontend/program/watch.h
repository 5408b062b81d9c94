#pragma once
// What values of a step are like, from call to call: see CompileOptions::watch.
//
//   fc1                 what a layer gives: the last floating value that it recorded ("encoder.0", "3" in a Sequential)
//   fc1.weight.grad     the loss's gradient, before clipping
//   fc1.weight.update   by how much the step changes a trained parameter
//
// A pattern is a name in which * stands for any characters. What is inside of a loop (scan, the parts of .accumulate) is not watched.

#include <string>
#include <vector>

#include "weft/ir/module.h"
#include "weft/runtime/metrics.h"
#include "weft/runtime/program.h"
#include "weft/runtime/value_statistics.h"

namespace weft {

/// One of them, after a call.
struct WatchedValue {
  std::string name;
  ValueStatistics values;
  double relative = 0;  // of an update: its Euclidean norm over the parameter's before it; else nan
  /// The elements, until the next call.
  DType dtype = f32;
  const std::byte* data = nullptr;
};

namespace detail {

class Watch {
 public:
  /// Watches nothing.
  Watch() = default;
  /// Adds outputs to a recorded module: layers, and the gradients that are to be kept. Throws weft::Error for a pattern that nothing
  /// fits, with the nearest names, and for a module that passes have been at.
  Watch(ir::Module& recorded, const std::vector<std::string>& patterns);

  bool on() const { return !watched_.empty(); }
  /// Adds updates, once `training_step` has run.
  void add_updates(ir::Module& module) const;
  std::vector<WatchedValue> read(const Program& program) const;

 private:
  struct Watched {
    std::string name, output;
    std::string weight = {};  // of an update: the output with the sum of the parameter's squares
    std::string of = {};      // the parameter
  };
  std::vector<Watched> watched_;
};

/// The passes of a pipeline up to training_step, and those behind it: between them updates are added.
std::pair<std::vector<std::string>, std::vector<std::string>> around_training_step(const std::vector<std::string>& passes);

/// What a line of JSON says of it: the step, the value's name, "net" if there is one, mean, deviation, smallest, largest, the shares of
/// zeros and of subnormals, how many are not finite, and of an update "relative".
std::vector<std::pair<std::string, MetricValue>> line_of(const WatchedValue& value, int64_t step, const std::string& net = "");

/// Is it an output that only a Watch reads?
bool is_watched_output(std::string_view name);

/// Does the name fit the pattern?
bool fits(std::string_view pattern, std::string_view name);

}  // namespace detail
}  // namespace weft
