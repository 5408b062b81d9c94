// A step with autocast that was saved computes what the compiled one does, to the bit.

#include "weft/backends/saved/load_step.h"
#include "weft/tests/catch.h"
#include "weft/tests/runtime/temp_files.h"
#include "weft/weft.h"

using namespace weft;

namespace {

struct Net : nn::Module {
  nn::Conv2d conv = add("conv", nn::Conv2d(1, 8, 3, {.padding = 1}));
  nn::Linear fc = add("fc", nn::Linear(8 * 16, 3));
  Tensor forward(Tensor x) override { return fc(flatten(relu(conv(x)))); }
};

}  // namespace

TEST_CASE("saved: a step with autocast is what was compiled") {
  manual_seed(3);
  Net net;
  optim::Adam adam({.lr = 1e-2});
  Graph g("train");
  const Tensor x = g.input("x", f32, {4, 1, 4, 4}), y = g.input("y", i64, {4});
  const Tensor loss = g.output("loss", cross_entropy(net(x), y));
  Step step = compile(training_step(g, loss, net.parameters(), adam), Target::cpu({.autocast = bf16}));
  const test::TempDir dir;
  step.save(dir / "step.weftprog");
  Checkpoint(net).add(adam).save(dir / "start.safetensors");
  SavedStep saved = load_step(dir / "step.weftprog");
  saved.load(dir / "start.safetensors");
  const std::vector<int64_t> labels{0, 1, 2, 1};
  for (int n = 0; n < 8; ++n) {
    std::vector<float> pictures;
    for (int i = 0; i < 64; ++i) pictures.push_back(static_cast<float>((i * 7 + n * 5) % 11) / 8 - 0.5f);
    const double want = step({{"x", pictures}, {"y", labels}})["loss"].item();
    saved({{"x", pictures}, {"y", labels}});
    INFO("step " << n);
    CHECK(saved.item("loss") == want);
  }
}
