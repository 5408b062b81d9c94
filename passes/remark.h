#pragma once
// What a pass has to say of what it did or left: why ops are not in one kernel, what runs slowly.

#include <optional>
#include <string>

#include "weft/ir/graph.h"

namespace weft::passes {

struct Remark {
  /// An op, as it was when the pass ran.
  struct Of {
    explicit Of(const ir::Op& op, const ir::Type& type) : op(op.name()), type(type), locations(op.locations()) {}
    std::string op;
    ir::Type type;  // of its result, or of what it reads where the remark is of one op
    ir::Locations locations;
  };
  std::string what;  // "not fused", "written out", "computed in f32", "slow"
  Of of;
  /// The other of two that were not fused: who reads what the first makes, or another reader of what the first reads.
  std::optional<Of> other = {};
  bool beside = false;  // they read the same
  std::string why;
};

/// "not fused: exp f32[64] (net.cpp:6) -> sum f32[] (net.cpp:7): another op must run between them"
std::string to_string(const Remark& remark);

}  // namespace weft::passes
