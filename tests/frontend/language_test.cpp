// The tensor language against PyTorch: values, gradients and second derivatives. See tests/expected/language.py.

#include <memory>
#include <set>

#include "weft/tests/frontend/language_calls.h"
#include "weft/tests/frontend/stored_numbers.h"

using namespace weft;
using testing::json;

namespace {

/// The sum of all elements of floating tensors, each times a number of a cycle.
Tensor weighted(const testing::Tensors& tensors, DType dtype) {
  constexpr double cycle[] = {1, -0.5, 2, 0.75, -1.25, 0.5, 1.5};
  Tensor total = zeros({}, dtype);
  int64_t first = 0;
  for (const Tensor& x : tensors) {
    if (!is_floating(x.dtype())) continue;
    Array weights(dtype, x.shape());
    for (int64_t i = 0; i < x.shape().numel(); ++i) weights.set(i, cycle[(i + first) % 7]);
    total += sum(x * constant(weights));
    first += 3;
  }
  return total;
}

/// Those of the inputs that PyTorch has numbers for.
testing::Tensors with(const json& stored, const testing::Tensors& inputs) {
  testing::Tensors some;
  for (size_t i = 0; i < inputs.size(); ++i)
    if (!stored[i].is_null()) some.push_back(inputs[i]);
  return some;
}

class Case {
 public:
  Case(const json& stored, DType dtype) : stored_(stored), dtype_(dtype), graph_("language") { record(); }

  void check(const Target& target, double tolerance) {
    Step step = compile(graph_, target);
    std::vector<Array> arrays;
    std::vector<std::string> names;
    for (const json& input : stored_["inputs"]) {
      names.push_back(name("input", names.size()));
      arrays.push_back(testing::array_of(input, dtype_));
    }
    std::vector<Feed> fed;
    for (size_t i = 0; i < arrays.size(); ++i) fed.push_back({names[i], arrays[i]});
    const Results results = step.run(fed);
    for (const auto& [output, wanted] : wanted_) {
      INFO(output);
      const Array got = results[output].array();
      CHECK(got.dtype() == testing::array_of(*wanted, dtype_).dtype());
      testing::check_close(got, *wanted, tolerance);
    }
  }

 private:
  static std::string name(const std::string& what, size_t i) { return what + " " + std::to_string(i); }

  void record() {
    testing::Tensors inputs;
    for (size_t i = 0; i < stored_["inputs"].size(); ++i) {
      const Array array = testing::array_of(stored_["inputs"][i], dtype_);
      inputs.push_back(graph_.input(name("input", i), array.dtype(), array.shape()));
    }
    const testing::Tensors outputs = testing::language_calls().at(stored_["name"].get<std::string>())(inputs);
    expect("output", outputs, stored_["outputs"]);
    const testing::Tensors first = add("grad", outputs, stored_["grads"], inputs);
    add("second", first, stored_["second"], inputs);
  }

  testing::Tensors add(const std::string& what, const testing::Tensors& of, const json& stored, const testing::Tensors& inputs) {
    const testing::Tensors by = with(stored, inputs);
    if (by.empty()) return {};
    const testing::Tensors all = gradients(weighted(of, dtype_), by);
    json given = json::array();
    for (const json& one : stored)
      if (!one.is_null()) given.push_back(one);
    kept_.push_back(std::make_unique<json>(given));
    expect(what, all, *kept_.back());
    return all;
  }

  void expect(const std::string& what, const testing::Tensors& tensors, const json& stored) {
    REQUIRE(tensors.size() == stored.size());
    for (size_t i = 0; i < tensors.size(); ++i) {
      graph_.output(name(what, i), tensors[i]);
      wanted_[name(what, i)] = &stored[i];
    }
  }

  const json& stored_;
  DType dtype_;
  Graph graph_;
  std::vector<std::unique_ptr<json>> kept_;
  std::map<std::string, const json*> wanted_;
};

void check_all(const Target& target, DType dtype, double tolerance) {
  const testing::DefaultDType default_type(dtype);
  const json expected = testing::read_expected("language");
  for (const json& stored : expected["cases"]) {
    INFO(stored["name"].get<std::string>());
    CHECK_NOTHROW(Case(stored, dtype).check(target, tolerance));
  }
}

}  // namespace

TEST_CASE("the language is PyTorch's, by the reference in f64") { check_all(Target::reference(), f64, 1e-10); }
TEST_CASE("the language is PyTorch's, by kernels in f64") { check_all(Target::cpu(), f64, 1e-10); }
TEST_CASE("the language is PyTorch's, by kernels in f32") { check_all(Target::cpu(), f32, 1e-5); }

TEST_CASE("every call of the language has a stored case, and the other way round") {
  std::set<std::string> stored, called;
  const json expected = testing::read_expected("language");
  for (const json& c : expected["cases"]) stored.insert(c["name"].get<std::string>());
  for (const auto& [name, call] : testing::language_calls()) called.insert(name);
  CHECK(stored == called);
}
