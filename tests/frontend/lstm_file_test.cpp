// Weights of an LSTM in PyTorch's own file, in both directions: tests/expected/lstm_file.py.

#include "weft/runtime/safetensors.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;

TEST_CASE("LSTM: weights come from PyTorch's file, and go back into one of the same tensors") {
  const std::string stored = WEFT_SOURCE_DIR "/tests/expected/lstm.safetensors";
  const SafeTensors file = read_safetensors(stored);
  nn::LSTM lstm(3, 4, {.num_layers = 2, .bidirectional = true});
  const Loaded loaded = Checkpoint(lstm).load(stored, {.strict = false});
  CHECK(loaded.missing_keys.empty());
  CHECK(loaded.unexpected_keys == std::vector<std::string>{"x", "y"});

  Graph g("lstm");
  g.output("y", lstm(g.input("x", f32, {5, 2, 3})).output);
  const std::vector<float> got = compile(g, Target::cpu())({{"x", file.tensors.at("x")}})["y"].values<float>();
  const auto expected = file.tensors.at("y").values<float>();
  REQUIRE(got.size() == expected.size());
  for (size_t i = 0; i < got.size(); ++i) CHECK(got[i] == Approx(expected[i]).margin(1e-6));

  const test::TempDir dir;
  Checkpoint(lstm).save(dir / "back.safetensors");
  const SafeTensors back = read_safetensors(dir / "back.safetensors");
  CHECK(back.tensors.size() == file.tensors.size() - 2);
  for (const auto& [name, array] : back.tensors) {
    INFO(name);
    const auto ours = array.values<float>(), theirs = file.tensors.at(name).values<float>();
    CHECK(std::equal(ours.begin(), ours.end(), theirs.begin(), theirs.end()));
  }
}
