#pragma once
// Handwritten-looking digits that need no download: what to train on when no data set is at hand.

#include <cstdint>

#include "weft/runtime/data/dataset.h"

namespace weft {

/// `count` images of the digits 0 .. 9, drawn as strokes in several styles of each digit under random
/// rotation, shear, scale, translation, wobble, pen width and noise. Inputs are u8 [count, 1, 28, 28] (0 is
/// background, divisor 255), targets i64 [count], drawn uniformly.
///
/// Image i is a function of (seed, i) alone, in integer arithmetic, so it is the same on every machine and a
/// longer set starts with the shorter ones. The set is about as hard as MNIST, but not for linear means:
/// nearest centroid stays below 80 %, a small multilayer perceptron gets well above 90 %. Throws weft::Error
/// when count < 0.
Dataset generate_digits(int64_t count, uint64_t seed);

/// The same digits in the middle of 32 x 32 pixels, each in a colour of its own on a background of its own: inputs u8
/// [count, 3, 32, 32].
Dataset generate_colour_digits(int64_t count, uint64_t seed);

}  // namespace weft
