#pragma once
// The nets of the lessons and two larger ones, in shapes that a machine which interprets kernels runs in seconds.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "weft/weft.h"

namespace weft::test {

/// A training step and an evaluation of the same net, with an optimizer of its own.
class NetTraining {
 public:
  struct Fed {
    std::string name;
    DType dtype;
    Dims shape;
    double low, high;  // elements are drawn from here; of integers `high` is left out
  };
  struct Net {
    std::string name;
    std::vector<Fed> inputs;
    std::function<Tensor(nn::Module& net, std::span<const Tensor> inputs)> loss;
    std::function<nn::AnyModule()> make;
    bool adam = true;  // else SGD
    double lr = 0.02;  // SGD's
  };

  NetTraining(const Net& net, const Target& target);

  /// Step number n's batch follows from n.
  double train(int n);
  /// Nobody waits for it.
  void start_training(int n);
  double evaluate(int n);
  std::vector<float> weights() const;
  Step& training_step() { return *train_; }
  Step& evaluation() { return *evaluate_; }
  nn::Module& module() { return **module_; }
  optim::Optimizer& optimizer() { return *optimizer_; }

 private:
  Results run(Step& step, int n);

  Net net_;
  std::optional<nn::AnyModule> module_;
  std::optional<optim::Optimizer> optimizer_;
  std::optional<Step> train_, evaluate_;
};

/// What input number `input` is fed in step n's batch.
Array drawn(const NetTraining::Fed& fed, int n, uint32_t input);

const std::vector<NetTraining::Net>& nets();
const NetTraining::Net& net_named(const std::string& name);

}  // namespace weft::test
