#include "weft/tests/random/values.h"

#include <algorithm>
#include <cmath>

#include "weft/ir/op_def.h"
#include "weft/support/philox.h"

namespace weft::test {
namespace {

using reference::Tensor;

uint32_t site_of(const std::string& name) {
  uint32_t site = 0;
  for (char c : name) site = site * 31 + static_cast<unsigned char>(c);
  return site;
}

/// The exclusive upper bound of the values that the readers take for indices.
std::optional<int64_t> index_bound(ir::Value v) {
  std::optional<int64_t> least;
  for (const ir::Op* op : v.users())
    for (int i = 0; i < static_cast<int>(op->operands().size()); ++i)
      if (op->operand(i) == v && op->def().index_bound)
        if (const auto bound = op->def().index_bound(*op, i)) least = std::min(*bound, least.value_or(*bound));
  return least;
}

/// Numbers that every floating type holds.
double in_bf16(double x) { return from_bf16(to_bf16(static_cast<float>(x))); }

}  // namespace

Tensor value_of(const ir::Input& input, uint64_t seed) {
  Tensor t(input.node->type);
  const uint32_t site = site_of(input.node->name);
  const auto bits = [&](size_t e, uint32_t draw = 0) { return random_bits(seed, site, draw, e); };
  const bool positive = input.role == ir::Role::state || input.role == ir::Role::hyper;
  const bool special = !positive && bits(0, 1) % 4 == 0;
  static constexpr double turns[] = {-2, -1, -0.0, 0, 0.5, 1, 2};
  for (size_t e = 0; e < t.real.size(); ++e) {
    const double u = uniform_from_bits(bits(e));
    t.real[e] = special ? turns[bits(e) % std::size(turns)] : in_bf16(positive ? 0.1 + 0.8 * u : 2 * u - 1);
  }
  const auto bound = index_bound(input.value());
  const bool beyond = bits(0, 2) % 16 == 0;
  for (size_t e = 0; e < t.integer.size(); ++e) {
    const auto b = static_cast<int64_t>(bits(e));
    if (t.type.dtype == boolean) t.integer[e] = b % 2;
    else if (bound && *bound > 0) t.integer[e] = b % *bound + (beyond && b % 5 == 0 ? *bound - 1 : 0);
    else if (input.role == ir::Role::key) t.integer[e] = b;
    else if (input.role == ir::Role::state) t.integer[e] = 1 + b % 9;
    else t.integer[e] = is_unsigned(t.type.dtype) ? b % 9 : b % 9 - 4;
  }
  return t;
}

Tensor moved(Tensor t, uint64_t seed, double ulps, bool fine) {
  const double ulp = std::ldexp(1.0, fine ? -52 : -23);
  for (size_t e = 0; e < t.real.size(); ++e) {
    const bool up = random_bits(seed, 0, 7, e) % 2;
    t.real[e] += (up ? ulps : -ulps) * ulp * std::fabs(t.real[e]);
  }
  return t;
}

}  // namespace weft::test
