#pragma once
// One step of a CPU program: a kernel launch, a library call, a copy loop.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace weft::cpu {

class Task {
 public:
  virtual ~Task() = default;

  /// Operands, then results. The program fills them in; call rebound() after changing one.
  std::vector<std::byte*> buffers;
  virtual void rebound() {}

  virtual void run(int threads) = 0;
  /// One line for people: what it does, on what, for which source lines.
  std::string description;
};

/// A generated kernel: see backends/codegen/codegen.h.
class KernelTask final : public Task {
 public:
  using Function = void (*)(std::byte* const* buffers, int64_t begin, int64_t end);
  KernelTask(Function function, int64_t units, bool parallel) : function_(function), units_(units), parallel_(parallel) {}
  void run(int threads) override;

 private:
  Function function_;
  int64_t units_;
  bool parallel_;
};

}  // namespace weft::cpu
