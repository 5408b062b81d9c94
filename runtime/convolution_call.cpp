#include "weft/runtime/convolution_call.h"

namespace weft {

void add_fields(CallDescriptor& call, const Convolution& c) {
  call.fields.insert({{"groups", c.groups},
                      {"stride", c.stride},
                      {"low", c.low},
                      {"high", c.high},
                      {"dilation", c.dilation},
                      {"x", c.x.dims()},
                      {"w", c.w.dims()},
                      {"y", c.y.dims()}});
}

void read_fields(const CallDescriptor& call, Convolution& c) {
  c.groups = call.count("groups");
  c.stride = call.list("stride"), c.low = call.list("low"), c.high = call.list("high"), c.dilation = call.list("dilation");
  c.x = call.shape("x"), c.w = call.shape("w"), c.y = call.shape("y");
}

}  // namespace weft
