#include "weft/backends/cuda/kernels/attention.h"

#include <algorithm>
#include <limits>

#include "weft/backends/codegen/math/math.h"
#include "weft/backends/cuda/assembly.h"
#include "weft/backends/cuda/exec/attention.h"
#include "weft/backends/cuda/kernels/attention_kernel.h"
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

  static AttentionWork work_of(const AttentionCall& c) {
    return {c.dtype, c.heads(), c.queries, c.keys, {c.width}, {c.width, c.value_width}, {c.value_width}};
  }

  KernelLaunch emit() {
    const auto [head, first_query] = tile_of_block(/*rows_are_keys=*/false);
    const Values of_keys = head_of_keys(head);
    const Rows queries = rows_of(q, q, head), keys = rows_of(k, k, of_keys), values = rows_of(v, v, of_keys);
    const Rows to = rows_of(result, first_result(), head);
    block().keep(queries, first_query);
    State state{zeros(to), Values(rows(), real(-infinity)), Values(rows(), zero())};
    state =
        state.with(k_.loop(number(0), end_of_keys(first_query), columns_of_tile(), state.all(), [&](Value* first_key, const Values& all) {
          State now = state.with(all);
          block().begin_columns({&keys, &values}, first_key);
          Values numbers = block().products(queries, first_query, keys, first_key);
          for (size_t i = 0; i < numbers.size(); ++i) {
            Value* query = b_.CreateAdd(first_query, block().row(block().row_of_number(i)));
            numbers[i] = score(numbers[i], head, query, b_.CreateAdd(first_key, block().column(i)));
          }
          weigh(numbers, now);
          now.results = block().accumulated(now.results, numbers, values, first_key);
          return now.all();
        }));
    finish_rows(state, head, first_query, to);
    return finish();
  }

 private:
  /// What a thread carries from tile to tile: the results' sums, and for each of its rows the largest score and the sum of the weights.
  struct State {
    Values results, largest, totals;

    Values all() const {
      Values v = results;
      v.insert(v.end(), largest.begin(), largest.end());
      v.insert(v.end(), totals.begin(), totals.end());
      return v;
    }
    State with(const Values& v) const {
      const auto end_of_largest = v.end() - static_cast<std::ptrdiff_t>(totals.size());
      const auto end_of_results = end_of_largest - static_cast<std::ptrdiff_t>(largest.size());
      return {{v.begin(), end_of_results}, {end_of_results, end_of_largest}, {end_of_largest, v.end()}};
    }
  };

  size_t rows() { return block().thread_rows(); }

  void multiply_row(Values& results, size_t row, Value* factor) {
    for (size_t s = 0; s < results.size(); ++s)
      if (block().row_of_sum(s, results.size()) == row) results[s] = b_.CreateFMul(results[s], factor);
  }

  /// Scores to weights; what was added up before becomes relative to the new largest scores.
  void weigh(Values& numbers, State& now) {
    for (size_t i = 0; i < rows(); ++i) {
      Values of_row;
      for (size_t n = 0; n < numbers.size(); ++n)
        if (block().row_of_number(n) == i) of_row.push_back(numbers[n]);
      Value* most = of_row[0];
      for (size_t j = 1; j < of_row.size(); ++j) most = larger(most, of_row[j]);
      most = larger(now.largest[i], block().over_columns(most, [&](Value* x, Value* y) { return larger(x, y); }));
      Value* shift = b_.CreateSelect(b_.CreateFCmpOEQ(most, real(-infinity)), zero(), most);
      Value *factor = codegen::emit_exp(b_, b_.CreateFSub(now.largest[i], shift)), *sum = zero();
      for (size_t n = 0; n < numbers.size(); ++n) {
        if (block().row_of_number(n) != i) continue;
        numbers[n] = codegen::emit_exp(b_, b_.CreateFSub(numbers[n], shift));
        sum = b_.CreateFAdd(sum, numbers[n]);
      }
      sum = block().over_columns(sum, [&](Value* x, Value* y) { return b_.CreateFAdd(x, y); });
      now.totals[i] = codegen::emit_fma(b_, now.totals[i], factor, sum), now.largest[i] = most;
      multiply_row(now.results, i, factor);
    }
  }

  /// nan if one of them is.
  Value* larger(Value* x, Value* y) { return b_.CreateSelect(b_.CreateOr(b_.CreateFCmpOGT(y, x), b_.CreateFCmpUNO(y, y)), y, x); }

  void finish_rows(State& state, const Values& head, Value* first_query, const Rows& to) {
    for (size_t i = 0; i < rows(); ++i) {
      Value* sees_none = b_.CreateFCmpOEQ(state.totals[i], zero());
      multiply_row(state.results, i, b_.CreateSelect(sees_none, zero(), b_.CreateFDiv(real(1), state.totals[i])));
      Value* lse = b_.CreateFAdd(state.largest[i], codegen::emit_log(b_, state.totals[i]));
      store_number_of_query(first_result() + 1, head, b_.CreateAdd(first_query, block().row(i)),
                            b_.CreateSelect(sees_none, real(-infinity), lse));
    }
    block().store(to, first_query, state.results);
  }
};

/// A block has some keys, and goes through the queries of all heads that share them.
class KeysGradientKernel final : public AttentionKernel {
 public:
  /// The gradients that it computes. One alone needs fewer registers.
  struct Wanted {
    bool keys, values;
  };

  static AttentionWork work_of(const AttentionCall& c, Wanted wanted) {
    AttentionWork work{c.dtype, c.heads() / c.group, c.keys, c.queries, {c.width}, {c.width, c.value_width}, {}};
    if (wanted.keys) work.row_widths.push_back(c.value_width), work.sum_widths.push_back(c.width);
    if (wanted.values) work.sum_widths.push_back(c.value_width);
    return work;
  }

  KeysGradientKernel(llvm::Module& module, const ir::Op& op, const std::string& name, const AttentionCall& call, const AttentionTile& tile,
                     Wanted wanted)
      : AttentionKernel(module, op, name, call, work_of(call, wanted), tile), wanted_(wanted) {}

  KernelLaunch emit() {
    const auto [of_keys, first_key] = tile_of_block(/*rows_are_keys=*/true);
    const Rows keys = rows_of(k, k, of_keys), values = rows_of(v, v, of_keys);
    const Rows to_keys = rows_of(dk, first_result() + 1, of_keys), to_values = rows_of(dv, first_result() + 2, of_keys);
    block().keep(keys, first_key);
    if (wanted_.keys) block().keep(values, first_key);
    Values carried = wanted_.keys ? zeros(to_keys) : Values();
    const auto sums = static_cast<std::ptrdiff_t>(carried.size());
    const Values more = wanted_.values ? zeros(to_values) : Values();
    carried.insert(carried.end(), more.begin(), more.end());
    carried = k_.loop(number(0), number(call_.group), number(1), carried, [&](Value* in_group, const Values& before) {
      Values head = of_keys;
      if (call_.group > 1) head.back() = b_.CreateAdd(b_.CreateMul(head.back(), number(call_.group)), in_group);
      const Rows queries = rows_of(q, q, head), gradients = rows_of(g, g, head);
      return k_.loop(begin_of_queries(first_key), number(call_.queries), columns_of_tile(), before,
                     [&](Value* first_query, const Values& all) {
                       Values by_keys(all.begin(), all.begin() + sums), by_values(all.begin() + sums, all.end());
                       block().begin_columns({&queries, &gradients}, first_query);
                       Values weights = block().products(keys, first_key, queries, first_query);
                       for (size_t i = 0; i < weights.size(); ++i) {
                         Value *query = query_of(first_query, i), *key = b_.CreateAdd(first_key, block().row(block().row_of_number(i)));
                         weights[i] = weight(score(weights[i], head, query, key), number_of_query(lse_buffer, head, query));
                       }
                       if (wanted_.values) by_values = block().accumulated(by_values, weights, gradients, first_query);
                       if (wanted_.keys) {
                         Values slopes = block().products(values, first_key, gradients, first_query);
                         for (size_t i = 0; i < slopes.size(); ++i)
                           slopes[i] = slope(weights[i], slopes[i], number_of_query(delta_buffer, head, query_of(first_query, i)));
                         by_keys = block().accumulated(by_keys, slopes, queries, first_query);
                       }
                       by_keys.insert(by_keys.end(), by_values.begin(), by_values.end());
                       return by_keys;
                     });
    });
    if (wanted_.keys) block().store(to_keys, first_key, {carried.begin(), carried.begin() + sums});
    if (wanted_.values) block().store(to_values, first_key, {carried.begin() + sums, carried.end()});
    return finish();
  }

 private:
  Value* query_of(Value* first_query, size_t number) { return b_.CreateAdd(first_query, block().column(number)); }

  Wanted wanted_;
};

/// A block has some queries, and goes through the keys that they see.
class QueriesGradientKernel final : public AttentionKernel {
 public:
  using AttentionKernel::AttentionKernel;

  static AttentionWork work_of(const AttentionCall& c) {
    return {c.dtype, c.heads(), c.queries, c.keys, {c.width, c.value_width}, {c.width, c.value_width}, {c.width}};
  }

  KernelLaunch emit() {
    const auto [head, first_query] = tile_of_block(/*rows_are_keys=*/false);
    const Values of_keys = head_of_keys(head);
    const Rows queries = rows_of(q, q, head), keys = rows_of(k, k, of_keys), values = rows_of(v, v, of_keys);
    const Rows gradients = rows_of(g, g, head), to = rows_of(dq, first_result(), head);
    block().keep(queries, first_query), block().keep(gradients, first_query);
    const Values sums =
        k_.loop(number(0), end_of_keys(first_query), columns_of_tile(), zeros(to), [&](Value* first_key, const Values& before) {
          block().begin_columns({&keys, &values}, first_key);
          const Values dots = block().products(queries, first_query, keys, first_key);
          Values slopes = block().products(gradients, first_query, values, first_key);
          for (size_t i = 0; i < slopes.size(); ++i) {
            Value* query = b_.CreateAdd(first_query, block().row(block().row_of_number(i)));
            Value* key = b_.CreateAdd(first_key, block().column(i));
            Value* of_pair = weight(score(dots[i], head, query, key), number_of_query(lse_buffer, head, query));
            slopes[i] = slope(of_pair, slopes[i], number_of_query(delta_buffer, head, query));
          }
          return block().accumulated(before, slopes, keys, first_key);
        });
    block().store(to, first_query, sums);
    return finish();
  }
};

/// By which kernels the gradients of keys and values are computed: by one, or where the matrix units' sums of both do not fit into
/// registers, by one each.
std::vector<KeysGradientKernel::Wanted> keys_kernels(const AttentionCall& call, bool matrix_units) {
  const auto fits = [&](KeysGradientKernel::Wanted wanted) {
    return matrix_units_tile(KeysGradientKernel::work_of(call, wanted)).has_value();
  };
  if (matrix_units && !fits({true, true}) && fits({true, false}) && fits({false, true})) return {{false, true}, {true, false}};
  return {{true, true}};
}

std::vector<AttentionWork> works_of(const AttentionCall& call, bool matrix_units) {
  if (!call.is_gradient) return {ForwardKernel::work_of(call)};
  std::vector<AttentionWork> all{QueriesGradientKernel::work_of(call)};
  for (const auto wanted : keys_kernels(call, matrix_units)) all.push_back(KeysGradientKernel::work_of(call, wanted));
  return all;
}

AttentionTile tile_for(const AttentionWork& work, bool matrix_units) {
  const std::optional<AttentionTile> by_units = matrix_units ? matrix_units_tile(work) : std::nullopt;
  return by_units ? *by_units : threads_tile(work).value();
}

}  // namespace

bool claims_attention(const ir::Op& op) {
  if (!program::is_attention_call(op)) return false;
  const AttentionCall call = program::attention_call_of(op);
  const auto is_launchable = [](const AttentionWork& work, const std::optional<AttentionTile>& tile) {
    return tile && tile->blocks(work) <= most_blocks;
  };
  const auto all = [&](bool matrix_units, auto has_kernel) {
    const std::vector<AttentionWork> works = works_of(call, matrix_units);
    return std::all_of(works.begin(), works.end(), has_kernel);
  };
  const bool by_threads = all(false, [&](const AttentionWork& work) { return is_launchable(work, threads_tile(work)); });
  // The architecture is not known yet. Where it has matrix units, these run all that there is room for. A gradient of bf16 that there is
  // none for is better written out: of its products they run the whole, though the weights are stored.
  const bool by_units = all(true, [&](const AttentionWork& work) {
    const std::optional<AttentionTile> tile = matrix_units_tile(work);
    return tile ? is_launchable(work, tile) : !(call.is_gradient && call.dtype == bf16);
  });
  return by_threads && by_units;
}

int64_t attention_scratch_bytes(const ir::Op& op) { return workspace_bytes(program::attention_call_of(op)); }

CallDescriptor describe_attention(const ir::Op& op, const KernelCall& kernels, bool /*tf32*/) {
  const AttentionCall call = program::attention_call_of(op);
  return is_for_library(call) ? describe(call, kernels) : describe(kernels);
}

std::vector<KernelLaunch> emit_attention(llvm::Module& module, const ir::Op& op, const std::string& name) {
  const AttentionCall call = program::attention_call_of(op);
  const AttentionWork work = ForwardKernel::work_of(call);
  return {ForwardKernel(module, op, name, call, work, tile_for(work, multiplies_bf16_matrices(module))).emit()};
}

std::vector<KernelLaunch> emit_attention_gradient(llvm::Module& module, const ir::Op& op, const std::string& name) {
  const AttentionCall call = program::attention_call_of(op);
  const bool matrix_units = multiplies_bf16_matrices(module);
  std::vector<KernelLaunch> launches;
  for (const auto wanted : keys_kernels(call, matrix_units)) {
    const std::string of = wanted.keys ? "_keys" : "_values";
    const AttentionTile tile = tile_for(KeysGradientKernel::work_of(call, wanted), matrix_units);
    launches.push_back(KeysGradientKernel(module, op, name + of, call, tile, wanted).emit());
  }
  const AttentionWork work = QueriesGradientKernel::work_of(call);
  launches.push_back(QueriesGradientKernel(module, op, name + "_queries", call, work, tile_for(work, matrix_units)).emit());
  return launches;
}

}  // namespace weft::cuda
