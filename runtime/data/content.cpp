#include "weft/runtime/data/content.h"

#include <algorithm>

namespace weft::detail {
namespace {

constexpr size_t buffer_bytes = 256 << 10;
constexpr uint64_t most_of_a_byte = 1032;
constexpr uint64_t header_bytes = 10;  // of a member, at least

}  // namespace

Content::Content(const std::string& path) : file_(path) {
  unsigned char magic[2] = {};
  if (file_.size() >= 2) file_.read(0, magic, 2);
  compressed_ = magic[0] == 0x1F && magic[1] == 0x8B;
  if (!compressed_) return;
  buffer_.resize(buffer_bytes);
  constexpr int only_gzip = 16;
  if (inflateInit2(&stream_, MAX_WBITS + only_gzip) != Z_OK)
    throw Error(ErrorKind::file, "cannot read '{}': no memory to uncompress it", path);
}

Content::~Content() {
  if (compressed_) inflateEnd(&stream_);
}

uint64_t Content::left_at_most() const {
  if (!compressed_) return file_.size() - read_;
  return (file_.size() - read_ + stream_.avail_in + 1) * most_of_a_byte + buffer_bytes;
}

size_t Content::read(std::byte* to, size_t count) {
  size_t done = 0;
  if (compressed_) {
    done = inflate_some(to, count);
  } else {
    done = static_cast<size_t>(std::min<uint64_t>(count, file_.size() - read_));
    file_.read(read_, to, done);
    read_ += done;
  }
  offset_ += done;
  return done;
}

bool Content::fill() {
  const auto count = static_cast<size_t>(std::min<uint64_t>(buffer_.size(), file_.size() - read_));
  file_.read(read_, buffer_.data(), count);
  read_ += count;
  stream_.next_in = buffer_.data();
  stream_.avail_in = static_cast<uInt>(count);
  return count > 0;
}

/// Behind a member: past zero bytes, with which tapes and disks are filled up.
void Content::begin_member() {
  while (stream_.avail_in > 0 && *stream_.next_in == 0) ++stream_.next_in, --stream_.avail_in;
  if (stream_.avail_in == 0) return;
  inflateReset(&stream_);
  in_member_ = true;
  first_member_ = false;
}

void Content::fail_behind(size_t done, const char* why) const {
  fail(offset_ + done, "the gzip stream ends, but bytes that are none follow in the file ({})", why);
}

size_t Content::inflate_some(std::byte* to, size_t count) {
  size_t done = 0;
  while (done < count) {
    if (stream_.avail_in == 0 && !fill()) {
      if (!in_member_) break;
      if (!first_member_ && stream_.total_in < header_bytes) fail_behind(done, "too few");
      fail(offset_ + done, "cannot read on: the gzip stream breaks off at the end of the file");
    }
    if (!in_member_) {
      begin_member();
      continue;
    }
    const auto wanted = static_cast<uInt>(std::min<size_t>(count - done, 1 << 24));
    stream_.next_out = reinterpret_cast<Bytef*>(to + done);
    stream_.avail_out = wanted;
    const int result = inflate(&stream_, Z_NO_FLUSH);
    done += wanted - stream_.avail_out;
    if (result == Z_STREAM_END) in_member_ = false;
    if (result == Z_STREAM_END || result == Z_OK || result == Z_BUF_ERROR) continue;
    const char* const why = stream_.msg ? stream_.msg : "the gzip stream is damaged";
    if (!first_member_ && stream_.total_out == 0) fail_behind(done, why);
    fail(offset_ + done, "cannot read on: {}", why);
  }
  return done;
}

}  // namespace weft::detail
