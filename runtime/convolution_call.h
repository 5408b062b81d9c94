#pragma once
// Calls that convolve: what the descriptors of all backends say of the convolution.

#include "weft/runtime/call_descriptor.h"
#include "weft/support/convolution.h"

namespace weft {

/// Its geometry, its three shapes and how they lie; not the algorithm, which is a backend's.
void add_fields(CallDescriptor& call, const Convolution& convolution);
/// What add_fields() writes but the layouts. Throws weft::Error where a field is missing; what the fields say together may still make no
/// sense (is_consistent).
void read_fields(const CallDescriptor& call, Convolution& convolution);
/// Throws weft::Error for layouts that the shapes cannot have.
void read_layouts(const CallDescriptor& call, Convolution& convolution);

}  // namespace weft
