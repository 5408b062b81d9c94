#pragma once
// What new parameters start from: the element type and the random numbers of their initialization.

#include <cstdint>
#include <string>

#include "weft/runtime/array.h"
#include "weft/support/dtype.h"

namespace weft {

/// The floating type of new parameters, of zeros(), ones() and the like, and of a floating literal that meets an
/// integer tensor: f32 unless set (torch.set_default_dtype). Throws weft::Error when `dtype` is not floating.
void set_default_dtype(DType dtype);
DType default_dtype();

/// Restarts weft's random numbers (torch.manual_seed): parameters made from here on are drawn anew, and programs
/// compiled from here on draw their dropout masks from this seed. Without a call the seed is 0.
void manual_seed(uint64_t seed);
uint64_t current_seed();

namespace detail {

/// A stream of random numbers, of which each program draws from one: of a number of streams of one name.
uint64_t stream_of(const std::string& name, uint64_t number);
/// The next one of the name since manual_seed, whatever others there are.
uint64_t next_stream(const std::string& name);

}  // namespace detail

/// Draws the elements from U(low, high) by Philox: tensor number n since manual_seed gets the same numbers every time.
void fill_uniform(Array& array, double low, double high);
/// The same from N(mean, std^2), by Box and Muller as the op random_normal: the same numbers everywhere to a few ulp.
void fill_normal(Array& array, double mean, double std);

}  // namespace weft
