#include "weft/backends/codegen/kernel_buffers.h"

#include <algorithm>
#include <optional>

#include "weft/ir/op_def.h"
#include "weft/passes/analysis/liveness.h"

namespace weft::codegen {
namespace {

using ir::Op;
using ir::Value;

/// Where an op that can be moved back starts to read its operand.
Dims start_of(const Op& op) {
  Dims start;
  const auto accesses = *op.def().access(op);
  for (const ir::Affine& along : accesses[0].map) start.push_back(along.offset);
  return start;
}

/// The first index that is read along each axis of an input of a nest; none where anything but slices reads it.
std::optional<Dims> first_read(Value input) {
  if (ir::Graph::is_output(input)) return std::nullopt;
  std::optional<Dims> first;
  for (const ir::Use& use : input.users()) {
    if (!use->def().moved_back || use->result().shape().numel() == 0) return std::nullopt;
    const Dims start = start_of(*use);
    if (!first) first = start;
    for (size_t d = 0; d < start.size(); ++d) (*first)[d] = std::min((*first)[d], start[d]);
  }
  return first;
}

int64_t bytes_before(Value input, const Dims& first) {
  int64_t element = 0;
  for (size_t d = 0; d < first.size(); ++d) element = element * input.shape().dims()[d] + first[d];
  return element * static_cast<int64_t>(size_of(input.dtype()));
}

void add_whole(KernelTable& table, const Op& nest) {
  KernelPart part{&nest, {}};
  for (const KernelBuffer& b : table.buffers) part.buffers.push_back(b.number);
  for (const ir::Input& input : nest.body().inputs())
    if (const std::optional<Dims> first = first_read(input.value()))
      table.buffers[static_cast<size_t>(input.value().index())].offset = bytes_before(input.value(), *first);
  table.parts.push_back(std::move(part));
}

/// Other nests of the kernel may read the same operand elsewhere.
void add_nest(KernelTable& table, const Op& nest, int operands) {
  const auto number_of = [&](Value v) {
    if (v.is_input()) return v.index();
    WEFT_CHECK(ir::Graph::is_output(v), "a nest's result is no result of its kernel");
    return operands + v.node()->outputs.front();
  };
  KernelPart part{&nest, {}};
  for (const ir::Input& input : nest.body().inputs()) {
    int number = number_of(nest.operands()[static_cast<size_t>(input.value().index())]);
    if (const std::optional<Dims> first = first_read(input.value())) {
      table.buffers.push_back({number, bytes_before(input.value(), *first)});
      number = static_cast<int>(table.buffers.size()) - 1;
    }
    part.buffers.push_back(number);
  }
  for (Value v : nest.results()) part.buffers.push_back(number_of(v));
  table.parts.push_back(std::move(part));
}

bool starts_behind(Value input) {
  const std::optional<Dims> first = first_read(input);
  return first && std::any_of(first->begin(), first->end(), [](int64_t i) { return i > 0; });
}

bool starts_behind(const Op& nest) {
  const auto& inputs = nest.body().inputs();
  return std::any_of(inputs.begin(), inputs.end(), [](const ir::Input& i) { return starts_behind(i.value()); });
}

void move_back(const Op& nest) {
  for (const ir::Input& input : nest.body().inputs())
    if (const std::optional<Dims> first = first_read(input.value()))
      for (const ir::Use& use : input.value().users())
        for (auto& [name, value] : use->def().moved_back(*use, *first)) use->set_attribute(name, value);
}

}  // namespace

KernelTable::KernelTable(const Op& op) {
  for (size_t i = 0; i < op.operands().size() + static_cast<size_t>(op.result_count()); ++i) buffers.push_back({static_cast<int>(i)});
  if (op.def().kind == ir::Kind::nest) add_whole(*this, op);
  else
    for (const auto& nest : op.body().ops()) add_nest(*this, *nest, static_cast<int>(op.operands().size()));
}

namespace {

/// Bytes of an input, or of the arena.
struct Range {
  int input;  // -1: the arena
  int64_t begin, end;
};

/// Where the value lies; none: nowhere yet.
std::optional<Range> range_of(Value v) {
  const Value owner = passes::owner_of(v);
  const int64_t bytes = v.type().bytes();
  if (owner.is_input()) return Range{owner.index(), 0, bytes};
  for (int output : owner.node()->outputs)
    if (const auto& alias = owner.graph()->outputs()[static_cast<size_t>(output)].alias) return Range{*alias, 0, bytes};
  if (!owner.offset()) return std::nullopt;
  return Range{-1, *owner.offset(), *owner.offset() + bytes};
}

bool is_constant(Value v) {
  const Value owner = passes::owner_of(v);
  return !owner.is_input() && owner.op()->def().kind == ir::Kind::constant;
}

}  // namespace

std::vector<Overwritten> overwritten_operands(const Op& op) {
  std::vector<Overwritten> all;
  for (int o = 0; o < static_cast<int>(op.operands().size()); ++o) {
    if (is_constant(op.operand(o))) continue;
    const std::optional<Range> read = range_of(op.operand(o));
    for (int r = 0; r < op.result_count(); ++r) {
      const std::optional<Range> written = range_of(op.result(r));
      if (!read || !written || (read->input == written->input && read->begin < written->end && written->begin < read->end))
        all.push_back({o, r});
    }
  }
  return all;
}

bool is_read_through_slices(Value input) { return first_read(input).has_value(); }

std::unique_ptr<ir::Graph> counted_from_first_read(const Op& op) {
  const auto nests = op.def().kind == ir::Kind::nest ? nullptr : &op.body().ops();
  if (nests ? std::none_of(nests->begin(), nests->end(), [](const Op* nest) { return starts_behind(*nest); }) : !starts_behind(op))
    return nullptr;
  auto graph = std::make_unique<ir::Graph>();
  std::vector<Value> operands;
  for (Value v : op.operands()) operands.push_back(graph->add_input("x" + std::to_string(operands.size()), v.type()));
  const Op& moved = graph->insert_copy(op, operands);
  if (!nests) move_back(moved);
  else
    for (const auto& nest : moved.body().ops()) move_back(*nest);
  return graph;
}

}  // namespace weft::codegen
