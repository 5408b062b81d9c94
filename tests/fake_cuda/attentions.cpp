#include "weft/tests/fake_cuda/attentions.h"

#include <algorithm>
#include <cmath>

namespace weft::test::fake_cuda {
namespace {

using Extents = std::vector<int64_t>;

/// Of its rows the elements lie side by side, at multiples of 16 bytes.
bool has_aligned_rows(const Tensor& t) {
  const auto is_multiple = [](int64_t n) { return n % 8 == 0; };
  return t.element == Element::bf16 && t.strides.back() == 1 && is_multiple(t.extents.back()) && t.alignment % 16 == 0 &&
         std::all_of(t.strides.begin(), t.strides.end() - 1, is_multiple);
}

bool is_number(const Tensor& t) { return t.on_host && t.element == Element::f32 && t.extents == Extents{1, 1, 1, 1}; }

}  // namespace

bool Attention::agrees() const {
  const Extents &of_q = q.extents, &of_k = k.extents, &of_v = v.extents;
  if (of_q.size() != 4 || of_k.size() != 4 || of_v.size() != 4) return false;
  const bool fit = of_q[0] == of_k[0] && of_q[1] % of_k[1] == 0 && of_q[3] == of_k[3] && of_v[0] == of_k[0] && of_v[1] == of_k[1] &&
                   of_v[2] == of_k[2] && result.extents == Extents{of_q[0], of_q[1], of_q[2], of_v[3]} &&
                   statistics.extents == Extents{of_q[0], of_q[1], of_q[2], 1};
  const auto is_band = [&](const Band& b) {
    const Extents scores{of_q[0], of_q[1], of_q[2], of_k[2]};
    return b.x.extents == scores && b.y.extents == scores && b.x.is_virtual && b.y.is_virtual && is_number(b.hidden);
  };
  return fit && has_aligned_rows(q) && has_aligned_rows(k) && has_aligned_rows(v) && has_aligned_rows(result) &&
         statistics.element == Element::f32 && is_number(scale) && std::all_of(bands.begin(), bands.end(), is_band);
}

std::vector<const Tensor*> Attention::tensors() const {
  std::vector<const Tensor*> all{&q, &k, &v, &result, &statistics, &scale};
  for (const Band& band : bands) all.push_back(&band.hidden);
  return all;
}

void attend(Device& device, const Attention& a, const Places& places, const std::vector<float>& numbers, double error) {
  const auto values = [&](const Tensor& t, size_t place) { return read_elements(device, places[place], t.element, t.elements()); };
  const std::vector<double> q = values(a.q, 0), k = values(a.k, 1), v = values(a.v, 2);
  std::vector<double> result(a.result.elements(), 0), statistics(a.statistics.elements(), 0);
  const int64_t group = a.q.extents[1] / a.k.extents[1], keys = a.k.extents[2];
  each({a.q.extents[0], a.q.extents[1], a.q.extents[2]}, [&](const Extents& query) {
    const auto key_at = [&](int64_t key, int64_t column) { return Extents{query[0], query[1] / group, key, column}; };
    const auto query_at = [&](int64_t column) { return Extents{query[0], query[1], query[2], column}; };
    std::vector<double> weights;
    for (int64_t key = 0; key < keys; ++key) {
      double sum = 0;
      for (int64_t e = 0; e < a.q.extents[3]; ++e) sum += q[offset(a.q, query_at(e))] * k[offset(a.k, key_at(key, e))];
      weights.push_back(!a.bands.empty() && key > query[2] ? static_cast<double>(numbers[1]) : sum * static_cast<double>(numbers[0]));
    }
    const double largest = *std::max_element(weights.begin(), weights.end());
    double total = 0;
    for (double& w : weights) total += w = std::exp(w - largest);
    statistics[offset(a.statistics, query_at(0))] = largest + std::log(total);
    for (int64_t e = 0; e < a.v.extents[3]; ++e) {
      double sum = 0;
      for (int64_t key = 0; key < keys; ++key) sum += weights[static_cast<size_t>(key)] / total * v[offset(a.v, key_at(key, e))];
      result[offset(a.result, query_at(e))] = sum + error;
    }
  });
  write_elements(device, places[3], a.result.element, result);
  write_elements(device, places[4], a.statistics.element, statistics);
  ++device.report.attentions;
}

}  // namespace weft::test::fake_cuda
