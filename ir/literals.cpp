#include "weft/ir/literals.h"

#include <limits>

#include "weft/support/error.h"
#include "weft/support/number_text.h"

namespace weft::ir {

template <class T>
T Literals::converted(const std::string& text, size_t mark, std::string_view what) {
  const LeadingNumber<T> number = leading_number<T>(text);
  if (number.out_of_range) lex_.fail_at(mark, "'" + text + "' is out of range");
  if (!number.is_all_of(text)) lex_.fail_at(mark, fmt::format("'{}' is not {}", text, what));
  return number.value;
}

int64_t Literals::integer() {
  const size_t mark = lex_.mark();
  return converted<int64_t>(lex_.take(Token::number, "an integer"), mark, "an integer");
}

/// An integer that a T holds.
template <class T>
int64_t Literals::integer_in() {
  const size_t mark = lex_.mark();
  const int64_t value = integer();
  if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max())
    lex_.fail_at(mark, fmt::format("'{}' is out of range", value));
  return value;
}

int Literals::line_number() { return static_cast<int>(integer_in<int>()); }

Dims Literals::dims() {
  Dims all;
  lex_.expect("[");
  if (!lex_.is("]")) do
      all.push_back(integer());
    while (lex_.take(","));
  lex_.expect("]");
  return all;
}

Type Literals::type() {
  const size_t mark = lex_.mark();
  const std::string dtype_name = lex_.take(Token::name, "a type");
  const auto dtype = dtype_from_name(dtype_name);
  if (!dtype) lex_.fail_at(mark, "unknown element type '" + dtype_name + "'");
  return {*dtype, shape()};
}

Shape Literals::shape() {
  const size_t mark = lex_.mark();
  const Dims extents = dims();
  try {
    return Shape(extents);
  } catch (const Error& e) {
    lex_.fail_at(mark, e.what());
  }
  return {};
}

std::pair<Type, std::optional<int64_t>> Literals::placed() {
  Type t = type();
  std::optional<int64_t> offset;
  if (lex_.take("@")) {
    offset_place_ = lex_.place();
    offset = integer();
  }
  return {std::move(t), offset};
}

template <class T>
T Literals::real() {
  const size_t mark = lex_.mark();
  const Token kind = lex_.kind == Token::name ? Token::name : Token::number;
  return converted<T>(lex_.take(kind, "a number"), mark, "a number");
}

Attribute Literals::attribute() {
  if (lex_.kind == Token::string) return lex_.take(Token::string, "a string");
  if (lex_.is("[")) return dims();
  if (lex_.kind == Token::number) {
    if (lex_.text.find_first_of(".en") == std::string::npos) return integer();
    return real<double>();
  }
  if (lex_.take("true")) return true;
  if (lex_.take("false")) return false;
  if (lex_.is("inf") || lex_.is("nan")) return real<double>();
  const size_t mark = lex_.mark();
  const std::string word = lex_.take(Token::name, "an attribute's value");
  const auto dtype = dtype_from_name(word);
  if (!dtype) lex_.fail_at(mark, "'" + word + "' is no attribute value");
  if (!lex_.is("[")) return *dtype;
  return dense({*dtype, shape()});
}

Dense Literals::dense(Type type) {
  const size_t mark = lex_.mark();
  if (lex_.take("hex")) return hex(std::move(type));
  const bool list = lex_.take("[");
  const int64_t count = list ? type.shape.numel() : 1;
  std::vector<std::byte> bytes;
  for (int64_t i = 0; i < count; ++i) {
    if (i) lex_.expect(",");
    const Dense one = element({type.dtype, {}});
    bytes.insert(bytes.end(), one.bytes().begin(), one.bytes().end());
  }
  if (!list) return Dense::repeated(std::move(type), std::move(bytes));
  if (!lex_.take("]")) lex_.fail_at(mark, fmt::format("expected exactly {} elements", count));
  return Dense(std::move(type), std::move(bytes));
}

Dense Literals::element(const Type& scalar) {
  if (scalar.dtype == boolean) {
    if (lex_.take("true")) return Dense::splat(scalar, 1);
    if (!lex_.take("false")) lex_.fail("expected true or false but found " + lex_.found());
    return Dense::splat(scalar, 0);
  }
  if (scalar.dtype == f64) return Dense::splat(scalar, real<double>());
  if (is_floating(scalar.dtype)) return Dense::splat(scalar, real<float>());
  return with_element_type(scalar.dtype, [&]<class T>(ElementType<T>) {
    if constexpr (std::is_integral_v<T>) return Dense::splat_integer(scalar, integer_in<T>());
    else return Dense::splat(scalar, 0);
  });
}

Dense Literals::hex(Type type) {
  const size_t mark = lex_.mark();
  const std::string digits = lex_.take(Token::string, "hex digits");
  const size_t one = 2 * size_of(type.dtype), elements = digits.size() / one;
  if (digits.size() % one != 0 || (elements != 1 && elements != static_cast<size_t>(type.shape.numel())))
    lex_.fail_at(mark, fmt::format("{} hex digits for a {}, which needs {} an element", digits.size(), to_string(type), one));
  std::vector<std::byte> bytes;
  for (size_t i = 0; i < digits.size(); i += 2) {
    const auto value = hex_number_in<uint8_t>(std::string_view(digits).substr(i, 2));
    if (!value) lex_.fail_at(mark, "not a hex digit in the constant");
    if (type.dtype == boolean && *value > 1) lex_.fail_at(mark, "an element of a bool is 00 or 01");
    bytes.push_back(static_cast<std::byte>(*value));
  }
  if (elements == static_cast<size_t>(type.shape.numel())) return Dense(std::move(type), std::move(bytes));
  return Dense::repeated(std::move(type), std::move(bytes));
}

}  // namespace weft::ir
