// Second derivatives against PyTorch's: a penalty on the gradient of small nets. See tests/expected/penalty.py.

#include "weft/tests/frontend/layer_calls.h"
#include "weft/tests/frontend/stored_numbers.h"

using namespace weft;
using testing::json;

namespace {

struct Net : nn::Module {
  nn::Linear first = add("0", nn::Linear(3, 4, {.bias = false}));
  std::shared_ptr<nn::Module> middle;
  nn::Linear last = add("2", nn::Linear(4, 1));
  explicit Net(std::shared_ptr<nn::Module> m) : middle(std::move(m)) { register_part("1", *middle); }
  Tensor forward(Tensor x) override { return last((*middle)(first(x))); }
};

void check_case(const json& c, const Target& target, DType dtype, double tolerance) {
  const testing::DefaultDType default_type(dtype);
  Net net(testing::make_subject(c).module);
  for (const auto& [name, p] : net.named_parameters()) testing::set_numbers(p, c["parameters"][name]);
  Array input = testing::array_of(c["input"], dtype);
  Graph g(c["name"]);
  const Tensor x = g.input("x", dtype, input.shape()), y = net(x);
  auto [dx] = gradients<1>(sum(y), {x});
  const Tensor penalty = mean(square(sqrt(sum(square(dx), 1)) - 1));
  const Tensor loss = g.output("loss", mean(square(y)) + penalty);
  const std::vector<Tensor> all = gradients(loss, net.parameters());
  size_t i = 0;
  for (const auto& [name, p] : net.named_parameters()) g.output("d " + name, all[i++]);
  Step step = compile(g, target);
  const Results results = step({{"x", input}});
  CHECK(results["loss"].item() == Approx(c["loss"].get<double>()).epsilon(tolerance));
  CHECK(i == c["grads"].size());
  for (const auto& [name, gradient] : c["grads"].items()) {
    INFO(name);
    testing::check_close(results["d " + name].array(), gradient, tolerance);
  }
}

void check_all(const Target& target, DType dtype, double tolerance) {
  const json expected = testing::read_expected("penalty");
  for (const json& c : expected["cases"]) {
    INFO(c["name"].get<std::string>());
    check_case(c, target, dtype, tolerance);
  }
}

}  // namespace

TEST_CASE("gradient penalties are PyTorch's, by the reference in f64") { check_all(Target::reference(), f64, 1e-10); }
TEST_CASE("gradient penalties are PyTorch's, by kernels in f64") { check_all(Target::cpu(), f64, 1e-10); }
TEST_CASE("gradient penalties are PyTorch's, by kernels in f32") { check_all(Target::cpu(), f32, 1e-5); }
