#pragma once
// Discrete Fourier transforms along the last axis: torch.fft.fft, ifft, rfft, irfft. There are no complex numbers: what is complex has a
// last axis of 2, the real and the imaginary part, as torch.view_as_real shows it.
//
//   Tensor spectrum = fft::rfft(x);                       // x [..., n], spectrum [..., n / 2 + 1, 2]
//   Tensor power = sum(square(spectrum), -1);
//   Tensor back = fft::irfft(spectrum, {.n = n});         // [..., n]
//
// Each is a product with a constant matrix: about 4 n^2 operations for each row (2 n^2 of real numbers), as fast as matrices are multiplied
// and faster than a transform in steps for short rows. Beyond fft::longest points it is refused, since the matrix would be the larger part
// of the program. For other axes, movedim().
//
// Every function throws weft::Error naming the op, what it requires, the operand's type and the user's line.

#include <optional>
#include <string>

#include "weft/frontend/language/tensor.h"

namespace weft::fft {

inline constexpr int64_t longest = 2048;

struct Options {
  std::optional<int64_t> n =
      {};  // points: x is cut, or filled with zeros, to so many; of irfft, of the result: 2 (extent - 1) unless given
  std::string norm =
      "backward";  // of fft and rfft nothing, of ifft and irfft 1 / n; "forward": the other way; "ortho": 1 / sqrt(n) of both
};

/// y_k = sum of x_j e^(-2 pi i j k / n): x and y [..., n, 2].
Tensor fft(Arg x, Options options = {});
/// y_k = sum of x_j e^(2 pi i j k / n) / n.
Tensor ifft(Arg x, Options options = {});
/// fft of real numbers, x [..., n], without the half that is the conjugate of the other: y [..., n / 2 + 1, 2].
Tensor rfft(Arg x, Options options = {});
/// The real numbers whose rfft is x [..., n / 2 + 1, 2]: y [..., n]. For odd n, say .n. The imaginary parts of the first and, of even n, the
/// last number do not count.
Tensor irfft(Arg x, Options options = {});

}  // namespace weft::fft
