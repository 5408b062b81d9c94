#include "weft/runtime/data/cifar.h"

#include "weft/tests/catch.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
using weft::test::TempDir;

namespace {

/// A record whose pixel bytes count on from `first`.
std::string record(int label, int first) {
  std::string bytes(1, static_cast<char>(label));
  for (int i = 0; i < 3072; ++i) bytes += static_cast<char>(first + i);
  return bytes;
}

}  // namespace

TEST_CASE("cifar: records of several files, one after the other") {
  const TempDir dir;
  const Dataset data = read_cifar10({dir.write("a", record(9, 0) + record(0, 5)), dir.write("b", record(3, 200))});
  CHECK(data.inputs.shape() == Shape{3, 3, 32, 32});
  CHECK(data.inputs.dtype() == u8);
  CHECK(data.divisor == 255);
  CHECK(data.targets.values<int64_t>()[0] == 9);
  CHECK(data.targets.values<int64_t>()[1] == 0);
  CHECK(data.targets.values<int64_t>()[2] == 3);
  CHECK(data.inputs.at(0) == 0);
  CHECK(data.inputs.at(1024 + 7) == 7);  // green, as 1024 is a multiple of 256
  CHECK(data.inputs.at(3072) == 5);
  CHECK(data.inputs.at(2 * 3072 + 60) == 4);
  CHECK(data.class_names.size() == 10);
  CHECK(data.class_names[3] == "cat");
}

TEST_CASE("cifar: a directory's training files in their order, and its test file") {
  const TempDir dir;
  for (int i = 1; i <= 5; ++i) dir.write("data_batch_" + std::to_string(i) + ".bin", record(i, 0));
  dir.write("test_batch.bin", record(7, 0) + record(8, 0));
  const Dataset train = load_cifar10_directory(dir.path(), true), test = load_cifar10_directory(dir.path(), false);
  REQUIRE(train.size() == 5);
  for (int64_t i = 0; i < 5; ++i) CHECK(train.targets.at(i) == static_cast<double>(i + 1));
  CHECK(test.size() == 2);
  std::filesystem::remove(dir / "data_batch_2.bin");
  std::filesystem::remove(dir / "data_batch_5.bin");
  CHECK_THROWS_WITH(load_cifar10_directory(dir.path(), true),
                    "no CIFAR-10 (binary version) in '" + dir.path() + "': there is no data_batch_2.bin, data_batch_5.bin");
}

TEST_CASE("cifar: bad files are refused with what is wrong where") {
  const TempDir dir;
  const std::string odd = dir.write("odd", record(1, 0) + record(2, 0).substr(0, 3000));
  CHECK_THROWS_WITH(read_cifar10({odd}), "'" + odd +
                                             "', byte 6073: the file ends within record 1: it has 6073 bytes, but CIFAR-10 records "
                                             "take 3073 bytes each");
  const std::string label = dir.write("label", record(1, 0) + record(10, 0));
  CHECK_THROWS_WITH(read_cifar10({label}), "'" + label + "', record 1 (byte 3073): the label is 10, but there are 10 classes");
  const std::string empty = dir.write("empty", "");
  CHECK_THROWS_WITH(read_cifar10({empty}), "'" + empty + "' is empty");
  CHECK_THROWS_WITH(read_cifar10({dir.path()}), "cannot read '" + dir.path() + "': it is a folder, not a file");
  CHECK_THROWS_WITH(read_cifar10({dir / "none"}), "cannot read '" + (dir / "none") + "': there is no such file");
}
