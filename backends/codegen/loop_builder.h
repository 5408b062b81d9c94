#pragma once
// Opens and closes LLVM loops, and remembers for every open loop where code that does not depend on the loops inside
// it belongs: right before the next inner loop.

#include <functional>
#include <vector>

#include "weft/backends/codegen/types.h"

namespace weft::codegen {

class LoopBuilder {
 public:
  explicit LoopBuilder(IRBuilder& builder) : b_(builder) { levels_.push_back({}); }

  /// Emits `for (i = begin; i < end; i += step) body(i)`. The body is one level deeper.
  void loop(llvm::Value* begin, llvm::Value* end, llvm::Value* step, const std::string& name,
            const std::function<void(llvm::Value*)>& body);

  /// Emits body(), one level deeper, with no loop around it: of what stands one after the other, each is a level of its own.
  void scope(const std::function<void()>& body);

  /// Emits `if (condition) body()`. No value that the body makes may be used behind it.
  void when(llvm::Value* condition, const std::string& name, const std::function<void()>& body);

  /// Runs `emit` with the builder placed at the given level: outside of all loops deeper than it.
  llvm::Value* at_level(int level, const std::function<llvm::Value*()>& emit);

  int depth() const { return static_cast<int>(levels_.size()) - 1; }
  /// Called with a level when its loop closes: values emitted there are no longer usable.
  std::function<void(int)> on_close;

 private:
  struct Level {
    llvm::Instruction* hoist = nullptr;  // insert before this; null: where the builder stands
  };

  IRBuilder& b_;
  std::vector<Level> levels_;
};

}  // namespace weft::codegen
