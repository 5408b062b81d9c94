#include "serve.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace benchmark {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double settle_seconds = 0.05;  // caches, and threads that slept while another peer ran

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// The clock that steps are timed by, as the environment's BENCH_CLOCK says: "cpu" counts what the threads of the process
/// run, else the time that passes counts.
struct StepClock {
  bool cpu = std::getenv("BENCH_CLOCK") && std::string(std::getenv("BENCH_CLOCK")) == "cpu";
  /// Between two readings, which take 0.3 us and 0.03 us themselves.
  double reading_seconds = cpu ? 200e-6 : 20e-6;

  double now() const {
    timespec time{};
    clock_gettime(cpu ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  }
};

Json start(Training& training, Clock::time_point begin, int64_t steps) {
  std::vector<double> losses;
  double build = 0;
  Json buffers;
  for (int64_t i = 0; i < std::max<int64_t>(1, steps); ++i) {
    training.run(1);
    losses.push_back(training.loss());
    if (i == 0) build = seconds_since(begin), buffers = training.buffers();
  }
  Json answer = training.facts();
  answer["build_s"] = build;
  answer["losses"] = losses;
  answer["buffers"] = buffers;
  return answer;
}

/// As many steps as lie between two readings of the clock.
int64_t settle(Training& training, const StepClock& clock) {
  const double begin = clock.now();
  int64_t steps = 0;
  for (int64_t n = 1; clock.now() - begin < settle_seconds; steps += n, n = std::min<int64_t>(2 * n, 1000)) training.run(n);
  return std::max<int64_t>(1, static_cast<int64_t>(clock.reading_seconds * static_cast<double>(steps) / (clock.now() - begin)));
}

Json time_steps(Training& training, double seconds) {
  training.restart();
  const StepClock clock;
  const int64_t steps = settle(training, clock);
  std::vector<double> times;
  const double begin = clock.now();
  do {
    const double before = clock.now();
    training.run(steps);
    times.push_back((clock.now() - before) * 1e6 / static_cast<double>(steps));
  } while (clock.now() - begin < seconds);
  std::sort(times.begin(), times.end());
  const auto at = [&](double share) { return times[static_cast<size_t>(share * static_cast<double>(times.size() - 1))]; };
  Json answer = training.facts();
  answer["steps"] = static_cast<int64_t>(times.size()) * steps;
  answer["median_us"] = at(0.5), answer["p10_us"] = at(0.1), answer["p90_us"] = at(0.9);
  return answer;
}

}  // namespace

void serve_lines(const Json& description, const std::function<Json(std::istream&)>& answer) {
  std::cout << description.dump() << std::endl;
  for (std::string line; std::getline(std::cin, line) && line != "QUIT";) {
    std::istringstream request(line);
    Json reply;
    try {
      reply = answer(request);
    } catch (const std::exception& error) {
      reply = {{"error", error.what()}};
    }
    std::cout << reply.dump() << std::endl;
  }
}

void serve(const Json& description, const std::function<std::unique_ptr<Training>(const std::string&)>& build) {
  std::map<std::string, std::unique_ptr<Training>> trainings;
  serve_lines(description, [&](std::istream& request) -> Json {
    const auto begin = Clock::now();
    std::string verb, mode;
    double amount = 0;
    if (!(request >> verb >> mode >> amount)) throw std::runtime_error("expected 'START mode steps' or 'RUN mode seconds'");
    if (verb == "START") {
      trainings[mode] = build(mode);
      return start(*trainings[mode], begin, static_cast<int64_t>(amount));
    }
    if (verb != "RUN" || !trainings.contains(mode)) throw std::runtime_error(verb + " " + mode + ": START it first");
    return time_steps(*trainings[mode], amount);
  });
}

}  // namespace benchmark
