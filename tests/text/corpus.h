#pragma once
// Programs as recorded, in text form: those that go through the pipeline elsewhere, and the seeds of the text's fuzzer.

#include <string>
#include <vector>

namespace weft::test {

struct NamedText {
  std::string name, text;
};

std::vector<NamedText> recorded_programs();

}  // namespace weft::test
