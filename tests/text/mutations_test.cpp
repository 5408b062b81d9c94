// Programs at every stage, edited blindly: each is refused by a weft::Error or it runs, and then as it says.

#include "weft/backends/cpu/cpu.h"
#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/passes/pass.h"
#include "weft/support/error.h"
#include "weft/tests/catch.h"
#include "weft/tests/fuzz/text_check.h"
#include "weft/tests/fuzz/text_edits.h"
#include "weft/tests/text/corpus.h"

using namespace weft;

namespace {

#ifdef WEFT_SANITIZED
constexpr int edits = 2;
#else
constexpr int edits = 8;
#endif

/// The program as text at some stages for the cpu.
std::vector<std::string> stages_of(const std::string& text) {
  std::vector<std::string> all{text};
  ir::Module module = ir::parse(text);
  passes::run(module, passes::remaining_passes(module), cpu::target(), {.after = [&](const ir::Module& m, const passes::PassRun& run) {
                for (const char* kept : {"training_step", "layout", "fuse", "launch", "plan"})
                  if (run.name == kept) all.push_back(ir::print(m));
              }});
  return all;
}

}  // namespace

TEST_CASE("a mutated text is refused, or runs as it says") {
  uint64_t seed = 0;
  int refused = 0, ran = 0;
  for (const test::NamedText& program : test::recorded_programs())
    for (const std::string& text : stages_of(program.text))
      for (int i = 0; i < edits; ++i) {
        const std::string other = test::edited(text, ++seed);
        INFO(program.name << ", seed " << seed << "\n" << other);
        std::string why;
        try {
          const test::Fate fate = test::try_text(other, &why);
          refused += fate == test::Fate::refused, ran += fate == test::Fate::ran;
        } catch (const std::exception& e) {
          FAIL_CHECK(e.what());
        }
      }
  // Both happen often, or the edits are no test.
  CHECK(refused > 40 * edits);
  CHECK(ran > 5 * edits);
}
