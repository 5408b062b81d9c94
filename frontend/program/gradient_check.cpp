#include "weft/frontend/program/gradient_check.h"

#include <algorithm>
#include <cmath>

#include "weft/ir/op_def.h"
#include "weft/passes/autodiff.h"
#include "weft/passes/dce.h"
#include "weft/support/error.h"

namespace weft::detail {
namespace {

using reference::Tensor;

/// The same without what casts between floating types round.
void keep_double(const ir::Op& op, std::span<const Tensor* const> operands, std::span<Tensor> results) {
  if (op.def().converts && !operands[0]->real.empty() && !results[0].real.empty()) results[0].real = operands[0]->real;
}

/// A graph with some of the outputs alone.
class Part {
 public:
  Part(const ir::Module& module, const std::vector<std::string>& outputs) : module_(module.clone()) {
    std::vector<ir::Output> kept;
    for (const std::string& name : outputs) kept.push_back(*module_.graph().find_output(name));
    module_.graph().set_outputs(std::move(kept));
    passes::dce(module_.graph());
  }

  std::vector<Tensor> run(std::span<const Tensor> inputs) const { return reference::evaluate(module_.graph(), inputs, keep_double); }

 private:
  ir::Module module_;
};

}  // namespace

double CheckedGradient::error() const {
  const double off = std::fabs(gradient - difference);
  return off == 0 ? 0 : off / largest;
}

std::vector<CheckedGradient> check_gradients(const ir::Module& recorded, std::span<const Tensor> inputs,
                                             const GradientCheckOptions& options) {
  if (!recorded.train)
    throw Error("the program has no train block, which says what the loss is and what is trained")
        .hint("train {loss = \"loss\", inputs = [\"w\"], optimizer = \"sgd\"}");
  ir::Module module = recorded.clone();
  passes::autodiff(module);
  const std::vector<std::string> names = module.train->all_inputs();
  std::vector<std::string> wanted;
  for (const std::string& name : names) wanted.push_back(name + ".grad");
  const std::vector<Tensor> gradients = Part(module, wanted).run(inputs);
  const Part loss(recorded, {recorded.train->loss});
  std::vector<Tensor> moved(inputs.begin(), inputs.end());
  std::vector<CheckedGradient> all;
  for (size_t p = 0; p < names.size(); ++p) {
    const auto input = static_cast<size_t>(recorded.graph().find_input(names[p])->value().index());
    Tensor& x = moved[input];
    const auto count = static_cast<int64_t>(x.real.size());
    CheckedGradient worst{.parameter = names[p], .type = x.type, .checked = std::min(count, options.elements)};
    double most = -1;
    for (int64_t i = 0; i < worst.checked; ++i) {
      const int64_t e = worst.checked == count ? i : i * count / worst.checked;
      double& element = x.real[static_cast<size_t>(e)];
      const double before = element, h = options.step * std::max(1.0, std::fabs(before));
      element = before + h;
      const double above = loss.run(moved)[0].real[0];
      element = before - h;
      const double below = loss.run(moved)[0].real[0];
      element = before;
      const double gradient = gradients[p].real[static_cast<size_t>(e)], difference = (above - below) / (2 * h);
      worst.largest = std::max({worst.largest, std::fabs(gradient), std::fabs(difference)});
      const double off = std::fabs(gradient - difference);
      if (off <= most) continue;
      most = std::isnan(off) ? INFINITY : off;
      worst.element = x.type.shape.index_of(e), worst.gradient = gradient, worst.difference = difference;
    }
    all.push_back(std::move(worst));
  }
  return all;
}

}  // namespace weft::detail
