// 11_resnet_cifar end to end: it learns with every schedule, in f32 and bf16, and shows what it takes pictures for.

#include <filesystem>
#include <regex>

#include "weft/tests/catch.h"
#include "weft/tests/examples/lessons.h"
#include "weft/tests/process.h"

using namespace weft;

namespace {

/// The test accuracy that it reports, in percent.
double accuracy_of(const std::string& options) {
  const test::Ran ran = test::run_command(WEFT_EXAMPLES_DIR "/11_resnet_cifar --log none " + options);
  INFO(options << "\n" << ran.out << ran.err);
  REQUIRE(ran.code == 0);
  std::smatch found;
  REQUIRE(std::regex_search(ran.out, found, std::regex("accuracy ([0-9.]+) %")));
  return std::stod(found[1]);
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
  const double accuracy = accuracy_of("--data " + dir.path() + " --width 4 --blocks 2 --epochs 2 --overfit 320 --plots " + (dir / "plots"));
  CHECK(accuracy > 40);  // each class has a colour of its own
  for (const std::string name : {"loss.svg", "accuracy.svg", "images.png", "gradients.svg"}) {
    INFO(name);  // or scripts for them, without gnuplot
    CHECK((std::filesystem::exists(dir / "plots/" + name) || std::filesystem::exists(dir / "plots/" + name + ".gp")));
  }
}
