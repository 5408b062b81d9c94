// 03_mnist_bn_dropout end to end: three nets on the same batches, and two of them on the same weights.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "weft/runtime/safetensors.h"
#include "weft/tests/catch.h"
#include "weft/tests/process.h"

using namespace weft;
using Json = nlohmann::json;

namespace {

const std::string program = WEFT_EXAMPLES_DIR "/03_mnist_bn_dropout ";

/// The last epoch's line of each net.
std::map<std::string, Json> last_epochs(const std::string& metrics) {
  std::istringstream text(test::read_file(metrics));
  std::map<std::string, Json> last;
  for (std::string line; std::getline(text, line);) {
    const Json j = Json::parse(line);
    last[j["net"]] = j;
  }
  return last;
}

auto weights(const std::string& directory, const std::string& net) {
  return read_safetensors(directory + "/" + net + ".safetensors").tensors;
}

std::vector<float> numbers(const Array& array) {
  const auto all = array.values<float>();
  return {all.begin(), all.end()};
}

}  // namespace

TEST_CASE("03_mnist_bn_dropout: batch normalization is ahead, dropout behind on so small a net") {
  const test::TempDir dir;
  const test::Ran ran = test::run_command(program + "--epochs 2 --log classic --metrics " + dir / "m.jsonl" + " --plots " + dir / "plots" +
                                          " --save " + dir / "weights");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  CHECK_THAT(ran.out, contains_text("Epoch: 02 | batch norm | Train Loss: 0."));
  const auto last = last_epochs(dir / "m.jsonl");
  REQUIRE(last.size() == 3);
  for (const auto& [net, line] : last) CHECK(line["epoch"] == 2);
  const auto accuracy = [&](const char* net) { return last.at(net)["test_accuracy"].get<double>(); };
  CHECK(accuracy("batch norm") > 0.95);  // 0.968 with the default seed
  CHECK(accuracy("batch norm") > accuracy("plain"));
  CHECK(accuracy("plain") > accuracy("dropout"));
  CHECK(accuracy("dropout") > 0.8);
  CHECK(last.at("batch norm")["train_loss"].get<double>() < 0.1);  // in eval mode, after the epoch
  for (const std::string name : {"train_loss", "test_loss", "train_accuracy", "test_accuracy", "dropout_gradients"})  // or scripts for them
    CHECK((std::filesystem::exists(dir / "plots/" + name + ".svg") || std::filesystem::exists(dir / "plots/" + name + ".svg.gp")));
  CHECK(weights(dir / "weights", "plain").at("layers.0.weight").shape() == Shape{32, 784});
  CHECK(weights(dir / "weights", "batch norm").contains("layers.1.running_mean"));
}

TEST_CASE("03_mnist_bn_dropout trains shared weights by two optimizers, at any depth") {
  const test::TempDir dir;
  const test::Ran ran = test::run_command(program + "--epochs 2 --log none --shared-weights --depth 3 --metrics " + dir / "m.jsonl" +
                                          " --save " + dir / "weights");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const auto last = last_epochs(dir / "m.jsonl");
  CHECK(last.at("batch norm")["test_accuracy"].get<double>() > 0.9);
  CHECK(last.at("batch norm")["test_accuracy"].get<double>() > last.at("dropout")["test_accuracy"].get<double>());
  // The output layer comes after three times three others, or twice.
  const auto plain = weights(dir / "weights", "plain"), normalized = weights(dir / "weights", "batch norm"),
             dropped = weights(dir / "weights", "dropout");
  CHECK(numbers(normalized.at("layers.9.weight")) == numbers(dropped.at("layers.9.weight")));
  CHECK(numbers(normalized.at("layers.9.weight")) != numbers(plain.at("layers.6.weight")));
}

TEST_CASE("03_mnist_bn_dropout has every option of 02_fashion_mnist") {
  const std::string help = test::run_command(program + "--help").out,
                    of_02 = test::run_command(WEFT_EXAMPLES_DIR "/02_fashion_mnist --help").out;
  const std::regex option("--[a-z-]+");
  std::set<std::string> names{std::sregex_token_iterator(of_02.begin(), of_02.end(), option), {}};
  CHECK(names.size() > 25);
  for (const std::string& name : names) CHECK_THAT(help, contains_text(name));
}

TEST_CASE("03_mnist_bn_dropout goes on from a directory as if it had not stopped") {
  for (const std::string kind : {"", "--shared-weights "}) {
    const test::TempDir dir;
    const std::string how = kind + "--log none --threads 1 --accumulate 2 --overfit 96 --epochs 9 --max-steps ";  // 3 steps an epoch
    REQUIRE(test::run_command(program + how + "8 --save " + dir / "straight").code == 0);
    REQUIRE(test::run_command(program + how + "4 --save " + dir / "run").code == 0);
    const test::Ran ran = test::run_command(program + how + "8 --save " + dir / "run --resume " + dir / "run");
    INFO(ran.err);
    REQUIRE(ran.code == 0);
    const test::Ran over = test::run_command(
        program + kind + "--log plain --threads 1 --accumulate 2 --overfit 96 --epochs 9 --max-steps 8 --resume " + dir / "run");
    CHECK(over.code == 0);
    CHECK_THAT(over.err, contains_text("dropout: nothing is left to train: '") && contains_text("' has made 2 epochs and 8 steps"));
    for (const char* net : {"plain", "batch norm", "dropout"}) {
      CHECK_THAT(ran.out, contains_text(std::string(net) + ": 8 steps, "));
      const auto straight = weights(dir / "straight", net), run = weights(dir / "run", net);
      REQUIRE(straight.contains("weft.optimizer0/layers.0.weight/exp_avg"));
      REQUIRE(straight.size() == run.size());
      for (const auto& [name, array] : straight) {
        INFO(net << ", " << name);
        CHECK(std::equal(array.data(), array.data() + array.bytes(), run.at(name).data()));
      }
    }
  }
}

TEST_CASE("03_mnist_bn_dropout looks for learning rates, stops net by net, and writes what each did") {
  const test::TempDir dir;
  const test::Ran ran =
      test::run_command(program + "--log plain --find-lr --overfit 64 --epochs 60 --patience 2 --eval-every 3 --profile --metrics " +
                        dir / "m.jsonl" + " --curve " + dir / "curves" + " --tensorboard " + dir / "tb" + " --save " + dir / "weights");
  INFO(ran.err << ran.out);
  REQUIRE(ran.code == 0);
  const auto last = last_epochs(dir / "m.jsonl");
  std::set<int64_t> ends;
  for (const std::string net : {"plain", "batch norm", "dropout"}) {
    const auto epochs = last.at(net)["epoch"].get<int64_t>();
    ends.insert(epochs);
    CHECK(epochs < 60);
    CHECK_THAT(ran.out,
               contains_text(net + ": Of ") && contains_text(fmt::format("{}: The weights are those of epoch {}.", net, epochs - 2)));
    CHECK_THAT(ran.err, contains_text(fmt::format("step 3  {:10}  test loss ", net)) &&
                            contains_text(fmt::format("epoch  1/60  {:10}  loss ", net)));
    const std::string curve = test::read_file(dir / "curves/" + net + ".csv");
    CHECK(std::count(curve.begin(), curve.end(), '\n') == 1 + 2 * epochs);
    CHECK(std::distance(std::filesystem::directory_iterator(dir / "tb/" + net), {}) == 1);
    // What is kept as the best is what the net went back to.
    const auto best = read_safetensors(dir / "weights/" + net + ".best.safetensors").tensors;
    CHECK(numbers(best.at("layers.0.weight")) == numbers(best.at("weft.best/layers.0.weight")));
    CHECK(numbers(best.at("layers.0.weight")) != numbers(weights(dir / "weights", net).at("layers.0.weight")));
  }
  CHECK(ends.size() > 1);
  size_t profiles = 0;
  for (size_t at = ran.out.find("the whole step"); at != std::string::npos; at = ran.out.find("the whole step", at + 1)) ++profiles;
  CHECK(profiles == 3);
}

TEST_CASE("03_mnist_bn_dropout says what it cannot do") {
  const auto says = [](const std::string& arguments, const std::string& words) {
    const test::Ran ran = test::run_command(program + arguments);
    CHECK(ran.code == 1);
    CHECK(ran.err == "error: " + words + "\n");
  };
  says("--overfit 20",
       "Trainer: data set 'digits' has 20 examples, fewer than a batch of 32, and a smaller batch is left out (.data.drop_last): make the "
       "batch "
       "smaller");
  says("--plots /dev/null/plots", "cannot make the folder '/dev/null/plots': Not a directory");
  says("--depth 0", "--depth must be a positive integer, not 0");
  const auto apart = [](const std::string& one, const std::string& other, const std::string& value) {
    const test::Ran ran = test::run_command(program + one + " " + other + value);
    CHECK(ran.code == 1);
    CHECK(ran.out.empty());
    CHECK_THAT(ran.err, contains_text(one + " excludes " + other) || contains_text(other + " excludes " + one));
  };
  apart("--find-lr", "--shared-weights", "");
  apart("--shared-weights", "--patience", " 2");
  apart("--find-lr", "--resume", " run");
}
