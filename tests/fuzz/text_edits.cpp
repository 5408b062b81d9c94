#include "weft/tests/fuzz/text_edits.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <string_view>
#include <vector>

namespace weft::test {
namespace {

/// splitmix64: the same numbers everywhere.
class Draw {
 public:
  explicit Draw(uint64_t seed) : state_(seed) {}
  size_t below(size_t bound) { return static_cast<size_t>(next() % bound); }

 private:
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  uint64_t state_;
};

using Pieces = std::vector<std::string>;

Pieces lines_of(const std::string& text) {
  Pieces lines(1);
  for (char c : text) {
    lines.back() += c;
    if (c == '\n') lines.emplace_back();
  }
  if (lines.back().empty()) lines.pop_back();
  return lines;
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '%' || c == '-'; }

/// Words, and what stands between them character by character.
Pieces tokens_of(const std::string& text) {
  Pieces tokens;
  bool in_word = false;
  for (char c : text) {
    if (in_word && is_word(c)) tokens.back() += c;
    else tokens.emplace_back(1, c);
    in_word = is_word(c);
  }
  return tokens;
}

std::string joined(const Pieces& pieces) {
  std::string text;
  for (const std::string& p : pieces) text += p;
  return text;
}

bool is_number(const std::string& token) {
  const size_t digit = token[0] == '-' ? 1 : 0;
  return token.size() > digit && std::isdigit(static_cast<unsigned char>(token[digit]));
}

/// One of the tokens for which `wanted` holds; none: the number of tokens.
template <class Wanted>
size_t drawn_token(const Pieces& tokens, Draw& draw, Wanted wanted) {
  std::vector<size_t> all;
  for (size_t i = 0; i < tokens.size(); ++i)
    if (wanted(tokens[i])) all.push_back(i);
  return all.empty() ? tokens.size() : all[draw.below(all.size())];
}

std::string other_number(const std::string& old, Draw& draw) {
  static constexpr std::array<const char*, 24> numbers{"0",
                                                       "1",
                                                       "-1",
                                                       "2",
                                                       "3",
                                                       "4",
                                                       "5",
                                                       "7",
                                                       "8",
                                                       "16",
                                                       "64",
                                                       "128",
                                                       "63",
                                                       "1e999",
                                                       "0.5",
                                                       "nan",
                                                       "inf",
                                                       "4294967296",
                                                       "2305843009213693952",
                                                       "4611686018427387904",
                                                       "9223372036854775744",
                                                       "9223372036854775807",
                                                       "-9223372036854775808",
                                                       "1099511627776"};
  if (draw.below(3) == 0 && old.size() < 10 && old.find('.') == std::string::npos)
    return std::to_string(std::stoll(old) + (draw.below(2) ? 1 : -1));
  return numbers[draw.below(numbers.size())];
}

std::string other_word(const std::string& old, Draw& draw) {
  static const std::vector<std::vector<std::string>> families{
      {"f32", "f64", "bf16", "i32", "i64", "u8", "bool"},
      {"true", "false"},
      {"parameter", "state", "hyper", "key", "batch"},
      {"autodiff", "training_step", "decompose", "simplify", "layout", "fuse", "launch", "partition", "schedule", "plan"},
      {"cpu", "generic", "cuda"},
      {"add", "sub", "mul", "div", "max", "sum", "exp", "neg", "copy", "reshape", "broadcast", "transpose", "fused", "kernel", "matmul"},
  };
  for (const auto& family : families)
    for (const std::string& word : family)
      if (word == old) return family[draw.below(family.size())];
  return old;
}

std::string edited_once(const std::string& text, Draw& draw) {
  Pieces lines = lines_of(text), tokens = tokens_of(text);
  if (lines.empty() || tokens.empty()) return text;
  const size_t at = draw.below(lines.size()), other = draw.below(lines.size());
  const auto replace = [&](size_t token, std::string by) {
    if (token < tokens.size()) tokens[token] = std::move(by);
    return joined(tokens);
  };
  switch (draw.below(12)) {
    case 0: lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at)); return joined(lines);
    case 1: lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), lines[other]); return joined(lines);
    case 2: std::swap(lines[at], lines[other]); return joined(lines);
    case 3: return replace(draw.below(tokens.size()), "");
    case 4: return replace(draw.below(tokens.size()), tokens[draw.below(tokens.size())]);
    case 5: {
      const auto value = [](const std::string& t) { return t[0] == '%'; };
      const size_t from = drawn_token(tokens, draw, value), to = drawn_token(tokens, draw, value);
      return from == tokens.size() ? text : replace(to, tokens[from]);
    }
    case 6:
    case 7: {
      const auto word = [](const std::string& t) { return std::isalpha(static_cast<unsigned char>(t[0])) != 0; };
      const size_t token = drawn_token(tokens, draw, word);
      return token == tokens.size() ? text : replace(token, other_word(tokens[token], draw));
    }
    default: {
      const size_t token = drawn_token(tokens, draw, is_number);
      return token == tokens.size() ? text : replace(token, other_number(tokens[token], draw));
    }
  }
}

}  // namespace

std::string edited(const std::string& text, uint64_t seed) {
  Draw draw(seed);
  std::string result = text;
  for (size_t edits = 1 + draw.below(3); edits > 0; --edits) result = edited_once(result, draw);
  return result;
}

size_t edit_in_place(uint8_t* text, size_t size, size_t most, uint64_t seed) {
  const std::string result = edited(std::string(reinterpret_cast<const char*>(text), size), seed);
  const size_t length = std::min(result.size(), most);
  std::memcpy(text, result.data(), length);
  return length;
}

}  // namespace weft::test
