#include "weft/tests/text/corpus.h"

#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/tests/passes/programs.h"
#include "weft/tests/passes/rewrite.h"

namespace weft::test {

std::vector<NamedText> recorded_programs() {
  std::vector<NamedText> all;
  for (const testing::NamedProgram& program : testing::programs())
    all.push_back({program.name, ir::print(testing::module_from(program.with("f32")))});
  for (const char* seed : {"line", "classifier", "image", "rows", "norm", "types"})
    all.push_back({seed, ir::print(ir::parse_file(std::string(WEFT_SOURCE_DIR "/tests/fuzz/corpus/text/") + seed + ".weft"))});
  return all;
}

}  // namespace weft::test
