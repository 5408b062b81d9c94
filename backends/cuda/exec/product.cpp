#include "weft/backends/cuda/exec/product.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "weft/support/error.h"

namespace weft::cuda {
namespace {

constexpr std::pair<Activation, std::string_view> activation_names[] = {
    {Activation::none, "none"}, {Activation::gelu, "gelu"}, {Activation::gelu_gradient, "gelu_gradient"}};

std::string_view name_of(Activation activation) {
  return std::find_if(std::begin(activation_names), std::end(activation_names), [&](auto& a) { return a.first == activation; })->second;
}

Activation activation_named(std::string_view name) {
  for (const auto& [activation, known] : activation_names)
    if (known == name) return activation;
  throw Error(ErrorKind::file, "a product with activation '{}': no call of weft is so", name);
}

}  // namespace

bool has_possible_activation(const ProductSpec& s) {
  if (s.activation == Activation::none) return true;
  const bool gradient = s.activation == Activation::gelu_gradient;
  if (s.addend || (gradient ? s.bias || s.keeps_operand : s.bias_gradient)) return false;
  return !(gradient || s.keeps_operand) || (s.batch == 1 && s.n % 8 == 0);
}

Dims buffer_bytes(const ProductSpec& s) {
  Dims all = bytes_needed(s);
  const int64_t result = all.back();
  if (s.activation == Activation::gelu_gradient) all.push_back(result);
  if (s.keeps_operand) all.push_back(result);
  if (s.bias_gradient) all.push_back(bytes_of(s.dtype, {s.n}));
  return all;
}

bool is_for_library(const ProductSpec& s) {
  constexpr int64_t most = std::numeric_limits<int32_t>::max();
  const bool fits = std::max({s.batch, s.m, s.n, s.k}) <= most && std::min({s.batch, s.m, s.n, s.k}) > 0;
  return fits && (s.dtype == f32 || s.dtype == f64 || s.dtype == bf16);
}

int64_t workspace_bytes(const ProductSpec& s) {
  if (!is_for_library(s)) return 0;
  // Sums of up to so many parts of k, in the type that they are summed in; more than the library asks for on its largest devices is no use.
  constexpr double parts = 16, most = 32 << 20;
  const double sums = static_cast<double>(s.batch) * static_cast<double>(s.m) * static_cast<double>(s.n) * (s.dtype == f64 ? 8 : 4);
  return static_cast<int64_t>(std::min(parts * sums, most));
}

CallDescriptor describe(const ProductSpec& s, const KernelCall& kernels) {
  CallDescriptor call = describe(kernels);
  call.call = "product";
  call.fields.insert({"tf32", int64_t{s.tf32}});
  add_fields(call, s);
  if (s.activation != Activation::none)
    call.fields.insert({{"activation", std::string(name_of(s.activation))},
                        {"keeps_operand", int64_t{s.keeps_operand}},
                        {"bias_gradient", int64_t{s.bias_gradient}}});
  if (!s.algorithm.empty()) call.fields.insert({"algorithm", s.algorithm});
  return call;
}

ProductSpec product_spec(const CallDescriptor& c) {
  ProductSpec s{product_of(c), c.flag("tf32")};
  if (c.fields.contains("algorithm")) s.algorithm = c.text("algorithm");
  if (!c.fields.contains("activation")) return s;
  s.activation = activation_named(c.text("activation"));
  s.keeps_operand = c.flag("keeps_operand"), s.bias_gradient = c.flag("bias_gradient");
  if (!has_possible_activation(s) || (s.dtype != bf16 && s.dtype != f32))
    throw Error(ErrorKind::file, "a product with this activation: no call of weft is so");
  return s;
}

void require_product(const CallDescriptor& call, const Launch& launch) {
  require_buffers("a product", buffer_bytes(product_spec(call)), launch);
}

}  // namespace weft::cuda
