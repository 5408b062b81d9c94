// The face in C: what it computes, and what it says when something is wrong.

#include <cmath>
#include <cstring>
#include <map>

#include "weft/tests/catch.h"
#include "weft/tests/runtime/temp_files.h"
#include "weft/weft.h"
#include "weft/weft_step.h"

using namespace weft;
using test::TempDir;

namespace {

/// y = w x + b, trained by Adam on three points.
struct Line {
  Line() : adam({.lr = 0.1}) {
    Graph g("line");
    const Tensor x = g.input("x", f32, {3}), y = g.input("y", f32, {3});
    const Tensor loss = g.output("loss", mean(pow(w * x + b - y, 2)));
    g.output("residual", w * x + b - y);
    step.emplace(compile(training_step(g, loss, {w, b}, adam), Target::cpu()));
    step->save(dir / "line.weftprog");
    Checkpoint({{"w", w}, {"b", b}}).save(dir / "start.safetensors");
  }

  TempDir dir;
  Parameter w{"w", {1.0f}}, b{"b", {0.0f}};
  optim::Adam adam;
  std::optional<Step> step;
  std::vector<float> x{1, 2, 3}, y{3, 5, 7};
};

struct Closed {
  void operator()(weft_step* step) const { weft_step_close(step); }
};
using Opened = std::unique_ptr<weft_step, Closed>;

std::string error() { return weft_last_error(); }

}  // namespace

TEST_CASE("weft_step.h: trains what was compiled, to the bit, and goes on from its checkpoint") {
  Line line;
  const Opened step(weft_step_open((line.dir / "line.weftprog").c_str(), 1));
  REQUIRE(step);
  CHECK(std::string(weft_step_name(step.get())) == "line");
  REQUIRE(weft_step_inputs(step.get()) == 2);
  CHECK(std::string(weft_step_input_name(step.get(), 1)) == "y");
  CHECK(weft_step_input_dtype(step.get(), 1) == WEFT_F32);
  CHECK(weft_step_input_rank(step.get(), 1) == 1);
  CHECK(weft_step_input_shape(step.get(), 1)[0] == 3);
  REQUIRE(weft_step_load(step.get(), (line.dir / "start.safetensors").c_str()) == 0);
  REQUIRE(weft_step_feed(step.get(), "x", WEFT_F32, line.x.data(), 3) == 0);
  REQUIRE(weft_step_feed(step.get(), "y", WEFT_F32, line.y.data(), 3) == 0);
  const auto run = [&](weft_step* s) {
    const double want = (*line.step)({{"x", line.x}, {"y", line.y}})["loss"].item();
    REQUIRE(weft_step_run(s) == 0);
    double loss = 0;
    REQUIRE(weft_step_item(s, "loss", &loss) == 0);
    CHECK(loss == want);
  };
  for (int i = 0; i < 5; ++i) run(step.get());
  CHECK(weft_step_count(step.get()) == 5);
  double lr = 0;
  CHECK((weft_step_get(step.get(), "adam.lr", &lr) == 0 && lr == 0.1));
  line.adam.lr = 0.02;
  CHECK(weft_step_set(step.get(), "adam.lr", 0.02) == 0);
  line.x[0] = 4;  // what is fed is read where it lies
  run(step.get());

  const void* residual = nullptr;
  size_t count = 0;
  weft_dtype dtype = WEFT_U8;
  CHECK(weft_step_output(step.get(), "residual", &residual, &count, &dtype) == 0);
  CHECK((residual && count == 3 && dtype == WEFT_F32));
  void* w = nullptr;
  CHECK(weft_step_tensor(step.get(), "w", &w, &count, nullptr) == 0);
  CHECK(std::memcmp(w, line.w.array().data(), sizeof(float)) == 0);

  REQUIRE(weft_step_save(step.get(), (line.dir / "run.safetensors").c_str()) == 0);
  const Opened again(weft_step_open((line.dir / "line.weftprog").c_str(), 0));
  REQUIRE(again);
  REQUIRE(weft_step_load(again.get(), (line.dir / "run.safetensors").c_str()) == 0);
  CHECK(weft_step_count(again.get()) == 6);
  weft_step_feed(again.get(), "x", WEFT_F32, line.x.data(), 3), weft_step_feed(again.get(), "y", WEFT_F32, line.y.data(), 3);
  run(again.get());
}

TEST_CASE("weft_step.h: lists what a step has by name") {
  Line line;
  const Opened step(weft_step_open_on((line.dir / "line.weftprog").c_str(), 0, 1));
  REQUIRE(step);
  const auto all = [&](size_t (*count)(const weft_step*), const char* (*name)(const weft_step*, size_t)) {
    std::vector<std::string> names;
    for (size_t i = 0; i < count(step.get()); ++i) names.emplace_back(name(step.get(), i));
    CHECK(name(step.get(), count(step.get())) == nullptr);
    CHECK(name(nullptr, 0) == nullptr);
    CHECK(count(nullptr) == 0);
    std::sort(names.begin(), names.end());
    return names;
  };
  using Names = std::vector<std::string>;
  CHECK(all(weft_step_outputs, weft_step_output_name) ==
        Names{"adam.step", "b", "b.exp_avg", "b.exp_avg_sq", "loss", "residual", "w", "w.exp_avg", "w.exp_avg_sq"});
  CHECK(all(weft_step_tensors, weft_step_tensor_name) == Names{"b", "w", "weft.optimizer0/b/exp_avg", "weft.optimizer0/b/exp_avg_sq",
                                                               "weft.optimizer0/w/exp_avg", "weft.optimizer0/w/exp_avg_sq"});
  CHECK(all(weft_step_numbers, weft_step_number_name) == Names{"adam.beta1", "adam.beta2", "adam.eps", "adam.lr"});
  CHECK(weft_step_open_on((line.dir / "line.weftprog").c_str(), -1, 1) == nullptr);
  CHECK_THAT(error(), contains_text("weft_step_open_on: device must not be negative, not -1"));
}

TEST_CASE("weft_step.h: says what is wrong, and takes nulls") {
  Line line;
  CHECK(weft_step_open("none.weftprog", 0) == nullptr);
  CHECK_THAT(error(), contains_text("none.weftprog"));
  CHECK(weft_step_open(nullptr, 0) == nullptr);
  CHECK(error() == "path is NULL");
  CHECK(weft_step_open((line.dir / "line.weftprog").c_str(), -1) == nullptr);
  CHECK_THAT(error(), contains_text("threads must not be negative"));
  CHECK(weft_step_open((line.dir / "start.safetensors").c_str(), 0) == nullptr);
  CHECK_THAT(error(), contains_text("is no program of weft's: it holds tensors, but no program"));

  const Opened step(weft_step_open((line.dir / "line.weftprog").c_str(), 1));
  REQUIRE(step);
  CHECK(weft_step_run(step.get()) == -1);
  CHECK_THAT(error(), contains_text("step 'line' has no elements of 'w', 'b'"));
  REQUIRE(weft_step_load(step.get(), (line.dir / "start.safetensors").c_str()) == 0);
  CHECK(weft_step_feed(step.get(), "z", WEFT_F32, line.x.data(), 3) == -1);
  CHECK_THAT(error(), contains_text("step 'line' has no input 'z'"));
  CHECK(weft_step_feed(step.get(), "x", static_cast<weft_dtype>(77), line.x.data(), 3) == -1);
  CHECK(error() == "77 is no weft_dtype");
  CHECK(weft_step_feed(step.get(), "x", WEFT_F32, line.x.data(), size_t{1} << 63) == -1);
  CHECK_THAT(error(), contains_text("'x' is given 9223372036854775808 elements, which no memory has"));
  CHECK(weft_step_feed(step.get(), "x", WEFT_F32, line.x.data(), 2) == 0);
  CHECK(weft_step_feed(step.get(), "y", WEFT_F32, nullptr, 3) == 0);
  CHECK(weft_step_run(step.get()) == -1);
  CHECK_THAT(error(), contains_text("takes 3 elements, given 2"));
  weft_step_feed(step.get(), "x", WEFT_F32, line.x.data(), 3);
  CHECK(weft_step_run(step.get()) == -1);
  CHECK_THAT(error(), contains_text("is given a null pointer"));
  double value = 5;
  CHECK(weft_step_item(step.get(), "loss", &value) == -1);
  CHECK_THAT(error(), contains_text("has not run yet"));
  CHECK(weft_step_get(step.get(), nullptr, &value) == -1);
  CHECK(weft_step_set(step.get(), "adam.lr", -1) == -1);
  CHECK(weft_step_save(step.get(), "/nowhere/x") == -1);
  CHECK(weft_step_load(nullptr, "x") == -1);
  CHECK(error() == "step is NULL");
  CHECK(value == 5);
  CHECK(weft_step_input_name(step.get(), 2) == nullptr);
  CHECK(weft_step_input_shape(nullptr, 0) == nullptr);
  CHECK(weft_step_inputs(nullptr) == 0);
  CHECK(weft_step_count(nullptr) == 0);
  CHECK(weft_step_name(nullptr) == nullptr);
  weft_step_close(nullptr);
}

TEST_CASE("weft_step.h: a program that was saved takes and gives every element type") {
  const std::map<DType, weft_dtype> all{{f64, WEFT_F64}, {f32, WEFT_F32}, {f16, WEFT_F16}, {bf16, WEFT_BF16},
                                        {i64, WEFT_I64}, {i32, WEFT_I32}, {i16, WEFT_I16}, {i8, WEFT_I8},
                                        {u32, WEFT_U32}, {u16, WEFT_U16}, {u8, WEFT_U8},   {boolean, WEFT_BOOL}};
  REQUIRE(all.size() == std::size(all_dtypes));
  const TempDir dir;
  for (const auto& [dtype, in_c] : all) {
    INFO(name_of(dtype));
    Graph g("types");
    const Tensor x = g.input("x", dtype, {3});
    g.output("same", flip(x, 0));
    compile(g, Target::cpu()).save(dir / "types.weftprog");
    const Opened step(weft_step_open((dir / "types.weftprog").c_str(), 1));
    REQUIRE(step);
    CHECK(weft_step_input_dtype(step.get(), 0) == in_c);
    Array values(dtype, {3});
    for (int i = 0; i < 3; ++i) values.set(i, i % 2);
    REQUIRE(weft_step_feed(step.get(), "x", in_c, values.data(), 3) == 0);
    REQUIRE(weft_step_run(step.get()) == 0);
    const void* elements = nullptr;
    size_t count = 0;
    weft_dtype given = WEFT_F64;
    REQUIRE(weft_step_output(step.get(), "same", &elements, &count, &given) == 0);
    CHECK((count == 3 && given == in_c));
    CHECK(std::memcmp(elements, values.data(), values.bytes()) == 0);
  }
}
