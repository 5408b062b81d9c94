#include "weft/support/attention.h"

#include <algorithm>

namespace weft {

Attention Attention::of(const Shape& queries, const Shape& keys, const Shape& values, bool causal, double scale) {
  Attention a{.batch = Dims(queries.begin(), queries.end() - 2), .causal = causal, .scale = scale};
  a.queries = queries[-2], a.keys = keys[-2], a.width = queries[-1], a.value_width = values[-1];
  if (queries.rank() > 2 && keys[-3] > 0) a.group = queries[-3] / keys[-3];
  return a;
}

int64_t Attention::heads() const {
  int64_t heads = 1;
  for (int64_t extent : batch) heads *= extent;
  return heads;
}

double Attention::pairs() const {
  const auto q = static_cast<double>(queries), k = static_cast<double>(keys);
  const double rising = std::min(q, k);  // queries that each see one key more
  const double of_a_head = causal ? rising * (rising + 1) / 2 + (q - rising) * k : q * k;
  return static_cast<double>(heads()) * of_a_head;
}

}  // namespace weft
