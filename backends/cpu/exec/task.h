#pragma once
// One step of a CPU program: a kernel launch, a library call, a copy loop.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace weft::cpu {

class Task {
 public:
  /// A task has `units` parts that may run at once, on any threads; how they are shared out changes no bit.
  explicit Task(int64_t units) : units_(units) {}
  virtual ~Task() = default;

  /// Operands, then results. The program fills them in; call rebound() after changing one.
  std::vector<std::byte*> buffers;
  virtual void rebound() {}

  int64_t units() const { return units_; }
  /// Runs the units begin to end - 1. Returns 0, or the library's number for what went wrong.
  virtual int run(int64_t begin, int64_t end) = 0;
  /// One line for people: what it does, on what, for which source lines.
  std::string description;
  /// What the library calls the routine that runs it; "" for our own code.
  std::string implementation;

 private:
  int64_t units_;
};

/// A generated kernel: see backends/codegen/codegen.h.
class KernelTask final : public Task {
 public:
  using Function = void (*)(std::byte* const* buffers, int64_t begin, int64_t end);
  KernelTask(Function function, int64_t units) : Task(units), function_(function) {}
  int run(int64_t begin, int64_t end) override {
    function_(buffers.data(), begin, end);
    return 0;
  }

 private:
  Function function_;
};

}  // namespace weft::cpu
