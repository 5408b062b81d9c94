#include "weft/support/error.h"

#include "weft/tests/catch.h"

using namespace weft;

TEST_CASE("errors: a zero byte of somebody's name does not end the text") {
  const std::string name("wei\0ght\0", 8);
  CHECK_THROWS_WITH(throw Error("'{}' is no tensor of model.safetensors", name), "'wei\\0ght\\0' is no tensor of model.safetensors");
  CHECK_THROWS_WITH(throw Error(name), "wei\\0ght\\0");
}
