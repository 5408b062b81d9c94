#pragma once
// Steps in files (.weftprog): docs/program_format.md says what stands where. A file is one of safetensors, so that any reader of these
// can look inside: the program is a text in its metadata, code and constants are its tensors.

#include <map>
#include <string>

#include "weft/runtime/step_data.h"

namespace weft {

/// Of the format. A file of another one is refused.
inline constexpr int64_t step_format = 1;

/// The name of the program's text among a file's metadata.
inline constexpr const char* program_note = "weft.program";

/// Texts that stand in a file beside the program, under names that begin with "weft.".
using StepNotes = std::map<std::string, std::string, std::less<>>;

/// Old file or new one, never half of it, with a checksum. Throws weft::Error naming what cannot be written, and as check_step does.
void write_step(const std::string& path, const StepData& step, StepNotes notes = {});

/// Throws weft::Error naming the file and the entry: where it is none of write_step's, is damaged (its checksum says so, which it must
/// have), was written by a weft with another format, or contradicts itself. That its calls can run here is for the backend to find out, which loads it.
StepData read_step(const std::string& path, StepNotes* notes = nullptr);

/// The text that a file keeps of the program, one line for each input, output and launch.
std::string step_text(const StepData& step);
/// What it says, without constants and code, whose sizes it does not know; throws weft::Error.
StepData parse_step_text(const std::string& text);

}  // namespace weft
