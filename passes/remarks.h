#pragma once
// Where passes say what they have to say.

#include <unordered_map>
#include <vector>

#include "weft/passes/remark.h"

namespace weft::passes {

class Remarks {
 public:
  /// Marks that it gives (passes/marks.h) are this one and those after it.
  explicit Remarks(int first_mark = 0) : first_mark_(first_mark), next_mark_(first_mark) {}

  /// The op as it is now. It gets a mark, one for all remarks on it, by which it is found in what it becomes.
  Remark::Of of(ir::Op& op, const ir::Type& type);
  /// A value that `mover` puts elsewhere: it is described as it was made, or fed, and found by the mover.
  Remark::Of of_moved(ir::Value value, ir::Op& mover);
  void add(Remark remark) { all_.push_back(std::move(remark)); }

  /// A pass begins to run on a graph.
  void begin() { marked_.clear(); }
  const std::vector<Remark>& all() const { return all_; }
  int first_mark() const { return first_mark_; }

 private:
  std::vector<int> recorded_of(const ir::Locations& locations) const;

  std::vector<Remark> all_;
  int first_mark_, next_mark_;
  std::unordered_map<int, int> marked_;  // by the op's number
};

}  // namespace weft::passes
