#include "weft/ir/access.h"

namespace weft::ir {

IndexMap identity_map(int rank) {
  IndexMap map;
  for (int axis = 0; axis < rank; ++axis) map.push_back(Affine::axis(rank, axis));
  return map;
}

IndexMap compose(const IndexMap& inner, const IndexMap& outer) {
  const int loops = outer.empty() ? 0 : static_cast<int>(outer[0].coefficients.size());
  IndexMap result;
  for (const Affine& a : inner) {
    Affine sum = Affine::zero(loops);
    sum.offset = a.offset;
    for (size_t d = 0; d < a.coefficients.size(); ++d) {
      sum.offset = wrapping_multiply_add(sum.offset, a.coefficients[d], outer[d].offset);
      for (size_t l = 0; l < sum.coefficients.size(); ++l)
        sum.coefficients[l] = wrapping_multiply_add(sum.coefficients[l], a.coefficients[d], outer[d].coefficients[l]);
    }
    result.push_back(std::move(sum));
  }
  return result;
}

}  // namespace weft::ir
