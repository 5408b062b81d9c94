#include "weft/ir/layout.h"

#include <algorithm>

namespace weft::ir {
namespace {

Value reordered(Builder& b, Value v, const Dims& permutation) {
  if (std::is_sorted(permutation.begin(), permutation.end())) return v;
  return b("transpose", {v}, {{"permutation", permutation}});
}

}  // namespace

Value to_layout(Builder& b, Value v, const Layout& layout) {
  if (layout.is_plain()) return v;
  return reordered(b, b.reshape(v, layout.split(v.shape())), layout.order());
}

Value from_layout(Builder& b, Value v, const Layout& layout) {
  if (layout.is_plain()) return v;
  return b.reshape(reordered(b, v, inverse(layout.order())), layout.logical(v.shape()));
}

}  // namespace weft::ir
