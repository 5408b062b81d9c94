#include "weft/backends/reference/heavy.h"

#include <map>

namespace weft::reference {

Tensor heavy(const ir::Op& op, Operands operands) {
  using Run = Tensor (*)(const ir::Op&, Operands);
  static const std::map<std::string_view, Run> table{{"matmul", matmul},
                                                     {"convolution", convolution},
                                                     {"convolution_data", convolution_data},
                                                     {"convolution_weight", convolution_weight},
                                                     {"gather", gather},
                                                     {"scatter_add", scatter_add},
                                                     {"coalesce", coalesce},
                                                     {"scatter_rows", scatter_rows}};
  const auto found = table.find(op.name());
  WEFT_CHECK(found != table.end(), "the reference cannot run '{}'", op.name());
  return found->second(op, operands);
}

}  // namespace weft::reference
