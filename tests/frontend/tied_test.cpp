// Tied weights: one parameter under several names, tied when the module is made or later.

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

/// A table that is the last layer's weight, too.
struct Language : nn::Module {
  explicit Language(DType dtype = f32)
      : emb(add("emb", nn::Embedding(4, 3, {.dtype = dtype}))), out(add("out", nn::Linear(3, 4, {.bias = false, .dtype = dtype}))) {
    out.weight = emb.weight;
  }
  Tensor forward(Tensor x) { return out(tanh(emb(x))); }
  nn::Embedding emb;
  nn::Linear out;
};

std::vector<std::string> names(const std::vector<std::pair<std::string, Parameter>>& all) {
  std::vector<std::string> list;
  for (const auto& [name, parameter] : all) list.push_back(name);
  return list;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("tied: an embedding and the last layer train as in torch") {
  const json file = testing::read_expected("frozen");
  for (const json& setting : file["cases"]) {
    INFO(setting["optimizer"] << " " << setting["options"].dump());
    Language net(f64);
    std::vector<double> start;
    const Array table = filled({4, 3}, 5);
    for (int64_t i = 0; i < 12; ++i) start.push_back(table.at(i));
    net.emb.weight.set_values(start);
    optim::Optimizer optimizer = testing::optimizer_of(setting);
    optimizer.clip_norm = 0.5;
    Graph g("language");
    const Tensor loss = g.output("loss", cross_entropy(net(g.input("x", i64, {5})), g.input("y", i64, {5})));
    Step step = compile(training_step(g, loss, net.parameters(), optimizer), Target::reference());
    const std::vector<int64_t> x{0, 1, 2, 3, 1}, y{1, 2, 3, 0, 2};
    for (size_t i = 0; i < setting["tied"]["losses"].size(); ++i) {
      CHECK(step({{"x", x}, {"y", y}})["loss"].item() == Approx(setting["tied"]["losses"][i].get<double>()).epsilon(1e-12));
      testing::require_close(net.out.weight.values<double>(), setting["tied"]["table"][i], 1e-10);
    }
  }
}

TEST_CASE("tied: a module has the parameter once, and PyTorch's state_dict both names") {
  Language net;
  CHECK(net.parameters().size() == 1);
  CHECK(names(net.named_parameters()) == Names{"emb.weight"});
  CHECK(names(net.state_dict()) == Names{"emb.weight", "out.weight"});
  CHECK(net.out.weight.is(net.emb.weight));
  CHECK(net.out.weight.name() == "emb.weight");
  CHECK(net.out.parameters()[0].is(net.emb.weight));
}

TEST_CASE("tied: after construction, on any copy of the module, in any container") {
  nn::Linear a(3, 3, {.bias = false}), b(3, 3, {.bias = false}), c(3, 3, {.bias = false});
  nn::Sequential net(a, nn::Tanh(), b, c);
  nn::Sequential copy = net;
  nn::Linear another = b;
  SECTION("two") {
    b.weight = a.weight;
    CHECK(copy.parameters().size() == 2);
    CHECK(another.weight.is(a.weight));
    CHECK(names(copy.state_dict()) == Names{"0.weight", "2.weight", "3.weight"});
  }
  SECTION("three, one after the other") {
    another.weight = c.weight = a.weight;
    CHECK(net.parameters().size() == 1);
    CHECK((b.weight.is(a.weight) && c.weight.is(a.weight)));
  }
  SECTION("the later ones first") {
    c.weight = b.weight;
    b.weight = a.weight;  // c keeps what b had
    CHECK(net.parameters().size() == 2);
    CHECK_FALSE(c.weight.is(b.weight));
  }
  SECTION("to a parameter of nobody's, which gets the name") {
    const Parameter free("free", Array(f32, {3, 3}));
    c.weight = free;
    CHECK(free.name() == "3.weight");
    CHECK(net.parameters()[2].is(free));
  }
  SECTION("and what is recorded afterwards uses it") {
    b.weight = c.weight = a.weight;
    Graph g("g");
    optim::SGD sgd({.lr = 0.1});
    const Tensor loss = mean(copy(g.input("x", f32, {2, 3})));
    CHECK(g.parameters().size() == 1);
    compile(training_step(g, loss, net.parameters(), sgd), Target::reference())({{"x", std::vector<float>(6, 1)}});
  }
}

TEST_CASE("tied: in a list, in convolutions, in a user's module, and buffers") {
  struct Net : nn::Module {
    nn::ModuleList layers = add("layers", nn::ModuleList(nn::Conv2d(2, 2, 3), nn::Conv2d(2, 2, 3)));
    Parameter scale = add("scale", Parameter("scale", {1.0})), shift = add("shift", Parameter("shift", {0.0}));
    nn::BatchNorm1d one = add("one", nn::BatchNorm1d(2)), two = add("two", nn::BatchNorm1d(2));
    Net() {
      auto &a = static_cast<nn::Conv2d&>(layers[0]), &b = static_cast<nn::Conv2d&>(layers[1]);
      b.weight = a.weight, b.bias = a.bias;
    }
    Tensor forward(Tensor x) { return x * scale + shift; }
  } net;
  CHECK(names(net.named_parameters()) ==
        Names{"scale", "shift", "layers.0.weight", "layers.0.bias", "one.weight", "one.bias", "two.weight", "two.bias"});
  Net copy = net;
  copy.shift = copy.scale;
  CHECK(net.shift.is(net.scale));
  CHECK(names(net.named_parameters())[1] == "layers.0.weight");
  net.two.running_mean = net.one.running_mean;
  CHECK(names(net.named_buffers()) ==
        Names{"one.running_mean", "one.running_var", "one.num_batches_tracked", "two.running_var", "two.num_batches_tracked"});
  CHECK_THROWS_WITH(net.shift = net.one.running_mean,
                    contains_text("'shift' is a parameter of its module, and cannot become the buffer 'one.running_mean'"));
  CHECK_THROWS_WITH(net.two.running_var = net.scale, contains_text("'two.running_var' is a buffer of its module"));
  net.shift = Parameter();  // torch's None
  CHECK_FALSE(copy.shift.defined());
  CHECK(names(net.named_parameters())[1] == "layers.0.weight");
}

TEST_CASE("tied: handles that are no members are their own") {
  nn::Linear a(2, 2), b(2, 2);
  const Parameter before = b.weight;
  Parameter local = b.weight;
  local = a.weight;
  CHECK(b.weight.is(before));
  std::vector<Parameter> all = b.parameters();
  all.erase(all.begin());
  all[0] = a.bias;
  CHECK(b.weight.is(before));
  CHECK_FALSE(b.bias.is(a.bias));
  std::vector<nn::Linear> layers;
  for (int i = 0; i < 9; ++i) layers.emplace_back(2, 2);  // they move
  layers[7].weight = layers[0].weight;
  CHECK(layers[7].parameters()[0].is(layers[0].weight));
  const Parameter old_a = a.weight, old_b = b.weight;
  swap(a.weight, b.weight);
  CHECK((a.parameters()[0].is(old_b) && b.parameters()[0].is(old_a)));
}

TEST_CASE("tied: a module that is assigned names the other one; a part is no place for it") {
  nn::Linear a(2, 2), b(2, 2), other = a;
  const Parameter old = a.weight;
  a = b;
  CHECK((a.weight.is(b.weight) && other.weight.is(old)));
  const Parameter fresh("fresh", Array(f32, {2, 2}));
  a.weight = fresh;
  CHECK((b.weight.is(fresh) && b.parameters()[0].is(fresh) && other.weight.is(old)));
  Language one, two;
  one = two;
  CHECK(one.emb.weight.is(two.emb.weight));
  one.out.weight = Parameter("mine", Array(f32, {4, 3}));
  CHECK(two.parameters().size() == 2);
  const auto assign = [&] { one.out = nn::Linear(3, 4, {.bias = false}); };
  CHECK_THROWS_WITH(assign(),
                    contains_text("'out' is a part, whose parameters its owner has, and cannot become another module; tie its parameters"));
}

TEST_CASE("tied: saved once, and read from files with all of the names or any of them") {
  const TempDir dir;
  Language net;
  Checkpoint(net).save(dir / "once");
  const SafeTensors file = read_safetensors(dir / "once");
  CHECK(file.tensors.size() == 1);
  CHECK(file.metadata.at("out.weight") == "emb.weight");
  const auto values = net.emb.weight.values<float>();
  Array table(f32, {4, 3}), other(f32, {4, 3});
  for (int64_t i = 0; i < 12; ++i) table.set(i, static_cast<double>(i)), other.set(i, 1);
  using Stored = std::vector<std::pair<std::string, const Array*>>;
  for (const Stored& stored :
       {Stored{{"emb.weight", &table}, {"out.weight", &table}}, Stored{{"emb.weight", &table}}, Stored{{"out.weight", &table}}}) {
    write_safetensors(dir / "torch", stored);
    Language fresh;
    Checkpoint checkpoint(fresh);
    checkpoint.load(dir / "torch");
    CHECK(fresh.out.weight.array().at(5) == 5);
    CHECK(fresh.emb.weight.array().at(5) == 5);
  }
  Language again;
  Checkpoint checkpoint(again);
  checkpoint.load(dir / "once");
  CHECK(again.out.weight.values<float>() == values);
  CHECK(checkpoint.notes.empty());
  write_safetensors(dir / "untied", {{"emb.weight", &table}, {"out.weight", &other}});
  CHECK_THROWS_WITH(checkpoint.load(dir / "untied"),
                    contains_text("'emb.weight' and 'out.weight' are one parameter here, but other numbers in the file"));
  CHECK(again.out.weight.values<float>() == values);
}

TEST_CASE("tied: the optimizer's state is kept once, groups have it once, averages too") {
  const TempDir dir;
  Language net;
  optim::SGD sgd({.lr = 0.1}), group({.lr = 0.2, .momentum = 0.9});
  sgd.add_group("table", net.out.parameters(), group);
  const auto program = [&](Language& of, const optim::Optimizer& with) {
    Graph g("g");
    return compile(training_step(g, cross_entropy(of(g.input("x", i64, {3})), g.input("y", i64, {3})), of.parameters(), with),
                   Target::reference());
  };
  const std::vector<int64_t> x{0, 1, 2}, y{1, 2, 3};
  Step step = program(net, sgd);
  step({{"x", x}, {"y", y}});
  CHECK(sgd.steps(net.out.weight) == 1);
  AveragedWeights average(net.parameters(), {.target = Target::reference()});
  average.update();
  CHECK(average.averages().size() == 1);
  Checkpoint(net).add(sgd).save(dir / "run");
  CHECK(read_safetensors(dir / "run").tensors.size() == 2);
  Language other;
  optim::SGD other_sgd({.lr = 0.1}), other_group({.lr = 0.2, .momentum = 0.9});
  other_sgd.add_group("table", {other.emb.weight}, other_group);
  Checkpoint(other).add(other_sgd).load(dir / "run");
  Step other_step = program(other, other_sgd);
  step({{"x", x}, {"y", y}}), other_step({{"x", x}, {"y", y}});
  CHECK(other.emb.weight.values<float>() == net.emb.weight.values<float>());
  CHECK_THROWS_WITH(AveragedWeights({net.emb.weight, net.out.weight}), contains_text("'emb.weight' is given twice"));
}

TEST_CASE("tied: a Trainer trains it") {
  Array x(i64, {16}), y(i64, {16});
  for (int64_t i = 0; i < 16; ++i) x.set(i, static_cast<double>(i % 4)), y.set(i, static_cast<double>((i + 1) % 4));
  const Dataset data{.inputs = std::move(x), .targets = std::move(y), .name = "words"};
  const TempDir dir;
  Language net;
  optim::Adam adam({.lr = 0.1});
  FitOptions options{.epochs = 10, .batch = 8, .stop = {.patience = 9}, .checkpoints = {.path = dir / "run"}, .log = "none"};
  const History h = Trainer(net, cross_entropy, adam).fit(data, data, options);
  CHECK(h.last().train_loss < h.epochs[0].train_loss);
  CHECK(net.out.weight.is(net.emb.weight));
}
