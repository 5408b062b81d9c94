// The work of every pass, counted (support/work.h), grows with the number of ops and no faster.

#include <fmt/format.h>

#include <functional>
#include <map>

#include "weft/ir/builder.h"
#include "weft/ir/verifier.h"
#include "weft/passes/pass.h"
#include "weft/tests/catch.h"

using namespace weft;
using ir::Builder;
using ir::Value;

namespace {

/// A graph under construction, whose parameters are trained.
struct Net {
  explicit Net(std::string optimizer) : module("net"), b(module.graph()) {
    module.train = ir::TrainSpec{.loss = "loss", .optimizer = std::move(optimizer)};
  }

  Value parameter(const ir::Type& type) {
    const std::string name = fmt::format("w{}", module.train->inputs.size());
    module.train->inputs.push_back(name);
    return module.graph().add_input(name, type, ir::Role::parameter);
  }
  Value product(Value x, Value w) { return b("matmul", {x, w}, {{"transpose_b", true}}); }
  Value biased(Value x, Value bias) { return b("add", {x, b.broadcast(bias, x.shape())}); }
  Value linear(Value x, int64_t to) {
    const int64_t from = x.shape()[1];
    return biased(product(x, parameter({f32, {to, from}})), parameter({f32, {to}}));
  }
  ir::Module finish(Value y) {
    const Value loss = b("mean", {b("mul", {y, y})}, {{"axes", Dims{0, 1}}});
    module.graph().add_output({"loss", loss, {}, {}});
    ir::verify(module);
    return std::move(module);
  }

  ir::Module module;
  Builder b;
};

/// Product, bias and GELU, with an optimizer of states.
ir::Module layers(int count) {
  Net net("adam");
  Value h = net.module.graph().add_input("x", {f32, {16, 32}});
  for (int i = 0; i < count; ++i) h = net.b("gelu", {net.linear(h, 32)});
  return net.finish(h);
}

/// Residual blocks around a norm, gradients clipped by their common norm.
ir::Module blocks(int count) {
  Net net("sgd");
  net.module.train->clip_norm = true;
  Value h = net.module.graph().add_input("x", {f32, {16, 32}});
  for (int i = 0; i < count; ++i) {
    const Value norm = net.b("softmax", {h}, {{"axis", int64_t{1}}});
    h = net.b("add", {h, net.b("gelu", {net.linear(norm, 32)})});
  }
  return net.finish(h);
}

/// One cell at every step, whose parameters and input are read over and over; the input is cut into steps.
ir::Module cell(int count) {
  Net net("sgd");
  const Value x = net.module.graph().add_input("x", {f32, {16, count, 32}});
  const Value w = net.parameter({f32, {32, 32}}), u = net.parameter({f32, {32, 32}}), bias = net.parameter({f32, {32}});
  const Value all = net.b.reshape(net.product(net.b.reshape(x, {16 * count, 32}), w), {16, count, 32});
  Value h = net.b.splat({f32, {16, 32}}, 0);
  for (int64_t t = 0; t < count; ++t) {
    const Value now = net.b("slice", {all}, {{"start", Dims{0, t, 0}}, {"end", Dims{16, t + 1, 32}}});
    h = net.b("tanh", {net.biased(net.b("add", {net.b.reshape(now, {16, 32}), net.product(h, u)}), bias)});
  }
  return net.finish(h);
}

/// A chain of elementwise ops.
ir::Module chain(int count) {
  Net net("sgd");
  Value h = net.parameter({f32, {16, 32}});
  for (int i = 0; i < count; ++i) h = net.b(i % 2 ? "sin" : "exp", {h});
  return net.finish(h);
}

/// Many values of which one is made, and many readers of one value.
ir::Module wide(int count) {
  Net net("sgd");
  const Value x = net.parameter({f32, {1, 32}});
  std::vector<Value> parts;
  for (int i = 0; i < count; ++i) parts.push_back(net.b(i % 2 ? "sin" : "exp", {x}));
  return net.finish(net.b("concat", parts, {{"axis", int64_t{0}}}));
}

/// From `size` on, groups and searches are as large as they become, and the plan's values too many to compare each with all.
struct Family {
  std::string name;
  std::function<ir::Module(int)> make;
  int size;
};

const std::vector<Family>& families() {
  static const std::vector<Family> all = {
      {"layers", layers, 100}, {"blocks", blocks, 96}, {"cell", cell, 240}, {"chain", chain, 1000}, {"wide", wide, 1000}};
  return all;
}

/// The work of each pass; of autocast, which else does nothing, for a target that was asked for it.
std::map<std::string, int64_t> work_of(ir::Module module) {
  std::map<std::string, int64_t> work;
  ir::Module low = module.clone();
  for (const passes::PassRun& run : passes::run(module, passes::pipeline("compile"), passes::generic_target())) work[run.name] += run.work;
  work["autocast"] = passes::run(low, {"autocast"}, passes::generic_autocast_target())[0].work;
  return work;
}

}  // namespace

TEST_CASE("work: twice the ops are at most about twice the work, in every pass", "[passes][work]") {
  for (const Family& family : families()) {
    auto before = work_of(family.make(family.size));
    for (int factor : {2, 4}) {
      const auto now = work_of(family.make(factor * family.size));
      for (const auto& [pass, work] : now) {
        INFO(family.name << " of " << factor * family.size << ", " << pass << ": " << work << " steps, before " << before[pass]);
        CHECK(work <= 2.3 * static_cast<double>(before[pass]) + 500);
      }
      before = now;
    }
  }
}

TEST_CASE("work: every pass counts what it does", "[passes][work]") {
  const int64_t ops = 24;
  for (const auto& [pass, work] : work_of(layers(24))) {
    INFO(pass << ": " << work);
    CHECK(work >= ops);
  }
}

TEST_CASE("work: no pass goes as deep as the graph", "[passes][work]") {
  // Twenty thousand ops in a row, every second one a view: recursion would run out of stack.
  Net net("sgd");
  Value h = net.parameter({f32, {4, 4}});
  for (int i = 0; i < 20000; ++i) h = i % 2 ? net.b.reshape(h, i % 4 == 1 ? Shape{16} : Shape{4, 4}) : net.b("exp", {h});
  ir::Module module = net.finish(h);
  passes::run(module, passes::pipeline("compile"), passes::generic_target());
  ir::Module copy = module.clone();
  CHECK(copy.graph().ops().size() == module.graph().ops().size());

  ir::Module views("views");
  Value v = views.graph().add_input("x", {f32, {4, 4}});
  for (int i = 0; i < 3000; ++i) v = Builder(views.graph()).reshape(v, i % 2 ? Shape{4, 4} : Shape{16});
  views.graph().add_output({"y", Builder(views.graph())("exp", {v}), {}, {}});
  passes::RunOptions as_written;
  as_written.disabled = {"simplify"};
  passes::run(views, passes::pipeline("compile"), passes::generic_target(), as_written);
}
