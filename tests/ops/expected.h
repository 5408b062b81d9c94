#pragma once
// Reads what tests/expected/*.py stored.

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "weft/backends/reference/reference.h"
#include "weft/support/error.h"

namespace weft::testing {

using json = nlohmann::json;

/// tests/expected/<name>.json
inline json read_expected(const std::string& name) {
  const std::string path = WEFT_SOURCE_DIR "/tests/expected/" + name + ".json";
  std::ifstream file(path);
  if (!file) throw Error("cannot open {}", path);
  return json::parse(file);
}

/// A number; infinities and nan are strings.
inline double number(const json& j) {
  if (!j.is_string()) return j.get<double>();
  const auto text = j.get<std::string>();
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  return text == "inf" ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
}

inline reference::Tensor tensor(const json& j) {
  const auto dtype = dtype_from_name(j["dtype"].get<std::string>());
  reference::Tensor t(ir::Type{dtype.value(), Shape(j["shape"].get<Dims>())});
  for (size_t i = 0; i < j["data"].size(); ++i) {
    if (is_floating(*dtype)) t.real[i] = number(j["data"][i]);
    else if (*dtype == boolean) t.integer[i] = j["data"][i].get<bool>();
    else t.integer[i] = j["data"][i].get<int64_t>();
  }
  return t;
}

}  // namespace weft::testing
