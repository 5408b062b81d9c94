#include "text.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <span>
#include <sstream>

using namespace weft;

namespace {

/// Who does what to whom, and when.
std::string made_up(int64_t sentences) {
  const std::vector<std::string> who{"the old fox", "a small bird", "the miller", "my sister", "the queen", "a tired horse"},
      does{"sees", "follows", "calls", "remembers", "paints", "never meets"}, when{"at dawn", "in winter", "by the river", "every day", ""};
  std::mt19937_64 random(1);
  const auto one_of = [&](const std::vector<std::string>& all) { return all[random() % all.size()]; };
  std::string text;
  for (int64_t i = 0; i < sentences; ++i) {
    std::string sentence = one_of(who) + " " + one_of(does) + " " + one_of(who);
    if (const std::string at = one_of(when); !at.empty()) sentence += " " + at;
    sentence[0] = static_cast<char>(sentence[0] - 'a' + 'A');
    text += sentence + (i % 4 == 3 ? ".\n" : ". ");
  }
  return text;
}

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorKind::file, "'{}' cannot be opened", path).hint("--data takes a directory with a file input.txt");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Dataset windows(std::span<const int64_t> part, int64_t window, const std::string& name) {
  const int64_t count = (std::ssize(part) - 1) / window;
  if (count < 1)
    throw Error(ErrorKind::file, "the text is too short: {} characters are no window of {} and the one behind it", part.size(), window);
  Array inputs(i64, {count, window}), targets(i64, {count, window});
  std::copy_n(part.begin(), count * window, inputs.values<int64_t>().begin());
  std::copy_n(part.begin() + 1, count * window, targets.values<int64_t>().begin());
  Dataset set = Dataset::from(std::move(inputs), std::move(targets));
  set.name = name;
  return set;
}

}  // namespace

Text load_text(const Options& o, int64_t window) {
  const std::string text = o.data.empty() ? made_up(4000) : read((std::filesystem::path(o.data) / "input.txt").string());
  Text all{CharTokenizer(text), {}, {}};
  const std::vector<int64_t> numbers = all.characters.encode(text);
  const std::span<const int64_t> whole(numbers);
  const size_t split = whole.size() / 10 * 9;
  all.train = windows(whole.first(split), window, "training");
  all.test = windows(whole.subspan(split), window, "test");
  fmt::print("{}: {} characters, {} different ones\n", o.data.empty() ? "Sentences that the program made up" : "Text of " + o.data,
             whole.size(), all.characters.size());
  return all;
}

int64_t draw(const std::vector<float>& probabilities, std::mt19937_64& random) {
  double left = static_cast<double>(random() >> 11) * 0x1p-53;
  size_t i = 0;
  while (i + 1 < probabilities.size() && (left -= probabilities[i]) >= 0) ++i;
  return static_cast<int64_t>(i);
}
