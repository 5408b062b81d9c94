#pragma once
// Marks: numbers that ops carry along with their lines. Rewrites pass lines on (ir/location.h), so that of whatever they make it can be
// told of which marked ops it was made. A mark is a line of no file; nothing prints it.

#include <vector>

#include "weft/ir/graph.h"

namespace weft::passes {

/// Besides the marks that it has. The mark bears the op's layer, by which it is told from others where an op serves several.
void add_mark(ir::Op& op, int mark);
/// In the order in which they came. Of what was made of very many, as many as there may be lines.
std::vector<int> marks_of(const ir::Locations& all);
ir::Locations without_marks(const ir::Locations& all);

}  // namespace weft::passes
