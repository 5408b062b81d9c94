// Calling a compiled step: what it accepts, what it refuses, what it shows.

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "weft/frontend/program/index_bounds.h"
#include "weft/frontend/program/step_core.h"
#include "weft/ir/parser.h"
#include "weft/tests/frontend/allocations.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
using weft::testing::line;

namespace {

/// x [2, 3] and y [2] (classes 0 .. 2) in, their loss out.
struct Classifier {
  std::string line_of_x, line_of_y;
  Step step = make();

  Step make() {
    Graph g("classify");
    Tensor x = g.input("x", f32, {2, 3});
    line_of_x = line(-1);
    Tensor y = g.input("y", i64, {2});
    line_of_y = line(-1);
    g.output("loss", cross_entropy(x, y));
    return compile(g, Target::reference());
  }
};

/// A program that computes nothing, so that what is left is the call.
struct Idle : Program {
  explicit Idle(const ir::Graph& graph) {
    for (const ir::Input& i : graph.inputs()) inputs_.push_back({i.node->name, i.node->type.dtype, i.node->type.shape});
    for (const ir::Output& o : graph.outputs()) outputs_.push_back({o.name, o.value.dtype(), o.value.shape()});
  }
  using Program::run;
  void run(std::span<const Binding>) override {}
  const std::byte* output(int) const override { return zeros.data(); }
  Array zeros{f32, Shape{64}};
};

const std::vector<float> x6{1, 2, 3, 4, 5, 6};
const std::vector<int64_t> y2{0, 2};

}  // namespace

TEST_CASE("inputs are anything contiguous, in any order") {
  Classifier p;
  const double expected = p.step({{"x", x6}, {"y", y2}})["loss"].item();
  CHECK(p.step({{"y", y2}, {"x", x6}})["loss"].item() == expected);
  CHECK(p.step({{"x", std::span(x6)}, {"y", {y2.data(), 2}}})["loss"].item() == expected);
  const Array x = Array::of(Shape{2, 3}, x6);
  const int64_t y[] = {0, 2};
  CHECK(p.step({{"x", x}, {"y", y}})["loss"].item() == expected);
  const std::vector<Feed> feeds{{"x", View(x6.data(), 6, f32)}, {"y", y2}};
  CHECK(p.step.run(feeds)["loss"].item() == expected);
}

TEST_CASE("what lies where it was fed before is looked at again, and what is said of it too") {
  for (const Target& target : {Target::reference(), Target::cpu()}) {
    Graph g("again");
    Tensor x = g.input("x", f32, {2, 3}), y = g.input("y", i64, {2}), z = g.input("z", i64, {2});
    g.output("loss", cross_entropy(x, y)), g.output("z", z + y);
    Step step = compile(g, target);
    std::vector<float> values = x6;
    std::vector<int64_t> a{0, 2}, b{1, 1};
    const auto sum = [&](const std::vector<int64_t>& first, const std::vector<int64_t>& second) {
      return step({{"x", values}, {"y", first}, {"z", second}})["z"].values<int64_t>();
    };
    const double before = step({{"x", values}, {"y", a}, {"z", b}})["loss"].item();
    CHECK(sum(a, b) == std::vector<int64_t>{1, 3});
    values[0] = 50, b[0] = 7;
    CHECK(sum(a, b) == std::vector<int64_t>{7, 3});
    CHECK(step({{"x", values}, {"y", a}, {"z", b}})["loss"].item() != before);
    // The same places under other names, as another type, shape or number, and one that is given twice.
    b[0] = 1;
    const double of_a = step({{"x", values}, {"y", a}, {"z", b}})["loss"].item();
    CHECK(step({{"x", values}, {"z", a}, {"y", b}})["loss"].item() != of_a);
    CHECK_THROWS_WITH(step({{"x", values}, {"y", a}, {"y", b}}), contains_text("is given twice"));
    CHECK_THROWS_WITH(step({{"x", values}, {"y", a}, {"w", b}}), contains_text("has no input 'w'"));
    CHECK_THROWS_WITH(step({{"x", values}, {"y", a}}), contains_text("nothing is given"));
    CHECK_THROWS_WITH(step({{"x", View(values.data(), 5)}, {"y", a}, {"z", b}}), contains_text("takes 6 elements, given 5"));
    CHECK_THROWS_WITH(step({{"x", View(values.data(), 6, i32)}, {"y", a}, {"z", b}}), contains_text("takes f32 elements, given i32"));
    CHECK(sum(a, b) == std::vector<int64_t>{1, 3});
    a[1] = 3;
    CHECK_THROWS_WITH(sum(a, b), contains_text("holds indices below 3, but element 1 is 3"));
    a[1] = 2;
    CHECK(sum(a, b) == std::vector<int64_t>{1, 3});
  }
}

TEST_CASE("a wrong input is named, with what it takes, what was given and its line") {
  Classifier p;
  const std::string x = "input 'x' (f32[2,3], " + p.line_of_x + ")", y = "input 'y' (i64[2], " + p.line_of_y + ")";
  CHECK_THROWS_WITH(p.step({{"x", x6}}), contains_text("step 'classify': nothing is given for the " + y));
  CHECK_THROWS_WITH(p.step({{"x", x6}, {"z", y2}}), contains_text("has no input 'z' (its inputs: x, y); did you mean 'x', 'y'?"));
  CHECK_THROWS_WITH(p.step({{"x", x6}, {"x", x6}}), contains_text(x + " is given twice"));
  CHECK_THROWS_WITH(p.step({{"x", std::vector<float>(9)}, {"y", y2}}), contains_text(x + " takes 6 elements, given 9"));
  CHECK_THROWS_WITH(p.step({{"x", Array(f32, {3, 2})}, {"y", y2}}), contains_text(x + " is given an array of shape [3,2]"));
  CHECK_THROWS_WITH(p.step({{"x", std::vector<double>(6)}, {"y", y2}}), contains_text(x + " takes f32 elements, given f64"));
  CHECK_THROWS_WITH(p.step({{"x", x6}, {"y", std::vector<int>{0, 1}}}), contains_text(y + " takes i64 elements, given i32"));
}

TEST_CASE("a null pointer is refused, and nothing at all for an input without elements is fine") {
  Graph g("null");
  Tensor x = g.input("x", f32, {3});
  g.output("y", x + 1);
  Step step = compile(g, Target::cpu());
  CHECK_THROWS_WITH(step({{"x", View(static_cast<const float*>(nullptr), 3)}}),
                    contains_text("step 'null': input 'x'") && contains_text("is given a null pointer"));
  Graph none("none");
  none.output("y", sum(none.input("x", f32, {0})));
  Step empty = compile(none, Target::cpu());
  CHECK(empty({{"x", std::vector<float>()}})["y"].item() == 0);
}

TEST_CASE("a step takes a batcher's batches as they are") {
  const Dataset data = weft::testing::points(10);
  Batcher batcher(data, {.batch = 4});
  Graph g("batches");
  Tensor x = g.input("x", f32, {4, 2}), y = g.input("y", i64, {4});
  g.output("x", x * 2), g.output("y", y + 1);
  Step step = compile(g, Target::cpu());
  batcher.start_epoch(0);
  const Batch* batch = batcher.next();
  const Results r = step({{"x", batch->inputs}, {"y", batch->targets}});
  CHECK(r["x"].values<float>()[7] == 2 * data.inputs.values<float>()[7]);
  CHECK(r["y"].values<int64_t>()[3] == data.targets.values<int64_t>()[3] + 1);
  CHECK_THROWS_WITH(batch->inputs.values<double>(), "a view of f32 elements is read as f64");
}

TEST_CASE("every index is checked against the bound of the op that reads it") {
  Classifier p;
  const std::string y = "input 'y' (i64[2], " + p.line_of_y + ")";
  CHECK_THROWS_WITH(p.step({{"x", x6}, {"y", std::vector<int64_t>{0, 3}}}),
                    contains_text(y + " holds indices below 3, but element 1 is 3"));
  CHECK_THROWS_WITH(p.step({{"x", x6}, {"y", std::vector<int64_t>{-1, 3}}}),
                    contains_text("but element 0 is -1") && !contains_text("ignore_index"));
  CHECK_THROWS_WITH(p.step({{"x", x6}, {"y", std::vector<int64_t>{-100, 3}}}), contains_text("{.ignore_index = ignored_label}"));

  Graph g("tokens");
  Tensor tokens = g.input("tokens", i64, {2, 2});
  g.output("rows", gather(zeros({5, 3}), reshape(tokens, {4})));
  g.output("ones", one_hot(tokens, 4));
  Step step = compile(g, Target::reference());
  CHECK_THROWS_WITH(step({{"tokens", std::vector<int64_t>{0, 1, 4, 2}}}), contains_text("holds indices below 4, but element 2 is 4"));
}

TEST_CASE("indices of a narrow type are checked where they are fed") {
  Graph g("narrow");
  const Tensor y = g.input("y", i32, {2}), token = g.input("token", u8, {2}), moved = g.input("moved", i16, {2});
  g.output("loss", cross_entropy(zeros({2, 3}), y, {.ignore_index = ignored_label}));
  g.output("rows", gather(zeros({300, 2}), token));
  g.output("ones", one_hot(cast(moved, i64) - 1, 4));
  // No more than the type holds.
  CHECK(detail::index_bounds(ir::parse(g.ir()).graph()).at("token") == IndexBound{0, 256});
  Step step = compile(g, Target::reference());
  using Tokens = std::vector<uint8_t>;
  const auto run = [&](std::vector<int32_t> classes, std::vector<int16_t> numbers) {
    step({{"y", classes}, {"token", Tokens{0, 255}}, {"moved", numbers}});
  };
  CHECK_NOTHROW(run({2, -100}, {1, 4}));
  CHECK_THROWS_WITH(run({0, 3}, {1, 4}),
                    contains_text("input 'y' (i32[2], ") && contains_text("holds indices below 3 (or -100), but element 1 is 3"));
  CHECK_THROWS_WITH(run({0, 1}, {0, 1}),
                    contains_text("input 'moved' (i16[2], ") && contains_text("holds indices from 1 to below 5, but element 0 is 0"));
}

TEST_CASE("results are read by name and exact type") {
  Graph g("results");
  Tensor x = g.input("x", f32, {2, 3});
  g.output("doubled", x * 2);
  g.output("total", sum(x));
  g.output("count", sum(cast(x > 2, i64)));
  Step step = compile(g, Target::reference());
  const Results r = step({{"x", x6}});
  CHECK(r["doubled"].values<float>() == std::vector<float>{2, 4, 6, 8, 10, 12});
  CHECK(r["doubled"].array().shape() == Shape{2, 3});
  CHECK(r["doubled"].view<float>()[5] == 12);
  CHECK(r["total"].item() == 21);
  CHECK(r["count"].item<int64_t>() == 4);
  CHECK_THROWS_WITH(r["totals"], contains_text("step 'results' has no output 'totals'; did you mean 'total'?"));
  CHECK_THROWS_WITH(r["doubled"].item(), contains_text("output 'doubled' is f32[2,3]: item() needs exactly one element"));
  CHECK_THROWS_WITH(r["total"].item<double>(), contains_text("output 'total' holds f32 values, but f64 was asked for"));
}

TEST_CASE("results are gone after the next call, not after a refused one") {
  Classifier p;
  const Results first = p.step({{"x", x6}, {"y", y2}});
  const Result loss = first["loss"];
  CHECK_THROWS(p.step({{"x", x6}}));
  CHECK(loss.item() > 0);
  const Results second = p.step({{"x", x6}, {"y", y2}});
  CHECK_THROWS_WITH(first["loss"],
                    contains_text("these results of step 'classify' are gone: the step has run again since (call 1, now 2)"));
  CHECK_THROWS_WITH(loss.item(), contains_text("are gone"));
  CHECK(second["loss"].item() > 0);
}

TEST_CASE("results outlive a step that is moved or dropped") {
  std::optional<Classifier> p(std::in_place);
  const Results r = p->step({{"x", x6}, {"y", y2}});
  Step moved = std::move(p->step);
  p.reset();
  CHECK(r["loss"].item() > 0);
}

TEST_CASE("one step in two threads is refused; two programs in two threads are fine") {
  Graph g("busy");
  Tensor x = g.input("x", f32, {120, 120});
  g.output("y", matmul(matmul(x, x), x));
  const auto make = [&] { return compile(g, Target::reference()); };
  Step step = make(), other = make();
  const std::vector<float> data(120 * 120, 0.5f);
  // Both call until one meets the other's call.
  std::atomic<bool> refused = false;
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  const auto call = [&] {
    while (!refused && std::chrono::steady_clock::now() < give_up) {
      try {
        step({{"x", data}});
      } catch (const Error& e) {
        refused = std::string(e.what()).find("step 'busy' is running in another thread") != std::string::npos;
      }
    }
  };
  { std::jthread a(call), b(call); }
  CHECK(refused);
  std::thread a([&] { step({{"x", data}}); }), b([&] { other({{"x", data}}); });
  a.join();
  b.join();
}

TEST_CASE("a call allocates nothing") {
  Graph g("small");
  Parameter w("w", {1.0});
  nn::Dropout drop(0.5);
  Tensor x = drop(g.input("x", f32, {2, 3}) * w);
  Tensor y = g.input("y", i64, {2});
  optim::SGD sgd;
  Recorded recorded = training_step(g, cross_entropy(x, y), {w}, sgd);
  ir::Module module = recorded.module.clone();
  passes::run(module, passes::pipeline("step"), passes::generic_target());
  auto program = std::make_unique<Idle>(module.graph());
  Step step(std::make_shared<detail::StepCore>(std::move(recorded), std::move(module), std::move(program), Target::reference(), 0));
  step({{"x", x6}, {"y", y2}});
  const int64_t before = testing::allocations_so_far();
  double loss = 0;
  for (int i = 0; i < 10; ++i) loss += step({{"x", x6}, {"y", y2}})["loss"].item();
  CHECK(testing::allocations_so_far() == before);
  CHECK(loss == 0);
}

TEST_CASE("the graph after every pass, and how long each took") {
  Parameter w("w", {1.0});
  Graph g("shown");
  optim::SGD sgd;
  Step step = compile(training_step(g, sum(w * 2), {w}, sgd), Target::reference());
  CHECK_THAT(step.ir("recorded"), contains_text("train {loss = \"loss\", inputs = [\"w\"], optimizer = \"sgd\""));
  CHECK_THAT(step.ir("autodiff"), contains_text("output w.grad"));
  CHECK_THAT(step.ir("training_step"), contains_text("output w = ") && contains_text("aliases %w"));
  CHECK_NOTHROW(ir::parse(step.ir("training_step")));
  CHECK_THROWS_WITH(step.ir("autodif"), contains_text("no pass 'autodif' ran for the target 'reference' (there are: recorded, autocast, "
                                                      "autodiff, training_step); did you mean 'autodiff'?"));
  REQUIRE(step.passes().size() == 3);
  CHECK(step.passes()[1].name == "autodiff");
  CHECK(step.compile_milliseconds() > 0);
  CHECK(step.name() == "shown");
  CHECK(step.arena_bytes() == 0);
  CHECK(step.calls().empty());
  CHECK(step.kernels().empty());
}

TEST_CASE("compilation is written down where it is asked for") {
  const test::TempDir folder;
  Parameter w("w", {1.0});
  Graph g("dumped");
  optim::SGD sgd;
  const Recorded recorded = training_step(g, sum(w * 2), {w}, sgd);
  const auto files = [&](const char* program) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder / program)) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  };
  Step step = compile(recorded, Target::reference(), {.dump_ir = folder.path()});
  CHECK(files("dumped") == std::vector<std::string>{"00-recorded.weft", "01-autocast.weft", "02-autodiff.weft", "03-training_step.weft"});
  CHECK(test::read_file(folder / "dumped/02-autodiff.weft") == step.ir("autodiff"));
  CHECK(test::read_file(folder / "dumped/00-recorded.weft") == recorded.ir());

  setenv("WEFT_DUMP_IR", folder.path().c_str(), 1);
  compile(recorded, Target::reference());
  setenv("WEFT_DUMP_IR", "", 1);
  compile(recorded, Target::reference());
  unsetenv("WEFT_DUMP_IR");
  CHECK(files("dumped.1").size() == 4);
  CHECK_FALSE(std::filesystem::exists(folder / "dumped.2"));

  const std::string file = folder.write("file", "");
  CHECK_THROWS_WITH(compile(recorded, Target::reference(), {.dump_ir = file}), contains_text("cannot make the folder '" + file));
}

TEST_CASE("targets") {
  CHECK(Target::from_name("cpu").name() == "cpu");
  CHECK(Target::from_name("reference").name() == "reference");
  CHECK_THROWS_WITH(Target::from_name("tpu"),
                    contains_text("there is no target 'tpu'") && contains_text("(there are cpu, cuda, reference)"));
  CHECK_THROWS_WITH(Target::cpu({.threads = -1}), contains_text(".threads must not be negative"));
}

TEST_CASE("WEFT_THREADS is a positive number of threads") {
  Graph g("threads");
  g.output("y", g.input("x", f32, {2}) * 2);
  for (const char* bad : {"0", "-1", "two", "2x", " 2"}) {
    setenv("WEFT_THREADS", bad, 1);
    CHECK_THROWS_WITH(compile(g, Target::cpu()),
                      contains_text("WEFT_THREADS must be a positive number of threads, not '" + std::string(bad) + "'"));
  }
  unsetenv("WEFT_THREADS");
}
