// Row-sparse gradients: SparseAdam on a table against PyTorch's (tests/expected/sparse.py), what it refuses, and what a step touches.

#include "weft/tests/catch.h"
#include "weft/tests/frontend/stored_numbers.h"
#include "weft/tests/frontend/stored_optimizer.h"
#include "weft/tests/frontend/support.h"

using namespace weft;
using testing::json;

namespace {

constexpr int64_t rows = 12, pairs = 5;

struct Net : nn::Module {
  nn::Embedding table;
  nn::Linear dense = add("dense", nn::Linear(3, 1));
  explicit Net(std::optional<int64_t> padding_idx)
      : table(add("table", nn::Embedding(rows, 3, {.padding_idx = padding_idx, .sparse = true}))) {}
};

std::optional<int64_t> padding_of(const json& c) {
  return c["padding_idx"].is_null() ? std::nullopt : std::optional(c["padding_idx"].get<int64_t>());
}

void check_case(const json& c, const Target& target, DType dtype, double tolerance) {
  const testing::DefaultDType default_type(dtype);
  Net net(padding_of(c));
  for (const auto& [name, p] : net.named_parameters()) testing::set_numbers(p, c["parameters"][name]);
  optim::Optimizer sparse = testing::optimizer_of({{"optimizer", "SparseAdam"}, {"options", c["options"]}});
  sparse.add_group("dense", net.dense.parameters(), optim::Adam({.lr = 0.02}));
  Graph g(c["name"]);
  const Tensor first = g.input("first", i64, {pairs}), second = g.input("second", i64, {pairs}), t = g.input("t", dtype, {pairs});
  const Tensor e = net.table(first), f = net.table(second);
  const Tensor loss = g.output("loss", mean(square(sum(e * f, 1) - t)) + mean(square(reshape(net.dense(e), {pairs}) - t)));
  Step step = compile(training_step(g, loss, net.parameters(), sparse), target);
  std::vector<double> losses;
  for (const json& batch : c["batches"]) {
    Array wanted(dtype, {pairs});
    for (int64_t i = 0; i < pairs; ++i) wanted.set(i, batch[2][static_cast<size_t>(i)]);
    const auto a = batch[0].get<std::vector<int64_t>>(), b = batch[1].get<std::vector<int64_t>>();
    losses.push_back(step({{"first", a}, {"second", b}, {"t", wanted}})["loss"].item());
  }
  testing::check_losses(losses, c["losses"], losses.size(), tolerance, tolerance);
  for (const auto& [name, p] : net.named_parameters()) {
    INFO(name);
    testing::check_close(p.array(), c["after"][name], tolerance);
  }
  testing::check_close(sparse.state("table.weight", "exp_avg"), c["exp_avg"], tolerance);
}

void check_all(const Target& target, DType dtype, double tolerance) {
  const json expected = testing::read_expected("sparse");
  for (const json& c : expected["cases"]) {
    INFO(c["name"].get<std::string>());
    check_case(c, target, dtype, tolerance);
  }
}

/// A step that trains `table`, whose rows at `i` are the loss.
template <class Loss>
Step trained(const nn::Embedding& table, const optim::Optimizer& by, Loss loss_of) {
  Graph g("table");
  const Tensor i = g.input("i", i64, {4});
  const Tensor loss = g.output("loss", loss_of(i));
  return compile(training_step(g, loss, {table.weight}, by), Target::cpu());
}

}  // namespace

TEST_CASE("SparseAdam's steps are PyTorch's, by the reference in f64") { check_all(Target::reference(), f64, 1e-10); }
TEST_CASE("SparseAdam's steps are PyTorch's, by kernels in f64") { check_all(Target::cpu(), f64, 1e-10); }
TEST_CASE("SparseAdam's steps are PyTorch's, by kernels in f32") { check_all(Target::cpu(), f32, 1e-4); }

TEST_CASE("SparseAdam refuses dense gradients and names what makes them so") {
  nn::Embedding dense(8, 3), sparse(8, 3, {.sparse = true});
  const optim::SparseAdam by({.lr = 0.1});
  const auto squares = [](const Tensor& e) { return sum(square(e)); };
  SECTION("a lookup that is not sparse") {
    CHECK_THROWS_WITH(trained(dense, by, [&](const Tensor& i) { return squares(dense(i)); }),
                      contains_text("sparse_adam updates rows, and needs a row-sparse gradient of 'weight'; scatter_add at ") &&
                          contains_text("sparse_test.cpp") && contains_text("`.sparse = true`"));
  }
  SECTION("a table that is read as a whole, too") {
    CHECK_THROWS_WITH(trained(sparse, by, [&](const Tensor& i) { return squares(sparse(i)) + sum(square(sparse.weight)); }),
                      contains_text("needs a row-sparse gradient of 'weight'"));
  }
  SECTION("clipping by value") {
    optim::SparseAdam clipped;
    clipped.clip_value = 1;
    CHECK_THROWS_WITH(trained(sparse, clipped, [&](const Tensor& i) { return squares(sparse(i)); }),
                      contains_text("needs a row-sparse gradient of 'weight'; minimum at"));
  }
}

TEST_CASE("SparseAdam's gradients are clipped by their norm, equal rows summed first") {
  const testing::DefaultDType default_type(f64);
  std::vector<std::vector<double>> after;
  for (const double limit : {0.0, 1.0}) {
    nn::Embedding table(8, 1, {.sparse = true});
    for (int64_t i = 0; i < 8; ++i) table.weight.array().set(i, 0);
    optim::SparseAdam by({.lr = 0.1, .eps = 1});  // a large eps, so that the size of a gradient counts
    by.clip_norm = limit;
    Step step = trained(table, by, [&](const Tensor& i) { return sum(table(i)) * 1.0; });
    step({{"i", std::vector<int64_t>{1, 1, 1, 2}}});
    after.push_back(table.weight.values<double>());
  }
  // Gradients 3 and 1, clipped by sqrt(10): at the first step p = -lr g sqrt(0.001) / (|g| sqrt(0.001) + 1).
  const auto moved = [](double g) { return -0.1 * g * std::sqrt(0.001) / (g * std::sqrt(0.001) + 1); };
  for (int clipped : {0, 1}) {
    const double factor = clipped ? 1 / (std::sqrt(10.0) + 1e-6) : 1;
    CHECK(after[static_cast<size_t>(clipped)][1] == Approx(moved(3 * factor)).epsilon(1e-9));
    CHECK(after[static_cast<size_t>(clipped)][2] == Approx(moved(1 * factor)).epsilon(1e-9));
    CHECK(after[static_cast<size_t>(clipped)][3] == 0);
  }
}

TEST_CASE("a step of SparseAdam touches the rows that it reads, in place") {
  nn::Embedding table(100000, 8, {.sparse = true});
  const optim::SparseAdam by;
  Step step = trained(table, by, [&](const Tensor& i) { return sum(square(table(i))); });
  CHECK(step.arena_bytes() < 10000);  // the table has 3.2 MB
  const std::vector<float> before = table.weight.values<float>();
  step({{"i", std::vector<int64_t>{5, 99999, 5, 7}}});
  const std::vector<float> after = table.weight.values<float>();
  for (size_t i = 0; i < before.size(); ++i) {
    const size_t row = i / 8;
    const bool read = row == 5 || row == 7 || row == 99999;
    CAPTURE(i);
    if ((before[i] != after[i]) != read) FAIL();
  }
}

TEST_CASE("other optimizers make a row-sparse gradient dense") {
  std::vector<std::vector<double>> after;
  const testing::DefaultDType default_type(f64);
  for (const bool sparse : {false, true}) {
    manual_seed(3);
    nn::Embedding table(6, 2, {.sparse = sparse});
    Step step = trained(table, optim::Adam({.lr = 0.1}), [&](const Tensor& i) { return sum(square(table(i))); });
    for (int k = 0; k < 3; ++k) step({{"i", std::vector<int64_t>{0, k, k, 5}}});
    after.push_back(table.weight.values<double>());
  }
  CHECK(after[0] == after[1]);
}
