#include "weft/passes/marks.h"

#include <algorithm>

namespace weft::passes {
namespace {

/// Of an op of several layers none: the mark is of all of it.
std::string layer_of(const ir::Locations& all) {
  const ir::Locations lines = ir::source_lines(all);
  const bool one = std::all_of(lines.begin(), lines.end(), [&](const ir::Location& at) { return at.scope == lines[0].scope; });
  return one && !lines.empty() ? lines[0].scope : "";
}

bool is_mark(const ir::Location& at) { return at.read && at.file.empty(); }

}  // namespace

void add_mark(ir::Op& op, int mark) {
  const ir::Locations& before = op.locations();
  std::vector<ir::Location> all(before.begin(), before.end());
  all.push_back({.file = "", .line = mark, .scope = layer_of(before), .read = true});
  op.set_locations(ir::Locations(std::move(all), before.phases()));
}

std::vector<int> marks_of(const ir::Locations& all) {
  std::vector<int> marks;
  for (const ir::Location& at : all)
    if (is_mark(at)) marks.push_back(at.line);
  return marks;
}

ir::Locations without_marks(const ir::Locations& all) {
  if (std::none_of(all.begin(), all.end(), is_mark)) return all;
  std::vector<ir::Location> kept;
  std::copy_if(all.begin(), all.end(), std::back_inserter(kept), [](const ir::Location& at) { return !is_mark(at); });
  return ir::Locations(std::move(kept), all.phases());
}

}  // namespace weft::passes
