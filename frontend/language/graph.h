#pragma once
// Records a model as a static graph. Nothing is computed until the graph is compiled.

#include <array>
#include <iosfwd>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include "weft/frontend/language/tensor.h"

namespace weft {

/// While it lives, expressions on its tensors record into it, and so do expressions without any tensor (on parameters
/// alone, zeros(), ...) as long as it is the innermost graph that lives on this thread. Movable, not copyable.
class Graph {
 public:
  explicit Graph(std::string name = "graph");
  ~Graph();
  Graph(Graph&&) noexcept = default;
  Graph& operator=(Graph&&) = delete;

  /// What the caller feeds at every step. Throws weft::Error when the name is taken.
  Tensor input(const std::string& name, DType dtype, Shape shape, std::source_location at = std::source_location::current());
  /// Makes `value` readable after a step, and returns it. Throws weft::Error when the name is taken.
  Tensor output(const std::string& name, Arg value);
  /// After the step, the parameter holds `value`, which must have its element type and broadcast to its shape. Within the
  /// step every expression sees the old numbers. Throws weft::Error naming both types, and for a second update. A program that updates
  /// what gradients() was given throws at its first call for a layer that the loss depends on and that was forgotten, as a training
  /// step does.
  void update(const Parameter& parameter, Arg value);

  /// The parameters that the graph uses so far, in order of first use; buffers of modules are none.
  std::vector<Parameter> parameters() const;
  const std::string& name() const;
  /// The graph in weft's text form.
  std::string ir() const;

  /// Throws weft::Error when the graph was moved from.
  const std::shared_ptr<detail::Recording>& recording() const;

 private:
  void add_output(const std::string& name, ir::Value value, std::optional<int> alias, const ir::Location& at);

  std::shared_ptr<detail::Recording> recording_;
};

std::ostream& operator<<(std::ostream& out, const Graph& graph);

/// d loss / d x for each x, recorded into the loss's graph; `loss` must be a floating scalar, each x a parameter or a
/// tensor that came before it. Where the loss does not depend on x, zeros; for a frozen parameter (requires_grad_(false)) it throws
/// weft::Error, as torch.autograd.grad does. The results are ordinary tensors and can be
/// differentiated again.
///
///   auto [dw, db] = gradients(loss, {w, b});
template <size_t N>
std::array<Tensor, N> gradients(Arg loss, const Arg (&xs)[N]);
/// For a list whose length is known at run time.
template <class T>
std::vector<Tensor> gradients(Arg loss, const std::vector<T>& xs);

namespace detail {
std::vector<Tensor> differentiate(const Arg& loss, const std::vector<Arg>& xs);
}

template <size_t N>
std::array<Tensor, N> gradients(Arg loss, const Arg (&xs)[N]) {
  const std::vector<Tensor> all = detail::differentiate(loss, {xs, xs + N});
  std::array<Tensor, N> result;
  for (size_t i = 0; i < N; ++i) result[i] = all[i];
  return result;
}

template <class T>
std::vector<Tensor> gradients(Arg loss, const std::vector<T>& xs) {
  std::vector<Arg> all;
  if constexpr (std::same_as<T, Arg>) all = xs;
  else
    for (const T& x : xs) all.emplace_back(x, loss.where());
  return detail::differentiate(loss, all);
}

}  // namespace weft
