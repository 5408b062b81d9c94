#pragma once
// Rates that go up before they go down, by the names of Hugging Face's transformers: get_constant_schedule_with_warmup,
// get_linear_schedule_with_warmup, get_cosine_schedule_with_warmup. Each is a LambdaLR that counts training steps: a Trainer moves it on after
// every batch.
//
//   auto rates = optim::cosine_with_warmup(adamw, {.warmup_steps = 500, .total_steps = 10000});
//   trainer.schedule(rates);

#include <source_location>

#include "weft/frontend/optim/schedule.h"

namespace weft::optim {

struct WarmupOptions {
  int64_t warmup_steps = 0;  // in which the rate goes from 0 to its base linearly
  int64_t total_steps = 0;   // with those
  double cycles = 0.5;       // of the cosine: of a half one, the rate goes to 0
};

// Throw weft::Error, naming the line, for numbers that are negative and, of those that go down, fewer total steps than those to warm up.
LambdaLR constant_with_warmup(const Optimizer& optimizer, int64_t warmup_steps, std::source_location at = std::source_location::current());
LambdaLR linear_with_warmup(const Optimizer& optimizer, WarmupOptions options, std::source_location at = std::source_location::current());
LambdaLR cosine_with_warmup(const Optimizer& optimizer, WarmupOptions options, std::source_location at = std::source_location::current());

}  // namespace weft::optim
