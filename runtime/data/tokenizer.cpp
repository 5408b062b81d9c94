#include "weft/runtime/data/tokenizer.h"

#include "weft/support/error.h"
#include "weft/support/utf8.h"

namespace weft {
namespace {

/// Calls f(a character, its byte's number) for each.
template <class F>
void for_each_character(std::string_view text, const F& f) {
  for (size_t at = 0; at < text.size();) {
    const size_t bytes = first_character(text.substr(at)).first;
    if (bytes == 0)
      throw Error("the text is no UTF-8: byte {} is 0x{:02x}", at, static_cast<unsigned char>(text[at]))
          .of("CharTokenizer")
          .hint("ByteTokenizer takes any bytes");
    f(text.substr(at, bytes), at);
    at += bytes;
  }
}

[[noreturn]] void fail_number(const char* who, size_t at, int64_t number, int64_t size) {
  throw Error("number {} of the text is {}, but there are 0 .. {}", at, number, size - 1).of(who);
}

}  // namespace

std::vector<int64_t> ByteTokenizer::encode(std::string_view text) const {
  std::vector<int64_t> numbers;
  numbers.reserve(text.size());
  for (const char c : text) numbers.push_back(static_cast<unsigned char>(c));
  return numbers;
}

std::string ByteTokenizer::decode(const std::vector<int64_t>& numbers) const {
  std::string text;
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] < 0 || numbers[i] >= size()) fail_number("ByteTokenizer", i, numbers[i], size());
    text += static_cast<char>(numbers[i]);
  }
  return text;
}

CharTokenizer::CharTokenizer(std::string_view text) {
  for_each_character(text, [&](std::string_view c, size_t) {
    if (!numbers_.contains(c)) numbers_.emplace(c, 0);
  });
  for (auto& [c, number] : numbers_) {
    number = size();
    characters_.push_back(c);
  }
}

CharTokenizer CharTokenizer::of(const std::vector<std::string>& characters) {
  CharTokenizer result;
  for (const std::string& c : characters) {
    if (first_character(c).first != c.size() || c.empty()) throw Error("'{}' is no character", c).of("CharTokenizer");
    if (!result.numbers_.emplace(c, result.size()).second) throw Error("the character '{}' comes twice", c).of("CharTokenizer");
    result.characters_.push_back(c);
  }
  return result;
}

std::vector<int64_t> CharTokenizer::encode(std::string_view text) const {
  std::vector<int64_t> numbers;
  for_each_character(text, [&](std::string_view c, size_t at) {
    const auto found = numbers_.find(c);
    if (found == numbers_.end())
      throw Error("the character '{}', at byte {}, is none of the {} that were learnt", c, at, size()).of("CharTokenizer");
    numbers.push_back(found->second);
  });
  return numbers;
}

std::string CharTokenizer::decode(const std::vector<int64_t>& numbers) const {
  std::string text;
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] < 0 || numbers[i] >= size()) fail_number("CharTokenizer", i, numbers[i], size());
    text += characters_[static_cast<size_t>(numbers[i])];
  }
  return text;
}

}  // namespace weft
