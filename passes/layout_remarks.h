#pragma once
// What the pass `layout` has to say: in which layouts ops are computed and why, where values are reordered for that, and where one is
// brought back since what reads it does not go along.

#include <string>
#include <unordered_map>
#include <vector>

#include "weft/ir/value_names.h"
#include "weft/passes/remarks.h"
#include "weft/passes/target.h"
#include "weft/support/layout.h"

namespace weft::passes {

class LayoutRemarks {
 public:
  LayoutRemarks(const ir::Graph& graph, const Target& target, Remarks& to) : target_(target), to_(to), names_(graph) {}

  /// `made` takes the place of `op`, with the attributes that the target wanted.
  void chosen(const ir::Op& op, ir::Op& made, const ir::NamedAttributes& wanted);
  /// The op's result lies otherwise, since what it reads does.
  void followed(const ir::Op& op);
  /// Once the pass knows how far that goes.
  void say_what_was_chosen();
  /// `v`, of which `source` is what the graph computes, lies in this layout; `there` is that for an op that is about to be made, in another.
  void reordered(ir::Value v, ir::Value source, const Layout& from, ir::Value there, const Layout& to);
  /// What was reordered last is for this op, which wants it so, or goes along with others that it reads.
  void read_by(ir::Op& made, bool wants);
  /// `v` lies in another layout as `source`, and `back` is row-major, for what reads it: the graph's output where that is none of these.
  void brought_back(ir::Value v, ir::Value source, ir::Value back, const std::vector<ir::Op*>& readers);

 private:
  struct Reordered {
    Remark::Of of;
    std::string source, layout;
    int64_t bytes;
  };
  struct Chosen {
    Remark remark;
    std::vector<std::string> through;  // the names of ops that followed
  };
  Remark::Of moved(ir::Value v, const std::vector<ir::Op*>& by);

  const Target& target_;
  Remarks& to_;
  ir::ValueNames names_;  // before the pass
  std::vector<Reordered> open_;
  std::vector<Chosen> chosen_;
  std::unordered_map<ir::Value, size_t, ir::ValueHash> chosen_by_;  // of what lies otherwise, in whose layout
};

}  // namespace weft::passes
