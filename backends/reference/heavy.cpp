#include "weft/backends/reference/heavy.h"

#include <map>

namespace weft::reference {
namespace {

using Run = std::vector<Tensor> (*)(const ir::Op&, Operands);

/// Of an op with one result.
template <Tensor (*run)(const ir::Op&, Operands)>
std::vector<Tensor> one(const ir::Op& op, Operands operands) {
  std::vector<Tensor> results;
  results.push_back(run(op, operands));
  return results;
}

const std::map<std::string_view, Run>& rows() {
  static const std::map<std::string_view, Run> table{
      // products
      {"matmul", matmul},
      {"convolution", one<convolution>},
      {"convolution_data", one<convolution_data>},
      {"convolution_weight", one<convolution_weight>},
      {"attention", attention},
      {"attention_gradient", attention_gradient},
      // rows by index
      {"gather", one<gather>},
      {"coalesce", one<coalesce>},
      {"scatter_add", one<scatter_add>},
      {"scatter_rows", one<scatter_rows>},
      {"sort", sort},
  };
  return table;
}

}  // namespace

bool runs_heavy(std::string_view op) { return rows().contains(op); }

std::vector<Tensor> heavy(const ir::Op& op, Operands operands) {
  const auto found = rows().find(op.name());
  WEFT_CHECK(found != rows().end(), "the reference cannot run '{}'", op.name());
  return found->second(op, operands);
}

}  // namespace weft::reference
