// Reads generated images in batches, through a .npy file.

#include <weft/runtime/data/batcher.h>
#include <weft/runtime/data/digits.h>
#include <weft/runtime/data/npy.h>
#include <weft/runtime/metrics.h>

#include <cstdio>

using namespace weft;

int main() {
  const Dataset digits = generate_digits(10, 1);
  write_npy("labels.npy", digits.targets);
  const Array labels = read_npy("labels.npy");
  Batcher batcher(digits, {.batch = 4});
  batcher.start_epoch(0);
  int64_t samples = 0, equal = 0;
  while (const Batch* batch = batcher.next()) {
    const auto targets = batch->targets.values<int64_t>();
    for (int64_t i = 0; i < batch->size; ++i) equal += targets[static_cast<size_t>(i)] == labels.values<int64_t>()[samples++];
  }
  MetricsFile("metrics.jsonl").write({{"samples", samples}});
  std::printf("%d of %d labels\n", static_cast<int>(equal), static_cast<int>(samples));
  return samples == 10 && equal == 10 ? 0 : 1;
}
