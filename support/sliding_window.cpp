#include "weft/support/sliding_window.h"

#include <algorithm>

namespace weft {

int64_t SlidingWindow::positions(int64_t elements) const {
  const int64_t last = elements + low + high - 1;
  if (last < 0 || extent - 1 > last / dilation) return 0;  // nothing fits; the reach might not fit into 64 bits
  return (last - reach()) / stride + 1;
}

int64_t SlidingWindow::missing(int64_t elements) const {
  const int64_t room = elements + low + high - reach() - 1;  // for steps behind the first position
  if (room + stride <= 0) return 0;
  int64_t count = (room + stride - 1) / stride + 1;
  if ((count - 1) * stride >= elements + low) --count;
  return std::max<int64_t>(0, (count - 1) * stride - room);
}

}  // namespace weft
