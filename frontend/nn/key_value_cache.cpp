#include "weft/frontend/nn/key_value_cache.h"

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"

namespace weft::nn {

using weft::detail::Recorder;

KeyValueCache::KeyValueCache(int64_t batch, int64_t heads, int64_t tokens, int64_t width, std::optional<DType> dtype,
                             std::source_location at) {
  const detail::Making make{"nn::KeyValueCache", at};
  keys = add_buffer("keys", make.filled({batch, heads, tokens, width}, 0, dtype));
  values = add_buffer("values", make.filled({batch, heads, tokens, width}, 0, dtype));
}

/// The buffer with `rows` at their places: token t holds row place[t], if there is one.
Tensor KeyValueCache::written(const Parameter& buffer, const Tensor& rows, const Tensor& place) const {
  const int64_t count = rows.shape()[2], tokens = buffer.shape()[2];
  const Tensor fresh = place >= 0 && place < count;
  const Tensor all = select(reshape(fresh, {1, 1, tokens, 1}), gather(rows, clamp(place, 0, count - 1), 2), current(buffer, rows));
  update(buffer, all);
  return all;
}

KeyValueCache::Seen KeyValueCache::operator()(Arg k, Arg v, Arg position) {
  const Entered entered(*this, k);
  Recorder r("nn::KeyValueCache", {&k, &v, &position});
  const Tensor new_keys = r.tensor(r.value(k)), new_values = r.tensor(r.value(v)), before = r.tensor(r.value(position, i64));
  const Shape& room = keys.shape();
  for (const Tensor& x : {new_keys, new_values})
    if (x.shape().rank() != 4 || x.shape()[0] != room[0] || x.shape()[1] != room[1] || x.shape()[3] != room[3] ||
        x.dtype() != keys.dtype() || x.shape()[2] != new_keys.shape()[2] || x.shape()[2] == 0)
      r.fail(fmt::format("k and v must be {}[{}, {}, tokens, {}], as the cache is", name_of(keys.dtype()), room[0], room[1], room[3]));
  if (before.shape().rank() != 0) r.fail("the position must be one number, the tokens before these");
  const int64_t count = new_keys.shape()[2];
  const Tensor token = arange(room[2]), place = token - before;
  Seen seen{written(keys, new_keys, place), written(values, new_values, place), {}};
  seen.mask = reshape(reshape(place, {1, room[2]}) <= reshape(arange(count), {count, 1}), {1, 1, count, room[2]});
  return seen;
}

}  // namespace weft::nn
