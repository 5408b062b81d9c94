#include "weft/backends/cpu/exec/convolution.h"

#include <dnnl_debug.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <numeric>
#include <optional>

#include "weft/backends/cpu/exec/library.h"
#include "weft/backends/cpu/exec/scratch.h"
#include "weft/runtime/parallel.h"
#include "weft/support/error.h"

namespace weft::cpu {
namespace {

using Desc = dnnl::memory::desc;
using Tag = dnnl::memory::format_tag;
using Wanted = ConvolutionSpec::Wanted;

constexpr double least_flops = 3e5;  // some microseconds of work, far more than a barrier costs

// --- formats by name -------------------------------------------------------------------------------------------------

/// The library's formats by their names; each has one of letters, "aBcd8b", besides those that speak of images.
const std::map<std::string, Tag>& formats() {
  static const std::map<std::string, Tag> all = [] {
    std::map<std::string, Tag> found;
    for (int tag = static_cast<int>(dnnl_format_tag_any) + 1; tag < static_cast<int>(dnnl_format_tag_last); ++tag)
      found.emplace(dnnl_fmt_tag2str(static_cast<dnnl_format_tag_t>(tag)), static_cast<Tag>(tag));
    return found;
  }();
  return all;
}

std::string row_major(size_t rank) { return std::string("abcdef").substr(0, rank); }

bool is_known(const std::string& format) { return format.empty() || formats().contains(format); }

Tag tag_of(const std::string& format, size_t rank) {
  const auto found = formats().find(format.empty() ? row_major(rank) : format);
  if (found == formats().end()) throw Error("oneDNN has no format '{}'", format);
  return found->second;
}

bool is_padded(const Desc& d) {
#if DNNL_VERSION_MAJOR >= 3
  return d.get_padded_dims() != d.get_dims();
#else
  return !std::equal(d.data.dims, d.data.dims + d.data.ndims, d.data.padded_dims);
#endif
}

/// The name of a desc's format; none where it is padded or has no name.
std::optional<std::string> name_of_format(const Desc& d, const dnnl::memory::dims& dims) {
  if (is_padded(d)) return std::nullopt;
  for (const auto& [name, tag] : formats()) {
    int axes = 0;
    for (size_t i = 0; i < name.size(); ++i) {
      const auto digit = [&](size_t at) { return std::isdigit(static_cast<unsigned char>(name[at])) != 0; };
      axes += !digit(i) && (i == 0 || !digit(i - 1));
    }
    // Names of letters only; those that speak of images are other names of the same formats.
    if (axes != static_cast<int>(dims.size()) || name.find_first_of("aA") == std::string::npos) continue;
    try {
      if (Desc(dims, dnnl::memory::data_type::f32, tag) == d) return name == row_major(dims.size()) ? "" : name;
    } catch (const dnnl::error&) {  // a format for another number of axes
    }
  }
  return std::nullopt;
}

// Grouped weights are [groups, o / groups, i, ..] to the library and [o, i, ..] to us: the same memory, where groups come
// outermost, or one by one.

char shifted(char letter) { return static_cast<char>(letter + 1); }

/// "ABcd8b8a" -> "aBCde8c8b"; with one output channel a group, "Abcd8a" -> "Abcde8a".
std::string grouped_format(const std::string& format, bool single, size_t rank) {
  const std::string own = format.empty() ? row_major(rank) : format;
  std::string result = single ? "" : "a";
  for (char c : own) {
    const bool first = std::tolower(static_cast<unsigned char>(c)) == 'a';
    if (std::isdigit(static_cast<unsigned char>(c)) || (single && first)) result += c;
    else result += shifted(c);
    if (single && first && result.size() == 1) result += 'b';
  }
  return result;
}

std::optional<std::string> ungrouped_format(const std::string& format, bool single, size_t rank) {
  const std::string own = format.empty() ? row_major(rank + 1) : format;
  if (own.size() < 2 || (single ? std::tolower(static_cast<unsigned char>(own[0])) != 'a' || own[1] != 'b' : own[0] != 'a')) return std::nullopt;
  std::string result;
  for (size_t i = 0; i < own.size(); ++i) {
    const char c = own[i];
    if ((single && i == 1) || (!single && i == 0)) continue;
    const bool first = std::tolower(static_cast<unsigned char>(c)) == 'a';
    result += std::isdigit(static_cast<unsigned char>(c)) || (single && first) ? c : static_cast<char>(c - 1);
  }
  return result == row_major(rank) ? "" : result;
}

bool is_single(const ConvolutionSpec& s) { return s.w[0] == s.groups; }

/// Do the weights of a group lie together, or one output channel of each group after the other?
bool keeps_groups(const ConvolutionSpec& s) {
  if (s.w_layout.empty()) return true;
  if (std::tolower(static_cast<unsigned char>(s.w_layout[0])) != 'a') return false;
  int64_t block = 0, all = 1;
  for (char c : s.w_layout)
    if (std::isdigit(static_cast<unsigned char>(c))) block = block * 10 + (c - '0');
    else all *= c == 'a' && block ? block : 1, block = 0;
  return is_single(s) || s.w[0] / s.groups % all == 0;
}

// --- primitives ------------------------------------------------------------------------------------------------------

dnnl::memory::dims weight_dims(const ConvolutionSpec& s) {
  dnnl::memory::dims d = s.w;
  if (s.groups > 1) d[0] /= s.groups, d.insert(d.begin(), s.groups);
  return d;
}

struct Descs {
  Desc x, w, y;
};

/// The three tensors for `batch` samples. Formats may be "any".
Descs descs_of(const ConvolutionSpec& s, int64_t batch) {
  const auto type = dnnl::memory::data_type::f32;
  const auto desc = [&](dnnl::memory::dims dims, const std::string& format) {
    return Desc(dims, type, format == "any" ? Tag::any : tag_of(format, dims.size()));
  };
  dnnl::memory::dims x = s.x, y = s.y;
  x[0] = y[0] = batch;
  std::string w = s.w_layout;
  if (s.groups > 1 && w != "any") w = grouped_format(w, is_single(s), s.w.size());
  return {desc(x, s.x_layout), desc(weight_dims(s), w), desc(y, s.y_layout)};
}

dnnl::primitive_attr user_scratch() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

/// The primitive for a part of the batch, with the descs that it settled on.
struct Described {
  dnnl::primitive primitive;
  Desc x, w, y, scratch;
  std::string implementation;
};

dnnl::memory::dims less_one(const Dims& d) {
  dnnl::memory::dims result = d;
  for (auto& x : result) --x;
  return result;
}

Described describe(const ConvolutionSpec& s, int64_t batch) {
  const Descs d = descs_of(s, batch);
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
    return {dnnl::convolution_forward(forward), forward.src_desc(), forward.weights_desc(), forward.dst_desc(), forward.scratchpad_desc(), forward.impl_info_str()};
  if (s.wanted == Wanted::x) {
#if DNNL_VERSION_MAJOR >= 3
    const dnnl::convolution_backward_data::primitive_desc data(engine(), direct, d.x, d.w, d.y, stride, dilation, low, high, forward, attr);
#else
    const dnnl::convolution_backward_data::primitive_desc data(
        dnnl::convolution_backward_data::desc(direct, d.x, d.w, d.y, stride, dilation, low, high), attr, engine(), forward);
#endif
    return {dnnl::convolution_backward_data(data), data.diff_src_desc(), data.weights_desc(), data.diff_dst_desc(), data.scratchpad_desc(),
            data.impl_info_str()};
  }
#if DNNL_VERSION_MAJOR >= 3
  const dnnl::convolution_backward_weights::primitive_desc weights(engine(), direct, d.x, d.w, d.y, stride, dilation, low, high, forward, attr);
#else
  const dnnl::convolution_backward_weights::primitive_desc weights(
      dnnl::convolution_backward_weights::desc(direct, d.x, d.w, d.y, stride, dilation, low, high), attr, engine(), forward);
#endif
  return {dnnl::convolution_backward_weights(weights), weights.src_desc(), weights.diff_weights_desc(), weights.diff_dst_desc(), weights.scratchpad_desc(),
          weights.impl_info_str()};
}

int64_t elements(const Dims& d) { return std::accumulate(d.begin(), d.end(), int64_t{1}, std::multiplies<>()); }

/// The first sample of each part, and the end.
std::vector<int64_t> cuts_of(const ConvolutionSpec& s) {
  std::vector<int64_t> cuts;
  for (int64_t i = 0; i <= s.slices; ++i) cuts.push_back(s.x[0] * i / s.slices);
  return cuts;
}

class ConvolutionTask final : public Task {
 public:
  ConvolutionTask(const ConvolutionSpec& s, int64_t scratch_bytes) : Task(s.slices) {
    constexpr auto size = static_cast<int64_t>(sizeof(float));
    const int64_t x = elements(s.x) / s.x[0] * size, y = elements(s.y) / s.y[0] * size, w = elements(s.w) * size;
    const std::vector<int64_t> cuts = cuts_of(s);
    int64_t scratch = 0;
    for (int64_t i = 0; i < s.slices; ++i) {
      const int64_t first = cuts[static_cast<size_t>(i)], count = cuts[static_cast<size_t>(i) + 1] - first;
      const Described d = describe(s, count);
      LibraryCall call(d.primitive);
      switch (s.wanted) {
        case Wanted::y:
          call.add(DNNL_ARG_SRC, d.x, 0, first * x), call.add(DNNL_ARG_WEIGHTS, d.w, 1, 0), call.add(DNNL_ARG_DST, d.y, 2, first * y);
          break;
        case Wanted::x:
          call.add(DNNL_ARG_DIFF_DST, d.y, 0, first * y), call.add(DNNL_ARG_WEIGHTS, d.w, 1, 0), call.add(DNNL_ARG_DIFF_SRC, d.x, 2, first * x);
          break;
        case Wanted::w:
          call.add(DNNL_ARG_SRC, d.x, 0, first * x), call.add(DNNL_ARG_DIFF_DST, d.y, 1, first * y), call.add(DNNL_ARG_DIFF_WEIGHTS, d.w, 2, i * w);
          break;
      }
      if (const int64_t own = scratch_of(d.scratch)) call.add(DNNL_ARG_SCRATCHPAD, d.scratch, 3, scratch), scratch += own;
      calls_.push_back(std::move(call));
    }
    scratch_.emplace(fmt::format("the convolution of {} with {}", to_string(s.x), to_string(s.w)), scratch, scratch_bytes);
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

/// Layouts that the library knows, but not together: only a text can ask for them.
[[noreturn]] void refuse(const ConvolutionSpec& s, const dnnl::error& e) {
  throw Error("oneDNN cannot run the convolution of {} with {} in the layouts '{}', '{}', '{}': {}", to_string(s.x), to_string(s.w), s.x_layout, s.w_layout,
              s.y_layout, e.what());
}

std::string channels_last(size_t rank) { return rank == 3 ? "acb" : rank == 4 ? "acdb" : "acdeb"; }

}  // namespace

bool knows_formats(const ConvolutionSpec& s) {
  if (s.groups > 1 && !keeps_groups(s)) return false;
  const std::string w = s.groups > 1 ? grouped_format(s.w_layout, is_single(s), s.w.size()) : s.w_layout;
  return is_known(s.x_layout) && is_known(w) && is_known(s.y_layout);
}

ConvolutionLayouts preferred_layouts(const ConvolutionSpec& spec) {
  const SerialLibraries scope;
  ConvolutionSpec s = spec;
  s.x_layout = s.w_layout = s.y_layout = "any";
  // Where the library would pad the channels: those tensors with channels last; then both. Where it still would, or had only
  // its plain loops to offer: row-major, for which it has products of matrices.
  for (int attempt = 0; attempt < 3; ++attempt) {
    try {
      const int64_t batch = std::max<int64_t>(1, spec.x[0] / spec.slices);
      const Described d = describe(s, batch);
      dnnl::memory::dims x = s.x, y = s.y;
      x[0] = y[0] = batch;
      const auto x_name = name_of_format(d.x, x), y_name = name_of_format(d.y, y);
      auto w_name = name_of_format(d.w, weight_dims(s));
      if (w_name && s.groups > 1) w_name = ungrouped_format(*w_name, is_single(s), s.w.size());
      // Parts of the batch must lie one behind the other.
      const auto by_sample = [](const std::optional<std::string>& name) { return name && (name->empty() || (*name)[0] == 'a'); };
      const bool fits = by_sample(x_name) && by_sample(y_name) && w_name;
      if (fits && !d.implementation.starts_with("ref")) return {*x_name, *w_name, *y_name};
      if (!by_sample(x_name) || attempt == 1) s.x_layout = channels_last(s.x.size());
      if (!by_sample(y_name) || attempt == 1) s.y_layout = channels_last(s.y.size());
    } catch (const dnnl::error&) {
      break;
    }
  }
  return {};
}

bool runs_faster_as(ConvolutionSpec data, ConvolutionSpec forward) {
  // The library's AVX2 kernels add up 3 positions times some blocks of 8 output channels at once, and with few blocks wait
  // for their own sums. Forward they take 4 blocks and then what is left, backward as many as divide their number. Measured
  // shares of the machine's peak, by blocks at once:
  constexpr double forward_share[] = {0, 0.33, 0.60, 0.83, 0.97}, data_share[] = {0, 0.60, 0.90, 0.83, 0.97};
  constexpr int64_t block = 8, least_positions = 2048;  // fewer are not worth another reorder of the weight
  const int64_t channels = forward.w[0] / forward.groups, blocks = channels / block;
  if (channels % block || blocks == 0 || elements(forward.y) / forward.y[1] < least_positions) return false;
  const int64_t rest = blocks % 4, at_once = rest == 0 ? 4 : rest == 2 ? 2 : blocks % 3 == 0 ? 3 : 1;
  const double whole = static_cast<double>(blocks - rest) / forward_share[4], left = rest ? static_cast<double>(rest) / forward_share[rest] : 0;
  if (static_cast<double>(blocks) / data_share[at_once] * 1.1 > whole + left) return false;

  const SerialLibraries scope;
  for (ConvolutionSpec* spec : {&data, &forward}) spec->x_layout = spec->w_layout = spec->y_layout = "any";
  try {
    return describe(forward, 1).implementation == "jit:avx2" && describe(data, 1).implementation == "jit:avx2";
  } catch (const dnnl::error&) {
    return false;
  }
}

int64_t useful_slices(const ConvolutionSpec& s, int cores) {
  double kernel = static_cast<double>(s.w[1]);
  for (size_t d = 2; d < s.w.size(); ++d) kernel *= static_cast<double>(s.w[d]);
  const double flops = 2 * static_cast<double>(elements(s.y)) * kernel;
  return std::clamp<int64_t>(static_cast<int64_t>(flops / least_flops), 1, std::min<int64_t>(cores, s.x[0]));
}

int64_t convolution_scratch_bytes(const ConvolutionSpec& spec) {
  const SerialLibraries scope;
  const std::vector<int64_t> cuts = cuts_of(spec);
  int64_t bytes = 0;
  try {
    for (size_t i = 0; i + 1 < cuts.size(); ++i) bytes += scratch_of(describe(spec, cuts[i + 1] - cuts[i]).scratch);
  } catch (const dnnl::error& e) {
    refuse(spec, e);
  }
  return bytes;
}

std::unique_ptr<Task> make_convolution(const ConvolutionSpec& spec, int64_t scratch_bytes) {
  const SerialLibraries scope;
  try {
    return std::make_unique<ConvolutionTask>(spec, scratch_bytes);
  } catch (const dnnl::error& e) {
    refuse(spec, e);
  }
}

}  // namespace weft::cpu
