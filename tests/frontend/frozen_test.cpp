// Parameters that are frozen: no gradient, no state, no part in anything that an optimizer does.

#include "weft/tests/frontend/stored_optimizer.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/process.h"

using namespace weft;
using test::TempDir;
using testing::json;
using testing::line;

namespace {

Array filled(Shape shape, double start) {
  Array array(f64, std::move(shape));
  for (int64_t i = 0; i < array.shape().numel(); ++i) array.set(i, std::sin(start + 0.7 * static_cast<double>(i)));
  return array;
}

/// Two layers; `backbone` is the one that is frozen.
struct Net : nn::Module {
  nn::Linear backbone = add("backbone", nn::Linear(2, 4)), head = add("head", nn::Linear(4, 2));
  Tensor forward(Tensor x) { return head(tanh(backbone(x))); }
};

std::vector<float> all_values(const nn::Module& module) {
  std::vector<float> all;
  for (const Parameter& p : module.parameters())
    for (float x : p.values<float>()) all.push_back(x);
  return all;
}

FitOptions quiet(int64_t epochs) { return {.epochs = epochs, .batch = 8, .log = "none"}; }

}  // namespace

TEST_CASE("frozen: decay, clipping and schedules leave it alone, and it goes on where it was, as in torch") {
  const json file = testing::read_expected("frozen");
  for (const json& setting : file["cases"]) {
    INFO(setting["optimizer"] << " " << setting["options"].dump());
    Parameter first("first", filled({4, 3}, 1)), last("last", filled({2, 4}, 2));
    optim::Optimizer optimizer = testing::optimizer_of(setting);
    optimizer.clip_norm = 0.1;
    optim::StepLR schedule(optimizer, {.step_size = 2, .gamma = 0.7});
    const auto program = [&] {
      Graph g("net");
      const Tensor hidden = tanh(matmul(constant(filled({5, 3}, 3)), transpose(first * 1.0)));
      return compile(
          training_step(g, mse_loss(matmul(hidden, transpose(last * 1.0)), constant(filled({5, 2}, 4))), {first, last}, optimizer),
          Target::reference());
    };
    const std::vector<int64_t> frozen_in = file["frozen_in"];
    for (int64_t i = 0; i < file["steps"]; ++i) {
      INFO("step " << i);
      first.requires_grad_(std::find(frozen_in.begin(), frozen_in.end(), i) == frozen_in.end());
      Step step = program();
      step();
      schedule.step();
      std::vector<double> got = first.values<double>();
      for (double x : last.values<double>()) got.push_back(x);
      testing::require_close(got, setting["frozen"][static_cast<size_t>(i)], 1e-10);
    }
  }
}

TEST_CASE("frozen: a module's part stays as it is through training, and has no state") {
  Net net;
  net.backbone.requires_grad_(false);
  CHECK_FALSE(net.backbone.weight.requires_grad());
  CHECK(net.head.weight.requires_grad());
  const auto before = all_values(net.backbone), head = all_values(net.head);
  optim::AdamW adam({.lr = 0.1, .weight_decay = 0.1});
  optim::OneCycleLR schedule(adam, {.max_lr = 0.5, .total_steps = 100});
  FitOptions options = quiet(2);
  options.measure.gradient_norms = true;
  const History h = Trainer(net, cross_entropy, adam).schedule(schedule, Every::step).fit(testing::points(32), options);
  CHECK(all_values(net.backbone) == before);
  CHECK(all_values(net.head) != head);
  CHECK(h.gradient_norms.size() == 1);
  CHECK(h.gradient_norms[0].first == "head");
  CHECK_THROWS_WITH(adam.state("backbone.weight", "exp_avg"), contains_text("keeps no state of a parameter 'backbone.weight'"));
  CHECK(adam.steps(net.backbone.weight) == 0);
  net.requires_grad_();
  Trainer(net, cross_entropy, adam).fit(testing::points(32), quiet(1));
  CHECK(all_values(net.backbone) != before);
  CHECK((adam.steps(net.backbone.weight) == 4 && adam.steps(net.head.weight) == 12));
}

TEST_CASE("frozen: it has no share in the clipped norm") {
  Parameter a("a", {1.0}), b("b", {1.0});
  a.requires_grad_(false);
  optim::SGD sgd({.lr = 1});
  sgd.clip_norm = 1.0;
  Graph g("g");
  compile(training_step(g, sum(a * 1000.0) + sum(b * 0.5), {a, b}, sgd), Target::reference())();
  CHECK(b.values<float>()[0] == Approx(0.5));
  CHECK(a.values<float>()[0] == 1);
}

TEST_CASE("frozen: groups keep their rule for what is left of them") {
  Parameter a("a", {1.0}), b("b", {1.0}), c("c", {1.0});
  optim::SGD sgd({.lr = 1}), other({.lr = 0.5, .momentum = 0.9});
  sgd.add_group("other", {a, b}, other);
  a.requires_grad_(false);
  Graph g("g");
  compile(training_step(g, sum(a * 2.0) + sum(b * 2.0) + sum(c * 2.0), {a, b, c}, sgd), Target::reference())();
  CHECK((a.values<float>()[0] == 1 && b.values<float>()[0] == 0 && c.values<float>()[0] == -1));
}

TEST_CASE("frozen: a program that trains it, or does not any more, says so") {
  Parameter a("a", {1.0}), b("b", {1.0});
  optim::SGD sgd({.lr = 1});
  const auto program = [&] {
    Graph g("both");
    return compile(training_step(g, sum(a * 2.0) + sum(b * 2.0), {a, b}, sgd), Target::reference());
  };
  Step both = program();
  both();
  a.requires_grad_(false);
  CHECK_THROWS_WITH(both(),
                    contains_text("step 'both': 'a' is frozen, but it was trained when the step was recorded; record and compile again"));
  CHECK((a.values<float>()[0] == -1 && b.values<float>()[0] == -1));
  Step one = program();
  one();
  CHECK((a.values<float>()[0] == -1 && b.values<float>()[0] == -3));
  a.requires_grad_();
  CHECK_THROWS_WITH(one(), contains_text("'a' is not frozen, but it was when the step was recorded"));
  both();
  CHECK(a.values<float>()[0] == -3);
}

TEST_CASE("frozen: what is asked of it is refused, as in torch") {
  Net net;
  net.requires_grad_(false);
  optim::SGD sgd({.lr = 1});
  Graph g("g");
  const Tensor loss = mean(net(g.input("x", f32, {4, 2})));
  CHECK_THROWS_WITH(training_step(g, loss, net.parameters(), sgd),
                    contains_text("all parameters are frozen: 'backbone.weight' 'backbone.bias' 'head.weight' 'head.bias', at " + line()));
  CHECK_THROWS_WITH(gradients(loss, {net.head.weight}),
                    contains_text("'head.weight' is frozen and has no gradient") && contains_text(line()));
  CHECK_THROWS_WITH(Trainer(net, cross_entropy, sgd).fit(testing::points(8), quiet(1)), contains_text("all parameters are frozen"));
  nn::BatchNorm1d norm(3);
  CHECK_FALSE(norm.running_mean.requires_grad());
  CHECK_THROWS_WITH(norm.running_mean.requires_grad_(), contains_text("'running_mean' is a buffer"));
  norm.running_mean.requires_grad_(false);
  Parameter count("count", Array(i64, {2}));
  CHECK_THROWS_WITH(count.requires_grad_(), contains_text("only floating parameters have gradients, but 'count' is i64"));
  CHECK_THROWS_WITH(Parameter().requires_grad_(), contains_text("names no parameter"));
  LBFGS lbfgs(g, loss, {net.head.weight.requires_grad_(), net.head.bias}, {}, Target::reference());
  CHECK_THROWS_WITH(LBFGS(g, loss, {net.head.bias}, {}, Target::reference()),
                    contains_text("no parameters to train, at " + line() + "; frozen ones do not count"));
  net.head.weight.requires_grad_(false);
  const std::vector<float> x(8, 1);
  CHECK_THROWS_WITH(lbfgs.step({{"x", x}}), contains_text("'head.weight' has been frozen since"));
}

TEST_CASE("frozen: one that the loss does not need may be given, and one that is not the model's may be used") {
  Parameter a("a", {1.0}), unused("unused", {1.0});
  unused.requires_grad_(false);
  optim::SGD sgd({.lr = 1});
  Graph g("g");
  compile(training_step(g, sum(a * 2.0), {a, unused}, sgd), Target::reference())();
  CHECK(a.values<float>()[0] == -1);

  struct Head : nn::Module {
    nn::Linear backbone{2, 4}, head = add("head", nn::Linear(4, 2));
    Tensor forward(Tensor x) { return head(tanh(backbone(x))); }
  } net;
  CHECK_THROWS_WITH(Trainer(net, cross_entropy, sgd).fit(testing::points(8), quiet(1)),
                    contains_text("To leave it as it is, say requires_grad_(false) of it"));
  net.backbone.requires_grad_(false);
  const auto before = all_values(net.backbone);
  Trainer(net, cross_entropy, sgd).fit(testing::points(8), quiet(1));
  CHECK(all_values(net.backbone) == before);
}

TEST_CASE("frozen: the statistics of batch normalization move while its weights stay") {
  nn::Sequential net(nn::Linear(2, 4), nn::BatchNorm1d(4), nn::Linear(4, 2));
  for (auto& [name, p] : net.named_parameters())
    if (name.starts_with("1.")) Parameter(p).requires_grad_(false);
  optim::SGD sgd({.lr = 0.1, .weight_decay = 0.1});
  Trainer(net, cross_entropy, sgd).fit(testing::points(32), quiet(1));
  for (const auto& [name, p] : net.state_dict()) {
    if (name == "1.weight") CHECK(p.values<float>() == std::vector<float>(4, 1));
    if (name == "1.num_batches_tracked") CHECK(p.values<int64_t>()[0] == 4);
  }
}

TEST_CASE("frozen: a checkpoint of the first phase goes on into the second, where more is trained") {
  const TempDir dir;
  const auto run = [&](bool through_file) {
    manual_seed(3);
    std::optional<Net> net(std::in_place);
    auto adam = std::make_unique<optim::Adam>(optim::AdamOptions{.lr = 0.05});
    net->backbone.requires_grad_(false);
    Trainer(*net, cross_entropy, *adam).fit(testing::points(32), quiet(2));
    if (through_file) {
      Checkpoint(*net).add(*adam).save(dir / "run");
      net.emplace();
      adam = std::make_unique<optim::Adam>(optim::AdamOptions{.lr = 0.05});
      Graph g("g");  // state of all is there already, and becomes new
      compile(training_step(g, cross_entropy((*net)(g.input("x", f32, {8, 2})), g.input("y", i64, {8})), net->parameters(), *adam),
              Target::reference());
      Checkpoint(*net).add(*adam).load(dir / "run");
      CHECK((adam->steps(net->head.bias) == 8 && adam->steps(net->backbone.bias) == 0));
    }
    net->requires_grad_();
    Trainer(*net, cross_entropy, *adam).fit(testing::points(32), quiet(2));
    return all_values(*net);
  };
  CHECK(run(true) == run(false));
}
