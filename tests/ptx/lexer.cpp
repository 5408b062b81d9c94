#include "weft/tests/ptx/lexer.h"

#include "weft/tests/ptx/fault.h"

namespace weft::test::ptx {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$'; }

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<Token> all() {
    std::vector<Token> tokens;
    for (;;) {
      const size_t before = at_;
      skip();
      Token token = next();
      token.touches = before == at_ - (length_of(token));
      tokens.push_back(token);
      if (token.kind == Token::Kind::end) return tokens;
    }
  }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  /// With its dot or quotes.
  static size_t length_of(const Token& token) {
    return token.text.size() + (token.kind == Token::Kind::dotted ? 1 : token.kind == Token::Kind::string ? 2 : 0);
  }

  void skip() {
    while (at_ < text_.size()) {
      if (text_[at_] == '\n') ++line_, ++at_;
      else if (std::string_view(" \t\r").find(text_[at_]) != std::string_view::npos) ++at_;
      else if (peek() == '/' && peek(1) == '/') at_ = std::min(text_.find('\n', at_), text_.size());
      else if (peek() == '/' && peek(1) == '*') skip_comment();
      else return;
    }
  }

  void skip_comment() {
    const size_t end = text_.find("*/", at_ + 2);
    if (end == std::string_view::npos) throw Fault(Check::text, "a comment without an end", "line " + std::to_string(line_));
    for (; at_ < end + 2; ++at_) line_ += text_[at_] == '\n';
  }

  template <class Belongs>
  std::string_view take_while(Belongs belongs) {
    const size_t begin = at_;
    while (at_ < text_.size() && belongs(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  Token next() {
    const int line = line_;
    if (at_ == text_.size()) return {Token::Kind::end, {}, line};
    const char c = peek();
    if (is_digit(c)) return {Token::Kind::number, number(), line};
    if (is_word(c)) return {Token::Kind::word, take_while(is_word), line};
    if (c == '%' && is_word(peek(1))) {
      const size_t begin = at_++;
      take_while(is_word);
      return {Token::Kind::word, text_.substr(begin, at_ - begin), line};
    }
    if (c == '.' && is_word(peek(1))) {
      ++at_;
      return {Token::Kind::dotted, take_while([](char x) { return is_word(x) || x == ':'; }), line};
    }
    if (c == '"') return string(line);
    if (std::string_view("{}()[]<>,;:@!|+-=").find(c) == std::string_view::npos)
      throw Fault(Check::text, "an unknown character '" + std::string(1, c) + "'", "line " + std::to_string(line));
    return {Token::Kind::sign, text_.substr(at_++, 1), line};
  }

  Token string(int line) {
    const size_t end = text_.find('"', at_ + 1);
    if (end == std::string_view::npos) throw Fault(Check::text, "a string without an end", "line " + std::to_string(line));
    const std::string_view inside = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return {Token::Kind::string, inside, line};
  }

  /// Hexadecimal digits and suffixes are letters; the exponent of a decimal number may have a sign.
  std::string_view number() {
    const size_t begin = at_;
    const bool has_prefix = peek() == '0' && (is_word(peek(1)) && !is_digit(peek(1)));
    take_while(is_word);
    if (!has_prefix && peek() == '.') {
      ++at_;
      take_while(is_word);
    }
    if (!has_prefix && (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E') && (peek() == '+' || peek() == '-')) {
      ++at_;
      take_while(is_digit);
    }
    return text_.substr(begin, at_ - begin);
  }

  std::string_view text_;
  size_t at_ = 0;
  int line_ = 1;
};

}  // namespace

std::vector<Token> tokens_of(std::string_view text) { return Lexer(text).all(); }

}  // namespace weft::test::ptx
