// Mixed precision: products in bf16, parameters and losses in f32, beside PyTorch's autocast (tests/expected/autocast.py).

#include <filesystem>
#include <set>

#include "weft/frontend/optim/core.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/ops/expected.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
using namespace weft::testing;

namespace {

const Target& mixed() {
  static const Target target = Target::cpu({.autocast = bf16});
  return target;
}

uint32_t mix(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7FEB352D;
  x = (x ^ (x >> 15)) * 0x846CA68B;
  return x ^ (x >> 16);
}
double draw(int64_t n, int64_t i) { return mix(mix(static_cast<uint32_t>(i)) + static_cast<uint32_t>(n)) / 4294967296.0; }

/// The net of the script, from its weights.
struct Training {
  Training(const json& file, const Target& target)
      : net(nn::Conv2d(3, file["channels"], 3, {.padding = 1}), nn::ReLU(), nn::MaxPool2d(2), nn::Flatten(),
            nn::Linear(file["channels"].get<int64_t>() * 16, file["hidden"]), nn::LayerNorm({file["hidden"].get<int64_t>()}), nn::ReLU(),
            nn::Linear(file["hidden"], 10)),
        shape(file["shape"].get<Dims>()) {
    int64_t number = 0;
    double bound = 0;
    std::vector<std::string> gradients;
    for (auto [name, parameter] : net.named_parameters()) {
      gradients.push_back(name + ".grad");
      if (name.starts_with("5.")) continue;
      if (parameter.shape().rank() > 1) bound = 1 / std::sqrt(static_cast<double>(parameter.shape().numel() / parameter.shape()[0]));
      ++number;
      for (int64_t i = 0; i < parameter.shape().numel(); ++i)
        parameter.array().set(i, static_cast<float>((2 * draw(number, i) - 1) * bound));
    }
    Graph graph("net");
    const Tensor x = graph.input("x", f32, shape), y = graph.input("y", i64, {shape[0]});
    const Tensor loss = graph.output("loss", cross_entropy(net(x), y));
    step.emplace(compile(training_step(graph, loss, net.parameters(), sgd, {.keep = gradients}), target));
  }

  Results operator()(int64_t s) {
    const int64_t batch = shape[0], pixels = shape.numel() / batch;
    Array images(f32, shape), labels(i64, {batch});
    for (int64_t i = 0; i < batch; ++i) labels.set(i, std::floor(10 * draw(1000 + s, i)));
    for (int64_t i = 0; i < shape.numel(); ++i) {
      const auto label = static_cast<int64_t>(labels.at(i / pixels));
      images.set(i, static_cast<float>(4 * (draw(2000 + label, i % pixels) - 0.5) + draw(3000 + s, i) - 0.5));
    }
    return (*step)({{"x", images}, {"y", labels}});
  }

  optim::SGD sgd{{.lr = 0.02}};
  nn::Sequential net;
  Shape shape;
  std::optional<Step> step;
};

std::vector<double> elements(const Array& a) {
  std::vector<double> all;
  for (int64_t i = 0; i < a.shape().numel(); ++i) all.push_back(a.at(i));
  return all;
}

/// The length of the difference in units of the expected one's.
double apart(const std::vector<double>& got, const std::vector<double>& want) {
  double length = 0, difference = 0;
  for (size_t i = 0; i < want.size(); ++i) length += want[i] * want[i], difference += (got[i] - want[i]) * (got[i] - want[i]);
  return std::sqrt(difference / length);
}

/// How often `part` stands in the text.
int count(const std::string& text, const std::string& part) {
  int n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

/// The lines of the text with `part` in them.
std::string lines_with(const std::string& text, const std::string& part) {
  std::istringstream lines(text);
  std::string found;
  for (std::string line; std::getline(lines, line);)
    if (line.find(part) != std::string::npos) found += line + "\n";
  return found;
}

Dataset images(int64_t count) {
  Array x(f32, {count, 1, 4, 4}), y(i64, {count});
  for (int64_t i = 0; i < count; ++i) {
    y.set(i, static_cast<double>(i % 3));
    for (int64_t j = 0; j < 16; ++j) x.set(16 * i + j, (j % 3 == i % 3 ? 1 : 0) + draw(i, j) - 0.5);
  }
  return {.inputs = std::move(x), .targets = std::move(y), .name = "stripes"};
}

}  // namespace

TEST_CASE("autocast: losses and gradients are PyTorch's, within what bf16 rounds") {
  const json file = read_expected("autocast");
  Training training(file, mixed()), exact(file, Target::cpu());
  for (size_t s = 0; s < file["steps"].get<size_t>(); ++s) {
    INFO("step " << s);
    const Results r = training(static_cast<int64_t>(s)), e = exact(static_cast<int64_t>(s));
    CHECK(r["loss"].dtype() == f32);
    CHECK(r["loss"].item() == Approx(file["bf16"]["losses"][s].get<double>()).margin(2e-2));
    CHECK(r["loss"].item() == Approx(e["loss"].item()).margin(2e-2));
    CHECK(e["loss"].item() == Approx(file["f32"]["losses"][s].get<double>()).margin(1e-4));
    if (s > 0) continue;
    for (const auto& [name, parameter] : training.net.named_parameters()) {
      INFO(name);
      const Array gradient = r[name + ".grad"].array();
      CHECK(gradient.dtype() == f32);
      const auto stored = [&](const char* how) { return file[how]["gradients"][name]["data"].get<std::vector<double>>(); };
      // PyTorch's own is so far from what it computes in f32.
      const double theirs = apart(stored("bf16"), stored("f32")), ours = apart(elements(gradient), stored("f32"));
      INFO(ours << ", PyTorch's: " << theirs);
      CHECK(ours <= 2 * theirs);
      CHECK(apart(elements(gradient), stored("bf16")) <= 3 * theirs);
      CHECK(apart(elements(e[name + ".grad"].array()), stored("f32")) <= 1e-5);
    }
  }
}

TEST_CASE("autocast: every product and convolution of the step is bf16, forward and backward, and nothing that lives on is") {
  const Training training(read_expected("autocast"), mixed());
  const std::string before = training.step->ir("recorded"), after = training.step->ir("training_step");
  CHECK(before.find("bf16") == std::string::npos);
  for (const char* op : {" matmul(", " convolution(", " convolution_weight("}) {
    INFO(lines_with(after, op));
    CHECK(count(after, op) > 0);
    CHECK(count(lines_with(after, op), ": bf16[") == count(after, op));
  }
  CHECK(count(after, " matmul(") == 6);
  for (const char* op : {" cross_entropy(", " standardize("}) CHECK(count(lines_with(after, op), "bf16") == 0);
  for (const char* kind : {"input ", "output "}) CHECK(lines_with(after, kind).find("bf16") == std::string::npos);
  // A weight is cast once.
  CHECK(count(training.step->ir("simplify"), R"(cast(%4.weight) {dtype = bf16})") == 1);
}

TEST_CASE("autocast: a loop's products are bf16, its weights are cast once before it, and it learns as in f32") {
  std::string recorded, text;
  const auto losses = [&](const Target& target) {
    manual_seed(3);
    nn::LSTM lstm(8, 16);
    nn::Linear head(16, 4);
    std::vector<Parameter> parameters = lstm.parameters();
    for (const Parameter& p : head.parameters()) parameters.push_back(p);
    optim::Adam adam({.lr = 1e-2});
    Graph g("series");
    const Tensor x = g.input("x", f32, {6, 5, 8}), y = g.input("y", f32, {6, 5, 4});
    const Tensor loss = g.output("loss", mse_loss(head(lstm(x).output), y));
    Step step = compile(training_step(g, loss, parameters, adam), target);
    recorded = step.ir("autocast"), text = step.ir("simplify");
    Array inputs(f32, x.shape()), wanted(f32, y.shape());
    for (int64_t i = 0; i < inputs.shape().numel(); ++i) inputs.set(i, 2 * draw(1, i) - 1);
    for (int64_t i = 0; i < wanted.shape().numel(); ++i) wanted.set(i, draw(2, i));
    std::vector<double> all;
    for (int i = 0; i < 30; ++i) all.push_back(step({{"x", inputs}, {"y", wanted}})["loss"].item());
    return all;
  };
  const std::vector<double> exact = losses(Target::cpu()), low = losses(mixed());
  for (size_t i = 0; i < exact.size(); ++i) CHECK(std::abs(low[i] - exact[i]) < 0.02 * exact[0]);
  CHECK(low.back() < 0.8 * low.front());
  INFO(recorded << text);
  // What is further in than the program's ops is in a loop: a product forward and one back. Those of the weights' gradients are behind.
  CHECK(count(lines_with(lines_with(recorded, "    "), "matmul"), ": bf16[5,64]") == 1);
  CHECK(count(lines_with(text, "    "), " = matmul(") == 2);
  CHECK(count(lines_with(lines_with(text, "    "), "cast("), "[64,16]") == 0);
}

TEST_CASE("autocast: only bf16; threads change nothing of it") {
  CHECK_THROWS_WITH(Target::cpu({.autocast = f32}), contains_text("Target::cpu: .autocast must be bf16, not f32"));
  CHECK_THROWS_WITH(Target::cpu({.autocast = i64}), contains_text(".autocast must be bf16, not i64"));
  const Training training(read_expected("autocast"), mixed().with_threads(1));
  CHECK(training.step->ir("autocast").find("bf16") != std::string::npos);
}

TEST_CASE("autocast: kept programs of the same graph with and without it are two") {
  const test::TempDir dir;
  const auto compiled = [&](const Target& target) {
    const int64_t before = compiled_programs();
    Graph g("product");
    const Tensor x = g.input("x", f32, {4, 4});
    g.output("y", exp(matmul(x, x)));
    const Step step = compile(g, target, {.cache = dir / "cache"});
    return compiled_programs() - before;
  };
  CHECK(compiled(Target::cpu()) == 1);
  CHECK(compiled(mixed()) == 1);
  CHECK(compiled(mixed()) == 0);
  CHECK(compiled(mixed().with_threads(1)) == 0);
  CHECK(compiled(Target::cpu()) == 0);
}

TEST_CASE("autocast: gradients that were recorded are products in bf16 too, updates and outputs f32") {
  Parameter w("w", Shape{3, 2}, std::vector<float>{0.5f, -1, 0.25f, 2, 1, -0.5f});
  Graph g("line");
  const Tensor x = g.input("x", f32, {4, 3}), y = g.output("y", matmul(x, w));
  const Tensor loss = g.output("loss", mean(y * y));
  g.update(w, w - 0.5 * gradients<1>(loss, {w})[0]);
  Step step = compile(g, mixed());
  const std::string text = step.ir("autocast");
  CHECK(count(text, " matmul(") >= 2);
  CHECK(count(lines_with(text, " matmul("), ": bf16[") == count(text, " matmul("));
  const Results r = step({{"x", std::vector<float>{1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1}}});
  CHECK(r["y"].dtype() == f32);
  CHECK(r["y"].values<float>() == std::vector<float>{0.5f, -1, 0.25f, 2, 1, -0.5f, 1.75f, 0.5f});
  CHECK(w.dtype() == f32);
}

TEST_CASE("autocast: every pass behind it computes what it made") {
  manual_seed(2);
  nn::Sequential net(nn::Linear(6, 8), nn::LayerNorm({8}), nn::GELU(), nn::Linear(8, 3));
  optim::SGD sgd({.lr = 0.1, .momentum = 0.9});
  Graph g("net");
  const Tensor x = g.input("x", f32, {4, 6}), y = g.input("y", i64, {4});
  const Tensor loss = g.output("loss", cross_entropy(net(x), y));
  const Recorded recorded = training_step(g, loss, net.parameters(), sgd);
  CHECK_NOTHROW(compile(recorded, mixed(), {.validate = true}));
}

TEST_CASE("autocast: f64 stays f64") {
  Graph g("double");
  const Tensor x = g.input("x", f64, {2, 2});
  g.output("y", sum(matmul(x, x)));
  CHECK(compile(g, mixed()).ir("autocast").find("bf16") == std::string::npos);
}

TEST_CASE("autocast: a Trainer trains, evaluates and goes on with it as in f32") {
  const Dataset train = images(96), test = images(48);
  const auto fit = [&](const Target& target, int64_t accumulate) {
    manual_seed(5);
    nn::Sequential net(nn::Conv2d(1, 8, 3, {.padding = 1}), nn::BatchNorm2d(8), nn::ReLU(), nn::Flatten(), nn::Dropout(0.1),
                       nn::Linear(128, 3));
    optim::Adam adam({.lr = 5e-3});
    Trainer trainer(net, cross_entropy, adam);
    const History history =
        trainer.fit(train, test, {.epochs = 3, .batch = 16, .accumulate = accumulate, .log = "none", .program = {.target = target}});
    return std::pair{history.last().train_loss, history.last().test_loss};
  };
  for (const int64_t accumulate : {1, 2}) {
    const auto [want, want_test] = fit(Target::cpu(), accumulate);
    const auto [got, got_test] = fit(mixed(), accumulate);
    CHECK(got == Approx(want).margin(2e-2));
    CHECK(got_test == Approx(want_test).margin(2e-2));
    CHECK(got != want);
  }
}
