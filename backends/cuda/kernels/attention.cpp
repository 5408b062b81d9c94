#include "weft/backends/cuda/kernels/attention.h"

#include <algorithm>
#include <limits>

#include "weft/backends/codegen/math/math.h"
#include "weft/backends/cuda/exec/attention.h"
#include "weft/backends/cuda/kernels/attention_kernel.h"
#include "weft/backends/cuda/thread_code.h"
#include "weft/backends/program/attention.h"
#include "weft/ir/ops/attention.h"

namespace weft::cuda {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

enum Place : uint8_t { q, k, v, g, result = 3, dq = 4, dk, dv };  // among the call's
constexpr int lse_buffer = 4, delta_buffer = 5;                   // of the gradient

/// A block has some queries, and keeps for each the largest score and the sum of the weights, relative to it, of the keys before.
class ForwardKernel final : public AttentionKernel {
 public:
  using AttentionKernel::AttentionKernel;

  KernelLaunch emit() {
    const auto [head, first_query] = tile_of_block(/*rows_are_keys=*/false);
    const Values of_keys = head_of_keys(head);
    const Rows queries = rows_of(q, q, head), keys = rows_of(k, k, of_keys), values = rows_of(v, v, of_keys);
    const Rows to = rows_of(result, first_result(), head);
    const auto rows = static_cast<size_t>(side());
    Values carried = zeros(to);
    const size_t sums = carried.size();
    carried.insert(carried.end(), rows, real(-infinity));  // the largest
    carried.insert(carried.end(), rows, zero());           // the sums of weights
    carried = k_.loop(number(0), end_of_keys(first_query), number(tile()), carried, [&](Value* first_key, const Values& before) {
      Values results(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(sums));
      Values largest(before.begin() + static_cast<std::ptrdiff_t>(sums), before.end() - side()),
          totals(before.end() - side(), before.end());
      Values numbers = products(queries, first_query, keys, first_key);
      for (size_t i = 0; i < numbers.size(); ++i)
        numbers[i] = score(numbers[i], head, b_.CreateAdd(first_query, row(i)), b_.CreateAdd(first_key, column(i)));
      weigh(numbers, largest, totals, results);
      share(numbers);
      results = accumulated(results, values, first_key);
      results.insert(results.end(), largest.begin(), largest.end());
      results.insert(results.end(), totals.begin(), totals.end());
      return results;
    });
    finish(carried, sums, head, first_query, to);
    return k_.finish(blocks(false));
  }

 private:
  /// Scores to weights; what was added up before becomes relative to the new largest scores.
  void weigh(Values& numbers, Values& largest, Values& totals, Values& results) {
    const auto rows = static_cast<size_t>(side());
    for (size_t i = 0; i < rows; ++i) {
      const auto of_row = [&](size_t j) -> Value*& { return numbers[i * rows + j]; };
      Value* most = of_row(0);
      for (size_t j = 1; j < rows; ++j) most = larger(most, of_row(j));
      most = larger(largest[i], over_columns(most, [&](Value* x, Value* y) { return larger(x, y); }));
      Value* shift = b_.CreateSelect(b_.CreateFCmpOEQ(most, real(-infinity)), zero(), most);
      Value *factor = codegen::emit_exp(b_, b_.CreateFSub(largest[i], shift)), *sum = zero();
      for (size_t j = 0; j < rows; ++j) {
        of_row(j) = codegen::emit_exp(b_, b_.CreateFSub(of_row(j), shift));
        sum = b_.CreateFAdd(sum, of_row(j));
      }
      sum = over_columns(sum, [&](Value* x, Value* y) { return b_.CreateFAdd(x, y); });
      totals[i] = codegen::emit_fma(b_, totals[i], factor, sum), largest[i] = most;
      for (size_t s = 0; s < results.size(); ++s)
        if (row_of_sum(s, results) == i) results[s] = b_.CreateFMul(results[s], factor);
    }
  }

  /// nan if one of them is.
  Value* larger(Value* x, Value* y) { return b_.CreateSelect(b_.CreateOr(b_.CreateFCmpOGT(y, x), b_.CreateFCmpUNO(y, y)), y, x); }

  /// Of the threads of a row, which are half a warp; each gets the same bits.
  template <class Combine>
  Value* over_columns(Value* x, Combine combine) {
    for (int bits = 1; bits < tile() / side(); bits *= 2) x = combine(x, shuffled(b_, x, bits));
    return x;
  }

  void finish(const Values& carried, size_t sums, const Values& head, Value* first_query, const Rows& to) {
    const auto rows = static_cast<size_t>(side());
    Values results(carried.begin(), carried.begin() + static_cast<std::ptrdiff_t>(sums));
    for (size_t i = 0; i < rows; ++i) {
      Value *largest = carried[sums + i], *total = carried[sums + rows + i];
      Value* sees_none = b_.CreateFCmpOEQ(total, zero());
      Value* factor = b_.CreateSelect(sees_none, zero(), b_.CreateFDiv(real(1), total));
      for (size_t s = 0; s < sums; ++s)
        if (row_of_sum(s, results) == i) results[s] = b_.CreateFMul(results[s], factor);
      Value* lse = b_.CreateSelect(sees_none, real(-infinity), b_.CreateFAdd(largest, codegen::emit_log(b_, total)));
      store_number_of_query(first_result() + 1, head, b_.CreateAdd(first_query, row(i * rows)), lse);
    }
    store(to, first_query, results);
  }
};

/// A block has some keys, and goes through the queries of all heads that share them.
class KeysGradientKernel final : public AttentionKernel {
 public:
  using AttentionKernel::AttentionKernel;

  KernelLaunch emit() {
    const auto [of_keys, first_key] = tile_of_block(/*rows_are_keys=*/true);
    const Rows keys = rows_of(k, k, of_keys), values = rows_of(v, v, of_keys);
    const Rows to_keys = rows_of(dk, first_result() + 1, of_keys), to_values = rows_of(dv, first_result() + 2, of_keys);
    Values carried = zeros(to_keys);
    const auto sums = static_cast<std::ptrdiff_t>(carried.size());
    const Values more = zeros(to_values);
    carried.insert(carried.end(), more.begin(), more.end());
    carried = k_.loop(number(0), number(call_.group), number(1), carried, [&](Value* in_group, const Values& before) {
      Values head = of_keys;
      if (call_.group > 1) head.back() = b_.CreateAdd(b_.CreateMul(head.back(), number(call_.group)), in_group);
      const Rows queries = rows_of(q, q, head), gradients = rows_of(g, g, head);
      return k_.loop(
          begin_of_queries(first_key), number(call_.queries), number(tile()), before, [&](Value* first_query, const Values& all) {
            Values weights = products(keys, first_key, queries, first_query);
            for (size_t i = 0; i < weights.size(); ++i) {
              Value* query = b_.CreateAdd(first_query, column(i));
              weights[i] =
                  weight(score(weights[i], head, query, b_.CreateAdd(first_key, row(i))), number_of_query(lse_buffer, head, query));
            }
            share(weights);
            const Values of_values = accumulated({all.begin() + sums, all.end()}, gradients, first_query);
            Values slopes = products(values, first_key, gradients, first_query);
            for (size_t i = 0; i < slopes.size(); ++i)
              slopes[i] = slope(weights[i], slopes[i], number_of_query(delta_buffer, head, b_.CreateAdd(first_query, column(i))));
            share(slopes);
            Values next = accumulated({all.begin(), all.begin() + sums}, queries, first_query);
            next.insert(next.end(), of_values.begin(), of_values.end());
            return next;
          });
    });
    store(to_keys, first_key, {carried.begin(), carried.begin() + sums});
    store(to_values, first_key, {carried.begin() + sums, carried.end()});
    return k_.finish(blocks(true));
  }
};

/// A block has some queries, and goes through the keys that they see.
class QueriesGradientKernel final : public AttentionKernel {
 public:
  using AttentionKernel::AttentionKernel;

  KernelLaunch emit() {
    const auto [head, first_query] = tile_of_block(/*rows_are_keys=*/false);
    const Values of_keys = head_of_keys(head);
    const Rows queries = rows_of(q, q, head), keys = rows_of(k, k, of_keys), values = rows_of(v, v, of_keys);
    const Rows gradients = rows_of(g, g, head), to = rows_of(dq, first_result(), head);
    const Values sums =
        k_.loop(number(0), end_of_keys(first_query), number(tile()), zeros(to), [&](Value* first_key, const Values& before) {
          const Values dots = products(queries, first_query, keys, first_key);
          Values slopes = products(gradients, first_query, values, first_key);
          for (size_t i = 0; i < slopes.size(); ++i) {
            Value *query = b_.CreateAdd(first_query, row(i)), *key = b_.CreateAdd(first_key, column(i));
            Value* of_pair = weight(score(dots[i], head, query, key), number_of_query(lse_buffer, head, query));
            slopes[i] = slope(of_pair, slopes[i], number_of_query(delta_buffer, head, query));
          }
          share(slopes);
          return accumulated(before, keys, first_key);
        });
    store(to, first_query, sums);
    return k_.finish(blocks(false));
  }
};

}  // namespace

bool claims_attention(const ir::Op& op) {
  // Of bf16, libraries multiply so much faster by matrix units that the weights are better stored for the gradient.
  if (ir::is_attention_gradient(op) && op.operand(0).dtype() == bf16) return false;
  return program::is_attention_call(op) && AttentionKernel::fits(program::attention_call_of(op));
}

int64_t attention_scratch_bytes(const ir::Op& op) { return workspace_bytes(program::attention_call_of(op)); }

CallDescriptor describe_attention(const ir::Op& op, const KernelCall& kernels, bool /*tf32*/) {
  const AttentionCall call = program::attention_call_of(op);
  return is_for_library(call) ? describe(call, kernels) : describe(kernels);
}

std::vector<KernelLaunch> emit_attention(llvm::Module& module, const ir::Op& op, const std::string& name) {
  return {ForwardKernel(module, op, name, program::attention_call_of(op)).emit()};
}

std::vector<KernelLaunch> emit_attention_gradient(llvm::Module& module, const ir::Op& op, const std::string& name) {
  const AttentionCall call = program::attention_call_of(op);
  return {KeysGradientKernel(module, op, name + "_keys", call).emit(), QueriesGradientKernel(module, op, name + "_queries", call).emit()};
}

}  // namespace weft::cuda
