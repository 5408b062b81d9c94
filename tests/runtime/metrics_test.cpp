#include "weft/runtime/metrics.h"

#include <cmath>
#include <limits>

#include "weft/support/error.h"
#include "weft/tests/catch.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
using weft::test::read_file;
using weft::test::TempDir;

TEST_CASE("metrics: one line of JSON for each write, in the given order") {
  const TempDir dir;
  MetricsFile file(dir / "m.jsonl");
  file.write({{"step", 3}, {"loss", 0.1}, {"note", "a \"b\"\n"}, {"accuracy", 1.0}});
  // Each line is there at once.
  CHECK(read_file(dir / "m.jsonl") == "{\"step\":3,\"loss\":0.1,\"note\":\"a \\\"b\\\"\\n\",\"accuracy\":1.0}\n");
  file.write({});
  CHECK_THAT(read_file(dir / "m.jsonl"), contains_text("\n{}\n"));
}

TEST_CASE("metrics: numbers that JSON does not have") {
  const TempDir dir;
  MetricsFile file(dir / "m.jsonl");
  const double inf = std::numeric_limits<double>::infinity();
  file.write({{"a", inf}, {"b", -inf}, {"c", NAN}, {"d", -0.0}, {"e", 1e-300}, {"f", INT64_MIN}});
  CHECK(read_file(dir / "m.jsonl") == "{\"a\":\"inf\",\"b\":\"-inf\",\"c\":\"nan\",\"d\":-0.0,\"e\":1e-300,\"f\":-9223372036854775808}\n");
}

TEST_CASE("metrics: a file is continued, also after a crash within a line") {
  const TempDir dir;
  MetricsFile(dir / "m.jsonl").write({{"a", 1}});
  MetricsFile(dir / "m.jsonl").write({{"a", 2}});
  CHECK(read_file(dir / "m.jsonl") == "{\"a\":1}\n{\"a\":2}\n");
  dir.write("cut.jsonl", "{\"a\":1}\n{\"a\":");
  MetricsFile(dir / "cut.jsonl").write({{"a", 3}});
  CHECK(read_file(dir / "cut.jsonl") == "{\"a\":1}\n{\"a\":\n{\"a\":3}\n");
}

TEST_CASE("metrics: text that is not UTF-8 is replaced, not refused") {
  const TempDir dir;
  MetricsFile file(dir / "m.jsonl");
  file.write({{"path", "a\xff"}});
  CHECK(read_file(dir / "m.jsonl") == "{\"path\":\"a\xEF\xBF\xBD\"}\n");
}

TEST_CASE("metrics: failures name the file") {
  const TempDir dir;
  const std::string nowhere = dir / "none/m.jsonl";
  CHECK_THROWS_WITH(MetricsFile(nowhere), "cannot write metrics to '" + nowhere + "': No such file or directory");
  MetricsFile file(dir / "m.jsonl");
  CHECK_THROWS_WITH(file.write({{"a", 1}, {"a", 2}}), "cannot write metrics to '" + (dir / "m.jsonl") + "': 'a' is given twice");
  if (std::filesystem::exists("/dev/full")) {
    MetricsFile full("/dev/full");
    CHECK_THROWS_WITH(full.write({{"a", 1}}), "cannot write metrics to '/dev/full': No space left on device");
  }
}

TEST_CASE("median") {
  const double inf = std::numeric_limits<double>::infinity();
  CHECK(median({3}) == 3);
  CHECK(median({5, 1, 3}) == 3);
  CHECK(median({4, 1, 3, 2}) == 2.5);
  CHECK(median({1e308, 1.5e308}) == 1.25e308);
  CHECK(median({1, inf, 2}) == 2);
  CHECK(std::isnan(median({1, NAN, 2})));
  CHECK_THROWS_WITH(median({}), "the median of no values");
}
