// The lessons on a fake device (tests/device/fake_device.h) beside the lessons on the host: what they print, the weights that they
// save and what they go on from are the same, bit for bit.

#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>

#include "weft/runtime/safetensors.h"
#include "weft/tests/catch.h"
#include "weft/tests/process.h"

using namespace weft;
using Json = nlohmann::json;

namespace {

const std::string here = WEFT_EXAMPLES_DIR "/", there = WEFT_ON_DEVICE_DIR "/";

/// What it prints. On the device, bytes must have gone there.
std::string output_of(const std::string& where, const std::string& lesson) {
  const test::Ran ran = test::run_command(where + lesson);
  INFO(where << lesson << "\n" << ran.err);
  REQUIRE(ran.code == 0);
  if (where == there) {
    const size_t at = ran.err.find("fake device: ");
    REQUIRE(at != std::string::npos);
    CHECK(std::stoull(ran.err.substr(at + 13)) > 0);
  }
  return ran.out;
}

/// Lines of JSON without what is measured.
std::vector<Json> results_of(const std::string& where, const std::string& lesson) {
  std::vector<Json> lines;
  std::istringstream text(output_of(where, lesson));
  for (std::string line; std::getline(text, line);) {
    Json j = Json::parse(line);
    for (const char* measured : {"step_us", "compile_ms", "seconds"}) j.erase(measured);
    lines.push_back(std::move(j));
  }
  return lines;
}

void check_equal_weights(const std::string& one, const std::string& other) {
  const SafeTensors a = read_safetensors(one), b = read_safetensors(other);
  REQUIRE(a.tensors.size() == b.tensors.size());
  CHECK(a.tensors.size() > 2);
  for (const auto& [name, array] : a.tensors) {
    INFO(name);
    const Array& twin = b.tensors.at(name);
    REQUIRE(twin.bytes() == array.bytes());
    CHECK(std::memcmp(twin.data(), array.data(), array.bytes()) == 0);
  }
}

/// Trains on both sides, and on the device once more in two parts, the second of which goes on from the first one's checkpoint.
/// `files`: what is behind the path that it saves to.
void check_training(const std::string& lesson, const std::string& how, const std::vector<std::string>& files = {""}) {
  const test::TempDir dir;
  const auto train = [&](const std::string& where, const std::string& name, int steps, const std::string& more = "") {
    return output_of(
        where, lesson + " --log none --threads 1 " + how + " --max-steps " + std::to_string(steps) + " --save " + (dir / name) + more);
  };
  train(here, "here", 8);
  train(there, "there", 8);
  train(there, "parts", 4);
  train(there, "parts", 8, " --resume " + dir / "parts");
  // A checkpoint is a file like any other: one side goes on with the other's.
  train(here, "mixed", 4);
  train(there, "mixed", 8, " --resume " + dir / "mixed");
  for (const char* run : {"there", "parts", "mixed"})
    for (const std::string& file : files) {
      INFO(run << file);
      check_equal_weights(dir / "here" + file, dir / run + file);
    }
}

}  // namespace

TEST_CASE("lessons on a device: 01 and 05 print what they print on the host") {
  for (const std::string lesson : {"01_temperature --json", "05_temperature_validation --json"})
    CHECK(results_of(there, lesson) == results_of(here, lesson));
}

TEST_CASE("lessons on a device: 02 trains, saves and goes on") {
  check_training("02_fashion_mnist", "--optimizer adam --shuffle --accumulate 2 --clip-norm 0.5");
}
TEST_CASE("lessons on a device: 03 trains, saves and goes on, batch norm and dropout included") {
  check_training("03_mnist_bn_dropout", "--overfit 96 --epochs 9",
                 {"/plain.safetensors", "/batch norm.safetensors", "/dropout.safetensors"});
}

TEST_CASE("lessons on a device: 04 trains, saves and goes on") {
  check_training("04_cifar10", "--net conv --style module --shuffle --eval-every 0");
  check_training("04_cifar10", "--net challenge --eval-every 0 --momentum 0.9");
}

TEST_CASE("lessons on a device: 06, every optimizer does what it does on the host") {
  const std::string lesson = "06_optimizers --json --max-steps 3";
  CHECK(results_of(there, lesson) == results_of(here, lesson));
}

TEST_CASE("lessons on a device: rates are searched, training stops early, and weights go back to the best") {
  const std::string how =
      "02_fashion_mnist --log none --optimizer adam --find-lr --overfit 128 --epochs 12 --patience 2 --threads 1 --save ";
  const test::TempDir dir;
  output_of(here, how + (dir / "here"));
  output_of(there, how + (dir / "there"));
  check_equal_weights(dir / "here", dir / "there");
}
