#include "weft/frontend/language/loss_ctc.h"

#include <limits>

#include "weft/frontend/language/composed.h"
#include "weft/frontend/language/custom_op.h"
#include "weft/frontend/language/loss_recorder.h"
#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/scan.h"
#include "weft/runtime/data/dataset.h"

namespace weft {
namespace {

using detail::Composed;
using detail::LossRecorder;

constexpr double infinity = std::numeric_limits<double>::infinity();

/// log(sum of e^part), which is -inf, and without a gradient, where all are.
Tensor log_of_sum(const std::vector<Tensor>& parts) {
  Tensor largest = detach(parts[0]);
  for (size_t i = 1; i < parts.size(); ++i) largest = maximum(largest, detach(parts[i]));
  const Tensor none = largest == -infinity, shift = where(none, 0, largest);
  Tensor sum = exp(parts[0] - shift);
  for (size_t i = 1; i < parts.size(); ++i) sum += exp(parts[i] - shift);
  return where(none, -infinity, log(where(none, 1, sum)) + shift);
}

/// The operands with a batch, and checked.
struct Operands {
  Tensor log_probs;                      // [T, N, C]
  Tensor targets, given;                 // [N, S]: classes; and as they are given, with a -1 or -100 where there is none
  Tensor input_lengths, target_lengths;  // [N, 1]
  int64_t batch = 1, labels = 0;
  bool is_batched = true;

  Operands(Composed& c, LossRecorder& r, const Arg& scores, const Arg& labelled, const Arg& of_inputs, const Arg& of_targets, int64_t blank)
      : log_probs(c.recorder().tensor(r.scores(scores))), targets(c.index(labelled)) {
    c.require(is_floating(log_probs.dtype()), "log_probs must be floating");
    c.require(targets.dtype() == i64, "the targets must be integers");
    is_batched = log_probs.dim() == 3;
    c.require(is_batched || log_probs.dim() == 2, "log_probs must be [T, N, C] or [T, C]");
    if (!is_batched) {
      c.require(targets.dim() == 1, "without a batch the targets must be [S]");
      log_probs = log_probs.unsqueeze(1), targets = targets.unsqueeze(0);
    }
    batch = log_probs.size(1);
    c.require(targets.dim() == 2 && targets.size(0) == batch, "the targets must be [N, S], a row for each sequence");
    labels = targets.size(1);
    given = targets;
    const Tensor known = where(given == ignored_label, 0, given);
    targets = call("checked_index", {where(known == -1, 0, known)}, {{"below", log_probs.size(2)}, {"what", "labels"}});
    c.require(blank >= 0 && blank < log_probs.size(2),
              fmt::format("the blank must be one of {} classes, not {}", log_probs.size(2), blank));
    input_lengths = lengths(c, of_inputs, "input_lengths", log_probs.size(0));
    target_lengths = lengths(c, of_targets, "target_lengths", labels);
  }

 private:
  Tensor lengths(Composed& c, const Arg& given, const char* what, int64_t most) const {
    const Tensor all = c.tensor(given);
    c.require(is_integer(all.dtype()) && (all.dim() == 0 || all.shape() == Shape{batch}),
              fmt::format("{} must be integers, one or [{}]", what, batch));
    return call("checked_index", {cast(all, i64)}, {{"below", most + 1}, {"what", "lengths"}})
        .reshape({all.dim() == 0 ? 1 : batch, 1})
        .expand({batch, 1});
  }
};

/// The labels with a blank before and behind each: [N, 2 S + 1]. Behind a target's end there are blanks alone.
Tensor with_blanks(const Operands& x, int64_t blank) {
  const Tensor number = iota({x.batch, x.labels}, 1);
  const Tensor labels = where(number < x.target_lengths, x.targets, blank), blanks = full_like(labels, static_cast<double>(blank));
  const Tensor pairs = stack({blanks, labels}, 2).reshape({x.batch, 2 * x.labels});
  return concat({pairs, full({x.batch, 1}, static_cast<double>(blank), i64)}, 1);
}

/// What stands `by` places before each, along axis 1; `fill` where nothing does.
Tensor before(const Tensor& x, int64_t by, double fill) { return pad(x, {0, by}, {0, -by}, fill); }

/// The logarithm of the probability that the inputs so far are those before each place of the labels with blanks, and that place: after
/// all of a sequence's inputs.
Tensor spread(const Operands& x, const Tensor& places, int64_t blank) {
  const int64_t steps = x.log_probs.size(0), width = places.size(1);
  const Tensor emitted = take_along_axis(x.log_probs, places.unsqueeze(0).expand({steps, x.batch, width}), 2);
  // A blank between two labels may be left out where these differ.
  const Tensor may_skip = places != blank && places != before(places, 2, static_cast<double>(blank));
  const Tensor start = cast(where(iota({x.batch, width}, 1) == 0, 0.0, -infinity), emitted.dtype());
  const ScanResult result =
      scan({start}, {emitted, iota({steps})}, [&](const std::vector<Tensor>& states, const std::vector<Tensor>& slices) -> ScanStep {
        const Tensor& now = states[0];
        const Tensor skipped = where(may_skip, before(now, 2, -infinity), -infinity);
        const Tensor next = log_of_sum({now, before(now, 1, -infinity), skipped}) + slices[0];
        return {{where(slices[1] < x.input_lengths, next, now)}};
      });
  return result.last[0];
}

/// [N, 1]: the target's last label or the blank behind it is the last place.
Tensor log_likelihood(const Operands& x, const Tensor& spread) {
  const Tensor behind = x.target_lengths * 2, label = maximum(behind - 1, 0);
  const Tensor ends = take_along_axis(spread, concat({behind, label}, 1), 1);
  const Tensor of_label = where(x.target_lengths == 0, -infinity, slice(ends, 1, 1, 2));
  return log_of_sum({slice(ends, 1, 0, 1), of_label});
}

}  // namespace

Tensor CtcLoss::operator()(Arg log_probs, Arg targets, Arg input_lengths, Arg target_lengths, CtcOptions options) const {
  LossRecorder r("ctc_loss", {&log_probs, &targets, &input_lengths, &target_lengths});
  Composed c("ctc_loss", {&log_probs, &targets, &input_lengths, &target_lengths});
  const Operands x(c, r, log_probs, targets, input_lengths, target_lengths, options.blank);
  Tensor each = -log_likelihood(x, spread(x, with_blanks(x, options.blank), options.blank));
  // A -1 or -100 before a target's end is no label.
  const Tensor missing = any(iota({x.batch, x.labels}, 1) < x.target_lengths && x.given < 0, 1, true);
  each = where(missing, std::numeric_limits<double>::quiet_NaN(), each);
  if (options.zero_infinity) each = where(each == infinity, 0, each);
  if (options.reduction == "mean") each /= cast(maximum(x.target_lengths, 1), each.dtype());
  return r.reduced(each.reshape(x.is_batched ? Dims{x.batch} : Dims{}).value(), options.reduction);
}

}  // namespace weft
