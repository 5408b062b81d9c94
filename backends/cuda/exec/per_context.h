#pragma once
// What a library keeps for a device: made by the first who asks, shared by all who do, gone with the last of them.

#include <map>
#include <memory>
#include <mutex>

#include "weft/backends/cuda/exec/context.h"
#include "weft/runtime/threads.h"

namespace weft::cuda {

/// `T(std::shared_ptr<Context>)` keeps its context alive.
template <class T>
class PerContext {
 public:
  std::shared_ptr<T> of(const std::shared_ptr<Context>& context) {
    const std::lock_guard lock(mutex_);
    std::weak_ptr<T>& known = all_[context.get()];
    std::shared_ptr<T> kept = known.lock();
    if (!kept) known = kept = std::make_shared<T>(context);
    return kept;
  }

 private:
  ForkSafeMutex mutex_;
  std::map<const Context*, std::weak_ptr<T>> all_;
};

}  // namespace weft::cuda
