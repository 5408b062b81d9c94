#include "weft/ir/lexer.h"

#include <algorithm>

#include "weft/support/error.h"
#include "weft/support/number_text.h"

namespace weft::ir {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '.'; }

}  // namespace

bool is_name(std::string_view text) { return !text.empty() && is_letter(text[0]) && std::all_of(text.begin(), text.end(), is_word); }

Lexer::Lexer(std::string_view text, std::string file) : text_(text), file_(std::move(file)) {
  if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;  // what some editors put in front of UTF-8
  next();
}

void Lexer::next() {
  skip();
  start_ = at_;
  text.clear();
  if (at_ == text_.size()) {
    kind = Token::end;
    return;
  }
  const char c = text_[at_];
  if (is_letter(c)) {
    kind = Token::name;
    while (at_ < text_.size() && is_word(text_[at_])) text += text_[at_++];
  } else if (c == '%') {
    kind = Token::value;
    ++at_;
    if (at_ < text_.size() && text_[at_] == '"') {
      string();
      text = "\"" + text;  // %"0" is not %0
    } else {
      while (at_ < text_.size() && is_word(text_[at_])) text += text_[at_++];
    }
    if (text.empty()) fail("a value needs a name after '%'");
  } else if (c == '"') {
    kind = Token::string;
    string();
  } else if (is_digit(c) ||
             (c == '-' && at_ + 1 < text_.size() && (is_digit(text_[at_ + 1]) || text_[at_ + 1] == 'i' || text_[at_ + 1] == 'n'))) {
    kind = Token::number;
    text += text_[at_++];
    while (at_ < text_.size() && (is_word(text_[at_]) || ((text_[at_] == '-' || text_[at_] == '+') && text_[at_ - 1] == 'e')))
      text += text_[at_++];
  } else {
    kind = Token::symbol;
    text = c;
    ++at_;
  }
}

void Lexer::skip() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '#')
      while (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r') ++at_;
    else if (c == '\n') line_start_ = ++at_, ++line_;
    else if (c == ' ' || c == '\t' || c == '\r') ++at_;
    else return;
  }
}

void Lexer::string() {
  ++at_;
  for (;; ++at_) {
    if (at_ == text_.size() || text_[at_] == '\n') fail("the string is not closed");
    if (text_[at_] == '"') break;
    if (text_[at_] == '\\') text += escaped();
    else text += text_[at_];
  }
  ++at_;
}

/// What stands behind a backslash; goes to its last character.
char Lexer::escaped() {
  const size_t mark = at_++;
  if (at_ == text_.size() || text_[at_] == '\n') fail("the string is not closed");
  const char c = text_[at_];
  if (c == '"' || c == '\\') return c;
  if (c == 'n') return '\n';
  if (c == 'x')
    if (const auto byte = hex_number_in<uint8_t>(text_.substr(at_ + 1, 2)); byte && at_ + 2 < text_.size())
      return at_ += 2, static_cast<char>(*byte);
  fail_at(mark, "in a string a backslash stands before another, a quote, n, or x and two hex digits alone");
}

bool Lexer::take(std::string_view symbol) {
  if (!is(symbol)) return false;
  next();
  return true;
}

void Lexer::expect(std::string_view symbol) {
  if (!take(symbol)) fail(fmt::format("expected '{}' but found {}", symbol, found()));
}

std::string Lexer::take(Token wanted, std::string_view what) {
  if (kind != wanted) fail(fmt::format("expected {} but found {}", what, found()));
  std::string result = text;
  next();
  return result;
}

std::string Lexer::new_key(std::set<std::string>& given, std::string_view what) {
  const size_t mark = start_;
  std::string key = take(Token::name, what);
  if (!given.insert(key).second) fail_at(mark, "'" + key + "' is given twice");
  expect("=");
  return key;
}

std::string Lexer::found() const {
  if (kind == Token::end) return "the end of the text";
  const auto c = static_cast<unsigned char>(text.empty() ? ' ' : text[0]);
  if (kind == Token::symbol && (c < ' ' || c >= 0x7f)) return fmt::format("a byte {:#04x}: is this a program in text form?", c);
  return fmt::format("'{}{}'", kind == Token::value ? "%" : "", text);
}

std::string Lexer::place() const { return fmt::format("{}:{}:{}", file_, line_, start_ - line_start_ + 1); }

void Lexer::fail(const std::string& what, const std::string& hint) const {
  int line = 1, column = 1;
  for (size_t i = 0; i < start_; ++i) {
    ++column;
    if (text_[i] == '\n') ++line, column = 1;
  }
  throw Error(ErrorKind::file, what).at(fmt::format("{}:{}:{}", file_, line, column)).hint(hint);
}

void Lexer::fail_at(size_t mark, const std::string& what, const std::string& hint) {
  start_ = mark;
  fail(what, hint);
}

}  // namespace weft::ir
