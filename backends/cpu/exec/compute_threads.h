#pragma once
// How many threads compute.

namespace weft::cpu {

/// `asked`, if that is not 0; else what the environment variable WEFT_THREADS says, else one per core that the process may use.
/// Throws weft::Error where the variable holds anything but a positive integer.
int compute_threads(int asked);

}  // namespace weft::cpu
