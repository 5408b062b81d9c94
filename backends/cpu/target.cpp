#include "weft/backends/cpu/cpu.h"
#include "weft/backends/cpu/heavy.h"
#include "weft/backends/program/targets.h"
#include "weft/ir/op_def.h"
#include "weft/runtime/parallel.h"

namespace weft::cpu {
namespace {

class CpuTarget final : public passes::Target {
 public:
  CpuTarget(std::optional<DType> autocast, bool strict, std::optional<int64_t> memory_limit)
      : autocast_(autocast), strict_(strict), memory_limit_(memory_limit) {}

  std::string_view name() const override { return "cpu"; }
  std::optional<DType> autocast() const override { return autocast_; }
  std::optional<int64_t> memory_limit() const override { return memory_limit_; }
  bool claims(const ir::Op& op) const override {
    const HeavyOp* row = find_heavy(op);
    return row && (!row->claims || row->claims(op));
  }
  bool is_better_expanded(const ir::Op& op) const override {
    const HeavyOp* row = claimed(op);
    return row && row->is_better_expanded && row->is_better_expanded(op) && !mirrors(op);
  }
  bool accepts_epilogue(const ir::Op& op, const ir::Graph& body) const override {
    const HeavyOp* row = find_heavy(op);
    return row && row->accepts_epilogue && row->accepts_epilogue(body);
  }
  bool mirrors(const ir::Op& op) const override {
    const HeavyOp* row = claimed(op);
    return row && row->mirrors && row->mirrors(op, strict_);
  }
  std::optional<Channels> channels(const ir::Op& op) const override {
    const HeavyOp* row = claimed(op);
    return row && row->channels ? row->channels(op, strict_) : std::nullopt;
  }
  ir::NamedAttributes layouts(const ir::Op& op) const override {
    const HeavyOp* row = claimed(op);
    return row && row->layouts ? row->layouts(op, cores_, strict_) : ir::NamedAttributes();
  }
  int64_t parts(const ir::Op& op) const override {
    const HeavyOp* row = find_heavy(op);
    return row && row->parts ? row->parts(op, cores_) : 1;
  }
  int64_t slices(const ir::Op& op) const override {
    const HeavyOp* row = find_heavy(op);
    return row && row->slices ? row->slices(op, cores_) : 1;
  }
  int64_t scratch_bytes(const ir::Op& op) const override {
    const HeavyOp* row = find_heavy(op);
    if (row && row->scratch_bytes) return row->scratch_bytes(op);
    return row && row->answer ? row->answer(op).scratch_bytes : 0;
  }
  Implementation implementation(const ir::Op& op) const override {
    const HeavyOp* row = find_heavy(op);
    const Answer answer = row && row->answer ? row->answer(op) : Answer();
    return {answer.implementation, answer.is_plain()};
  }

 private:
  const HeavyOp* claimed(const ir::Op& op) const { return claims(op) ? find_heavy(op) : nullptr; }

  int cores_ = available_cores();
  std::optional<DType> autocast_;
  bool strict_;
  std::optional<int64_t> memory_limit_;
};

}  // namespace

const passes::Target& target(const Options& options) {
  static auto* const all = new program::Targets<CpuTarget, std::optional<DType>, bool, std::optional<int64_t>>;
  return all->of(options.autocast, options.strict, options.memory_limit);
}

}  // namespace weft::cpu
