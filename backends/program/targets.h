#pragma once
// A backend's targets, one for each choice of options that anybody has asked for; they stay, for what holds on to them.

#include <map>
#include <mutex>
#include <tuple>

#include "weft/runtime/threads.h"

namespace weft::program {

/// `Target(Options...)`; each lives as long as this.
template <class Target, class... Options>
class Targets {
 public:
  const Target& of(const Options&... options) {
    const std::lock_guard lock(mutex_);
    return all_.try_emplace(std::tuple(options...), options...).first->second;
  }

 private:
  ForkSafeMutex mutex_;
  std::map<std::tuple<Options...>, Target> all_;
};

}  // namespace weft::program
