// A checkpoint's metadata may say anything. What cannot be is refused, and then nothing has changed.

#include <string>

#include "weft/tests/frontend/support.h"
#include "weft/tests/process.h"

using namespace weft;
using test::TempDir;

namespace {

std::string with(std::string text, const std::string& from, const std::string& to) {
  INFO(text << "\nhas no " << from);
  REQUIRE(text.find(from) != std::string::npos);
  return text.replace(text.find(from), from.size(), to);
}

void rewrite(const SafeTensors& file, const std::string& path, const std::string& key, const std::string& text) {
  auto metadata = file.metadata;
  metadata[key] = text;
  std::vector<std::pair<std::string, const Array*>> tensors;
  for (const auto& [name, array] : file.tensors) tensors.emplace_back(name, &array);
  write_safetensors(path, tensors, metadata);
}

/// What a run is made of, after a step and with something of everything in its file.
struct Run {
  nn::Linear net{2, 2};
  optim::Adam adam, extra{{.lr = 0.5}};
  std::optional<optim::StepLR> steps;
  std::optional<optim::ReduceLROnPlateau> plateau;
  std::optional<AveragedWeights> average;
  std::optional<EarlyStopping> stopping;
  std::optional<Checkpoint> all;

  explicit Run(double fill) {
    for (int64_t i = 0; i < 4; ++i) net.weight.array().set(i, fill);
    adam.add_group("head", {net.bias}, extra);
    steps.emplace(adam, optim::StepOptions{.step_size = 2});
    plateau.emplace(adam);
    average.emplace(net.parameters(), AverageOptions{.decay = 0.5});
    stopping.emplace(net, 3);
    Graph graph("step");
    const Tensor loss = graph.output("loss", sum(net.forward(graph.input("x", f32, {1, 2}))));
    Step step = compile(training_step(graph, loss, net.parameters(), adam), Target::cpu());
    const std::vector<float> x{1, 2};
    step({{"x", x}});
    average->update();
    stopping->step(fill);
    plateau->step(fill);
    all.emplace(net);
    all->add(adam).add(*steps).add(*plateau).add(*average).add(*stopping);
  }

  std::string load(const std::string& path) {
    try {
      all->load(path);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }
};

const SafeTensors& content(const std::string& path) {
  static SafeTensors file;
  file = read_safetensors(path);
  return file;
}

}  // namespace

TEST_CASE("checkpoint: numbers that cannot be are refused before anything changes") {
  const TempDir dir;
  Run(1).all->save(dir / "good");
  const SafeTensors good = content(dir / "good");
  const std::string weft = good.metadata.at("weft");
  Run run(2);
  run.all->save(dir / "before");
  const std::string lr = "\"adam.lr\":\"0.001\"", count = "\"bias\":1";
  INFO(weft);
  const std::string lies[] = {
      // an optimizer's
      with(weft, lr, "\"adam.lr\":\"-1\""),
      with(weft, lr, "\"adam.lr\":\"nan\""),
      with(weft, lr, "\"adam.lr\":\"1e999\""),
      with(weft, "\"initial_lr\":\"0.001\"", "\"initial_lr\":\"-0.5\""),
      with(weft, "\"initial_lr\":\"0.001\"", "\"initial_lr\":\"nan\""),
      with(weft, "\"steps\":1", "\"steps\":9007199254740993"),
      with(weft, "\"steps\":1", "\"steps\":9223372036854775807"),
      with(weft, "\"steps\":1", "\"steps\":1.5"),
      with(weft, "\"stream\":", "\"stream\":-"),
      with(weft, "\"stream\":", "\"stream\":0.5,\"s\":"),
      with(weft, "\"stream\":", "\"stream\":1e300,\"s\":"),
      with(weft, "\"stream\":", "\"stream\":\"1\",\"s\":"),
      // of its parameters
      with(weft, count, "\"bias\":-1"),
      with(weft, count, "\"bias\":18446744073709551615"),
      with(weft, count, "\"other\":1"),
      with(weft, "\"counts\":{\"bias\":1,\"weight\":1}", "\"counts\":[1,1]"),
      with(weft, "\"counts\":{\"bias\":1,\"weight\":1}", "\"counts\":1"),
      with(weft, "\"counts\":{\"bias\":1,\"weight\":1}", "\"counts\":{}"),
      // a schedule's, a plateau's, an average's, and early stopping's
      with(weft, "[\"0\",", "[\"-1\","),
      with(weft, "[\"0\",", "[\"nan\","),
      with(weft, "[\"0\",", "[\"1e30\","),
      with(weft, "[\"0\",", "[\"0.5\","),
      with(weft, "[\"0\",\"0.001\"", "[\"0\",\"-0.001\""),
      with(weft, "[\"0\",\"0.001\"", "[\"0\",\"nan\""),
      with(weft, "[\"1\",\"0\",\"0\"]", "[\"1\",\"1e19\",\"0\"]"),
      with(weft, "[\"1\",\"0\",\"0\"]", "[\"1\",\"0\",\"-1\"]"),
      with(weft, "[\"1\",\"0\",\"0.5\"]", "[\"nan\",\"0\",\"0.5\"]"),
      with(weft, "[\"1\",\"0\",\"0.5\"]", "[\"1\",\"2\",\"0.5\"]"),
      with(weft, "[\"1\",\"0\",\"0.5\"]", "[\"0\",\"1\",\"0.5\"]"),
      with(weft, "[\"1\",\"0\",\"0.5\"]", "[\"1\",\"0\",\"2\"]"),
      with(weft, "[\"1\",\"1\",\"1\"]", "[\"1\",\"7\",\"1\"]"),
      with(weft, "[\"1\",\"1\",\"1\"]", "[\"1\",\"1\",\"inf\"]"),
      with(weft, "[\"1\",\"1\",\"1\"]", "[\"1\",\"1\"]"),
      with(weft, "[\"1\",\"1\",\"1\"]", "{\"a\":\"1\",\"b\":\"1\",\"c\":\"1\"}"),
  };
  for (const std::string& lie : lies) {
    INFO(lie);
    rewrite(good, dir / "bad", "weft", lie);
    CHECK_THAT(run.load(dir / "bad"), contains_text("'" + dir / "bad" + "'"));
    run.all->save(dir / "after");
    const SafeTensors before = content(dir / "before"), after = content(dir / "after");
    CHECK(before.metadata == after.metadata);
    for (const auto& [name, array] : before.tensors)
      CHECK(std::equal(array.data(), array.data() + array.bytes(), after.tensors.at(name).data()));
  }
  CHECK(run.load(dir / "good").empty());
}

TEST_CASE("a trainer's checkpoint: counts that cannot stand beside each other are refused") {
  const TempDir dir;
  const Dataset data{.inputs = Array(f32, {4, 2}), .targets = Array(i64, {4}), .name = "zeros"};
  const auto fit = [&](const std::string& resume, const std::string& checkpoint, int64_t max_steps) -> std::string {
    nn::Linear net(2, 2);
    optim::SGD sgd({.lr = 0.1});
    FitOptions options{.epochs = 9,
                       .batch = 1,
                       .stop = {.max_steps = max_steps, .patience = 8},
                       .checkpoints = {.path = checkpoint, .resume = resume},
                       .log = "none"};
    try {
      Trainer(net, cross_entropy, sgd).fit(data, data, options);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  REQUIRE(fit("", dir / "good", 6).empty());
  const SafeTensors good = content(dir / "good");
  const std::string training = good.metadata.at("weft.training"), weft = good.metadata.at("weft");
  INFO(training << weft);
  const auto check = [&](const std::string& key, const std::string& text, const std::string& why) {
    rewrite(good, dir / "bad", key, text);
    const std::string said = fit(dir / "bad", "", 7);
    CHECK_THAT(said, contains_text("'" + dir / "bad" + "'"));
    CHECK_THAT(said, contains_text(why));
  };
  const std::string batches = "\"batches\":2", steps = "\"steps\":6", samples = "\"samples\":2";
  check("weft.training", with(training, batches, "\"batches\":4"), "they count 4 batches of an epoch that has 4");
  check("weft.training", with(training, batches, "\"batches\":9007199254740992"), "of an epoch that has 4");
  check("weft.training", with(training, batches, "\"batches\":1"), "they count 6 steps, but 1 epochs and 1 batches");
  check("weft.training", with(training, steps, "\"steps\":9007199254740992"), "steps, but 1 epochs");
  check("weft.training", with(training, steps, "\"steps\":9223372036854775807"), "is no count");
  check("weft.training", with(training, samples, "\"samples\":5"), "they count 5 samples of an epoch that has 4");
  check("weft.training", with(training, "\"metrics\":[[false,[[", "\"metrics\":[[false,[[\"1\","),
        "something else for the metrics accuracy");
  check("weft.training", with(training, "\"metrics\":[[", "\"metrics\":[],\"m\":[["),
        "something else for the metrics accuracy after 2 samples");
  check("weft.training", with(training, "\"metrics\":[[", "\"metrics\":3,\"m\":[["), "is no list");
  check("weft.training", with(training, "\"epochs\":[[", "\"epochs\":[],\"e\":[["), "they count 6 steps, but 0 epochs");
  check("weft.training", with(training, "\"epochs\":[[", "\"epochs\":1,\"e\":[["), "is no list");
  check("weft.training", with(training, "\"kept\":[]", "\"kept\":3"), "is no list");
  check("weft.training", with(training, "\"terms\":[[", "\"terms\":{},\"t\":[["), "is no list");
  check("weft", with(weft, "\"1\",\"1\"]", "\"5\",\"9\"]"), "after 1 epochs, number 5 cannot have the smallest test loss");
  rewrite(good, dir / "bad", "weft", weft);
  CHECK(fit(dir / "bad", "", 7).empty());
}
