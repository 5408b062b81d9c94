// x[...]: one slice of all axes, then a reshape that drops and adds axes.

#include <algorithm>

#include "weft/frontend/language/recorder.h"
#include "weft/frontend/language/tensor.h"

namespace weft {
namespace {

using detail::Recorder;

/// What is taken of each axis of x, and the result's shape.
class Taken {
 public:
  Taken(const Recorder& r, const Shape& x) : r_(r), x_(x) {}

  void add(const IndexPlaces& places) {
    const auto is_rest = [](const IndexPlace& p) { return std::holds_alternative<RestOfAxes>(p.what); };
    const auto uses_axis = [&](const IndexPlace& p) { return !is_rest(p) && !std::holds_alternative<NewAxis>(p.what); };
    const auto rests = std::count_if(places.all.begin(), places.all.end(), is_rest);
    const auto used = std::count_if(places.all.begin(), places.all.end(), uses_axis);
    if (rests > 1) r_.fail("there is more than one Ellipsis");
    if (x_.rank() == 0 && used > 0) r_.fail("a scalar has no axis to index");
    if (used > x_.rank()) r_.fail(fmt::format("there are {} places for {} axes", used, x_.rank()));
    rest_ = x_.rank() - used;
    for (const IndexPlace& place : places.all) std::visit([&](const auto& what) { take(what); }, place.what);
    if (rests == 0) take(Ellipsis);
  }

  Dims start, end, step, shape;

 private:
  int64_t extent() const { return x_[static_cast<int>(start.size())]; }
  void append(int64_t from, int64_t to, int64_t by) { start.push_back(from), end.push_back(to), step.push_back(by); }

  void take(int64_t given) {
    const int64_t index = given < 0 ? given + extent() : given;
    if (index < 0 || index >= extent()) {
      const std::string axis = start.empty() ? "" : fmt::format(" of axis {}", start.size());
      r_.fail(fmt::format("index {} is out of range for extent {}{}", given, extent(), axis));
    }
    append(index, index + 1, 1);
  }
  void take(const Slice& slice) {
    if (slice.step < 1) r_.fail(fmt::format("the step of a Slice must be positive, not {}", slice.step));
    const int64_t all = extent();
    const auto bound = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + all : at, 0, all); };
    const int64_t from = bound(slice.start.value_or(0)), to = std::max(from, bound(slice.stop.value_or(all)));
    append(from, to, slice.step);
    shape.push_back((to - from + slice.step - 1) / slice.step);
  }
  void take(NewAxis) { shape.push_back(1); }
  void take(RestOfAxes) {
    for (; rest_ > 0; --rest_) take(All);
  }

  const Recorder& r_;
  const Shape& x_;
  int64_t rest_ = 0;
};

}  // namespace

Tensor Tensor::operator[](IndexPlaces places) const {
  const Arg x(*this, places.at);
  Recorder r("index", {&x});
  ir::Value v = r.value(x);
  Taken taken(r, v.shape());
  taken.add(places);
  const bool steps = std::any_of(taken.step.begin(), taken.step.end(), [](int64_t s) { return s != 1; });
  const bool all = taken.end == v.shape().dims() && std::all_of(taken.start.begin(), taken.start.end(), [](int64_t s) { return s == 0; });
  if (!all || steps) v = r.builder("slice", {v}, {{"start", taken.start}, {"end", taken.end}, {"step", steps ? taken.step : Dims{}}});
  return r.tensor(r.builder.reshape(v, Shape(taken.shape)));
}

}  // namespace weft
