// Lesson 8's net, which reads PyTorch's weights and is trained as PyTorch trains it (tests/expected/gpt.py), and writes with a cache of keys
// and values what it writes without.

#include <fmt/format.h>

#include <set>
#include <sstream>

#include "gpt.h"

#include "weft/runtime/safetensors.h"
#include "weft/support/number_text.h"
#include "weft/tests/catch.h"
#include "weft/tests/close.h"
#include "weft/tests/frontend/draws.h"
#include "weft/tests/frontend/stored_optimizer.h"
#include "weft/tests/process.h"

using namespace weft;
using testing::draw;
using testing::json;

namespace {

const std::string program = WEFT_EXAMPLES_DIR "/08_char_gpt --log none ";
const std::string stored = WEFT_SOURCE_DIR "/tests/expected/gpt";

/// The options of the net that is stored, and its text.
std::string small(const json& file) {
  std::string options = "--data " + stored;
  for (const char* name : {"layers", "width", "heads", "window"}) options += fmt::format(" --{} {}", name, file[name].get<int64_t>());
  return options;
}

std::string output_of(const std::string& options) {
  const test::Ran ran = test::run_command(program + options);
  INFO(options << "\n" << ran.out << ran.err);
  REQUIRE(ran.code == 0);
  return ran.out;
}

/// The losses in a file that --curve wrote.
std::vector<double> curve_in(const std::string& path) {
  std::vector<double> losses;
  std::istringstream lines(test::read_file(path));
  std::string line;
  for (std::getline(lines, line); std::getline(lines, line);) {
    const size_t from = line.find(',') + 1;
    losses.push_back(number_in<double>(std::string_view(line).substr(from, line.find(',', from) - from)).value());
  }
  return losses;
}

/// The lesson's sizes, and weights that see far more of a text than those that training begins with.
gpt::Net lively_net() {
  manual_seed(7);
  gpt::Net net({.characters = 40});
  for (auto& [name, p] : net.named_parameters())
    if (p.shape().rank() == 2) init::normal(p, 0, 0.1);
  return net;
}

using Rows = std::vector<std::vector<double>>;  // of scores, one for each character of a text

Rows rows_of(const std::vector<float>& scores, int64_t width) {
  Rows rows;
  for (auto at = scores.begin(); at != scores.end(); at += width) rows.emplace_back(at, at + width);
  return rows;
}

/// Without a cache.
Rows whole(gpt::Net& net, const std::vector<int64_t>& text) {
  Graph g("whole");
  g.output("scores", net(g.input("x", i64, {1, std::ssize(text)})));
  return rows_of(compile(g, Target::cpu())({{"x", text}})["scores"].values<float>(), net.sizes.characters);
}

/// With a cache: so many characters at once, then one by one. Two programs for many texts.
class Cached {
 public:
  Cached(gpt::Net& net, int64_t prompt) : net_(net), caches_(net.caches()), prompt_(prompt), first_(program(prompt)), one_(program(1)) {}
  Rows operator()(const std::vector<int64_t>& text) {
    Rows rows;
    for (int64_t known = 0, length = prompt_; known < std::ssize(text); known += length, length = 1) {
      const std::vector<int64_t> part(text.begin() + known, text.begin() + known + length);
      const Results r = (known == 0 ? first_ : one_)({{"x", part}, {"position", {&known, 1}}});
      for (std::vector<double>& row : rows_of(r["scores"].values<float>(), net_.sizes.characters)) rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  Step program(int64_t length) {
    Graph g("cached");
    const Tensor x = g.input("x", i64, {1, length}), position = g.input("position", i64, {});
    g.output("scores", net_.scores(x, gpt::Writing{position, caches_}));
    return compile(g, Target::cpu());
  }

  gpt::Net& net_;
  std::vector<nn::KeyValueCache> caches_;
  int64_t prompt_;
  Step first_, one_;
};

std::vector<int64_t> some_text(int64_t number, int64_t length, int64_t characters) {
  std::vector<int64_t> text;
  for (int64_t i = 0; i < length; ++i) text.push_back(static_cast<int64_t>(static_cast<double>(characters) * draw(number, i)));
  return text;
}

}  // namespace

TEST_CASE("08_char_gpt from PyTorch's weights follows its losses for 100 steps") {
  const json file = testing::read_expected("gpt/losses");
  const test::TempDir dir;
  output_of(small(file) + " --weights " + stored + "/weights.safetensors --no-shuffle --write 0 --epochs 100 --curve " + (dir / "c.csv") +
            fmt::format(" --batch {} --lr {} --max-steps {}", file["batch"].get<int64_t>(), file["lr"].get<double>(),
                        file["steps"].get<int64_t>()));
  // PyTorch's own losses in f32 are within 2e-7 of those in f64, and so are these. GELU by tanh would be 9e-7 away.
  testing::check_losses(curve_in(dir / "c.csv"), file["losses_f64"], 100, 5e-7, 5e-7);
}

TEST_CASE("lesson 8's net gives PyTorch's file back, tensor for tensor") {
  const SafeTensors file = read_safetensors(stored + "/weights.safetensors");
  const json sizes = testing::read_expected("gpt/losses");
  gpt::Net net({.characters = file.tensors.at("token.weight").shape()[0],
                .window = sizes["window"],
                .layers = sizes["layers"],
                .width = sizes["width"],
                .heads = sizes["heads"]});
  Checkpoint(net).load(stored + "/weights.safetensors");
  const test::TempDir dir;
  Checkpoint(net).save(dir / "back.safetensors");
  const SafeTensors back = read_safetensors(dir / "back.safetensors");
  CHECK(back.tensors.size() == file.tensors.size());
  for (const auto& [name, array] : file.tensors) {
    INFO(name);
    REQUIRE(back.tensors.contains(name));
    REQUIRE(back.tensors.at(name).shape() == array.shape());
    int64_t same = 0;
    for (int64_t i = 0; i < array.shape().numel(); ++i) same += back.tensors.at(name).at(i) == array.at(i);
    CHECK(same == array.shape().numel());
  }
}

TEST_CASE("lesson 8's net gives each character the same scores with its caches as without, however long the prompt") {
  gpt::Net net = lively_net();
  net.eval();
  const int64_t window = net.sizes.window;
  for (const int64_t prompt : {int64_t{1}, window / 2, window}) {
    Cached cached(net, prompt);
    // The second text comes upon what the first one left in the caches.
    for (const int64_t number : {1, 2}) {
      const std::vector<int64_t> text = some_text(number, window, net.sizes.characters);
      const Rows want = whole(net, text), got = cached(text);
      REQUIRE(got.size() == want.size());
      for (size_t i = 0; i < want.size(); ++i) {
        INFO("prompt " << prompt << ", text " << number << ", character " << i);
        CHECK(test::relative_difference(got[i], want[i]) < 1e-4);
      }
    }
  }
}

TEST_CASE("08_char_gpt writes the same with a cache and without, greedily and drawn, past the window's end") {
  const json file = testing::read_expected("gpt/losses");
  const test::TempDir dir;
  const std::string text = test::read_file(stored + "/input.txt");
  output_of("--data " + stored + " --window 64 --batch 8 --epochs 16 --seed 2 --write 0 --save " + (dir / "net.safetensors"));
  std::set<std::string> written;
  for (const size_t length : {1, 64, 100})  // one character, the window, more than it
    for (const char* temperature : {"0", "0.8"}) {
      const std::string options = "--data " + stored + " --window 64 --weights " + (dir / "net.safetensors") +
                                  " --epochs 0 --write 150 --seed 5 --temperature " + temperature + " --prompt '" +
                                  text.substr(text.find("We are"), length) + "' ";
      const std::string with = output_of(options), without = output_of(options + "--no-cache");
      CHECK(with == without);
      written.insert(with.substr(with.size() - 150));
    }
  CHECK(written.size() == 6);
}

TEST_CASE("08_char_gpt without training refuses what a training alone heeds, and weights of another net") {
  const json file = testing::read_expected("gpt/losses");
  const auto refused = [](const std::string& options, const std::string& what) {
    const test::Ran ran = test::run_command(program + options);
    INFO(ran.err);
    CHECK(ran.code == 1);
    CHECK(ran.err.find(what) != std::string::npos);
  };
  const test::TempDir dir;
  refused("--epochs 0 --save " + dir / "net.safetensors", "--save has no effect with --epochs 0");
  refused("--epochs 0 --lr 1", "--lr has no effect with --epochs 0");
  refused("--width 30", "the width, 30, must be a multiple of the heads, 4");
  const std::string weights = " --weights " + stored + "/weights.safetensors";
  refused(small(file) + weights + " --resume x", "excludes");
  json narrow = file;
  narrow["window"] = 16;
  refused(small(narrow) + weights, "'position.weight' is f16[32,32] in the file, but f32[16,32] here");
  const test::Ran other = test::run_command(WEFT_EXAMPLES_DIR "/02_fashion_mnist --epochs 0");
  CHECK(other.err.find("--epochs must be a positive integer, not 0") != std::string::npos);
}
