// The number of kernels follows from the written rules (passes/fuse.h, passes/analysis/loop_nest.h). Random layered graphs, and a
// count that knows nothing of how fusion works:
//
// A layer takes matrices of one shape and makes another, elementwise, from them and from a sum or a maximum of theirs along
// one axis, stretched back. A nest reduces one set of loops, in as many sweeps as it needs, so neighbouring layers along the
// same axis are one kernel, and a layer along the other axis starts a new one; layers without a reduction go along with what
// feeds them. Graphs that share no value stay apart.

#include <fmt/format.h>

#include "weft/tests/catch.h"
#include "weft/tests/passes/random_graph.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

namespace {

/// Writes one component and counts its kernels.
class Component {
 public:
  Component(Dice& dice, std::string prefix) : dice_(dice), prefix_(std::move(prefix)), rows_(2 + dice(20)), columns_(2 + dice(40)) {
    current_ = line(fmt::format("input %{0}x: {1}", prefix_, matrix()), prefix_ + "x");
    const uint32_t layers = 1 + dice_(6);
    for (uint32_t i = 0; i < layers; ++i) add_layer();
    text += fmt::format("output {0}y = %{1}\n", prefix_, current_);
  }

  std::string text;
  int kernels() const { return std::max(1, runs_); }

 private:
  std::string matrix() const { return fmt::format("f32[{},{}]", rows_, columns_); }
  std::string name() { return fmt::format("{}v{}", prefix_, next_++); }

  std::string line(const std::string& words, const std::string& result) {
    text += words + "\n";
    return result;
  }

  std::string op(const std::string& call, const std::string& type) {
    const std::string result = name();
    return line(fmt::format("%{} = {} : {}", result, call, type), result);
  }

  std::string elementwise(const std::string& x) {
    static const std::vector<std::string> functions = {"tanh", "abs", "neg", "sigmoid", "sin"};
    return op(fmt::format("{}(%{})", functions[dice_(functions.size())], x), matrix());
  }

  std::string combined(const std::string& x, const std::string& y) {
    static const std::vector<std::string> functions = {"add", "sub", "mul", "maximum"};
    return op(fmt::format("{}(%{}, %{})", functions[dice_(functions.size())], x, y), matrix());
  }

  /// Axis 0, axis 1, or no reduction at all.
  void add_layer() {
    const uint32_t kind = dice_(3);
    std::string fresh = elementwise(current_);
    if (kind == 2) {
      current_ = combined(fresh, current_);
      return;
    }
    const std::string kept = kind == 0 ? fmt::format("f32[1,{}]", columns_) : fmt::format("f32[{},1]", rows_);
    const std::string reduced = op(fmt::format("{}(%{}) {{axes = [{}], keep_dims = true}}", dice_(2) ? "sum" : "max", fresh, kind), kept);
    const std::string stretched = op(fmt::format("broadcast(%{}) {{shape = [{},{}]}}", reduced, rows_, columns_), matrix());
    current_ = combined(dice_(2) ? fresh : current_, stretched);
    if (static_cast<int>(kind) != axis_) ++runs_;
    axis_ = static_cast<int>(kind);
  }

  Dice& dice_;
  std::string prefix_;
  uint32_t rows_, columns_;
  std::string current_;
  int next_ = 0, axis_ = -1, runs_ = 0;
};

}  // namespace

TEST_CASE("fuse: random layers become as many kernels as they change the reduced axis", "[passes][fuse]") {
  int most = 0;
  for (uint32_t seed = 0; seed < 400; ++seed) {
    Dice dice(seed);
    std::string text, outputs;
    int expected = 0;
    const uint32_t components = 1 + dice(3);
    for (uint32_t c = 0; c < components; ++c) {
      const Component component(dice, std::string(1, static_cast<char>('a' + c)));
      text += component.text;
      expected += component.kernels();
    }
    INFO("seed " << seed << "\n" << text);
    CHECK(count_ops(run_passes("fuse", text), "fused") == expected);
    most = std::max(most, expected);
  }
  CHECK(most >= 6);  // the graphs are not all trivial
}
