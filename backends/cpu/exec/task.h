#pragma once
// One step of a CPU program: a kernel launch, a library call, a copy loop.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
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
  /// What the library calls the routine that runs it; "" for our own code.
  std::string implementation;
  /// Does another library run it, which may have threads of its own?
  bool is_library_call = false;
  /// Scratch memory beside the plan's.
  int64_t own_scratch_bytes = 0;

 private:
  int64_t units_;
};

/// A generated kernel: see backends/codegen/codegen.h.
class KernelTask final : public Task {
 public:
  using Function = void (*)(std::byte* const* table, int64_t begin, int64_t end);
  /// So many bytes behind the start of a buffer.
  struct Pointer {
    size_t buffer;
    int64_t offset;
  };
  /// `pointers`: what the function's table holds.
  KernelTask(Function function, int64_t units, std::vector<Pointer> pointers)
      : Task(units), function_(function), pointers_(std::move(pointers)), table_(pointers_.size(), nullptr) {}

  void rebound() override {
    for (size_t i = 0; i < table_.size(); ++i)
      if (std::byte* const start = buffers[pointers_[i].buffer]) table_[i] = start + pointers_[i].offset;
  }

  int run(int64_t begin, int64_t end) override {
    function_(table_.data(), begin, end);
    return 0;
  }

 private:
  Function function_;
  std::vector<Pointer> pointers_;
  std::vector<std::byte*> table_;
};

}  // namespace weft::cpu
