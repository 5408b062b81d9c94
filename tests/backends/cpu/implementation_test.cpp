// Which of the library's implementations run convolutions and products: never its plain loops where it has anything else.
// Run under every limit of the instruction set.

#include <dnnl_debug.h>
#include <dnnl.hpp>

#include <algorithm>
#include <numeric>
#include <optional>

#include "weft/backends/cpu/exec/convolution.h"
#include "weft/backends/cpu/exec/library.h"
#include "weft/backends/cpu/exec/matmul.h"
#include "weft/runtime/parallel.h"
#include "weft/support/error.h"
#include "weft/tests/catch.h"

using namespace weft;
using cpu::ConvolutionSpec;
using Wanted = ConvolutionSpec::Wanted;

namespace {

std::string text_of(const ConvolutionSpec& s) {
  const char* wanted[] = {"y", "x", "w"};
  return fmt::format("{} of x {} \"{}\", w {} \"{}\", y {} \"{}\", groups {}, stride {}, low {}, high {}, dilation {}",
                     wanted[static_cast<int>(s.wanted)], to_string(s.x), s.layouts.x.text(), to_string(s.w), s.layouts.w.text(),
                     to_string(s.y), s.layouts.y.text(), s.groups, to_string(s.stride), to_string(s.low), to_string(s.high),
                     to_string(s.dilation));
}

// --- all that the library has, asked without any of our choices --------------------------------------------------------

using Desc = dnnl::memory::desc;
using Tag = dnnl::memory::format_tag;

dnnl::memory::dims library_weight(const ConvolutionSpec& s) {
  dnnl::memory::dims d = s.w.dims();
  if (s.groups > 1) d[0] /= s.groups, d.insert(d.begin(), s.groups);
  return d;
}

/// The implementation for these descs; "" where there is none. `settled` gets the descs that it took.
std::string implementation(const ConvolutionSpec& s, const Desc& x, const Desc& w, const Desc& y, std::vector<Desc>* settled = nullptr) {
  dnnl::memory::dims stride = s.stride, dilation = s.dilation, low = s.low, high = s.high;
  for (auto& d : dilation) --d;
  const auto direct = dnnl::algorithm::convolution_direct;
  const auto training = dnnl::prop_kind::forward_training;
  const SerialLibraries scope;  // as calls are made: what the library has depends on its threads
  const auto tell = [&](const auto& pd, const Desc& a, const Desc& b, const Desc& c) {
    if (settled) *settled = {a, b, c};
    return std::string(pd.impl_info_str());
  };
  try {
#if DNNL_VERSION_MAJOR >= 3
    const dnnl::convolution_forward::primitive_desc f(cpu::engine(), training, direct, x, w, y, stride, dilation, low, high);
    if (s.wanted == Wanted::y) return tell(f, f.src_desc(), f.weights_desc(), f.dst_desc());
    if (s.wanted == Wanted::x) {
      const dnnl::convolution_backward_data::primitive_desc d(cpu::engine(), direct, x, w, y, stride, dilation, low, high, f);
      return tell(d, d.diff_src_desc(), d.weights_desc(), d.diff_dst_desc());
    }
    const dnnl::convolution_backward_weights::primitive_desc b(cpu::engine(), direct, x, w, y, stride, dilation, low, high, f);
#else
    const dnnl::convolution_forward::primitive_desc f(
        dnnl::convolution_forward::desc(training, direct, x, w, y, stride, dilation, low, high), cpu::engine());
    if (s.wanted == Wanted::y) return tell(f, f.src_desc(), f.weights_desc(), f.dst_desc());
    if (s.wanted == Wanted::x) {
      const dnnl::convolution_backward_data::primitive_desc d(
          dnnl::convolution_backward_data::desc(direct, x, w, y, stride, dilation, low, high), cpu::engine(), f);
      return tell(d, d.diff_src_desc(), d.weights_desc(), d.diff_dst_desc());
    }
    const dnnl::convolution_backward_weights::primitive_desc b(
        dnnl::convolution_backward_weights::desc(direct, x, w, y, stride, dilation, low, high), cpu::engine(), f);
#endif
    return tell(b, b.src_desc(), b.diff_weights_desc(), b.diff_dst_desc());
  } catch (const dnnl::error&) {
    return "";
  }
}

bool is_plain(const std::string& name) { return name.find("ref") != std::string::npos; }

/// Descs that the library itself holds for equal to the row-major one, among all its formats.
std::vector<Desc> equal_to_row_major(const dnnl::memory::dims& dims) {
  dnnl::memory::dims strides(dims.size(), 1);
  for (size_t d = dims.size() - 1; d-- > 0;) strides[d] = strides[d + 1] * dims[d + 1];
  const Desc plain(dims, dnnl::memory::data_type::f32, strides);
  std::vector<Desc> all{plain};
  for (int tag = static_cast<int>(dnnl_format_tag_any) + 1; tag < static_cast<int>(dnnl_format_tag_last); ++tag) try {
      const Desc other(dims, dnnl::memory::data_type::f32, static_cast<Tag>(tag));
      if (other == plain) all.push_back(other);
    } catch (const dnnl::error&) {  // a format for another number of axes
    }
  return all;
}

/// Has the library another implementation than its plain loops for tensors that lie row-major?
bool has_better_row_major(const ConvolutionSpec& s) {
  const auto xs = equal_to_row_major(s.x.dims()), ws = equal_to_row_major(library_weight(s)), ys = equal_to_row_major(s.y.dims());
  for (const Desc& x : xs)
    for (const Desc& w : ws)
      for (const Desc& y : ys)
        if (const std::string name = implementation(s, x, w, y); !name.empty() && !is_plain(name)) return true;
  return false;
}

bool is_padded(const Desc& d, const dnnl::memory::dims& dims) {
  return d.get_size() != static_cast<size_t>(std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>())) * sizeof(float);
}

/// Or for tensors that lie in any of the formats that it likes, none of them padded?
bool has_better(const ConvolutionSpec& s) {
  const auto rank = static_cast<size_t>(s.x.rank());
  const Tag formats[3][5] = {{Tag::any, Tag::abc, Tag::acb, Tag::aBc8b, Tag::aBc16b},
                             {Tag::any, Tag::abcd, Tag::acdb, Tag::aBcd8b, Tag::aBcd16b},
                             {Tag::any, Tag::abcde, Tag::acdeb, Tag::aBcde8b, Tag::aBcde16b}};
  const Tag weights[3][3] = {{Tag::any, Tag::abc, Tag::cba}, {Tag::any, Tag::abcd, Tag::cdba}, {Tag::any, Tag::abcde, Tag::cdeba}};
  const Tag grouped[3][3] = {{Tag::any, Tag::abcd, Tag::dcab}, {Tag::any, Tag::abcde, Tag::decab}, {Tag::any, Tag::abcdef, Tag::defcab}};
  const auto type = dnnl::memory::data_type::f32;
  const auto desc = [&](const dnnl::memory::dims& dims, Tag tag) -> std::optional<Desc> {
    try {
      return Desc(dims, type, tag);
    } catch (const dnnl::error&) {
      return std::nullopt;
    }
  };
  for (Tag x : formats[rank - 3])
    for (Tag y : formats[rank - 3])
      for (Tag w : (s.groups > 1 ? grouped : weights)[rank - 3]) {
        const auto dx = desc(s.x.dims(), x), dw = desc(library_weight(s), w), dy = desc(s.y.dims(), y);
        if (!dx || !dw || !dy) continue;
        std::vector<Desc> settled;
        const std::string name = implementation(s, *dx, *dw, *dy, &settled);
        if (name.empty() || is_plain(name)) continue;
        if (!is_padded(settled[0], s.x.dims()) && !is_padded(settled[1], library_weight(s)) && !is_padded(settled[2], s.y.dims()))
          return true;
      }
  return false;
}

// --- the sample --------------------------------------------------------------------------------------------------------

/// A number of many digits, each with a base of its own: how a walk steps through a space of choices.
struct Digits {
  uint64_t left;
  template <class T, size_t n>
  T of(const T (&choices)[n]) {
    const T chosen = choices[left % n];
    left /= n;
    return chosen;
  }
};

/// Convolution `i` of the walk; false where the kernel does not fit. Equal steps of an odd length through all combinations,
/// so that each choice meets each other one.
bool convolution(uint64_t i, ConvolutionSpec& s) {
  Digits digits{i * 0x9E3779B97F4A7C15u >> 8};
  const int spatial = digits.of({1, 2, 3});
  const int64_t batch = digits.of<int64_t>({1, 3});
  int64_t in = digits.of<int64_t>({1, 1, 2, 3, 8, 15, 16, 17, 32, 64, 128, 130}),
          out = digits.of<int64_t>({16, 1, 2, 8, 15, 16, 32, 33, 48, 64, 128, 130});
  s = {};
  enum class Groups { one, depthwise, two_of_each, several };
  switch (digits.of({Groups::one, Groups::one, Groups::one, Groups::depthwise, Groups::two_of_each, Groups::several})) {
    case Groups::one: break;
    case Groups::depthwise: s.groups = in, out = in; break;
    case Groups::two_of_each: s.groups = in, out = 2 * in; break;
    case Groups::several: s.groups = 2 + in % 3, in *= s.groups, out *= s.groups; break;
  }
  Dims x{batch, in}, w{out, in / s.groups}, y{batch, out};
  for (int d = 0; d < spatial; ++d) {
    const int64_t kernel = digits.of<int64_t>({3, 1, 2, 4, 5, 6, 7}), stride = digits.of<int64_t>({1, 1, 2, 3}),
                  dilation = digits.of<int64_t>({1, 1, 1, 2, 3});
    const int64_t extent = digits.of<int64_t>({1, 7, 14, 28}), reach = dilation * (kernel - 1);
    const int64_t low = digits.of<int64_t>({reach / 2, reach / 2, 0, reach, kernel + 3}),
                  high = digits.of<int64_t>({low, low, 0, reach - reach / 2});
    if (extent + low + high < reach + 1) return false;
    x.push_back(extent), w.push_back(kernel), y.push_back((extent + low + high - reach - 1) / stride + 1);
    s.stride.push_back(stride), s.dilation.push_back(dilation), s.low.push_back(low), s.high.push_back(high);
  }
  s.x = Shape(x), s.w = Shape(w), s.y = Shape(y);
  return true;
}

/// Checks how the library is asked for one convolution.
void check(ConvolutionSpec s) {
  for (Wanted wanted : {Wanted::y, Wanted::x, Wanted::w}) {
    s.wanted = wanted;
    s.layouts = {};
    if (const cpu::Answer answer = cpu::convolution_answer(s); answer.is_plain()) {
      INFO(text_of(s));
      CHECK_FALSE(has_better_row_major(s));
    }
    s.layouts = cpu::preferred_layouts(s);
    const cpu::Answer answer = cpu::convolution_answer(s);
    CHECK_FALSE(answer.implementation.empty());
    if (!answer.is_plain()) continue;
    INFO(text_of(s));
    CHECK_FALSE(has_better(s));
  }
}

}  // namespace

TEST_CASE("library: each of its formats is a layout, which writes it as the library does", "[library]") {
  int formats = 0;
  for (int tag = static_cast<int>(dnnl_format_tag_any) + 1; tag < static_cast<int>(dnnl_format_tag_last); ++tag) {
    const std::string name = dnnl_fmt_tag2str(static_cast<dnnl_format_tag_t>(tag));
    if (name.find_first_of("aA") == std::string::npos) continue;
    INFO(name);
    const int axes = Layout::axes(name, 0);
    const Layout layout = Layout::parse(name, axes);
    CHECK((layout.text() == name || (layout.is_plain() && name == std::string("abcdefghijkl").substr(0, static_cast<size_t>(axes)))));
    ++formats;
  }
  CHECK(formats > 100);
}

TEST_CASE("library: no convolution runs in plain loops where there is anything else", "[library]") {
  int checked = 0;
  for (uint64_t i = 0; i < 4000; ++i) {
    ConvolutionSpec s;
    if (!convolution(i, s)) continue;
    check(s);
    ++checked;
  }
  CHECK(checked > 2000);
}

TEST_CASE("library: nor does one of few channels, whatever the kernel", "[library]") {
  for (int64_t in : {1, 2, 3, 4})
    for (int64_t out : {1, 8, 16, 32, 48, 64})
      for (int64_t kernel = 1; kernel <= 7; ++kernel)
        for (int64_t stride : {1, 2})
          for (int spatial = 1; spatial <= 3; ++spatial) {
            ConvolutionSpec s;
            Dims x{2, in}, w{out, in}, y{2, out};
            for (int d = 0; d < spatial; ++d) {
              x.push_back(14), w.push_back(kernel), s.stride.push_back(stride), s.dilation.push_back(1);
              s.low.push_back(kernel / 2), s.high.push_back(kernel / 2);
              y.push_back((14 + 2 * (kernel / 2) - kernel) / stride + 1);
            }
            s.x = Shape(x), s.w = Shape(w), s.y = Shape(y);
            for (Wanted wanted : {Wanted::y, Wanted::x, Wanted::w}) {
              s.wanted = wanted;
              ConvolutionSpec laid = s;
              laid.layouts = cpu::preferred_layouts(s);
              INFO(text_of(laid));
              CHECK_FALSE((cpu::convolution_answer(laid).is_plain() && has_better(s)));
            }
          }
}

TEST_CASE("library: no product runs in plain loops", "[library]") {
  for (const DType dtype : {f32, bf16}) {
    if (!cpu::supports_matmul(dtype)) continue;
    for (const auto& [batch, slices] : {std::pair<int64_t, int64_t>{1, 1}, {1, 2}, {3, 1}, {3, 3}})
      for (int64_t m : {1, 2, 17, 64})
        for (int64_t n : {1, 2, 17, 64})
          for (int64_t k : {1, 2, 17, 64})
            for (int flags = 0; flags < 4; ++flags)
              for (int behind = 0; behind < 3; ++behind) {
                const cpu::MatmulSpec s{{{.batch = batch, .m = m, .n = n, .k = k, .transpose_a = flags % 2 != 0, .transpose_b = flags > 1},
                                         dtype,
                                         behind == 1,
                                         behind == 2},
                                        slices};
                INFO(name_of(dtype) << " " << batch << " x [" << m << "," << k << "] x [" << k << "," << n << "], flags " << flags
                                    << ", behind " << behind);
                CHECK_FALSE(cpu::matmul_answer(s).is_plain());
              }
  }
}

TEST_CASE("library: a convolution is computed as its mirror only where that has the same implementation, or the other is plain",
          "[library]") {
  const auto liked = [](ConvolutionSpec s) {
    s.layouts = cpu::preferred_layouts(s);
    return cpu::convolution_answer(s);
  };
  for (int64_t in : {1, 3, 4, 8, 16})
    for (int64_t out : {1, 8, 16, 32, 48})
      for (int64_t kernel : {3, 7}) {
        ConvolutionSpec forward{{.x = {4, in, 28, 28}, .w = {out, in, kernel, kernel}, .y = {4, out, 28, 28}}};
        forward.stride = forward.dilation = {1, 1}, forward.low = forward.high = {kernel / 2, kernel / 2};
        ConvolutionSpec data = forward;
        data.wanted = Wanted::x, data.x = forward.y, data.y = forward.x, data.w = {in, out, kernel, kernel};
        INFO(text_of(forward));
        const bool is_mirrored = cpu::runs_faster_as(data, forward);
        CHECK((!is_mirrored || liked(forward).is_plain() || liked(data).implementation == liked(forward).implementation));
      }
}
