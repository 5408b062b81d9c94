#include "weft/backends/cpu/exec/calls.h"

#include <algorithm>
#include <iterator>

#include "weft/runtime/attention_call.h"
#include "weft/runtime/convolution_call.h"
#include "weft/support/error.h"
#include "weft/support/slices.h"

namespace weft::cpu {
namespace {

using Wanted = ConvolutionSpec::Wanted;

// --- Products -------------------------------------------------------------------------------------------------------------

MatmulSpec matmul_of(const CallDescriptor& c) {
  const MatmulSpec s{product_of(c), c.count("slices")};
  if (!is_floating(s.dtype) || s.dtype == f64 || s.slices < 1 || s.slices > most_slices)
    throw Error(ErrorKind::file, "a product of {} in {} slices: no call of weft is so", name_of(s.dtype), s.slices);
  return s;
}

Dims matmul_bytes(const CallDescriptor& c) { return bytes_needed(matmul_of(c)); }

// --- Convolutions ---------------------------------------------------------------------------------------------------------

constexpr std::string_view name_of(Wanted wanted) {
  switch (wanted) {
    case Wanted::y: return "convolution";
    case Wanted::x: return "convolution_data";
    case Wanted::w: return "convolution_weight";
  }
  return "";
}

template <Wanted wanted>
ConvolutionSpec convolution_of(const CallDescriptor& c) {
  ConvolutionSpec s;
  s.wanted = wanted;
  if (c.fields.contains("dtype")) s.dtype = c.dtype("dtype");  // files of before hold f32
  if (s.dtype != f32 && s.dtype != bf16) throw Error(ErrorKind::file, "a convolution of {}: no call of weft is so", weft::name_of(s.dtype));
  s.slices = c.count("slices");
  read_fields(c, s);
  if (!is_consistent(s) || s.slices < 1 || s.slices > std::min(s.x[0], most_slices))
    throw Error(ErrorKind::file, "a convolution of {} with {} to {} in {} slices: no call of weft is so", to_string(s.x), to_string(s.w),
                to_string(s.y), s.slices);
  read_layouts(c, s);
  if (!c.fields.contains("algorithm")) return s;  // as a rule it is the direct one
  const auto algorithm = convolution_algorithm_from_name(c.text("algorithm"));
  if (!algorithm) throw Error(ErrorKind::file, "a convolution by '{}': no call of weft is so", c.text("algorithm"));
  s.algorithm = *algorithm;
  return s;
}

template <Wanted wanted>
Dims convolution_bytes(const CallDescriptor& c) {
  const ConvolutionSpec s = convolution_of<wanted>(c);
  const auto bytes = [&](const Shape& shape) { return bytes_of(s.dtype, shape.dims()); };
  const auto parts = [&] {
    Dims extents = s.w.dims();
    extents.push_back(s.slices);
    return bytes_of(s.dtype, std::move(extents));
  };
  switch (wanted) {
    case Wanted::y: return {bytes(s.x), bytes(s.w), bytes(s.y)};
    case Wanted::x: return {bytes(s.y), bytes(s.w), bytes(s.x)};
    case Wanted::w: return {bytes(s.x), bytes(s.y), parts()};
  }
  return {};
}

// --- Attention ------------------------------------------------------------------------------------------------------------

AttentionSpec attention_of(const CallDescriptor& c) {
  AttentionSpec s;
  read_fields(c, s);
  s.slices = c.count("slices");
  if (s.slices < 1 || s.slices > std::min(s.heads() / s.group, most_slices))
    throw Error(ErrorKind::file, "attention in {} slices: no call of weft is so", s.slices);
  return s;
}

Dims attention_bytes(const CallDescriptor& c) { return attention_of(c).bytes(); }

// --- Indices --------------------------------------------------------------------------------------------------------------

CallDescriptor describe(std::string call, const IndexingSpec& s) {
  return {std::move(call),
          {{"dtype", std::string(name_of(s.dtype))}, {"outer", s.outer}, {"extent", s.extent}, {"count", s.count}, {"inner", s.inner}}};
}

IndexingSpec indexing_of(const CallDescriptor& c) {
  IndexingSpec s;
  s.dtype = c.dtype("dtype"), s.outer = c.count("outer"), s.extent = c.count("extent"), s.count = c.count("count"),
  s.inner = c.count("inner");
  return s;
}

Dims gather_bytes(const CallDescriptor& c) {
  const IndexingSpec s = indexing_of(c);
  return {bytes_of(s.dtype, {s.outer, s.extent, s.inner}), bytes_of(i64, {s.count}), bytes_of(s.dtype, {s.outer, s.count, s.inner})};
}

Dims scatter_bytes(const CallDescriptor& c) {
  const IndexingSpec s = indexing_of(c);
  const int64_t x = bytes_of(s.dtype, {s.outer, s.extent, s.inner});
  return {x, bytes_of(i64, {s.count}), bytes_of(s.dtype, {s.outer, s.count, s.inner}), x};
}

Dims coalesce_bytes(const CallDescriptor& c) {
  const IndexingSpec s = indexing_of(c);
  const int64_t rows = bytes_of(s.dtype, {s.count, s.inner});
  return {bytes_of(i64, {s.count}), rows, rows};
}

// --- Order ----------------------------------------------------------------------------------------------------------------

SortSpec sort_of(const CallDescriptor& c) {
  SortSpec s;
  s.dtype = c.dtype("dtype"), s.outer = c.count("outer"), s.extent = c.count("extent"), s.inner = c.count("inner");
  s.start = c.count("start"), s.count = c.count("count"), s.descending = c.flag("descending"), s.slices = c.count("slices");
  bytes_of(i64, {s.outer, s.extent, s.inner, 4});  // so that all sizes are numbers
  if (s.start > s.extent || s.count > s.extent - s.start || s.slices < 1 || s.slices > std::clamp<int64_t>(s.rows(), 1, most_slices))
    throw Error(ErrorKind::file, "sorting {} rows of {}, from {} on {}, in {} slices: no call of weft is so", s.rows(), s.extent, s.start,
                s.count, s.slices);
  return s;
}

Dims sort_bytes(const CallDescriptor& c) { return sort_of(c).bytes(); }

// --- Kernels --------------------------------------------------------------------------------------------------------------

std::unique_ptr<Task> make_kernel(const CallDescriptor& c, const Code* code) {
  if (!code) throw Error(ErrorKind::file, "a kernel is called, but there is no code");
  const Dims& list = c.list("pointers");
  const auto buffers = static_cast<size_t>(c.count("buffers"));
  std::vector<KernelTask::Pointer> pointers;
  for (size_t i = 0; i + 1 < list.size(); i += 2) pointers.push_back({static_cast<size_t>(list[i]), list[i + 1]});
  const bool inside = std::all_of(pointers.begin(), pointers.end(), [&](const auto& p) { return p.buffer < buffers && p.offset >= 0; });
  if (list.size() % 2 != 0 || !inside || buffers > list.size())
    throw Error(ErrorKind::file, "the table of the kernel '{}' points to what it has not", c.text("name"));
  auto task = std::make_unique<KernelTask>(code->find(c.text("name")), c.count("units"), std::move(pointers));
  task->buffers.resize(buffers, nullptr);
  return task;
}

// --- All of them ----------------------------------------------------------------------------------------------------------

struct Row {
  std::string_view call;
  std::unique_ptr<Task> (*make)(const CallDescriptor&, const Code*);
  Dims (*bytes)(const CallDescriptor&) = nullptr;
};

template <Wanted wanted>
Row convolution_row() {
  return {name_of(wanted),
          [](const CallDescriptor& c, const Code*) { return make_convolution(convolution_of<wanted>(c), c.count("scratch")); },
          convolution_bytes<wanted>};
}

Row attention_row(std::string_view name) {
  return {name, [](const CallDescriptor& c, const Code*) { return make_attention(attention_of(c), c.count("scratch")); }, attention_bytes};
}

const Row& row_of(const CallDescriptor& call) {
  static const std::vector<Row> rows = {
      {"kernel", make_kernel},
      {"matmul", [](const CallDescriptor& c, const Code*) { return make_matmul(matmul_of(c), c.count("scratch")); }, matmul_bytes},
      attention_row("attention"),
      attention_row("attention_gradient"),
      convolution_row<Wanted::y>(),
      convolution_row<Wanted::x>(),
      convolution_row<Wanted::w>(),
      {"gather", [](const CallDescriptor& c, const Code*) { return make_gather(indexing_of(c)); }, gather_bytes},
      {"scatter_add", [](const CallDescriptor& c, const Code*) { return make_scatter_add(indexing_of(c), c.count("scratch")); },
       scatter_bytes},
      {"scatter_rows", [](const CallDescriptor& c, const Code*) { return make_scatter_rows(indexing_of(c)); }, scatter_bytes},
      {"sort", [](const CallDescriptor& c, const Code*) { return make_sort(sort_of(c), c.count("scratch")); }, sort_bytes},
      {"coalesce", [](const CallDescriptor& c, const Code*) { return make_coalesce(indexing_of(c), c.count("scratch")); }, coalesce_bytes},
  };
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.call == call.call; });
  if (found == rows.end()) throw Error(ErrorKind::file, "the program makes a call '{}', which this weft does not know", call.call);
  return *found;
}

}  // namespace

CallDescriptor describe(const MatmulSpec& s, int64_t scratch_bytes) {
  CallDescriptor call{"matmul", {{"slices", s.slices}, {"scratch", scratch_bytes}}};
  add_fields(call, s);
  return call;
}

CallDescriptor describe(const ConvolutionSpec& s, int64_t scratch_bytes) {
  CallDescriptor call{std::string(name_of(s.wanted)),
                      {{"dtype", std::string(name_of(s.dtype))}, {"slices", s.slices}, {"scratch", scratch_bytes}}};
  add_fields(call, s);
  if (s.algorithm != ConvolutionAlgorithm::direct) call.fields.emplace("algorithm", std::string(name_of(s.algorithm)));
  return call;
}

CallDescriptor describe(const AttentionSpec& s, int64_t scratch_bytes) {
  CallDescriptor call{std::string(call_name(s)), {{"slices", s.slices}, {"scratch", scratch_bytes}}};
  add_fields(call, s);
  return call;
}

CallDescriptor describe(const SortSpec& s, int64_t scratch_bytes) {
  return {"sort",
          {{"dtype", std::string(name_of(s.dtype))},
           {"outer", s.outer},
           {"extent", s.extent},
           {"inner", s.inner},
           {"start", s.start},
           {"count", s.count},
           {"descending", int64_t{s.descending}},
           {"slices", s.slices},
           {"scratch", scratch_bytes}}};
}

CallDescriptor describe_gather(const IndexingSpec& s) { return describe("gather", s); }
CallDescriptor describe_scatter_rows(const IndexingSpec& s) { return describe("scatter_rows", s); }

CallDescriptor describe_scatter_add(const IndexingSpec& s, int64_t scratch_bytes) {
  CallDescriptor call = describe("scatter_add", s);
  call.fields["scratch"] = scratch_bytes;
  return call;
}

CallDescriptor describe_coalesce(const IndexingSpec& s, int64_t scratch_bytes) {
  CallDescriptor call = describe("coalesce", s);
  call.fields["scratch"] = scratch_bytes;
  return call;
}

CallDescriptor describe_kernel(const std::string& name, int64_t units, size_t buffers, std::span<const KernelTask::Pointer> pointers) {
  Dims list;
  for (const KernelTask::Pointer& p : pointers) list.insert(list.end(), {static_cast<int64_t>(p.buffer), p.offset});
  return {"kernel", {{"name", name}, {"units", units}, {"buffers", static_cast<int64_t>(buffers)}, {"pointers", list}}};
}

std::unique_ptr<Task> make_task(const CallDescriptor& call, const Code* code) { return row_of(call).make(call, code); }

Dims bytes_needed(const CallDescriptor& call) {
  const Row& row = row_of(call);
  return row.bytes ? row.bytes(call) : Dims();
}

}  // namespace weft::cpu
