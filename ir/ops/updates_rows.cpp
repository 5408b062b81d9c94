// sparse_adam: updates of those rows of a table that have a gradient.

#include "weft/ir/ops/update.h"

namespace weft::ir {
namespace {

std::vector<Value> sparse_adam(const Update& u) {
  Builder& b = u.builder();
  const auto rows_of = [&](Expr table) -> Expr { return {b, b("gather", {table, u.index()}, {{"axis", int64_t{0}}})}; };
  const auto with_rows = [&](Expr table, Expr rows) { return b("scatter_rows", {table, u.index(), rows}); };
  const Expr g{b, b("coalesce", {u.index(), u.ascended_gradient()})};
  const Expr lr = u.hyper("lr"), beta1 = u.hyper("beta1"), beta2 = u.hyper("beta2"), t = u.step();
  const Expr old_average = rows_of(u.state(0)), old_square = rows_of(u.state(1));
  const Expr average = fading((g - old_average) * u.broadcast(1.0 - beta1) + old_average);
  const Expr second = fading((square(g) - old_square) * u.broadcast(1.0 - beta2) + old_square);
  const Expr rate = lr * sqrt(1.0 - pow(beta2, t)) / (1.0 - pow(beta1, t));
  const Expr rows = rows_of(u.parameter()) - u.broadcast(rate) * (average / (sqrt(second) + u.broadcast("eps")));
  return {with_rows(u.parameter(), rows), with_rows(u.state(0), average), with_rows(u.state(1), second)};
}

}  // namespace

const std::vector<UpdateRule>& row_rules() {
  static const std::vector<UpdateRule> rules = {
      {{.op = "sparse_adam",
        .hypers = {{"lr", "learning rate"},
                   {"beta1", "decay of the running mean"},
                   {"beta2", "decay of the running square"},
                   {"eps", "added to the denominator"}},
        .states =
            [](const Type&, const std::function<bool(std::string_view)>&) {
              return std::vector<StateSpec>{{"exp_avg", like_parameter}, {"exp_avg_sq", like_parameter}};
            },
        .rows = true},
       "One step of torch.optim.SparseAdam: Adam of those rows that have a gradient; the others and their states stay as they are",
       {"maximize"},
       sparse_adam},
  };
  return rules;
}

}  // namespace weft::ir
