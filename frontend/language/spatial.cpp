#include "weft/frontend/language/spatial.h"

namespace weft {

std::pair<ir::Value, bool> detail::batched(Recorder& r, ir::Value x, int spatial) {
  if (x.shape().rank() != spatial + 1 && x.shape().rank() != spatial + 2)
    r.fail(fmt::format("x must be [n, channels, {0} spatial axes] or [channels, {0} spatial axes]", spatial));
  const bool single = x.shape().rank() == spatial + 1;
  Dims shape = x.shape().dims();
  if (single) shape.insert(shape.begin(), 1);
  return {r.builder.reshape(x, Shape(shape)), single};
}

Tensor detail::unbatched(Recorder& r, ir::Value y, bool single) {
  if (!single) return r.tensor(y);
  return r.tensor(r.builder.reshape(y, Shape(Dims(y.shape().begin() + 1, y.shape().end()))));
}

Dims detail::over(Recorder& r, const PerAxis& values, int spatial, const char* what) {
  try {
    return values.over(spatial, what);
  } catch (const Error& e) {
    r.fail(e.what());
  }
}

}  // namespace weft
