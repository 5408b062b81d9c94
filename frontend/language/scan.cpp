#include "weft/frontend/language/scan.h"

#include <cstring>

#include "weft/frontend/language/open_body.h"
#include "weft/frontend/language/recorder.h"
#include "weft/ir/ops/loop.h"
#include "weft/ir/order.h"

namespace weft {
namespace {

using detail::OpenBody;
using detail::Recorder;
using detail::Recording;
using ir::Value;

int64_t length_of(Recorder& r, const std::vector<Value>& sequences, const ScanOptions& options) {
  std::optional<int64_t> length = options.length;
  if (length && *length < 0) r.fail(fmt::format("the length must not be negative, but is {}", *length));
  for (size_t i = 0; i < sequences.size(); ++i) {
    const Shape& shape = sequences[i].shape();
    if (shape.rank() == 0) r.fail(fmt::format("sequence {} is a scalar and has no steps along a first axis", i));
    if (length && shape[0] != *length) r.fail(fmt::format("sequence {} has {} steps, not {}", i, shape[0], *length));
    length = shape[0];
  }
  if (!length) r.fail("without a sequence, ScanOptions::length must say how many steps there are");
  return *length;
}

/// A key of its own for each step: the seed moves on.
Value step_keys(Recorder& r, Value key, int64_t length) {
  constexpr uint64_t golden = 0x9e3779b97f4a7c15;
  const ir::Type type{i64, {length, 2}};
  std::vector<std::byte> bytes(static_cast<size_t>(type.bytes()));
  for (int64_t step = 0; step < length; ++step) {
    const uint64_t moved = golden * static_cast<uint64_t>(step + 1);
    std::memcpy(bytes.data() + step * 16, &moved, 8);
  }
  return r.builder("add",
                   {r.builder.broadcast(key, type.shape), r.builder("constant", {}, {{"value", ir::Dense(type, std::move(bytes))}})});
}

}  // namespace

ScanResult scan(const std::vector<Arg>& init, const std::vector<Arg>& xs,
                const std::function<ScanStep(const std::vector<Tensor>&, const std::vector<Tensor>&)>& step, ScanOptions options,
                std::source_location at) {
  std::vector<const Arg*> given;
  for (const auto* list : {&init, &xs})
    for (const Arg& arg : *list) given.push_back(&arg);
  Recorder r("scan", given, at);
  std::vector<Value> states, operands, sequences;
  for (const Arg& arg : init) states.push_back(r.value(arg));
  for (const Arg& arg : xs) sequences.push_back(r.value(arg));
  const int64_t length = length_of(r, sequences, options);

  OpenBody open("scan", r.shared_recording());
  Recording& inside = open.recording();
  std::vector<Tensor> state_inputs, slice_inputs;
  for (size_t i = 0; i < states.size(); ++i) state_inputs.push_back(open.input(fmt::format("state.{}", i), states[i].type()));
  for (size_t i = 0; i < sequences.size(); ++i)
    slice_inputs.push_back(open.input(fmt::format("slice.{}", i), ir::slice_of(sequences[i].type())));
  const ScanStep made = step(state_inputs, slice_inputs);
  if (made.states.size() != states.size()) r.fail(fmt::format("the step makes {} states of {}", made.states.size(), states.size()));

  ir::Graph& body = inside.graph();
  const auto add_output = [&](const Arg& arg, std::optional<int> state) {
    Recorder inner("scan", {&arg}, arg.where());
    const Value v =
        (arg.number() || arg.hyper()) && state ? inner.value(arg, states[static_cast<size_t>(*state)].dtype()) : inner.value(arg);
    if (state && v.type() != states[static_cast<size_t>(*state)].type())
      throw Error(ErrorKind::shape, "state {} is {}, but the step makes {} of it", *state,
                  to_string(states[static_cast<size_t>(*state)].type()), to_string(v.type()))
          .of("scan")
          .at(to_string(inner.where()))
          .hint("a state keeps its element type and its shape: cast or broadcast where it starts");
    body.add_output({"", v, state, {inner.where()}});
  };
  for (size_t i = 0; i < states.size(); ++i) add_output(made.states[i], static_cast<int>(i));
  for (const Arg& arg : made.results) add_output(arg, std::nullopt);
  if (body.outputs().empty()) r.fail("the step makes neither a state nor a result");

  // The body's inputs: states, slices, then what it sees from outside. What was recorded here stays valid, if of no use any more.
  std::unique_ptr<ir::Graph> copy = clone(body);
  ir::sort_by_need(*copy);
  operands = states;
  operands.insert(operands.end(), sequences.begin(), sequences.end());
  std::vector<int> order(operands.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  if (const Value key = inside.step_key()) {
    order.push_back(key.index());
    operands.push_back(step_keys(r, r.recording().key(r.where()), length));
  }
  const auto sliced = static_cast<int64_t>(operands.size() - states.size());
  for (const Recording::Seen& seen : detail::by_first_use(inside.seen(), *copy)) {
    order.push_back(seen.here.index());
    operands.push_back(seen.outside);
  }
  copy->reorder_inputs(order);
  const ir::Op& loop =
      ir::make_scan(r.builder, operands, static_cast<int64_t>(states.size()), sliced, length, options.reverse, std::move(copy));
  ScanResult result;
  for (Value v : loop.results()) (v.index() < static_cast<int>(states.size()) ? result.last : result.all).push_back(r.tensor(v));
  return result;
}

}  // namespace weft
