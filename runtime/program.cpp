#include "weft/runtime/program.h"

#include "weft/support/error.h"

namespace weft {

void Program::run_watched(std::span<const Binding>, CallWatcher&) {
  throw Error(ErrorKind::device, "programs for this device do not show what their calls write").hint("use the device cpu");
}

}  // namespace weft
