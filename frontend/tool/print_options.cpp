#include "weft/frontend/tool/print_options.h"

#include <CLI/CLI.hpp>
#include <map>

namespace weft::tool {
namespace {

/// An option that is one of some words.
template <class T>
void add_choice(CLI::App& command, const char* option, T& value, std::map<std::string, T> words, const char* help) {
  std::vector<std::string> known;
  for (const auto& [word, meaning] : words) known.push_back(word);
  command.add_option_function<std::string>(
             option, [&value, words](const std::string& word) { value = words.at(word); }, help)
      ->check(CLI::IsMember(known))
      ->type_name("WORD");
}

}  // namespace

void add_print_options(CLI::App& command, ir::PrintOptions& options) {
  add_choice<ir::Names>(command, "--names", options.names, {{"derived", ir::Names::derived}, {"numbers", ir::Names::numbers}},
                        "What results are called: derived (default; from layers, ops, outputs), or numbers");
  add_choice<ir::ShownLines>(command, "--locations", options.lines,
                             {{"inline", ir::ShownLines::inline_}, {"end", ir::ShownLines::end}, {"none", ir::ShownLines::none}},
                             "Where source lines stand: inline (default), end (behind the program), or none");
}

}  // namespace weft::tool
