// 10_autoencoder end to end: codes of images come to be worth what they cost.

#include <nlohmann/json.hpp>

#include "weft/tests/catch.h"
#include "weft/tests/examples/lessons.h"
#include "weft/tests/process.h"

using namespace weft;
using Json = nlohmann::json;

namespace {

/// The lines of metrics of a training.
std::vector<Json> lines_of(const std::string& options) {
  const test::TempDir dir;
  const test::Ran ran = test::run_command(WEFT_EXAMPLES_DIR "/10_autoencoder --log none " + options + " --metrics " + (dir / "m.jsonl"));
  INFO(ran.out << ran.err);
  REQUIRE(ran.code == 0);
  return test::metrics_in(dir / "m.jsonl");
}

double number(const Json& line, const char* name) { return line.at(name).get<double>(); }

}  // namespace

TEST_CASE("10_autoencoder learns the drawn digits") {
  const std::vector<Json> lines = lines_of("--epochs 2");
  REQUIRE(lines.size() == 2);
  const Json& last = lines.back();
  CHECK(number(last, "test_loss") < number(lines.front(), "test_loss"));
  CHECK(number(last, "test_loss") < 215);      // 199 with the default seed; 543 before the first step
  CHECK(number(last, "test_divergence") > 5);  // the codes say something
  CHECK(number(last, "test_reconstruction") + number(last, "test_divergence") == Approx(number(last, "test_loss")));
  CHECK_FALSE(last.contains("test_accuracy"));
}

TEST_CASE("10_autoencoder: beta weighs what codes cost") {
  const Json none = lines_of("--epochs 1 --overfit 2000 --beta 0").back(), much = lines_of("--epochs 1 --overfit 2000 --beta 20").back();
  CHECK(number(none, "test_loss") == Approx(number(none, "test_reconstruction")));
  CHECK(number(none, "test_divergence") > 2 * number(much, "test_divergence"));
}

TEST_CASE("10_autoencoder draws images after every epoch") {
  const test::TempDir dir;
  const test::Ran ran =
      test::run_command(WEFT_EXAMPLES_DIR "/10_autoencoder --log none --epochs 2 --overfit 640 --plots " + (dir / "plots"));
  INFO(ran.out << ran.err);
  REQUIRE(ran.code == 0);
  for (const std::string name : {"epoch_1.png", "epoch_2.png", "loss.svg", "divergence.svg", "reconstruction.svg", "gradients.svg"}) {
    INFO(name);  // or scripts for them, without gnuplot
    CHECK((std::filesystem::exists(dir / "plots/" + name) || std::filesystem::exists(dir / "plots/" + name + ".gp")));
  }
}
