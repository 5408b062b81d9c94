// Linked into a program with -Wl,--wrap of Target::cpu: what the program trains on the cpu it trains on a fake device. At its end
// it says how much was copied.

#include <cstdio>

#include "weft/tests/device/fake_device.h"

namespace {

/// Lives as long as the program: static programs and parameters may end after it.
std::shared_ptr<weft::test::FakeMemory>& memory() {
  static auto* const memory = new std::shared_ptr(std::make_shared<weft::test::FakeMemory>());
  return *memory;
}

struct Report {
  ~Report() { std::fprintf(stderr, "fake device: %zu bytes in, %zu bytes out\n", memory()->copied_in(), memory()->copied_out()); }
} report;

}  // namespace

weft::Target fake_cpu(weft::cpu::Options options) __asm__("__wrap__ZN4weft6Target3cpuENS_3cpu7OptionsE");
weft::Target fake_cpu(weft::cpu::Options options) { return weft::test::fake_target(memory(), std::move(options)); }
