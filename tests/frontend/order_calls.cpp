// Calls of functions that order elements, and of those of the gamma function.

#include "weft/tests/frontend/language_calls.h"

namespace weft::testing {
namespace {

/// Values and indices of each, one after the other.
Tensors pairs(const std::vector<ValuesAndIndices>& found) {
  Tensors all;
  for (const ValuesAndIndices& one : found) all.insert(all.end(), {one.values, one.indices});
  return all;
}

Tensors both_ways(const Tensors& x) { return pairs({sort(x[0], 1), sort(x[0], 1, true)}); }

Tensors both_sides(const Tensors& x) { return {searchsorted(x[0], x[1]), searchsorted(x[0], x[1], true)}; }

void add_sorts(std::map<std::string, LanguageCall>& calls) {
  calls["sort"] = [](const Tensors& x) { return pairs({sort(x[0], 0), sort(x[0], 1), sort(x[0])}); };
  calls["sort descending"] = [](const Tensors& x) { return pairs({sort(x[0], 0, true), sort(x[0], -2, true), sort(x[0], 2, true)}); };
  calls["sort a long axis"] = [](const Tensors& x) { return pairs({sort(x[0]), sort(x[0], 0, true)}); };
  for (const char* of : {"ties and nan", "integers", "bools"}) calls[std::string("sort of ") + of] = both_ways;
  calls["sort of ties: gradient"] = [](const Tensors& x) { return pairs({sort(x[0])}); };
  calls["sort of little"] = [](const Tensors& x) {
    return pairs({sort(slice(x[0], 1, 0, 1)), sort(slice(x[0], 1, 0, 0)), sort(slice(x[0], 0, 0, 0), 0), sort(x[0][0][0])});
  };
  calls["argsort"] = [](const Tensors& x) { return Tensors{argsort(x[0]), argsort(x[0], 0, true), msort(x[0])}; };
}

void add_parts_of_orders(std::map<std::string, LanguageCall>& calls) {
  calls["topk"] = [](const Tensors& x) { return pairs({topk(x[0], 2), topk(x[0], 1, 0), topk(x[0], 3, 1), topk(x[0], 0)}); };
  calls["topk of the smallest"] = [](const Tensors& x) { return pairs({topk(x[0], 3, -1, false), topk(x[0], 2, 1, false)}); };
  calls["topk of a long axis"] = [](const Tensors& x) { return pairs({topk(x[0], 5), topk(x[0], 7, 0, false)}); };
  calls["topk of nan"] = [](const Tensors& x) { return pairs({topk(x[0], 2), topk(x[0], 2, 1, false), topk(x[0], 5, 1, false)}); };
  calls["topk of integers"] = [](const Tensors& x) { return pairs({topk(x[0], 2), topk(x[0], 2, 1, false)}); };
  calls["kthvalue"] = [](const Tensors& x) { return pairs({kthvalue(x[0], 2), kthvalue(x[0], 3, 1, true), kthvalue(x[0], 1, 0)}); };
  calls["kthvalue of nan"] = [](const Tensors& x) { return pairs({kthvalue(x[0], 4), kthvalue(x[0], 5)}); };
}

void add_medians(std::map<std::string, LanguageCall>& calls) {
  for (const char* name : {"median", "median of an even number", "median of ties"})
    calls[name] = [](const Tensors& x) { return Tensors{median(x[0])}; };
  calls["median of special numbers"] = [](const Tensors& x) {
    return Tensors{median(x[0]), median(slice(x[0], 1, 0, 1)), median(x[0][0][0]), median(slice(x[0], 0, 0, 0))};
  };
  calls["median of integers"] = [](const Tensors& x) {
    const ValuesAndIndices rows = median(x[0], 1);
    return Tensors{median(x[0]), rows.values, rows.indices};
  };
  calls["median along an axis"] = [](const Tensors& x) { return pairs({median(x[0], 1), median(x[0], -1, true), median(x[0], 0)}); };
  calls["median of nan along an axis"] = [](const Tensors& x) { return pairs({median(x[0], 1), median(x[0], 0, true)}); };
}

void add_quantiles(std::map<std::string, LanguageCall>& calls) {
  calls["quantile"] = [](const Tensors& x) {
    return Tensors{quantile(x[0], 0.5), quantile(x[0], 0.3, 1), quantile(x[0], 0.875, -1, true), quantile(x[0], 1, 0)};
  };
  calls["quantiles"] = [](const Tensors& x) {
    return Tensors{quantile(x[0], {0, 0.25, 0.6, 1}, 1, true), quantile(x[0], std::vector<double>{0.125}), quantile(x[0], 0.25, {}, true)};
  };
  for (const std::string interpolation : {"lower", "higher", "midpoint", "nearest"})
    calls["quantile " + interpolation] = [interpolation](const Tensors& x) {
      const std::vector<double> q{0, 0.25, 0.5, 0.7, 1};
      return Tensors{quantile(x[0], q, {}, false, interpolation), quantile(x[0], q, 2, true, interpolation)};
    };
  calls["quantile of nan"] = [](const Tensors& x) {
    return Tensors{quantile(x[0], 0.25, 0), quantile(x[0], 1), quantile(slice(slice(x[0], 0, 0, 1), 1, 0, 1), 0.5)};
  };
}

void add_searches(std::map<std::string, LanguageCall>& calls) {
  for (const char* name : {"searchsorted", "searchsorted of special numbers", "searchsorted in rows", "searchsorted in many",
                           "searchsorted in long rows", "searchsorted in nothing", "searchsorted of integers"})
    calls[name] = both_sides;
  calls["bucketize"] = [](const Tensors& x) {
    return Tensors{bucketize(x[0], x[1]), bucketize(x[0], x[1], true), bucketize(x[0][0][0], x[1])};
  };
}

void add_gamma(std::map<std::string, LanguageCall>& calls) {
  for (const int n : {2, 3, 5}) calls[fmt::format("polygamma {}", n)] = [n](const Tensors& x) { return Tensors{polygamma(n, x[0])}; };
  calls["derivatives of lgamma"] = [](const Tensors& x) { return Tensors{lgamma(x[0])}; };
  calls["derivatives of digamma"] = [](const Tensors& x) { return Tensors{digamma(x[0]), polygamma(0, x[0]), polygamma(1, x[0])}; };
  calls["polygamma of special numbers"] = [](const Tensors& x) { return Tensors{polygamma(1, x[0])}; };
  calls["polygamma of poles"] = [](const Tensors& x) { return Tensors{polygamma(2, x[0]), polygamma(3, x[0])}; };
}

}  // namespace

void add_order(std::map<std::string, LanguageCall>& calls) {
  for (auto add : {add_sorts, add_parts_of_orders, add_medians, add_quantiles, add_searches, add_gamma}) add(calls);
}

}  // namespace weft::testing
