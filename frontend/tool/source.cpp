#include "weft/frontend/tool/source.h"

#include <CLI/CLI.hpp>
#include <filesystem>

#include "weft/frontend/program/reproducer.h"
#include "weft/runtime/safetensors.h"
#include "weft/support/number_text.h"

namespace weft::tool {

void add_feed_options(CLI::App& c, FeedOptions& o) {
  c.add_option("--input", o.inputs, "The elements of an input; once for each input")->allow_extra_args(false)->type_name("NAME=FILE.npy");
  c.add_option("--weights", o.weights, "Parameters and states by their names: a checkpoint, or PyTorch's safetensors file")
      ->type_name("FILE.safetensors");
  c.add_option("--set", o.settings, "The value of a hyper-parameter, e.g. sgd.lr=0.01")->allow_extra_args(false)->type_name("NAME=NUMBER");
  c.add_flag("--zeros", o.zeros, "Parameters and states that are not given start as zeros");
  c.add_option("--seed", o.seed, "What random numbers follow from, with the number of the step; default 0")->type_name("N");
}

Given given_by(const FeedOptions& o) {
  Given given{
      .files = assignments("--input", o.inputs), .weights = o.weights, .inputs = {}, .settings = {}, .seed = o.seed, .zeros = o.zeros};
  for (const auto& [name, text] : assignments("--set", o.settings)) {
    const std::optional<double> value = number_in<double>(text);
    if (!value) throw Error("--set {}: '{}' is not a number", name, text);
    given.settings[name] = *value;
  }
  return given;
}

Source source_of(const std::string& file) {
  const detail::ReproducerFiles files(file);
  std::error_code unreadable;  // then reading it says why
  if (!std::filesystem::exists(files.program, unreadable)) return {file};
  Source source{files.program, files.inputs};
  const auto metadata = read_safetensors(source.inputs).metadata;
  const auto said = [&](const char* key) {
    const auto at = metadata.find(key);
    return at == metadata.end() ? "" : at->second;
  };
  source.device = said(detail::reproducer_device), source.autocast = said(detail::reproducer_autocast);
  return source;
}

}  // namespace weft::tool
