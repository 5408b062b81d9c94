// weft's side of the benchmark: weft_peer THREADS FOLDER serves the case that is stored in the folder (cases.py).
//
//   step        the compiled step
//   profile     the same, timing each of its calls, which RUN answers
//   strict      convolutions are summed as they are defined
//   one_thread  the step compiled for one thread

#include <weft/weft.h>

#include <cmath>
#include <cstring>
#include <fstream>

#include "nets.h"
#include "serve.h"
#include "weft/frontend/optim/core.h"

using namespace weft;
using benchmark::Json;

namespace {

/// All batches of an input, one after the other.
class Batches {
 public:
  explicit Batches(const std::string& file) : all_(read_npy(file)) {}
  size_t count() const { return static_cast<size_t>(all_.shape()[0]); }
  DType dtype() const { return all_.dtype(); }
  Shape shape() const { return Shape(Dims(all_.shape().begin() + 1, all_.shape().end())); }
  View operator[](size_t i) const { return {all_.data() + i * (all_.bytes() / count()), static_cast<size_t>(shape().numel()), dtype()}; }

 private:
  Array all_;
};

class WeftTraining : public benchmark::Training {
 public:
  WeftTraining(const std::string& folder, const cpu::Options& options)
      : folder_(folder), a_case_(Json::parse(std::ifstream(folder + "/case.json"))), net_(benchmark::net_of(a_case_)),
        optimizer_(benchmark::optimizer_of(a_case_)), x_(folder + "/x.npy"), y_(folder + "/y.npy"), step_(build(options)) {
    for (size_t i = 0; i < x_.count(); ++i) views_.emplace_back(x_[i], y_[i]);
  }

  void run(int64_t steps) override {
    for (int64_t i = 1; i < steps; ++i) next_step();
    results_ = next_step();
  }
  void restart() override {
    load();
    for (auto& states : optimizer_.core()->states) {
      for (auto& [name, array] : states.arrays) std::memset(array.data(), 0, array.bytes());
      states.count = 0;
    }
  }
  double loss() override { return (*results_)["loss"].item(); }
  Json buffers() override {
    Json means = Json::object();
    for (const auto& [name, buffer] : net_.buffers) means[name] = mean_absolute(buffer);
    return means;
  }
  Json facts() override {
    return {{"compile_ms", step_.compile_milliseconds()}, {"planned_bytes", step_.arena_bytes()}, {"calls", step_.calls()}};
  }

 protected:
  Step& step() { return step_; }

 private:
  static double mean_absolute(const Parameter& buffer) {
    if (buffer.dtype() == i64) return static_cast<double>(buffer.values<int64_t>()[0]);  // a counter
    double sum = 0;
    const std::vector<float> values = buffer.values<float>();
    for (float value : values) sum += std::abs(value);
    return sum / static_cast<double>(values.size());
  }

  Results next_step() {
    const auto& [x, y] = views_[next_];
    if (++next_ == views_.size()) next_ = 0;
    return step_({{"x", x}, {"y", y}});
  }

  void load() {
    for (auto& [name, parameter] : net_.parameters) parameter.set_values(read_npy(folder_ + "/" + name + ".npy").values<float>());
  }

  Step build(const cpu::Options& options) {
    load();
    return benchmark::step_of(a_case_, net_, optimizer_, {x_.dtype(), x_.shape()}, {y_.dtype(), y_.shape()}, options);
  }

  std::string folder_;
  Json a_case_;
  benchmark::Net net_;
  optim::Optimizer optimizer_;
  Batches x_, y_;
  Step step_;
  std::vector<std::pair<View, View>> views_;
  size_t next_ = 0;
  std::optional<Results> results_;
};

class ProfiledTraining final : public WeftTraining {
 public:
  using WeftTraining::WeftTraining;

  Json facts() override {
    Json calls = Json::array();
    for (const ProfileRow& t : step().profile().calls)
      calls.push_back({{"call", t.name}, {"us", t.microseconds}, {"waiting_us", t.waiting}, {"flops", t.flops}, {"bytes", t.bytes}});
    step().start_profile();  // anew: the first steps, which START takes, are not like the others
    return {{"profile", calls}};
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int threads = std::stoi(argv[1]);
  const std::string folder = argv[2];
  const Json about = {{"peer", "weft"},
                      {"modes", {"step", "profile", "strict", "one_thread"}},
                      {"versions", {{"weft", WEFT_VERSION}, {"oneDNN", WEFT_ONEDNN}, {"LLVM", WEFT_LLVM}, {"compiler", WEFT_COMPILER}}}};
  benchmark::serve(about, [&](const std::string& mode) -> std::unique_ptr<benchmark::Training> {
    if (mode == "profile") return std::make_unique<ProfiledTraining>(folder, cpu::Options{.threads = threads});
    return std::make_unique<WeftTraining>(folder, cpu::Options{.threads = mode == "one_thread" ? 1 : threads, .strict = mode == "strict"});
  });
}
