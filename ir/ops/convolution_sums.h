#pragma once
// The convolution ops as products and sums over unfolded operands (im2col): what they mean, and what runs where no library does.

#include <vector>

#include "weft/ir/builder.h"

namespace weft::ir {

/// Of an op convolution, convolution_data, convolution_weight.
std::vector<Value> convolution_sums(Builder& b, const Op& op);
std::vector<Value> convolution_data_sums(Builder& b, const Op& op);
std::vector<Value> convolution_weight_sums(Builder& b, const Op& op);

}  // namespace weft::ir
