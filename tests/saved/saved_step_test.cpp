// A step that was saved and loaded computes what the compiled one does, to the bit, and so do both after a checkpoint of either.

#include <cstring>
#include <functional>

#include "weft/backends/saved/load_step.h"
#include "weft/runtime/safetensors.h"
#include "weft/runtime/step_file.h"
#include "weft/support/philox.h"
#include "weft/tests/catch.h"
#include "weft/tests/runtime/temp_files.h"
#include "weft/weft.h"

using namespace weft;
using test::TempDir;

namespace {

struct Perceptron : nn::Module {
  nn::Linear fc1 = add("fc1", nn::Linear(40, 32));
  nn::Linear fc2 = add("fc2", nn::Linear(32, 10));
  Tensor forward(Tensor x) override { return fc2(relu(fc1(flatten(x)))); }
};

struct Norms : nn::Module {
  nn::Linear fc1 = add("fc1", nn::Linear(40, 24));
  nn::BatchNorm1d norm = add("norm", nn::BatchNorm1d(24));
  nn::Dropout drop = add("drop", nn::Dropout(0.3));
  nn::Linear fc2 = add("fc2", nn::Linear(24, 10));
  Tensor forward(Tensor x) override { return fc2(drop(relu(norm(fc1(flatten(x)))))); }
};

struct Pictures : nn::Module {
  nn::Conv2d conv1 = add("conv1", nn::Conv2d(1, 8, 3, {.padding = 1}));
  nn::Conv2d conv2 = add("conv2", nn::Conv2d(8, 16, 3, {.padding = 1}));
  nn::Linear fc = add("fc", nn::Linear(16 * 2 * 2, 10));
  Tensor forward(Tensor x) override { return fc(flatten(max_pool2d(relu(conv2(max_pool2d(relu(conv1(x)), 2))), 2))); }
};

/// The pictures' rows, one a step.
struct Rows : nn::Module {
  nn::GRU gru = add("gru", nn::GRU(5, 6, {.num_layers = 2, .batch_first = true, .dropout = 0.25, .bidirectional = true}));
  nn::Linear fc = add("fc", nn::Linear(12, 10));
  Tensor forward(Tensor x) override { return fc(sum(gru(x.reshape({8, 8, 5})).output, 1)); }
};

/// A model, its optimizer and the step that trains it on 8 pictures.
struct Training {
  template <class Net>
  Training(Net, optim::Optimizer o, Shape picture) : optimizer(std::move(o)), extents(std::move(picture)) {
    manual_seed(3);
    auto net = std::make_shared<Net>();
    model = net;
    step.emplace(record(*net, true));
    evaluation.emplace(record(*net, false));
  }

  Step record(nn::Module& net, bool trains) {
    net.train(trains);
    Graph g(trains ? "train" : "evaluate");
    const Tensor x = g.input("x", f32, extents), y = g.input("y", i64, {8});
    const Tensor logits = net(x);
    const Tensor loss = g.output("loss", cross_entropy(logits, y));
    g.output("logits", logits);
    if (!trains) return compile(g, Target::cpu());
    return compile(training_step(g, loss, net.parameters(), optimizer), Target::cpu());
  }

  Checkpoint checkpoint() { return std::move(Checkpoint(*model).add(optimizer)); }

  std::vector<float> x(int n) const {
    std::vector<float> all(static_cast<size_t>(extents.numel()));
    for (size_t i = 0; i < all.size(); ++i)
      all[i] = static_cast<float>(uniform_from_bits(random_bits(5, 1, static_cast<uint32_t>(n), i)) * 2 - 1);
    return all;
  }
  std::vector<int64_t> y(int n) const {
    std::vector<int64_t> all;
    for (int i = 0; i < 8; ++i) all.push_back((i * 3 + n) % 10);
    return all;
  }

  optim::Optimizer optimizer;
  Shape extents;
  std::shared_ptr<nn::Module> model;
  std::optional<Step> step, evaluation;
};

/// Their loss and logits at this batch are the same, and so is all that they have learnt.
void check_equal_steps(Training& compiled, SavedStep& saved, int from, int to) {
  for (int n = from; n < to; ++n) {
    const auto x = compiled.x(n);
    const auto y = compiled.y(n);
    const Results want = (*compiled.step)({{"x", x}, {"y", y}});
    saved({{"x", x}, {"y", y}});
    INFO("step " << n);
    CHECK(saved.item("loss") == want["loss"].item());
    const auto logits = want["logits"].view<float>();
    const auto got = saved.output("logits").values<float>();
    CHECK(std::memcmp(got.data(), logits.data(), logits.size_bytes()) == 0);
  }
}

void check_equal_tensors(const Training& compiled, const SavedStep& saved) {
  for (const auto& [name, parameter] : compiled.model->state_dict()) {
    const std::vector<std::string> all = saved.tensors();
    if (std::find(all.begin(), all.end(), name) == all.end()) continue;
    INFO(name);
    const Array& want = parameter.array();
    CHECK(std::memcmp(saved.tensor(name).data(), want.data(), want.bytes()) == 0);
  }
}

/// Saves and loads the step and goes on from checkpoints on either side.
void check_saved(const std::function<Training()>& make) {
  const TempDir dir;
  Training compiled = make();
  compiled.step->save(dir / "step.weftprog");
  Checkpoint(*compiled.model).save(dir / "start.safetensors");
  SavedStep saved = load_step(dir / "step.weftprog");
  CHECK(saved.trains());
  saved.load(dir / "start.safetensors");
  check_equal_steps(compiled, saved, 0, 6);
  check_equal_tensors(compiled, saved);

  // The compiled step's checkpoint, into a step from a file.
  compiled.checkpoint().save(dir / "compiled.safetensors");
  saved.save(dir / "saved.safetensors");
  SavedStep again = load_step(dir / "step.weftprog");
  again.load(dir / "compiled.safetensors");
  CHECK(again.steps() == 6);
  check_equal_steps(compiled, again, 6, 10);
  check_equal_tensors(compiled, again);

  // And the other way.
  Training other = make();
  other.checkpoint().load(dir / "saved.safetensors");
  check_equal_steps(other, saved, 6, 10);
  check_equal_tensors(other, saved);
}

}  // namespace

TEST_CASE("saved step: a perceptron with plain SGD") {
  check_saved([] { return Training(Perceptron(), optim::SGD({.lr = 0.1}), {8, 1, 8, 5}); });
}

TEST_CASE("saved step: a perceptron with Adam and clipped gradients") {
  check_saved([] {
    optim::Optimizer adam = optim::Adam({.lr = 1e-2});
    adam.clip_norm = 0.5;
    return Training(Perceptron(), adam, {8, 1, 8, 5});
  });
}

TEST_CASE("saved step: batch norm's buffers, and dropout's masks") {
  check_saved([] { return Training(Norms(), optim::AdamW({.lr = 1e-2}), {8, 1, 8, 5}); });
}

TEST_CASE("saved step: loops over the steps of sequences") {
  check_saved([] { return Training(Rows(), optim::RMSprop({.lr = 1e-2}), {8, 1, 8, 5}); });
}

TEST_CASE("saved step: convolutions with momentum") {
  check_saved([] { return Training(Pictures(), optim::SGD({.lr = 0.05, .momentum = 0.9, .nesterov = true}), {8, 1, 8, 8}); });
}

TEST_CASE("saved step: a step that evaluates what another trains") {
  const TempDir dir;
  Training compiled(Norms(), optim::Adam({.lr = 1e-2}), {8, 1, 8, 5});
  compiled.evaluation->save(dir / "evaluate.weftprog");
  const auto x = compiled.x(0);
  const auto y = compiled.y(0);
  for (int i = 0; i < 3; ++i) (*compiled.step)({{"x", x}, {"y", y}});
  Checkpoint(*compiled.model).save(dir / "net.safetensors");
  SavedStep saved = load_step(dir / "evaluate.weftprog", {.threads = 1});
  CHECK(!saved.trains());
  CHECK(saved.name() == "evaluate");
  saved.load(dir / "net.safetensors");
  saved({{"x", x}, {"y", y}});
  CHECK(saved.item("loss") == (*compiled.evaluation)({{"x", x}, {"y", y}})["loss"].item());
}

TEST_CASE("saved step: numbers are set as the compiled step's are") {
  const TempDir dir;
  Training compiled(Norms(), optim::Adam({.lr = 1e-2}), {8, 1, 8, 5});
  compiled.step->save(dir / "step.weftprog");
  Checkpoint(*compiled.model).save(dir / "start.safetensors");
  SavedStep saved = load_step(dir / "step.weftprog");
  saved.load(dir / "start.safetensors");
  CHECK(saved.number("adam.lr") == 1e-2);
  check_equal_steps(compiled, saved, 0, 2);
  compiled.optimizer.learning_rate() = 3e-3;
  saved.set("adam.lr", 3e-3);
  check_equal_steps(compiled, saved, 2, 5);
  compiled.checkpoint().save(dir / "slower.safetensors");
  SavedStep again = load_step(dir / "step.weftprog");
  again.load(dir / "slower.safetensors");
  CHECK(again.number("adam.lr") == 3e-3);
  again.load(dir / "start.safetensors");  // parameters alone: numbers stay
  CHECK(again.number("adam.lr") == 3e-3);
  CHECK(again.steps() == 0);
  CHECK_THROWS_WITH(saved.set("adam.lr", -1), "adam.lr must lie in [0, inf], not be -1");
  CHECK_THROWS_WITH(saved.set("adam.rl", 1),
                    contains_text("step 'train' has no number 'adam.rl' (it has ") && contains_text("; did you mean 'adam.lr'"));
  CHECK_THROWS_WITH(saved.set("adam.weight_decay", 1), contains_text("adam.weight_decay was 0 when step 'train' was compiled"));
}

TEST_CASE("saved step: code for every instruction set gives the same bits") {
  const TempDir dir;
  Training compiled(Norms(), optim::Adam({.lr = 1e-2}), {8, 1, 8, 5});
  Checkpoint(*compiled.model).save(dir / "start.safetensors");
  compiled.step->save(dir / "all.weftprog");
  const StepData all = read_step(dir / "all.weftprog");
  REQUIRE(!all.program.code.empty());
  std::vector<double> losses;
  for (const std::string isa : {"sse4", "avx2", "avx512"}) {
    compiled.step->save(dir / (isa + ".weftprog"), {.machines = {isa}});
    std::optional<SavedStep> saved;
    try {
      saved.emplace(load_step(dir / (isa + ".weftprog")));
    } catch (const Error& e) {
      CHECK_THAT(e.what(), contains_text("the program has code for " + isa + ", of which this machine"));
      continue;
    }
    saved->load(dir / "start.safetensors");
    for (int n = 0; n < 4; ++n) (*saved)({{"x", compiled.x(n)}, {"y", compiled.y(n)}});
    losses.push_back(saved->item("loss"));
  }
  REQUIRE(!losses.empty());
  for (const double loss : losses) CHECK(loss == losses[0]);
  CHECK_THROWS_WITH(compiled.step->save(dir / "x.weftprog", {.machines = {"avx3"}}),
                    "unknown instruction set \"avx3\"; known are sse4, avx2, avx512");
}

TEST_CASE("saved step: what it is fed is checked as in the compiled step") {
  const TempDir dir;
  nn::EmbeddingBag bag(10, 4);
  Graph g("bags");
  const Tensor index = g.input("index", i64, {4}), offsets = g.input("offsets", i64, {3});
  g.output("y", bag(index, offsets));
  compile(g, Target::cpu()).save(dir / "bags.weftprog");
  Checkpoint(bag).save(dir / "bags.safetensors");
  SavedStep saved = load_step(dir / "bags.weftprog");
  saved.load(dir / "bags.safetensors");
  const std::vector<int64_t> four{0, 1, 2, 9};
  CHECK_NOTHROW(saved({{"index", four}, {"offsets", std::vector<int64_t>{0, 1, 3}}}));
  CHECK_THROWS_WITH(saved({{"index", four}, {"offsets", std::vector<int64_t>{0, 3, 1}}}), contains_text("that ascend from 0"));
  CHECK_THROWS_WITH(saved({{"index", four}, {"offsets", std::vector<int64_t>{1, 2, 3}}}), contains_text("that ascend from 0"));
}

TEST_CASE("saved step: what is wrong is said before anything changes") {
  const TempDir dir;
  Training compiled(Perceptron(), optim::Adam({.lr = 1e-2}), {8, 1, 8, 5});
  compiled.step->save(dir / "step.weftprog");
  Checkpoint(*compiled.model).save(dir / "start.safetensors");
  SavedStep saved = load_step(dir / "step.weftprog");
  const auto x = compiled.x(0);
  const auto y = compiled.y(0);

  CHECK_THROWS_WITH(saved({{"x", x}, {"y", y}}),
                    contains_text("step 'train' has no elements of 'fc1.weight', 'fc1.bias', 'fc2.weight', 'fc2.bias'; load() a file"));
  CHECK_THROWS_WITH(saved.output("loss"), contains_text("has not run yet"));
  saved.load(dir / "start.safetensors");
  CHECK_THROWS_WITH(saved({{"x", x}}), contains_text("nothing is given for the input 'y' (i64[8], "));
  CHECK_THROWS_WITH(saved({{"x", x}, {"z", y}}), contains_text("step 'train' has no input 'z'"));
  CHECK_THROWS_WITH(saved({{"x", y}, {"y", y}}), contains_text("takes f32 elements, given i64"));
  CHECK_THROWS_WITH(saved({{"x", x}, {"y", std::vector<int64_t>(8, 10)}}), contains_text("indices below 10"));
  CHECK_THROWS_WITH(saved.tensor("fc3.weight"), contains_text("did you mean 'fc1.weight', 'fc2.weight'?"));
  CHECK_THROWS_WITH(saved.item("los"), contains_text("did you mean 'loss'"));
  CHECK(saved.steps() == 0);

  Training other(Norms(), optim::Adam({.lr = 1e-2}), {8, 1, 8, 5});
  Checkpoint(*other.model).save(dir / "other.safetensors");
  const std::vector<float> before(saved.tensor("fc1.bias").values<float>().begin(), saved.tensor("fc1.bias").values<float>().end());
  CHECK_THROWS_WITH(saved.load(dir / "other.safetensors"), contains_text("wrong: 'fc1.bias' is f32[24] in the file, but f32[32] here"));
  CHECK(std::equal(before.begin(), before.end(), saved.tensor("fc1.bias").values<float>().begin()));

  Training sgd(Perceptron(), optim::SGD({.lr = 1e-2}), {8, 1, 8, 5});
  (*sgd.step)({{"x", x}, {"y", y}});
  sgd.checkpoint().save(dir / "sgd.safetensors");
  CHECK_THROWS_WITH(saved.load(dir / "sgd.safetensors"), contains_text("it keeps the optimizer \"sgd\", not adam"));

  CHECK_THROWS_WITH(load_step(dir / "start.safetensors"), contains_text("is no program of weft's: it holds tensors, but no program"));
  CHECK_THROWS_WITH(load_step(dir / "none.weftprog"), contains_text("none.weftprog"));
  Graph g("line");
  g.output("y", g.input("x", f32, {1}) + 1);
  CHECK_THROWS_WITH(compile(g, Target::reference()).save(dir / "x.weftprog"), contains_text("programs for 'reference' cannot be saved"));
}

TEST_CASE("saved step: what else a checkpoint holds is kept, but for what a Trainer notes of its epochs") {
  const TempDir dir;
  Training compiled(Perceptron(), optim::Adam({.lr = 1e-2}), {8, 1, 8, 5});
  compiled.step->save(dir / "step.weftprog");
  Array extra = Array::of(Shape{2}, std::vector<float>{1, 2});
  Checkpoint checkpoint = compiled.checkpoint();
  checkpoint.add("mine", extra);
  checkpoint.notes = {{"author", "somebody"}, {"weft.training", "epoch 3"}};
  checkpoint.save(dir / "run.safetensors");
  SavedStep saved = load_step(dir / "step.weftprog");
  saved.load(dir / "run.safetensors");
  saved.save(dir / "again.safetensors");
  const SafeTensors again = read_safetensors(dir / "again.safetensors");
  REQUIRE(again.tensors.contains("mine"));
  CHECK(again.tensors.at("mine").at(1) == 2);
  CHECK(again.metadata.at("author") == "somebody");
  CHECK(!again.metadata.contains("weft.training"));
  CHECK_THROWS_WITH(saved.load(dir / "step.weftprog"), contains_text("is a program, and holds no parameters"));
}

TEST_CASE("saved step: parameters may be written in place of loaded") {
  const TempDir dir;
  Parameter w("w", {2.0f, 3.0f});
  Graph g("double");
  const Tensor x = g.input("x", f32, {2});
  g.output("y", x * w);
  Step step = compile(g, Target::cpu());
  step.save(dir / "step.weftprog");
  SavedStep saved = load_step(dir / "step.weftprog");
  saved.tensor("w") = Array::of(Shape{2}, std::vector<float>{2, 3});
  saved({{"x", std::vector<float>{5, 7}}});
  const auto y = saved.output("y").values<float>();
  CHECK(std::vector<float>(y.begin(), y.end()) == std::vector<float>{10, 21});
}

TEST_CASE("saved step: its text says what it is and reads back") {
  const TempDir dir;
  Training compiled(Pictures(), optim::SGD({.lr = 0.05, .momentum = 0.9}), {8, 1, 8, 8});
  compiled.step->save(dir / "step.weftprog");
  const StepData step = read_step(dir / "step.weftprog");
  const StepData again = parse_step_text(step_text(step));
  CHECK(again.inputs == step.inputs);
  CHECK(again.numbers == step.numbers);
  CHECK(again.counters == step.counters);
  CHECK(again.program.calls == step.program.calls);
  CHECK(step_text(again).size() > 1000);
}
