#pragma once
// How things are called in checkpoints, which are safetensors files: frontend/training/checkpoint.h writes and reads them for models,
// saved_state.h for steps from files.

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace weft::checkpoint_names {

/// Of the metadata that say what an optimizer's numbers and counts are, and how far schedules have come.
inline constexpr const char* note = "weft";
/// Tensors that are none of a model's begin so.
inline constexpr std::string_view own = "weft.";

/// Before the states of optimizer `i`.
inline std::string states(size_t i) { return fmt::format("weft.optimizer{}/", i); }
/// One of them.
inline std::string state(size_t i, std::string_view parameter, std::string_view state) {
  return fmt::format("{}{}/{}", states(i), parameter, state);
}

}  // namespace weft::checkpoint_names
