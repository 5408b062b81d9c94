#include "weft/backends/cpu/exec/convolution.h"

#include <algorithm>
#include <optional>

#include "weft/backends/cpu/exec/formats.h"
#include "weft/backends/cpu/exec/library.h"
#include "weft/backends/cpu/exec/scratch.h"
#include "weft/backends/cpu/exec/slices.h"
#include "weft/backends/cpu/exec/winograd.h"
#include "weft/runtime/parallel.h"
#include "weft/support/error.h"

namespace weft::cpu {
namespace {

using Desc = dnnl::memory::desc;
using Wanted = ConvolutionSpec::Wanted;

bool is_single(const ConvolutionSpec& s) { return s.w[0] == s.groups; }

/// Do the weights of a group lie together, or one output channel of each group after the other, or all output channels side
/// by side?
bool keeps_groups(const ConvolutionSpec& s) {
  const Layout& w = s.layouts.w;
  if (w.parts(s.w.rank())[0].axis != 0) return !w.is_cut(0);
  return is_single(s) || s.w[0] / s.groups % w.block_of(0) == 0;
}

// --- primitives ------------------------------------------------------------------------------------------------------

dnnl::memory::dims weight_dims(const ConvolutionSpec& s) {
  dnnl::memory::dims d = s.w.dims();
  if (s.groups > 1) d[0] /= s.groups, d.insert(d.begin(), s.groups);
  return d;
}

/// The three tensors, or the formats that they lie in.
template <class T>
struct Three {
  T x, w, y;
};

Three<dnnl::memory::dims> dims_of(const ConvolutionSpec& s, int64_t batch) {
  dnnl::memory::dims x = s.x.dims(), y = s.y.dims();
  x[0] = y[0] = batch;
  return {x, weight_dims(s), y};
}

/// A layout of the weight, as the library has it.
Layout of_groups(const ConvolutionSpec& s, const Layout& own) { return s.groups > 1 ? grouped(own, is_single(s), s.w.rank()) : own; }

/// Where a tensor is to lie; none: as the library likes.
using Format = std::optional<Layout>;

Three<Layout> layouts_of(const ConvolutionSpec& s) { return {s.layouts.x, of_groups(s, s.layouts.w), s.layouts.y}; }

dnnl::primitive_attr user_scratch() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

/// The library's answer for a part of the batch, with the descs that it settled on.
struct Described {
  dnnl::primitive_desc primitive;
  Desc x, w, y, scratch;
  std::string implementation;
};

bool is_plain(const Described& d) { return Answer{d.implementation}.is_plain(); }

dnnl::memory::dims less_one(const Dims& d) {
  dnnl::memory::dims result = d;
  for (auto& x : result) --x;
  return result;
}

/// What the library has for tensors in just these formats. Throws dnnl::error where it has nothing.
Described asked(const ConvolutionSpec& s, int64_t batch, const Three<Format>& formats) {
  const Three<dnnl::memory::dims> dims = dims_of(s, batch);
  const dnnl::memory::data_type type = data_type(s.dtype);
  const Three<Desc> d{described(dims.x, type, formats.x), described(dims.w, type, formats.w), described(dims.y, type, formats.y)};
  const dnnl::memory::dims stride = s.stride, dilation = less_one(s.dilation), low = s.low, high = s.high;
  const auto training = dnnl::prop_kind::forward_training;
  const auto direct = dnnl::algorithm::convolution_direct;
  const dnnl::primitive_attr attr = user_scratch();
#if DNNL_VERSION_MAJOR >= 3
  const dnnl::convolution_forward::primitive_desc forward(engine(), training, direct, d.x, d.w, d.y, stride, dilation, low, high, attr);
#else
  const dnnl::convolution_forward::primitive_desc forward(
      dnnl::convolution_forward::desc(training, direct, d.x, d.w, d.y, stride, dilation, low, high), attr, engine());
#endif
  if (s.wanted == Wanted::y)
    return {forward, forward.src_desc(), forward.weights_desc(), forward.dst_desc(), forward.scratchpad_desc(), forward.impl_info_str()};
  if (s.wanted == Wanted::x) {
#if DNNL_VERSION_MAJOR >= 3
    const dnnl::convolution_backward_data::primitive_desc data(engine(), direct, d.x, d.w, d.y, stride, dilation, low, high, forward, attr);
#else
    const dnnl::convolution_backward_data::primitive_desc data(
        dnnl::convolution_backward_data::desc(direct, d.x, d.w, d.y, stride, dilation, low, high), attr, engine(), forward);
#endif
    return {data, data.diff_src_desc(), data.weights_desc(), data.diff_dst_desc(), data.scratchpad_desc(), data.impl_info_str()};
  }
#if DNNL_VERSION_MAJOR >= 3
  const dnnl::convolution_backward_weights::primitive_desc weights(engine(), direct, d.x, d.w, d.y, stride, dilation, low, high, forward,
                                                                   attr);
#else
  const dnnl::convolution_backward_weights::primitive_desc weights(
      dnnl::convolution_backward_weights::desc(direct, d.x, d.w, d.y, stride, dilation, low, high), attr, engine(), forward);
#endif
  return {weights,
          weights.src_desc(),
          weights.diff_weights_desc(),
          weights.diff_dst_desc(),
          weights.scratchpad_desc(),
          weights.impl_info_str()};
}

/// "acdb": [n, h, w, c].
Layout channels_last(int rank) {
  std::vector<Layout::Part> parts{{0, 0}};
  for (int axis = 2; axis < rank; ++axis) parts.push_back({axis, 0});
  parts.push_back({1, 0});
  return Layout::of(parts);
}

/// "cdba": [h, w, i, o].
Layout spatial_first(int rank) {
  std::vector<Layout::Part> parts;
  for (int axis = 2; axis < rank; ++axis) parts.push_back({axis, 0});
  parts.insert(parts.end(), {{1, 0}, {0, 0}});
  return Layout::of(parts);
}

/// Of these layouts, those that implementations look for in x and y: row-major, channels last and in blocks; else all.
std::vector<Layout> for_images(const std::vector<Layout>& layouts, int rank) {
  std::vector<Layout> known;
  for (const Layout& l : layouts)
    if (l.is_plain() || l == channels_last(rank) || l.is_cut(1)) known.push_back(l);
  return known.empty() ? layouts : known;
}

/// The library's answer for tensors that lie as the spec says, whatever their formats are called. It depends on where the
/// elements lie and on nothing else: a format's other names are tried in one order, until what answers are no plain loops.
class Choice {
 public:
  Choice(const ConvolutionSpec& s, int64_t batch) : spec_(s), batch_(batch), dims_(dims_of(s, batch)) {
    const Three<Layout> given = layouts_of(s);
    const int rank = s.x.rank();
    const dnnl::memory::data_type type = data_type(s.dtype);
    lying_ = {described(dims_.x, type, given.x), described(dims_.w, type, given.w), described(dims_.y, type, given.y)};
    if (is_taken({})) return;
    const std::vector<Layout> xs = for_images(same_memory(dims_.x, given.x), rank), ws = same_memory(dims_.w, given.w),
                              ys = for_images(same_memory(dims_.y, given.y), rank);
    if (xs.empty() || ws.empty() || ys.empty() || is_taken({xs[0], ws[0], ys[0]}) || is_taken({{}, ws[0], {}})) return;
    for (const Layout& x : xs)
      for (const Layout& y : ys)
        if (is_taken({x, {}, y})) return;
    for (const Layout& x : xs)
      for (const Layout& y : ys)
        for (const Layout& w : ws)
          if (is_taken({x, w, y})) return;
  }

  /// Throws dnnl::error where the library has nothing.
  const Described& answer() const {
    if (!found_) throw dnnl::error(dnnl_unimplemented, "it has nothing for these formats");
    return *found_;
  }

 private:
  /// Are they the formats to use? Plain loops are kept for want of better.
  bool is_taken(const Three<Format>& formats) {
    try {
      Described d = asked(spec_, batch_, formats);
      if (!is_same_memory(d.x, lying_.x) || !is_same_memory(d.w, lying_.w) || !is_same_memory(d.y, lying_.y)) return false;
      const bool plain = is_plain(d);
      if (!found_ || !plain) found_ = std::move(d);
      return !plain;
    } catch (const dnnl::error&) {
      return false;
    }
  }

  const ConvolutionSpec& spec_;
  int64_t batch_;
  Three<dnnl::memory::dims> dims_;
  Three<Desc> lying_;
  std::optional<Described> found_;
};

Described describe(const ConvolutionSpec& s, int64_t batch) { return Choice(s, batch).answer(); }

/// All that the library's answer follows from.
std::string key_of(const ConvolutionSpec& s, int64_t batch) {
  return fmt::format("convolution {} of {} {}: {} '{}', {} '{}', {} '{}', {}, {}, {}, {}, {}", static_cast<int>(s.wanted), batch,
                     name_of(s.dtype), to_string(s.x), s.layouts.x.text(), to_string(s.w), s.layouts.w.text(), to_string(s.y),
                     s.layouts.y.text(), s.groups, to_string(s.stride), to_string(s.low), to_string(s.high), to_string(s.dilation));
}

class ConvolutionTask final : public Task {
 public:
  ConvolutionTask(const ConvolutionSpec& s, int64_t scratch_bytes) : Task(s.slices) {
    const auto size = static_cast<int64_t>(size_of(s.dtype));
    const int64_t x = s.x.numel() / s.x[0] * size, y = s.y.numel() / s.y[0] * size, w = s.w.numel() * size;
    const Dims cuts = batch_cuts(s.x[0], s.slices);
    Answer answer;
    for (int64_t i = 0; i < s.slices; ++i) {
      const int64_t first = cuts[static_cast<size_t>(i)], count = cuts[static_cast<size_t>(i) + 1] - first;
      const Described d = describe(s, count);
      LibraryCall call(shared_primitive(key_of(s, count), d.primitive));
      switch (s.wanted) {
        case Wanted::y:
          call.add(DNNL_ARG_SRC, d.x, 0, first * x), call.add(DNNL_ARG_WEIGHTS, d.w, 1, 0), call.add(DNNL_ARG_DST, d.y, 2, first * y);
          break;
        case Wanted::x:
          call.add(DNNL_ARG_DIFF_DST, d.y, 0, first * y), call.add(DNNL_ARG_WEIGHTS, d.w, 1, 0),
              call.add(DNNL_ARG_DIFF_SRC, d.x, 2, first * x);
          break;
        case Wanted::w:
          call.add(DNNL_ARG_SRC, d.x, 0, first * x), call.add(DNNL_ARG_DIFF_DST, d.y, 1, first * y),
              call.add(DNNL_ARG_DIFF_WEIGHTS, d.w, 2, i * w);
          break;
      }
      if (scratch_of(d.scratch) > 0) call.add(DNNL_ARG_SCRATCHPAD, d.scratch, 3, answer.scratch_bytes);
      answer.add(d.implementation, scratch_of(d.scratch));
      calls_.push_back(std::move(call));
    }
    implementation = answer.implementation;
    scratch_.emplace(Scratch::Follows::from_machine, fmt::format("the convolution of {} with {}", to_string(s.x), to_string(s.w)),
                     answer.scratch_bytes, scratch_bytes);
    own_scratch_bytes = scratch_->own_bytes(), is_library_call = true;
    buffers.resize(3 + (scratch_bytes > 0 ? 1 : 0), nullptr);
  }

  void rebound() override {
    for (LibraryCall& c : calls_) c.bind(scratch_->behind(buffers));
  }

  int run(int64_t begin, int64_t end) override {
    for (int64_t i = begin; i < end; ++i)
      if (const int status = calls_[static_cast<size_t>(i)].run(); status != 0) return status;
    return 0;
  }

 private:
  std::vector<LibraryCall> calls_;
  std::optional<Scratch> scratch_;
};

/// Does it; says for what the library had nothing.
template <class Do>
auto told(const ConvolutionSpec& s, Do what) {
  if (s.slices < 1 || s.slices > s.x[0])
    throw Error(ErrorKind::device, "a convolution of {} samples cannot run in {} slices", s.x[0], s.slices);
  try {
    return what();
  } catch (const dnnl::error& e) {
    throw Error(ErrorKind::device, "oneDNN cannot run the convolution of {} {} with {} in the layouts '{}', '{}', '{}': {}",
                name_of(s.dtype), to_string(s.x), to_string(s.w), s.layouts.x.text(), s.layouts.w.text(), s.layouts.y.text(), e.what())
        .hint(hint_for(s.dtype));
  }
}

/// The first layout whose samples lie one behind the other, so that the batch can be cut.
std::optional<Layout> by_sample(const std::vector<Layout>& layouts, int rank) {
  const auto found =
      std::find_if(layouts.begin(), layouts.end(), [&](const Layout& l) { return l.parts(rank)[0].axis == 0 && !l.is_cut(0); });
  return found == layouts.end() ? std::nullopt : std::optional(*found);
}

/// The first layout of the weight that is one without groups too, which it gives.
std::optional<Layout> by_output(const ConvolutionSpec& s, const std::vector<Layout>& layouts) {
  for (const Layout& l : layouts) {
    if (s.groups == 1) return l;
    const auto own = ungrouped(l, is_single(s), s.w.rank());
    if (own && std::find(layouts.begin(), layouts.end(), of_groups(s, *own)) != layouts.end()) return own;
  }
  return std::nullopt;
}

/// With operands where the library likes them best.
Answer best_answer(ConvolutionSpec spec) {
  spec.layouts = preferred_layouts(spec);
  return convolution_answer(spec);
}

}  // namespace

bool supports_convolution(DType dtype) { return dtype == f32 || (dtype == bf16 && has_bf16()); }

bool knows_formats(const ConvolutionSpec& s) {
  if (s.groups > 1 && !keeps_groups(s)) return false;
  const Three<Layout> layouts = layouts_of(s);
  return is_known(layouts.x, s.x.rank()) && is_known(layouts.w, s.w.rank() + (s.groups > 1 ? 1 : 0)) && is_known(layouts.y, s.y.rank());
}

ConvolutionLayouts preferred_layouts(const ConvolutionSpec& spec) {
  const SerialLibraries scope;
  const int64_t batch = std::max<int64_t>(1, spec.x[0] / spec.slices);
  const Three<dnnl::memory::dims> dims = dims_of(spec, batch);
  const int rank = spec.x.rank();
  const Layout last = channels_last(rank), row_major{}, plain = of_groups(spec, {}), inputs_last = of_groups(spec, spatial_first(rank));
  const Three<Format> any{};
  Three<Format> unpadded = any;
  const auto tried = [&](const Three<Format>& formats) -> std::optional<ConvolutionLayouts> {
    try {
      const Described d = asked(spec, batch, formats);
      const auto x = by_sample(same_memory(dims.x, d.x), rank), w = by_output(spec, same_memory(dims.w, d.w)),
                 y = by_sample(same_memory(dims.y, d.y), rank);
      if (x && w && y && !is_plain(d)) return ConvolutionLayouts{*x, *w, *y};
      if (!x) unpadded.x = last;
      if (!y) unpadded.y = last;
    } catch (const dnnl::error&) {  // nothing for these formats
    }
    return std::nullopt;
  };
  // Where the library would pad the channels: those tensors with channels last; then both. Where it still would, or had only
  // its plain loops to offer: row-major and channels last again, as its products of matrices take them.
  if (const auto found = tried(any)) return *found;
  if (const auto found = tried(unpadded)) return *found;
  for (const Three<Format>& formats :
       {Three<Format>{last, {}, last}, {row_major, plain, row_major}, {last, inputs_last, last}, {{}, plain, {}}})
    if (const auto found = tried(formats)) return *found;
  return {};
}

bool has_only_plain_loops(const ConvolutionSpec& spec) { return convolution_answer(spec).is_plain() && best_answer(spec).is_plain(); }

bool has_only_products(const ConvolutionSpec& spec) { return best_answer(spec).implementation.find("gemm") != std::string::npos; }

bool is_faster_in_f32(const ConvolutionSpec& spec) { return spec.dtype == bf16 && has_only_products(spec); }

bool runs_faster_as(const ConvolutionSpec& data, const ConvolutionSpec& forward) {
  if (has_only_plain_loops(forward)) return !has_only_plain_loops(data);
  // The library's AVX2 kernels add up 3 positions times some blocks of 8 output channels at once, and with few blocks wait
  // for their own sums. Forward they take 4 blocks and then what is left, backward as many as divide their number. Measured
  // shares of the machine's peak, by blocks at once:
  constexpr double forward_share[] = {0, 0.33, 0.60, 0.83, 0.97}, data_share[] = {0, 0.60, 0.90, 0.83, 0.97};
  constexpr int64_t block = 8, least_positions = 2048;  // fewer are not worth another reorder of the weight
  const int64_t channels = forward.w[0] / forward.groups, blocks = channels / block;
  if (channels % block || blocks == 0 || forward.y.numel() / forward.y[1] < least_positions) return false;
  const int64_t rest = blocks % 4, at_once = rest == 0 ? 4 : rest == 2 ? 2 : blocks % 3 == 0 ? 3 : 1;
  const double whole = static_cast<double>(blocks - rest) / forward_share[4],
               left = rest ? static_cast<double>(rest) / forward_share[rest] : 0;
  if (static_cast<double>(blocks) / data_share[at_once] * 1.1 > whole + left) return false;

  return best_answer(forward).implementation == "jit:avx2" && best_answer(data).implementation == "jit:avx2";
}

int64_t useful_slices(const ConvolutionSpec& s, int cores) { return useful_threads(s.flops(), std::min<int64_t>(cores, s.x[0])); }

Answer convolution_answer(const ConvolutionSpec& spec) {
  if (spec.algorithm == ConvolutionAlgorithm::winograd) return winograd_answer(spec);
  const SerialLibraries scope;
  return told(spec, [&] {
    const Dims cuts = batch_cuts(spec.x[0], spec.slices);
    Answer answer;
    for (size_t i = 0; i + 1 < cuts.size(); ++i) {
      const Described d = describe(spec, cuts[i + 1] - cuts[i]);
      answer.add(d.implementation, scratch_of(d.scratch));
    }
    return answer;
  });
}

std::unique_ptr<Task> make_convolution(const ConvolutionSpec& spec, int64_t scratch_bytes) {
  if (spec.algorithm == ConvolutionAlgorithm::winograd) return make_winograd(spec, scratch_bytes);
  const SerialLibraries scope;
  return told(spec, [&] { return std::make_unique<ConvolutionTask>(spec, scratch_bytes); });
}

}  // namespace weft::cpu
