// Tables of numbers, with a line of names and without.

#include "weft/runtime/data/csv.h"
#include "weft/tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string path = weft::test::memory_file(data, size);
  for (const bool header : {true, false}) {
    try {
      const weft::Table table = weft::read_csv(path, {.header = header});
      for (const auto& column : table.values)
        if (static_cast<int64_t>(column.size()) != table.rows()) std::abort();
    } catch (const weft::Error&) {}
  }
  return 0;
}
