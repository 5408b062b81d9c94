#pragma once
// A trace as chrome://tracing and ui.perfetto.dev read it.

#include <string>

#include "weft/frontend/report/profile.h"

namespace weft::detail {

/// JSON: a track of steps and one a thread, each call named by its layer (else its lines) and op, with its kernel, part of the step,
/// source lines, FLOPs and bytes; waits for other threads are slices of their own. `profile` is of the same calls.
std::string trace_text(const Trace& trace, const Profile& profile, const std::string& program);

}  // namespace weft::detail
