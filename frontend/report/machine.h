#pragma once
// What a machine does at most, as `weft machine` measured it, and what work takes there at least.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "weft/support/dtype.h"

namespace weft {

/// With so many threads.
struct MachineLimits {
  /// A cache, or the main memory, which is the last one and holds everything.
  struct Memory {
    std::string name;   // "L1", "L2", "L3", "memory"
    int64_t bytes = 0;  // that it holds, of all threads' together; 0: everything
    double gbs = 0;     // 1e9 bytes a second, what is read and what is written counted
  };

  int threads = 1;
  double f32 = 0, f64 = 0, bf16 = 0;  // 1e9 operations a second; 0: there are no instructions for the type
  std::vector<Memory> memories = {};  // the nearest first

  /// Of that type; where there are no instructions for it, of f32.
  double gflops(DType dtype) const;
  /// The nearest that holds so many bytes.
  const Memory& memory_of(double bytes) const;
  /// What the operations take, or the bytes in the nearest memory that holds them: whichever takes longer. Convolutions that multiply less
  /// often than their sums say (Winograd) may take less.
  double least_microseconds(double flops, DType dtype, double bytes) const;
};

struct Machine {
  std::string name;                   // the processor, its cores and the widest instructions that may be used
  std::vector<MachineLimits> limits;  // by threads, the fewest first

  /// Those of so many threads, or of the next more that were measured.
  const MachineLimits& with(int threads) const;
  std::string table() const;
  /// {"machine", "limits": [{"threads", "f32_gflops", "f64_gflops", "bf16_gflops", "memories": [{"name", "bytes", "gbs"}, ...]}, ...]}
  std::string json() const;
};

namespace detail {

/// Where compiled programs and what was measured are kept: the option, else the environment variable WEFT_CACHE; "" without either.
std::string cache_folder(const std::string& option);

/// The file that holds the machine of that name, in the folder that cache_folder() says, else in the user's own (~/.cache/weft); "" where
/// there is none.
std::string machine_file(const std::string& name, const std::string& cache);
/// None where the file is not there, is another machine's or is damaged: `weft machine` then measures anew.
std::optional<Machine> read_machine(const std::string& name, const std::string& cache);
/// Of that many threads of the machine; none, where it has not been measured.
std::optional<MachineLimits> read_limits(const std::string& name, int threads, const std::string& cache);
/// Makes the folder. Throws weft::Error naming what cannot be written.
void keep_machine(const Machine& machine, const std::string& cache);

}  // namespace detail
}  // namespace weft
