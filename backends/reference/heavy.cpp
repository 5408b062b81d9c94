#include "weft/backends/reference/heavy.h"

#include <map>

namespace weft::reference {
namespace {

using Run = Tensor (*)(const ir::Op&, Operands);

const std::map<std::string_view, Run>& rows() {
  static const std::map<std::string_view, Run> table{
      // products
      {"matmul", matmul},
      {"convolution", convolution},
      {"convolution_data", convolution_data},
      {"convolution_weight", convolution_weight},
      // rows by index
      {"gather", gather},
      {"coalesce", coalesce},
      {"scatter_add", scatter_add},
      {"scatter_rows", scatter_rows},
  };
  return table;
}

}  // namespace

bool runs_heavy(std::string_view op) { return rows().contains(op); }

Tensor heavy(const ir::Op& op, Operands operands) {
  const auto found = rows().find(op.name());
  WEFT_CHECK(found != rows().end(), "the reference cannot run '{}'", op.name());
  return found->second(op, operands);
}

}  // namespace weft::reference
