#include "weft/runtime/convolution_call.h"

#include "weft/support/error.h"

namespace weft {

void add_fields(CallDescriptor& call, const Convolution& c) {
  call.fields.insert({{"groups", c.groups},
                      {"stride", c.stride},
                      {"low", c.low},
                      {"high", c.high},
                      {"dilation", c.dilation},
                      {"x", c.x.dims()},
                      {"w", c.w.dims()},
                      {"y", c.y.dims()},
                      {"x_layout", c.layouts.x.text()},
                      {"w_layout", c.layouts.w.text()},
                      {"y_layout", c.layouts.y.text()}});
}

void read_fields(const CallDescriptor& call, Convolution& c) {
  c.groups = call.count("groups");
  c.stride = call.list("stride"), c.low = call.list("low"), c.high = call.list("high"), c.dilation = call.list("dilation");
  c.x = call.shape("x"), c.w = call.shape("w"), c.y = call.shape("y");
}

void read_layouts(const CallDescriptor& call, Convolution& c) {
  const auto layout = [&](std::string_view name, const Shape& shape) {
    const Layout parsed = Layout::parse(call.text(name), shape.rank());
    if (!parsed.fits(shape)) throw Error(ErrorKind::file, "the layout '{}' of {} does not fit", parsed.text(), to_string(shape));
    return parsed;
  };
  c.layouts = {layout("x_layout", c.x), layout("w_layout", c.w), layout("y_layout", c.y)};
}

}  // namespace weft
