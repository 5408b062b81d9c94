#include "weft/tests/ptx/fault.h"

namespace weft::test::ptx {

std::string_view name_of(Check check) {
  switch (check) {
    case Check::text: return "text";
    case Check::launch: return "launch";
    case Check::bounds: return "bounds";
    case Check::alignment: return "alignment";
    case Check::unwritten_memory: return "unwritten memory";
    case Check::unwritten_register: return "unwritten register";
    case Check::race: return "race";
    case Check::divergence: return "divergence";
    case Check::limit: return "limit";
    case Check::trap: return "trap";
    case Check::undefined: return "undefined";
  }
  return "?";
}

Fault::Fault(Check check, const std::string& message, const std::string& where)
    : std::runtime_error(std::string(name_of(check)) + ": " + message + (where.empty() ? "" : ", ") + where), check_(check) {}

}  // namespace weft::test::ptx
