// 03_mnist_bn_dropout end to end: three nets on the same batches, and two of them on the same weights.

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
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

auto weights(const std::string& directory, const std::string& net) { return read_safetensors(directory + "/" + net + ".safetensors").tensors; }

std::vector<float> numbers(const Array& array) {
  const auto all = array.values<float>();
  return {all.begin(), all.end()};
}

}  // namespace

TEST_CASE("03_mnist_bn_dropout: batch normalization is ahead, dropout behind on so small a net") {
  const test::TempDir dir;
  const test::Ran ran = test::run_command(program + "--epochs 2 --log classic --metrics " + dir / "m.jsonl" + " --plots " + dir / "plots" + " --save " + dir / "weights");
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
  for (const std::string name : {"train_loss", "test_loss", "train_accuracy", "test_accuracy"})  // or scripts for them
    CHECK((std::filesystem::exists(dir / "plots/" + name + ".svg") || std::filesystem::exists(dir / "plots/" + name + ".svg.gp")));
  CHECK(weights(dir / "weights", "plain").at("layers.0.weight").shape() == Shape{32, 784});
  CHECK(weights(dir / "weights", "batch norm").contains("layers.1.running_mean"));
}

TEST_CASE("03_mnist_bn_dropout trains shared weights by two optimizers, at any depth") {
  const test::TempDir dir;
  const test::Ran ran = test::run_command(program + "--epochs 2 --log none --shared-weights --depth 3 --metrics " + dir / "m.jsonl" + " --save " + dir / "weights");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const auto last = last_epochs(dir / "m.jsonl");
  CHECK(last.at("batch norm")["test_accuracy"].get<double>() > 0.9);
  CHECK(last.at("batch norm")["test_accuracy"].get<double>() > last.at("dropout")["test_accuracy"].get<double>());
  // The output layer comes after three times three others, or twice.
  const auto plain = weights(dir / "weights", "plain"), normalized = weights(dir / "weights", "batch norm"), dropped = weights(dir / "weights", "dropout");
  CHECK(numbers(normalized.at("layers.9.weight")) == numbers(dropped.at("layers.9.weight")));
  CHECK(numbers(normalized.at("layers.9.weight")) != numbers(plain.at("layers.6.weight")));
}

TEST_CASE("03_mnist_bn_dropout says what it cannot do") {
  const auto says = [](const std::string& arguments, const std::string& words) {
    const test::Ran ran = test::run_command(program + arguments);
    CHECK(ran.code == 1);
    CHECK(ran.err == "error: " + words + "\n");
  };
  says("--overfit 20", "20 images leave no batch of 32");
  says("--depth 0", "--depth must be a positive integer, not 0");
}
