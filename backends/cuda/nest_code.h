#pragma once
// Loop nests as functions of a block of threads.

#include <optional>
#include <span>

#include "weft/backends/codegen/mapping.h"
#include "weft/backends/codegen/value_emitter.h"

namespace weft::cuda {

/// One launch of a nest: `void (ptr buffers, ptr shared, ptr scratch, i32 block)`, to be run for the blocks 0 to blocks - 1, all
/// of whose threads come to its barriers.
struct NestLaunch {
  llvm::Function* function;
  int64_t blocks;
  int threads;
};

struct NestCode {
  std::vector<NestLaunch> launches;  // in order; none: there is nothing to do
  uint64_t shared_bytes = 0;         // of a block
  uint64_t scratch_bytes = 0;        // in global memory, from the first launch to the last
};

/// `body` is that of a `fused` op, whose operands and results are these of the table's buffers; `written` says which of the operands
/// others write in the same launch.
NestCode emit_nest(llvm::Module& module, const ir::Graph& body, const std::string& name, std::span<const int> buffers,
                   const std::vector<bool>& written, const codegen::MappingLimits& limits);

/// What the functions of a nest are emitted from.
struct NestSource {
  llvm::Module& module;
  const ir::Graph& body;
  passes::LoopNest nest;
  std::span<const int> buffers;
  std::vector<bool> invariant;      // per operand: nobody writes it in the launch, and no result of the nest may be written over it
  bool replaces_per_point = false;  // may a result with the kept loops only be written over an operand?
  int64_t points = 1;               // of the kept loops

  NestSource(llvm::Module& module, const ir::Graph& body, std::span<const int> buffers, const std::vector<bool>& written);
};

/// One function under construction.
class NestFunction {
 public:
  /// `has_elements`: does it compute what follows all loops?
  NestFunction(const NestSource& source, const codegen::Mapping& mapping, codegen::Loops loops, int lanes, const std::string& name,
               bool has_elements = true);

  llvm::Value* index(int64_t value) { return llvm::ConstantInt::get(index_type, static_cast<uint64_t>(value), true); }
  int64_t extent_of(int loop) const { return loops.all[static_cast<size_t>(loop)].extent; }
  /// From a number of the points of these loops to their indices.
  void set_point(const std::vector<int>& kept, llvm::Value* number);
  /// body(i) for i = first, first + step, ... below `end`, where the block is `first` and step the mapping's blocks at most; without
  /// a loop where one turn will do. Returns whether there is one.
  bool each_of_block(int64_t end, const std::function<void(llvm::Value*)>& body);
  codegen::ValueEmitter values_of(codegen::LoopBuilder& build, const codegen::Loops& loops, int lanes);

  const NestSource& source;
  const codegen::Mapping mapping;
  const codegen::Loops loops;
  codegen::IRBuilder b;
  codegen::LoopBuilder build;
  llvm::Function* function;
  llvm::Type* index_type;
  llvm::Value *thread, *block, *shared, *scratch;
  std::vector<codegen::ValueBuffer> inputs, outputs;
  std::optional<codegen::ValueEmitter> values;
  uint64_t shared_bytes = 0;  // that the function has taken so far

  /// They are known to `values`; to another emitter once this has told it.
  void tell_scalars(codegen::ValueEmitter& emitter) const {
    for (const auto& [v, element] : scalars_) emitter.set_scalar(v, element);
  }

 private:
  void share_scalars();

  std::vector<std::pair<ir::Value, llvm::Value*>> scalars_;
};

NestLaunch emit_flat(const NestSource& source, const codegen::Mapping& mapping, const std::string& name, uint64_t& shared_bytes);
NestLaunch emit_tiles(const NestSource& source, const codegen::Mapping& mapping, const std::string& name, uint64_t& shared_bytes);
NestCode emit_reduction(const NestSource& source, const codegen::Mapping& mapping, const std::string& name);

}  // namespace weft::cuda
