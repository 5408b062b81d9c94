// weft's side of the comparison of single kernels: kernels_peer THREADS FOLDER serves each of them as a mode, on the
// arrays of the folder (kernels.py). Its "loss" is the mean absolute value of what the kernel computed.

#include <weft/weft.h>

#include <cmath>
#include <map>

#include "serve.h"

using namespace weft;
using benchmark::Json;

namespace {

struct Kernel {
  const char* array;  // the file that holds its operand
  std::function<Tensor(const Tensor& x)> compute;
};

const std::map<std::string, Kernel> kernels = {{"exp", {"normal", [](const Tensor& x) { return exp(x); }}},
                                               {"tanh", {"normal", [](const Tensor& x) { return tanh(x); }}},
                                               {"erf", {"normal", [](const Tensor& x) { return erf(x); }}},
                                               {"gelu", {"normal", [](const Tensor& x) { return gelu(x); }}},
                                               {"softmax", {"normal", [](const Tensor& x) { return softmax(x, 1); }}},
                                               {"softmax_masked", {"masked", [](const Tensor& x) { return softmax(x, 1); }}},
                                               {"layer_norm", {"normal", [](const Tensor& x) { return layer_norm(x, {x.shape()[1]}); }}},
                                               {"sum_rows", {"normal", [](const Tensor& x) { return sum(x, {1}); }}},
                                               {"sum_columns", {"normal", [](const Tensor& x) { return sum(x, {0}); }}},
                                               {"sum", {"normal", [](const Tensor& x) { return sum(x); }}},
                                               {"transpose", {"normal", [](const Tensor& x) { return transpose(x, 0, 1); }}}};

class KernelRun final : public benchmark::Training {
 public:
  KernelRun(int threads, const std::string& folder, const std::string& name)
      : kernel_(kernels.at(name)), x_(read_npy(folder + "/" + kernel_.array + ".npy")), step_(build(threads, name)) {}

  void run(int64_t steps) override {
    for (int64_t i = 0; i < steps; ++i) results_ = step_({{"x", x_}});
  }
  double loss() override {
    double sum = 0;
    const std::vector<float> values = (*results_)["y"].values<float>();
    for (float value : values) sum += std::abs(value);
    return sum / static_cast<double>(values.size());
  }
  Json facts() override { return {{"calls", step_.calls()}}; }

 private:
  Step build(int threads, const std::string& name) {
    Graph graph(name);
    graph.output("y", kernel_.compute(graph.input("x", x_.dtype(), x_.shape())));
    return compile(graph, Target::cpu({.threads = threads}));
  }

  const Kernel& kernel_;
  Array x_;
  Step step_;
  std::optional<Results> results_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  Json names = Json::array();
  for (const auto& [name, kernel] : kernels) names.push_back(name);
  const Json about = {
      {"peer", "weft"}, {"modes", names}, {"versions", {{"weft", WEFT_VERSION}, {"LLVM", WEFT_LLVM}, {"compiler", WEFT_COMPILER}}}};
  benchmark::serve(about, [&](const std::string& mode) { return std::make_unique<KernelRun>(std::stoi(argv[1]), argv[2], mode); });
}
