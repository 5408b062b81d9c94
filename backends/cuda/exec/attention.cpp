#include "weft/backends/cuda/exec/attention.h"

#include <algorithm>
#include <limits>

#include "weft/support/error.h"

namespace weft::cuda {
namespace {

bool is_aligned(const StridedView& view) {
  constexpr int64_t elements = attention_alignment / 2;
  const auto is_multiple = [](int64_t n) { return n % elements == 0; };
  return is_multiple(view.offset) && is_multiple(view.extents.back()) &&
         std::all_of(view.strides.begin(), view.strides.end() - 1, [&](int64_t stride) { return stride > 0 && is_multiple(stride); });
}

}  // namespace

bool is_for_library(const AttentionCall& a) {
  // Inside the library offsets are ints.
  const auto fits = [](const StridedView& view) { return view.reach() <= std::numeric_limits<int32_t>::max(); };
  return !a.is_gradient && a.dtype == bf16 && a.mask == ScoreMask::none && a.batch.size() <= 2 &&
         std::all_of(a.places.begin(), a.places.end(), [&](const StridedView& view) { return fits(view) && is_aligned(view); });
}

int64_t workspace_bytes(const AttentionCall& a) {
  constexpr int64_t counters = 1024;  // by which its blocks share the work
  return is_for_library(a) ? counters : 0;
}

CallDescriptor describe(const AttentionCall& a, const KernelCall& kernels) {
  CallDescriptor call = describe(kernels);
  call.call = call_name(a);
  add_fields(call, a);
  call.fields["dtype"] = std::string(name_of(a.dtype));
  return call;
}

AttentionCall attention_of(const CallDescriptor& c) {
  AttentionCall a;
  a.dtype = c.dtype("dtype");
  if (!is_floating(a.dtype)) throw Error(ErrorKind::file, "attention of {}: no call of weft is so", name_of(a.dtype));
  read_fields(c, a);
  if (!is_for_library(a)) throw Error(ErrorKind::file, "attention of {} that a library runs: no call of weft is so", name_of(a.dtype));
  return a;
}

void require_attention(const CallDescriptor& call, const Launch& launch) {
  require_buffers("attention", attention_of(call).bytes(), launch);
}

}  // namespace weft::cuda
