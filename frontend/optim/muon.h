#pragma once
// torch.optim.Muon.

#include <array>
#include <string>

#include "weft/frontend/optim/optimizer.h"

namespace weft::optim {

struct MuonOptions {
  double lr = 1e-3;
  double weight_decay = 0.1;  // decoupled
  double momentum = 0.95;
  bool nesterov = true;
  std::array<double, 3> ns_coefficients = {3.4445, -4.7750, 2.0315};
  double eps = 1e-7;
  /// How the rate depends on a matrix [a, b]: "original", times sqrt(max(1, a / b)); "match_rms_adamw", times 0.2 sqrt(max(a, b));
  /// "spectral_unclamped", times sqrt(a / b).
  std::string adjust_lr_fn = "original";
};

/// Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024. B = momentum B + (1 - momentum) g, as torch.lerp;
/// with nesterov, g is moved towards B by the momentum, else B is taken; that, in bf16 as torch's, is divided by its norm and made nearly
/// orthogonal by five steps of Newton and Schulz's, X = a X + (b X X^T + c (X X^T)^2) X; p *= 1 - lr * weight_decay; p -= adjusted rate
/// times X. (torch's ns_steps is 5.) State: "momentum_buffer".
///
/// Parameters must be matrices: biases, embeddings and the last layer are better left to another rule, as a group (add_group). Recording
/// a training step throws weft::Error for others.
class Muon : public Optimizer {
 public:
  /// Throws weft::Error as torch does: lr, momentum and weight_decay must not be negative, adjust_lr_fn must be known.
  explicit Muon(MuonOptions options = {}, std::source_location at = std::source_location::current());

  Hyper lr, weight_decay, momentum, eps, ns_a, ns_b, ns_c;
};

}  // namespace weft::optim
