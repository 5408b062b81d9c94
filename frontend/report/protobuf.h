#pragma once
// Writes messages in the wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding): numbers and texts of any field, and
// messages within messages. A library for it would come with every program that links weft, for one file format.

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "weft/support/utf8.h"

namespace weft::detail {

class ProtobufMessage {
 public:
  /// int32, int64, bool and enumerations.
  ProtobufMessage& integer(int field, int64_t value) {
    tag(field, 0);
    varint(static_cast<uint64_t>(value));
    return *this;
  }
  ProtobufMessage& real(int field, float value) {
    tag(field, 5);
    const auto bits = std::bit_cast<uint32_t>(value);
    for (int byte = 0; byte < 4; ++byte) bytes_ += static_cast<char>(bits >> (8 * byte));
    return *this;
  }
  /// string, which is UTF-8 alone.
  ProtobufMessage& text(int field, std::string_view value) { return raw(field, escaped_outside_utf8(value)); }
  /// bytes, and packed numbers.
  ProtobufMessage& raw(int field, std::string_view value) {
    tag(field, 2);
    varint(value.size());
    bytes_ += value;
    return *this;
  }
  ProtobufMessage& message(int field, const ProtobufMessage& value) { return raw(field, value.bytes_); }

  const std::string& bytes() const { return bytes_; }

 private:
  void tag(int field, int wire_type) { varint(static_cast<uint64_t>(field) << 3 | static_cast<uint64_t>(wire_type)); }
  /// Seven bits a byte, the lowest first; all but the last have the eighth set.
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

}  // namespace weft::detail
