#include "weft/frontend/optim/muon.h"

namespace weft::optim {

Muon::Muon(MuonOptions o, std::source_location at)
    : Optimizer("muon", at), lr(hyper("lr", o.lr, {.low = 0})), weight_decay(hyper("weight_decay", o.weight_decay, {.low = 0})),
      momentum(hyper("momentum", o.momentum, {.low = 0})), eps(hyper("eps", o.eps, {})), ns_a(hyper("ns_a", o.ns_coefficients[0], {})),
      ns_b(hyper("ns_b", o.ns_coefficients[1], {})), ns_c(hyper("ns_c", o.ns_coefficients[2], {})) {
  if (o.adjust_lr_fn != "original" && o.adjust_lr_fn != "match_rms_adamw" && o.adjust_lr_fn != "spectral_unclamped")
    fail("muon: adjust_lr_fn is \"original\", \"match_rms_adamw\" or \"spectral_unclamped\", not \"" + o.adjust_lr_fn + "\"");
  flag("nesterov", o.nesterov);
  flag("match_rms_adamw", o.adjust_lr_fn == "match_rms_adamw");
  flag("spectral_unclamped", o.adjust_lr_fn == "spectral_unclamped");
}

}  // namespace weft::optim
