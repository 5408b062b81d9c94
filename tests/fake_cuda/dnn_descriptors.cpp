#include "weft/tests/fake_cuda/dnn_descriptors.h"

#include <algorithm>

namespace weft::test::fake_cuda {
namespace {

using cuda::dnn_bf16, cuda::dnn_cross_correlation, cuda::dnn_greater_or_equal, cuda::dnn_f32, cuda::dnn_heuristics_a, cuda::dnn_success;

/// What an attribute of a kind of descriptor must be set to, before it is finalized.
struct Rule {
  DnnKind kind;
  Attribute attribute;
  DnnType type;
  int64_t least = 1, most = 1;
  DnnKind part = {};  // of a descriptor
  bool may_be_missing = false;
};

constexpr int64_t most_axes = 8;

const std::vector<Rule>& rules() {
  using K = DnnKind;
  using A = Attribute;
  using T = DnnType;
  static const std::vector<Rule> all = {
      {K::tensor, A::tensor_id, T::int64},
      {K::tensor, A::tensor_type, T::data_type},
      {K::tensor, A::tensor_extents, T::int64, 3, most_axes},
      {K::tensor, A::tensor_strides, T::int64, 3, most_axes},
      {K::tensor, A::tensor_alignment, T::int64},
      {K::tensor, A::tensor_is_virtual, T::boolean, 1, 1, {}, true},
      {K::tensor, A::tensor_is_by_value, T::boolean, 1, 1, {}, true},
      {K::convolution, A::convolution_spatial, T::int64},
      {K::convolution, A::convolution_type, T::data_type},
      {K::convolution, A::convolution_mode, T::convolution_mode},
      {K::convolution, A::convolution_strides, T::int64, 1, most_axes},
      {K::convolution, A::convolution_dilations, T::int64, 1, most_axes},
      {K::convolution, A::convolution_low, T::int64, 1, most_axes},
      {K::convolution, A::convolution_high, T::int64, 1, most_axes},
      {K::forward, A::forward_convolution, T::descriptor, 1, 1, K::convolution},
      {K::forward, A::forward_alpha, T::float32},
      {K::forward, A::forward_beta, T::float32},
      {K::forward, A::forward_x, T::descriptor, 1, 1, K::tensor},
      {K::forward, A::forward_w, T::descriptor, 1, 1, K::tensor},
      {K::forward, A::forward_y, T::descriptor, 1, 1, K::tensor},
      {K::backward_data, A::data_convolution, T::descriptor, 1, 1, K::convolution},
      {K::backward_data, A::data_alpha, T::float32},
      {K::backward_data, A::data_beta, T::float32},
      {K::backward_data, A::data_dx, T::descriptor, 1, 1, K::tensor},
      {K::backward_data, A::data_w, T::descriptor, 1, 1, K::tensor},
      {K::backward_data, A::data_dy, T::descriptor, 1, 1, K::tensor},
      {K::backward_filter, A::filter_convolution, T::descriptor, 1, 1, K::convolution},
      {K::backward_filter, A::filter_alpha, T::float32},
      {K::backward_filter, A::filter_beta, T::float32},
      {K::backward_filter, A::filter_x, T::descriptor, 1, 1, K::tensor},
      {K::backward_filter, A::filter_dw, T::descriptor, 1, 1, K::tensor},
      {K::backward_filter, A::filter_dy, T::descriptor, 1, 1, K::tensor},
      {K::attention, A::attention_q, T::descriptor, 1, 1, K::tensor},
      {K::attention, A::attention_k, T::descriptor, 1, 1, K::tensor},
      {K::attention, A::attention_v, T::descriptor, 1, 1, K::tensor},
      {K::attention, A::attention_result, T::descriptor, 1, 1, K::tensor},
      {K::attention, A::attention_statistics, T::descriptor, 1, 1, K::tensor},
      {K::attention, A::attention_scale, T::descriptor, 1, 1, K::tensor},
      {K::attention, A::attention_scores, T::descriptor, 1, 1, K::graph, true},
      {K::attention, A::attention_scores_before, T::int64, 1, 1, {}, true},
      {K::attention, A::attention_scores_after, T::int64, 1, 1, {}, true},
      {K::band_mask, A::band_x, T::descriptor, 1, 1, K::tensor},
      {K::band_mask, A::band_hidden, T::descriptor, 1, 1, K::tensor},
      {K::band_mask, A::band_y, T::descriptor, 1, 1, K::tensor},
      {K::band_mask, A::band_comparison, T::pointwise_mode},
      {K::graph, A::graph_handle, T::handle},
      {K::graph, A::graph_operations, T::descriptor},  // an operation
      {K::heuristics, A::heuristics_graph, T::descriptor, 1, 1, K::graph},
      {K::heuristics, A::heuristics_mode, T::heuristics_mode},
      {K::plan, A::plan_handle, T::handle},
      {K::plan, A::plan_config, T::descriptor, 1, 1, K::engine_config},
      {K::variant_pack, A::pack_ids, T::int64, 1, 64},
      {K::variant_pack, A::pack_pointers, T::pointer, 1, 64},
      {K::variant_pack, A::pack_workspace, T::pointer},
  };
  return all;
}

size_t bytes_of(DnnType type) {
  switch (type) {
    case DnnType::handle:
    case DnnType::int64:
    case DnnType::pointer:
    case DnnType::descriptor: return 8;
    case DnnType::boolean:
    case DnnType::text: return 1;
    default: return 4;
  }
}

DnnStatus finish_tensor(Descriptor& d) {
  const int type = d.one<int>(Attribute::tensor_type);
  d.tensor = {d.one<int64_t>(Attribute::tensor_id),
              d.one<int64_t>(Attribute::tensor_alignment),
              type == dnn_bf16 ? Element::bf16 : Element::f32,
              d.list<int64_t>(Attribute::tensor_extents),
              d.list<int64_t>(Attribute::tensor_strides),
              d.one<char>(Attribute::tensor_is_virtual) != 0,
              d.one<char>(Attribute::tensor_is_by_value) != 0};
  const auto positive = [](int64_t n) { return n > 0; };
  if ((type != dnn_f32 && type != dnn_bf16) || d.tensor.alignment < 1) return not_supported;
  const bool fits = d.tensor.extents.size() == d.tensor.strides.size() && std::ranges::all_of(d.tensor.extents, positive) &&
                    std::ranges::all_of(d.tensor.strides, positive);
  return fits ? dnn_success : bad_param;
}

DnnStatus finish_convolution(Descriptor& d) {
  Convolution& c = d.operation.emplace<Convolution>();
  c.strides = d.list<int64_t>(Attribute::convolution_strides), c.dilations = d.list<int64_t>(Attribute::convolution_dilations);
  c.low = d.list<int64_t>(Attribute::convolution_low), c.high = d.list<int64_t>(Attribute::convolution_high);
  const auto axes = static_cast<size_t>(d.one<int64_t>(Attribute::convolution_spatial));
  if (d.one<int>(Attribute::convolution_type) != dnn_f32 || axes < 2 || axes > 3) return not_supported;
  if (d.one<int>(Attribute::convolution_mode) != dnn_cross_correlation) return not_supported;
  for (const std::vector<int64_t>* list : {&c.strides, &c.dilations, &c.low, &c.high}) {
    const int64_t least = list == &c.strides || list == &c.dilations ? 1 : 0;
    if (list->size() != axes || std::ranges::any_of(*list, [&](int64_t n) { return n < least; })) return bad_param;
  }
  return dnn_success;
}

DnnStatus finish_operation(Descriptor& d, Convolution::Wanted wanted, std::array<Attribute, 6> attributes) {
  const auto [convolution, x, w, y, alpha, beta] = attributes;
  Convolution c = std::get<Convolution>(d.parts[convolution]->operation);
  c.wanted = wanted;
  c.x = d.parts[x]->tensor, c.w = d.parts[w]->tensor, c.y = d.parts[y]->tensor;
  d.operation = c;
  if (d.one<float>(alpha) != 1 || d.one<float>(beta) != 0) return not_supported;
  return c.agrees() ? dnn_success : shape_mismatch;
}

DnnStatus finish_band(Descriptor& d) {
  d.operation = Band{d.parts[Attribute::band_x]->tensor, d.parts[Attribute::band_hidden]->tensor, d.parts[Attribute::band_y]->tensor};
  return d.one<int>(Attribute::band_comparison) == dnn_greater_or_equal ? dnn_success : not_supported;
}

DnnStatus finish_attention(Descriptor& d) {
  using A = Attribute;
  Attention a{d.parts[A::attention_q]->tensor,
              d.parts[A::attention_k]->tensor,
              d.parts[A::attention_v]->tensor,
              d.parts[A::attention_result]->tensor,
              d.parts[A::attention_statistics]->tensor,
              d.parts[A::attention_scale]->tensor,
              {}};
  if (d.has(A::attention_scores)) {
    const Band* band = std::get_if<Band>(&d.parts[A::attention_scores]->operation);
    if (!band || d.one<int64_t>(A::attention_scores_before) != band->x.id || d.one<int64_t>(A::attention_scores_after) != band->y.id)
      return bad_param;
    a.bands.push_back(*band);
  }
  d.operation = a;
  return a.agrees() ? dnn_success : shape_mismatch;
}

DnnStatus finish(Descriptor& d) {
  using A = Attribute;
  switch (d.kind) {
    case DnnKind::tensor: return finish_tensor(d);
    case DnnKind::convolution: return finish_convolution(d);
    case DnnKind::forward:
      return finish_operation(d, Convolution::Wanted::y,
                              {A::forward_convolution, A::forward_x, A::forward_w, A::forward_y, A::forward_alpha, A::forward_beta});
    case DnnKind::backward_data:
      return finish_operation(d, Convolution::Wanted::x,
                              {A::data_convolution, A::data_dx, A::data_w, A::data_dy, A::data_alpha, A::data_beta});
    case DnnKind::backward_filter:
      return finish_operation(d, Convolution::Wanted::w,
                              {A::filter_convolution, A::filter_x, A::filter_dw, A::filter_dy, A::filter_alpha, A::filter_beta});
    case DnnKind::attention: return finish_attention(d);
    case DnnKind::band_mask: return finish_band(d);
    case DnnKind::graph: d.operation = d.parts[A::graph_operations]->operation; return dnn_success;
    case DnnKind::heuristics: d.operation = d.parts[A::heuristics_graph]->operation; return dnn_success;
    case DnnKind::plan: {
      const Descriptor& config = *d.parts[A::plan_config];
      d.operation = config.operation, d.engine = config.engine;
      return engines()[d.engine].kind == Engine::Kind::unsupported ? not_supported : dnn_success;
    }
    case DnnKind::variant_pack: return d.values[A::pack_ids].count == d.values[A::pack_pointers].count ? dnn_success : bad_param;
    default: return bad_param;
  }
}

/// The last of them is all that the later heuristics know.
std::vector<size_t> proposed(const Descriptor& heuristics) {
  std::vector<size_t> all;
  for (size_t i = 0; i < engines().size(); ++i) all.push_back(i);
  if (heuristics.one<int>(Attribute::heuristics_mode) != dnn_heuristics_a) all.erase(all.begin(), all.end() - 1);
  return all;
}

/// Fills in the caller's descriptors.
DnnStatus give(DnnType type, DnnKind kind, int64_t room, int64_t* count, void* values, std::vector<size_t> engine_numbers,
               const Descriptor& from) {
  if (type != DnnType::descriptor) return wrong_type;
  *count = static_cast<int64_t>(engine_numbers.size());
  for (int64_t i = 0; i < std::min(room, *count); ++i) {
    const std::shared_ptr<Descriptor> to = find_descriptor(static_cast<DnnPointer*>(values)[i]);
    if (!to || to->kind != kind) return bad_param;
    to->engine = engine_numbers[static_cast<size_t>(i)], to->operation = from.operation, to->finalized = true;
  }
  return dnn_success;
}

}  // namespace

const std::vector<Engine>& engines() {
  using Kind = Engine::Kind;
  static const std::vector<Engine> all = {
      {{DnnNote::nondeterministic}, Kind::wrong},
      {{DnnNote::tensor_core, DnnNote::rounds_inputs}, Kind::wrong},
      {{DnnNote::rounds_sums}, Kind::wrong},
      {{DnnNote::winograd, DnnNote::winograd_4x4}, Kind::wrong},
      {{DnnNote::fft}, Kind::wrong},
      {{}, Kind::unsupported},
      {{}, Kind::greedy},
      {{DnnNote::tensor_core}},
      {{}},
  };
  return all;
}

std::map<DnnPointer, std::shared_ptr<Descriptor>>& descriptors() {
  static auto* const all = new std::map<DnnPointer, std::shared_ptr<Descriptor>>;
  return *all;
}

std::shared_ptr<Descriptor> find_descriptor(DnnPointer pointer) {
  const auto found = descriptors().find(pointer);
  return found == descriptors().end() ? nullptr : found->second;
}

std::vector<const Tensor*> tensors_of(const Operation& operation) {
  if (const auto* c = std::get_if<Convolution>(&operation)) return {&c->x, &c->w, &c->y};
  if (const auto* a = std::get_if<Attention>(&operation)) return a->tensors();
  return {};
}

/// Copies of a convolution's tensors, but of those whose channels lie side by side, several 8 of them.
int64_t workspace_of(const Descriptor& plan) {
  if (engines()[plan.engine].kind == Engine::Kind::greedy) return int64_t{1} << 50;
  if (!std::holds_alternative<Convolution>(plan.operation)) return 256;
  uint64_t bytes = 0;
  for (const Tensor* tensor : tensors_of(plan.operation)) {
    const bool as_it_is = tensor->extents[1] % 8 == 0 && tensor->strides[1] == 1 && tensor->strides.back() != 1;
    if (!as_it_is) bytes += tensor->bytes();
  }
  return static_cast<int64_t>(bytes);
}

DnnStatus get(const Descriptor& d, Attribute attribute, DnnType type, int64_t room, int64_t* count, void* values) {
  if (!d.finalized) return not_finalized;
  if (d.kind == DnnKind::heuristics && attribute == Attribute::heuristics_results)
    return give(type, DnnKind::engine_config, room, count, values, proposed(d), d);
  if (d.kind == DnnKind::engine_config && attribute == Attribute::config_engine)
    return give(type, DnnKind::engine, room, count, values, {d.engine}, d);
  if (d.kind == DnnKind::engine && attribute == Attribute::engine_numerics) {
    if (type != DnnType::numerical_note) return wrong_type;
    const std::vector<DnnNote>& notes = engines()[d.engine].notes;
    *count = static_cast<int64_t>(notes.size());
    for (int64_t i = 0; i < std::min(room, *count); ++i) static_cast<int*>(values)[i] = static_cast<int>(notes[static_cast<size_t>(i)]);
    return dnn_success;
  }
  if (d.kind == DnnKind::plan && attribute == Attribute::plan_workspace) {
    if (type != DnnType::int64 || room != 1) return wrong_type;
    *count = 1, *static_cast<int64_t*>(values) = workspace_of(d);
    return dnn_success;
  }
  return bad_param;
}

DnnStatus set(Descriptor& d, Attribute attribute, DnnType type, int64_t count, const void* values) {
  if (d.finalized) return bad_param;
  const auto rule = std::ranges::find_if(rules(), [&](const Rule& r) { return r.kind == d.kind && r.attribute == attribute; });
  if (rule == rules().end() || count < rule->least || count > rule->most || !values) return bad_param;
  if (rule->type != type) return wrong_type;
  Value& value = d.values[attribute];
  value.count = count, value.bytes.resize(static_cast<size_t>(count) * bytes_of(type));
  std::memcpy(value.bytes.data(), values, value.bytes.size());
  if (type != DnnType::descriptor) return dnn_success;
  const std::shared_ptr<Descriptor> part = find_descriptor(d.one<DnnPointer>(attribute));
  constexpr DnnKind operations[] = {DnnKind::forward, DnnKind::backward_data, DnnKind::backward_filter, DnnKind::attention,
                                    DnnKind::band_mask};
  const bool is_operation = part && std::ranges::find(operations, part->kind) != std::end(operations);
  if (!part || (rule->part == DnnKind{} ? !is_operation : part->kind != rule->part)) return bad_param;
  if (!part->finalized) return not_finalized;
  d.parts[attribute] = part;
  return dnn_success;
}

/// Its parts must be there until it is finalized.
DnnStatus finalize(Descriptor& d) {
  for (const Rule& rule : rules()) {
    if (rule.kind != d.kind) continue;
    if (!d.has(rule.attribute)) {
      if (rule.may_be_missing) continue;
      return bad_param;
    }
    if (rule.type == DnnType::descriptor && find_descriptor(d.one<DnnPointer>(rule.attribute)) != d.parts[rule.attribute]) return bad_param;
  }
  const DnnStatus status = finish(d);
  d.finalized = status == dnn_success;
  return status;
}

}  // namespace weft::test::fake_cuda
