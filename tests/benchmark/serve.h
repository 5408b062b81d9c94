#pragma once
// The C++ peers' side of the benchmark's protocol: a line of words on standard input is a request, and each gets one
// line of JSON on standard output. The first line out describes the process.
//
//   START mode steps    builds the training anew from the stored numbers and takes that many steps (at least one):
//                       {"losses", "build_s": from the request to the first step's loss, "buffers": {name: mean absolute
//                       value} of what the net keeps beside its parameters, after the first step, ...}
//   RUN mode seconds    steps for about that long, from the stored numbers anew (a training that has fitted its few batches for long
//                       computes with denormal numbers, which is another matter), after some that are not timed:
//                       {"steps", "median_us", "p10_us", "p90_us": of a step, ...}
//
// With BENCH_CLOCK=cpu in the environment RUN counts the time that the threads of the process run, in "seconds" as in its
// answer, so that what else the machine does hardly shows; else the time that passes.
//
// A request that cannot be served is answered by {"error"}; QUIT and the end of the input end the process. serve.py is
// the same for Python.

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace benchmark {

using Json = nlohmann::ordered_json;

/// One training of a case, built and ready to step. Batch n of the data follows batch n - 1, and the first the last.
class Training {
 public:
  virtual ~Training() = default;
  virtual void run(int64_t steps) = 0;
  /// Parameters are as they were stored, and what the optimizer keeps is as before its first step.
  virtual void restart() {}
  /// Of the latest step, before its update.
  virtual double loss() = 0;
  /// The mean absolute value of each buffer of the net.
  virtual Json buffers() { return Json::object(); }
  /// What else START and RUN answer.
  virtual Json facts() { return Json::object(); }
};

/// Answers every request by `answer`, whose exceptions become {"error"}.
void serve_lines(const Json& description, const std::function<Json(std::istream& request)>& answer);

/// Answers START and RUN; `build` makes the training of a mode.
void serve(const Json& description, const std::function<std::unique_ptr<Training>(const std::string& mode)>& build);

}  // namespace benchmark
