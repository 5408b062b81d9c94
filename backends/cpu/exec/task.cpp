#include "weft/backends/cpu/exec/task.h"

#include "weft/runtime/parallel.h"

namespace weft::cpu {

void KernelTask::run(int threads) {
  if (!parallel_) return function_(buffers.data(), 0, units_);
  parallel_units(threads, units_, [](void* self, int64_t begin, int64_t end) {
    const auto* task = static_cast<const KernelTask*>(self);
    task->function_(task->buffers.data(), begin, end);
  }, this);
}

}  // namespace weft::cpu
