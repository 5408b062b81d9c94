#include "weft/backends/cpu/exec/gemm.h"

#include <algorithm>

#include "weft/backends/cpu/exec/isa.h"
#include "weft/backends/cpu/exec/rounding.h"
#include "weft/backends/cpu/exec/scratch.h"

namespace weft::cpu {
namespace {

// What is packed at a time: all panels and lines are to stay in the second cache. Deep before wide, since the result is read and written
// once for each block of k; but not so narrow that lines are packed again and again.
constexpr int64_t block_k = 1024, block_width = 512, block_lines = 192;
constexpr int64_t block_vectors = 128 << 10, block_broadcasts = 48 << 10;  // elements

/// How deep blocks are: alike.
int64_t depth_of_blocks(int64_t k) { return round_up(ceil_div(k, ceil_div(k, block_k)), 8); }

/// How many of `extent` go into a block of at most `most` and `elements` that is so deep, in whole tiles of `grain`.
int64_t extent_of_blocks(int64_t extent, int64_t depth, int64_t most, int64_t elements, int64_t grain) {
  return std::min(round_up(extent, grain), std::min(most, std::max(elements / depth, grain)) / grain * grain);
}

/// Cycles, about: of tiles, each of whose steps takes as long as its additions wait for each other, of packing and of storing.
double cost_of(const GemmKernels& kernels, int64_t lines, int64_t width, int64_t k, int64_t line, int64_t vector_line, bool transposed) {
  static constexpr double latency = 4;
  constexpr double pack_in_order = 0.2, pack_by_lines = 1, pack_broadcasts = 0.4, store = 0.2, store_transposed = 0.7;
  const int64_t rest = lines % kernels.lines;
  const auto per_step = [](int64_t n) { return std::max(latency, static_cast<double>(n)); };
  const double steps = static_cast<double>(lines / kernels.lines) * per_step(kernels.lines) + (rest > 0 ? per_step(rest) : 0);
  const auto l = static_cast<double>(lines), w = static_cast<double>(width), depth = static_cast<double>(k);
  return static_cast<double>(ceil_div(width, kernels.panel)) * depth * steps +
         w * depth * (vector_line == 1 ? pack_in_order : pack_by_lines) + l * depth * (line == 1 ? pack_broadcasts : 0) +
         l * w * static_cast<double>(ceil_div(k, block_k)) * (transposed ? store_transposed : store);
}

}  // namespace

const GemmKernels* gemm_kernels() {
  const std::string_view isa = library_isa();
  return isa == "avx512" ? &avx512_gemm_kernels : isa == "avx2" ? &avx2_gemm_kernels : nullptr;
}

bool Gemm::suits(const GemmKernels& kernels, int64_t m, int64_t n, int64_t k) {
  if (m <= 1 || n <= 1) return false;
  if (kernels.most_products == 0) return true;
  // Where an extent is short, elements of the longest operand are used so few times that what the library does to each of them weighs.
  constexpr int64_t few = 64;
  // Sums of so few products do little but write the result, at which the library is better where it is neither small nor wide: of
  // 64 x 256 and 4 products it takes 0.65 of the time, of 32 x 64 twice the time, of 64 x 4096 four times.
  constexpr int64_t few_products = 8, small = 8 << 10, wide = 1024;
  if (k < few_products && m * n > small && n < wide) return false;
  return std::min({m, n, k}) <= few || m * n <= kernels.most_products / k;
}

Gemm::Gemm(const GemmKernels& kernels, const GemmShape& s) : kernels_(kernels), k_(s.k), result_row_(s.result_row) {
  const double transposed = cost_of(kernels, s.n, s.m, s.k, s.b_column, s.a_row, true),
               straight = cost_of(kernels, s.m, s.n, s.k, s.a_row, s.b_column, false);
  cycles_ = std::min(transposed, straight);
  transposed_ = transposed < straight;
  const GemmOperand a{nullptr, s.a_row, s.a_column}, b{nullptr, s.b_column, s.b_row};
  broadcast_ = transposed_ ? b : a, lines_ = transposed_ ? s.n : s.m;
  vectors_ = transposed_ ? a : b, width_ = transposed_ ? s.m : s.n;
  most_k_ = depth_of_blocks(k_);
  most_lines_ = extent_of_blocks(lines_, most_k_, block_lines, block_broadcasts, kernels.lines);
  most_width_ = extent_of_blocks(width_, most_k_, block_width, block_vectors, kernels.panel);
  // Lines side by side can be read as they are. That the next of a tile is far away costs more than a copy where many tiles read it, and
  // earlier where it comes from beyond the second cache: a copy asks for it ahead.
  constexpr int64_t few_tiles = 4, some_tiles = 16, near = 64 << 10;
  packs_vectors_ = vectors_.line != 1 || lines_ > (width_ * k_ <= near ? some_tiles : few_tiles) * kernels.lines;
  packs_broadcasts_ = broadcast_.line == 1;
}

int64_t Gemm::packed_broadcasts() const { return packs_broadcasts_ ? most_lines_ * most_k_ : 0; }

int64_t Gemm::packed_vectors() const {
  const int64_t width = packs_vectors_ ? most_width_ : width_ % kernels_.panel > 0 ? kernels_.panel : 0;
  return width * most_k_;
}

int64_t Gemm::scratch_bytes() const { return whole_lines((packed_broadcasts() + packed_vectors()) * static_cast<int64_t>(sizeof(float))); }

int64_t Gemm::most_scratch_bytes(const GemmKernels& kernels, int64_t m, int64_t n, int64_t k) {
  // Of each operand: all of it, or the largest block.
  const int64_t extent = std::max(m, n), depth = std::min(round_up(k, 8), block_k);
  const int64_t lines = std::min(round_up(extent, kernels.lines) * depth, block_broadcasts),
                width = std::min(round_up(extent, kernels.panel) * depth, block_vectors);
  return whole_lines((lines + width) * static_cast<int64_t>(sizeof(float)));
}

/// Blocks of both operands that are multiplied with each other.
struct Gemm::Pass {
  GemmOperand broadcast, vectors;
  const float* packed;  // panels of vectors, of those from element `packed_from` on
  int64_t packed_from;
  int64_t lines, width, k;
  const float *bias, *addend;
  float* result;
};

void Gemm::run(const float* a, const float* b, const float* bias, const float* addend, float* result, float* scratch) const {
  const float *lines = transposed_ ? b : a, *vectors = transposed_ ? a : b;
  const int64_t line_step = transposed_ ? 1 : result_row_, width_step = transposed_ ? result_row_ : 1;
  float* packed_lines = scratch;
  float* packed_vectors = scratch + packed_broadcasts();
  Pass pass{};
  pass.packed = packed_vectors;
  for (int64_t w = 0; w < width_; w += most_width_)
    for (int64_t p = 0; p < k_; p += most_k_) {
      pass.width = std::min(most_width_, width_ - w), pass.k = std::min(most_k_, k_ - p);
      pass.vectors = {vectors + w * vectors_.line + p * vectors_.depth, vectors_.line, vectors_.depth};
      // Whole panels may be read where they lie.
      pass.packed_from = packs_vectors_ ? 0 : pass.width / kernels_.panel * kernels_.panel;
      if (pass.packed_from < pass.width) {
        GemmOperand from = pass.vectors;
        from.data += pass.packed_from * from.line;
        (from.line == 1 ? kernels_.pack_vectors : kernels_.pack_vectors_by_lines)(from, pass.width - pass.packed_from, pass.k,
                                                                                  packed_vectors);
      }
      for (int64_t l = 0; l < lines_; l += most_lines_) {
        pass.lines = std::min(most_lines_, lines_ - l);
        pass.broadcast = {lines + l * broadcast_.line + p * broadcast_.depth, broadcast_.line, broadcast_.depth};
        if (packs_broadcasts_) {
          kernels_.pack_broadcasts(pass.broadcast, pass.lines, pass.k, packed_lines);
          pass.broadcast = {packed_lines, 1, kernels_.lines};
        }
        const int64_t at = l * line_step + w * width_step;
        pass.result = result + at;
        pass.bias = bias && p == 0 ? bias + (transposed_ ? l : w) : nullptr;
        pass.addend = p > 0 ? pass.result : addend ? addend + at : nullptr;
        run_tiles(pass);
      }
    }
}

void Gemm::run_tiles(const Pass& pass) const {
  const int64_t line_step = transposed_ ? 1 : result_row_, width_step = transposed_ ? result_row_ : 1;
  const auto run = [&](int64_t l, int64_t w) {
    const int64_t lines = std::min(kernels_.lines, pass.lines - l), width = std::min(kernels_.panel, pass.width - w);
    GemmOperand broadcast = pass.broadcast, vectors = pass.vectors;
    broadcast.data += packs_broadcasts_ ? l * pass.k : l * broadcast.line;
    if (w < pass.packed_from) vectors.data += w;
    else vectors = {pass.packed + (w - pass.packed_from) * pass.k, 1, kernels_.panel};
    const int64_t at = l * line_step + w * width_step;
    const GemmTile tile{pass.result + at, pass.addend ? pass.addend + at : nullptr, pass.bias ? pass.bias + (transposed_ ? l : w) : nullptr,
                        result_row_};
    kernels_.tile(transposed_, lines, width)(pass.k, broadcast, vectors, tile, width);
  };
  // Along the result's rows, so that its lines are written one after the other.
  if (transposed_) {
    for (int64_t w = 0; w < pass.width; w += kernels_.panel)
      for (int64_t l = 0; l < pass.lines; l += kernels_.lines) run(l, w);
  } else {
    for (int64_t l = 0; l < pass.lines; l += kernels_.lines)
      for (int64_t w = 0; w < pass.width; w += kernels_.panel) run(l, w);
  }
}

}  // namespace weft::cpu
