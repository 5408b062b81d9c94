// Tables of numbers and of texts, with a line of names and without, and with values that are missing.

#include "weft/runtime/data/csv.h"
#include "weft/tests/fuzz/memory_file.h"

namespace {

void read(const std::string& path, const weft::CsvOptions& options) {
  try {
    const weft::Table table = weft::read_csv(path, options);
    for (const auto& column : table.values)
      if (static_cast<int64_t>(column.size()) != table.rows()) std::abort();
    for (const auto& [name, texts] : table.categories)
      for (const double code : table.column(name))
        if (code != -1 && !(code >= 0 && code < static_cast<double>(texts.size()))) std::abort();
  } catch (const weft::Error&) {}
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using weft::Missing;
  const std::string path = weft::test::memory_file(data, size);
  for (const bool header : {true, false}) read(path, {.header = header});
  for (const Missing& missing : {Missing::number(-1), Missing::mean(), Missing::drop_row()})
    read(path, {.header = false, .categorical = {{"0"}}, .missing = missing});
  return 0;
}
