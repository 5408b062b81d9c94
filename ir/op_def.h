#pragma once
// One op, one definition: everything that is true of an op stands in its OpDef (ir/ops/<family>.cpp, or a program that registers
// its own). Nothing outside keeps lists of op names: printing, parsing, equality, differentiation, fusion, the reference and the
// code generator ask the definition. ir/define.h makes definitions of formulas, ir/registry.h finds them by name.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weft/ir/access.h"
#include "weft/ir/graph.h"
#include "weft/ir/scalar.h"
#include "weft/support/error.h"

namespace weft {
class Layout;
}

namespace weft::ir {

class Builder;

/// Which element types an operand takes.
enum class Accepts { any, floating, number, integer, boolean, bits /* integer or bool */ };

struct OperandSpec {
  std::string name;
  Accepts accepts = Accepts::any;
  bool variadic = false;  // the last operand only: any number of them
  std::string doc = {};
  bool index = false;             // class or row indices: no gradient, values bounded by the op (see OpDef::index_bound)
  std::optional<Type> type = {};  // the only type that fits, where there is just one
  std::string layout = {};        // the attribute that says how it lies in memory (support/layout.h), where a target may choose
  std::string view = {};          // the attribute that says which of its elements are read as what (support/strided_view.h), where it may
  std::optional<std::pair<double, double>> range = {};  // floating: where its elements must lie; checked where a user feeds them
};

struct AttributeSpec {
  std::string name;
  AttributeKind kind;
  std::optional<Attribute> fallback = {};  // none: must be given
  std::string doc = {};
  std::vector<std::string> choices = {};  // text: the only words that fit
  bool planned = false;                   // a pass fills it in for the target; as recorded it is the fallback
};

/// The attributes of an op by name. Throws weft::Error for a name that the definition lacks, and for another type than it says.
class AttributeView {
 public:
  AttributeView(const OpDef& def, Attributes values) : def_(def), values_(values) {}
  explicit AttributeView(const Op& op) : def_(op.def()), values_(op.attributes()) {}

  const Attribute& operator[](std::string_view name) const;
  bool flag(std::string_view name) const { return get<bool>(name, AttributeKind::boolean); }
  int64_t integer(std::string_view name) const { return get<int64_t>(name, AttributeKind::integer); }
  double real(std::string_view name) const { return get<double>(name, AttributeKind::real); }
  const std::string& text(std::string_view name) const { return get<std::string>(name, AttributeKind::text); }
  const Dims& dims(std::string_view name) const { return get<Dims>(name, AttributeKind::dims); }
  DType dtype(std::string_view name) const { return get<DType>(name, AttributeKind::dtype); }

 private:
  template <class T>
  const T& get(std::string_view name, AttributeKind kind) const {
    require_kind(name, kind);
    return std::get<T>((*this)[name]);
  }
  void require_kind(std::string_view name, AttributeKind kind) const;

  const OpDef& def_;
  Attributes values_;
};

/// What a shape rule sees. fail() throws weft::Error naming the op, the operands' types and the user's line.
class InferContext {
 public:
  InferContext(const OpDef& def, std::span<const Type> operands, Attributes attributes, std::span<const std::unique_ptr<Graph>> bodies,
               const Locations& at)
      : def_(def), operands_(operands), attributes_(attributes), bodies_(bodies), at_(at) {}

  int count() const { return static_cast<int>(operands_.size()); }
  const Type& operand(int i) const { return operands_[static_cast<size_t>(i)]; }
  const Shape& shape(int i) const { return operand(i).shape; }
  const Attribute& attribute(std::string_view name) const;
  template <class T>
  const T& get(std::string_view name) const {
    return std::get<T>(attribute(name));
  }
  const OpDef& def() const { return def_; }
  AttributeView attributes() const { return {def_, attributes_}; }
  std::span<const std::unique_ptr<Graph>> bodies() const { return bodies_; }
  /// The user's lines.
  const Locations& locations() const { return at_; }

  [[noreturn]] void fail(const std::string& requirement) const;
  void require(bool holds, const std::string& requirement) const {
    if (!holds) fail(requirement);
  }
  /// `axis` counted from the end when negative; fails when out of range.
  int axis(int64_t axis, int rank) const;

 private:
  const OpDef& def_;
  std::span<const Type> operands_;
  Attributes attributes_;
  std::span<const std::unique_ptr<Graph>> bodies_;
  const Locations& at_;
};

/// What a gradient rule sees: the op, the gradient of each result (null where none flows) and a builder.
struct GradientContext {
  Builder& builder;
  const Op& op;
  const std::vector<Value>& result_gradients;
};

/// How an op computes; decides who can run it.
enum class Kind {
  elementwise,  // `scalar` of the operands' elements, all of one shape
  reduction,    // `combine` over the attribute `axes`, in the order of support/reduction_order.h
  movement,     // `access`: each result element is some operand's element, or the fill
  view,         // movement that keeps row-major order: free in memory
  constant,     // attribute `value`
  index,        // the index along attribute `axis` (iota)
  composite,    // `decompose` into other ops
  heavy,        // a lowering of its own in every backend (matmul, scatter_add)
  nest,         // one loop nest over its body (passes/analysis/loop_nest.h)
  launch,       // the nests of its body, run by one call
  loop,         // its body again and again, over the steps of a sequence (ir/ops/loop.h)
};

/// In which element type an op computes under autocast (passes/autocast.h). What is f64 stays so.
enum class Autocast {
  follows,  // in that of its operands, of several the widest
  low,      // in the low-precision one: products, which take the time and lose least
  wide,     // in f32: sums, exponentials, losses, which lose too much in less
  fixed,    // in that which was recorded
};
std::string_view name_of(Autocast autocast);

struct OpDef {
  std::string name;
  Kind kind = Kind::composite;
  std::string doc;
  std::vector<OperandSpec> operands;
  std::vector<AttributeSpec> attributes = {};

  /// Result types. Elementwise ops without a rule keep the first operand's type.
  std::function<std::vector<Type>(const InferContext&)> infer = {};

  /// elementwise: the value of one element.
  std::function<Scalar(std::span<const Scalar>, const AttributeView&)> scalar = {};
  /// reduction: the combination of two partial results, and its neutral element (an infinity means the element
  /// type's extreme value).
  std::function<Scalar(Scalar, Scalar)> combine = {};
  double (*identity)(DType) = nullptr;
  /// movement and view: one access per operand, or none when the index is not affine.
  std::function<std::optional<std::vector<Access>>(const Op&)> access = {};
  /// movement: is every element its operand's, most of which stand at several places? Then it is made again rather than stored.
  bool broadcasts = false;
  /// movement: what fills the elements that no operand gives.
  double (*fill)(const Op&) = nullptr;
  /// composite: the results in terms of other ops.
  std::function<std::vector<Value>(Builder&, const Op&)> decompose = {};

  /// One gradient per operand (null: none). Without a rule, the decomposition is differentiated.
  std::function<std::vector<Value>(GradientContext&)> gradient = {};
  /// Why no gradient flows through the op, where none does ("piecewise constant").
  std::string no_gradient = {};

  /// The attribute that says how the result lies in memory, where a target may choose.
  std::string result_layout = {};
  /// heavy: of each result the attribute that says in which order its axes may lie in memory: axis order[i] in the place of axis i.
  /// Without numbers, as they are.
  std::vector<std::string> result_orders = {};
  /// movement of one operand: the same one of an operand that lies otherwise, as its attributes and how its result lies
  /// then; none when there is none.
  std::function<std::optional<std::pair<NamedAttributes, Layout>>(const Op&, const Layout&)> in_layout = {};
  /// movement of one operand without a fill: the attributes with which every element is read so many places nearer to the
  /// operand's start, along each of its axes; none of its reads is nearer than that.
  std::function<NamedAttributes(const Op&, const Dims&)> moved_back = {};

  /// heavy: the operand that the result may be written over, which it keeps most of; -1: none.
  int in_place = -1;

  /// May it have a body that says what becomes of its result before that is written? Input 0 is the result, and the others are
  /// the operands behind its own.
  bool takes_epilogue = false;

  /// Does its result, which holds what its operand holds, need memory of its own? Then it is not folded, joined with an equal
  /// one, repeated or looked through.
  bool copies = false;

  /// elementwise: 1 where operand 1 is added to operand 0, -1 where it is subtracted.
  int adds = 0;

  /// elementwise: is each element its operand's, in another type?
  bool converts = false;

  /// Is the result linear in its operand?
  bool linear = false;
  /// Is the result linear in operand 0 and in operand 1, apart?
  bool bilinear = false;

  /// In which type it computes under autocast, where that is not what autocast_class() makes of its kind.
  std::optional<Autocast> autocast = {};

  /// Floating-point operations; elementwise ops without a rule count the nodes of their scalar expression.
  std::function<double(const Op&)> flops = {};
  /// The least bytes that are read and written, where that is not all of the operands and results.
  std::function<int64_t(const Op&)> bytes = {};
  /// The exclusive upper bound of an index operand's values.
  std::function<std::optional<int64_t>(const Op&, int operand)> index_bound = {};

  // For the tests over the registry.
  double sample_low = -2, sample_high = 2;  // the interval that sample operands are drawn from
  double error_ulps = 4;                    // the op's own error bound on a backend, in ulps of the result
  std::vector<double> kinks = {};           // where the derivative jumps: samples stay away

  /// Of an op that a program registered (ir/registry.h): where, and its number in the order of registration, from 1. Ours have 0.
  Location registered_at = {};
  int registered = 0;

  int attribute_index(std::string_view attribute) const;
  /// Unless the definition says more: reductions in f32, ops with bodies as recorded, all others follow their operands.
  Autocast autocast_class() const;
  bool is_elementwise() const { return kind == Kind::elementwise; }
  /// Is each element the product of the operands'?
  bool multiplies() const { return bilinear && is_elementwise(); }
  /// Does it sum such products?
  bool contracts() const { return bilinear && kind == Kind::heavy; }
  /// Does it run its body on its operands?
  bool is_region() const { return kind == Kind::nest || kind == Kind::launch; }
  /// Is it nothing without a body?
  bool needs_body() const { return is_region() || kind == Kind::loop; }
};

/// A rule of the op's definition cannot be followed: names the op, where it was registered, the operands' types and the user's line.
Error error_in(const Op& op, std::string_view rule, const std::string& what);

/// The scalar expression of an elementwise op applied to its operands' element types.
ScalarExpression scalar_of(const Op& op);
/// The expression that combines two partial results of a reduction.
ScalarExpression combine_of(const Op& op);
/// The op's own error bound on a backend, in ulps of the result; of a reduction, in ulps of the reduction of the operand's magnitudes:
/// every combination that an element goes through (support/reduction_order.h) may cost half an ulp.
double error_ulps_of(const Op& op);
/// Work of one execution, bodies included.
double flops_of(const Op& op);
/// The memory that a library works in: a call's last result, which nothing may read.
bool is_scratch(Value v);
/// The bytes that one execution reads and writes at least: whatever a library works in is not among them.
int64_t bytes_of(const Op& op);

}  // namespace weft::ir
