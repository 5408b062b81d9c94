#include "weft/ir/ops/along_axis.h"

namespace weft::ir {

Value places_along_axis(Builder& b, Value index, const Shape& x, int axis) {
  const Shape& shape = index.shape();
  const Expr along{b, index};
  Expr place = along.like(0);
  int64_t stride = 1;
  for (int d = x.rank() - 1; d >= 0; stride *= x[d], --d) {
    if (shape[d] == 1 && d != axis) continue;
    const Expr number = d == axis ? along : Expr(b, b("iota", {}, {{"shape", shape.dims()}, {"axis", int64_t{d}}}));
    place = place + (stride == 1 ? number : number * static_cast<double>(stride));
  }
  const Expr inside{b, b("and", {along.like(0) <= along, along < static_cast<double>(x[axis])})};
  return flattened(b, select(inside, place, place.like(-1)));
}

Value flattened(Builder& b, Value v) { return b.reshape(v, Shape{v.shape().numel()}); }

}  // namespace weft::ir
