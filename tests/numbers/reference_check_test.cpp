// weft run --verify=reference: each call beside the reference, on what it read.

#include "weft/frontend/program/reference_check.h"
#include "weft/ir/parser.h"
#include "weft/support/philox.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/process.h"

using namespace weft;

namespace {

/// A planned module, its program, and inputs that it may have.
struct Planned {
  explicit Planned(ir::Module recorded, std::optional<DType> autocast = {}) : module(std::move(recorded)) {
    const Target target = Target::cpu({.autocast = autocast});
    passes::run(module, passes::pipeline("compile"), target.backend().target());
    program = target.backend().build(module, nullptr);
    for (const Port& port : program->inputs()) {
      arrays.emplace_back(port.dtype, port.shape);
      for (int64_t i = 0; i < port.shape.numel(); ++i)
        arrays.back().set(i, is_floating(port.dtype) ? 0.1 + 0.8 * uniform_from_bits(random_bits(1, 0, 0, static_cast<uint64_t>(i)))
                                                     : static_cast<double>(i % 2));
    }
    for (Array& a : arrays) bindings.emplace_back(a.storage());
  }

  ir::Module module;
  std::unique_ptr<Program> program;
  std::vector<Array> arrays;
  std::vector<Binding> bindings;
};

ir::Module text(const std::string& op) {
  return ir::parse(R"(weft 1
func @f {
  input %x: f32[2,3] at "net.cpp":1
  %0 = exp(%x) : f32[2,3] at "net.cpp":2
  %1 = )" + op + R"((%0, %x) : f32[2,3] at "net.cpp":3 "fc"
  output y = %1 at "net.cpp":4
}
)",
                   "f.weft");
}

}  // namespace

TEST_CASE("a call that computes something else than its op says is named, with both values") {
  Planned wrong(text("sub")), right(text("add"));
  CHECK_NOTHROW(detail::run_verified(*wrong.program, wrong.module, wrong.bindings));
  CHECK_THROWS_WITH(detail::run_verified(*wrong.program, right.module, wrong.bindings),
                    contains_text("call 0 does not compute what the reference does: result 0, f32[2,3]: element [") &&
                        contains_text(", the reference gives ") && contains_text("net.cpp:3 (fc)") && contains_text("exp, add"));
}

TEST_CASE("an error just beyond rounding is found, rounding itself is not") {
  const auto scaled = [](const std::string& factor) {
    return ir::parse("weft 1\nfunc @f {\n  input %x: f32[64]\n  %0 = constant() {value = f32[64] " + factor +
                         "} : f32[64]\n  %1 = mul(%x, %0) : f32[64]\n  output y = %1\n}\n",
                     "f.weft");
  };
  Planned one(scaled("1.5"));
  Planned near(scaled("1.50003")), equal(scaled("1.5000001"));
  CHECK_THROWS_WITH(detail::run_verified(*one.program, near.module, one.bindings), contains_text("it is off by"));
  CHECK_NOTHROW(detail::run_verified(*one.program, equal.module, one.bindings));
}

TEST_CASE("a training step agrees with the reference call by call") {
  for (const std::optional<DType> autocast : {std::optional<DType>(), std::optional<DType>(bf16)}) {
    nn::Sequential net(nn::Conv2d(1, 3, 3), nn::BatchNorm2d(3), nn::ReLU(), nn::MaxPool2d(2), nn::Flatten(), nn::Dropout(0.3),
                       nn::Linear(27, 4), nn::GELU(), nn::Linear(4, 2));
    optim::Adam adam;
    Graph g("net");
    Tensor x = g.input("x", f32, {4, 1, 8, 8}), y = g.input("y", i64, {4});
    Tensor loss = g.output("loss", cross_entropy(net(x), y));
    const Recorded recorded = training_step(g, loss, net.parameters(), adam);
    Planned planned(recorded.module.clone(), autocast);
    CHECK(planned.program->calls().size() > 5);
    CHECK_NOTHROW(detail::run_verified(*planned.program, planned.module, planned.bindings));
  }
}

TEST_CASE("a loop agrees with the reference pass by pass, and the tool says so") {
  Parameter w("w", {0.5, 0.25});
  Graph g("net");
  Tensor xs = g.input("xs", f32, {5, 2});
  auto [last, all] = scan(zeros({2}), xs, [&](Tensor h, Tensor x) { return tanh(h * w + x); });
  optim::SGD sgd({.lr = 0.1, .momentum = 0.9});
  Tensor loss = g.output("loss", mean(all) + sum(last));
  const Recorded recorded = training_step(g, loss, {w}, sgd);
  Planned planned(recorded.module.clone());
  CHECK_NOTHROW(detail::run_verified(*planned.program, planned.module, planned.bindings));
  const test::TempDir dir;
  const std::string file = dir.write("net.weft", recorded.ir());
  write_npy(dir / "xs.npy", Array(f32, {5, 2}));
  const auto run = [&](const std::string& more) {
    return test::run_command(WEFT_TOOL " run " + file +
                             " --zeros --set sgd.lr=0.1 --set sgd.momentum=0.9 --set sgd.dampening=0 --input xs=" + (dir / "xs.npy") +
                             more);
  };
  CHECK_THAT(run(" --verify=reference --steps 3").err,
             contains_text(" calls gave in 3 steps were checked: all agree with the reference\n"));
  CHECK_THAT(run(" --verify=cpu").err, contains_text("--verify compares with 'reference', not with 'cpu'"));
  CHECK_THAT(run(" --verify=reference --check-finite").err, contains_text("one of them at a time"));
  CHECK_THAT(run(" --reproducer r").err, contains_text("--reproducer has no effect without --check-finite"));
}
