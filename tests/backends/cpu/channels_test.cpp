// With how many channels convolutions run: what the rule promises, whatever the library on this machine has.

#include "weft/backends/cpu/channels.h"

#include "weft/backends/cpu/exec/isa.h"
#include "weft/tests/backends/cpu/run.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

cpu::ConvolutionSpec spec_of(int64_t inputs, int64_t outputs, int64_t kernel, int64_t groups = 1) {
  cpu::ConvolutionSpec s;
  s.groups = groups;
  s.stride = s.dilation = {1, 1};
  s.low = s.high = {kernel / 2, kernel / 2};
  s.x = {8, inputs, 16, 16}, s.w = {outputs, inputs / groups, kernel, kernel}, s.y = {8, outputs, 16, 16};
  return s;
}

}  // namespace

TEST_CASE("channels: those that are asked for fill vectors, and are at least as many", "[cpu]") {
  const int64_t least = cpu::library_isa() == "avx512" ? 16 : 8, most = 16;  // lanes
  for (int64_t inputs : {1, 3, 6, 8, 16, 20, 60})
    for (int64_t outputs : {1, 5, 12, 16, 40})
      for (int64_t kernel : {3, 5})
        for (auto wanted : {cpu::ConvolutionSpec::Wanted::y, cpu::ConvolutionSpec::Wanted::x, cpu::ConvolutionSpec::Wanted::w})
          for (bool strict : {false, true}) {
            INFO(inputs << " to " << outputs << ", kernel " << kernel << ", wanted " << static_cast<int>(wanted));
            cpu::ConvolutionSpec s = spec_of(inputs, outputs, kernel);
            s.wanted = wanted;
            const auto channels = cpu::better_channels(s, strict);
            if (!channels) continue;
            CHECK((channels->x == inputs || (channels->x % least == 0 && channels->x > inputs && channels->x < inputs + most)));
            CHECK((channels->y == outputs || (channels->y % least == 0 && channels->y > outputs && channels->y < outputs + most)));
            CHECK((channels->x != inputs || channels->y != outputs));
            CHECK_FALSE(cpu::better_channels(spec_of(channels->x, channels->y, kernel), strict));  // the library runs these
          }
}

TEST_CASE("channels: groups, products and other types stay as they are", "[cpu]") {
  CHECK_FALSE(cpu::better_channels(spec_of(20, 20, 1), false));
  CHECK_FALSE(cpu::better_channels(spec_of(20, 20, 3, 2), false));
  CHECK_FALSE(cpu::better_channels(spec_of(48, 48, 3), false));
  cpu::ConvolutionSpec low = spec_of(20, 20, 3);
  low.dtype = bf16;
  CHECK_FALSE(cpu::better_channels(low, false));
}

TEST_CASE("channels: a net whose channels fill no vector trains as the reference's does", "[cpu]") {
  // Two convolutions with a nonlinearity that is not 0 at 0 between them, and all gradients.
  const std::string text = R"(weft 1
module
train {loss = "loss", inputs = ["w1", "w2"], optimizer = "sgd"}
func @net {
  input %x: f32[2,6,9,8]
  input %w1: f32[20,6,3,3] parameter
  input %w2: f32[9,20,5,5] parameter
  %0 = convolution(%x, %w1) {low = [1,1], high = [1,1]} : f32[2,20,9,8]
  %1 = exp(%0) : f32[2,20,9,8]
  %2 = convolution(%1, %w2) {stride = [2,1], low = [2,2], high = [2,2]} : f32[2,9,5,8]
  %3 = tanh(%2) : f32[2,9,5,8]
  %4 = sum(%3) {axes = [0,1,2,3]} : f32[]
  output loss = %4
}
)";
  const auto inputs = test::sample_inputs(text);
  const auto got = test::run_cpu(text, inputs), want = test::run_reference(text, inputs);
  REQUIRE(got.values.size() == want.values.size());
  for (size_t i = 0; i < got.values.size(); ++i) {
    double most = 0, error = 0;
    for (int64_t e = 0; e < got.values[i].shape().numel(); ++e) {
      most = std::max(most, std::abs(want.values[i].at(e)));
      error = std::max(error, std::abs(got.values[i].at(e) - want.values[i].at(e)));
    }
    INFO(got.names[i] << ": " << error << " of " << most);
    CHECK(error <= 1e-5 * most);
  }
}
