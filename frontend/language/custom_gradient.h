#pragma once
// A computation with a gradient of its own: torch.autograd.Function, jax.custom_vjp.
//
//   Tensor clipped(Arg x) {                    // x, whose gradient is clipped
//     return custom_gradient({x}, [](Tensor x) { return x; }, [](Tensor g, Tensor x) { return clamp(g, -1, 1); });
//   }
//   Tensor product(Arg x, Arg w) {
//     return custom_gradient({x, w}, [](Tensor x, Tensor w) { return x * w; },
//                            [](Tensor g, Tensor x, Tensor w) { return Gradients{g * w, g * x}; });
//   }
//
// Both functions are called once, while the graph is recorded: `forward` with the tensors, `backward` with the gradient of the result, the
// tensors, and, if it takes one operand more, the result. It gives a gradient for each tensor, of its type and shape; Tensor() where none
// flows. Both may use tensors, parameters, modules and random numbers from outside, and `backward` what `forward` computed and kept in a
// variable of yours. Gradients flow to the tensors that are handed over and to no others, whatever `forward` uses.
//
// `backward` consists of ops, so that it is differentiated for second derivatives. In the text it is the body of the op `with_gradient`,
// behind the ops of `forward`.

#include <array>
#include <concepts>
#include <functional>
#include <source_location>
#include <utility>
#include <vector>

#include "weft/frontend/language/tensor.h"

namespace weft {

/// One for each tensor, in their order.
using Gradients = std::vector<Tensor>;

/// With any number of results: `backward` gets their gradients, the tensors and the results.
///
/// Throws weft::Error, naming the line, for results that are not floating, another number of gradients, and gradients of other types or
/// shapes than what they are of, or of what is not floating.
std::vector<Tensor> custom_gradient(
    const std::vector<Arg>& xs, const std::function<std::vector<Tensor>(const std::vector<Tensor>&)>& forward,
    const std::function<Gradients(const Gradients&, const std::vector<Tensor>&, const std::vector<Tensor>&)>& backward,
    std::source_location at = std::source_location::current());

namespace detail {

inline Gradients gradients_of(Tensor one) { return {std::move(one)}; }
inline Gradients gradients_of(Gradients all) { return all; }

template <class T, size_t>
using RepeatedType = T;
template <class F, size_t... i>
constexpr bool takes_tensors(std::index_sequence<i...>) {
  return std::is_invocable_r_v<Tensor, F&, RepeatedType<Tensor, i>...>;
}

}  // namespace detail

/// With one result, of tensors one by one.
template <size_t N, class Forward, class Backward>
  requires(detail::takes_tensors<Forward>(std::make_index_sequence<N>()))
Tensor custom_gradient(const Arg (&xs)[N], Forward forward, Backward backward, std::source_location at = std::source_location::current()) {
  return [&]<size_t... i>(std::index_sequence<i...>) {
    constexpr bool with_result = std::is_invocable_v<Backward&, Tensor, detail::RepeatedType<Tensor, i>..., Tensor>;
    static_assert(with_result || std::is_invocable_v<Backward&, Tensor, detail::RepeatedType<Tensor, i>...>,
                  "backward takes the gradient of the result, a Tensor for each that is handed over, and the result if it wants it");
    return custom_gradient(
        std::vector<Arg>(xs, xs + N), [&](const std::vector<Tensor>& x) { return std::vector<Tensor>{Tensor(forward(x[i]...))}; },
        [&](const Gradients& g, const std::vector<Tensor>& x, const std::vector<Tensor>& y) {
          if constexpr (with_result) return detail::gradients_of(backward(g[0], x[i]..., y[0]));
          else return detail::gradients_of(backward(g[0], x[i]...));
        },
        at)[0];
  }(std::make_index_sequence<N>());
}

}  // namespace weft
