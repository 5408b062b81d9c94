// Every attribute of every op with values that nobody means: refused by the op, or planned like any other.

#include <limits>
#include <set>

#include "weft/ir/printer.h"
#include "weft/ir/registry.h"
#include "weft/support/error.h"
#include "weft/tests/catch.h"
#include "weft/tests/fuzz/text_check.h"
#include "weft/tests/ops/samples.h"

using namespace weft;
using ir::Attribute;
using testing::Sample;

namespace {

const std::vector<int64_t> integers{-1,
                                    0,
                                    1,
                                    3,
                                    int64_t{1} << 31,
                                    int64_t{1} << 40,
                                    int64_t{1} << 62,
                                    std::numeric_limits<int64_t>::max(),
                                    std::numeric_limits<int64_t>::min()};

/// Values of the same kind that take the attribute's place.
std::vector<Attribute> others(const Attribute& value) {
  std::vector<Attribute> all;
  switch (ir::kind_of(value)) {
    case ir::AttributeKind::boolean: return {!std::get<bool>(value)};
    case ir::AttributeKind::integer:
      for (int64_t x : integers) all.emplace_back(x);
      return all;
    case ir::AttributeKind::real:
      for (double x : {0.0, -1.0, 1e300, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()})
        all.emplace_back(x);
      return all;
    case ir::AttributeKind::text:
      for (const char* x : {"", "a", "acdb", "aBcd2b", "ABcd2b2a", "aBcd4096b4096b", "none"}) all.emplace_back(std::string(x));
      return all;
    case ir::AttributeKind::dims: {
      const Dims& dims = std::get<Dims>(value);
      for (size_t i = 0; i < dims.size(); ++i)
        for (int64_t x : integers) {
          Dims other = dims;
          other[i] = x;
          all.emplace_back(other);
        }
      Dims longer = dims;
      longer.push_back(1);
      all.emplace_back(longer);
      if (!dims.empty()) all.emplace_back(Dims(dims.begin(), dims.end() - 1));
      return all;
    }
    case ir::AttributeKind::dtype:
      for (DType x : all_dtypes) all.emplace_back(x);
      return all;
    case ir::AttributeKind::dense: return {ir::Dense::splat({f32, {0}}, 1), ir::Dense::splat({u8, {int64_t{1} << 40}}, 1)};
  }
  return all;
}

}  // namespace

TEST_CASE("every attribute of every op with other values is refused or planned") {
  int refused = 0, planned = 0;
  for (const Sample& sample : testing::samples(f32)) {
    const ir::OpDef& def = ir::op_def(sample.op);
    const ir::Module module = testing::module_of(sample);
    const ir::Op& op = *module.graph().ops().front();
    for (size_t a = 0; a < op.attributes().size(); ++a)
      for (const Attribute& value : others(op.attributes()[a])) {
        Sample other = sample;
        std::erase_if(other.attributes, [&](const auto& given) { return given.first == def.attributes[a].name; });
        other.attributes.emplace_back(def.attributes[a].name, value);
        INFO(testing::to_string(sample) << " with " << def.attributes[a].name << " number " << a);
        try {
          const std::string text = ir::print(testing::module_of(other));
          INFO(text);
          const test::Fate fate = test::try_text(text, nullptr, test::Until::planned);
          (fate == test::Fate::refused ? refused : planned)++;
        } catch (const Error&) {
          ++refused;  // by the shape rule
        } catch (const std::exception& e) {
          FAIL_CHECK(e.what());
        }
      }
  }
  CHECK(refused > 1000);
  CHECK(planned > 1000);
}
