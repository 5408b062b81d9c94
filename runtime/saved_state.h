#pragma once
// What a saved step keeps from call to call: tensors, numbers and counts, and the files that they come from and go to.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weft/runtime/array.h"
#include "weft/runtime/safetensors.h"
#include "weft/runtime/step_data.h"

namespace weft {

class SavedState {
 public:
  /// `data` must outlive it; `ports` are the program's inputs. Throws weft::Error where they contradict each other.
  SavedState(const StepData& data, const std::vector<Port>& ports);

  /// Of an input that is a tensor or counter.
  Array& array(size_t input) { return arrays_[input]; }
  std::vector<std::string> tensors() const;
  /// Whoever asks for it to write gives it its elements.
  Array& tensor(std::string_view name);
  const Array& tensor(std::string_view name) const { return arrays_[find_tensor(name)]; }

  /// Of an input that is a number.
  double& number(size_t input) { return numbers_[input]; }
  double number(size_t input) const { return numbers_[input]; }
  std::vector<std::string> numbers() const;
  /// The input of this name; throws weft::Error with the nearest ones.
  size_t find_number(std::string_view name) const;
  void set(size_t input, double value);

  // See SavedStep.
  void load(const std::string& path);
  void save(const std::string& path) const;
  int64_t steps() const { return steps_; }
  uint64_t stream() const { return stream_; }

  /// Throws weft::Error naming the parameters that nobody has loaded.
  void require_loaded() const;
  void before_run();
  void after_run();

 private:
  struct Loading;
  size_t find_tensor(std::string_view name) const;
  bool is_tensor(size_t input) const { return data_.inputs[input].kind == StepInput::Kind::tensor; }
  void check(const std::vector<Port>& ports) const;
  void match(Loading& loading, const std::string& path) const;
  std::string note() const;

  const StepData& data_;
  std::vector<std::string> names_;  // per input
  std::vector<Array> arrays_;       // per input, empty where it is no tensor or counter
  std::vector<double> numbers_;     // per input
  Dims counts_;                     // per counter
  std::vector<bool> loaded_;        // per input
  int64_t steps_ = 0;
  uint64_t stream_;
  SafeTensors kept_;  // of the file that was loaded: what is none of the program's
  std::string note_;  // what that says of optimizers and schedules; empty: nothing
};

}  // namespace weft
