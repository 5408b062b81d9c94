#pragma once
// A step, and a planned program, whose reports tests look at.

#include <string>
#include <vector>

#include "weft/tests/frontend/support.h"
#include "weft/weft.h"

namespace weft::testing {

struct ReportedNet : nn::Module {
  nn::Linear fc1 = add("fc1", nn::Linear(16, 32));
  nn::Linear fc2 = add("fc2", nn::Linear(32, 4));
  Tensor forward(Tensor x) override { return fc2(relu(fc1(x))); }
};

inline Step training(int threads = 2) {
  static ReportedNet net;
  static optim::Adam adam;
  Graph g("net");
  const Tensor x = g.input("x", f32, {8, 16}), y = g.input("y", i64, {8});
  const Tensor loss = g.output("loss", cross_entropy(net(x), y));
  return compile(training_step(g, loss, net.parameters(), adam), Target::cpu({.threads = threads}));
}

/// The file that the step above is recorded in, as lines name it.
inline std::string recorded_in() {
  const std::string here = line();
  return here.substr(0, here.rfind(':'));
}

inline void run(Step& step, int times) {
  const std::vector<float> x(8 * 16, 1);
  const std::vector<int64_t> y(8, 1);
  for (int i = 0; i < times; ++i) step({{"x", x}, {"y", y}});
}

/// Two values of 400 bytes that live together, one that is written over the second, and one that takes the first one's place.
inline const char* const planned = R"(weft 1
module target = "cpu" stage = "plan" arena = 1024
func @planned {
  input %x: f32[100]
  input %w: f32[100] parameter
  %0 = exp(%x) : f32[100] @0 at "net.cpp":3 "fc1"
  %1 = neg(%0) : f32[100] @448 at "net.cpp":4 "fc2"
  %2 = cast(%1) {dtype = bf16} : bf16[100] @448 at "net.cpp":4 "fc2"
  %3 = sum(%2) {axes = [0]} : bf16[] @0 at "net.cpp":5 in backward
  output y = %3
}
)";

}  // namespace weft::testing
