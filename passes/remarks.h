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
  void add(Remark remark) { all_.push_back(std::move(remark)); }

  /// A pass begins to run on a graph.
  void begin() { marked_.clear(); }
  /// A pass has ended that began with so many remarks: those of the graph and of its loops' bodies stand in the order of what they cost.
  void sort_from(size_t first);

  const std::vector<Remark>& all() const { return all_; }
  int first_mark() const { return first_mark_; }

 private:
  std::vector<Remark> all_;
  int first_mark_, next_mark_;
  std::unordered_map<int, int> marked_;  // by the op's number
};

}  // namespace weft::passes
