#include "weft/frontend/optim/warmup.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "weft/frontend/language/scope.h"

namespace weft::optim {
namespace {

void require_steps(const char* what, const WarmupOptions& o, bool goes_down, std::source_location at) {
  const auto require = [&](bool holds, const std::string& text) {
    if (!holds) throw Error("{}", text).of(what).at(weft::detail::line_text(at));
  };
  require(o.warmup_steps >= 0, fmt::format("warmup_steps must not be negative, but is {}", o.warmup_steps));
  require(!goes_down || o.total_steps >= std::max<int64_t>(o.warmup_steps, 1),
          fmt::format("total_steps must be positive and not less than warmup_steps, but is {}", o.total_steps));
  require(o.cycles > 0, fmt::format("cycles must be positive, but is {}", o.cycles));
}

/// The part of the warm-up that is done; none behind it.
double warm(int64_t count, int64_t steps) { return static_cast<double>(count) / static_cast<double>(std::max<int64_t>(steps, 1)); }
/// The part of what follows that is done.
double cooled(int64_t count, const WarmupOptions& o) {
  return static_cast<double>(count - o.warmup_steps) / static_cast<double>(std::max<int64_t>(o.total_steps - o.warmup_steps, 1));
}

}  // namespace

LambdaLR constant_with_warmup(const Optimizer& optimizer, int64_t warmup_steps, std::source_location at) {
  require_steps("constant_with_warmup", {.warmup_steps = warmup_steps}, false, at);
  return LambdaLR(optimizer, [=](int64_t count) { return count < warmup_steps ? warm(count, warmup_steps) : 1.0; }, Every::step, at);
}

LambdaLR linear_with_warmup(const Optimizer& optimizer, WarmupOptions o, std::source_location at) {
  require_steps("linear_with_warmup", o, true, at);
  return LambdaLR(
      optimizer, [=](int64_t count) { return count < o.warmup_steps ? warm(count, o.warmup_steps) : std::max(0.0, 1 - cooled(count, o)); },
      Every::step, at);
}

LambdaLR cosine_with_warmup(const Optimizer& optimizer, WarmupOptions o, std::source_location at) {
  require_steps("cosine_with_warmup", o, true, at);
  return LambdaLR(
      optimizer,
      [=](int64_t count) {
        if (count < o.warmup_steps) return warm(count, o.warmup_steps);
        return std::max(0.0, (1 + std::cos(std::numbers::pi * 2 * o.cycles * cooled(count, o))) / 2);
      },
      Every::step, at);
}

}  // namespace weft::optim
