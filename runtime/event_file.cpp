#include "weft/runtime/event_file.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "weft/support/error.h"
#include "weft/support/utf8.h"

namespace weft {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

template <class T>
std::string little_endian(T value) {
  std::string bytes(sizeof(T), '\0');
  for (char& byte : bytes) {
    byte = static_cast<char>(value & 0xFF);
    value = static_cast<T>(value >> 8);
  }
  return bytes;
}

// The wire format of protocol buffers (https://protobuf.dev/programming-guides/encoding): a field is its number and kind,
// then what it holds.
std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}
std::string key(int field, int kind) { return varint(static_cast<uint64_t>(field << 3 | kind)); }
std::string integer_field(int field, int64_t value) { return key(field, 0) + varint(static_cast<uint64_t>(value)); }
std::string double_field(int field, double value) { return key(field, 1) + little_endian(std::bit_cast<uint64_t>(value)); }
std::string bytes_field(int field, std::string_view value) { return key(field, 2) + varint(value.size()) + std::string(value); }
std::string text_field(int field, std::string_view value) { return bytes_field(field, escaped_outside_utf8(value)); }
std::string float_field(int field, float value) { return key(field, 5) + little_endian(std::bit_cast<uint32_t>(value)); }

/// TFRecord's, so that a checksum of data with checksums in it stays a good one.
uint32_t masked_crc(std::string_view bytes) {
  const uint32_t crc = detail::crc32c(bytes);
  return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

std::string new_path(const std::string& directory) {
  std::error_code code;
  std::filesystem::create_directories(directory, code);
  if (code) throw Error(ErrorKind::file, "cannot make the folder '{}': {}", directory, code.message());
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  static std::atomic<unsigned> counter = 0;  // two in one second of one process
  return fmt::format("{}/events.out.tfevents.{:010}.{}.{}.{}", directory, static_cast<int64_t>(now()), host, getpid(), counter++);
}

}  // namespace

uint32_t detail::crc32c(std::string_view bytes) {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> t{};
    for (uint32_t i = 0; i < 256; ++i) {
      t[i] = i;
      for (int bit = 0; bit < 8; ++bit) t[i] = t[i] >> 1 ^ (t[i] & 1 ? 0x82F63B78u : 0);
    }
    return t;
  }();
  uint32_t crc = ~0u;
  for (const char c : bytes) crc = crc >> 8 ^ table[(crc ^ static_cast<unsigned char>(c)) & 0xFF];
  return ~crc;
}

EventFile::EventFile(const std::string& directory) : path_(new_path(directory)), file_(path_, std::ios::binary) {
  write(double_field(1, now()) + bytes_field(3, "brain.Event:2"));  // wall_time, file_version
  flush();
}

void EventFile::add_scalar(std::string_view tag, double value, int64_t step) { add_scalar(tag, value, step, now()); }

void EventFile::add_scalar(std::string_view tag, double value, int64_t step, double seconds) {
  const std::string point = text_field(1, tag) + float_field(2, static_cast<float>(value));          // Summary.Value
  write(double_field(1, seconds) + integer_field(2, step) + bytes_field(5, bytes_field(1, point)));  // wall_time, step, summary
}

void EventFile::add_histogram(std::string_view tag, const ValueHistogram& h, int64_t step) {
  if (h.counts.empty()) return;
  std::string limits, counts;  // packed: a bucket's upper edge, and what is below it and in none before
  double number = 0;
  for (size_t i = 0; i < h.counts.size(); ++i) {
    limits += little_endian(std::bit_cast<uint64_t>(h.edges[i + 1]));
    counts += little_endian(std::bit_cast<uint64_t>(static_cast<double>(h.counts[i])));
    number += static_cast<double>(h.counts[i]);
  }
  const std::string histogram = double_field(1, h.edges.front()) + double_field(2, h.edges.back()) + double_field(3, number) +
                                double_field(4, h.sum) + double_field(5, h.squares) + bytes_field(6, limits) + bytes_field(7, counts);
  const std::string point = text_field(1, tag) + bytes_field(5, histogram);  // Summary.Value
  write(double_field(1, now()) + integer_field(2, step) + bytes_field(5, bytes_field(1, point)));
}

void EventFile::flush() {
  file_.flush();
  if (!file_) throw Error(ErrorKind::file, "cannot write '{}': {}", path_, std::strerror(errno));
}

void EventFile::write(std::string_view event) {
  const std::string length = little_endian(static_cast<uint64_t>(event.size()));
  file_ << length << little_endian(masked_crc(length)) << event << little_endian(masked_crc(event));
}

}  // namespace weft
