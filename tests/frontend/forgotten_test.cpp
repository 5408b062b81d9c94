// Parameters that a training step is not given: those that were left out, and those that were forgotten.

#include <functional>

#include "weft/tests/frontend/support.h"

using namespace weft;

namespace {

struct Net : nn::Module {
  nn::Linear fc = add("fc", nn::Linear(2, 2)), head = add("head", nn::Linear(2, 2));
  Tensor forward(Tensor x) override { return head(relu(fc(x))); }
};

struct Partly : nn::Module {
  nn::Linear fc = add("fc", nn::Linear(2, 2)), forgotten = nn::Linear(2, 2), head = add("head", nn::Linear(2, 2));
  Tensor forward(Tensor x) override { return head(relu(forgotten(relu(fc(x))))); }
};

struct Temporary : nn::Module {
  nn::Linear fc = add("fc", nn::Linear(2, 2));
  Tensor forward(Tensor x) override { return nn::Linear(2, 2)(fc(x)); }
};

Step step_of(const std::function<Tensor(Tensor)>& model, const std::vector<Parameter>& parameters) {
  Graph g("net");
  const Tensor loss = g.output("loss", mean(square(model(g.input("x", f32, {3, 2})))));
  return compile(training_step(g, loss, parameters, optim::SGD()), Target::reference());
}

void run(Step step) { step({{"x", std::vector<float>(6, 1)}}); }

}  // namespace

TEST_CASE("a layer that was made without add() is named at the first call of a step that uses it") {
  Partly net;
  Step step = step_of([&](Tensor x) { return net.forward(x); }, net.parameters());
  for (int i = 0; i < 2; ++i)
    CHECK_THROWS_WITH(run(step), contains_text("step 'net'") && contains_text("the loss uses 'weight' at ") &&
                                     contains_text("forgotten_test.cpp:") && contains_text("neither trained nor saved") &&
                                     contains_text("with add() where the model is made"));
  Temporary made;
  CHECK_THROWS_WITH(run(step_of([&](Tensor x) { return made.forward(x); }, made.parameters())), contains_text("the loss uses 'weight'"));
}

TEST_CASE("a layer that was made without add() is named where updates are written by hand, and by L-BFGS") {
  const auto by_hand = [](nn::Module& net, const std::vector<Parameter>& parameters, bool updates) {
    Graph g("by hand");
    const Tensor loss = g.output("loss", mean(square(net(g.input("x", f32, {3, 2})))));
    const std::vector<Tensor> slopes = gradients(loss, parameters);
    for (size_t i = 0; i < slopes.size(); ++i)
      if (updates) g.update(parameters[i], parameters[i] - slopes[i]);
      else g.output(fmt::format("slope {}", i), slopes[i]);
    return compile(g, Target::reference());
  };
  Partly net;
  CHECK_THROWS_WITH(run(by_hand(net, net.parameters(), true)), contains_text("step 'by hand'") &&
                                                                   contains_text("the loss uses 'weight' at ") &&
                                                                   contains_text("forgotten_test.cpp:") && contains_text("with add()"));
  CHECK_NOTHROW(run(by_hand(net, net.parameters(), false)));  // who only looks at gradients trains nothing
  CHECK_NOTHROW(run(by_hand(net, {net.forgotten.weight}, true)));
  CHECK_NOTHROW(run(by_hand(net, net.parameters(), true)));  // somebody has asked for it since
  Partly fitted;
  Graph g("fit");
  const Tensor loss = mean(square(fitted(g.input("x", f32, {3, 2}))));
  LBFGS lbfgs(g, loss, fitted.parameters(), {}, Target::reference());
  const std::vector<float> x(6, 1);
  CHECK_THROWS_WITH(lbfgs.step({{"x", x}}), contains_text("the loss uses 'weight' at ") && contains_text("forgotten_test.cpp:"));
  fitted.forgotten.state_dict();
  CHECK_NOTHROW(lbfgs.step({{"x", x}}));
}

TEST_CASE("what is left out of a step on purpose is not taken for forgotten") {
  Net net, other, third;
  // A part of the model alone.
  CHECK_NOTHROW(run(step_of([&](Tensor x) { return net.forward(x); }, net.head.parameters())));
  // Another model that somebody trains, though only later, or keeps.
  Step first = step_of([&](Tensor x) { return other.forward(net.forward(x)); }, net.parameters());
  Step second = step_of([&](Tensor x) { return other.forward(net.forward(x)); }, other.parameters());
  CHECK_NOTHROW(run(first));
  CHECK_NOTHROW(run(second));
  Step with_third = step_of([&](Tensor x) { return third.forward(net.forward(x)); }, net.parameters());
  CHECK_THROWS(run(with_third));
  third.state_dict();
  CHECK_NOTHROW(run(with_third));
  // What is frozen, or what the loss does not depend on differentiably.
  Partly frozen, detached;
  frozen.forgotten.requires_grad_(false);
  CHECK_NOTHROW(run(step_of([&](Tensor x) { return frozen.forward(x); }, frozen.parameters())));
  CHECK_NOTHROW(run(step_of([&](Tensor x) { return net.forward(x) + detached.forgotten(x).detach(); }, net.parameters())));
  // A constant that the program may change between steps.
  Parameter scale("scale", {1.0, 1.0});
  CHECK_NOTHROW(run(step_of([&](Tensor x) { return net.forward(x) * scale; }, net.parameters())));
  // Who lists single parameters has chosen them.
  Parameter w("w", {1.0, 1.0}), b("b", {1.0, 1.0});
  CHECK_NOTHROW(run(step_of([&](Tensor x) { return x * w + b; }, {w})));
}

TEST_CASE("a parameter of a module's own is an array with one name") {
  struct Positions : nn::Module {
    Parameter pos = add("pos", Array(f32, {3, 2})), scale = add("scale", Parameter("scale", Shape{2}));
    Tensor forward(Tensor x) override { return (x + pos) * scale; }
  };
  Positions net;
  REQUIRE(net.parameters().size() == 2);
  CHECK(net.pos.name() == "pos");
  CHECK(net.scale.shape() == Shape{2});
  init::ones(net.scale);
  init::constant(net.pos, 3);
  CHECK(net.scale.values<float>() == std::vector<float>{1, 1});
  init::zeros(net.pos);
  CHECK(net.pos.values<float>() == std::vector<float>(6, 0));
  run(step_of([&](Tensor x) { return net.forward(x); }, net.parameters()));
  CHECK(net.pos.values<float>() != std::vector<float>(6, 0));
}
