#include "weft/frontend/program/reference_check.h"

#include <cmath>

#include "weft/backends/reference/agreement.h"
#include "weft/frontend/program/call_alone.h"
#include "weft/frontend/program/call_reader.h"
#include "weft/ir/op_def.h"
#include "weft/support/philox.h"

namespace weft::detail {
namespace {

using ir::Op;
using ir::Value;
using reference::Tensor;

/// Each element up or down by what rounding to its type may do, the same for the same seed.
void move(Tensor& t, uint64_t seed, uint32_t site) {
  const double ulp = epsilon_of(t.type.dtype) / (is_narrow(t.type.dtype) ? 4 : 2);
  for (size_t e = 0; e < t.real.size(); ++e) t.real[e] *= 1 + (random_bits(seed, site, 0, e) % 2 ? ulp : -ulp);
}

/// The element whose difference is the largest, with both values.
std::string furthest(const Tensor& got, const Tensor& exact) {
  size_t at = 0;
  double most = -1;
  for (size_t e = 0; e < exact.real.size(); ++e) {
    const double off = std::fabs(got.real[e] - exact.real[e]);
    const bool same = got.real[e] == exact.real[e] || (std::isnan(got.real[e]) && std::isnan(exact.real[e]));
    const double distance = same ? 0 : std::isnan(off) ? INFINITY : off;
    if (distance > most) most = distance, at = e;
  }
  if (exact.real.empty()) {
    while (at + 1 < exact.integer.size() && got.integer[at] == exact.integer[at]) ++at;
    return fmt::format("element {} is {}, the reference gives {}", to_string(exact.type.shape.index_of(static_cast<int64_t>(at))),
                       got.integer[at], exact.integer[at]);
  }
  return fmt::format("element {} is {}, the reference gives {}", to_string(exact.type.shape.index_of(static_cast<int64_t>(at))),
                     got.real[at], exact.real[at]);
}

/// With what is read and what every op inside gives moved: what cancels inside leaves what rounding has left of it.
std::vector<Tensor> run_moved(const ir::Graph& graph, std::vector<Tensor> inputs, uint64_t seed) {
  uint32_t site = 0;
  for (Tensor& t : inputs) move(t, seed, site++);
  return reference::evaluate(graph, inputs, [&](const Op&, std::span<const Tensor* const>, std::span<Tensor> results) {
    for (Tensor& t : results) move(t, seed, site++);
  });
}

/// The type of the fewest digits that the call computes in, inside of it too.
DType coarsest_in(const Op& op) {
  DType coarsest = f64;
  const auto see = [&](DType dtype) {
    if (is_floating(dtype) && size_of(dtype) < size_of(coarsest)) coarsest = dtype;
  };
  for (Value v : op.operands()) see(v.dtype());
  for (Value v : op.results()) see(v.dtype());
  for (const auto& body : op.bodies())
    for (const Op* inside : body->ops()) see(coarsest_in(*inside));
  return coarsest;
}

class ReferenceWatcher final : public CallReader {
 public:
  using CallReader::CallReader;

  void after(const Call& call) override {
    const Op& op = op_of(call);
    const CallAlone alone(op);
    const std::vector<Tensor> read = operands(call), got = results(call), exact = reference::evaluate(alone.graph(), read);
    // Beyond f32's range there is nothing to compare.
    const reference::Tolerance tolerance = reference::tolerance_in(coarsest_in(op));
    std::vector<std::vector<Tensor>> moved;
    const auto wrong_with = [&](size_t result, uint64_t runs) {
      while (moved.size() < runs) moved.push_back(run_moved(alone.graph(), read, moved.size() + 1));
      std::vector<const Tensor*> near;
      for (const auto& results : moved) near.push_back(&results[result]);
      return reference::disagreement(got[result], exact[result], near, tolerance);
    };
    ++checked.calls;
    for (size_t i = 0; i < exact.size(); ++i) {
      checked.elements += exact[i].type.shape.numel();
      if (!wrong_with(i, few)) continue;
      // A choice between values that are nearly the same does not always fall as rounding lets it.
      if (const auto wrong = wrong_with(i, many)) fail(call, op, i, got[i], exact[i], *wrong);
    }
  }

  CheckedCalls checked;

 private:
  static constexpr uint64_t few = 2, many = 14;  // runs that are moved

  [[noreturn]] static void fail(const Call& call, const Op& op, size_t result, const Tensor& got, const Tensor& exact,
                                const std::string& wrong) {
    std::string inside;
    for (const auto& body : op.bodies())
      for (const Op* o : body->ops()) inside += (inside.empty() ? " of " : ", ") + std::string(o->name());
    throw Error(ErrorKind::numeric, "call {}{} does not compute what the reference does: result {}, {}: {}; {}", call.number,
                pass_text(call), result, to_string(got.type), furthest(got, exact), wrong)
        .of(std::string(op.name()) + inside)
        .at(to_string(op.locations()));
  }
};

}  // namespace

CheckedCalls run_verified(Program& program, const ir::Module& planned, std::span<const Binding> inputs) {
  ReferenceWatcher watcher(planned);
  program.run_watched(inputs, watcher);
  return watcher.checked;
}

}  // namespace weft::detail
