#pragma once
// What must hold of any text that is given to weft as a program.

#include <string>

namespace weft::test {

enum class Fate {
  refused,   // by a weft::Error
  accepted,  // but too large or too long to be run here
  ran,       // or was planned, where no more was asked for
};

/// How far to go.
enum class Until { planned, run };

/// Parses and verifies the text, prints it and parses that again, runs the passes that are left, lowers the result for the cpu
/// and runs it, where that stays small. A plan that the text brings along must give the same bits as a new one, and two
/// threads the same as one. Throws what is no weft::Error, and std::logic_error when one of these does not hold. `why`, when
/// given, gets the message of the refusal.
Fate try_text(const std::string& text, std::string* why = nullptr, Until until = Until::run);

}  // namespace weft::test
