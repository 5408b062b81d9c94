// What a C++ programmer would write for the case `temperature`, without any library: plain_peer THREADS FOLDER.

#include "serve.h"
#include "weft/runtime/data/npy.h"

namespace {

class Line : public benchmark::Training {
 public:
  explicit Line(const std::string& folder)
      : u_(floats(folder + "/x.npy")), c_(floats(folder + "/y.npy")), stored_w_(floats(folder + "/w.npy")[0]),
        stored_b_(floats(folder + "/b.npy")[0]) {
    restart();
  }

  void restart() override { w_ = stored_w_, b_ = stored_b_; }

  void run(int64_t steps) override {
    for (int64_t i = 0; i < steps; ++i) {
      step();
      asm volatile("" : : "r"(this) : "memory");  // every step's loss is wanted, as it is from the others
    }
  }
  double loss() override { return loss_; }

 private:
  static std::vector<float> floats(const std::string& file) {
    const weft::Array array = weft::read_npy(file);
    return {array.values<float>().begin(), array.values<float>().end()};
  }

  void step() {
    const float n = static_cast<float>(u_.size());
    float loss = 0, dw = 0, db = 0;
    for (size_t i = 0; i < u_.size(); ++i) {
      const float error = w_ * u_[i] + b_ - c_[i];
      loss += error * error;
      dw += 2 * error * u_[i];
      db += 2 * error;
    }
    loss_ = loss / n;
    w_ -= 1e-2f * (dw / n);
    b_ -= 1e-2f * (db / n);
  }

  std::vector<float> u_, c_;
  float stored_w_, stored_b_, w_ = 0, b_ = 0, loss_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string folder = argv[2];
  benchmark::serve({{"peer", "plain"}, {"modes", {"loop"}}, {"versions", {{"compiler", WEFT_COMPILER}}}},
                   [&](const std::string&) { return std::make_unique<Line>(folder); });
}
