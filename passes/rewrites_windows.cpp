// Equations of pads, slices and concatenations, which put values into windows of another and read them there. They keep what
// reads or writes T parts of a value, such as the steps of a recurrent net, from costing T times the whole value.

#include <algorithm>
#include <bit>

#include "weft/passes/rewrites.h"
#include "weft/support/work.h"

namespace weft::passes {
namespace {

using ir::Builder;
using ir::Op;
using ir::Value;

const Op* producer(Value v, std::string_view op) { return !v.is_input() && v.op()->is(op) ? v.op() : nullptr; }

Dims steps_of(const Op& slice) {
  const Dims& step = slice.dims("step");
  return step.empty() ? Dims(slice.dims("start").size(), 1) : step;
}

Value sliced(Builder& b, Value v, const Dims& start, const Dims& end, const Dims& step = {}) {
  const bool dense = std::all_of(step.begin(), step.end(), [](int64_t s) { return s == 1; });
  const bool whole = dense && end == v.shape().dims() && std::all_of(start.begin(), start.end(), [](int64_t s) { return s == 0; });
  return whole ? v : b("slice", {v}, {{"start", start}, {"end", end}, {"step", dense ? Dims() : step}});
}

// ---- sums of padded values ----

/// A value at its place in a larger one that is +0 everywhere else; the place of what is no pad is everything.
struct Window {
  Value value;
  Dims low, high;  // [low, high) along every axis
};

bool adds_positive_zero(const Op& pad) { return std::bit_cast<uint64_t>(pad.real("value")) == 0; }

std::optional<Window> window_of(Value v) {
  const Op* pad = producer(v, "pad");
  if (!pad || !adds_positive_zero(*pad)) return std::nullopt;
  Window w{pad->operand(0), pad->dims("low"), {}};
  for (size_t d = 0; d < w.low.size(); ++d) w.high.push_back(w.low[d] + w.value.shape().dims()[d]);
  return w;
}

/// The inner sum of a sum that nothing else reads.
bool is_inner_sum(Value v) { return producer(v, "add") && v.users().size() == 1 && !ir::Graph::is_output(v); }

bool is_part_of_sum(const Op& add) {
  if (!is_inner_sum(add.result())) return false;
  const Op& reader = *add.result().users().front();
  // Of two inner sums a reader goes on with the first.
  return reader.def().adds == 1 && (reader.operand(0) == add.result() || !is_inner_sum(reader.operand(0)));
}

/// What is added, in this order: ((first + second) + third) + ...; and the sums up to each.
struct Terms {
  std::vector<Value> terms, sums;
};

Terms terms_of(const Op& add) {
  Terms t;
  for (const Op* at = &add;;) {
    const bool second = !is_inner_sum(at->operand(0)) && is_inner_sum(at->operand(1));
    t.terms.push_back(at->operand(!second));
    t.sums.push_back(at->result());
    const Value rest = at->operand(second);
    if (!is_inner_sum(rest)) {
      t.terms.push_back(rest);
      t.sums.push_back(rest);
      break;
    }
    at = rest.op();
  }
  std::reverse(t.terms.begin(), t.terms.end());
  std::reverse(t.sums.begin(), t.sums.end());
  count_work(static_cast<int64_t>(t.terms.size()));
  return t;
}

/// Writes the sum of padded values without the zeros around them.
///
/// The whole is cut along one axis after the other wherever a window begins or ends, until each piece lies in all its
/// windows; pieces are joined again. A piece's terms are added in the order of the sum. Where the sum also adds zeros of
/// other pads, the piece's first term gets + 0.0: that turns -0 into 0, and no further zero, here or elsewhere, changes more.
class Pieces {
 public:
  Pieces(Builder& b, const std::vector<Window>& windows, const ir::Type& whole) : b_(b), windows_(windows), whole_(whole) {}

  /// Null where that would take many more ops than there are windows, and where more than `most_terms` lie over each other.
  Value join(size_t most_terms) {
    std::vector<int> all(windows_.size());
    for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int>(i);
    const Box box{Dims(whole_.shape.dims().size(), 0), whole_.shape.dims()};
    budget_ = 8 * static_cast<int64_t>(windows_.size()) + 8;
    if (!fits(box, all, most_terms)) return {};
    writing_ = true;
    return piece(box, all);
  }

 private:
  struct Box {
    Dims low, high;
  };

  const Window& window(int i) const { return windows_[static_cast<size_t>(i)]; }

  /// The first axis along which some window ends inside the box, or -1.
  int axis_to_cut(const Box& box, const std::vector<int>& inside) const {
    for (size_t d = 0; d < box.low.size(); ++d)
      for (int i : inside)
        if (window(i).low[d] > box.low[d] || window(i).high[d] < box.high[d]) return static_cast<int>(d);
    return -1;
  }

  struct Slab {
    Box box;
    std::vector<int> inside;
  };

  std::vector<Slab> cut(const Box& box, const std::vector<int>& inside, size_t axis) {
    Dims at{box.low[axis], box.high[axis]};
    for (int i : inside)
      at.push_back(std::max(window(i).low[axis], box.low[axis])), at.push_back(std::min(window(i).high[axis], box.high[axis]));
    std::sort(at.begin(), at.end());
    at.erase(std::unique(at.begin(), at.end()), at.end());
    std::vector<Slab> slabs;
    for (size_t k = 0; k + 1 < at.size(); ++k) {
      slabs.push_back({box, {}});
      slabs.back().box.low[axis] = at[k], slabs.back().box.high[axis] = at[k + 1];
    }
    // Windows that lie over many slabs spend the budget before they are handed out to each.
    for (int i : inside)
      for (auto k = static_cast<size_t>(std::lower_bound(at.begin(), at.end(), std::max(window(i).low[axis], box.low[axis])) - at.begin());
           k + 1 < at.size() && at[k] < window(i).high[axis] && (budget_ >= 0 || writing_); ++k, budget_ -= !writing_)
        slabs[k].inside.push_back(i);
    return slabs;
  }

  /// Does it take few ops? Walks as `piece` will.
  bool fits(const Box& box, const std::vector<int>& inside, size_t most_terms) {
    count_work(static_cast<int64_t>(inside.size()) + 1);
    budget_ -= 1;
    const int axis = axis_to_cut(box, inside);
    if (axis < 0) return inside.size() <= most_terms && (budget_ -= static_cast<int64_t>(inside.size())) >= 0;
    const std::vector<Slab> slabs = cut(box, inside, static_cast<size_t>(axis));
    return budget_ >= 0 && std::all_of(slabs.begin(), slabs.end(), [&](const Slab& s) { return fits(s.box, s.inside, most_terms); });
  }

  Value piece(const Box& box, const std::vector<int>& inside) {
    const int axis = axis_to_cut(box, inside);
    if (axis < 0) return sum_of(box, inside);
    std::vector<Value> parts;
    for (const Slab& slab : cut(box, inside, static_cast<size_t>(axis))) parts.push_back(piece(slab.box, slab.inside));
    return parts.size() == 1 ? parts[0] : b_("concat", parts, {{"axis", int64_t{axis}}});
  }

  Value sum_of(const Box& box, const std::vector<int>& inside) {
    Dims shape;
    for (size_t d = 0; d < box.low.size(); ++d) shape.push_back(box.high[d] - box.low[d]);
    if (inside.empty()) return b_.splat({whole_.dtype, Shape(shape)}, 0);
    Value sum;
    for (int i : inside) {
      Dims start, end;
      for (size_t d = 0; d < box.low.size(); ++d)
        start.push_back(box.low[d] - window(i).low[d]), end.push_back(box.high[d] - window(i).low[d]);
      const Value part = sliced(b_, window(i).value, start, end);
      if (sum) sum = b_("add", {sum, part});
      else sum = inside.size() < windows_.size() && is_floating(whole_.dtype) ? b_("add", {part, b_.zeros_like(part)}) : part;
    }
    return sum;
  }

  Builder& b_;
  const std::vector<Window>& windows_;
  const ir::Type& whole_;
  int64_t budget_ = 0;    // of windows handed out and ops written
  bool writing_ = false;  // all of that is known to fit
};

int64_t elements_of(const Window& w) {
  int64_t n = 1;
  for (size_t d = 0; d < w.low.size(); ++d) n *= w.high[d] - w.low[d];
  return n;
}

/// The terms from `begin` on as one: those that are padded, behind `sum`, the terms before them (null: none).
///
/// Where no element lies in two windows that is exact whatever stands before: (d + x) + 0 is d + (x + 0). Else what stands
/// before is one more window, of everything, so that each element's terms are added in their order.
Value joined(Builder& b, const std::vector<Window>& run, Value sum, const ir::Type& type) {
  constexpr size_t many = 8;
  const int64_t whole = type.shape.numel();
  int64_t elements = 0;
  for (const Window& w : run) elements += elements_of(w);
  if (run.size() < 2 || elements > (run.size() > many ? 4 * whole : whole)) return {};
  if (const Value separate = Pieces(b, run, type).join(sum ? 1 : run.size())) return sum ? b("add", {sum, separate}) : separate;
  if (!sum || run.size() <= many) return {};
  std::vector<Window> with_sum{{sum, Dims(type.shape.dims().size(), 0), type.shape.dims()}};
  with_sum.insert(with_sum.end(), run.begin(), run.end());
  return Pieces(b, with_sum, type).join(with_sum.size());
}

Value sum_of_pads(Builder& b, const Op& op) {
  if (is_part_of_sum(op)) return {};
  const auto [terms, sums] = terms_of(op);
  std::vector<std::optional<Window>> windows;
  for (Value v : terms) windows.push_back(window_of(v));
  if (std::count_if(windows.begin(), windows.end(), [](const auto& w) { return w.has_value(); }) < 2) return {};
  Value sum;
  bool changed = false;
  for (size_t i = 0; i < terms.size();) {
    std::vector<Window> run;
    for (size_t k = i; k < terms.size() && windows[k]; ++k) run.push_back(*windows[k]);
    if (const Value better = joined(b, run, sum, op.result().type())) {
      sum = better;
      i += run.size();
      changed = true;
      continue;
    }
    // Nothing is written as long as nothing changes.
    for (const size_t end = i + std::max<size_t>(1, run.size()); i < end; ++i) sum = changed ? b("add", {sum, terms[i]}) : sums[i];
  }
  return changed ? sum : Value();
}

// ---- windows of windows ----

Value slice_twice(Builder& b, const Op& op) {
  const Op* inner = producer(op.operand(0), "slice");
  if (!inner) return {};
  const Dims inner_step = steps_of(*inner), outer_step = steps_of(op);
  Dims start, end, step;
  for (size_t d = 0; d < inner_step.size(); ++d) {
    const int64_t count = op.result().shape().dims()[d], first = inner->dims("start")[d] + op.dims("start")[d] * inner_step[d];
    step.push_back(inner_step[d] * outer_step[d]);
    start.push_back(count ? first : 0);
    end.push_back(count ? first + (count - 1) * step[d] + 1 : 0);
  }
  return sliced(b, inner->operand(0), start, end, step);
}

Value pad_twice(Builder& b, const Op& op) {
  const Op* inner = producer(op.operand(0), "pad");
  if (!inner || std::bit_cast<uint64_t>(inner->real("value")) != std::bit_cast<uint64_t>(op.real("value"))) return {};
  Dims low, high;
  for (size_t d = 0; d < op.dims("low").size(); ++d) {
    low.push_back(op.dims("low")[d] + inner->dims("low")[d]);
    high.push_back(op.dims("high")[d] + inner->dims("high")[d]);
  }
  return b("pad", {inner->operand(0)}, {{"low", low}, {"high", high}, {"value", op.real("value")}});
}

/// The part of a padded value that lies inside what was padded.
Value slice_of_pad(Builder& b, const Op& op) {
  const Op* pad = producer(op.operand(0), "pad");
  if (!pad || op.result().shape().numel() == 0) return {};
  const Dims step = steps_of(op);
  Dims start = op.dims("start"), end = op.dims("end");
  for (size_t d = 0; d < start.size(); ++d) {
    start[d] -= pad->dims("low")[d];
    end[d] = start[d] + (op.result().shape().dims()[d] - 1) * step[d] + 1;
    if (start[d] < 0 || end[d] > pad->operand(0).shape().dims()[d]) return {};
  }
  return sliced(b, pad->operand(0), start, end, step);
}

Value slice_of_concat(Builder& b, const Op& op) {
  const Op* concat = producer(op.operand(0), "concat");
  if (!concat || op.result().shape().numel() == 0) return {};
  const auto axis = static_cast<size_t>(concat->integer("axis"));
  const Dims step = steps_of(op);
  const int64_t first = op.dims("start")[axis], past = first + (op.result().shape().dims()[axis] - 1) * step[axis] + 1;
  struct Part {
    Value value;
    int64_t low, high;
  };
  std::vector<Part> parts;
  int64_t offset = 0;
  for (Value v : concat->operands()) {
    const int64_t low = std::max(first, offset), high = std::min(past, offset + v.shape().dims()[axis]);
    if (low < high) parts.push_back({v, low - offset, high - offset});
    offset += v.shape().dims()[axis];
    count_work(1);
  }
  // Most of what was joined is better read where it was joined.
  if (parts.size() > 1 && (2 * parts.size() > concat->operands().size() || step[axis] != 1)) return {};
  std::vector<Value> values;
  for (const Part& part : parts) {
    Dims start = op.dims("start"), end = op.dims("end");
    start[axis] = part.low, end[axis] = part.high;
    values.push_back(sliced(b, part.value, start, end, step));
  }
  return values.size() == 1 ? values[0] : b("concat", values, {{"axis", static_cast<int64_t>(axis)}});
}

}  // namespace

const std::vector<Rewrite>& window_rewrites() {
  static const std::vector<Rewrite> rows = {
      {"slice", "slice(slice(x)) = slice(x)", slice_twice},
      {"slice", "slice(pad(x)) inside x = slice(x)", slice_of_pad},
      {"slice", "slice(concat(x, y)) inside x = slice(x)", slice_of_concat},
      {"pad", "pad(pad(x)) by the same value = pad(x)", pad_twice},
      {"add", "pad(x) + pad(y) + ... by 0, in few overlaps = concat(x + 0, y + 0, ...)", sum_of_pads},
  };
  return rows;
}

}  // namespace weft::passes
