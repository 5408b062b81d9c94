#include "weft/tests/random/propose.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "weft/ir/builder.h"

namespace weft::test {
namespace {

using ir::Attribute;
using ir::AttributeKind;
using ir::Type;

/// So many calls are drawn before the op is given up.
constexpr int tries = 30;

Dims filled(int rank, int64_t value) { return Dims(static_cast<size_t>(rank), value); }

/// The shape of a further operand, made from the earlier ones' by what relates operands of an op.
Shape related_shape(Dice& dice, const std::vector<Type>& earlier, const Palette& palette) {
  Dims shape = earlier[dice.chance(75) ? 0 : dice(earlier.size())].shape.dims();
  for (size_t changes = dice.chance(40) ? 0 : 1 + dice(2); changes > 0; --changes) {
    const size_t rank = shape.size(), axis = rank ? dice(rank) : 0;
    const Dims& other = earlier.back().shape.dims();
    switch (dice(6)) {
      case 0:
        if (rank) shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
        break;
      case 1:
        if (rank) shape[axis] = dice.pick(palette.extents);
        break;
      case 2:
        if (rank) std::swap(shape[axis], shape[dice(rank)]);
        break;
      case 3:
        if (rank > 1) std::swap(shape[rank - 1], shape[rank - 2]);
        break;
      case 4:
        if (rank) {
          shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
          shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), other.begin(), other.end());
        }
        break;
      default: shape.clear();
    }
  }
  return Shape(shape);
}

Type further_operand(Dice& dice, const ir::OpDef& def, const ir::OperandSpec& spec, const std::vector<Type>& earlier, bool alike,
                     const Palette& palette) {
  if (spec.type) return *spec.type;
  if (alike && is_accepted(spec.accepts, earlier[0].dtype)) return earlier[0];
  DType dtype = random_dtype(dice, spec.accepts, palette);
  const DType like = earlier[dice.chance(50) ? 0 : earlier.size() - 1].dtype;
  if (spec.index) dtype = i64;
  else if (is_accepted(spec.accepts, like) && dice.chance(85)) dtype = like;
  return {dtype, def.is_elementwise() ? earlier[0].shape : related_shape(dice, earlier, palette)};
}

std::vector<Type> operand_types(Dice& dice, const ir::OpDef& def, const Type& first, const Palette& palette) {
  std::vector<Type> types;
  if (def.operands.empty()) return types;
  size_t count = def.operands.size();
  if (def.operands.back().variadic) count += dice.chance(50) ? -1 : dice(3);
  const bool alike = dice.chance(30);
  types.push_back(first);
  while (types.size() < count)
    types.push_back(further_operand(dice, def, def.operands[std::min(types.size(), def.operands.size() - 1)], types, alike, palette));
  return types;
}

Dims some_axes(Dice& dice, int rank) {
  Dims axes;
  for (int d = 0; d < rank; ++d)
    if (dice.chance(50)) axes.push_back(d);
  return axes;
}

Dims some_permutation(Dice& dice, int rank) {
  Dims p = filled(rank, 0);
  std::iota(p.begin(), p.end(), 0);
  if (rank > 1 && dice.chance(40)) std::swap(p[p.size() - 1], p[p.size() - 2]);
  else if (dice.chance(70)) dice.shuffle(p);
  return p;
}

/// Axes and shapes that have to do with a shape, and lists of one number an axis.
Dims some_dims(Dice& dice, const Shape& of, const Palette& palette) {
  Dims shape = of.dims();
  const int rank = of.rank();
  const auto at = [&] { return shape.begin() + static_cast<std::ptrdiff_t>(dice(shape.size() + 1)); };
  switch (dice(15)) {
    case 13: return {at(), shape.end()};  // the last axes
    case 0: return some_axes(dice, rank);
    case 1: return some_permutation(dice, rank);
    case 2: return filled(rank, 0);
    case 3: return filled(rank, 1);
    case 4: return shape;
    case 5:
      for (int64_t& d : shape) d = static_cast<int64_t>(dice(static_cast<size_t>(d) + 1));
      return shape;
    case 6:
      for (int64_t& d : shape) d = static_cast<int64_t>(dice(3));
      return shape;
    case 7: shape.insert(at(), 1); return shape;
    case 8: std::erase(shape, 1); return shape;
    case 9: return {of.numel()};
    case 10:
      for (int64_t& d : shape)
        if (d == 1 && dice.chance(60)) d = dice.pick(palette.extents);
      if (dice.chance(40)) shape.insert(shape.begin(), dice.pick(palette.extents));
      return shape;
    case 11:  // an axis split in two
      if (rank) {
        const size_t axis = dice(shape.size());
        const int64_t part = 2 + static_cast<int64_t>(dice(3));
        if (shape[axis] % part == 0 && shape[axis] > 0) {
          shape[axis] /= part;
          shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), part);
        }
      }
      return shape;
    case 12:  // two axes joined
      if (rank > 1) {
        const size_t axis = dice(shape.size() - 1);
        shape[axis] *= shape[axis + 1];
        shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1);
      }
      return shape;
    default: return random_shape(dice, palette).dims();
  }
}

Attribute some_value(Dice& dice, const ir::AttributeSpec& spec, const std::vector<Type>& operands, const std::vector<DType>& likely,
                     bool plain, const Palette& palette) {
  if (spec.fallback && (plain || spec.planned || dice.chance(40))) return *spec.fallback;
  const Type like = operands.empty() ? Type{random_dtype(dice, ir::Accepts::any, palette), random_shape(dice, palette)}
                                     : operands[dice.chance(70) ? 0 : dice(operands.size())];
  switch (spec.kind) {
    case AttributeKind::boolean: return dice.chance(50);
    case AttributeKind::integer:
      if (dice.chance(20)) return dice.pick(palette.extents);
      return static_cast<int64_t>(dice(like.shape.rank() && dice.chance(60) ? static_cast<size_t>(like.shape.rank()) : 6));
    case AttributeKind::real: return special_number(dice);
    case AttributeKind::text: return spec.choices.empty() ? std::string() : dice.pick(spec.choices);
    case AttributeKind::dims: return some_dims(dice, like.shape, palette);
    case AttributeKind::dtype:
      return !likely.empty() && dice.chance(40) ? dice.pick(likely) : random_dtype(dice, ir::Accepts::any, palette);
    case AttributeKind::dense: return ir::Dense::splat(like, special_number(dice));
  }
  return false;
}

}  // namespace

bool is_accepted(ir::Accepts accepts, DType t) {
  switch (accepts) {
    case ir::Accepts::any: return true;
    case ir::Accepts::floating: return is_floating(t);
    case ir::Accepts::number: return t != boolean;
    case ir::Accepts::integer: return is_integer(t);
    case ir::Accepts::boolean: return t == boolean;
    case ir::Accepts::bits: return !is_floating(t);
  }
  return false;
}

Shape random_shape(Dice& dice, const Palette& palette) {
  for (;;) {
    Dims dims(dice(4));
    for (int64_t& d : dims) d = dice(80) == 0 ? 0 : dice.pick(palette.extents);
    if (Shape(dims).numel() <= palette.most_elements) return Shape(dims);
  }
}

DType random_dtype(Dice& dice, ir::Accepts accepts, const Palette& palette) {
  std::vector<DType> all = palette.floating;
  for (DType t : {i64, i32, palette.small, boolean}) all.push_back(t);
  std::erase_if(all, [&](DType t) { return !is_accepted(accepts, t); });
  return dice.pick(all);
}

double special_number(Dice& dice) {
  static const std::vector<double> usual = {0, -0.0, 1, -1, 2, 0.5, 0.25, 8, 1, 2, 0, 3, 0.1};
  static const std::vector<double> odd = {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
                                          std::numeric_limits<double>::quiet_NaN()};
  return dice.pick(dice.chance(2) ? odd : usual);
}

std::optional<Call> propose(Dice& dice, const ir::OpDef& def, const Type& first, const std::vector<DType>& likely, const Palette& palette) {
  for (int i = 0; i < tries; ++i) try {
      Call call{operand_types(dice, def, first, palette), {}};
      const bool plain = dice.chance(20);  // all defaults at once fit more often than each by itself
      for (const ir::AttributeSpec& spec : def.attributes)
        call.attributes.push_back(some_value(dice, spec, call.operands, likely, plain, palette));
      bool small = true;
      for (const Type& t : infer_types(def, call.operands, call.attributes, {}, {}))
        small = small && t.shape.numel() <= palette.most_elements;
      for (const Type& t : call.operands) small = small && t.shape.numel() <= palette.most_elements;
      if (small) return call;
    } catch (const Error&) {  // does not fit: draw again
    }
  return std::nullopt;
}

}  // namespace weft::test
