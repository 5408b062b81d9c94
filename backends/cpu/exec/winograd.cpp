#include "weft/backends/cpu/exec/winograd.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "weft/backends/cpu/exec/block_product.h"
#include "weft/backends/cpu/exec/isa.h"
#include "weft/backends/cpu/exec/rounding.h"
#include "weft/backends/cpu/exec/scratch.h"
#include "weft/backends/cpu/exec/winograd_tiles.h"
#include "weft/support/error.h"

namespace weft::cpu {
namespace {

using Wanted = ConvolutionSpec::Wanted;

constexpr int64_t kernel = winograd_kernel, kernel_elements = kernel * kernel;

/// Of the widest vectors that runs of so many channels fill.
const WinogradTiles& tiles_for(int64_t run) {
  const std::string_view isa = library_isa();
  return isa == "avx512" && run % winograd_lanes == 0 ? avx512_winograd_tiles : isa != "sse4" ? avx2_winograd_tiles : sse4_winograd_tiles;
}

/// How an image of [n, c, h, w] lies: distances of neighbours, channels in runs of `run`.
struct Image {
  int64_t channels, height, width;
  int64_t sample, run, next_run, row, column;

  Image(const Layout& layout, const Shape& shape) : channels(shape[1]), height(shape[2]), width(shape[3]) {
    run = layout.is_cut(1) ? layout.block_of(1) : channels;
    column = run, row = width * run;
    next_run = height * row, sample = channels * height * width;
  }

  /// From channel c on, of a sample, at row i and column j: what lies within the image of so many rows and columns from there.
  ImagePiece piece(float* data, int64_t n, int64_t c, int64_t i, int64_t j, int64_t extent) const {
    const auto clamped = [&](int64_t x) { return std::clamp<int64_t>(x, 0, extent); };
    float* at = data + n * sample + c / run * next_run + c % run + i * row + j * column;
    return {at, row, column, clamped(-i), clamped(height - i), clamped(-j), clamped(width - j)};
  }

  /// Calls visit(channel, count) for the runs of channels first to first + count - 1.
  template <class Visit>
  void for_each_run(int64_t first, int64_t count, Visit visit) const {
    for (int64_t c = first; c < first + count;) {
      const int64_t together = std::min(run - c % run, first + count - c);
      visit(c, together);
      c += together;
    }
  }
};

const Layout channels_last = Layout::of({{0, 0}, {2, 0}, {3, 0}, {1, 0}});

/// By sample, and channels or blocks of them innermost?
bool has_lanes(const Layout& layout, const Shape& shape) {
  using Part = Layout::Part;
  const std::vector<Part> parts = layout.parts(shape.rank());
  if (layout == channels_last) return true;
  if (parts.size() != 5) return false;
  const int64_t block = parts[4].block;
  return parts == std::vector<Part>{{0, 0}, {1, 0}, {2, 0}, {3, 0}, {1, block}} && block % winograd_least_run == 0;
}

/// Windows of one image beside tiles of another.
struct Geometry {
  Image windows, tiles;
  int64_t low_row, low_column;  // a tile's window begins so far before it
  int64_t rows, columns;        // of tiles in a sample

  explicit Geometry(const ConvolutionSpec& s)
      : windows(s.wanted == Wanted::x ? Image(s.layouts.y, s.y) : Image(s.layouts.x, s.x)),
        tiles(s.wanted == Wanted::x ? Image(s.layouts.x, s.x) : Image(s.layouts.y, s.y)),
        low_row(s.wanted == Wanted::x ? kernel - 1 - s.low[0] : s.low[0]),
        low_column(s.wanted == Wanted::x ? kernel - 1 - s.low[1] : s.low[1]), rows(ceil_div(tiles.height, winograd_tile)),
        columns(ceil_div(tiles.width, winograd_tile)) {}

  int64_t per_sample() const { return rows * columns; }
};

/// Planes of points so far apart that equal places of two fall to different sets of the first cache.
int64_t plane_of(int64_t numbers) { return round_up(numbers, winograd_lanes) + winograd_lanes; }

/// What a slice works in, floats from its start on. It computes `count` tiles at a time, and of those `block` of the outer channels.
struct Workplace {
  int64_t inner, outer;  // channels of windows, and of tiles in a slice
  int64_t count, block;
  int64_t window_plane, tile_plane, kernel_plane;
  int64_t windows = 0, tiles = 0, kernels = 0, products = 0, end = 0;

  Workplace(const ConvolutionSpec& s, int64_t tiles_of_slice, int64_t inner_channels, int64_t outer_channels)
      : inner(inner_channels), outer(outer_channels) {
    // Where all kernels stay near, both sides of the products are kept in the second cache. Where they do not, they are transformed for
    // each block of tiles again, which must be larger for that.
    constexpr int64_t near_kernels = 5 << 19, near_tiles = 1 << 20, far_tiles = 8 << 20, grain = 12, least = 24, most = 192;
    constexpr int64_t least_block = 2 * winograd_lanes;
    const bool near = bytes(inner * outer) <= near_kernels;
    count = std::clamp((near ? near_tiles : far_tiles) / bytes(inner + outer) / grain * grain, least, most);
    count = std::min(count, std::max<int64_t>(tiles_of_slice, 1));
    // Sums over all tiles stay until they are whole.
    const bool divides = !near && (s.wanted != Wanted::w || count == tiles_of_slice);
    block = divides ? std::max(near_kernels / bytes(inner) / winograd_lanes * winograd_lanes, least_block) : outer;
    block = std::min(block, outer);
    window_plane = plane_of(count * inner), tile_plane = plane_of(count * block), kernel_plane = plane_of(inner * block);
    const auto take = [&](int64_t numbers) { return std::exchange(end, end + round_up(numbers, winograd_lanes)); };
    windows = take(winograd_points * window_plane), tiles = take(winograd_points * tile_plane);
    kernels = take(winograd_points * kernel_plane);
    products = end;
    const GemmShape shape = product(s, count, block);
    end += round_up(most_block_product_scratch_bytes(shape) / static_cast<int64_t>(sizeof(float)), winograd_lanes);
  }

  /// Of one point: windows times kernels, or transposed windows times tiles.
  GemmShape product(const ConvolutionSpec& s, int64_t tile_count, int64_t channels) const {
    if (s.wanted == Wanted::w) return {inner, channels, tile_count, 1, inner, channels, 1, channels};
    return {tile_count, channels, inner, inner, 1, channels, 1, channels};
  }

 private:
  /// Of all points.
  static constexpr int64_t bytes(int64_t numbers) { return winograd_points * numbers * static_cast<int64_t>(sizeof(float)); }
};

/// From `first` on, up to `end`.
struct Range {
  int64_t first, end;
  int64_t count() const { return end - first; }
};

/// A slice: these tiles, counted over all samples, these channels of theirs, and what it works in, which begins so many floats from the
/// start of all that memory.
struct Part {
  Range tiles, channels;
  Workplace work;
  int64_t memory;
  int64_t memory_end() const { return memory + work.end; }
};

/// Along the axis along which less is transformed twice: by tiles each slice transforms all kernels, by channels all windows.
std::vector<Part> parts_of(const ConvolutionSpec& s, const Geometry& g) {
  const int64_t tiles = s.x[0] * g.per_sample(), blocks = g.tiles.channels / winograd_lanes;
  const bool by_channels = s.wanted != Wanted::w && tiles < g.tiles.channels && blocks >= s.slices;
  const Dims samples = batch_cuts(s.x[0], s.slices);
  const auto cut = [&](int64_t slice) {
    return by_channels ? blocks * slice / s.slices * winograd_lanes : samples[static_cast<size_t>(slice)] * g.per_sample();
  };
  std::vector<Part> parts;
  for (int64_t i = 0; i < s.slices; ++i) {
    Range of_tiles{0, tiles}, of_channels{0, g.tiles.channels};
    (by_channels ? of_channels : of_tiles) = {cut(i), cut(i + 1)};
    const Workplace work(s, of_tiles.count(), g.windows.channels, of_channels.count());
    parts.push_back({of_tiles, of_channels, work, parts.empty() ? 0 : parts.back().memory_end()});
  }
  return parts;
}

class WinogradTask final : public Task {
 public:
  WinogradTask(const ConvolutionSpec& s, const Answer& answer, int64_t scratch_bytes)
      : Task(s.slices), s_(s), geometry_(s), parts_(parts_of(s, geometry_)),
        transforms_(tiles_for(std::gcd(geometry_.windows.run, geometry_.tiles.run))),
        scratch_(Scratch::Follows::from_machine, "the convolution", answer.scratch_bytes, scratch_bytes) {
    own_scratch_bytes = scratch_.own_bytes(), is_library_call = block_products_are_library_calls();
    implementation = answer.implementation;
    buffers.resize(3 + (scratch_bytes > 0 ? 1 : 0), nullptr);
  }

  void rebound() override {
    const std::vector<std::byte*>& all = scratch_.behind(buffers);
    const auto floats = [&](size_t i) { return reinterpret_cast<float*>(all[i]); };
    first_ = floats(0), second_ = floats(1), result_ = floats(2), memory_ = floats(3);
  }

  int run(int64_t begin, int64_t end) override {
    for (int64_t i = begin; i < end; ++i)
      if (const int status = Slice(*this, i).run(); status != 0) return status;
    return 0;
  }

 private:
  class Slice {
   public:
    Slice(const WinogradTask& task, int64_t number)
        : t_(task), s_(task.s_), g_(task.geometry_), part_(task.parts_[static_cast<size_t>(number)]), work_(part_.work),
          memory_(task.memory_ + part_.memory), result_(task.result_) {
      if (s_.wanted == Wanted::w) result_ += number * s_.w.numel();
    }

    int run() const {
      for (int64_t first = part_.tiles.first; first < part_.tiles.end; first += work_.count) {
        const Tiles tiles{first, std::min(work_.count, part_.tiles.end - first)};
        transform_windows(tiles);
        for (int64_t channel = 0; channel < work_.outer; channel += work_.block) {
          const Channels channels{channel, std::min(work_.block, work_.outer - channel)};
          if (const int status = s_.wanted == Wanted::w ? add_weights(tiles, channels) : make_image(tiles, channels); status != 0)
            return status;
        }
      }
      return 0;
    }

   private:
    /// Of all samples.
    struct Tiles {
      int64_t first, count;
    };
    /// Of the part's.
    struct Channels {
      int64_t first, count;
    };

    WinogradPoints windows() const { return {memory_ + work_.windows, work_.window_plane}; }
    WinogradPoints tiles() const { return {memory_ + work_.tiles, work_.tile_plane}; }
    WinogradPoints kernels() const { return {memory_ + work_.kernels, work_.kernel_plane}; }
    static WinogradPoints behind(const WinogradPoints& points, int64_t numbers) { return {points.data + numbers, points.plane}; }

    /// Calls visit(i, n, row, column): the i-th of them, and the position of its first result.
    template <class Visit>
    void for_each(const Tiles& all, Visit visit) const {
      for (int64_t i = 0; i < all.count; ++i) {
        const int64_t n = (all.first + i) / g_.per_sample(), place = (all.first + i) % g_.per_sample();
        visit(i, n, place / g_.columns * winograd_tile, place % g_.columns * winograd_tile);
      }
    }
    /// Calls visit(points, count, piece) for their runs of channels: where their numbers are, and the piece of the image.
    template <class Visit>
    void for_each(const Tiles& all, const Channels& channels, float* image, Visit visit) const {
      for_each(all, [&](int64_t i, int64_t n, int64_t row, int64_t column) {
        const int64_t channel = part_.channels.first + channels.first;
        g_.tiles.for_each_run(channel, channels.count, [&](int64_t c, int64_t together) {
          visit(behind(tiles(), i * channels.count + c - channel), together, g_.tiles.piece(image, n, c, row, column, winograd_tile));
        });
      });
    }

    void transform_windows(const Tiles& all) const {
      for_each(all, [&](int64_t i, int64_t n, int64_t row, int64_t column) {
        g_.windows.for_each_run(0, work_.inner, [&](int64_t c, int64_t together) {
          const ImagePiece piece = g_.windows.piece(t_.first_, n, c, row - g_.low_row, column - g_.low_column, winograd_window);
          t_.transforms_.from_window(piece, together, behind(windows(), i * work_.inner + c));
        });
      });
    }

    void transform_kernels(const Channels& channels) const {
      const bool forward = s_.wanted == Wanted::y;
      const int64_t next_o = s_.w[1] * kernel_elements, inner = forward ? kernel_elements : next_o,
                    outer = forward ? next_o : kernel_elements;
      for (int64_t i = 0; i < work_.inner; ++i)
        t_.transforms_.from_kernels(t_.second_ + i * inner + (part_.channels.first + channels.first) * outer, outer, !forward,
                                    channels.count, behind(kernels(), i * channels.count));
    }

    int multiply(const Tiles& all, const Channels& channels, bool accumulates) const {
      const GemmShape shape = work_.product(s_, all.count, channels.count);
      const bool weight = s_.wanted == Wanted::w;
      const WinogradPoints right = weight ? tiles() : kernels(), result = weight ? kernels() : tiles();
      for (int64_t p = 0; p < winograd_points; ++p)
        if (const int status = block_product(shape, windows().data + p * windows().plane, right.data + p * right.plane, accumulates,
                                             result.data + p * result.plane, memory_ + work_.products);
            status != 0)
          return status;
      return 0;
    }

    int make_image(const Tiles& all, const Channels& channels) const {
      if (work_.block < work_.outer || all.first == part_.tiles.first) transform_kernels(channels);
      const int status = multiply(all, channels, false);
      for_each(all, channels, result_, t_.transforms_.to_tile);
      return status;
    }

    int add_weights(const Tiles& all, const Channels& channels) const {
      for_each(all, channels, t_.second_,
               [&](const WinogradPoints& to, int64_t count, const ImagePiece& piece) { t_.transforms_.from_tile(piece, count, to); });
      const int status = multiply(all, channels, all.first > part_.tiles.first);
      if (all.first + all.count < part_.tiles.end) return status;
      for (int64_t i = 0; i < work_.inner; ++i)
        t_.transforms_.to_kernels(behind(kernels(), i * channels.count), channels.count,
                                  result_ + channels.first * s_.w[1] * kernel_elements + i * kernel_elements, s_.w[1] * kernel_elements);
      return status;
    }

    const WinogradTask& t_;
    const ConvolutionSpec& s_;
    const Geometry& g_;
    const Part& part_;
    const Workplace& work_;
    float *memory_, *result_;
  };

  ConvolutionSpec s_;
  Geometry geometry_;
  std::vector<Part> parts_;
  const WinogradTiles& transforms_;
  Scratch scratch_;
  float *first_ = nullptr, *second_ = nullptr, *result_ = nullptr, *memory_ = nullptr;
};

}  // namespace

bool has_winograd(const ConvolutionSpec& s) {
  const auto all = [](const Dims& d, int64_t value) { return std::all_of(d.begin(), d.end(), [&](int64_t x) { return x == value; }); };
  if (s.dtype != f32 || s.spatial() != 2 || s.groups != 1 || !all(s.stride, 1) || !all(s.dilation, 1)) return false;
  if (s.w[2] != kernel || s.w[3] != kernel || s.x[1] % winograd_lanes || s.w[0] % winograd_lanes) return false;
  return s.layouts.are_plain() || (s.layouts.w.is_plain() && has_lanes(s.layouts.x, s.x) && has_lanes(s.layouts.y, s.y));
}

ConvolutionLayouts winograd_layouts(const ConvolutionSpec& s, const ConvolutionLayouts& liked) {
  return {has_lanes(liked.x, s.x) ? liked.x : channels_last, {}, has_lanes(liked.y, s.y) ? liked.y : channels_last};
}

bool is_faster_by_winograd(const ConvolutionSpec& s) {
  if (!has_winograd(s) || block_products_are_library_calls()) return false;
  // In the time of a multiplication and addition as the library does them: what a product takes, and a number of a point to be made or
  // read. What is saved is to be more than the estimate may be wrong.
  constexpr double product = 1.1, kernel_number = 16, margin = 1.2;
  const double image_number = library_isa() == "avx512" ? 12 : 24;
  const Geometry g(s);
  const auto inner = static_cast<double>(g.windows.channels);
  double cost = 0;
  for (const Part& part : parts_of(s, g)) {
    const auto tiles = static_cast<double>(part.tiles.count()), outer = static_cast<double>(part.channels.count());
    cost += static_cast<double>(winograd_points) *
            (product * tiles * inner * outer + image_number * tiles * (inner + outer) + kernel_number * inner * outer);
  }
  return margin * cost < s.flops() / 2;
}

Answer winograd_answer(const ConvolutionSpec& s) {
  if (!has_winograd(s) || s.layouts.x.is_plain())
    throw Error(ErrorKind::device, "Winograd's transforms do not compute the convolution of {} with {} in the layouts '{}', '{}', '{}'",
                to_string(s.x), to_string(s.w), s.layouts.x.text(), s.layouts.w.text(), s.layouts.y.text());
  return {"weft:winograd", whole_lines(parts_of(s, Geometry(s)).back().memory_end() * static_cast<int64_t>(sizeof(float)))};
}

std::unique_ptr<Task> make_winograd(const ConvolutionSpec& s, int64_t scratch_bytes) {
  return std::make_unique<WinogradTask>(s, winograd_answer(s), scratch_bytes);
}

}  // namespace weft::cpu
