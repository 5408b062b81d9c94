#pragma once
// What a pass has to say of what it did or left: why ops are not in one kernel, what runs slowly.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weft/ir/graph.h"

namespace weft::passes {

struct Remark {
  /// An op, as it was when the pass ran.
  struct Of {
    explicit Of(const ir::Op& op, const ir::Type& type);
    std::string op;  // of an input of the program its role and name: "parameter fc1.weight"
    ir::Type type;   // of its result, or of what it reads where the remark is of one op that nothing faster runs
    ir::Locations locations;
    /// Of a boundary: what the value is called in the program's text before the pass ("%fc1.add"); in the remark's text where nothing else
    /// tells the two apart.
    std::string name = {};
    /// By which it is found in what it became, see passes/remarks.h; -1: it has none.
    int mark = -1;
    /// The marks of recorded ops that it was made of, where these were marked before the passes ran.
    std::vector<int> recorded = {};
    /// Numbers of the program's calls that it went into, once somebody has followed it there (frontend/report/replay.h).
    std::vector<int> calls = {};
  };
  std::string what;  // "not fused", "reordered", "written out", "computed in f32", "slow", "laid out", "library call"
  Of of;
  /// The other of two that were not fused: who reads what the first makes, or another reader of what the first reads.
  std::optional<Of> other = {};
  bool beside = false;  // they read the same
  std::string why;
  /// Of a boundary: where there would be none ("it has all of these axes"); empty where a program has no say in it.
  std::string unless = {};
  /// Of a boundary: what is written and read because of it. Of a reorder, what it reads and writes where it is a kernel of its own.
  int64_t bytes = 0;
  /// Is the value put into another layout between the two? `of` is followed to where that is done.
  bool reorders = false;
  /// It says how something is done, and nothing that should be otherwise.
  bool aside = false;
};

/// "not fused: exp f32[64] (net.cpp:6) -> sum f32[] (net.cpp:7): another op must run between them: exp (net.cpp:9); costs 512 bytes,
/// unless ..."
std::string to_string(const Remark& remark);

/// First what is of no boundary, then boundaries, the dearest first, then what is said aside.
void sort_by_worth(std::vector<Remark>& remarks);

/// How many of the remarks, which are sorted so, are worth reading first: all that are of no boundary, and of the boundaries few, or
/// those that make up nearly all that is moved.
size_t worth_reading(std::span<const Remark> remarks);

}  // namespace weft::passes
