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

SlidingWindow SlidingWindow::reaching(int64_t elements) const {
  const int64_t count = positions(elements);
  if (elements < 1 || count < 1) return *this;
  SlidingWindow w = *this;
  // In front of the axis even at the last position; behind it even at the first.
  const int64_t last = (count - 1) * stride;
  const int64_t before = last >= low ? 0 : std::min({(low - last + dilation - 1) / dilation, low / dilation, extent - 1});
  w.low -= before * dilation, w.extent -= before;
  w.extent = std::clamp<int64_t>((elements + w.low + dilation - 1) / dilation, 1, w.extent);
  if (w.extent != extent - before) w.high = std::max<int64_t>(0, last + w.reach() + 1 - elements - w.low);
  return w.positions(elements) == count ? w : *this;
}

}  // namespace weft
