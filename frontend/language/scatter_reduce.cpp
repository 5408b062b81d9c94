// torch.scatter_reduce. A sum is scattered. For the others the updates are sorted by the place that they name, and combined with what
// stands before them at distances 1, 2, 4, ... if that names the same place; the last of each place then has all of them.

#include <limits>

#include "weft/frontend/language/composed.h"
#include "weft/frontend/language/custom_gradient.h"
#include "weft/frontend/language/ops.h"
#include "weft/ir/ops/along_axis.h"

namespace weft {
namespace {

using detail::Composed;

/// The updates in a row, and the places that they name among x's elements in a row.
struct Named {
  Tensor x, updates, places;

  int64_t extent() const { return x.size(0); }
  int64_t count() const { return updates.size(0); }
  /// How many name each element.
  Tensor hits() const { return scatter_add(zeros(Shape{extent()}, i64), places, ones(Shape{count()}, i64)); }
};

/// Along the only axis, each element the one `distance` before it.
Tensor before(const Tensor& x, int64_t distance) { return concat({slice(x, 0, 0, distance), slice(x, 0, 0, x.size(0) - distance)}, 0); }

/// Each element together with all before it that name the same place; equal places stand side by side.
template <class Combine>
Tensor running(Tensor x, const Tensor& places, Combine combine) {
  const Tensor number = iota(x.shape());
  for (int64_t distance = 1; distance < x.size(0); distance *= 2)
    x = select(number >= distance && before(places, distance) == places, combine(before(x, distance), x), x);
  return x;
}

/// Of all that name an element, their combination; 0 where nothing does.
template <class Combine>
Tensor combined(const Named& n, Combine combine) {
  if (n.count() == 0) return zeros_like(n.x);
  const Tensor order = argsort(n.places), places = gather(n.places, order);
  const Tensor all = running(gather(n.updates, order), places, combine);
  const Tensor next = concat({slice(places, 0, 1), full({1}, n.extent(), i64)}, 0);
  const Tensor last = select(places == next, n.extent(), places);  // a place behind all others for what is not the last of its own
  return slice(scatter_add(zeros(Shape{n.extent() + 1}, n.x.dtype()), last, all), 0, 0, n.extent());
}

Tensor extreme(const Named& n, bool largest, bool include_self) {
  const auto better = [&](const Tensor& a, const Tensor& b) { return largest ? maximum(a, b) : minimum(a, b); };
  const auto forward = [&](const Tensor& x, const Tensor& updates) {
    const Tensor of_updates = combined({x, updates, n.places}, better);
    return select(n.hits() > 0, include_self ? better(x, of_updates) : of_updates, x);
  };
  if (!is_floating(n.x.dtype())) return forward(n.x, n.updates);
  return custom_gradient({n.x, n.updates}, forward, [&](const Tensor& g, const Tensor& x, const Tensor& updates, const Tensor& y) {
    Tensor self_is_it = x == y;
    if (!include_self) self_is_it = self_is_it && n.hits() == 0;
    const Tensor update_is_it = updates == gather(y, n.places);
    const Tensor sharing = scatter_add(cast(self_is_it, g.dtype()), n.places, cast(update_is_it, g.dtype()));
    const Tensor share = g / sharing;
    return Gradients{select(self_is_it, share, 0), select(update_is_it, gather(share, n.places), 0)};
  });
}

Tensor reduced(const Composed& c, const Named& n, const std::string& reduce, bool include_self) {
  if (reduce == "amax" || reduce == "amin") return extreme(n, reduce == "amax", include_self);
  if (reduce == "prod") {
    const Tensor product = combined(n, [](const Tensor& a, const Tensor& b) { return a * b; });
    return select(n.hits() > 0, include_self ? n.x * product : product, n.x);
  }
  c.require(reduce == "sum" || reduce == "mean",
            fmt::format("reduce must be \"sum\", \"prod\", \"mean\", \"amax\" or \"amin\", not \"{}\"", reduce));
  if (reduce == "sum" && include_self) return scatter_add(n.x, n.places, n.updates);
  const Tensor hits = n.hits(), start = include_self ? n.x : select(hits == 0, n.x, 0);
  const Tensor total = scatter_add(start, n.places, n.updates);
  if (reduce == "sum") return total;
  const Tensor count = include_self ? hits + 1 : maximum(hits, 1);
  return is_floating(total.dtype()) ? total / cast(count, total.dtype()) : floor_divide(total, cast(count, total.dtype()));
}

}  // namespace

Tensor scatter_reduce(Arg x, Arg index, Arg updates, int64_t axis, const std::string& reduce, bool include_self) {
  Composed c("scatter_reduce", {&x, &index, &updates});
  const Tensor self = c.first(), at = c.index(index);
  const int64_t along = c.recorder().axis(axis, self.shape().rank());
  c.require(is_integer(at.dtype()), "the index must be integers");
  c.require(self.dtype() != boolean, "x must be a number, but is bool; cast it");
  c.require(at.dim() == self.dim(), "x and the index must have equal ranks");
  for (int64_t d = 0; d < self.dim(); ++d)
    c.require(d == along || at.size(d) <= self.size(d), fmt::format("the index reaches beyond x along axis {}", d));
  ir::Builder& b = c.recorder().builder;
  const ir::Value checked = b("checked_index", {at.value()}, {{"below", self.dim() == 0 ? 1 : self.size(along)}});
  const Tensor places = c.recorder().tensor(ir::places_along_axis(b, checked, self.shape(), static_cast<int>(along)));
  const Tensor given = c.recorder().tensor(c.recorder().value(updates, self.dtype(), at.shape()));
  const Named named{reshape(self, {-1}), reshape(given, {-1}), places};
  return reshape(self.shape().numel() == 0 ? named.x : reduced(c, named, reduce, include_self), self.shape().dims());
}

}  // namespace weft
