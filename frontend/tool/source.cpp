#include "weft/frontend/tool/source.h"

#include <CLI/CLI.hpp>
#include <filesystem>

#include "weft/frontend/program/reproducer.h"
#include "weft/runtime/safetensors.h"

namespace weft::tool {

void add_feed_options(CLI::App& c, FeedOptions& o) {
  c.add_option("--input", o.inputs, "The elements of an input; once for each input")->allow_extra_args(false)->type_name("NAME=FILE.npy");
  c.add_option("--weights", o.weights,
               "Parameters and states by their names: a checkpoint, with its optimizer's state, numbers\n"
               "and counts, or PyTorch's safetensors file")
      ->type_name("FILE.safetensors");
  c.add_option("--set", o.settings,
               "The value of a hyper-parameter, e.g. sgd.lr=0.01, or '*.p=0.1'; else the checkpoint's, or\n"
               "the optimizer's default, where it has one")
      ->allow_extra_args(false)
      ->type_name("NAME=NUMBER");
  c.add_flag("--zeros", o.zeros, "Parameters and states that are not given start as zeros");
  c.add_option("--seed", o.seed, "What random numbers follow from, with the number of the step; default 0")->type_name("N");
}

Given given_by(const FeedOptions& o) {
  return {.files = assignments("--input", o.inputs),
          .weights = o.weights,
          .inputs = {},
          .settings = settings_in(o.settings),
          .seed = o.seed,
          .zeros = o.zeros};
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
