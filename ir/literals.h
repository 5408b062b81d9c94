#pragma once
// The values that stand in the text form: numbers, types, shapes, attributes, the elements of constants.

#include <cstdint>
#include <optional>
#include <utility>

#include "weft/ir/attribute.h"
#include "weft/ir/lexer.h"
#include "weft/ir/type.h"

namespace weft::ir {

/// Reads from where the lexer stands, and throws weft::Error there.
class Literals {
 public:
  explicit Literals(Lexer& lex) : lex_(lex) {}

  int64_t integer();
  int line_number();
  Dims dims();
  Type type();
  /// A type, and the offset in the arena if one is given.
  std::pair<Type, std::optional<int64_t>> placed();
  /// Where the last such offset stands.
  const std::string& offset_place() const { return offset_place_; }
  Attribute attribute();

 private:
  template <class T>
  T converted(const std::string& text, size_t mark, std::string_view what);
  template <class T>
  int64_t integer_in();
  template <class T = double>
  T real();
  Shape shape();
  Dense dense(Type type);
  Dense element(const Type& scalar);
  Dense hex(Type type);

  Lexer& lex_;
  std::string offset_place_;
};

}  // namespace weft::ir
