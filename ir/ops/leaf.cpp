// Ops without operands.

#include "weft/ir/ops/families.h"

namespace weft::ir {

void define_leaf_ops(Registry& r) {
  OpDef constant;
  constant.name = "constant";
  constant.kind = Kind::constant;
  constant.doc = "Elements known at compile time";
  constant.attributes = {{"value", AttributeKind::dense, {}, "the elements; one for all when they are equal"}};
  constant.infer = [](const InferContext& c) -> std::vector<Type> { return {c.get<Dense>("value").type()}; };
  constant.no_gradient = "it has no operands";
  r.add(std::move(constant));

  OpDef iota;
  iota.name = "iota";
  iota.kind = Kind::index;
  iota.doc = "The index along `axis`, as i64";
  iota.attributes = {{"shape", AttributeKind::dims, {}, "the result's shape"},
                     {"axis", AttributeKind::integer, Attribute(int64_t{0}), "the counted axis"}};
  iota.infer = [](const InferContext& c) -> std::vector<Type> {
    const Shape shape(c.get<Dims>("shape"));
    const int64_t axis = c.get<int64_t>("axis");
    c.require(axis >= 0 && axis < shape.rank(), fmt::format("axis {} is out of range", axis));
    return {{i64, shape}};
  };
  iota.no_gradient = "it has no operands";
  r.add(std::move(iota));
}

}  // namespace weft::ir
