#include "weft/runtime/product_call.h"

#include "weft/support/error.h"

namespace weft {

void add_fields(CallDescriptor& call, const ProductCall& p) {
  call.fields.insert({{"batch", p.batch},
                      {"m", p.m},
                      {"n", p.n},
                      {"k", p.k},
                      {"transpose_a", int64_t{p.transpose_a}},
                      {"transpose_b", int64_t{p.transpose_b}},
                      {"dtype", std::string(name_of(p.dtype))},
                      {"bias", int64_t{p.bias}},
                      {"addend", int64_t{p.addend}}});
}

ProductCall product_of(const CallDescriptor& c) {
  ProductCall p;
  p.batch = c.count("batch"), p.m = c.count("m"), p.n = c.count("n"), p.k = c.count("k");
  p.transpose_a = c.flag("transpose_a"), p.transpose_b = c.flag("transpose_b");
  p.dtype = c.dtype("dtype"), p.bias = c.flag("bias"), p.addend = c.flag("addend");
  if (p.bias && p.addend) throw Error(ErrorKind::file, "a product with both bias and addend: no call of weft is so");
  return p;
}

Dims bytes_needed(const ProductCall& p) {
  const int64_t result = bytes_of(p.dtype, {p.batch, p.m, p.n});
  Dims all{bytes_of(p.dtype, {p.batch, p.m, p.k}), bytes_of(p.dtype, {p.batch, p.k, p.n})};
  if (p.bias) all.push_back(bytes_of(p.dtype, {p.n}));
  if (p.addend) all.push_back(result);
  all.push_back(result);
  return all;
}

}  // namespace weft
