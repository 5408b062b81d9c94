// Nests that reduce: 16 threads have the partial results of a reduction's lanes, groups of such threads different pieces; or one
// thread has them all.

#include <llvm/IR/Module.h>

#include <algorithm>

#include "weft/backends/codegen/accumulators.h"
#include "weft/backends/codegen/scalar_emitter.h"
#include "weft/backends/cuda/lane_tree.h"
#include "weft/backends/cuda/nest_code.h"
#include "weft/backends/cuda/reduction_sweep.h"
#include "weft/backends/cuda/thread_code.h"
#include "weft/ir/op_def.h"

namespace weft::cuda {
namespace {

using codegen::Mapping;
using codegen::ReductionTree;
using Ops = std::vector<const ir::Op*>;

/// Where the nodes of a first launch lie, that a second one combines.
struct Scratch {
  int level = -1;                 // of the nodes; -1: there is one launch
  std::vector<uint64_t> offsets;  // per reduction
  uint64_t bytes = 0;
};

class ReductionNest {
 public:
  /// `combines`: of the second launch.
  ReductionNest(const NestSource& source, const Mapping& mapping, const ReductionTree& tree, const Scratch& scratch, bool combines,
                const std::string& name)
      : source_(source), mapping_(mapping), tree_(tree), scratch_(scratch), combines_(combines),
        f_(source, mapping, codegen::plan_loops(source.body, source.nest, 1), 1, name), at_(position()),
        lanes_(f_.b, f_.build, mapping_, at_, f_.shared, f_.shared_bytes), sweep_(f_, tree, mapping_, at_, lanes_) {}

  NestLaunch emit(uint64_t& shared_bytes) {
    const int64_t tiles = (source_.points + mapping_.points - 1) / mapping_.points,
                  nodes = tree_.nodes[static_cast<size_t>(mapping_.block_level)];
    const bool repeats = tiles * nodes > mapping_.blocks;
    f_.each_of_block(tiles * nodes, [&](llvm::Value* unit) {
      // Neighbouring blocks read what lies beside each other.
      const bool is_row = mapping_.kind == Mapping::Kind::row;
      llvm::Value* count = f_.index(is_row ? nodes : tiles);
      llvm::Value *fast = f_.b.CreateURem(unit, count), *slow = f_.b.CreateUDiv(unit, count);
      emit_block(is_row ? slow : fast, is_row ? fast : slow);
      if (repeats && lanes_.shared_bytes() > 0) barrier(f_.b);
      lanes_.forget();
    });
    f_.b.CreateRetVoid();
    shared_bytes = std::max(shared_bytes, lanes_.shared_bytes());
    return {f_.function, mapping_.blocks, mapping_.threads};
  }

 private:
  Position position() {
    llvm::Value* zero = f_.index(0);
    if (mapping_.lanes == 1) return {f_.thread, zero, zero};
    const bool is_row = mapping_.kind == Mapping::Kind::row;
    llvm::Value* fast = f_.index(is_row ? reduction_lanes : mapping_.points);
    llvm::Value *first = f_.b.CreateURem(f_.thread, fast), *rest = f_.b.CreateUDiv(f_.thread, fast);
    llvm::Value* middle = f_.index(is_row ? mapping_.groups : reduction_lanes);
    llvm::Value *second = f_.b.CreateURem(rest, middle), *third = f_.b.CreateUDiv(rest, middle);
    return is_row ? Position{third, first, second} : Position{first, second, third};
  }

  Ops reductions_of(int stage) const {
    Ops reductions;
    for (const auto& op : source_.body.ops())
      if (const auto found = source_.nest.reduction_stage.find(op); found != source_.nest.reduction_stage.end() && found->second == stage)
        reductions.push_back(op);
    return reductions;
  }

  bool has_outputs(int stage) const {
    return std::find(source_.nest.output_stage.begin(), source_.nest.output_stage.end(), stage) != source_.nest.output_stage.end();
  }

  void emit_block(llvm::Value* tile, llvm::Value* node) {
    llvm::Value* first = f_.b.CreateMul(tile, f_.index(mapping_.points));
    point_ = f_.b.CreateAdd(first, at_.point), is_point_ = nullptr;
    if (source_.points % mapping_.points != 0) {
      // A thread without a point of its own does what the block's first one does, and writes nothing.
      is_point_ = f_.b.CreateICmpULT(point_, f_.index(source_.points));
      point_ = f_.b.CreateSelect(is_point_, point_, first);
    }
    f_.set_point(f_.loops.rows, point_);
    f_.values->start_point();
    finish_ = nullptr;
    for (int stage = 0; stage < source_.nest.stages; ++stage) {
      const Ops reductions = reductions_of(stage);
      if (reductions.empty() && (!has_outputs(stage) || combines_)) continue;
      emit_stage(stage, reductions, node);
    }
    if (!is_first_of_two()) emit_results();
  }

  bool is_first_of_two() const { return scratch_.level >= 0 && !combines_; }

  void emit_stage(int stage, const Ops& reductions, llvm::Value* node) {
    f_.values->start_stage(stage);
    sweep_.start(stage, reductions, is_point_, node);
    if (mapping_.lanes == 1) {
      set_results(reductions, lanes_.combine_own_lanes(reductions, sweep_.own_lanes()));
      return;
    }
    const Values total =
        combines_ ? sweep_.total([&](llvm::Value* n) { return load_scratch(reductions, n); }, scratch_.level) : sweep_.total();
    if (reductions.empty()) return;
    if (is_first_of_two()) return store_scratch(total, node);
    if (mapping_.kind == Mapping::Kind::row) return set_results(reductions, lanes_.combine_lanes_of_warp(reductions, total));
    const LaneTree::Exchange all = lanes_.exchange(reductions, 1);
    if_all(mapping_.groups > 1 ? f_.b.CreateICmpEQ(at_.group, f_.index(0)) : nullptr, nullptr,
           [&] { lanes_.put(all, total, f_.index(0)); });
    barrier(f_.b);
    const auto finish = [this, reductions, all] { set_results(reductions, lanes_.combine_lanes_of(reductions, all)); };
    // Who needs the results only to write them is one thread.
    if (stage + 1 == source_.nest.stages) finish_ = finish;
    else finish();
  }

  void set_results(const Ops& reductions, const Values& results) {
    for (size_t r = 0; r < reductions.size(); ++r) {
      const bool rounds = reductions[r]->result().dtype() == bf16;
      f_.values->set_reduced(*reductions[r], rounds ? codegen::round_to_bf16(f_.b, results[r]) : results[r]);
    }
  }

  /// if both (null: true)
  void if_all(llvm::Value* x, llvm::Value* y, const std::function<void()>& body) {
    if (!x && !y) return f_.build.scope(body);
    f_.values->when(!x ? y : !y ? x : f_.b.CreateAnd(x, y), "chosen", body);
  }

  /// What has the kept loops only, by one thread a point.
  void emit_results() {
    if (!has_outputs(source_.nest.stages)) return;
    // All threads of the point read what one writes over; those who have come to know the lanes have done so.
    if (source_.replaces_per_point && !finish_) barrier(f_.b);
    llvm::Value* leads = nullptr;
    if (mapping_.lanes > 1) leads = f_.b.CreateICmpEQ(f_.b.CreateOr(at_.lane, at_.group), f_.index(0));
    if_all(leads, is_point_, [&] {
      if (finish_) finish_();
      f_.values->finish_point();
      f_.values->start_stage(source_.nest.stages);
      f_.values->store_outputs(source_.nest.stages);
    });
  }

  // ---- between two launches ----

  /// Neighbouring threads write neighbouring elements.
  llvm::Value* scratch_element(llvm::Value* node) {
    const int64_t nodes = tree_.nodes[static_cast<size_t>(scratch_.level)];
    if (mapping_.kind == Mapping::Kind::row) {
      llvm::Value* row = f_.b.CreateAdd(f_.b.CreateMul(point_, f_.index(nodes)), node);
      return f_.b.CreateAdd(f_.b.CreateMul(row, f_.index(reduction_lanes)), at_.lane);
    }
    llvm::Value* line = f_.b.CreateAdd(f_.b.CreateMul(node, f_.index(reduction_lanes)), at_.lane);
    return f_.b.CreateAdd(f_.b.CreateMul(line, f_.index(source_.points)), point_);
  }

  llvm::Value* scratch_of(size_t reduction) {
    return f_.b.CreateConstInBoundsGEP1_64(f_.b.getInt8Ty(), f_.scratch, scratch_.offsets[reduction]);
  }

  void store_scratch(const Values& total, llvm::Value* node) {
    if_all(mapping_.groups > 1 ? f_.b.CreateICmpEQ(at_.group, f_.index(0)) : nullptr, is_point_, [&] {
      for (size_t r = 0; r < total.size(); ++r) store_exchanged(f_.b, total[r], scratch_of(r), scratch_element(node));
    });
  }

  Values load_scratch(const Ops& reductions, llvm::Value* node) {
    Values values;
    for (size_t r = 0; r < reductions.size(); ++r)
      values.push_back(load_exchanged(f_.b, codegen::register_type(f_.b.getContext(), reductions[r]->result().dtype()), scratch_of(r),
                                      scratch_element(node)));
    return values;
  }

  const NestSource& source_;
  const Mapping mapping_;
  const ReductionTree& tree_;
  const Scratch& scratch_;
  bool combines_;
  NestFunction f_;
  Position at_;
  LaneTree lanes_;
  ReductionSweep sweep_;
  llvm::Value *point_ = nullptr, *is_point_ = nullptr;
  std::function<void()> finish_;
};

/// Room for each reduction's nodes of that level.
Scratch scratch_for(const NestSource& source, const ReductionTree& tree, int level) {
  Scratch scratch{.level = level};
  for (const auto& op : source.body.ops())
    if (source.nest.reduction_stage.contains(op)) {
      scratch.offsets.push_back(scratch.bytes);
      const int64_t values = source.points * tree.nodes[static_cast<size_t>(level)] * reduction_lanes;
      scratch.bytes += (static_cast<uint64_t>(values) * 8 + 255) / 256 * 256;
    }
  return scratch;
}

}  // namespace

NestCode emit_reduction(const NestSource& source, const Mapping& mapping, const std::string& name) {
  const ReductionTree tree(source.body, source.nest);
  NestCode code;
  Scratch scratch;
  if (mapping.block_level < tree.top()) scratch = scratch_for(source, tree, mapping.block_level);
  code.launches.push_back(ReductionNest(source, mapping, tree, scratch, false, name).emit(code.shared_bytes));
  if (scratch.level < 0) return code;
  const Mapping second = codegen::combining_mapping(mapping, tree, source.nest);
  code.launches.push_back(ReductionNest(source, second, tree, scratch, true, name + ".combine").emit(code.shared_bytes));
  code.scratch_bytes = scratch.bytes;
  return code;
}

}  // namespace weft::cuda
