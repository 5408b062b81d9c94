#pragma once
// What a graph is compiled for.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weft/backends/cpu/cpu.h"
#include "weft/backends/cuda/cuda.h"
#include "weft/backends/program/backend.h"

namespace weft {

/// What all compiling targets have, as their own options say it.
struct TargetOptions {
  std::optional<DType> autocast = {};
  std::optional<int64_t> memory_limit = {};
};

class Target {
 public:
  /// This machine's processor. Throws weft::Error for a negative number of threads, for an unknown instruction set and for autocast
  /// to another type than bf16.
  static Target cpu(cpu::Options options = {});
  /// An NVIDIA GPU, which is looked for when a program is compiled: that throws weft::Error saying what is missing. Throws weft::Error
  /// for a negative device and for an unknown architecture.
  static Target cuda(cuda::Options options = {});
  /// The interpreter that tests compare with: slow, in double precision.
  static Target reference();
  /// One of all(), or device N as "cuda:N". Throws weft::Error for anything else, and for an option that it has not.
  static Target from_name(std::string_view name, TargetOptions options = {});
  /// What weft has, each with its defaults.
  static std::vector<Target> all();
  /// A backend of your own.
  explicit Target(std::shared_ptr<const Backend> backend) : backend_(std::move(backend)) {}

  /// The same with another number of threads. Throws weft::Error for a target without any.
  Target with_threads(int threads) const;

  std::string name() const { return std::string(backend_->name()); }
  const Backend& backend() const { return *backend_; }
  const std::shared_ptr<const Backend>& shared_backend() const { return backend_; }

 private:
  std::shared_ptr<const Backend> backend_;
};

}  // namespace weft
