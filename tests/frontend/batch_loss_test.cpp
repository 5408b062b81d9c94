// A Trainer's loss as a function of a batch of named tensors.

#include <cmath>

#include "weft/tests/frontend/support.h"

using namespace weft;
using weft::testing::line;
using weft::testing::points;

namespace {

FitOptions options(int64_t batch = 8, int64_t accumulate = 1) {
  return {.epochs = 2, .batch = batch, .accumulate = accumulate, .data = {.shuffle = true}, .log = "none"};
}

/// Two inputs, a mask and a weight for each sample, and what is to be predicted.
Dataset pairs(int64_t count) {
  Dataset data{.arrays = {{"left", Array(f32, {count, 3})},
                          {"right", Array(f32, {count, 2})},
                          {"mask", Array(boolean, {count, 3})},
                          {"weight", Array(f32, {count})},
                          {"target", Array(f32, {count, 1})}}};
  data.name = "pairs";
  for (size_t a = 0; a < data.arrays.size(); ++a)
    for (int64_t i = 0; i < data.arrays[a].second.shape().numel(); ++i) {
      const double number = std::sin(static_cast<double>(7 * i) + static_cast<double>(a));
      data.arrays[a].second.set(i, data.arrays[a].first == "mask" ? number > 0 : data.arrays[a].first == "weight" ? number + 1 : number);
    }
  return data;
}

struct Two : nn::Module {
  nn::Linear left = add("left", nn::Linear(3, 4));
  nn::Linear right = add("right", nn::Linear(2, 4));
  nn::Linear out = add("out", nn::Linear(4, 1));
  Tensor operator()(Arg a, Arg b) {
    const Entered entered(*this, a);
    return out(tanh(left(entered.tensor(a)) + right(b)));
  }
};

Tensor weighted(Two& net, const Tensors& batch) {
  const Tensor error = square(net(batch["left"] * cast(batch["mask"], f32), batch["right"]) - batch["target"]).squeeze(1);
  return sum(error * batch["weight"]) / sum(batch["weight"]);
}

std::vector<std::vector<float>> weights(const nn::Module& net) {
  std::vector<std::vector<float>> all;
  for (const Parameter& p : net.parameters()) all.push_back(p.values<float>());
  return all;
}

}  // namespace

TEST_CASE("the loss of a batch and that of prediction and target are one training, bit for bit") {
  const Dataset data = points(50), test = points(20, 50);
  const auto train = [&](bool whole, int64_t accumulate) {
    manual_seed(1);
    nn::Sequential net(nn::Linear(2, 8), nn::LayerNorm({8}), nn::ReLU(), nn::Dropout(0.2), nn::Linear(8, 2));
    optim::Adam adam({.lr = 0.01});
    Trainer trainer = whole ? Trainer(
                                  net, [&](const Tensors& batch) { return cross_entropy(net(batch["x"]), batch["y"]); }, adam)
                            : Trainer(net, cross_entropy, adam);
    const History history = trainer.fit(data, test, options(8, accumulate));
    CHECK(history.last().test_accuracy() == trainer.evaluate(test, {.log = "none"}).accuracy());
    return std::pair(history, weights(net));
  };
  for (const int64_t accumulate : {1, 3}) {
    const auto [pair, pair_weights] = train(false, accumulate);
    const auto [batch, batch_weights] = train(true, accumulate);
    CHECK(pair_weights == batch_weights);
    for (size_t i = 0; i < 2; ++i) {
      CHECK(pair.epochs[i].train_loss == batch.epochs[i].train_loss);
      CHECK(pair.epochs[i].test_loss == batch.epochs[i].test_loss);
      CHECK(pair.epochs[i].train_accuracy() == batch.epochs[i].train_accuracy());
      CHECK(!std::isnan(batch.epochs[i].train_accuracy()));
    }
  }
}

TEST_CASE("several inputs, a mask and weights: as a step of one's own trains them") {
  const Dataset data = pairs(20);
  manual_seed(2);
  Two net;
  Two own = nn::clone(net);
  optim::SGD sgd({.lr = 0.1, .momentum = 0.9}), other({.lr = 0.1, .momentum = 0.9});
  FitOptions in_order = options(10);
  in_order.data.shuffle = false;
  const History history = Trainer(net, [&](const Tensors& batch) { return weighted(net, batch); }, sgd).fit(data, data, in_order);

  Graph graph("own");
  std::vector<std::pair<std::string, Tensor>> inputs;
  for (const Dataset::Column& column : data.columns()) {
    Dims dims = column.example.dims();
    dims.insert(dims.begin(), 10);
    inputs.emplace_back(column.name, graph.input(std::string(column.name), column.dtype, Shape(dims)));
  }
  const Tensor loss = graph.output("loss", weighted(own, inputs));
  Step step = compile(training_step(graph, loss, own.parameters(), other), Target::cpu());
  Batcher batches(data, {.batch = 10});
  for (int64_t epoch = 0; epoch < 2; ++epoch) {
    batches.start_epoch(epoch);
    while (const Batch* batch = batches.next()) step.run(batch->arrays);
  }
  CHECK(weights(net) == weights(own));
  CHECK(std::isnan(history.last().test_accuracy()));
}

TEST_CASE("a weighted loss over batches is that of all samples at once, in any parts") {
  const Dataset data = pairs(23);
  manual_seed(3);
  Two net;
  optim::SGD sgd({.lr = 0});
  Trainer trainer(net, [&](const Tensors& batch) { return weighted(net, batch); }, sgd);
  const double whole = trainer.evaluate(data, {.batch = 23, .log = "none"}).loss;
  for (const int64_t batch : {1, 5, 8}) CHECK(trainer.evaluate(data, {.batch = batch, .log = "none"}).loss == Approx(whole).epsilon(1e-5));
  for (const int64_t accumulate : {1, 4}) CHECK(trainer.fit(data, options(8, accumulate)).last().train_loss == Approx(whole).epsilon(1e-5));
}

TEST_CASE("a data set without targets trains an autoencoder") {
  Dataset data = points(40);
  data.targets = Array();
  manual_seed(4);
  nn::Sequential net(nn::Linear(2, 3), nn::Tanh(), nn::Linear(3, 2));
  optim::Adam adam({.lr = 0.05});
  FitOptions long_enough = options();
  long_enough.epochs = 40;
  const History history =
      Trainer(net, [&](const Tensors& batch) { return mse_loss(net(batch["x"]), batch["x"]); }, adam).fit(data, long_enough);
  CHECK(history.last().train_loss < 0.02);
  CHECK(history.epochs.front().train_loss > 0.1);
}

TEST_CASE("arrays that a loss does not read are no obstacle; neither is a data set that has fewer") {
  Dataset data = points(20);
  data.arrays.emplace_back("ids", Array(i64, {20}));
  nn::Linear net(2, 2);
  optim::SGD sgd;
  CHECK_NOTHROW(Trainer(net, cross_entropy, sgd).fit(data, points(10), options()));
}

TEST_CASE("the loss of a batch knows the mode, and hyper-parameters of yours") {
  nn::Linear net(2, 1);
  net.weight.set_values(std::vector<float>{0, 0});
  net.bias.set_values(std::vector<float>{0});
  optim::SGD sgd({.lr = 0});
  Hyper factor("factor", 3);
  Trainer trainer(net, [&](const Tensors& batch) { return mean(square(net(batch["x"]) + (net.training() ? 1.0 : 2.0))) * factor; }, sgd);
  std::vector<double> seen;
  trainer.after_step([&](TrainingState& training) {
    seen.push_back(training.loss());
    factor = 5;
  });
  const History history = trainer.fit(points(16), points(8), {.batch = 8, .log = "none"});
  CHECK(seen == std::vector<double>{3, 5});
  CHECK(history.last().test_loss == 20);
}

TEST_CASE("what a loss of a batch asks for in vain is said with its line") {
  Two net;
  optim::SGD sgd;
  const Dataset data = pairs(10);
  std::string at;
  const auto fails = [&](const auto& loss, const auto& why) { CHECK_THROWS_WITH(Trainer(net, loss, sgd).fit(data, options()), why); };
  fails(
      [&](const Tensors& batch) {
        at = line(1);
        return mean(batch["lefd"]);
      },
      contains_text("there is no tensor 'lefd'; there are 'left', 'right', 'mask', 'weight', 'target'") &&
          contains_text("did you mean 'left'") && contains_text("batch_loss_test.cpp"));
  fails([](const Tensors& batch) { return mean(batch["left"] * batch["right"]); },
        contains_text("the shapes do not broadcast") && contains_text("f32[8,3], f32[8,2]") && contains_text("batch_loss_test.cpp"));
  fails([](const Tensors& batch) { return mse_loss(batch["left"], batch["mask"]); }, contains_text("batch_loss_test.cpp"));
  fails([](const Tensors& batch) { return batch["weight"]; }, contains_text("the loss must be a floating scalar, not f32[8]"));
  // The short form needs both of its names.
  const std::string here = line(1);
  CHECK_THROWS_WITH(Trainer(nn::Linear(3, 1), mse_loss, sgd).fit(data, options()),
                    contains_text("there is no tensor 'x'; there are 'left'") && contains_text(here));
  Dataset no_targets = points(10);
  no_targets.targets = Array();
  CHECK_THROWS_WITH(Trainer(nn::Linear(2, 2), cross_entropy, sgd).fit(no_targets, options()), contains_text("there is no tensor 'y'"));

  nn::Linear forgotten(1, 1);
  fails([&](const Tensors& batch) { return mean(forgotten(net(batch["left"], batch["right"]))); },
        contains_text("the loss uses 'weight' at ") && contains_text("batch_loss_test.cpp") &&
            contains_text("none of the model's parameters()"));

  using Loss = std::function<Tensor(const Tensors&)>;
  CHECK_THROWS_WITH(Trainer(net, Loss(), sgd), contains_text("the loss is a null function, at " + line()));
}

TEST_CASE("labels of a batch are looked at before it trains") {
  Dataset data = points(10);
  data.targets.set(7, 5);
  nn::Linear net(2, 2);
  optim::SGD sgd;
  CHECK_THROWS_WITH(Trainer(
                        net, [&](const Tensors& batch) { return cross_entropy(net(batch["x"]), batch["y"]); }, sgd)
                        .fit(data, options()),
                    contains_text("sample 7 of data set 'points' has the class 5, but the model gives 2 classes"));
  // An array that is called so is the targets, too.
  Dataset named{.inputs = data.inputs, .arrays = {{"y", data.targets}}};
  named.name = "named";
  CHECK_THROWS_WITH(Trainer(net, cross_entropy, sgd).fit(named, options()), contains_text("sample 7 of data set 'named' has the class 5"));
}

TEST_CASE("micro_batches of tensors by name") {
  const Dataset data = pairs(10);
  manual_seed(5);
  Two net;
  const auto gradient = [&](int64_t parts) {
    Graph graph("parts");
    std::vector<std::pair<std::string, Tensor>> inputs;
    for (const auto& [name, array] : data.arrays) inputs.emplace_back(name, graph.input(name, array.dtype(), array.shape()));
    const Tensor loss = micro_batches(inputs, parts, [&](const Tensors& batch) { return weighted(net, batch); });
    graph.output("loss", loss);
    graph.output("gradient", gradients<1>(loss, {net.left.weight})[0]);
    Step step = compile(graph, Target::cpu());
    std::vector<Feed> feeds;
    for (const auto& [name, array] : data.arrays) feeds.push_back({name, array});
    const Results results = step.run(feeds);
    std::vector<double> all{results["loss"].item()};
    for (const float g : results["gradient"].view<float>()) all.push_back(g);
    return all;
  };
  weft::testing::require_close(gradient(4), gradient(1), 1e-5);
  Graph graph("refused");
  const Tensor a = graph.input("a", f32, {4}), b = graph.input("b", f32, {3});
  const auto sum_of_a = [](const Tensors& batch) { return sum(batch["a"]); };
  CHECK_THROWS_WITH(micro_batches(Tensors({{"a", a}, {"b", b}}), 2, sum_of_a),
                    contains_text("axis 0 of equal length") && contains_text(line()));
  CHECK_THROWS_WITH(micro_batches(Tensors(), 2, sum_of_a), contains_text("a batch has at least one tensor"));
}
