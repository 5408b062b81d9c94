#include "weft/tests/gpu_check/bundle/manifest.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "weft/support/error.h"

namespace weft::gpu_check {
namespace {

constexpr int format = 1;

std::string path_in(const std::string& folder) { return folder + "/manifest.json"; }

}  // namespace

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Bound, output, exact, absolute, relative)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Check, name, file, calls, trains, bounds)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Fill, input, low, high)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Measured, name, file, kind, bytes, flops, precision, fills)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Manifest, version, arch, checks, measured)

Manifest read_manifest(const std::string& folder) {
  const std::string path = path_in(folder);
  std::ifstream in(path);
  if (!in) throw Error(ErrorKind::file, "there is no '{}'", path).hint("scripts/bundle.sh makes a bundle");
  try {
    const auto json = nlohmann::json::parse(in);
    if (json.at("format") != format) throw Error(ErrorKind::file, "'{}' has another format than {}", path, format);
    return json.get<Manifest>();
  } catch (const nlohmann::json::exception& e) {
    throw Error(ErrorKind::file, "'{}' is no manifest of a bundle: {}", path, e.what());
  }
}

void write_manifest(const std::string& folder, const Manifest& manifest) {
  nlohmann::json json = manifest;
  json["format"] = format;
  std::ofstream out(path_in(folder));
  if (!(out << json.dump(1) << "\n" << std::flush)) throw Error(ErrorKind::file, "'{}' cannot be written", path_in(folder));
}

}  // namespace weft::gpu_check
