#pragma once
// The text form cut into tokens, each of which knows where it stands.

#include <set>
#include <string>
#include <string_view>

namespace weft::ir {

/// Is it read as one token, a name?
bool is_name(std::string_view text);

enum class Token { end, name, value, number, string, symbol };

class Lexer {
 public:
  /// `file` is how messages call the text, which outlives the lexer. Stands at the first token.
  Lexer(std::string_view text, std::string file);

  Token kind = Token::end;
  std::string text;  // of a string: its contents; of a value: without the %

  void next();

  bool is(std::string_view symbol) const { return (kind == Token::symbol || kind == Token::name) && text == symbol; }
  /// Goes on if the token is this one.
  bool take(std::string_view symbol);
  /// Throws weft::Error if it is not.
  void expect(std::string_view symbol);
  /// The text of a token of this kind, behind which it then stands. Throws weft::Error that speaks of `what` if there is none.
  std::string take(Token wanted, std::string_view what);
  /// "key =", for a key that is not among those given before, and is then. `what` as in take().
  std::string new_key(std::set<std::string>& given, std::string_view what);
  /// The token, for messages.
  std::string found() const;

  const std::string& file() const { return file_; }
  /// Of the token.
  int line() const { return line_; }
  size_t mark() const { return start_; }
  /// "file:line:column", of the token.
  std::string place() const;
  /// Throws weft::Error "file:line:column: what", of the token; or of that at a mark.
  [[noreturn]] void fail(const std::string& what, const std::string& hint = "") const;
  [[noreturn]] void fail_at(size_t mark, const std::string& what, const std::string& hint = "");

 private:
  void skip();
  void string();
  char escaped();

  std::string_view text_;
  std::string file_;
  size_t at_ = 0, start_ = 0, line_start_ = 0;
  int line_ = 1;
};

}  // namespace weft::ir
