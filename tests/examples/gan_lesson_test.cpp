// 12_gan end to end: what the generator draws comes near to what it is shown, and neither net wins.

#include <filesystem>
#include <nlohmann/json.hpp>

#include "weft/tests/catch.h"
#include "weft/tests/examples/lessons.h"
#include "weft/tests/process.h"

using namespace weft;
using Json = nlohmann::json;

namespace {

/// The lines of metrics of a training.
std::vector<Json> lines_of(const std::string& options, const test::TempDir& dir) {
  const test::Ran ran = test::run_command(WEFT_EXAMPLES_DIR "/12_gan --log none --width 8 " + options + " --metrics " + (dir / "m.jsonl"));
  INFO(ran.out << ran.err);
  REQUIRE(ran.code == 0);
  return test::metrics_in(dir / "m.jsonl");
}

double number(const Json& line, const char* name) { return line.at(name).get<double>(); }

}  // namespace

TEST_CASE("12_gan learns to draw the drawn digits") {
  const test::TempDir dir;
  const std::vector<Json> lines = lines_of("--epochs 7 --overfit 4000", dir);
  const Json &first = lines.front(), &last = lines.back();
  CHECK(number(first, "test_apart") > 0.2);
  CHECK(number(last, "test_apart") < 0.08);  // 0.044 with the default seed
  // The discriminator tells some images from others, and not all.
  CHECK(number(last, "test_discriminator") > 0.15);
  CHECK(number(last, "test_discriminator") < 1.2);  // 2 ln 2 where it cannot tell
  CHECK(number(last, "test_generator") < 4);
  CHECK(number(last, "test_discriminator") + number(last, "test_generator") == Approx(number(last, "test_loss")));
}

TEST_CASE("12_gan draws images after every epoch") {
  const test::TempDir dir;
  const std::string images = dir / "samples", plots = dir / "plots";
  lines_of("--epochs 2 --overfit 128 --samples " + images + " --plots " + plots, dir);
  for (const std::string& name :
       {images + "/epoch_1.png", images + "/epoch_2.png", plots + "/generator.svg", plots + "/discriminator.svg"}) {
    INFO(name);  // or scripts for them, without gnuplot
    CHECK((std::filesystem::exists(name) || std::filesystem::exists(name + ".gp")));
  }
}
