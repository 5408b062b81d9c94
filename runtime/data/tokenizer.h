#pragma once
// Text as numbers and back, by bytes or by characters.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// A number for each byte: 0 .. 255, whatever the text. Nothing is learnt, and nothing is unknown.
struct ByteTokenizer {
  int64_t size() const { return 256; }
  std::vector<int64_t> encode(std::string_view text) const;
  /// Throws weft::Error naming the place of a number that is no byte.
  std::string decode(const std::vector<int64_t>& numbers) const;
};

/// A number for each different character (code point of UTF-8) of a text, in the characters' order.
class CharTokenizer {
 public:
  /// Learns the characters of `text`. Throws weft::Error naming the byte where it is no UTF-8.
  explicit CharTokenizer(std::string_view text);
  /// Of these characters, numbered in this order, as characters() gave them. Throws weft::Error also for one that comes twice.
  static CharTokenizer of(const std::vector<std::string>& characters);

  /// How many different ones there are.
  int64_t size() const { return static_cast<int64_t>(characters_.size()); }
  const std::vector<std::string>& characters() const { return characters_; }
  /// Throws weft::Error naming the byte and the character for one that was not learnt, and where the text is no UTF-8.
  std::vector<int64_t> encode(std::string_view text) const;
  /// Throws weft::Error naming the place of a number that is no character's.
  std::string decode(const std::vector<int64_t>& numbers) const;

 private:
  CharTokenizer() = default;

  std::vector<std::string> characters_;
  std::map<std::string, int64_t, std::less<>> numbers_;
};

}  // namespace weft
