#include "weft/tests/examples/lessons.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <regex>
#include <sstream>

#include "weft/runtime/data/digits.h"
#include "weft/support/number_text.h"
#include "weft/tests/catch.h"

namespace weft::test {
namespace {

const Options values{{"--data", "DIR"},
                     {"--device", "cpu"},
                     {"--epochs", "2"},
                     {"--batch", "10"},
                     {"--lr", "0.002"},
                     {"--seed", "3"},
                     {"--max-steps", "4"},
                     {"--threads", "1"},
                     {"--max-isa", "sse4"},
                     {"--check-finite", ""},
                     {"--watch", "*"},
                     {"--watched", "DIR/watched.jsonl"},
                     {"--autocast", "bf16"},
                     {"--memory-limit", "1GB"},
                     {"--metrics", "DIR/m.jsonl"},
                     {"--dump-ir", "DIR/ir"},
                     {"--optimizer", "adam"},
                     {"--workers", "2"},
                     {"--eval-every", "2"},
                     {"--overfit", "40"},
                     {"--patience", "1"},
                     {"--log", "plain"},
                     {"--curve", "DIR/curve"},
                     {"--plots", "DIR/plots"},
                     {"--tensorboard", "DIR/events"},
                     {"--trace", "DIR/trace"},
                     {"--report", "DIR/report"},
                     {"--save", "DIR/net.safetensors"},
                     {"--resume", "DIR/net.safetensors"},
                     {"--accumulate", "2"},
                     {"--clip-norm", "0.5"},
                     {"--find-lr", ""},
                     {"--profile", ""},
                     {"--shuffle", ""},
                     {"--no-shuffle", ""},
                     {"--json", ""}};

std::string big_endian(int64_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 255);
  return text;
}

}  // namespace

std::vector<std::string> options_of(const Lesson& lesson) {
  const Ran help = run_command(WEFT_EXAMPLES_DIR "/" + lesson.name + " --help");
  REQUIRE(help.code == 0);
  std::vector<std::string> all;
  std::istringstream lines(help.out);
  const std::regex option("^ +(?:-[a-z],)?(--[a-z-]+)(?:\\{[a-z]+\\})?(?:,(--[a-z-]+))?.*");
  for (std::string line; std::getline(lines, line);) {
    std::smatch found;
    if (!std::regex_match(line, found, option)) continue;
    for (size_t i = 1; i < found.size(); ++i)
      if (found[i].matched && found[i] != "--help") all.push_back(found[i]);
  }
  REQUIRE(all.size() > 10);
  return all;
}

std::string value_of(const Lesson& lesson, const std::string& option) {
  INFO("no value is known for " << option << " of " << lesson.name);
  const auto own = lesson.values.find(option), shared = values.find(option);
  REQUIRE((own != lesson.values.end() || shared != values.end()));
  return own != lesson.values.end() ? own->second : shared->second;
}

Pair pair_of(const std::string& a, const std::string& b) { return {std::min(a, b), std::max(a, b)}; }

std::set<Pair> apart_in_training(const std::set<Pair>& besides) {
  std::set<Pair> all{pair_of("--find-lr", "--lr"), pair_of("--find-lr", "--resume"), pair_of("--shuffle", "--no-shuffle")};
  all.insert(besides.begin(), besides.end());
  return all;
}

std::string command_of(const Lesson& lesson, const Options& options, const TempDir& dir) {
  static const TempDir compiled;  // most runs train what an earlier one did
  Options all = options;
  for (const auto& [option, value] : options)
    if (const auto changes = lesson.instead.find(option); changes != lesson.instead.end())
      all.insert(changes->second.begin(), changes->second.end());
  for (const std::string one : {"--watch", "--watched"})  // neither is heard alone
    if (options.contains(one))
      for (const std::string other : {"--watch", "--watched"}) all.emplace(other, value_of(lesson, other));
  all.insert(lesson.small.begin(), lesson.small.end());
  std::string command = "WEFT_CACHE='" + compiled.path() + "' " WEFT_EXAMPLES_DIR "/" + lesson.name;
  for (const auto& [option, value] : all)
    if (value != left_out)
      command += " " + option + (value.empty() ? "" : " '" + std::regex_replace(value, std::regex("^DIR"), dir.path()) + "'");
  return command;
}

std::vector<nlohmann::json> metrics_in(const std::string& path) {
  std::vector<nlohmann::json> lines;
  std::istringstream text(read_file(path));
  for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

double accuracy_in(const Ran& ran) {
  INFO(ran.out << ran.err);
  REQUIRE(ran.code == 0);
  static const std::regex percent("accuracy ([0-9.]+) %");
  std::string last;
  for (std::sregex_iterator at(ran.out.begin(), ran.out.end(), percent), end; at != end; ++at) last = (*at)[1].str();
  const auto accuracy = number_in<double>(last);
  REQUIRE(accuracy);
  return *accuracy;
}

std::string write_digits(const TempDir& dir, int64_t count) {
  for (const std::string part : {"train", "t10k"}) {
    const Dataset digits = generate_digits(count, part == "train" ? 1 : 2);
    std::string images = big_endian(0x803) + big_endian(count) + big_endian(28) + big_endian(28),
                labels = big_endian(0x801) + big_endian(count);
    for (int64_t i = 0; i < count * 28 * 28; ++i) images += static_cast<char>(std::lround(255 * digits.inputs.at(i)));
    for (int64_t i = 0; i < count; ++i) labels += static_cast<char>(digits.targets.at(i));
    dir.write(part + "-images-idx3-ubyte", images);
    dir.write(part + "-labels-idx1-ubyte", labels);
  }
  return dir.path();
}

void write_pictures(const TempDir& dir, int64_t count) {
  std::string records;
  for (int64_t i = 0; i < count; ++i) records += static_cast<char>(i % 10) + std::string(3072, static_cast<char>(i % 10 * 25));
  dir.write("data_batch_1.bin", records);
  for (int n = 2; n <= 5; ++n) std::filesystem::create_symlink(dir / "data_batch_1.bin", dir / fmt::format("data_batch_{}.bin", n));
  dir.write("test_batch.bin", records.substr(0, 20 * 3073));
}

}  // namespace weft::test
