// Lessons from files: what 07_saved_step trains in C, and SavedStep in C++, is what the lessons train.

#include "weft/backends/saved/load_step.h"
#include "weft/runtime/data/batcher.h"
#include "weft/runtime/data/digits.h"
#include "weft/runtime/data/transform.h"
#include "weft/runtime/safetensors.h"
#include "weft/tests/catch.h"
#include "weft/tests/examples/lessons.h"

using namespace weft;

namespace {

void run(const std::string& command) {
  const test::Ran ran = test::run_command(command);
  INFO(command << "\n" << ran.out << ran.err);
  REQUIRE(ran.code == 0);
}

void check_equal(const std::string& a, const std::string& b) {
  const SafeTensors one = read_safetensors(a), other = read_safetensors(b);
  REQUIRE(one.tensors.size() == other.tensors.size());
  for (const auto& [name, array] : one.tensors) {
    INFO(name);
    const Array& twin = other.tensors.at(name);
    CHECK(std::equal(array.data(), array.data() + array.bytes(), twin.data(), twin.data() + twin.bytes()));
  }
}

/// A lesson's graph compiled by the tool and trained in C from weights that the lesson has trained for an epoch, beside the lesson
/// itself. `net` is whose graph it is, of several; numbers are those that the checkpoint replaces.
void check_lesson(const std::string& lesson, const std::string& options, const std::string& numbers, const std::string& net = "") {
  const test::TempDir dir;
  const std::string digits = test::write_digits(dir, 40),
                    common =
                        WEFT_EXAMPLES_DIR "/" + lesson + " --log none --batch 8 --threads 2 --no-shuffle " + options + " --data " + digits;
  // Five steps make an epoch, so that batches begin anew where the example in C begins.
  run(common + " --epochs 1 --dump-ir " + dir / "ir" + " --save " + dir / "start.safetensors");
  const std::string graph = "/train_8/00-recorded.weft", weights = net.empty() ? "" : "/" + net + ".safetensors";
  const auto quoted = [&](const std::string& path) { return "'" + dir / path + "' "; };
  run(WEFT_TOOL " compile " + quoted("ir/" + net + graph) + " -o " + dir / "step.weftprog" + numbers);
  run("WEFT_THREADS=2 " WEFT_EXAMPLES_DIR "/07_saved_step " + dir / "step.weftprog" + " " + quoted("start.safetensors" + weights) + digits +
      "/train-images-idx3-ubyte " + digits + "/train-labels-idx1-ubyte 10 " + dir / "c.safetensors");
  run(common + " --epochs 3 --resume " + dir / "start.safetensors" + " --save " + dir / "cpp.safetensors");
  check_equal(dir / ("cpp.safetensors" + weights), dir / "c.safetensors");
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

TEST_CASE("lesson 4's convolutions are trained from a file as the lesson trains them, to the bit") {
  const test::TempDir dir;
  const std::string lesson =
      WEFT_EXAMPLES_DIR "/04_cifar10 --net challenge --overfit 16 --batch 4 --no-shuffle --threads 2 --eval-every 0 --log none --save ";
  run(lesson + dir / "start.safetensors" + " --epochs 1 --dump-ir " + dir / "ir");
  run(WEFT_TOOL " compile " + dir / "ir/train_4/00-recorded.weft" + " -o " + dir / "step.weftprog" +
      " --set 6.p=0.2 --set 10.p=0.5 --set sgd.lr=1 --set sgd.momentum=0 --set sgd.dampening=0");
  run(lesson + dir / "cpp.safetensors" + " --epochs 3 --resume " + dir / "start.safetensors");

  SavedStep step = load_step(dir / "step.weftprog", {.threads = 2});
  step.load(dir / "start.safetensors");
  CHECK(step.steps() == 4);
  Dataset pictures = generate_colour_digits(16, 1);  // the lesson's
  pictures.transforms = {transforms::normalize({0.4914f, 0.4822f, 0.4465f}, {0.2023f, 0.1994f, 0.2010f})};
  Batcher batches(pictures, {.batch = 4});
  for (int64_t epoch = 1; epoch < 3; ++epoch) {
    batches.start_epoch(epoch);
    while (const Batch* batch = batches.next()) step({{"x", batch->inputs}, {"y", batch->targets}});
  }
  step.save(dir / "saved.safetensors");
  check_equal(dir / "cpp.safetensors", dir / "saved.safetensors");
}

TEST_CASE("07_saved_step says what is wrong with its files") {
  const test::TempDir dir;
  const std::string program = WEFT_EXAMPLES_DIR "/07_saved_step ";
  CHECK_THAT(test::run_command(program).err, contains_text("usage: "));
  const test::Ran ran = test::run_command(program + dir / "none" + " a b c");
  CHECK(ran.code == 1);
  CHECK_THAT(ran.err, contains_text("error: cannot read '" + dir / "none" + "': there is no such file"));
  for (const std::string steps : {"abc", "-5", "5x", "99999999999999999999"})
    CHECK_THAT(test::run_command(program + "a b c d " + steps).err, contains_text("error: " + steps + ": STEPS must be how many"));

  const std::string start = dir / "start.safetensors", saved = dir / "step.weftprog", empty = dir.write("empty", "");
  run(WEFT_EXAMPLES_DIR "/02_fashion_mnist --log none --overfit 8 --batch 8 --max-steps 1 --lr 0.5 --dump-ir " + dir / "ir" + " --save " +
      start);
  run(WEFT_TOOL " compile " + dir / "ir/train_8/00-recorded.weft" + " -o " + saved);
  const test::Ran images = test::run_command(program + saved + " " + start + " " + empty + " " + empty);
  CHECK(images.code == 1);
  CHECK_THAT(images.out, contains_text("sgd.lr = 0.5"));  // the checkpoint's
  CHECK_THAT(images.err, contains_text("error: " + empty + ": an IDX file that ends early"));
}
