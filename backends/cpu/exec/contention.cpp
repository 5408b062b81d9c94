#include "weft/backends/cpu/exec/contention.h"

#include <time.h>

namespace weft::cpu {
namespace {

double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

void Contention::begin() { began_ = processor_seconds(); }

bool Contention::end(double seconds) {
  constexpr int window = 16;
  constexpr double enough = 0.75;
  starved_ += processor_seconds() - began_ < enough * seconds;
  if (++seen_ < window) return false;
  const bool most = starved_ > window / 2;
  seen_ = starved_ = 0;
  return most;
}

}  // namespace weft::cpu
