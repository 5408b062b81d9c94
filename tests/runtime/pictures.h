#pragma once
// What Pillow and torchvision give: tests/expected/pictures.py.

#include <cstddef>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "weft/support/shape.h"
#include "weft/tests/runtime/temp_files.h"

namespace weft::test {

inline nlohmann::json expected_pictures() { return nlohmann::json::parse(std::ifstream(WEFT_SOURCE_DIR "/tests/expected/pictures.json")); }

inline std::string picture_path(const std::string& name) { return WEFT_SOURCE_DIR "/tests/expected/pictures/" + name; }

inline std::vector<std::byte> picture_bytes(const std::string& name) {
  const std::string text = read_file(picture_path(name));
  const auto* const bytes = reinterpret_cast<const std::byte*>(text.data());
  return {bytes, bytes + text.size()};
}

/// The picture that the script draws.
inline std::vector<float> drawn(const Shape& shape) {
  std::vector<float> all;
  for (int64_t i = 0; i < shape.numel(); ++i) all.push_back(static_cast<float>((i * i * 7 + i * 31) % 256) / 255.0f);
  return all;
}

}  // namespace weft::test
