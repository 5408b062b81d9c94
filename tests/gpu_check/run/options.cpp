#include "weft/tests/gpu_check/run/options.h"

#include <algorithm>
#include <array>

#include "weft/support/error.h"
#include "weft/support/number_text.h"

namespace weft::gpu_check {
namespace {

constexpr const char* usage = "usage: weft_gpu_check check|bench|serve|list FOLDER [--only TEXT] [--seconds N] [--out FOLDER] [--device N]";

double number(const std::string& word, const std::string& text) {
  const std::optional<double> value = number_in<double>(text);
  if (!value || !(*value >= 0)) throw Error("{} must be a number that is not negative, not '{}'", word, text);
  return *value;
}

}  // namespace

Options options_of(int count, char** arguments) {
  constexpr std::array modes{"check", "bench", "serve", "list"};
  if (count < 3 || std::find(modes.begin(), modes.end(), std::string(arguments[1])) == modes.end()) throw Error("{}", usage);
  Options options{arguments[1], arguments[2]};
  for (int i = 3; i < count; i += 2) {
    const std::string word = arguments[i];
    if (i + 1 >= count) throw Error("{} needs a value\n{}", word, usage);
    const std::string value = arguments[i + 1];
    if (word == "--only") options.only = value;
    else if (word == "--out") options.out = value;
    else if (word == "--seconds") options.seconds = number(word, value);
    else if (word == "--device") options.device = static_cast<int>(number(word, value));
    else throw Error("unknown option {}\n{}", word, usage);
  }
  return options;
}

}  // namespace weft::gpu_check
