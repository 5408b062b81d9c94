// 07_saved_step end to end: what it trains in C, from a file, is what the lessons in C++ train.

#include <sstream>

#include "weft/runtime/safetensors.h"
#include "weft/tests/catch.h"
#include "weft/tests/examples/lessons.h"

using namespace weft;

namespace {

/// A lesson's graph compiled by the tool and trained in C from weights that the lesson has trained for an epoch, beside the lesson
/// itself. `net` is whose graph it is, of several; numbers are those that the checkpoint replaces.
void check_lesson(const std::string& lesson, const std::string& options, const std::string& numbers, const std::string& net = "") {
  const test::TempDir dir;
  const std::string digits = test::write_digits(dir, 40),
                    common =
                        WEFT_EXAMPLES_DIR "/" + lesson + " --log none --batch 8 --threads 2 --no-shuffle " + options + " --data " + digits;
  // Five steps make an epoch, so that batches begin anew where the example in C begins.
  test::Ran ran = test::run_command(common + " --epochs 1 --dump-ir " + dir / "ir" + " --save " + dir / "start.safetensors");
  INFO(ran.out << ran.err);
  REQUIRE(ran.code == 0);
  const std::string graph = "/train_8/00-recorded.weft", weights = net.empty() ? "" : "/" + net + ".safetensors";
  const auto quoted = [&](const std::string& path) { return "'" + dir / path + "' "; };
  ran = test::run_command(WEFT_TOOL " compile " + quoted("ir/" + net + graph) + " -o " + dir / "step.weftprog" + numbers);
  INFO(ran.out << ran.err);
  REQUIRE(ran.code == 0);
  ran = test::run_command("WEFT_THREADS=2 " WEFT_EXAMPLES_DIR "/07_saved_step " + dir / "step.weftprog" + " " +
                          quoted("start.safetensors" + weights) + digits + "/train-images-idx3-ubyte " + digits +
                          "/train-labels-idx1-ubyte 10 " + dir / "c.safetensors");
  INFO(ran.out << ran.err);
  REQUIRE(ran.code == 0);
  CHECK_THAT(ran.out, contains_text("step 15, loss "));
  ran = test::run_command(common + " --epochs 3 --resume " + dir / "start.safetensors" + " --save " + dir / "cpp.safetensors");
  INFO(ran.out << ran.err);
  REQUIRE(ran.code == 0);
  const SafeTensors c = read_safetensors(dir / "c.safetensors"), cpp = read_safetensors(dir / ("cpp.safetensors" + weights));
  REQUIRE(c.tensors.size() == cpp.tensors.size());
  for (const auto& [name, array] : cpp.tensors) {
    INFO(name);
    const Array& other = c.tensors.at(name);
    CHECK(std::equal(array.data(), array.data() + array.bytes(), other.data(), other.data() + other.bytes()));
  }
}

}  // namespace

TEST_CASE("07_saved_step trains lesson 2 in C as it is trained in C++, to the bit") {
  check_lesson("02_fashion_mnist", "", " --set sgd.lr=1");
}

TEST_CASE("07_saved_step trains lesson 3 in C, with Adam, batch norm and dropout, as it is trained in C++, to the bit") {
  const std::string adam = " --set adam.lr=1 --set adam.beta1=0 --set adam.beta2=0 --set adam.eps=1";
  check_lesson("03_mnist_bn_dropout", "--optimizer adam", adam, "batch norm");
  check_lesson("03_mnist_bn_dropout", "--optimizer adam", adam + " --set layers.2.p=0.3 --set layers.5.p=0.3", "dropout");
}

TEST_CASE("07_saved_step says what is wrong with its files") {
  const test::TempDir dir;
  const std::string program = WEFT_EXAMPLES_DIR "/07_saved_step ";
  CHECK_THAT(test::run_command(program).err, contains_text("usage: "));
  const test::Ran ran = test::run_command(program + dir / "none" + " a b c");
  CHECK(ran.code == 1);
  CHECK_THAT(ran.err, contains_text("error: cannot read '" + dir / "none" + "': there is no such file"));
}
