#pragma once
// Programs for a GPU as files hold them, to be damaged.

#include <string>
#include <string_view>

#include "weft/frontend/language/graph.h"
#include "weft/runtime/program_data.h"

namespace weft::test {

/// Compiled for sm_80.
ProgramData lowered(const Graph& graph);
/// The first call of that name, and its launch.
CallDescriptor& call_of(ProgramData& program, std::string_view name);
const Launch& launch_of(const ProgramData& program, const CallDescriptor& call);
/// What loading it says; "": it is loaded.
std::string refusal_of(ProgramData program);

}  // namespace weft::test
