#include "weft/backends/cpu/exec/compute_threads.h"

#include <cstdlib>

#include "weft/runtime/parallel.h"
#include "weft/support/error.h"
#include "weft/support/number_text.h"

namespace weft::cpu {

int compute_threads(int asked) {
  if (asked > 0) return asked;
  const char* text = std::getenv("WEFT_THREADS");
  if (!text || !*text) return available_cores();
  const std::optional<int> threads = number_in<int>(text);
  if (!threads || *threads < 1)
    throw Error("WEFT_THREADS must be a positive number of threads, not '{}'", text).hint("unset it for one per core");
  return *threads;
}

}  // namespace weft::cpu
