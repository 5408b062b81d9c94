#pragma once
// What training changes, kept to go back to.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "weft/frontend/language/parameter.h"
#include "weft/frontend/nn/module.h"
#include "weft/frontend/optim/optimizer.h"

namespace weft {

/// The numbers of parameters and, with an optimizer, its state and its count of steps; not its hyper-parameters. Taking and
/// restoring copy numbers only, so compiled programs go on with what they find.
class Snapshot {
 public:
  /// Takes at once. Of a model its parameters and buffers, such as batch norm's running statistics.
  explicit Snapshot(const nn::Module& model);
  Snapshot(const nn::Module& model, const optim::Optimizer& optimizer);
  explicit Snapshot(std::vector<Parameter> parameters);
  Snapshot(std::vector<Parameter> parameters, const optim::Optimizer& optimizer);

  /// Keeps what is there now instead.
  void take();
  const std::vector<Parameter>& parameters() const { return parameters_; }
  /// The parameters' numbers, in their order.
  std::vector<Array>& values() { return values_; }
  /// Writes it all back. Optimizer state that did not exist when it was taken becomes zero, as it began.
  void restore() const;

 private:
  std::vector<Parameter> parameters_;
  std::shared_ptr<detail::OptimizerCore> optimizer_;  // null: none
  std::vector<Array> values_;
  int64_t steps_ = 0;
  std::map<const void*, int64_t> counts_;  // of each parameter's updates, by where the optimizer has its states
  std::map<const Array*, Array> states_;   // by where the optimizer has them; they never move
};

}  // namespace weft
