#include "weft/frontend/language/custom_gradient.h"

#include "weft/frontend/language/open_body.h"
#include "weft/frontend/language/recorder.h"
#include "weft/ir/op_def.h"
#include "weft/ir/ops/with_gradient.h"
#include "weft/ir/order.h"

namespace weft {
namespace {

using detail::OpenBody;
using detail::Recorder;
using ir::Value;

std::vector<Tensor> results_of(Recorder& r, const std::vector<Tensor>& xs,
                               const std::function<std::vector<Tensor>(const std::vector<Tensor>&)>& forward) {
  std::vector<Tensor> ys;
  for (const Tensor& y : forward(xs)) {
    if (!y.recording) r.fail(fmt::format("result {} is a Tensor that nothing was assigned to", ys.size()));
    ys.push_back(r.tensor(r.value(Arg(y))));
    if (!is_floating(ys.back().dtype()))
      r.fail(fmt::format("result {} is {}, but only what is floating has a gradient", ys.size() - 1, to_string(ys.back().value().type())));
  }
  if (ys.empty()) r.fail("forward gives no result");
  return ys;
}

/// Adds what `backward` gives as the body's outputs, and says of which of the tensors they are.
Dims add_outputs(Recorder& r, OpenBody& open, const Gradients& given, const std::vector<Tensor>& xs) {
  if (given.size() != xs.size()) r.fail(fmt::format("backward gives {} gradients of {} tensors", given.size(), xs.size()));
  Dims of;
  for (size_t i = 0; i < given.size(); ++i) {
    if (!given[i].recording) continue;
    const Arg arg(given[i]);
    const Value v = Recorder("custom_gradient", {&arg}).value(arg);
    const std::string tensor = fmt::format("tensor {}, which is {}", i, to_string(xs[i].value().type()));
    if (!is_floating(xs[i].dtype())) r.fail(fmt::format("backward gives a gradient of {}; give Tensor()", tensor));
    if (v.type() != xs[i].value().type()) r.fail(fmt::format("backward gives {} as the gradient of {}", to_string(v.type()), tensor));
    open.recording().graph().add_output({"", v, std::nullopt, v.is_input() ? ir::Locations{r.where()} : v.op()->locations()});
    of.push_back(static_cast<int64_t>(i));
  }
  return of;
}

}  // namespace

std::vector<Tensor> custom_gradient(
    const std::vector<Arg>& args, const std::function<std::vector<Tensor>(const std::vector<Tensor>&)>& forward,
    const std::function<Gradients(const Gradients&, const std::vector<Tensor>&, const std::vector<Tensor>&)>& backward,
    std::source_location at) {
  std::vector<const Arg*> given;
  for (const Arg& arg : args) given.push_back(&arg);
  Recorder r("custom_gradient", given, args.empty() ? at : args[0].where());
  if (args.empty()) r.fail("needs a tensor");
  if (!forward || !backward) r.fail("forward or backward is a null function");
  std::vector<Tensor> xs;
  for (const Arg& arg : args) xs.push_back(r.tensor(r.value(arg)));
  const std::vector<Tensor> ys = results_of(r, xs, forward);

  OpenBody open("custom_gradient", r.shared_recording());
  Gradients gradients;
  std::vector<Tensor> ys_inside, xs_inside;
  for (size_t i = 0; i < ys.size(); ++i) gradients.push_back(open.input(fmt::format("gradient.{}", i), ys[i].value().type()));
  for (size_t i = 0; i < ys.size(); ++i) ys_inside.push_back(open.input(fmt::format("result.{}", i), ys[i].value().type()));
  for (size_t i = 0; i < xs.size(); ++i) xs_inside.push_back(open.input(fmt::format("x.{}", i), xs[i].value().type()));
  Dims of = add_outputs(r, open, backward(gradients, xs_inside, ys_inside), xs);
  for (int64_t& operand : of) operand += std::ssize(ys);

  std::unique_ptr<ir::Graph> body = clone(open.recording().graph());
  ir::sort_by_need(*body);
  std::vector<Value> operands;
  for (const auto* tensors : {&ys, static_cast<const std::vector<Tensor>*>(&xs)})
    for (const Tensor& t : *tensors) operands.push_back(t.value());
  std::vector<int> order;
  for (size_t i = 0; i < operands.size() + ys.size(); ++i) order.push_back(static_cast<int>(i));
  if (const Value key = open.recording().step_key()) {
    order.push_back(key.index());
    operands.push_back(r.recording().key(r.where()));
  }
  for (const detail::Recording::Seen& seen : detail::by_first_use(open.recording().seen(), *body)) {
    order.push_back(seen.here.index());
    operands.push_back(seen.outside);
  }
  body->reorder_inputs(order);
  const ir::Op& op = ir::make_with_gradient(r.builder, operands, std::ssize(ys), of, std::move(body));
  std::vector<Tensor> results;
  for (Value v : op.results()) results.push_back(r.tensor(v));
  return results;
}

}  // namespace weft
