#pragma once
// What the machine reports: text that it does not know, a launch that a driver would refuse, and what a kernel may not do.

#include <cstdint>
#include <stdexcept>
#include <string>

namespace weft::test::ptx {

struct Dim3 {
  uint32_t x = 1, y = 1, z = 1;
  uint64_t count() const { return uint64_t{x} * y * z; }
};

enum class Check {
  text,                // no PTX, or PTX that the machine does not know
  launch,              // an unknown kernel, parameters of another size, too many threads, too much shared memory
  bounds,              // an address in no allocation, or a write to one that is only to be read
  alignment,           // an address that is no multiple of what is read or written there
  unwritten_memory,    // read before anybody wrote it
  unwritten_register,  // likewise
  race,                // two threads, the same byte, a write, and nothing that orders them
  divergence,          // a barrier that not all live threads reach, or a warp's instruction that not all named lanes reach
  limit,               // more instructions than a launch may execute
  trap,                // the instruction of that name
  undefined            // an operation without a result, such as a division by zero
};
std::string_view name_of(Check check);

/// Thrown for the first fault. what() is "race: <message>, in <kernel>, line 12, `st.global.f32 [%rd1], %f1;`, block (0,0,0),
/// thread (3,0,0)", without the parts that a fault of that kind has not.
class Fault : public std::runtime_error {
 public:
  Fault(Check check, const std::string& message, const std::string& where = {});

  Check check() const { return check_; }

 private:
  Check check_;
};

/// What an instruction finds wrong, before it is known where it stands.
struct Problem {
  Check check;
  std::string message;
};

}  // namespace weft::test::ptx
