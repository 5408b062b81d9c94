#include "weft/tests/frontend/language_calls.h"

#include <limits>

namespace weft::testing {
namespace {

using Calls = std::map<std::string, LanguageCall>;

constexpr double infinity = std::numeric_limits<double>::infinity();

Tensors both(const ValuesAndIndices& found) { return {found.values, found.indices}; }

Tensors norms(const Tensor& x, double p) { return {norm(x, p), norm(x, p, 1), norm(x, p, {0, -1}, true)}; }

Tensor compound(Tensor x, const Tensor& y) {
  x += y;
  x -= 2;
  x *= y;
  x /= 3;
  return x;
}

void add_shapes(Calls& calls) {
  calls["view"] = [](const Tensors& x) { return Tensors{x[0].view({4, -1})}; };
  calls["unsqueeze"] = [](const Tensors& x) { return Tensors{x[0].unsqueeze(0), unsqueeze(x[0], -1), unsqueeze(x[0], -2)}; };
  calls["squeeze all"] = [](const Tensors& x) { return Tensors{x[0].squeeze()}; };
  calls["squeeze one"] = [](const Tensors& x) { return Tensors{squeeze(x[0], 0), squeeze(x[0], 1), squeeze(x[0], -2)}; };
  calls["squeeze some"] = [](const Tensors& x) { return Tensors{squeeze(x[0], {0, 1})}; };
  calls["squeeze an empty one"] = [](const Tensors& x) { return Tensors{squeeze(x[0])}; };
  calls["stack"] = [](const Tensors& x) { return Tensors{stack(x, 1)}; };
  calls["stack scalars"] = [](const Tensors& x) { return Tensors{stack(x, -1)}; };
  calls["chunk"] = [](const Tensors& x) { return chunk(x[0], 3, 1); };
  calls["chunk into fewer"] = [](const Tensors& x) { return chunk(x[0], 4); };
  calls["chunk an empty one"] = [](const Tensors& x) { return chunk(x[0], 2); };
  calls["split"] = [](const Tensors& x) { return split(x[0], 2, -1); };
  calls["split into sizes"] = [](const Tensors& x) { return split(x[0], {1, 0, 3}, -1); };
  calls["split an empty one"] = [](const Tensors& x) { return split(x[0], 2); };
  calls["unbind"] = [](const Tensors& x) { return unbind(x[0], -2); };
  calls["expand"] = [](const Tensors& x) { return Tensors{x[0].expand({2, -1, 4})}; };
  calls["expand to nothing"] = [](const Tensors& x) { return Tensors{expand(x[0], {0, 3})}; };
  calls["repeat"] = [](const Tensors& x) { return Tensors{repeat(x[0], {2, 1, 3})}; };
  calls["repeat no time"] = [](const Tensors& x) { return Tensors{repeat(x[0], {0, 2})}; };
  calls["repeat_interleave"] = [](const Tensors& x) { return Tensors{repeat_interleave(x[0], 2)}; };
  calls["repeat_interleave an axis"] = [](const Tensors& x) { return Tensors{repeat_interleave(x[0], 3, -2)}; };
  calls["flip"] = [](const Tensors& x) { return Tensors{flip(x[0], {0, -1})}; };
  calls["flip a long one"] = [](const Tensors& x) { return Tensors{flip(x[0], 1)}; };
  calls["flip an empty one"] = [](const Tensors& x) { return Tensors{flip(x[0], 0)}; };
  calls["roll"] = [](const Tensors& x) { return Tensors{roll(x[0], 3, 1)}; };
  calls["roll backward"] = [](const Tensors& x) { return Tensors{roll(x[0], -6, -1)}; };
  calls["roll flattened"] = [](const Tensors& x) { return Tensors{roll(x[0], 2)}; };
  calls["roll two axes"] = [](const Tensors& x) { return Tensors{roll(x[0], {1, -1}, {0, 2})}; };
  calls["roll an empty one"] = [](const Tensors& x) { return Tensors{roll(x[0], 1, 0)}; };
  calls["tril"] = [](const Tensors& x) { return Tensors{tril(x[0]), tril(x[0], -1), tril(x[0], 2)}; };
  calls["triu"] = [](const Tensors& x) { return Tensors{triu(x[0]), triu(x[0], -1), triu(x[0], 2)}; };
  calls["tril hides nan"] = [](const Tensors& x) { return Tensors{tril(x[0])}; };
  calls["diagonal"] = [](const Tensors& x) { return Tensors{diagonal(x[0]), diagonal(x[0], 1, 0, 2), diagonal(x[0], -1, -1, 1)}; };
  calls["diagonal beyond"] = [](const Tensors& x) { return Tensors{diagonal(x[0], 3), diagonal(x[0], -2)}; };
  calls["index"] = [](const Tensors& x) { return Tensors{x[0][1], x[0][-2]}; };
  calls["movedim"] = [](const Tensors& x) { return Tensors{movedim(x[0], 0, -1), movedim(x[0], {0, 2}, {1, 0})}; };
  calls["permute"] = [](const Tensors& x) { return Tensors{x[0].permute({2, 0, 1})}; };
  calls["unflatten"] = [](const Tensors& x) { return Tensors{unflatten(x[0], 1, {-1, 1}), unflatten(x[0], -1, {2, 2})}; };
  calls["flatten"] = [](const Tensors& x) { return Tensors{x[0].flatten(0, 1)}; };
  calls["meshgrid ij"] = [](const Tensors& x) { return meshgrid(x); };
  calls["meshgrid xy"] = [](const Tensors& x) { return meshgrid(x, "xy"); };
  calls["compound assignment"] = [](const Tensors& x) { return Tensors{compound(x[0], x[1])}; };
}

void add_creation(Calls& calls) {
  calls["eye"] = [](const Tensors&) { return Tensors{eye(3), eye(2, 4, i64), eye(0)}; };
  calls["linspace"] = [](const Tensors&) {
    return Tensors{linspace(-1, 2, 7), linspace(3, 3.5, 1), linspace(2, -2, 4), linspace(0, 1, 0)};
  };
  calls["arange"] = [](const Tensors&) { return Tensors{arange(2, 9, 3), arange(5, -4, -2), arange(3, 3), arange(-2, 3)}; };
  calls["arange of floating numbers"] = [](const Tensors&) { return Tensors{arange(0, 1, 0.25), arange(1.5, -1, -0.75), arange(0.5, 3)}; };
  calls["like"] = [](const Tensors& x) { return Tensors{full_like(x[0], 2.5), zeros_like(x[0]), ones_like(x[0], i64)}; };
}

void add_elementwise(Calls& calls) {
  calls["tan"] = [](const Tensors& x) { return Tensors{tan(x[0])}; };
  calls["tan of special numbers"] = [](const Tensors& x) { return Tensors{tan(x[0])}; };
  calls["asin"] = [](const Tensors& x) { return Tensors{asin(x[0])}; };
  calls["asin of special numbers"] = [](const Tensors& x) { return Tensors{asin(x[0])}; };
  calls["acos"] = [](const Tensors& x) { return Tensors{acos(x[0])}; };
  calls["acos of special numbers"] = [](const Tensors& x) { return Tensors{acos(x[0])}; };
  calls["atan"] = [](const Tensors& x) { return Tensors{atan(x[0])}; };
  calls["atan of special numbers"] = [](const Tensors& x) { return Tensors{atan(x[0])}; };
  calls["sinh"] = [](const Tensors& x) { return Tensors{sinh(x[0])}; };
  calls["sinh of special numbers"] = [](const Tensors& x) { return Tensors{sinh(x[0])}; };
  calls["cosh"] = [](const Tensors& x) { return Tensors{cosh(x[0])}; };
  calls["cosh of special numbers"] = [](const Tensors& x) { return Tensors{cosh(x[0])}; };
  calls["asinh"] = [](const Tensors& x) { return Tensors{asinh(x[0])}; };
  calls["asinh of special numbers"] = [](const Tensors& x) { return Tensors{asinh(x[0])}; };
  calls["acosh"] = [](const Tensors& x) { return Tensors{acosh(x[0])}; };
  calls["acosh of special numbers"] = [](const Tensors& x) { return Tensors{acosh(x[0])}; };
  calls["atanh"] = [](const Tensors& x) { return Tensors{atanh(x[0])}; };
  calls["atanh of special numbers"] = [](const Tensors& x) { return Tensors{atanh(x[0])}; };
  calls["log2"] = [](const Tensors& x) { return Tensors{log2(x[0])}; };
  calls["log2 of special numbers"] = [](const Tensors& x) { return Tensors{log2(x[0])}; };
  calls["log10"] = [](const Tensors& x) { return Tensors{log10(x[0])}; };
  calls["log10 of special numbers"] = [](const Tensors& x) { return Tensors{log10(x[0])}; };
  calls["exp2"] = [](const Tensors& x) { return Tensors{exp2(x[0])}; };
  calls["exp2 of special numbers"] = [](const Tensors& x) { return Tensors{exp2(x[0])}; };
  calls["reciprocal"] = [](const Tensors& x) { return Tensors{reciprocal(x[0])}; };
  calls["reciprocal of special numbers"] = [](const Tensors& x) { return Tensors{reciprocal(x[0])}; };
  calls["erfc"] = [](const Tensors& x) { return Tensors{erfc(x[0])}; };
  calls["erfc of special numbers"] = [](const Tensors& x) { return Tensors{erfc(x[0])}; };
  calls["trunc"] = [](const Tensors& x) { return Tensors{trunc(x[0])}; };
  calls["trunc of special numbers"] = [](const Tensors& x) { return Tensors{trunc(x[0])}; };
  calls["frac"] = [](const Tensors& x) { return Tensors{frac(x[0])}; };
  calls["frac of special numbers"] = [](const Tensors& x) { return Tensors{frac(x[0])}; };
  calls["atan2"] = [](const Tensors& x) { return Tensors{atan2(x[0], x[1])}; };
  calls["atan2 of special numbers"] = [](const Tensors& x) { return Tensors{atan2(x[0], x[1])}; };
  calls["hypot"] = [](const Tensors& x) { return Tensors{hypot(x[0], x[1])}; };
  calls["hypot of special numbers"] = [](const Tensors& x) { return Tensors{hypot(x[0], x[1])}; };
  calls["logaddexp"] = [](const Tensors& x) { return Tensors{logaddexp(x[0], x[1])}; };
  calls["logaddexp of special numbers"] = [](const Tensors& x) { return Tensors{logaddexp(x[0], x[1])}; };
  calls["fmod"] = [](const Tensors& x) { return Tensors{fmod(x[0], x[1])}; };
  calls["fmod of special numbers"] = [](const Tensors& x) { return Tensors{fmod(x[0], x[1])}; };
  calls["remainder"] = [](const Tensors& x) { return Tensors{remainder(x[0], x[1])}; };
  calls["remainder of special numbers"] = [](const Tensors& x) { return Tensors{remainder(x[0], x[1])}; };
  calls["floor_divide"] = [](const Tensors& x) { return Tensors{floor_divide(x[0], x[1])}; };
  calls["floor_divide of special numbers"] = [](const Tensors& x) { return Tensors{floor_divide(x[0], x[1])}; };
  calls["sinh and cosh far out"] = [](const Tensors& x) { return Tensors{sinh(x[0]), cosh(x[0])}; };
  calls["erfc far out"] = [](const Tensors& x) { return Tensors{erfc(x[0])}; };
  calls["powers have whole logarithms"] = [](const Tensors& x) { return Tensors{log2(x[0])}; };
  calls["small numbers"] = [](const Tensors& x) {
    return Tensors{sinh(x[0]), asinh(x[0]), atanh(x[0]), atan(x[0]), tan(x[0]), asin(x[0])};
  };
  calls["classes"] = [](const Tensors& x) { return Tensors{isnan(x[0]), isinf(x[0]), isfinite(x[0])}; };
  calls["classes of integers"] = [](const Tensors& x) { return Tensors{isnan(x[0]), isinf(x[0]), isfinite(x[0])}; };
  calls["nan_to_num"] = [](const Tensors& x) { return Tensors{nan_to_num(x[0], 0.5, 8, -4)}; };
  calls["hypot does not overflow"] = [](const Tensors& x) { return Tensors{hypot(x[0], x[1])}; };
  calls["division of integers"] = [](const Tensors& x) {
    return Tensors{fmod(x[0], x[1]), x[0] % x[1], div(x[0], x[1], "trunc"), div(x[0], x[1], "floor"), floor_divide(x[0], x[1])};
  };
  calls["div"] = [](const Tensors& x) { return Tensors{div(x[0], x[1]), div(x[0], x[1], "trunc"), div(x[0], x[1], "floor")}; };
  calls["quotients that rounding takes up"] = [](const Tensors& x) {
    return Tensors{floor_divide(x[0], x[1]), remainder(x[0], x[1]), fmod(x[0], x[1])};
  };
  calls["remainder by a number"] = [](const Tensors& x) { return Tensors{x[0] % 1.5}; };
  calls["bits of bools"] = [](const Tensors& x) { return Tensors{x[0] & x[1], x[0] | x[1], x[0] ^ x[1], ~x[0]}; };
  calls["bits of integers"] = [](const Tensors& x) { return Tensors{x[0] & x[1], x[0] | x[1], x[0] ^ x[1], ~x[0]}; };
  calls["shifts"] = [](const Tensors& x) { return Tensors{x[0] << x[1], x[0] >> x[1]}; };
  calls["logical"] = [](const Tensors& x) {
    return Tensors{logical_and(x[0], x[1]), logical_or(x[0], x[1]), logical_xor(x[0], x[1]), logical_not(x[0])};
  };
  calls["masked_fill"] = [](const Tensors& x) { return Tensors{masked_fill(x[0], x[1], -2.5), masked_fill(x[0], x[1][0], infinity)}; };
  calls["masked_fill by a tensor"] = [](const Tensors& x) { return Tensors{masked_fill(x[0], x[1], x[2])}; };
  calls["where"] = [](const Tensors& x) { return Tensors{where(x[0], x[1], x[2])}; };
  calls["lerp"] = [](const Tensors& x) { return Tensors{lerp(x[0], x[1], x[2])}; };
  calls["lerp by a number"] = [](const Tensors& x) { return Tensors{lerp(x[0], x[1], 0.25), lerp(x[0], x[1], 1)}; };
  calls["addcmul"] = [](const Tensors& x) { return Tensors{addcmul(x[0], x[1], x[2]), addcmul(x[0], x[1], x[2], -0.5)}; };
  calls["addcdiv"] = [](const Tensors& x) { return Tensors{addcdiv(x[0], x[1], x[2]), addcdiv(x[0], x[1], x[2], 2)}; };
}

void add_reductions(Calls& calls) {
  calls["prod"] = [](const Tensors& x) { return Tensors{prod(x[0]), prod(x[0], 1), prod(x[0], -1, true)}; };
  calls["prod of zeros"] = [](const Tensors& x) { return Tensors{prod(x[0], -1)}; };
  calls["prod of one and of none"] = [](const Tensors& x) { return Tensors{prod(slice(x[0], 1, 0, 1), 1), prod(slice(x[0], 1, 0, 0), 1)}; };
  calls["prod of integers"] = [](const Tensors& x) { return Tensors{prod(x[0]), prod(x[0], 0)}; };
  calls["logsumexp"] = [](const Tensors& x) { return Tensors{logsumexp(x[0], 1), logsumexp(x[0], {0, -1}, true)}; };
  calls["logsumexp of special numbers"] = [](const Tensors& x) { return Tensors{logsumexp(x[0], -1)}; };
  calls["logsumexp of nothing"] = [](const Tensors& x) { return Tensors{logsumexp(x[0], 0), logsumexp(full({2, 2}, -infinity), 0)}; };
  calls["stddev"] = [](const Tensors& x) { return Tensors{stddev(x[0]), stddev(x[0], 1), stddev(x[0], {0, 2}, 0, true)}; };
  calls["stddev of equal numbers"] = [](const Tensors& x) { return Tensors{stddev(x[0], 1)}; };
  calls["norm 1"] = [](const Tensors& x) { return norms(x[0], 1); };
  calls["norm 1 of zeros"] = [](const Tensors& x) { return Tensors{norm(x[0], 1, 1)}; };
  calls["norm 2"] = [](const Tensors& x) { return norms(x[0], 2); };
  calls["norm 2 of zeros"] = [](const Tensors& x) { return Tensors{norm(x[0], 2, 1)}; };
  calls["norm 3"] = [](const Tensors& x) { return norms(x[0], 3); };
  calls["norm 3 of zeros"] = [](const Tensors& x) { return Tensors{norm(x[0], 3, 1)}; };
  calls["norm 0.5"] = [](const Tensors& x) { return norms(x[0], 0.5); };
  calls["norm 0.5 of zeros"] = [](const Tensors& x) { return Tensors{norm(x[0], 0.5, 1)}; };
  calls["norm 1.5"] = [](const Tensors& x) { return norms(x[0], 1.5); };
  calls["norm 1.5 of zeros"] = [](const Tensors& x) { return Tensors{norm(x[0], 1.5, 1)}; };
  calls["norm inf"] = [](const Tensors& x) { return norms(x[0], infinity); };
  calls["norm inf of zeros"] = [](const Tensors& x) { return Tensors{norm(x[0], infinity, 1)}; };
  calls["norm -inf"] = [](const Tensors& x) { return norms(x[0], -infinity); };
  calls["norm 0"] = [](const Tensors& x) { return norms(x[0], 0); };
  calls["norm of special numbers"] = [](const Tensors& x) { return Tensors{norm(x[0], 2, -1), norm(x[0], infinity, -1)}; };
  calls["any and all"] = [](const Tensors& x) { return Tensors{any(x[0]), any(x[0], 1), all(x[0]), all(x[0], -1, true)}; };
  calls["any and all of nothing"] = [](const Tensors& x) { return Tensors{any(x[0]), all(x[0]), any(x[0], 0), all(x[0], 0)}; };
  calls["count_nonzero"] = [](const Tensors& x) {
    return Tensors{count_nonzero(x[0]), count_nonzero(x[0], 0), count_nonzero(x[0], {0, 1})};
  };
  calls["argmin"] = [](const Tensors& x) { return Tensors{argmin(x[0], 1), argmin(x[0], 0, true), argmin(x[0][0])}; };
  calls["argmin of integers"] = [](const Tensors& x) { return Tensors{argmin(x[0], 0)}; };
  calls["max with indices"] = [](const Tensors& x) { return both(max_with_indices(x[0], 1)); };
  calls["max with indices, kept"] = [](const Tensors& x) { return both(max_with_indices(x[0], -1, true)); };
  calls["max with indices of ties and nan"] = [](const Tensors& x) { return both(max_with_indices(x[0], 1)); };
  calls["max with indices: ties' gradient"] = [](const Tensors& x) { return both(max_with_indices(x[0], 1)); };
  calls["min with indices"] = [](const Tensors& x) { return both(min_with_indices(x[0], -2)); };
  calls["min with indices of ties and nan"] = [](const Tensors& x) { return both(min_with_indices(x[0], 1)); };
  calls["min with indices of integers"] = [](const Tensors& x) { return both(min_with_indices(x[0], 0)); };
  calls["cumsum"] = [](const Tensors& x) { return Tensors{cumsum(x[0], 0), cumsum(x[0], 1), cumsum(x[0], -1)}; };
  calls["cumsum of a long axis"] = [](const Tensors& x) { return Tensors{cumsum(x[0], 0)}; };
  calls["cumsum of special numbers"] = [](const Tensors& x) { return Tensors{cumsum(x[0], 1)}; };
  calls["cumsum of little"] = [](const Tensors& x) { return Tensors{cumsum(slice(x[0], 0, 0, 1), 0), cumsum(slice(x[0], 0, 0, 0), 0)}; };
  calls["cumsum of integers"] = [](const Tensors& x) { return Tensors{cumsum(x[0], 1)}; };
  calls["cumprod"] = [](const Tensors& x) { return Tensors{cumprod(x[0], 0), cumprod(x[0], -1)}; };
  calls["cumprod of zeros"] = [](const Tensors& x) { return Tensors{cumprod(x[0], 1)}; };
}

void add_products(Calls& calls) {
  for (const char* equation :
       {"bij,bjk->bik", "bij,bjk",        "ij,jk",     "ij->ji",   "ij->",         "ij->i",       "ji",           "ii->i",
        "ii",           "iji->j",         "i,j->ij",   "i,i->",    "i,i->i",       "bij,bij->b",  "ij,ik,jl->kl", "...ij,...jk->...ik",
        "...i->...",    "b...,b->...",    "...a,...a", "ab,b,a->", "ij,jk,kl->il", "abc,cd->adb", "i,",           "Ab,bA",
        "ij,j->i",      "bqhd,bkhd->bhqk"})
    calls[std::string("einsum ") + equation] = [equation](const Tensors& x) -> Tensors {
      return {einsum(equation, std::vector<Arg>(x.begin(), x.end()))};
    };
  calls["dot"] = [](const Tensors& x) { return Tensors{dot(x[0], x[1])}; };
  calls["dot of nothing"] = [](const Tensors& x) { return Tensors{dot(x[0], x[1])}; };
  calls["outer"] = [](const Tensors& x) { return Tensors{outer(x[0], x[1])}; };
  calls["mv"] = [](const Tensors& x) { return Tensors{mv(x[0], x[1])}; };
  calls["mm"] = [](const Tensors& x) { return Tensors{mm(x[0], x[1])}; };
  calls["bmm"] = [](const Tensors& x) { return Tensors{bmm(x[0], x[1])}; };
  calls["trace"] = [](const Tensors& x) { return Tensors{trace(x[0])}; };
  calls["trace of integers"] = [](const Tensors& x) { return Tensors{trace(x[0])}; };
  calls["cross"] = [](const Tensors& x) { return Tensors{cross(x[0], x[1])}; };
  calls["cross along the first axis"] = [](const Tensors& x) { return Tensors{cross(x[0], x[1], 0)}; };
  calls["einsum of nothing"] = [](const Tensors& x) { return Tensors{einsum("ij,jk->ik", {x[0], x[1]})}; };
  calls["einsum of integers"] = [](const Tensors& x) { return Tensors{einsum("ij,jk", {x[0], x[1]})}; };
  calls["tensordot"] = [](const Tensors& x) { return Tensors{tensordot(x[0], x[1], 2), tensordot(x[0], x[1], 0)}; };
  calls["tensordot of axes"] = [](const Tensors& x) { return Tensors{tensordot(x[0], x[1], {0, -1}, {2, 0})}; };
}

void add_distances(Calls& calls) {
  calls["normalize"] = [](const Tensors& x) { return Tensors{normalize(x[0]), normalize(x[0], 1, 0), normalize(x[0], infinity, -1)}; };
  calls["normalize zeros"] = [](const Tensors& x) { return Tensors{normalize(x[0])}; };
  calls["cosine_similarity"] = [](const Tensors& x) {
    return Tensors{cosine_similarity(x[0], x[1]), cosine_similarity(x[0], slice(x[1], 0, 0, 1), -1), cosine_similarity(x[0], x[1], 0)};
  };
  calls["pairwise_distance"] = [](const Tensors& x) {
    return Tensors{pairwise_distance(x[0], x[1]), pairwise_distance(x[0], x[1], 1, 1e-6, true), pairwise_distance(x[0], x[1], 3, 0.5)};
  };
  calls["cdist 1.0"] = [](const Tensors& x) { return Tensors{cdist(x[0], x[1], 1)}; };
  calls["cdist 2.0"] = [](const Tensors& x) { return Tensors{cdist(x[0], x[1])}; };
  calls["cdist 3.0"] = [](const Tensors& x) { return Tensors{cdist(x[0], x[1], 3)}; };
  calls["cdist inf"] = [](const Tensors& x) { return Tensors{cdist(x[0], x[1], infinity)}; };
  calls["cdist of equal rows"] = [](const Tensors& x) { return Tensors{cdist(x[0], x[1])}; };
  calls["cdist, values"] = [](const Tensors& x) {
    return Tensors{cdist(x[0], x[1], 0), cdist(slice(x[0], 0, 0, 0), x[1]), cdist(x[0], slice(x[1], 0, 0, 0))};
  };
}

void add_indices(Calls& calls) {
  calls["take_along_axis"] = [](const Tensors& x) { return Tensors{take_along_axis(x[0], x[1], 1)}; };
  calls["take_along_axis from the front"] = [](const Tensors& x) { return Tensors{take_along_axis(x[0], x[1], -2)}; };
  calls["take_along_axis of three axes"] = [](const Tensors& x) { return Tensors{take_along_axis(x[0], x[1], 1)}; };
  calls["take_along_axis of a vector"] = [](const Tensors& x) { return Tensors{take_along_axis(x[0], x[1], 0)}; };
  calls["take_along_axis of nothing"] = [](const Tensors& x) { return Tensors{take_along_axis(x[0], x[1], 1)}; };
  calls["scatter_add_along_axis"] = [](const Tensors& x) { return Tensors{scatter_add_along_axis(x[0], x[1], x[2], 1)}; };
  calls["scatter_add_along_axis 0"] = [](const Tensors& x) { return Tensors{scatter_add_along_axis(x[0], x[1], x[2], 0)}; };
}

void add_images(Calls& calls) {
  calls["scatter_along_axis"] = [](const Tensors& x) { return Tensors{scatter_along_axis(x[0], x[1], x[2], 1)}; };
  calls["scatter_along_axis 0"] = [](const Tensors& x) { return Tensors{scatter_along_axis(x[0], x[1], x[2], 0)}; };
  calls["scatter_along_axis of integers"] = [](const Tensors& x) { return Tensors{scatter_along_axis(x[0], x[1], x[2], 0)}; };
  for (const std::string mode : {"reflect", "replicate", "circular"}) {
    calls["pad " + mode] = [mode](const Tensors& x) { return Tensors{pad(x[0], {0, 0, 1, 2}, {0, 0, 0, 1}, mode)}; };
    calls["pad " + mode + ", cut"] = [mode](const Tensors& x) { return Tensors{pad(x[0], {0, 0, -1}, {0, 0, 2}, mode)}; };
  }
  calls["pad constant, cut"] = [](const Tensors& x) {
    return Tensors{pad(x[0], {0, 0, -1}, {0, 0, 2}, 1.5), pad(x[0], {0, 0, 0}, {0, 0, -5}), pad(x[0], {0, 0, 2}, {0, 0, -1}, "constant")};
  };
  for (const std::string mode : {"nearest", "nearest-exact", "area", "bilinear", "bicubic"})
    calls["interpolate " + mode] = [mode](const Tensors& x) { return Tensors{interpolate(x[0], {.size = {6, 2}, .mode = mode})}; };
  calls["interpolate aligned"] = [](const Tensors& x) {
    return Tensors{interpolate(x[0], {.scale_factor = 1.6, .mode = "linear", .align_corners = true})};
  };
  calls["interpolate no batch at all"] = [](const Tensors& x) { return Tensors{interpolate(x[0], {.size = 4, .mode = "linear"})}; };
  calls["unfold and fold"] = [](const Tensors& x) {
    const UnfoldOptions o{.padding = 1, .stride = 2};
    return Tensors{unfold(x[0], 2), fold(unfold(x[0], {3, 2}, o), {4, 3}, {3, 2}, o)};
  };
  calls["pixel_shuffle"] = [](const Tensors& x) { return Tensors{pixel_shuffle(x[0], 2), pixel_unshuffle(pixel_shuffle(x[0], 2), 2)}; };
  calls["adaptive_max_pool"] = [](const Tensors& x) { return Tensors{adaptive_max_pool1d(x[0], 3)}; };
  calls["local_response_norm"] = [](const Tensors& x) { return Tensors{local_response_norm(x[0], 2, 0.5, 0.75, 2)}; };
  calls["glu"] = [](const Tensors& x) { return Tensors{glu(x[0], 1), glu(slice(x[0], -1, 0, 4))}; };
  calls["celu and shrinks"] = [](const Tensors& x) {
    return Tensors{celu(x[0], 0.5), softshrink(x[0]), hardshrink(x[0]), tanhshrink(x[0])};
  };
  calls["softmin and threshold"] = [](const Tensors& x) { return Tensors{softmin(x[0], -1), threshold(x[0], 0.1, 7)}; };
  for (const std::string mode : {"bilinear", "nearest", "bicubic"})
    for (const std::string padding : {"zeros", "border", "reflection"})
      for (const bool aligned : {false, true})
        calls["grid_sample " + mode + " " + padding + (aligned ? " aligned" : "")] = [=](const Tensors& x) {
          return Tensors{grid_sample(x[0], x[1], {.mode = mode, .padding_mode = padding, .align_corners = aligned})};
        };
  calls["affine_grid"] = [](const Tensors& x) { return Tensors{affine_grid(x[0], {2, 1, 3, 4})}; };
  calls["affine_grid aligned"] = [](const Tensors& x) { return Tensors{affine_grid(x[0], {2, 1, 3, 4}, true)}; };
  calls["affine_grid of one"] = [](const Tensors& x) {
    return Tensors{affine_grid(x[0], {1, 1, 1, 1}, true), affine_grid(x[0], {1, 1, 1, 2})};
  };
  calls["erfinv"] = [](const Tensors& x) { return Tensors{erfinv(x[0])}; };
  calls["erfinv of special numbers"] = [](const Tensors& x) { return Tensors{erfinv(x[0])}; };
}

}  // namespace

const std::map<std::string, LanguageCall>& language_calls() {
  static const Calls calls = [] {
    Calls all;
    for (auto add : {add_shapes, add_creation, add_elementwise, add_reductions, add_products, add_distances, add_indices, add_images,
                     add_order, add_edges})
      add(all);
    return all;
  }();
  return calls;
}

}  // namespace weft::testing
