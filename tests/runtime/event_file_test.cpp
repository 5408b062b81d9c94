#include "weft/runtime/event_file.h"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "weft/support/error.h"
#include "weft/tests/catch.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;

namespace {

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

}  // namespace

TEST_CASE("event file: checksums are those of RFC 3720") {
  CHECK(detail::crc32c("") == 0);
  CHECK(detail::crc32c("123456789") == 0xE3069283u);
  CHECK(detail::crc32c(std::string(32, '\0')) == 0x8A9136AAu);
  CHECK(detail::crc32c(std::string(32, '\xFF')) == 0x62A8AB43u);
}

TEST_CASE("event file: the bytes are those that TensorBoard's writer writes") {
  std::ifstream stored(WEFT_SOURCE_DIR "/tests/expected/events.json");
  const auto cases = nlohmann::json::parse(stored)["cases"];
  REQUIRE(cases.size() == 3);
  const test::TempDir dir;
  EventFile file(dir / "runs/a");
  const std::string version = test::read_file(file.path());  // 12 bytes before the event, 4 after it
  CHECK_THAT(version, contains_text("brain.Event:2"));
  CHECK(version.size() == 12 + (1 + 8) + (2 + 13) + 4);
  std::string want = hex(version);
  for (const auto& c : cases) {
    file.add_scalar(c["tag"].get<std::string>(), std::stod(c["value"].get<std::string>()), c["step"], c["seconds"]);
    want += c["record"].get<std::string>();
  }
  file.flush();
  CHECK(hex(test::read_file(file.path())) == want);
}

TEST_CASE("event file: a tag that is not UTF-8, which TensorBoard could not read, has its bytes escaped") {
  const test::TempDir dir;
  EventFile file(dir / "a");
  file.add_scalar("fc\xff", 0.5, 1, 0.0);
  file.flush();
  CHECK_THAT(test::read_file(file.path()), contains_text("fc\\xff"));
}

TEST_CASE("event file: a new file beside those that are there, of a name that TensorBoard knows") {
  const test::TempDir dir;
  const EventFile a(dir.path()), b(dir.path());
  CHECK(a.path() != b.path());
  CHECK_THAT(a.path(), contains_text("/events.out.tfevents."));
  dir.write("plain", "a file");
  CHECK_THROWS_WITH(EventFile(dir / "plain"), contains_text("cannot"));
  CHECK_THROWS_WITH(EventFile("/proc/none"), contains_text("'/proc/none"));
}
