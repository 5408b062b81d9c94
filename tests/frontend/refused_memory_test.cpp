// Memory that is not to be had: how much, for what, which line.

#include "weft/support/memory.h"
#include "weft/tests/frontend/support.h"

using namespace weft;
using weft::testing::line;

namespace {

/// As many rows of `bytes` bytes as this process cannot have.
int64_t too_many(int64_t bytes) { return static_cast<int64_t>(memory_limit() / static_cast<uint64_t>(bytes)) + 1; }

/// All of these in the message.
template <class Function>
void require_refusal(Function function, const std::vector<std::string>& parts) {
  try {
    function();
  } catch (const OutOfMemory& e) {
    for (const std::string& part : parts) CHECK_THAT(std::string(e.what()), contains_text(part));
    return;
  }
  FAIL("nothing was refused");
}

}  // namespace

TEST_CASE("memory: an arena is refused before anything is compiled, with its largest values and their lines") {
  const int64_t rows = too_many(4 * 1000);
  Graph g("big");
  Tensor a = g.input("a", f32, {rows, 1}), b = g.input("b", f32, {1, 1000});
  g.output("y", matmul(a, b));
  const std::string where = line(-1);
  require_refusal([&] { compile(g, Target::cpu()); },
                  {"the arena of 'big' needs ", "GiB", "this process can have",
                   fmt::format("Largest: f32[{},1000] of matmul at {}", rows, where), "A smaller batch needs less"});
  require_refusal([&] { compile(g, Target::reference()); }, {"the output 'y', at " + where, fmt::format("f32[{},1000]", rows), "GiB"});
}

TEST_CASE("memory: what the reference holds between is refused with the op and its line") {
  const int64_t rows = too_many(8 * 1000);
  Graph g("big");
  Tensor a = g.input("a", f32, {2}), b = g.input("b", f32, {1000});
  const Tensor wide = full({rows, 1000}, 0.5) * b * sum(a);
  const std::string where = line(-1);
  g.output("y", sum(wide));
  Step step = compile(g, Target::reference());
  require_refusal([&] { step({{"a", std::vector<float>(2)}, {"b", std::vector<float>(1000)}}); },
                  {"the reference interpreter, for ", fmt::format("f32[{},1000]", rows), "at " + where, "bytes"});
}

TEST_CASE("memory: a layer's weights are refused with the line that makes it") {
  const int64_t rows = too_many(4 * 1000);
  require_refusal([&] { nn::Linear(1000, rows); }, {fmt::format("f32[{},1000]", rows), "at " + line()});
  require_refusal([&] { nn::Embedding(rows, 1000); }, {fmt::format("f32[{},1000]", rows), "at " + line()});
}

TEST_CASE("memory: batches are refused with the data set's name") {
  Dataset data = testing::points(4);
  data.transforms = {{.name = "blow up",
                      .shape = [](const Shape&) { return Shape{too_many(16)}; },
                      .apply = [](std::span<const float>, const Shape&, std::span<float>, Draw&) {}}};
  require_refusal([&] { Batcher(data, {.batch = 4}); }, {"batches of 4 examples of data set 'points'", "GiB"});
}
