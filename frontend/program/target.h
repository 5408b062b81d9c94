#pragma once
// What a graph is compiled for.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weft/backends/cpu/cpu.h"

namespace weft {

class Target {
 public:
  /// This machine's processor. Throws weft::Error for a negative number of threads and for an unknown instruction set.
  /// With .threads = 0 the environment variable WEFT_THREADS decides (a positive integer, anything else is an error),
  /// else there is one thread per usable core.
  static Target cpu(cpu::Options options = {});
  /// The interpreter that tests compare with: slow, in double precision.
  static Target reference();
  /// "cpu" or "reference". Throws weft::Error for anything else.
  static Target from_name(std::string_view name);

  /// The same with another number of threads, where the target has any.
  Target with_threads(int threads) const;

  const std::string& name() const { return name_; }

  // For compile().
  const passes::Target& asked_by_passes() const;
  std::vector<std::string> pipeline() const;
  std::unique_ptr<Program> build(const ir::Module& module, std::vector<cpu::KernelText>* kernels) const;

 private:
  Target(std::string name, cpu::Options options) : name_(std::move(name)), options_(std::move(options)) {}

  std::string name_;
  cpu::Options options_;
};

}  // namespace weft
