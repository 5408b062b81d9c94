// Nests that reduce: 16 threads have the partial results of a reduction's lanes, groups of such threads different pieces; or one
// thread has them all.

#include <llvm/IR/Module.h>

#include <algorithm>
#include <unordered_map>

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

/// Where the nodes of one launch lie that the next one combines, and what comes of them.
struct Scratch {
  struct Place {
    uint64_t nodes, results;
  };
  int level = -1;  // of the nodes; -1: there is one launch
  std::unordered_map<const ir::Op*, Place> places;
  uint64_t bytes = 0;
};

/// What a launch does of a nest: a sweep, up to the nodes; or it combines them. Stage -1: everything; the number of stages: neither.
struct Step {
  int stage = -1;
  bool combines = false;
  bool writes_results = true;  // those that have the kept loops only
};

Ops reductions_of(const NestSource& source, int stage) {
  Ops reductions;
  for (const auto& op : source.body.ops())
    if (const auto found = source.nest.reduction_stage.find(op); found != source.nest.reduction_stage.end() && found->second == stage)
      reductions.push_back(op);
  return reductions;
}

bool has_outputs(const NestSource& source, int stage) {
  return std::find(source.nest.output_stage.begin(), source.nest.output_stage.end(), stage) != source.nest.output_stage.end();
}

class ReductionNest {
 public:
  ReductionNest(const NestSource& source, const Mapping& mapping, const ReductionTree& tree, const Scratch& scratch, const Step& step,
                const std::string& name)
      : source_(source), mapping_(mapping), tree_(tree), scratch_(scratch), step_(step),
        f_(source, mapping, codegen::plan_loops(source.body, source.nest, 1), 1, name, !step.combines), at_(position()),
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
      const Ops reductions = reductions_of(source_, stage);
      if (stage < step_.stage) load_results(reductions);
      else if (step_.stage < 0 || stage == step_.stage)
        if (!reductions.empty() || has_outputs(source_, stage)) emit_stage(stage, reductions, node);
    }
    emit_results();
  }

  bool ends_in_nodes() const { return step_.stage >= 0 && !step_.combines; }

  void emit_stage(int stage, const Ops& reductions, llvm::Value* node) {
    f_.values->start_stage(stage);
    sweep_.start(stage, reductions, is_point_, node);
    if (mapping_.lanes == 1) {
      set_results(reductions, lanes_.combine_own_lanes(reductions, sweep_.own_lanes()));
      return;
    }
    const Values total =
        step_.combines ? sweep_.total([&](llvm::Value* n) { return load_scratch(reductions, n); }, scratch_.level) : sweep_.total();
    if (reductions.empty()) return;
    if (ends_in_nodes()) return store_scratch(reductions, total, node);
    if (mapping_.kind == Mapping::Kind::row) return set_results(reductions, lanes_.combine_lanes_of_warp(reductions, total));
    const LaneTree::Exchange all = lanes_.exchange(reductions, 1);
    if_all(mapping_.groups > 1 ? f_.b.CreateICmpEQ(at_.group, f_.index(0)) : nullptr, nullptr,
           [&] { lanes_.put(all, total, f_.index(0)); });
    barrier(f_.b);
    const auto finish = [this, reductions, all] { set_results(reductions, lanes_.combine_lanes_of(reductions, all)); };
    // Who needs the results only to write them is one thread.
    if (step_.combines || stage + 1 == source_.nest.stages) finish_ = finish;
    else finish();
  }

  void set_results(const Ops& reductions, const Values& results) {
    for (size_t r = 0; r < reductions.size(); ++r) {
      const auto [at, is_new] =
          results_.insert_or_assign(reductions[r], codegen::rounded(f_.b, reductions[r]->result().dtype(), results[r]));
      f_.values->set_reduced(*reductions[r], at->second);
    }
  }

  /// if both (null: true)
  void if_all(llvm::Value* x, llvm::Value* y, const std::function<void()>& body) {
    if (!x && !y) return f_.build.scope(body);
    f_.values->when(!x ? y : !y ? x : f_.b.CreateAnd(x, y), "chosen", body);
  }

  /// What has the kept loops only, and what later launches need, by one thread a point.
  void emit_results() {
    const int last = source_.nest.stages;
    const bool writes = step_.writes_results && has_outputs(source_, last);
    const Ops needed = step_.combines && step_.stage + 1 < last ? reductions_of(source_, step_.stage) : Ops();
    if (!writes && needed.empty()) return;
    // All threads of the point read what one writes over; those who have come to know the lanes have done so.
    if (source_.replaces_per_point && !finish_) barrier(f_.b);
    llvm::Value* leads = nullptr;
    if (mapping_.lanes > 1) leads = f_.b.CreateICmpEQ(f_.b.CreateOr(at_.lane, at_.group), f_.index(0));
    if_all(leads, is_point_, [&] {
      if (finish_) finish_();
      for (const ir::Op* op : needed) store_exchanged(f_.b, results_.at(op), scratch_at(scratch_.places.at(op).results), point_);
      f_.values->finish_point();
      f_.values->start_stage(last);
      if (writes) f_.values->store_outputs(last);
    });
  }

  // ---- between launches ----

  void load_results(const Ops& reductions) {
    for (const ir::Op* op : reductions)
      f_.values->set_reduced(*op, load_exchanged(f_.b, type_of(*op), scratch_at(scratch_.places.at(op).results), point_));
  }

  llvm::Type* type_of(const ir::Op& op) { return codegen::register_type(f_.b.getContext(), op.result().dtype()); }

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

  llvm::Value* scratch_at(uint64_t offset) { return f_.b.CreateConstInBoundsGEP1_64(f_.b.getInt8Ty(), f_.scratch, offset); }

  void store_scratch(const Ops& reductions, const Values& total, llvm::Value* node) {
    if_all(mapping_.groups > 1 ? f_.b.CreateICmpEQ(at_.group, f_.index(0)) : nullptr, is_point_, [&] {
      for (size_t r = 0; r < total.size(); ++r)
        store_exchanged(f_.b, total[r], scratch_at(scratch_.places.at(reductions[r]).nodes), scratch_element(node));
    });
  }

  Values load_scratch(const Ops& reductions, llvm::Value* node) {
    Values values;
    for (const ir::Op* op : reductions)
      values.push_back(load_exchanged(f_.b, type_of(*op), scratch_at(scratch_.places.at(op).nodes), scratch_element(node)));
    return values;
  }

  const NestSource& source_;
  const Mapping mapping_;
  const ReductionTree& tree_;
  const Scratch& scratch_;
  const Step step_;
  NestFunction f_;
  Position at_;
  LaneTree lanes_;
  ReductionSweep sweep_;
  llvm::Value *point_ = nullptr, *is_point_ = nullptr;
  std::function<void()> finish_;
  std::unordered_map<const ir::Op*, llvm::Value*> results_;
};

/// Room for each reduction's nodes of that level, and for its results.
Scratch scratch_for(const NestSource& source, const ReductionTree& tree, int level) {
  Scratch scratch{.level = level, .places = {}};
  const auto take = [&](int64_t values) {
    const uint64_t offset = scratch.bytes;
    scratch.bytes += (static_cast<uint64_t>(values) * 8 + 255) / 256 * 256;
    return offset;
  };
  for (int stage = 0; stage < source.nest.stages; ++stage)
    for (const ir::Op* op : reductions_of(source, stage)) {
      const uint64_t nodes = take(source.points * tree.nodes[static_cast<size_t>(level)] * reduction_lanes);
      scratch.places[op] = {nodes, take(source.points)};
    }
  return scratch;
}

/// Every stage's sweep and, where it reduces, the combination of its nodes. What has the kept loops only is written when all
/// reductions are known; last of all where it may be written over what the last sweep reads.
std::vector<Step> steps_of(const NestSource& source) {
  std::vector<Step> steps;
  const int stages = source.nest.stages;
  for (int stage = 0; stage < stages; ++stage) {
    const bool reduces = !reductions_of(source, stage).empty();
    if (reduces || has_outputs(source, stage)) steps.push_back({stage, false, false});
    if (reduces) steps.push_back({stage, true, false});
  }
  if (!has_outputs(source, stages)) return steps;
  if (steps.back().combines) steps.back().writes_results = true;
  else if (source.replaces_per_point) steps.push_back({stages, true, true});
  else
    for (auto at = steps.rbegin(); at != steps.rend(); ++at)
      if (at->combines) {
        at->writes_results = true;
        break;
      }
  return steps;
}

}  // namespace

NestCode emit_reduction(const NestSource& source, const Mapping& mapping, const std::string& name) {
  const ReductionTree tree(source.body, source.nest);
  NestCode code;
  if (mapping.block_level == tree.top()) {
    code.launches.push_back(ReductionNest(source, mapping, tree, {}, {}, name).emit(code.shared_bytes));
    return code;
  }
  const Scratch scratch = scratch_for(source, tree, mapping.block_level);
  const Mapping combining = codegen::combining_mapping(mapping, tree, source.nest);
  for (const Step& step : steps_of(source)) {
    const std::string part = name + "." + std::to_string(code.launches.size());
    code.launches.push_back(ReductionNest(source, step.combines ? combining : mapping, tree, scratch, step, part).emit(code.shared_bytes));
  }
  code.scratch_bytes = scratch.bytes;
  return code;
}

}  // namespace weft::cuda
