// Layers and losses against PyTorch's, forward and every gradient, by the reference and by generated kernels, and
// against central differences. The cases are data: see tests/expected/calls.py.

#include "weft/tests/frontend/layer_calls.h"
#include "weft/tests/frontend/stored_numbers.h"

using namespace weft;
using testing::array_of;
using testing::check_close;
using testing::json;
using testing::set_numbers;

namespace {

struct Setting {
  Target target;
  DType dtype;
  double tolerance;  // of a tensor's largest element
};

/// A case recorded and compiled: its output, and the gradients of sum(output * cotangent).
class Call {
 public:
  Call(const json& c, const Setting& setting)
      : case_(c), setting_(setting), default_dtype_(setting.dtype), subject_(testing::make_subject(c)) {
    if (subject_.module) {
      for (auto& [name, p] : subject_.module->state_dict()) {
        const json& stored = c[p.is_buffer() ? "buffers" : "parameters"];
        REQUIRE(stored.contains(name));
        set_numbers(p, stored[name]);
      }
      CHECK(subject_.module->named_parameters().size() == c["parameters"].size());
      CHECK(subject_.module->named_buffers().size() == c["buffers"].size());
      subject_.module->train(c["train"]);
    }
    for (const json& input : c["inputs"]) inputs_.push_back(array_of(input, setting.dtype));
  }

  Step compile_with_gradients() {
    Graph g(case_["name"]);
    const std::vector<Tensor> x = record_inputs(g);
    const Tensor y = g.output("output", subject_.call(x));
    const Tensor loss = g.output("loss", sum(y * constant(array_of(case_["cotangent"], setting_.dtype))));
    std::vector<Arg> wanted;
    std::vector<std::string> names;
    for (const auto& [name, gradient] : case_["grads"].items()) {
      names.push_back(name);
      if (const Parameter p = parameter(name); p.defined()) wanted.emplace_back(p);
      else wanted.emplace_back(x.at(std::stoul(name.substr(5))));
    }
    const std::vector<Tensor> gradients = weft::gradients(loss, wanted);
    for (size_t i = 0; i < names.size(); ++i) g.output("d " + names[i], gradients[i]);
    return compile(g, setting_.target);
  }

  Step compile_in_eval_mode() {
    subject_.module->eval();
    Graph g(case_["name"]);
    g.output("output", subject_.call(record_inputs(g)));
    return compile(g, setting_.target);
  }

  Results run(const Step& step) const {
    std::vector<Feed> feeds;
    for (size_t i = 0; i < inputs_.size(); ++i) feeds.push_back({names_[i], inputs_[i]});
    return Step(step).run(feeds);
  }

  void check_buffers(const json& want) const {
    for (const auto& [name, buffer] : subject_.module->named_buffers()) {
      INFO(name);
      check_close(buffer.array(), want[name], setting_.tolerance);
    }
  }

  /// Where the numbers of a parameter or of an input ("input0") lie.
  Array& numbers(const std::string& name) {
    Parameter p = parameter(name);
    return p.defined() ? p.array() : inputs_.at(std::stoul(name.substr(5)));
  }
  Array& input(size_t i) { return inputs_.at(i); }

 private:
  Parameter parameter(const std::string& name) const {
    if (subject_.module)
      for (const auto& [known, p] : subject_.module->named_parameters())
        if (known == name) return p;
    return {};
  }

  std::vector<Tensor> record_inputs(Graph& g) {
    names_.clear();
    std::vector<Tensor> x;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      names_.push_back("input" + std::to_string(i));
      x.push_back(g.input(names_[i], inputs_[i].dtype(), inputs_[i].shape()));
    }
    return x;
  }

  const json& case_;
  Setting setting_;
  testing::DefaultDType default_dtype_;
  testing::Subject subject_;
  std::vector<Array> inputs_;
  std::vector<std::string> names_;
};

void check_case(const json& c, const Setting& setting) {
  Call call(c, setting);
  const Step step = call.compile_with_gradients();
  const Results results = call.run(step);
  check_close(results["output"].array(), c["output"], setting.tolerance);
  for (const auto& [name, gradient] : c["grads"].items()) {
    INFO("the gradient in " << name);
    check_close(results["d " + name].array(), gradient, setting.tolerance);
  }
  if (!c.contains("batches")) return;
  const Array first = call.input(0);
  for (size_t i = 0; i < c["states"].size(); ++i) {
    INFO("after step " << i + 1);
    if (i > 0) {
      call.input(0) = array_of(c["batches"][i - 1], setting.dtype);
      call.run(step);
    }
    call.check_buffers(c["states"][i]);
  }
  INFO("in eval mode");
  call.input(0) = first;
  check_close(call.run(call.compile_in_eval_mode())["output"].array(), c["eval"], setting.tolerance);
}

void check_all(const char* file, const Setting& setting) {
  const json expected = testing::read_expected(file);
  for (const json& c : expected["cases"]) {
    INFO(c["name"].get<std::string>());
    check_case(c, setting);
  }
}

/// Every gradient against central differences, by the reference in double.
void check_differences(const json& c) {
  Call call(c, {Target::reference(), f64, 0});
  const Step step = call.compile_with_gradients();
  for (const auto& [name, gradient] : c["grads"].items()) {
    INFO("the gradient in " << name);
    const Array analytic = call.run(step)["d " + name].array();
    Array& x = call.numbers(name);
    double largest = 0, difference = 0;
    for (int64_t i = 0; i < x.shape().numel(); ++i) {
      const double at = x.at(i), h = 1e-5 * std::max(1.0, std::abs(at));
      x.set(i, at + h);
      const double above = call.run(step)["loss"].item();
      x.set(i, at - h);
      const double below = call.run(step)["loss"].item();
      x.set(i, at);
      largest = std::max(largest, std::abs(analytic.at(i)));
      difference = std::max(difference, std::abs(analytic.at(i) - (above - below) / (2 * h)));
    }
    CHECK(difference <= 1e-6 * largest + 1e-8);
  }
}

void check_all_differences(const char* file) {
  const json expected = testing::read_expected(file);
  for (const json& c : expected["cases"]) {
    if (!c["smooth"].get<bool>()) continue;
    INFO(c["name"].get<std::string>());
    check_differences(c);
  }
}

}  // namespace

#define WEFT_LAYER_TESTS(file)                                                                                      \
  TEST_CASE(file " are PyTorch's, by the reference in f64") { check_all(file, {Target::reference(), f64, 1e-10}); } \
  TEST_CASE(file " are PyTorch's, by kernels in f64") { check_all(file, {Target::cpu(), f64, 1e-10}); }             \
  TEST_CASE(file " are PyTorch's, by kernels in f32") { check_all(file, {Target::cpu(), f32, 1e-5}); }              \
  TEST_CASE(file " agree with central differences") { check_all_differences(file); }

WEFT_LAYER_TESTS("layers")
WEFT_LAYER_TESTS("images")
WEFT_LAYER_TESTS("losses")
WEFT_LAYER_TESTS("attention")
WEFT_LAYER_TESTS("recurrent")
