// Optimizers by a rule of the program's own: against weft's that have the same formulas, as optimizers like any other, and what is refused.

#include "weft/tests/frontend/support.h"
#include "weft/tests/process.h"

using namespace weft;
using test::TempDir;
using testing::line;
using testing::require_close;

namespace {

const optim::Rule momentum("test.momentum", {.numbers = {{"lr", 0.1, {.low = 0}}, {"momentum", 0.9}}, .states = {"momentum_buffer"}},
                           [](optim::Update& u) {
                             const Tensor m = u["momentum"] * u.state("momentum_buffer") + u.gradient;
                             u.set("momentum_buffer", m);
                             return u.parameter - u["lr"] * m;
                           });

const optim::Rule adam("test.adam",
                       {.numbers = {{"lr", 1e-3}, {"beta1", 0.9}, {"beta2", 0.999}, {"eps", 1e-8}},
                        .states = {"exp_avg", "exp_avg_sq"},
                        .scalars = {"steps"},
                        .doc = "Adam with a counter of its own"},
                       [](optim::Update& u) {
                         const Tensor m = u.state("exp_avg") + (1 - u["beta1"]) * (u.gradient - u.state("exp_avg"));
                         const Tensor v = u["beta2"] * u.state("exp_avg_sq") + (1 - u["beta2"]) * square(u.gradient);
                         const Tensor steps = u.state("steps") + 1;
                         u.set("exp_avg", m), u.set("exp_avg_sq", v), u.set("steps", steps);
                         const Tensor rate = u["lr"] / (1 - pow(u["beta1"], u.step));
                         return u.parameter - rate * m / (sqrt(v / (1 - pow(u["beta2"], steps))) + u["eps"]);
                       });

struct Model {
  nn::Sequential net{nn::Linear(2, 8), nn::Tanh(), nn::Linear(8, 2)};
};

std::vector<double> weights(const Model& m) {
  std::vector<double> all;
  for (const Parameter& p : m.net.parameters())
    for (int64_t i = 0; i < p.shape().numel(); ++i) all.push_back(p.array().at(i));
  return all;
}

FitOptions options(int64_t epochs) { return {.epochs = epochs, .batch = 16, .log = "none"}; }

/// After some epochs.
std::vector<double> trained(const optim::Optimizer& optimizer, int64_t epochs = 3) {
  manual_seed(7);
  Model m;
  Trainer(m.net, cross_entropy, optimizer).fit(testing::points(50), options(epochs));
  return weights(m);
}

}  // namespace

TEST_CASE("a rule of one's own trains as weft's with its formulas", "[custom_optimizer]") {
  const optim::SGD sgd({.lr = 0.05, .momentum = 0.9});
  const optim::Custom own(momentum, {{"lr", 0.05}});
  require_close(trained(own), trained(sgd), 1e-6);
  CHECK(own.state("0.weight", "momentum_buffer").shape() == Shape{8, 2});
  CHECK(own.steps() == sgd.steps());

  const optim::Adam theirs({.lr = 0.01});
  const optim::Custom mine(adam, {{"lr", 0.01}});
  require_close(trained(mine), trained(theirs), 1e-5);
  CHECK(mine.state("2.bias", "steps").at(0) == 12);
  CHECK(mine.state("2.bias", "steps").dtype() == f64);
}

TEST_CASE("numbers of a rule change between steps, by schedules too, and groups have their own", "[custom_optimizer]") {
  Parameter w("w", {1.0}), b("b", {1.0});
  optim::Custom own(momentum, {{"momentum", 0}}), slow(momentum, {{"lr", 0.01}, {"momentum", 0}});
  own.add_group("slow", {b}, slow);
  optim::StepLR schedule(own, {.step_size = 1, .gamma = 0.5});
  Graph g("numbers");
  const Tensor loss = g.output("loss", sum(w) + 2 * sum(b));
  Step step = compile(training_step(g, loss, {w, b}, own), Target::cpu());
  step();
  require_close({w.array().at(0), b.array().at(0)}, {0.9, 0.98});
  schedule.step();
  step();
  require_close({w.array().at(0), b.array().at(0)}, {0.85, 0.97});
  own["lr"] = 1;
  slow["lr"] = 0;
  step();
  require_close({w.array().at(0), b.array().at(0)}, {-0.15, 0.97});
}

TEST_CASE("training by a rule goes on from a checkpoint as if it had not stopped", "[custom_optimizer]") {
  const TempDir dir;
  const Dataset data = testing::points(50);
  manual_seed(5);
  Model whole;
  optim::Custom one(adam, {{"lr", 0.01}});
  Trainer(whole.net, cross_entropy, one).fit(data, options(4));

  manual_seed(5);
  Model first;
  optim::Custom two(adam, {{"lr", 0.01}});
  Trainer(first.net, cross_entropy, two).fit(data, options(2));
  Checkpoint(first.net).add(two).save(dir / "half.safetensors");
  Model second;
  optim::Custom three(adam);
  Checkpoint(second.net).add(three).load(dir / "half.safetensors");
  CHECK(three["lr"].value() == 0.01);
  CHECK(three.steps() == two.steps());
  Trainer(second.net, cross_entropy, three).fit(data, options(2));
  require_close(weights(second), weights(whole), 1e-7);
}

TEST_CASE("what is no rule names the line", "[custom_optimizer]") {
  const auto same = [](optim::Update& u) { return u.parameter; };
  CHECK_THROWS_WITH(optim::Rule("adam", {.numbers = {{"lr", 0.1}}}, same),
                    contains_text("weft has an op of that name") && contains_text(line(0)));
  CHECK_THROWS_WITH(optim::Rule("test.momentum", {.numbers = {{"lr", 0.1}}}, same), contains_text("the name was registered before"));
  CHECK_THROWS_WITH(optim::Rule("test.twice", {.numbers = {{"lr", 0.1}}, .states = {"lr"}}, same), contains_text("'lr' is no name for"));
  CHECK_THROWS_WITH(optim::Rule("test.unknown", {.numbers = {{"lr", 0.1}}}, [](optim::Update& u) { return u.parameter * u["rl"]; }),
                    contains_text("the rule has no number 'rl'") && contains_text("did you mean 'lr'") && contains_text(line(0)));
  CHECK_THROWS_WITH(
      optim::Rule("test.shape", {.numbers = {{"lr", 0.1}}}, [](optim::Update& u) { return concat({u.parameter, u.parameter}); }),
      contains_text("the new parameter is f32[8,3], but must be f32[4,3]"));
  CHECK_THROWS_WITH(optim::Rule("test.none", {.numbers = {{"rate", 0.1}}}, same), contains_text("the rule needs a number 'lr'"));
  static Parameter outside("outside", {1.0});
  CHECK_THROWS_WITH(optim::Rule("test.outside", {.numbers = {{"lr", 0.1}}}, [](optim::Update& u) { return u.parameter * outside; }),
                    contains_text("it uses 'outside'"));
  CHECK_THROWS_WITH(
      optim::Rule("test.random", {.numbers = {{"lr", 0.1}}}, [](optim::Update& u) { return u.parameter + randn_like(u.gradient); }),
      contains_text("it uses 'key'"));
  CHECK_THROWS_WITH(optim::Custom(momentum, {{"beta", 0.5}}), contains_text("the rule has no number 'beta'") && contains_text(line(0)));
  CHECK_THROWS_WITH(optim::Custom(momentum, {{"lr", -1}}), contains_text("test.momentum.lr"));
  CHECK_THROWS_WITH(optim::Custom(momentum)["momentun"], contains_text("did you mean 'momentum'"));
  // One that was refused may be made again, as it should be.
  const optim::Rule again("test.shape", {.numbers = {{"lr", 0.1}}}, same);
  CHECK(again.name() == "test.shape");
}

TEST_CASE("rates that warm up are those of transformers", "[custom_optimizer]") {
  const auto rates = [](auto make) {
    optim::SGD sgd({.lr = 2});
    auto schedule = make(sgd);
    std::vector<double> all;
    for (int i = 0; i < 9; ++i, schedule.step()) all.push_back(sgd.lr);
    return all;
  };
  require_close(rates([](auto& o) { return optim::constant_with_warmup(o, 4); }), {0, 0.5, 1, 1.5, 2, 2, 2, 2, 2});
  require_close(rates([](auto& o) { return optim::linear_with_warmup(o, {.warmup_steps = 2, .total_steps = 6}); }),
                {0, 1, 2, 1.5, 1, 0.5, 0, 0, 0});
  const double high = 1 + std::cos(M_PI / 4), low = 1 - std::cos(M_PI / 4);
  require_close(rates([](auto& o) { return optim::cosine_with_warmup(o, {.warmup_steps = 2, .total_steps = 6}); }),
                {0, 1, 2, high, 1, low, 0, low, 1});
  optim::SGD sgd;
  CHECK_THROWS_WITH(optim::linear_with_warmup(sgd, {.warmup_steps = 5, .total_steps = 4}),
                    contains_text("total_steps must be positive and not less than warmup_steps, but is 4") && contains_text(line(0)));
}
