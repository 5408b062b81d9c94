#include "weft/passes/remark.h"

namespace weft::passes {

std::string to_string(const Remark& r) {
  const auto label = [](const Remark::Of& of) { return fmt::format("{} {} ({})", of.op, to_string(of.type), to_string(of.locations)); };
  if (r.other) return fmt::format("{}: {} {} {}: {}", r.what, label(r.of), r.beside ? "beside" : "->", label(*r.other), r.why);
  return fmt::format("{}: {} of {} at {}: {}", r.what, r.of.op, to_string(r.of.type), to_string(r.of.locations), r.why);
}

}  // namespace weft::passes
