// What a context does when a call of the device has failed: the driver says so later, to somebody else, and not which call it was. So what
// was asked since the last wait is done again, call by call.

#include <utility>

#include "weft/backends/cuda/exec/context.h"

namespace weft::cuda {
namespace {

constexpr const char* lost_hint =
    "what lies on the device is lost, and in this process its context does nothing any more; what the host had read before stays as it "
    "was: go on from a checkpoint, in a new process";
constexpr const char* kept_hint = "what the step updates may be of the step before or of this one: go on from a checkpoint";
constexpr const char* check_hint = "with the environment variable WEFT_CUDA_CHECK=1 each launch is waited for, and one that fails is named";

}  // namespace

void Context::asks(const std::shared_ptr<Repeatable>& what) {
  const std::lock_guard lock(asked_mutex_);
  std::erase_if(asked_, [&](const auto& known) { return known.expired() || known.lock() == what; });
  asked_.push_back(what);
}

bool Context::works() const {
  if (driver_.push_context(context_) != success) return false;
  const bool does = driver_.synchronize(stream_) == success;
  ContextHandle* popped = nullptr;
  driver_.pop_context(&popped);
  return does;
}

void Context::explain(Error& failure) {
  if (!failure.hint().empty() || works()) return;
  failure.of("");  // whose call said it is not to blame
  repeat_for(failure);
}

std::vector<std::shared_ptr<Repeatable>> Context::take_asked() {
  std::vector<std::shared_ptr<Repeatable>> alive;
  const std::lock_guard lock(asked_mutex_);
  for (const auto& each : std::exchange(asked_, {}))
    if (std::shared_ptr<Repeatable> what = each.lock()) alive.push_back(std::move(what));
  return alive;
}

void Context::repeat_for(Error& failure) {
  const std::vector<std::shared_ptr<Repeatable>> asked = take_asked();
  if (!failure.hint().empty()) return;  // it has been explained
  const bool lost = !works();
  const std::string said = failure.message();
  const auto more = [&](const std::string& text) { failure.message(failure.message() + ". " + text); };
  failure.hint(lost ? lost_hint : kept_hint);
  bool repeated = false;
  try {
    const std::shared_ptr<Context> where = !lost ? shared_from_this() : asked.empty() ? nullptr : std::make_shared<Context>(Beside{*this});
    for (const auto& what : asked) repeated = what->repeat(where) || repeated;
    if (repeated) more(fmt::format("Done again call by call{}, nothing failed", lost ? " in a new context" : ""));
    failure.hint(check_hint);
  } catch (const Error& e) {
    if (e.op().empty()) {
      more(fmt::format("The calls cannot be done again one by one{}: {}", lost ? " in a new context" : "", e.message()));
      failure.hint(check_hint);
      return;
    }
    more(fmt::format("Done again call by call{}, this one fails{}",
                     lost ? " in a new context, with parameters as the host had them last and zeros for what only the device had" : "",
                     e.message() == said ? "" : ": " + e.message()));
    failure.of(e.op());
  }
}

}  // namespace weft::cuda
