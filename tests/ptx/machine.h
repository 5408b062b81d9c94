#pragma once
// A machine that executes PTX text, and finds what a kernel may not do. Nothing runs at the same time: a thread runs until it must wait,
// then the next, in an order that the caller chooses; blocks run one after the other.
//
//   Machine machine(ptx);
//   const uint64_t x = machine.memory().allocate("x", bytes_of_x), y = machine.memory().allocate("y", 4 * n);
//   machine.launch({.kernel = "add", .blocks = {3}, .threads = {64}, .params = params(x, y)});
//   machine.memory().at(y).contents()
//
// Where PTX leaves a result open, it is one that the hardware may give (opcodes_matrix.cpp says so of sums of products), or a fault
// (Check::undefined). What it does not know (decode.h) and what an assembler may change, such as sums without a rounding, is refused.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "weft/tests/ptx/block.h"

namespace weft::test::ptx {

struct Launch {
  std::string kernel;
  Dim3 blocks = {}, threads = {};
  std::vector<std::byte> params = {};  // as the parameters lie in memory
  uint64_t dynamic_shared_bytes = 0;
  uint64_t seed = 0;  // of the order of threads and blocks; 0: as numbered
  uint64_t most_instructions = uint64_t{1} << 32;
  uint64_t most_shared_bytes = 48 << 10;
};

class Machine {
 public:
  /// Throws Fault (Check::text) with line and text for what it does not know.
  explicit Machine(std::string_view ptx) : Machine(ptx, nullptr) {}
  /// The same over memory that other machines use too, and that must live as long.
  Machine(std::string_view ptx, Memory& memory) : Machine(ptx, &memory) {}
  ~Machine();
  Machine(const Machine&) = delete;  // kernels point into the text
  Machine& operator=(const Machine&) = delete;

  Memory& memory() { return memory_; }
  /// Bytes of the parameters of a kernel; nothing where there is no such kernel.
  std::optional<uint64_t> param_bytes(std::string_view kernel) const;
  const std::string& target() const { return text_.target; }
  /// Throws Fault; memory is then as the fault left it. Returns how many instructions were executed.
  uint64_t launch(const Launch& launch);

 private:
  Machine(std::string_view ptx, Memory* memory);
  const Kernel& checked_kernel(const Launch& launch) const;
  void add_variables();

  Text text_;
  std::unique_ptr<Memory> own_;
  Memory& memory_;
  std::map<std::string, uint64_t> addresses_;  // of the file's variables
  Region constants_;
  std::map<std::string, Kernel, std::less<>> kernels_;
};

/// Parameters of 4 and 8 bytes, each at a multiple of its size.
template <class... T>
std::vector<std::byte> params(T... values) {
  std::vector<std::byte> all;
  const auto add = [&](auto value) {
    all.resize((all.size() + sizeof value - 1) / sizeof value * sizeof value);
    const auto* bytes = reinterpret_cast<const std::byte*>(&value);
    all.insert(all.end(), bytes, bytes + sizeof value);
  };
  (add(values), ...);
  return all;
}

}  // namespace weft::test::ptx
