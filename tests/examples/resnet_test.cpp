// 11_resnet_cifar end to end: it learns with every schedule, in f32 and bf16, and shows what it takes pictures for.

#include <filesystem>

#include "weft/runtime/safetensors.h"
#include "weft/tests/catch.h"
#include "weft/tests/examples/lessons.h"
#include "weft/tests/process.h"

using namespace weft;

namespace {

double accuracy_of(const std::string& options) {
  INFO(options);
  return test::accuracy_in(test::run_command(WEFT_EXAMPLES_DIR "/11_resnet_cifar --log none " + options));
}

}  // namespace

TEST_CASE("11_resnet_cifar learns the drawn digits") {
  const std::string small = "--width 8 --epochs 3 --overfit 3000 ";
  CHECK(accuracy_of(small) > 70);
  CHECK(accuracy_of(small + "--schedule onecycle --autocast bf16") > 60);
}

TEST_CASE("11_resnet_cifar has ResNet-18's blocks, and draws pictures of its training") {
  const test::TempDir dir;
  test::write_pictures(dir);
  accuracy_of("--data " + dir.path() + " --width 4 --blocks 2 --max-steps 2 --plots " + (dir / "plots") + " --save " + (dir / "net"));
  const auto tensors = read_safetensors(dir / "net").tensors;
  CHECK(tensors.at("0.weight").shape() == Shape{4, 3, 3, 3});
  CHECK(tensors.at("10.conv2.weight").shape() == Shape{32, 32, 3, 3});  // the last of eight blocks
  CHECK(tensors.at("5.shortcut.0.weight").shape() == Shape{8, 4, 1, 1});
  CHECK_FALSE(tensors.contains("6.shortcut.0.weight"));
  CHECK(tensors.at("13.weight").shape() == Shape{10, 32});
  for (const std::string name : {"loss.svg", "accuracy.svg", "images.png", "gradients.svg"}) {
    INFO(name);  // or scripts for them, without gnuplot
    CHECK((std::filesystem::exists(dir / "plots/" + name) || std::filesystem::exists(dir / "plots/" + name + ".gp")));
  }
}
