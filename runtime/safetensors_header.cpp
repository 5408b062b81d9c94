#include "weft/runtime/safetensors_header.h"

#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <unordered_set>

#include "weft/support/error.h"
#include "weft/support/utf8.h"

namespace weft::detail {
namespace {

using nlohmann::json;

constexpr const char* metadata_key = "__metadata__";
constexpr int deepest = 64;

/// Takes the header as the JSON library reads it, piece by piece: a tree of it would be made, and taken apart, by recursion.
class Handler : public nlohmann::json_sax<json> {
 public:
  Handler(std::string_view text, const std::string& path, uint64_t byte) : text_(text), path_(path), byte_(byte) {}
  SafeTensorsHeader take() { return std::move(header_); }

  bool null() override { return value("null"); }
  bool boolean(bool v) override { return value(v ? "true" : "false"); }
  bool number_integer(number_integer_t v) override { return value(fmt::format("{}", v)); }
  bool number_float(number_float_t, const string_t& text) override { return value(text); }
  bool binary(binary_t&) override { return value("bytes"); }
  bool number_unsigned(number_unsigned_t v) override {
    if (place_ != Place::list) return value(fmt::format("{}", v));
    list_->push_back(v);
    return true;
  }
  bool string(string_t& text) override {
    if (place_ == Place::metadata) {
      if (!header_.metadata.emplace(key_, std::move(text)).second) fail("the header's __metadata__ has '{}' twice", key_);
    } else if (place_ == Place::tensor && key_ == "dtype") {
      tensor().dtype = std::move(text);
    } else {
      return value("a text");
    }
    return true;
  }

  bool start_object(size_t) override {
    switch (place_) {
      case Place::outside: place_ = Place::header; return true;
      case Place::header: place_ = key_ == metadata_key ? Place::metadata : Place::tensor; break;
      case Place::metadata:
      case Place::list: return value("an object");
      case Place::tensor: return skip("an object");
      case Place::skipped: return deeper();
    }
    members_.clear();
    if (place_ == Place::tensor) header_.tensors.push_back({.name = key_});
    return true;
  }
  bool end_object() override {
    if (place_ == Place::skipped) return end_skipped();
    if (place_ == Place::tensor)
      for (const char* needed : {"dtype", "shape", "data_offsets"})
        if (!members_.contains(needed)) fail("the header gives no {} for '{}'", needed, tensor().name);
    place_ = place_ == Place::header ? Place::outside : Place::header;
    return true;
  }
  bool start_array(size_t) override {
    if (place_ == Place::skipped) return deeper();
    if (place_ != Place::tensor) return value("a list");
    if (key_ != "shape" && key_ != "data_offsets") return skip("a list");
    list_ = key_ == "shape" ? &tensor().shape : &tensor().offsets;
    place_ = Place::list;
    return true;
  }
  bool end_array() override {
    if (place_ == Place::skipped) return end_skipped();
    place_ = Place::tensor;
    return true;
  }
  bool key(string_t& name) override {
    if (place_ == Place::skipped) return true;
    key_ = std::move(name);
    if (place_ == Place::header && !names_.insert(key_).second) fail("the header names '{}' twice", key_);
    if (place_ == Place::tensor && !members_.insert(key_).second) fail("the header gives a second {} for '{}'", key_, tensor().name);
    return true;
  }
  bool parse_error(size_t position, const std::string& token, const json::exception& e) override {
    constexpr int out_of_range = 406;
    const uint64_t at = byte_ + (position > 0 ? position - 1 : 0);
    if (e.id == out_of_range)
      throw Error(ErrorKind::file, "the number {} in the header is too large", token).at(fmt::format("'{}', byte {}", path_, at));
    if (const auto bad = first_byte_outside_utf8(text_.substr(0, position + 3)); bad && *bad < position)
      throw Error(ErrorKind::file, "a name or a text in the header is not UTF-8, as it must be: byte 0x{:02x}",
                  static_cast<unsigned char>(text_[*bad]))
          .at(fmt::format("'{}', byte {}", path_, byte_ + *bad));
    throw Error(ErrorKind::file, "the header is not valid JSON").at(fmt::format("'{}', byte {}", path_, at));
  }

 private:
  enum class Place { outside, header, metadata, tensor, list, skipped };

  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) const {
    throw Error(ErrorKind::file, "{}", fmt::format(text, std::forward<Args>(args)...)).at(fmt::format("'{}', byte {}", path_, byte_));
  }
  SafeTensorsHeader::Tensor& tensor() { return header_.tensors.back(); }

  /// A value where no such value may stand, or one that is skipped.
  bool value(const std::string& what) {
    switch (place_) {
      case Place::outside: fail("the header is no JSON object");
      case Place::header:
        if (key_ == metadata_key) fail("the header's __metadata__ is no object");
        fail("the header gives {} for '{}' in place of its dtype, shape and data_offsets", what, key_);
      case Place::metadata: fail("the header's __metadata__ '{}' is no text", key_);
      case Place::tensor: check_member(what); return true;
      case Place::list: fail("the {} of '{}' must be a list of integers from 0, but has {}", key_, tensor().name, what);
      case Place::skipped: return true;
    }
    return true;
  }
  void check_member(const std::string& what) {
    if (key_ == "dtype") fail("the dtype of '{}' must be a text, not {}", tensor().name, what);
    if (key_ == "shape" || key_ == "data_offsets")
      fail("the {} of '{}' must be a list of integers from 0, not {}", key_, tensor().name, what);
  }
  bool skip(const char* what) {
    check_member(what);
    place_ = Place::skipped;
    depth_ = 1;
    return true;
  }
  bool deeper() {
    if (++depth_ > deepest) fail("what the header says of '{}' is nested deeper than {} lists and objects", tensor().name, deepest);
    return true;
  }
  bool end_skipped() {
    if (--depth_ == 0) place_ = Place::tensor;
    return true;
  }

  std::string_view text_;
  const std::string& path_;
  uint64_t byte_;
  SafeTensorsHeader header_;
  Place place_ = Place::outside;
  std::string key_;
  std::unordered_set<std::string> names_, members_;  // of the header, and of the tensor
  std::vector<uint64_t>* list_ = nullptr;
  int depth_ = 0;  // of what is skipped
};

}  // namespace

SafeTensorsHeader parse_safetensors_header(std::string_view text, const std::string& path, uint64_t byte) {
  if (!text.starts_with('{')) throw Error(ErrorKind::file, "the header is no JSON object").at(fmt::format("'{}', byte {}", path, byte));
  Handler handler(text, path, byte);
  json::sax_parse(text.begin(), text.end(), &handler);
  return handler.take();
}

std::string print_safetensors_header(const SafeTensorsHeader& header) {
  const auto quoted = [](const std::string& text) { return json(text).dump(); };
  std::string all;
  const auto add = [&](const std::string& key, const std::string& value) {
    all += fmt::format("{}{}:{}", all.empty() ? "{" : ",", quoted(key), value);
  };
  if (!header.metadata.empty()) add(metadata_key, json(header.metadata).dump());
  for (const auto& t : header.tensors)
    add(t.name, fmt::format(R"({{"dtype":{},"shape":[{}],"data_offsets":[{}]}})", quoted(t.dtype), fmt::join(t.shape, ","),
                            fmt::join(t.offsets, ",")));
  return (all.empty() ? "{" : all) + "}";
}

}  // namespace weft::detail
