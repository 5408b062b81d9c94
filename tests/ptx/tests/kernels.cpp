#include "weft/tests/ptx/tests/kernels.h"

#include <set>
#include <span>

#include "weft/tests/backends/cuda/ptxas.h"
#include "weft/tests/catch.h"

namespace weft::test::ptx {

std::string kernel(const std::string& body, const std::string& before) {
  return ".version 8.0\n.target sm_90\n.address_size 64\n" + before +
         ".visible .entry weft_k(.param .u64 weft_k_out)\n{\n"
         ".reg .pred %p<8>; .reg .b16 %h<32>; .reg .b32 %r<32>; .reg .b64 %rd<32>; .reg .f32 %f<32>; .reg .f64 %fd<32>;\n"
         "ld.param.u64 %rd31, [weft_k_out];\n" +
         body + "\nret;\n}\n";
}

namespace {

constexpr size_t scratch = 64;  // bytes, before the results

/// "%r0" of the last instruction in "mov.b32 %r1, 1; add.s32 %r0, %r1, 1".
std::string result_register(const std::string& code) {
  const size_t last = code.rfind(';'), begin = code.find_first_of("%", last == std::string::npos ? 0 : last);
  return code.substr(begin, code.find_first_of(",|", begin) - begin);
}

std::string store(const std::string& name, size_t at) {
  const std::string to = "[%rd31+" + std::to_string(at) + "]";
  if (name.starts_with("%rd")) return "st.global.b64 " + to + ", " + name + ";";
  if (name.starts_with("%fd")) return "st.global.f64 " + to + ", " + name + ";";
  if (name.starts_with("%f")) return "st.global.f32 " + to + ", " + name + ";";
  if (name.starts_with("%h")) return "st.global.b16 " + to + ", " + name + ";";
  if (name.starts_with("%p")) return "selp.b32 %r31, 1, 0, " + name + "; st.global.b32 " + to + ", %r31;";
  return "st.global.b32 " + to + ", " + name + ";";
}

/// The last instruction without its operands.
std::string opcode_of(const std::string& code) {
  const size_t last = code.rfind(';'), begin = last == std::string::npos ? 0 : last + 2;
  return code.substr(begin, code.find(' ', begin) - begin);
}

std::string text_of(const std::vector<Case>& cases) {
  std::string body;
  for (size_t i = 0; i < cases.size(); ++i) body += cases[i].code + "; " + store(result_register(cases[i].code), scratch + 8 * i) + "\n";
  return kernel(body);
}

/// ptxas takes its time, so it gets the first of each opcode.
void check_opcodes_assemble(const std::vector<Case>& cases) {
  std::vector<Case> first;
  std::set<std::string> known;
  for (const Case& c : cases)
    if (known.insert(opcode_of(c.code)).second) first.push_back(c);
  check_assembles({text_of(first)});
}

}  // namespace

void check_cases(const std::vector<Case>& cases) {
  Machine machine(text_of(cases));
  std::vector<uint64_t> out(cases.size());
  const uint64_t address = machine.memory().allocate("out", std::vector<std::byte>(scratch + 8 * out.size()));
  machine.launch({.kernel = "weft_k", .params = params(address)});
  std::memcpy(out.data(), machine.memory().at(address).contents().data() + scratch, 8 * out.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    if (out[i] == cases[i].want) continue;
    INFO(cases[i].code << " is " << std::hex << out[i] << ", wanted " << cases[i].want);
    CHECK(out[i] == cases[i].want);
  }
  CHECK(!cases.empty());
  check_opcodes_assemble(cases);
}

std::vector<uint32_t> run(const std::string& text, Dim3 blocks, Dim3 threads, std::vector<uint32_t> initial, uint64_t seed) {
  Machine machine(text);
  const uint64_t address = machine.memory().allocate("out", std::as_bytes(std::span(initial)));
  machine.launch({.kernel = "weft_k", .blocks = blocks, .threads = threads, .params = params(address), .seed = seed});
  std::memcpy(initial.data(), machine.memory().at(address).contents().data(), 4 * initial.size());
  return initial;
}

std::string fault_of(const std::string& text, Dim3 blocks, Dim3 threads, size_t words, uint64_t seed) {
  try {
    Machine machine(text);
    const uint64_t address = machine.memory().allocate("out", 4 * words);
    machine.launch(
        {.kernel = "weft_k", .blocks = blocks, .threads = threads, .params = params(address), .seed = seed, .most_instructions = 100000});
    return "";
  } catch (const Fault& fault) {
    return fault.what();
  }
}

void check_assembles(const std::vector<std::string>& texts) {
  if (why_no_ptxas(12.0).empty()) CHECK(assemble(texts, "sm_90") == "");
}

namespace {

template <class T>
std::string hex(char prefix, T bits) {
  std::string text;
  for (size_t digit = 2 * sizeof bits; digit-- > 0;) text += "0123456789ABCDEF"[(bits >> (4 * digit)) & 15];
  return std::string("0") + prefix + text;
}

}  // namespace

std::string literal(float x) { return hex('f', std::bit_cast<uint32_t>(x)); }
std::string literal(double x) { return hex('d', std::bit_cast<uint64_t>(x)); }

}  // namespace weft::test::ptx
