// Contractions of the tensor language over named axes.

#include <algorithm>
#include <map>
#include <numeric>

#include "weft/frontend/language/diagonal.h"
#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"
#include "weft/support/utf8.h"

namespace weft {
namespace {

using detail::Recorder;
using ir::Value;

/// A letter, or below 0 one of the axes that "..." stands for, counted from its end.
using Labels = std::vector<int>;

struct Labeled {
  Value value;
  Labels labels;
};

bool has(const Labels& labels, int label) { return std::find(labels.begin(), labels.end(), label) != labels.end(); }

int64_t extent_of(const Labeled& x, int label) {
  const auto at = std::find(x.labels.begin(), x.labels.end(), label);
  return x.value.shape().dims()[static_cast<size_t>(at - x.labels.begin())];
}

int64_t extents_of(const Labeled& x, const Labels& labels) {
  return std::accumulate(labels.begin(), labels.end(), int64_t{1}, [&](int64_t n, int label) { return n * extent_of(x, label); });
}

/// Those labels for which `which` holds.
template <class Which>
Labels filtered(const Labels& labels, Which which) {
  Labels some;
  std::copy_if(labels.begin(), labels.end(), std::back_inserter(some), which);
  return some;
}

Labels joined(Labels a, const Labels& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// With its axes in the order of these labels, which are all of its own.
Labeled ordered(Recorder& r, const Labeled& x, const Labels& labels) {
  Dims permutation;
  for (int label : labels) permutation.push_back(std::find(x.labels.begin(), x.labels.end(), label) - x.labels.begin());
  if (std::is_sorted(permutation.begin(), permutation.end())) return x;
  return {r.builder("transpose", {x.value}, {{"permutation", permutation}}), labels};
}

/// Summed over the axes that are not among `kept`.
Labeled summed(Recorder& r, const Labeled& x, const Labels& kept) {
  Dims axes;
  for (size_t i = 0; i < x.labels.size(); ++i)
    if (!has(kept, x.labels[i])) axes.push_back(static_cast<int64_t>(i));
  if (axes.empty()) return x;
  return {r.builder.sum(x.value, axes), filtered(x.labels, [&](int label) { return has(kept, label); })};
}

/// Without axes of extent 1 that the other has longer: they are stretched where the other's are.
Labeled without_stretched(Recorder& r, const Labeled& x, const Labeled& other) {
  const Labels labels =
      filtered(x.labels, [&](int l) { return extent_of(x, l) != 1 || !has(other.labels, l) || extent_of(other, l) == 1; });
  Dims shape;
  for (int label : labels) shape.push_back(extent_of(x, label));
  return {r.builder.reshape(x.value, Shape(shape)), labels};
}

/// The product summed over the axes that are not among `kept`: [batch, m, k] times [batch, k, n], each of them any number of axes.
Labeled contract(Recorder& r, Labeled a, Labeled b, const Labels& kept) {
  const Labeled whole = a;
  a = without_stretched(r, a, b), b = without_stretched(r, b, whole);
  a = summed(r, a, joined(kept, b.labels)), b = summed(r, b, joined(kept, a.labels));
  const Labels k = filtered(a.labels, [&](int l) { return has(b.labels, l) && !has(kept, l); }),
               batch = filtered(a.labels, [&](int l) { return has(b.labels, l) && has(kept, l); }),
               m = filtered(a.labels, [&](int l) { return !has(b.labels, l); }),
               n = filtered(b.labels, [&](int l) { return !has(a.labels, l); });
  a = ordered(r, a, joined(joined(batch, m), k)), b = ordered(r, b, joined(joined(batch, k), n));
  const Labels all = joined(joined(batch, m), n);
  Dims extents, thin_a, thin_b;
  for (int label : all) {
    extents.push_back(extent_of(has(a.labels, label) ? a : b, label));
    thin_a.push_back(has(a.labels, label) ? extents.back() : 1);
    thin_b.push_back(has(b.labels, label) ? extents.back() : 1);
  }
  const Shape shape = r.shape(extents);
  if (k.empty()) {
    const auto stretched = [&](Value v, const Dims& thin) { return r.builder.broadcast(r.builder.reshape(v, Shape(thin)), shape); };
    return {r.builder("mul", {stretched(a.value, thin_a), stretched(b.value, thin_b)}), all};
  }
  Dims left{extents_of(a, m), extents_of(a, k)}, right{left[1], extents_of(b, n)};
  if (!batch.empty()) left.insert(left.begin(), extents_of(a, batch)), right.insert(right.begin(), left[0]);
  const Value product = r.builder("matmul", {r.builder.reshape(a.value, Shape(left)), r.builder.reshape(b.value, Shape(right))});
  return {r.builder.reshape(product, shape), all};
}

/// One operand's letters, or the result's. "..." stands for `stood_for` axes.
Labels labels_of(Recorder& r, std::string_view text, int stood_for) {
  Labels labels;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (text.substr(i, 3) == "...") {
      for (int axis = stood_for; axis > 0; --axis) labels.push_back(-axis);
      i += 2;
    } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      labels.push_back(c);
    } else {
      const size_t bytes = std::max<size_t>(first_character(text.substr(i)).first, 1);
      r.fail(fmt::format("'{}' in the equation is no letter", text.substr(i, bytes)));
    }
  }
  return labels;
}

std::vector<std::string> split_at(const std::string& text, char separator) {
  std::vector<std::string> parts{""};
  for (char c : text) {
    if (c == separator) parts.emplace_back();
    else parts.back() += c;
  }
  return parts;
}

/// What an equation says, against the operands that it is about.
class Equation {
 public:
  Equation(Recorder& r, std::string text, const std::vector<Value>& operands) : r_(r) {
    std::erase(text, ' ');
    const size_t arrow = text.find("->");
    const std::vector<std::string> sides = split_at(text.substr(0, arrow), ',');
    if (sides.size() != operands.size())
      r.fail(fmt::format("the equation \"{}\" is about {} operands, not {}", text, sides.size(), operands.size()));
    for (size_t i = 0; i < sides.size(); ++i) terms.push_back(term(sides[i], operands[i]));
    result = arrow == std::string::npos ? implied() : stated(text.substr(arrow + 2));
  }

  std::vector<Labeled> terms;
  Labels result;

 private:
  Labeled term(const std::string& letters, Value v) {
    const int named = static_cast<int>(labels_of(r_, letters, 0).size()), rank = v.shape().rank();
    const bool dots = letters.find("...") != std::string::npos;
    if (named > rank || (!dots && named < rank)) r_.fail(fmt::format("\"{}\" names {} axes, but the operand has {}", letters, named, rank));
    if (dots) most_ = std::max(most_, rank - named);
    Labeled x{v, labels_of(r_, letters, rank - named)};
    for (int label : x.labels) {
      ++counts_[label];
      const int64_t extent = extent_of(x, label);
      int64_t& known = extents_.emplace(label, extent).first->second;
      if (extent != known && extent != 1 && known != 1) r_.fail(fmt::format("{} has the extents {} and {}", name(label), known, extent));
      known = known == 1 ? extent : known;
    }
    return with_diagonals(x);
  }

  /// Each label once: of one that stands twice, the diagonal of its axes, as the last axis.
  Labeled with_diagonals(Labeled x) {
    for (size_t i = 0; i < x.labels.size(); ++i) {
      const int label = x.labels[i];
      const auto second = std::find(x.labels.begin() + static_cast<std::ptrdiff_t>(i) + 1, x.labels.end(), label);
      if (second == x.labels.end()) continue;
      const auto j = static_cast<size_t>(second - x.labels.begin());
      const Shape& shape = x.value.shape();
      if (shape.dims()[i] != shape.dims()[j])
        r_.fail(fmt::format("{} has the extents {} and {}", name(label), shape.dims()[i], shape.dims()[j]));
      x.value = detail::diagonal(r_, x.value, 0, static_cast<int64_t>(i), static_cast<int64_t>(j));
      std::erase(x.labels, label);
      x.labels.push_back(label);
      --i;
    }
    return x;
  }

  /// The letters that stand once, in the alphabet's order, behind what "..." stands for.
  Labels implied() const {
    Labels labels;
    for (auto [label, count] : counts_)
      if (label < 0 || count == 1) labels.push_back(label);
    return labels;
  }

  Labels stated(const std::string& letters) {
    const Labels labels = labels_of(r_, letters, most_);
    for (size_t i = 0; i < labels.size(); ++i) {
      if (!extents_.contains(labels[i])) r_.fail(fmt::format("{} of the result is of no operand", name(labels[i])));
      if (std::find(labels.begin(), labels.begin() + static_cast<std::ptrdiff_t>(i), labels[i]) !=
          labels.begin() + static_cast<std::ptrdiff_t>(i))
        r_.fail(fmt::format("the result names {} twice", name(labels[i])));
    }
    return labels;
  }

  static std::string name(int label) { return label < 0 ? "an axis of ..." : fmt::format("'{}'", static_cast<char>(label)); }

  Recorder& r_;
  int most_ = 0;  // axes that "..." stands for
  std::map<int, int64_t> extents_;
  std::map<int, int> counts_;
};

/// The terms contracted from the left, and the result's axes in its order.
Value contracted(Recorder& r, const std::vector<Labeled>& terms, const Labels& result) {
  Labeled product = terms[0];
  for (size_t i = 1; i < terms.size(); ++i) {
    Labels kept = result;
    for (size_t later = i + 1; later < terms.size(); ++later) kept = joined(kept, terms[later].labels);
    product = contract(r, product, terms[i], kept);
  }
  return ordered(r, summed(r, product, result), result).value;
}

}  // namespace

Tensor einsum(std::string equation, const std::vector<Arg>& operands, std::source_location at) {
  std::vector<const Arg*> given;
  for (const Arg& operand : operands) given.push_back(&operand);
  Recorder r("einsum", given, operands.empty() ? at : operands[0].where());
  if (operands.empty()) r.fail("needs at least one operand");
  std::vector<Value> values;
  for (const Arg& operand : operands) {
    values.push_back(r.value(operand));
    if (values.back().dtype() != values[0].dtype()) r.fail("the operands must have equal element types");
  }
  if (values[0].dtype() == boolean) r.fail("the operands must be numbers, but are bools; cast them");
  const Equation e(r, std::move(equation), values);
  return r.tensor(contracted(r, e.terms, e.result));
}

Tensor tensordot(Arg a, Arg b, Dims axes_a, Dims axes_b) {
  Recorder r("tensordot", {&a, &b});
  Labeled x{r.value(a), {}}, y{r.value(b), {}};
  if (x.value.dtype() != y.value.dtype()) r.fail("the operands must have equal element types");
  if (axes_a.size() != axes_b.size()) r.fail("there must be as many axes of each");
  if (!axes_a.empty()) r.axes(axes_a, x.value.shape().rank()), r.axes(axes_b, y.value.shape().rank());
  const int rank = x.value.shape().rank();
  for (int d = 0; d < rank; ++d) x.labels.push_back(d);
  for (int d = 0; d < y.value.shape().rank(); ++d) y.labels.push_back(rank + d);
  Labels result = joined(x.labels, y.labels);
  for (size_t i = 0; i < axes_a.size(); ++i) {
    const auto p = static_cast<int>(r.axis(axes_a[i], rank)), q = static_cast<int>(r.axis(axes_b[i], y.value.shape().rank()));
    if (x.value.shape()[p] != y.value.shape()[q]) r.fail(fmt::format("axes {} and {} must have equal extents", p, q));
    std::erase(result, p), std::erase(result, rank + q);
    y.labels[static_cast<size_t>(q)] = p;
  }
  return r.tensor(contracted(r, {x, y}, result));
}

Tensor tensordot(Arg a, Arg b, int64_t axes) {
  Recorder r("tensordot", {&a, &b});
  const int64_t rank = r.value(a).shape().rank();
  if (axes < 0 || axes > std::min<int64_t>(rank, r.value(b).shape().rank())) r.fail(fmt::format("the operands have no {} axes", axes));
  Dims last(static_cast<size_t>(axes)), first(last.size());
  std::iota(last.begin(), last.end(), rank - axes);
  std::iota(first.begin(), first.end(), 0);
  return tensordot(std::move(a), std::move(b), last, first);
}

}  // namespace weft
