// Loops over sequences: values, gradients of any order, what a step may see and record, and what it may not.

#include "weft/ir/ops/loop.h"
#include "weft/tests/catch.h"
#include "weft/tests/close.h"
#include "weft/tests/frontend/draws.h"
#include "weft/tests/frontend/support.h"

using namespace weft;
using testing::draw;

namespace {

std::vector<float> numbers(size_t count, int64_t which) {
  std::vector<float> x(count);
  for (size_t i = 0; i < count; ++i) x[i] = static_cast<float>(2 * draw(which, static_cast<int64_t>(i)) - 1);
  return x;
}

int loops_in(const Graph& graph) {
  int count = 0;
  for (const ir::Op* op : graph.recording()->graph().ops()) count += ir::is_loop(*op);
  return count;
}

const std::vector<Target>& targets() {
  static const std::vector<Target> all{Target::reference(), Target::cpu({.threads = 1}), Target::cpu({.threads = 2, .share_all = true})};
  return all;
}

/// A recurrence of rank 1 states, by a scan or written out.
Tensor recurrence(const Tensor& h0, const Tensor& xs, const Tensor& w, bool as_scan) {
  const auto step = [&](const Tensor& h, const Tensor& x) { return tanh(matmul(reshape(h, {1, 4}), w).reshape({4}) + x * h); };
  if (as_scan) return scan(h0, xs, [&](Tensor h, Tensor x) { return step(h, x); }).second;
  std::vector<Tensor> all;
  Tensor h = h0;
  for (int64_t t = 0; t < xs.size(0); ++t) all.push_back(h = step(h, xs[t]));
  return stack(all);
}

}  // namespace

TEST_CASE("scan: a recurrence, its gradients and theirs are those of the loop written out") {
  for (const Target& target : targets()) {
    std::vector<std::vector<float>> results;
    for (const bool as_scan : {false, true}) {
      Graph g("recurrence");
      const Tensor h0 = g.input("h0", f32, {4}), xs = g.input("xs", f32, {5, 4}), w = g.input("w", f32, {4, 4});
      const Tensor all = recurrence(h0, xs, w, as_scan);
      const auto [dh, dx, dw] = gradients(sum(all * all), {h0, xs, w});
      const auto [ddw, ddx] = gradients(sum(dh * dh) + sum(dx * sin(dx)) + sum(dw * dw * dw), {w, xs});
      std::vector<float> flat;
      for (const auto& [name, t] : {std::pair{"all", all}, {"dh", dh}, {"dx", dx}, {"dw", dw}, {"ddw", ddw}, {"ddx", ddx}})
        g.output(name, t);
      Step step = compile(g, target);
      const Results r = step({{"h0", numbers(4, 1)}, {"xs", numbers(20, 2)}, {"w", numbers(16, 3)}});
      for (const char* name : {"all", "dh", "dx", "dw", "ddw", "ddx"})
        for (float v : r[name].values<float>()) flat.push_back(v);
      results.push_back(flat);
    }
    REQUIRE(results[0].size() == results[1].size());
    for (size_t i = 0; i < results[0].size(); ++i) CHECK(results[1][i] == Approx(results[0][i]).epsilon(1e-5).margin(1e-5));
  }
}

TEST_CASE("scan: several states of several types, results of any, in either direction") {
  for (const Target& target : targets())
    for (const bool reverse : {false, true}) {
      Graph g("states");
      const Tensor xs = g.input("xs", i64, {6});
      const auto [last, all] = scan({zeros({}, f32), Arg(1), zeros({2}, i64)}, {xs, arange(6)},
                                    [&](const std::vector<Tensor>& s, const std::vector<Tensor>& x) -> ScanStep {
                                      return {{s[0] + cast(x[0], f32) * 0.5, s[1] * 2, s[2] + x[0]}, {x[1], s[1], x[0] > 2, s[0]}};
                                    },
                                    {.reverse = reverse});
      for (size_t i = 0; i < 3; ++i) g.output("last" + std::to_string(i), last[i]);
      for (size_t i = 0; i < 4; ++i) g.output("all" + std::to_string(i), all[i]);
      const std::vector<int64_t> x{5, 1, 4, 0, 3, 2};
      const Results r = compile(g, target)({{"xs", x}});
      CHECK(r["last0"].item() == 7.5);
      CHECK(r["last1"].values<int64_t>() == std::vector<int64_t>{64});
      CHECK(r["last2"].values<int64_t>() == std::vector<int64_t>{15, 15});
      CHECK(r["all0"].values<int64_t>() == std::vector<int64_t>{0, 1, 2, 3, 4, 5});
      const std::vector<int64_t> powers = reverse ? std::vector<int64_t>{32, 16, 8, 4, 2, 1} : std::vector<int64_t>{1, 2, 4, 8, 16, 32};
      CHECK(r["all1"].values<int64_t>() == powers);
      const std::vector<float> before = reverse ? std::vector<float>{5, 4.5, 2.5, 2.5, 1, 0} : std::vector<float>{0, 2.5, 3, 5, 5, 6.5};
      CHECK(r["all3"].values<float>() == before);
    }
}

TEST_CASE("scan: no steps and one step; a step that ignores its state, or makes nothing new") {
  for (const Target& target : targets())
    for (const int64_t length : {0, 1, 3}) {
      Graph g("few");
      const Tensor h0 = g.input("h0", f32, {2}), xs = g.input("xs", f32, {length, 2});
      const auto [last, all] = scan(h0, xs, [&](Tensor h, Tensor x) { return std::pair{h + x, x * 3}; });
      const auto [same, copies] = scan(h0, xs, [&](Tensor h, Tensor) { return std::pair{h, h}; });
      const auto [slice_last, none] = scan(h0, xs, [&](Tensor, Tensor x) { return x; });
      g.output("last", last), g.output("all", all), g.output("same", same), g.output("copies", copies), g.output("slice", slice_last);
      const auto [dh] = gradients(sum(last) + sum(all) + sum(same) + sum(copies), {h0});
      g.output("dh", dh);
      const std::vector<float> h{1, 2};
      std::vector<float> x(static_cast<size_t>(2 * length), 1);
      const Results r = compile(g, target)({{"h0", h}, {"xs", x}});
      const auto n = static_cast<float>(length);
      CHECK(r["last"].values<float>() == std::vector<float>{1 + n, 2 + n});
      CHECK(r["all"].values<float>() == std::vector<float>(x.size(), 3));
      CHECK(r["same"].values<float>() == h);
      CHECK(r["copies"].values<float>().size() == x.size());
      CHECK(r["slice"].values<float>() == (length == 0 ? h : std::vector<float>{1, 1}));
      CHECK(r["dh"].values<float>() == std::vector<float>{2 + n, 2 + n});
    }
}

TEST_CASE("scan: a scan in a step of a scan, and its gradient") {
  for (const Target& target : targets()) {
    Graph g("nested");
    const Tensor x = g.input("x", f64, {3, 4}), a = g.input("a", f64, {});
    // Each row's running sum is scaled by a; the rows' last sums are multiplied up.
    const auto [product, rows] = scan(Arg(zeros({}, f64) + 1.0), x, [&](Tensor p, Tensor row) {
      const auto [sum, sums] = scan(Arg(zeros({}, f64)), row, [&](Tensor s, Tensor v) { return s * a + v; });
      return std::pair{p * sum, sums};
    });
    const auto [dx, da] = gradients(product + sum(rows), {x, a});
    g.output("product", product), g.output("rows", rows), g.output("dx", dx), g.output("da", da);
    const std::vector<double> values{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, half{0.5};
    const Results r = compile(g, target)({{"x", values}, {"a", half}});
    double want = 1, da_want = 0;
    std::vector<double> sums, lasts, slopes;
    for (int i = 0; i < 3; ++i) {
      double s = 0, ds = 0;
      for (int j = 0; j < 4; ++j) ds = s + 0.5 * ds, s = 0.5 * s + values[static_cast<size_t>(4 * i + j)], sums.push_back(s), da_want += ds;
      want *= s, lasts.push_back(s), slopes.push_back(ds);
    }
    for (size_t i = 0; i < 3; ++i) da_want += want / lasts[i] * slopes[i];
    CHECK(r["product"].item() == Approx(want));
    const std::vector<double> rows_got = r["rows"].values<double>(), dx_got = r["dx"].values<double>();
    for (size_t i = 0; i < 12; ++i) CHECK(rows_got[i] == Approx(sums[i]));
    CHECK(r["da"].item() == Approx(da_want));
    for (size_t i = 0; i < 3; ++i)
      for (size_t j = 0; j < 4; ++j) {
        double through_sums = 0;
        for (size_t k = j; k < 4; ++k) through_sums += std::pow(0.5, static_cast<double>(k - j));
        CHECK(dx_got[4 * i + j] == Approx(want / lasts[i] * std::pow(0.5, static_cast<double>(3 - j)) + through_sums));
      }
  }
}

TEST_CASE("scan: training goes through modules, parameters, constants and dropout in the step; the body is one, whatever the length") {
  size_t calls = 0;
  for (const int64_t length : {3, 40}) {
    manual_seed(5);
    nn::Linear in(3, 4), back(4, 4);
    nn::Dropout drop(0.5);
    Graph g("net");
    const Tensor xs = g.input("xs", f32, {length, 2, 3});
    const Tensor all = scan(zeros({2, 4}), xs, [&](Tensor h, Tensor x) { return tanh(in(x) + drop(back(h)) + 0.25); }).second;
    const Tensor loss = g.output("loss", mean(all * all));
    std::vector<Parameter> all_parameters = in.parameters();
    for (const Parameter& p : back.parameters()) all_parameters.push_back(p);
    Step step = compile(training_step(g, loss, all_parameters, optim::SGD({.lr = 0.5})), Target::cpu());
    CHECK(loops_in(g) == 1);
    const std::vector<float> x = numbers(static_cast<size_t>(length * 6), 9);
    const double first = step({{"xs", x}})["loss"].item();
    double last = first;
    for (int i = 0; i < 30; ++i) last = step({{"xs", x}})["loss"].item();
    CHECK(last < 0.5 * first);
    if (calls == 0) calls = step.calls().size();
    CHECK(step.calls().size() == calls);
  }
}

TEST_CASE("LSTM: what is compiled of two layers does not grow with the sequence") {
  std::vector<std::vector<size_t>> counts;
  for (const int64_t length : {16, 64, 512}) {
    manual_seed(5);
    nn::LSTM lstm(32, 32, {.num_layers = 2});
    Graph g("net");
    const Tensor loss = g.output("loss", mean(square(lstm(g.input("x", f32, {length, 8, 32})).output)));
    const Step step = compile(training_step(g, loss, lstm.parameters(), optim::AdamW()), Target::cpu());
    std::vector<size_t> all{step.calls().size(), step.kernels().size()};
    for (const char* pass : {"autodiff", "fuse", "plan"}) {
      const std::string text = step.ir(pass);
      all.push_back(static_cast<size_t>(std::count(text.begin(), text.end(), '\n')));
    }
    counts.push_back(all);
  }
  // Some choices go by sizes, and a kernel more or less is none for each step.
  for (size_t i = 0; i < counts[0].size(); ++i) {
    INFO(counts[0][i] << " at 16 steps, " << counts[1][i] << " at 64, " << counts[2][i] << " at 512");
    for (size_t j : {1, 2}) CHECK(static_cast<double>(counts[j][i]) <= 1.3 * static_cast<double>(counts[0][i]));
  }
}

TEST_CASE("scan: each step draws its own dropout, the same on the reference and the cpu") {
  std::vector<std::vector<float>> masks;
  for (const Target& target : {Target::reference(), Target::cpu()}) {
    manual_seed(7);
    Graph g("drop");
    const Tensor xs = g.input("xs", f32, {4, 64});
    g.output("all", scan(zeros({64}), xs, [&](Tensor h, Tensor x) { return std::pair{h, dropout(x, 0.5)}; }).second);
    masks.push_back(compile(g, target)({{"xs", std::vector<float>(256, 1)}})["all"].values<float>());
  }
  CHECK(masks[0] == masks[1]);
  for (size_t t = 1; t < 4; ++t)
    CHECK(!std::equal(masks[0].begin(), masks[0].begin() + 64, masks[0].begin() + static_cast<std::ptrdiff_t>(64 * t)));
}

TEST_CASE("scan: what does not fit is refused, with the line") {
  Graph g("wrong");
  const Tensor h = g.input("h", f32, {2}), xs = g.input("xs", f32, {3, 2}), short_xs = g.input("ys", f32, {2, 2});
  const auto same = [](const std::vector<Tensor>& s, const std::vector<Tensor>&) -> ScanStep { return {{s.begin(), s.end()}}; };
  using Catch::Matchers::Contains;
  CHECK_THROWS_WITH(scan({h}, {xs, short_xs}, same), Contains("sequence 1 has 2 steps, not 3") && Contains("scan_test.cpp"));
  CHECK_THROWS_WITH(scan({h}, {zeros({}, f32)}, same), Contains("sequence 0 is a scalar"));
  CHECK_THROWS_WITH(scan({h}, {}, same), Contains("ScanOptions::length"));
  CHECK_THROWS_WITH(scan(h, xs, [](Tensor s, Tensor) { return concat({s, s}); }),
                    Contains("state 0 is f32[2], but the step makes f32[4] of it") && Contains("scan_test.cpp"));
  CHECK_THROWS_WITH(scan({h, h}, {xs}, [](const auto& s, const auto&) -> ScanStep { return {{s[0]}}; }), Contains("1 states of 2"));
  Tensor kept;
  scan(h, xs, [&](Tensor s, Tensor) { return kept = s * 2; });
  CHECK_THROWS_WITH(kept + 1, Contains("a step of a scan that has been recorded") && Contains("scan_test.cpp"));
  CHECK_THROWS_WITH(g.output("kept", kept), Contains("step of a scan"));
  nn::BatchNorm1d norm(2);
  CHECK_THROWS_WITH(scan(xs, stack({xs, xs}), [&](Tensor, Tensor x) { return norm(x); }),
                    Contains("cannot be updated by a step of a scan"));
  g.output("still fine", h + 1);
  const Results r = compile(g, Target::cpu())({{"h", std::vector<float>{1, 2}}, {"xs", numbers(6, 2)}, {"ys", numbers(4, 3)}});
  CHECK(r["still fine"].values<float>() == std::vector<float>{2, 3});
}

TEST_CASE("LSTM: a layer trains by the same program as its cell in a scan, and shares its weights' file") {
  const int64_t steps = 6, batch = 3;
  nn::LSTM layer(4, 5);
  nn::LSTMCell cell(4, 5);
  for (const char* name : {"weight_ih", "weight_hh", "bias_ih", "bias_hh"}) {
    const std::vector<std::pair<std::string, Parameter>> named = cell.named_parameters();
    for (auto [known, p] : named)
      if (known == name) p.array() = layer.parameter(std::string(name) + "_l0").array();
  }
  Graph g("both");
  const Tensor x = g.input("x", f32, {steps, batch, 4});
  const nn::Recurrent::Result result = layer(x);
  const auto [last, all] = scan({zeros({batch, 5}), zeros({batch, 5})}, {x}, [&](const auto& s, const auto& now) -> ScanStep {
    const auto [h, c] = cell(now[0], s[0], s[1]);
    return {{h, c}, {h}};
  });
  g.output("layer", result.output), g.output("cell", all[0]), g.output("c", result.c), g.output("cc", last[1]);
  const Results r = compile(g, Target::cpu())({{"x", numbers(static_cast<size_t>(steps * batch * 4), 4)}});
  const std::vector<float> a = r["layer"].values<float>(), b = r["cell"].values<float>();
  for (size_t i = 0; i < a.size(); ++i) CHECK(a[i] == Approx(b[i]).margin(1e-6));
  CHECK(r["c"].values<float>()[0] == Approx(r["cc"].values<float>()[0]).margin(1e-6));
  CHECK_THROWS_WITH(layer.parameter("weight_ih_l1"), Catch::Matchers::Contains("no parameter 'weight_ih_l1'"));
}
