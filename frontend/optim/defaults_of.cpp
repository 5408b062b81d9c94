#include "weft/frontend/optim/defaults_of.h"

#include "weft/frontend/optim/optim.h"

namespace weft::detail {
namespace {

using Core = std::shared_ptr<const OptimizerCore>;

template <class Optimizer>
Core core_of() {
  return Optimizer().core();
}

using namespace optim;
constexpr Core (*all[])() = {core_of<SGD>,     core_of<ASGD>,      core_of<Rprop>, core_of<LARS>,      core_of<Adam>,    core_of<AdamW>,
                             core_of<Adamax>,  core_of<NAdam>,     core_of<RAdam>, core_of<Lion>,      core_of<Adagrad>, core_of<Adadelta>,
                             core_of<RMSprop>, core_of<Adafactor>, core_of<Muon>,  core_of<SparseAdam>};

}  // namespace

std::shared_ptr<const OptimizerCore> defaults_of(std::string_view op) {
  for (const auto make : all)
    if (Core core = make(); core->op == op) return core;
  return nullptr;
}

}  // namespace weft::detail
