#pragma once
// The optimizer that a stored case names, with PyTorch's options; what it does not name has weft's default.

#include "weft/tests/ops/expected.h"
#include "weft/weft.h"

namespace weft::testing {

inline optim::Optimizer optimizer_of(const json& setting) {
  const json& o = setting["options"];
  const std::string name = setting["optimizer"];
  const auto read = [&](const char* option, auto& into) {
    if (o.contains(option)) into = o[option].get<std::remove_reference_t<decltype(into)>>();
  };
  const auto common = [&](auto options) {
    read("lr", options.lr);
    if constexpr (requires { options.weight_decay; }) read("weight_decay", options.weight_decay);
    if constexpr (requires { options.momentum; }) read("momentum", options.momentum);
    if constexpr (requires { options.dampening; }) read("dampening", options.dampening);
    if constexpr (requires { options.betas; }) read("betas", options.betas);
    if constexpr (requires { options.maximize; }) read("maximize", options.maximize);
    if constexpr (requires { options.eps; }) read("eps", options.eps);
    if constexpr (requires { options.amsgrad; }) read("amsgrad", options.amsgrad);
    if constexpr (requires { options.momentum_decay; }) read("momentum_decay", options.momentum_decay);
    if constexpr (requires { options.decoupled_weight_decay; }) read("decoupled_weight_decay", options.decoupled_weight_decay);
    if constexpr (requires { options.lr_decay; })
      read("lr_decay", options.lr_decay), read("initial_accumulator_value", options.initial_accumulator_value);
    if constexpr (requires { options.rho; }) read("rho", options.rho);
    if constexpr (requires { options.centered; }) read("centered", options.centered);
    if constexpr (requires { options.alpha; }) read("alpha", options.alpha);
    if constexpr (requires { options.beta2_decay; }) read("beta2_decay", options.beta2_decay), read("d", options.d);
    if constexpr (requires { options.lambd; }) read("lambd", options.lambd), read("t0", options.t0);
    if constexpr (requires { options.trust_coefficient; }) read("trust_coefficient", options.trust_coefficient);
    if constexpr (requires { options.nesterov; }) read("nesterov", options.nesterov);
    if constexpr (requires { options.adjust_lr_fn; }) read("adjust_lr_fn", options.adjust_lr_fn);
    if constexpr (requires { options.etas; }) read("etas", options.etas), read("step_sizes", options.step_sizes);
    return options;
  };
  if (name == "SGD") return optim::SGD(common(optim::SgdOptions()));
  if (name == "Adam") return optim::Adam(common(optim::AdamOptions()));
  if (name == "AdamW") return optim::AdamW(common(optim::AdamWOptions()));
  if (name == "Adamax") return optim::Adamax(common(optim::AdamaxOptions()));
  if (name == "NAdam") return optim::NAdam(common(optim::NAdamOptions()));
  if (name == "RAdam") return optim::RAdam(common(optim::RAdamOptions()));
  if (name == "Adagrad") return optim::Adagrad(common(optim::AdagradOptions()));
  if (name == "Adadelta") return optim::Adadelta(common(optim::AdadeltaOptions()));
  if (name == "RMSprop") return optim::RMSprop(common(optim::RmsPropOptions()));
  if (name == "Adafactor") return optim::Adafactor(common(optim::AdafactorOptions()));
  if (name == "ASGD") return optim::ASGD(common(optim::AsgdOptions()));
  if (name == "Rprop") return optim::Rprop(common(optim::RpropOptions()));
  if (name == "Lion") return optim::Lion(common(optim::LionOptions()));
  if (name == "LARS") return optim::LARS(common(optim::LarsOptions()));
  if (name == "Muon") return optim::Muon(common(optim::MuonOptions()));
  if (name == "SparseAdam") return optim::SparseAdam(common(optim::SparseAdamOptions()));
  throw Error("tests/frontend/stored_optimizer.h does not list {}", name);
}

/// Checks that the first `first` losses are within `tight`, all within `loose`, relative to the stored ones.
inline void check_losses(const std::vector<double>& got, const json& want, size_t first, double tight, double loose) {
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    INFO("step " << i);
    const double loss = want[i];
    CHECK(std::abs(got[i] - loss) <= (i < first ? tight : loose) * loss);
  }
}

}  // namespace weft::testing
