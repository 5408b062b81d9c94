#pragma once
// Elements in the device's memory, as NVIDIA's libraries read and write them.

#include <cstdint>
#include <vector>

#include "weft/tests/fake_cuda/device.h"

namespace weft::test::fake_cuda {

enum class Element { f32, f64, bf16 };

size_t bytes_of(Element element);
/// To the nearest, ties to even; nan stays nan.
double rounded(Element element, double value);
/// As matrix units take an f32: 10 bits of mantissa, ties away from zero.
double rounded_to_tf32(double value);

/// `count` elements from an address on. Throws ptx::Problem where they do not lie in one allocation, and where one has not been written.
std::vector<double> read_elements(Device& device, uint64_t address, Element element, uint64_t count);
/// Rounds them.
void write_elements(Device& device, uint64_t address, Element element, const std::vector<double>& values);
/// Bytes that no one may count on: of memory that a library uses for itself.
void spoil(Device& device, uint64_t address, uint64_t bytes);

}  // namespace weft::test::fake_cuda
