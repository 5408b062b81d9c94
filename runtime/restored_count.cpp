#include "weft/runtime/restored_count.h"

#include <cmath>

#include "weft/support/error.h"

namespace weft::detail {

int64_t restored_count(double number) {
  if (!(number >= 0 && number <= static_cast<double>(largest_count)) || number != std::floor(number)) throw Error("{} is no count", number);
  return static_cast<int64_t>(number);
}

}  // namespace weft::detail
