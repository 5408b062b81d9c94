// CompileOptions::check_finite: the first value that is not finite has a name, the step that makes it is undone, and is written down so
// that it can be run again.

#include <limits>

#include "weft/frontend/program/target.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/process.h"

using namespace weft;
using weft::test::TempDir;
using weft::testing::line;

namespace {

/// What a run throws.
template <class Run>
NotFinite thrown_by(Run run) {
  try {
    run();
  } catch (const NotFinite& e) {
    return e;
  }
  FAIL("nothing was thrown");
  throw;
}

/// The reproducer runs into the same value: the message says the same of it.
void check_replayed(const NotFinite& e) {
  const test::Ran ran = test::run_command(WEFT_TOOL " run '" + e.reproducer + "' --check-finite");
  INFO(ran.err);
  CHECK(ran.code == 1);
  CHECK(e.message().starts_with("element "));
  CHECK_THAT(ran.err, contains_text(e.message()) && contains_text(e.where()));
  CHECK_THAT(e.hint(), contains_text("weft run " + e.reproducer + " --check-finite"));
}

std::string pow_line;

struct Powers : nn::Module {
  Parameter exponent = add("exponent", Parameter("exponent", {2.0, 2.0}));
  Tensor forward(Tensor x) { return pow_line = line(), pow(x, exponent); }
};

struct ThreeLayers : nn::Module {
  nn::Linear first = add("first", nn::Linear(2, 2)), second = add("second", nn::Linear(2, 2));
  Powers third = add("third", Powers());
  Tensor forward(Tensor x) { return third(second(first(x))); }
};

}  // namespace

TEST_CASE("the log of a negative number in the third layer's gradient is named, and the step undone") {
  const TempDir dir;
  ThreeLayers net;
  net.first.weight.set_values(std::vector<float>{1, 0, 0, 1});
  net.second.weight.set_values(std::vector<float>{1, 0, 0, 1});
  net.first.bias.set_values(std::vector<float>{0, 0});
  net.second.bias.set_values(std::vector<float>{0, 0});
  optim::Adam adam;
  Graph g("g");
  Tensor x = g.input("x", f32, {2, 2});
  Tensor loss = g.output("loss", mean(net.forward(x)));
  Step step = compile(training_step(g, loss, net.parameters(), adam), Target::cpu(), {.check_finite = true, .reproducer = dir / "r"});
  const auto all = [&] {
    std::vector<float> values;
    for (const Parameter& p : net.parameters())
      for (const float v : p.values<float>()) values.push_back(v);
    return values;
  };
  const std::vector<float> before = all();
  const NotFinite e = thrown_by([&] { step({{"x", std::vector<float>{1, 2, 3, -4}}}); });
  INFO(e.what());
  CHECK(e.value_of == "log");
  CHECK(e.location.scope == "third");
  CHECK(e.phases == ir::Phases(ir::Phase::backward));
  CHECK_THAT(e.where(), contains_text(pow_line) && contains_text("third"));
  CHECK(e.values.nans == 1);
  CHECK(e.operands.at(0).values.smallest == -4);
  CHECK(all() == before);
  check_replayed(e);
  step({{"x", std::vector<float>{1, 2, 3, 4}}});  // as if it had not been
  CHECK(all() != before);
}

TEST_CASE("a gradient that overflows at step 57 is named in one run") {
  const TempDir dir;
  Parameter w("w", {0.0, 0.0}), age("age", {0.0});
  optim::SGD sgd({.lr = 0.0});
  Graph g("g");
  Tensor x = g.input("x", f32, {2});
  const Tensor scale = exp(age * 1.5249);
  const std::string product_line = line(1);
  Tensor loss = g.output("loss", sum(w * x * scale));
  g.update(age, age + 1.0);
  Step step = compile(training_step(g, loss, {w}, sgd), Target::cpu(), {.check_finite = true, .reproducer = dir / "r"});
  int steps = 0;
  const NotFinite e = thrown_by([&] {
    for (; steps < 100; ++steps) step({{"x", std::vector<float>{8, 1}}});
  });
  INFO(e.what());
  CHECK(steps == 57);
  CHECK(e.value_of == "mul");
  CHECK(e.phases == ir::Phases(ir::Phase::backward));
  CHECK_THAT(e.where(), contains_text(product_line));
  CHECK(e.values.infinities == 1);
  CHECK_THAT(e.message(), contains_text("element [0] is inf"));
  CHECK(age.values<float>()[0] == 57);
  CHECK(w.values<float>() == std::vector<float>{0, 0});
  check_replayed(e);
}

TEST_CASE("a nan in one batch of the data is named by a Trainer, with who reads it") {
  const TempDir dir;
  Dataset data = testing::points(40);
  data.inputs.set(2 * 21 + 1, std::numeric_limits<double>::quiet_NaN());
  for (const int64_t accumulate : {1, 2}) {
    nn::Sequential net(nn::Linear(2, 4), nn::ReLU(), nn::Linear(4, 2));
    optim::SGD sgd({.lr = 0.1});
    Trainer trainer(net, cross_entropy, sgd);
    const NotFinite e = thrown_by([&] {
      trainer.fit(
          data,
          {.epochs = 1, .batch = 8, .accumulate = accumulate, .log = "none", .program = {.check_finite = true, .reproducer = dir / "r"}});
    });
    INFO(e.what());
    CHECK(e.value_of == "input");
    CHECK(e.location.scope == "0");
    CHECK(e.phases == ir::Phases(ir::Phase::forward));
    CHECK_THAT(e.message(), contains_text("element [5,1] of the input 'x' (batch) is nan; the first to read it is "));
    CHECK_THAT(e.hint(), contains_text("this is step 3 (epoch 1, batch 3)"));
    check_replayed(e);
  }
}

TEST_CASE("a value of one pass of a loop is named with the pass") {
  const TempDir dir;
  Parameter w("w", {1.0});
  Graph g("g");
  Tensor xs = g.input("xs", f32, {6, 2});
  std::string at;
  auto [last, all] = scan(zeros({2}), xs, [&](Tensor h, Tensor x) { return at = line(), h * 0.5 + log(x + w); });
  g.output("all", all);
  g.output("last", last);
  Step step = compile(g, Target::cpu(), {.check_finite = true, .reproducer = dir / "r"});
  std::vector<float> values(12, 1);
  step({{"xs", values}});
  values[9] = -3;
  const NotFinite e = thrown_by([&] { step({{"xs", values}}); });
  INFO(e.what());
  CHECK(e.value_of == "log");
  CHECK_THAT(e.where(), contains_text(at));
  CHECK_THAT(e.message(), contains_text("element [1] is nan: the result of log, in the forward part, in pass 4 of its loop"));
  check_replayed(e);
}

TEST_CASE("an infinity that was put in may spread, but not into what a step updates") {
  constexpr float inf = std::numeric_limits<float>::infinity();
  const TempDir dir;
  Parameter w("w", {1.0, 2.0});
  Graph g("g");
  Tensor x = g.input("x", f32, {2}), mask = g.input("mask", boolean, {2});
  g.output("softmax", softmax(select(mask, x, -inf), 0));
  g.update(w, w + x);
  Step step = compile(g, Target::cpu(), {.check_finite = true, .reproducer = dir / "r"});
  Array m(boolean, {2});
  m.set(0, 1);
  CHECK(step({{"x", std::vector<float>{1, 2}}, {"mask", m}})["softmax"].values<float>() == std::vector<float>{1, 0});
  const NotFinite e = thrown_by([&] { step({{"x", std::vector<float>{1, inf}}, {"mask", m}}); });
  CHECK_THAT(e.message(), contains_text("element [1] of the new value of 'w' is inf"));
  CHECK(w.values<float>() == std::vector<float>{2, 4});
}

TEST_CASE("infinities inside of a kernel that do not come out are nobody's fault, and the op whose value comes out is named") {
  const TempDir dir;
  Graph g("g");
  Tensor x = g.input("x", f32, {3});
  const Tensor hidden = 1.0 / (1.0 + exp(x * 100.0));  // 1 / inf is 0
  const std::string at = line(1);
  g.output("y", log(hidden - 0.25) * 2.0);
  Step step = compile(g, Target::cpu(), {.check_finite = true, .reproducer = dir / "r"});
  CHECK_NOTHROW(step({{"x", std::vector<float>{-9, -8, 0}}}));
  const NotFinite e = thrown_by([&] { step({{"x", std::vector<float>{-9, 9, 0}}}); });
  INFO(e.what());
  CHECK(e.value_of == "log");
  CHECK_THAT(e.where(), contains_text(at));
  CHECK(e.operands.at(0).values.smallest == -0.25);
}

TEST_CASE("what the reference interprets is checked op by op") {
  const TempDir dir;
  Graph g("g");
  Tensor x = g.input("x", f32, {2});
  g.output("y", exp(log(x)) + 1.0);
  Step step = compile(g, Target::reference(), {.check_finite = true, .reproducer = dir / "r"});
  const NotFinite e = thrown_by([&] { step({{"x", std::vector<float>{1, -1}}}); });
  CHECK(e.value_of == "log");
  check_replayed(e);
}

TEST_CASE("an infinity that becomes a nan is what is named, and an update is read as it was before it was overwritten") {
  const TempDir dir;
  Parameter w("w", {4.0, -1.0});
  Graph g("g");
  Tensor x = g.input("x", f32, {2});
  g.output("y", (exp(x) - exp(x * 2.0)) * 3.0);
  g.update(w, log(w));
  Step step = compile(g, Target::cpu(), {.check_finite = true, .reproducer = dir / "r"});
  const NotFinite update = thrown_by([&] { step({{"x", std::vector<float>{1, 2}}}); });
  INFO(update.what());
  CHECK(update.value_of == "log");
  CHECK_THAT(update.message(), contains_text("'w' f32[2] (from -1 to 4)"));
  CHECK(w.values<float>() == std::vector<float>{4, -1});
  w.set_values(std::vector<float>{4, 1});
  const NotFinite made = thrown_by([&] { step({{"x", std::vector<float>{1, 200}}}); });
  CHECK(made.value_of == "exp");
  CHECK(made.operands.at(0).values.largest >= 200);
  CHECK(w.values<float>() == std::vector<float>{4, 1});
}
