// check_finite on a device that does not show its calls, as GPUs do not.

#include "weft/tests/frontend/support.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;

namespace {

/// A program of the CPU's, of which only inputs and outputs are seen.
class HiddenProgram final : public Program {
 public:
  explicit HiddenProgram(std::unique_ptr<Program> program) : program_(std::move(program)) {
    inputs_ = program_->inputs(), outputs_ = program_->outputs();
  }
  using Program::run;
  void run(std::span<const Binding> inputs) override { program_->run(inputs); }
  const std::byte* output(int i) const override { return program_->output(i); }

 private:
  std::unique_ptr<Program> program_;
};

class HiddenBackend final : public Backend {
 public:
  std::string_view name() const override { return "cpu"; }
  const passes::Target& target() const override { return cpu_.backend().target(); }
  std::string_view pipeline() const override { return cpu_.backend().pipeline(); }
  std::unique_ptr<Program> build(const ir::Module& module, std::vector<KernelText>* kernels) const override {
    return std::make_unique<HiddenProgram>(cpu_.backend().build(module, kernels));
  }

 private:
  Target cpu_ = Target::cpu();
};

}  // namespace

TEST_CASE("a device that does not show its calls is checked by its results, and the CPU says which op it was") {
  const test::TempDir dir;
  const Target hidden(std::make_shared<HiddenBackend>());
  Parameter w("w", {1.0, 1.0});
  Graph g("net");
  Tensor x = g.input("x", f32, {2});
  g.output("y", exp(log(x)) * 2.0);
  g.update(w, w + x);
  Step step = compile(g, hidden, {.check_finite = true, .reproducer = dir / "r"});
  step({{"x", std::vector<float>{1, 2}}});
  CHECK(w.values<float>() == std::vector<float>{2, 3});
  try {
    step({{"x", std::vector<float>{1, -2}}});
    FAIL("nothing was thrown");
  } catch (const NotFinite& e) {
    CHECK(e.value_of == "log");
    CHECK(e.op() == "step 'net', of which the CPU computes the same");
    CHECK(e.reproducer == dir / "r");
  }
  CHECK(w.values<float>() == std::vector<float>{2, 3});
}
