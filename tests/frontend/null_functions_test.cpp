// Functions that a caller hands over and that are none.

#include <functional>

#include "weft/tests/frontend/support.h"

using namespace weft;
using weft::testing::line;

namespace {

using Map = std::function<Tensor(const Tensor&)>;
using Loss = std::function<Tensor(const Tensor&, const Tensor&)>;

}  // namespace

TEST_CASE("null functions: a Trainer's model and loss") {
  optim::SGD sgd;
  const Map model = [](const Tensor& x) { return x; };
  CHECK_THROWS_WITH(Trainer(Map(), cross_entropy, sgd), contains_text("Trainer: the model is a null function or pointer, at " + line()));
  CHECK_THROWS_WITH(Trainer(std::shared_ptr<nn::Module>(), cross_entropy, sgd), contains_text("the model is a null function or pointer"));
  CHECK_THROWS_WITH(Trainer(model, Loss(), sgd), contains_text("Trainer: the loss is a null function, at " + line()));
  Tensor (*none)(Arg, Arg) = nullptr;
  CHECK_THROWS_WITH(Trainer(model, none, sgd), contains_text("the loss is a null function"));
  CHECK_NOTHROW(Trainer(model, Loss([](const Tensor& p, const Tensor&) { return mean(p); }), sgd));
}

TEST_CASE("null functions: layers") {
  Tensor (*none)(Arg) = nullptr;
  CHECK_THROWS_WITH(nn::Sequential(nn::Linear(2, 2), Map()), contains_text("a layer is a null function"));
  CHECK_THROWS_WITH(nn::Sequential(none), contains_text("a layer is a null function"));
  CHECK_THROWS_WITH(nn::ModuleList(Map()), contains_text("a layer is a null function"));
  CHECK_THROWS_WITH(nn::Sequential(std::shared_ptr<nn::Module>()), contains_text("a layer is a null pointer"));
  CHECK_NOTHROW(nn::Sequential([](Tensor x) { return x; }, nn::Linear(2, 2)));
}

TEST_CASE("null functions: losses of parts, schedules, initialization") {
  Graph g("parts");
  const Tensor x = g.input("x", f32, {4, 2}), y = g.input("y", f32, {4});
  CHECK_THROWS_WITH(micro_batches(x, y, 2, Loss()), contains_text("micro_batches: the loss is a null function") && contains_text(line()));
  optim::SGD sgd;
  CHECK_THROWS_WITH(optim::LambdaLR(sgd, nullptr), contains_text("LambdaLR: the function is null"));
  Parameter p("p", {1.0});
  CHECK_THROWS_WITH(init::fill(p, std::function<double(int64_t)>()), contains_text("init::fill: the function of the elements is null"));
}

TEST_CASE("null functions: transforms, by number and name") {
  Dataset data = testing::points(6);
  const auto same = [](const Shape& s) { return s; };
  const auto copy = [](std::span<const float> from, const Shape&, std::span<float> to, Draw&) {
    std::copy(from.begin(), from.end(), to.begin());
  };
  data.transforms = {{.name = "fine", .shape = same, .apply = copy}, {.name = "no apply", .shape = same}};
  CHECK_THROWS_WITH(data.check(), contains_text("transform 1 of data set 'points', 'no apply', has no function .apply"));
  CHECK_THROWS_WITH(Batcher(data, {}), contains_text("has no function .apply"));
  data.transforms = {{.name = "no shape", .apply = copy}};
  CHECK_THROWS_WITH(data.check(), contains_text("transform 0 of data set 'points', 'no shape', has no function .shape"));
  data.transforms = {{}};
  CHECK_THROWS_AS(data.check(), Error);
}
