#include "weft/tests/passes/programs.h"

namespace weft::testing {
namespace {

std::string train(const std::string& inputs, const std::string& optimizer) {
  return "train {loss = \"loss\", inputs = [" + inputs + "], " + optimizer + "}\n";
}

/// Celsius from the readings of an unknown thermometer: a line through 11 points.
const std::string temperature = R"(
    input %t_u: T[11] at "line.cpp":7
    input %t_c: T[11] at "line.cpp":7
    input %w: T[] parameter at "line.cpp":5
    input %b: T[] parameter at "line.cpp":5
    %0 = broadcast(%w) {shape = [11]} : T[11] at "line.cpp":9
    %1 = mul(%0, %t_u) : T[11] at "line.cpp":9
    %2 = broadcast(%b) {shape = [11]} : T[11] at "line.cpp":9
    %3 = add(%1, %2) : T[11] at "line.cpp":9
    %4 = mse_loss(%3, %t_c) : T[] at "line.cpp":10
    output loss = %4 at "line.cpp":10
)";

/// Two layers, cross entropy, accuracy.
const std::string mlp = R"(
    input %x: T[8,6] at "mlp.cpp":20
    input %y: i64[8] at "mlp.cpp":21
    input %fc1.weight: T[5,6] parameter at "mlp.cpp":8 "fc1"
    input %fc1.bias: T[5] parameter at "mlp.cpp":8 "fc1"
    input %fc2.weight: T[4,5] parameter at "mlp.cpp":9 "fc2"
    input %fc2.bias: T[4] parameter at "mlp.cpp":9 "fc2"
    %0 = transpose(%fc1.weight) {permutation = [1,0]} : T[6,5] at "mlp.cpp":11 "fc1"
    %1 = matmul(%x, %0) : T[8,5] at "mlp.cpp":11 "fc1"
    %2 = broadcast(%fc1.bias) {shape = [8,5]} : T[8,5] at "mlp.cpp":11 "fc1"
    %3 = add(%1, %2) : T[8,5] at "mlp.cpp":11 "fc1"
    %4 = relu(%3) : T[8,5] at "mlp.cpp":11
    %5 = transpose(%fc2.weight) {permutation = [1,0]} : T[5,4] at "mlp.cpp":11 "fc2"
    %6 = matmul(%4, %5) : T[8,4] at "mlp.cpp":11 "fc2"
    %7 = broadcast(%fc2.bias) {shape = [8,4]} : T[8,4] at "mlp.cpp":11 "fc2"
    %8 = add(%6, %7) : T[8,4] at "mlp.cpp":11 "fc2"
    %9 = cross_entropy(%8, %y) : T[] at "mlp.cpp":23
    %10 = argmax(%8) {axis = 1} : i64[8] at "mlp.cpp":24
    %11 = eq(%10, %y) : bool[8] at "mlp.cpp":24
    %12 = cast(%11) {dtype = T} : T[8] at "mlp.cpp":24
    %13 = mean(%12) {axes = [0]} : T[] at "mlp.cpp":24
    output loss = %9 at "mlp.cpp":23
    output accuracy = %13 at "mlp.cpp":24
)";
const std::string mlp_parameters = "\"fc1.weight\", \"fc1.bias\", \"fc2.weight\", \"fc2.bias\"";

/// Layer normalization, dropout, GELU and attention-like products of three ranks.
const std::string block = R"(
    input %x: T[2,3,4]
    input %key: i64[2] key
    input %rate: f64[] hyper
    input %gain: T[4] parameter
    input %w: T[2,4,4] parameter
    %m = mean(%x) {axes = [2], keep_dims = true} : T[2,3,1]
    %mb = broadcast(%m) {shape = [2,3,4]} : T[2,3,4]
    %d = sub(%x, %mb) : T[2,3,4]
    %q = square(%d) : T[2,3,4]
    %v = mean(%q) {axes = [2], keep_dims = true} : T[2,3,1]
    %e = constant() {value = T[2,3,1] 0.015625} : T[2,3,1]
    %ve = add(%v, %e) : T[2,3,1]
    %r = rsqrt(%ve) : T[2,3,1]
    %rb = broadcast(%r) {shape = [2,3,4]} : T[2,3,4]
    %n = mul(%d, %rb) : T[2,3,4]
    %gb = broadcast(%gain) {shape = [2,3,4]} : T[2,3,4]
    %s = mul(%n, %gb) : T[2,3,4]
    %p = matmul(%s, %w) : T[2,3,4]
    %t = transpose(%p) {permutation = [0,2,1]} : T[2,4,3]
    %scores = matmul(%p, %t) : T[2,3,3]
    %a = softmax(%scores) {axis = 2} : T[2,3,3]
    %o = matmul(%a, %p) : T[2,3,4]
    %dropped = dropout(%o, %key, %rate) {site = 1} : T[2,3,4]
    %g = gelu(%dropped) : T[2,3,4]
    %loss = mean(%g) {axes = [0,1,2]} : T[]
    output loss = %loss
    output attention = %a
)";

/// States that are copied, kept and replaced in several ways.
const std::string states = R"(
    input %x: T[4,4]
    input %last: T[4,4] state
    input %average: T[4,4] state
    input %count: i64[] state
    %one = constant() {value = i64[] 1} : i64[]
    %n = add(%count, %one) : i64[]
    %d = sub(%x, %average) : T[4,4]
    %nt = cast(%n) {dtype = T} : T[]
    %nb = broadcast(%nt) {shape = [4,4]} : T[4,4]
    %step = div(%d, %nb) : T[4,4]
    %new = add(%average, %step) : T[4,4]
    %t = transpose(%last) {permutation = [1,0]} : T[4,4]
    %p = matmul(%t, %new) : T[4,4]
    output last = %x aliases %last
    output average = %new aliases %average
    output count = %n aliases %count
    output before = %average
    output product = %p
)";

/// A recurrence, then one in each step of another, backwards.
const std::string recurrence = R"(
    input %h0: T[2,4] at "rnn.cpp":9
    input %xs: T[3,2,5] at "rnn.cpp":10
    input %w: T[5,4] parameter at "rnn.cpp":4
    input %u: T[4,4] parameter at "rnn.cpp":4
    %h, %hs = scan(%h0, %xs, %w, %u) {carried = 1, sliced = 1, length = 3} : T[2,4], T[3,2,4] {
      input %h: T[2,4]
      input %x: T[2,5]
      input %w: T[5,4]
      input %u: T[4,4]
      %0 = matmul(%x, %w) : T[2,4] at "rnn.cpp":12
      %1 = matmul(%h, %u) : T[2,4] at "rnn.cpp":12
      %2 = add(%0, %1) : T[2,4] at "rnn.cpp":12
      %3 = tanh(%2) : T[2,4] at "rnn.cpp":12
      output %3 aliases %h at "rnn.cpp":12
      output %3 at "rnn.cpp":12
    } at "rnn.cpp":12
    %products, %sums = scan(%h, %hs) {carried = 1, sliced = 1, length = 3, reverse = true} : T[2,4], T[3,4] {
      input %p: T[2,4]
      input %rows: T[2,4]
      %zeros = constant() {value = T[4] 0.0} : T[4]
      %sum = scan(%zeros, %rows) {carried = 1, sliced = 1, length = 2} : T[4] {
        input %s: T[4]
        input %row: T[4]
        %0 = sigmoid(%row) : T[4] at "rnn.cpp":16
        %1 = add(%s, %0) : T[4] at "rnn.cpp":16
        output %1 aliases %s
      } at "rnn.cpp":16
      %wide = broadcast(%sum) {shape = [2,4]} : T[2,4] at "rnn.cpp":17
      %0 = mul(%p, %wide) : T[2,4] at "rnn.cpp":17
      output %0 aliases %p
      output %sum
    } at "rnn.cpp":17
    %a = mean(%products) {axes = [0,1]} : T[] at "rnn.cpp":18
    %b = mean(%sums) {axes = [0,1]} : T[] at "rnn.cpp":18
    %c = add(%a, %b) : T[] at "rnn.cpp":18
    output loss = %c at "rnn.cpp":18
    output hidden = %hs at "rnn.cpp":18
)";

}  // namespace

std::string NamedProgram::with(const std::string& dtype) const {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool stands_alone = text[i] == 'T' && !std::isalnum(static_cast<unsigned char>(text[i - 1]));
    if (stands_alone && !std::isalnum(static_cast<unsigned char>(text[i + 1]))) result += dtype;
    else result += text[i];
  }
  return result;
}

const std::vector<NamedProgram>& programs() {
  static const std::vector<NamedProgram> all = {
      {"temperature regression", train("\"w\", \"b\"", "optimizer = \"sgd\"") + temperature},
      {"classifier, plain SGD", train(mlp_parameters, "optimizer = \"sgd\"") + mlp},
      {"classifier, Nesterov", train(mlp_parameters,
                                     "optimizer = \"sgd\", momentum = true, nesterov = true, "
                                     "weight_decay = true, keep = [\"fc1.weight.grad\"]") +
                                   mlp},
      {"classifier, Adam", train(mlp_parameters, "optimizer = \"adam\"") + mlp},
      {"classifier, AMSGrad", train(mlp_parameters, "optimizer = \"adam\", amsgrad = true, weight_decay = true") + mlp},
      {"classifier, not trained", mlp},
      {"block, Adam", train("\"gain\", \"w\"", "optimizer = \"adam\"") + block},
      {"recurrence, Adam", train("\"w\", \"u\"", "optimizer = \"adam\"") + recurrence},
      {"states", states},
      {"recurrence, not trained", recurrence},
  };
  return all;
}

}  // namespace weft::testing
