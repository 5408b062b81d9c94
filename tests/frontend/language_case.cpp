#include "weft/tests/frontend/language_case.h"

#include <memory>
#include <set>

#include "weft/tests/frontend/stored_numbers.h"

namespace weft::testing {
namespace {

/// The sum of all elements of floating tensors, each times a number of a cycle.
Tensor weighted(const Tensors& tensors, DType dtype) {
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
Tensors with(const json& stored, const Tensors& inputs) {
  Tensors some;
  for (size_t i = 0; i < inputs.size(); ++i)
    if (!stored[i].is_null()) some.push_back(inputs[i]);
  return some;
}

class Case {
 public:
  Case(const json& stored, const LanguageCall& call, DType dtype) : stored_(stored), dtype_(dtype), graph_("language") { record(call); }

  void check(const Target& target, double tolerance) {
    Step step = compile(graph_, target);
    std::vector<Array> arrays;
    std::vector<std::string> names;
    for (const json& input : stored_["inputs"]) {
      names.push_back(name("input", names.size()));
      arrays.push_back(array_of(input, dtype_));
    }
    std::vector<Feed> fed;
    for (size_t i = 0; i < arrays.size(); ++i) fed.push_back({names[i], arrays[i]});
    const Results results = step.run(fed);
    for (const auto& [output, wanted] : wanted_) {
      INFO(output);
      const Array got = results[output].array();
      CHECK(got.dtype() == array_of(*wanted, dtype_).dtype());
      check_close(got, *wanted, tolerance);
    }
  }

 private:
  static std::string name(const std::string& what, size_t i) { return what + " " + std::to_string(i); }

  void record(const LanguageCall& call) {
    Tensors inputs;
    for (size_t i = 0; i < stored_["inputs"].size(); ++i) {
      const Array array = array_of(stored_["inputs"][i], dtype_);
      inputs.push_back(graph_.input(name("input", i), array.dtype(), array.shape()));
    }
    const Tensors outputs = call(inputs);
    expect("output", outputs, stored_["outputs"]);
    const Tensors first = add("grad", outputs, stored_["grads"], inputs);
    add("second", first, stored_["second"], inputs);
  }

  Tensors add(const std::string& what, const Tensors& of, const json& stored, const Tensors& inputs) {
    const Tensors by = with(stored, inputs);
    if (by.empty()) return {};
    const Tensors all = gradients(weighted(of, dtype_), by);
    json given = json::array();
    for (const json& one : stored)
      if (!one.is_null()) given.push_back(one);
    kept_.push_back(std::make_unique<json>(given));
    expect(what, all, *kept_.back());
    return all;
  }

  void expect(const std::string& what, const Tensors& tensors, const json& stored) {
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

}  // namespace

void check_cases(const std::string& file, const LanguageCalls& calls, const Target& target, DType dtype, double tolerance) {
  const DefaultDType default_type(dtype);
  const json expected = read_expected(file);
  for (const json& stored : expected["cases"]) {
    const auto name = stored["name"].get<std::string>();
    INFO(name);
    CHECK_NOTHROW(Case(stored, calls.at(name), dtype).check(target, tolerance));
  }
}

void check_names(const std::string& file, const LanguageCalls& calls) {
  std::set<std::string> stored, called;
  const json expected = read_expected(file);
  for (const json& c : expected["cases"]) stored.insert(c["name"].get<std::string>());
  for (const auto& [name, call] : calls) called.insert(name);
  CHECK(stored == called);
}

}  // namespace weft::testing
