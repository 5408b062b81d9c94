// 08_char_gpt end to end: it learns, writes what it has learnt, the same for a seed, and says what it cannot do.

#include <filesystem>

#include "weft/support/number_text.h"
#include "weft/tests/catch.h"
#include "weft/tests/process.h"

using namespace weft;

namespace {

const std::string program = WEFT_EXAMPLES_DIR "/08_char_gpt ";

std::string output_of(const std::string& options) {
  const test::Ran ran = test::run_command(program + "--log none " + options);
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  return ran.out;
}

/// The number behind `before`.
double number_behind(const std::string& text, const std::string& before) {
  INFO(text);
  const size_t at = text.find(before);
  REQUIRE(at != std::string::npos);
  const auto number = leading_number<double>(std::string_view(text).substr(at + before.size()));
  REQUIRE(number.length > 0);
  return number.value;
}

}  // namespace

TEST_CASE("08_char_gpt learns to write the sentences that it is shown") {
  const std::string out = output_of("--max-steps 250 --window 64 --write 400 --temperature 0.5 --seed 3");
  INFO(out);
  CHECK(number_behind(out, "test loss ") < 0.9);
  // Its text is longer than a window, and made of words that were there.
  const std::string written = out.substr(out.find("arena"));
  CHECK(written.size() > 400);
  int known = 0;
  for (const char* word :
       {" the ", " fox", " bird", " sister", " queen", " horse", " sees ", " follows ", " calls ", " paints ", " never "})
    known += written.find(word) != std::string::npos;
  CHECK(known >= 6);
}

TEST_CASE("08_char_gpt writes the same for a seed, whatever the threads, and another text for another") {
  const std::string small = "--max-steps 20 --window 16 --batch 8 --layers 2 --write 40 --data ";
  const test::TempDir dir;
  std::string text;
  for (int i = 0; i < 100; ++i) text += i % 3 ? "the sea, the sea. " : "a wave and a wind; ";
  dir.write("input.txt", text);
  const auto written = [&](const std::string& options) {
    const std::string out = output_of(small + dir.path() + " " + options);
    return out.substr(out.find("\n\n"));
  };
  const std::string first = written("--seed 1");
  CHECK(first == written("--seed 1 --threads 1"));
  CHECK(first != written("--seed 2"));
}

TEST_CASE("08_char_gpt says what it cannot do") {
  const test::TempDir dir;
  const auto refused = [](const std::string& options, const std::string& what) {
    const test::Ran ran = test::run_command(program + "--log none " + options);
    INFO(ran.err);
    CHECK(ran.code == 1);
    CHECK(ran.err.find(what) != std::string::npos);
  };
  refused("--data " + dir / "nowhere", "input.txt' cannot be opened");
  CHECK(!std::filesystem::exists(dir / "nowhere"));
  dir.write("input.txt", "too short");
  refused("--data " + dir.path(), "the text is too short");
  std::string text;
  for (int i = 0; i < 100; ++i) text += "abc ";
  dir.write("input.txt", text);
  refused("--data " + dir.path() + " --window 8 --max-steps 1 --prompt x", "the character 'x', at byte 0, is none of the");
}
