#pragma once
// The weights of Keys, "Cubic convolution interpolation for digital image processing" (1981), with a = -3/4 as PyTorch has it: of numbers
// that are known while a graph is recorded, and of tensors.

namespace weft::detail {

constexpr double keys_a = -0.75;

/// At a distance x of 0 to 1 from the element.
template <class T>
T keys_near(const T& x) {
  return ((keys_a + 2) * x - (keys_a + 3)) * x * x + 1.0;
}

/// At a distance of 1 to 2.
template <class T>
T keys_far(const T& x) {
  return ((keys_a * x - 5 * keys_a) * x + 8 * keys_a) * x - 4 * keys_a;
}

}  // namespace weft::detail
