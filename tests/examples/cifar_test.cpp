// 04_cifar10 end to end: three nets in three ways of writing learn, and bad data is refused.

#include <filesystem>
#include <fstream>

#include "weft/tests/catch.h"
#include "weft/tests/examples/lessons.h"
#include "weft/tests/process.h"

using namespace weft;

namespace {

const std::string program = WEFT_EXAMPLES_DIR "/04_cifar10 --log none ";

double accuracy_of(const std::string& options) {
  INFO(options);
  return test::accuracy_in(test::run_command(program + options));
}

}  // namespace

TEST_CASE("04_cifar10 learns the drawn digits with every net and in every style") {
  const std::string some = "--eval-every 0 --max-steps ";
  CHECK(accuracy_of(some + "60 --net conv --style barebones --optimizer adam --lr 2e-3") > 60);
  CHECK(accuracy_of(some + "60 --net conv --style module --optimizer adam --lr 2e-3") > 60);
  CHECK(accuracy_of(some + "80 --net conv --style sequential") > 80);
  CHECK(accuracy_of(some + "100 --net challenge") > 60);
  CHECK(accuracy_of(some + "300 --net fc --style module --hidden 64 --optimizer adam --lr 1e-3") > 50);
}

TEST_CASE("04_cifar10 validates in the midst of an epoch") {
  const test::Ran ran =
      test::run_command(WEFT_EXAMPLES_DIR "/04_cifar10 --log plain --net fc --style barebones --hidden 16 --max-steps 45 --eval-every 20");
  CHECK_THAT(ran.err, contains_text("step 20  test loss ") && contains_text("step 40  test loss ") && !contains_text("step 60"));
}

TEST_CASE("04_cifar10 trains on CIFAR-10's binary version, and refuses files that are cut short") {
  const test::TempDir dir;
  const auto write = [&](const std::string& name, int64_t records, int64_t more) {
    std::ofstream file(dir / name, std::ios::binary);
    for (int64_t i = 0; i < records; ++i) {
      file.put(static_cast<char>(i % 10));
      for (int64_t p = 0; p < 3072; ++p) file.put(static_cast<char>((p * (i % 10 + 1)) % 251));
    }
    for (int64_t i = 0; i < more; ++i) file.put(0);
  };
  for (int n = 1; n <= 5; ++n) write("data_batch_" + std::to_string(n) + ".bin", 1500, 0);
  write("test_batch.bin", 100, 0);
  CHECK(accuracy_of("--data " + (dir / "") + " --net fc --style module --hidden 16 --max-steps 60 --eval-every 0") > 90);  // ten pictures
  write("data_batch_3.bin", 1499, 5);
  const test::Ran ran = test::run_command(program + "--data " + (dir / ""));
  CHECK(ran.code == 1);
  CHECK_THAT(ran.err, contains_text("data_batch_3.bin"));
}

TEST_CASE("04_cifar10 refuses a net in a style that it is not written in") {
  const test::Ran ran = test::run_command(program + "--net challenge --style module");
  CHECK(ran.code == 1);
  CHECK(ran.err == "error: the net challenge is written as --style sequential only\n");
}

TEST_CASE("04_cifar10 refuses what has no effect on the net or the optimizer") {
  const auto says = [](const std::string& arguments, const std::string& words) {
    const test::Ran ran = test::run_command(program + arguments);
    CHECK(ran.code == 1);
    CHECK(ran.out.empty());
    CHECK(ran.err == "error: " + words + "\n");
  };
  says("--net conv --hidden 8", "--hidden has no effect with --net conv");
  says("--hidden 8", "--hidden has no effect with --net conv");
  says("--optimizer adam --momentum 0.5", "--momentum has no effect with --optimizer adam");
}
