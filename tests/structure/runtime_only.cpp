// Runs a product through a program made of runtime parts alone.

#include <cstdio>

#include "weft/backends/cpu/exec/cpu_program.h"
#include "weft/backends/cpu/exec/matmul.h"

int main() {
  using namespace weft;
  cpu::MatmulSpec spec;
  spec.m = 2, spec.n = 2, spec.k = 3;
  cpu::ProgramParts parts;
  using Kind = BufferPlace::Kind;
  parts.list.inputs = {{"a", f32, {2, 3}}, {"b", f32, {3, 2}}};
  parts.list.outputs = {{"c", f32, {2, 2}}};
  parts.list.output_places = {{Kind::arena, 0}};
  parts.list.arena_bytes = 64;
  parts.list.launches = {{{{Kind::input, 0}, {Kind::input, 1}, {Kind::arena, 0, 16, true}}}};
  parts.tasks.push_back(cpu::make_matmul(spec, 0));
  const auto program = cpu::make_program(std::move(parts));
  float a[] = {1, 2, 3, 4, 5, 6}, b[] = {1, 0, 0, 1, 1, 1};
  std::byte* inputs[] = {reinterpret_cast<std::byte*>(a), reinterpret_cast<std::byte*>(b)};
  program->run(inputs);
  const auto* c = reinterpret_cast<const float*>(program->output(0));
  const bool right = c[0] == 4 && c[1] == 5 && c[2] == 10 && c[3] == 11;
  if (!right) std::printf("wrong product: %g %g %g %g\n", c[0], c[1], c[2], c[3]);
  return right ? 0 : 1;
}
