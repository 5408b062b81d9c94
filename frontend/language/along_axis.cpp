#include "weft/frontend/language/along_axis.h"

#include <algorithm>
#include <cstring>

namespace weft::detail {
namespace {

using ir::Value;

template <class T>
Value constant_of(Recorder& r, const std::vector<T>& numbers, DType dtype, const Shape& shape) {
  std::vector<std::byte> bytes(numbers.size() * sizeof(T));
  if (!numbers.empty()) std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return r.builder("constant", {}, {{"value", ir::Dense({dtype, shape}, std::move(bytes))}});
}

/// How often each of all `extent` places stands, if in their order and each as often; else 0.
int64_t repeats(const Dims& places, int64_t extent) {
  const auto count = static_cast<int64_t>(places.size());
  if (extent == 0 || count == 0 || count % extent != 0) return 0;
  const int64_t times = count / extent;
  for (int64_t i = 0; i < count; ++i)
    if (places[static_cast<size_t>(i)] != i / times) return 0;
  return times;
}

/// The distance of the places, if they ascend evenly; else 0.
int64_t distance(const Dims& places) {
  if (places.empty()) return 0;
  const int64_t step = places.size() == 1 ? 1 : places[1] - places[0];
  if (step < 1) return 0;
  for (size_t i = 1; i < places.size(); ++i)
    if (places[i] - places[i - 1] != step) return 0;
  return step;
}

}  // namespace

Value taken(Recorder& r, Value v, int axis, const Dims& places) {
  const auto a = static_cast<size_t>(axis);
  const int64_t extent = v.shape()[axis];
  if (const int64_t step = distance(places); step > 0) {
    Dims start(v.shape().dims().size(), 0), end = v.shape().dims(), steps(start.size(), 1);
    start[a] = places.front(), end[a] = places.back() + 1, steps[a] = step;
    if (start[a] == 0 && end[a] == extent && step == 1) return v;
    return r.builder("slice", {v}, {{"start", start}, {"end", end}, {"step", step == 1 ? Dims{} : steps}});
  }
  if (const int64_t times = repeats(places, extent); times > 0) {
    Dims wide = v.shape().dims(), joined = wide;
    wide.insert(wide.begin() + axis + 1, 1);
    const Value cut = r.builder.reshape(v, Shape(wide));
    wide[a + 1] = times, joined[a] *= times;
    return r.builder.reshape(r.builder.broadcast(cut, Shape(wide)), Shape(joined));
  }
  const std::vector<int64_t> numbers(places.begin(), places.end());
  return r.builder("gather", {v, constant_of(r, numbers, i64, Shape{std::ssize(numbers)})}, {{"axis", int64_t{axis}}});
}

Value along(Recorder& r, const std::vector<double>& numbers, DType dtype, int axis, int rank) {
  Dims shape(static_cast<size_t>(rank), 1);
  shape[static_cast<size_t>(axis)] = std::ssize(numbers);
  return r.builder.cast(constant_of(r, numbers, f64, Shape(shape)), dtype);
}

}  // namespace weft::detail
