// Which mapping a nest gets, from its extents and accesses, and what its code then has.

#include "weft/backends/codegen/mapping.h"

#include <regex>

#include "weft/backends/cpu/cpu.h"
#include "weft/backends/cuda/ptx.h"
#include "weft/ir/op_def.h"
#include "weft/ir/parser.h"
#include "weft/passes/pass.h"
#include "weft/tests/backends/cuda/proof.h"
#include "weft/tests/backends/cuda/ptxas.h"
#include "weft/tests/catch.h"

using namespace weft;
using codegen::Mapping;
using Kind = codegen::Mapping::Kind;

namespace {

/// A program of one nest.
ir::Module nest_of(const std::string& lines) {
  ir::Module module = ir::parse("weft 1\nfunc @f {\n" + lines + "}\n");
  passes::run(module, {"decompose", "fuse"}, cpu::target());
  REQUIRE(module.graph().ops().size() == 1);
  return module;
}

ir::Module add_of(const std::string& type) {
  return nest_of(fmt::format("  input %x: {0}\n  input %y: {0}\n  %0 = add(%x, %y) : {0}\n  output z = %0\n", type));
}

ir::Module sum_of(const std::string& from, const std::string& axes, const std::string& to) {
  return nest_of(fmt::format("  input %x: {}\n  %0 = sum(%x) {{axes = [{}]}} : {}\n  output y = %0\n", from, axes, to));
}

ir::Module softmax_of(const std::string& type) {
  return nest_of(fmt::format("  input %x: {0}\n  %0 = softmax(%x) {{axis = 1}} : {0}\n  output y = %0\n", type));
}

ir::Module transpose_of(const std::string& from, const std::string& to) {
  return nest_of(fmt::format("  input %x: {}\n  %0 = transpose(%x) {{permutation = [1,0]}} : {}\n  output y = %0\n", from, to));
}

Mapping mapping_of(const ir::Module& module, const codegen::MappingLimits& limits = {}) {
  const ir::Graph& body = module.graph().ops().front()->body();
  return codegen::choose_mapping(body, *passes::analyze(passes::region_of(body)), limits);
}

size_t count_of(const std::string& text, const std::string& pattern) {
  const std::regex r(pattern);
  return static_cast<size_t>(std::distance(std::sregex_iterator(text.begin(), text.end(), r), std::sregex_iterator()));
}

std::string ptx_of(const ir::Module& module) { return cuda::emit_ptx(module).text; }

/// The programs of the pipeline without joined launches, so that each nest is a kernel.
ir::Module planned(const std::string& lines, bool joins = false) {
  ir::Module module = ir::parse("weft 1\nfunc @f {\n" + lines + "}\n");
  std::vector<std::string> all = passes::pipeline("compile");
  if (!joins) std::erase(all, "launch");
  passes::run(module, all, cpu::target());
  return module;
}

}  // namespace

TEST_CASE("mapping: elements are flat, in vectors of 16 bytes where rows are made of whole ones", "[cuda]") {
  const auto vector = [](const std::string& type) {
    const Mapping m = mapping_of(add_of(type));
    CHECK(m.kind == Kind::flat);
    return m.vector;
  };
  CHECK(vector("f32[64,512]") == 4);
  CHECK(vector("f64[64,512]") == 2);
  CHECK(vector("bf16[64,512]") == 8);
  CHECK(vector("f32[7,3]") == 4);  // is one loop, the last element by itself
  CHECK(vector("f32[3]") == 2);
  const auto bias = [](const std::string& rows, int columns) {
    return mapping_of(
        nest_of(fmt::format("  input %x: f32[{0},{1}]\n  input %b: f32[{1}]\n  %0 = broadcast(%b) {{shape = [{0},{1}]}} : f32[{0},{1}]\n"
                            "  %1 = add(%x, %0) : f32[{0},{1}]\n  output y = %1\n",
                            rows, columns)));
  };
  CHECK(bias("64", 512).vector == 4);
  CHECK(bias("64", 10).vector == 2);
  CHECK(bias("64", 5).vector == 1);
  CHECK(mapping_of(add_of("f32[]")).kind == Kind::single);
  CHECK(mapping_of(add_of("f32[64,512]")).blocks == 32);
  CHECK(mapping_of(add_of("f32[8192,8192]")).blocks == 1024);
  CHECK(mapping_of(add_of("f32[8192,8192]")).at_once > 1);
}

TEST_CASE("mapping: the indices of few elements have 32 bits", "[cuda]") {
  CHECK(!mapping_of(add_of("f32[8192,8192]")).is_wide);
  CHECK(mapping_of(add_of("f32[65536,65536]")).is_wide);
  CHECK(mapping_of(sum_of("f32[65536,65536]", "1", "f32[65536]")).is_wide);
  const std::string text = ptx_of(add_of("f32[64,512]"));
  CHECK(count_of(text, "(add|mul|shl|mad)\\S*\\.[sub]64\\s+%rd\\d+, %rd\\d+, \\d+;") == 0);
  CHECK(count_of(text, "(rem|div)\\.[su]64") == 0);
}

TEST_CASE("mapping: nests of more elements than 32 bits count are compiled too", "[cuda]") {
  std::vector<std::string> texts;
  texts.push_back(ptx_of(add_of("f32[65536,65536]")));
  texts.push_back(ptx_of(sum_of("f32[65536,65536]", "1", "f32[65536]")));
  texts.push_back(ptx_of(sum_of("f32[65536,65536]", "0", "f32[65536]")));
  texts.push_back(ptx_of(sum_of("bf16[65536,65536]", "0,1", "bf16[]")));
  texts.push_back(ptx_of(softmax_of("f32[65536,65536]")));
  texts.push_back(ptx_of(transpose_of("f32[65536,65537]", "f32[65537,65536]")));
  for (const std::string& text : texts) CHECK(text.find(".local") == std::string::npos);
  if (test::why_no_ptxas().empty()) CHECK(test::assemble(texts, "sm_90") == "");
}

TEST_CASE("mapping: reductions along what is contiguous are rows", "[cuda]") {
  const Mapping softmax = mapping_of(softmax_of("f32[64,1000]"));
  CHECK(softmax.kind == Kind::row);
  CHECK(softmax.lanes == 16);
  CHECK(softmax.groups == 4);  // pieces of 256
  CHECK(softmax.points == 4);
  CHECK(softmax.is_unrolled);
  CHECK(mapping_of(softmax_of("f32[64,10]")).points == 16);
  CHECK(mapping_of(softmax_of("f32[64,10000]")).threads == 512);
  CHECK(mapping_of(softmax_of("f32[64,10000]"), {.most_threads = 256}).threads == 256);
  // A scalar: one block, or two launches.
  const Mapping loss = mapping_of(sum_of("f32[64]", "0", "f32[]"));
  CHECK(loss.kind == Kind::row);
  CHECK(loss.blocks == 1);
  const ir::Module large = sum_of("f32[1048576]", "0", "f32[]");
  CHECK(mapping_of(large).blocks == 256);
  CHECK(cuda::emit_ptx(large).kernels[0].launches.size() == 2);
  CHECK(mapping_of(large, {.one_block = true}).blocks == 1);
}

TEST_CASE("mapping: what a later stage needs again is read once", "[cuda]") {
  CHECK(count_of(ptx_of(softmax_of("f32[64,256]")), "ld\\.global\\.(nc\\.)?f32") == 16);
  CHECK(count_of(ptx_of(softmax_of("f32[64,4096]")), "ld\\.global\\.(nc\\.)?f32") == 16);
}

TEST_CASE("mapping: reductions over outer axes are columns", "[cuda]") {
  const Mapping bias = mapping_of(sum_of("f32[64,512]", "0", "f32[512]"));
  CHECK(bias.kind == Kind::column);
  CHECK(bias.points == 16);
  CHECK(bias.blocks == 32);
  const ir::Module tall = sum_of("f32[4096,512]", "0", "f32[512]");
  CHECK(mapping_of(tall).kind == Kind::column);
  CHECK(mapping_of(tall).blocks == 512);
  CHECK(cuda::emit_ptx(tall).kernels[0].launches.size() == 2);
  CHECK(count_of(ptx_of(tall), "\\.global \\.align 256 \\.b8 weft_scratch") == 1);
  // Few elements and many results: a thread has all of a result's.
  CHECK(mapping_of(sum_of("f32[8,65536]", "0", "f32[65536]")).lanes == 1);
}

TEST_CASE("mapping: an operand that lies along another loop comes in squares through shared memory", "[cuda]") {
  CHECK(mapping_of(transpose_of("f32[256,512]", "f32[512,256]")).kind == Kind::tile);
  CHECK(mapping_of(transpose_of("f32[256,512]", "f32[512,256]")).blocks == 128);
  CHECK(mapping_of(transpose_of("f32[256,3]", "f32[3,256]")).kind == Kind::flat);
  CHECK(count_of(ptx_of(transpose_of("f32[256,512]", "f32[512,256]")), "st\\.shared") == 4);
}

TEST_CASE("mapping: loads and stores of whole vectors, of what nothing writes beside the other caches", "[cuda]") {
  const std::string text =
      ptx_of(nest_of("  input %x: f32[64,512]\n  input %b: f32[512]\n  %0 = broadcast(%b) {shape = [64,512]} : f32[64,512]\n"
                     "  %1 = add(%x, %0) : f32[64,512]\n  output y = %1\n"));
  CHECK(count_of(text, "ld\\.global\\.v4\\.f32") == 1);  // x, which y may be written over
  CHECK(count_of(text, "ld\\.global\\.nc\\.v4\\.f32") == 1);
  CHECK(count_of(text, "st\\.global\\.v4\\.f32") == 1);
  CHECK(count_of(ptx_of(add_of("bf16[64,512]")), "ld\\.global\\.v4\\.[bu]32") == 2);
  // A slice starts anywhere.
  CHECK(count_of(
            ptx_of(nest_of(
                "  input %x: f32[65]\n  %0 = slice(%x) {start = [1], end = [65]} : f32[64]\n  %1 = exp(%0) : f32[64]\n  output y = %1\n")),
            "ld\\.global\\.(nc\\.)?v[24]") == 0);
}

TEST_CASE("mapping: bits at extents around lanes, pieces and levels, and at odd alignments", "[cuda][ptx-machine]") {
  test::Proof proof;
  for (int n : {0, 1, 15, 16, 17, 63, 64, 65, 256, 257, 4097}) {
    std::string lines = fmt::format(
        "  input %x: f32[3,{0}]\n  input %v: f32[{1}]\n  input %h: bf16[{0},33]\n  input %c: f64[{0},5]\n"
        "  %0 = mul(%x, %x) : f32[3,{0}]\n  output squares = %0\n"
        "  %1 = sum(%x) {{axes = [0,1]}} : f32[]\n  output total = %1\n"
        "  %2 = sum(%h) {{axes = [0]}} : bf16[33]\n  output columns = %2\n"
        "  %3 = sum(%c) {{axes = [0]}} : f64[5]\n  output few_columns = %3\n"
        "  %4 = transpose(%h) {{permutation = [1,0]}} : bf16[33,{0}]\n  %5 = exp(%4) : bf16[33,{0}]\n  output turned = %5\n"
        "  %6 = slice(%v) {{start = [1], end = [{1}]}} : f32[{0}]\n  %7 = neg(%6) : f32[{0}]\n  output odd = %7\n",
        n, n + 1);
    if (n > 0)
      lines += fmt::format(
          "  %8 = softmax(%x) {{axis = 1}} : f32[3,{0}]\n  output rows = %8\n"
          "  %9 = max(%c) {{axes = [0]}} : f64[5]\n  output largest = %9\n",
          n);
    INFO(lines);
    const ir::Module module = planned(lines);
    proof += test::prove(module, cuda::emit_ptx(module));
  }
  CHECK(proof.kernels > 60);
}

TEST_CASE("mapping: bits where a second launch combines", "[cuda][ptx-machine]") {
  test::Proof proof;
  for (const auto& [from, axes, to] : {std::array<std::string, 3>{"f32[70000]", "0", "f32[]"},
                                       {"f32[3,40000]", "1", "f32[3]"},
                                       {"f32[600,70]", "0", "f32[70]"},
                                       {"i64[5000,3]", "0", "i64[3]"},
                                       {"f32[40,3,100]", "0,2", "f32[3]"}}) {
    const std::string lines = fmt::format(
        "  input %x: {0}\n  %0 = sum(%x) {{axes = [{1}]}} : {2}\n  %1 = max(%x) {{axes = [{1}]}} : {2}\n"
        "  %2 = sub(%0, %1) : {2}\n  output y = %2\n",
        from, axes, to);
    INFO(lines);
    const ir::Module module = planned(lines);
    const cuda::Ptx ptx = cuda::emit_ptx(module);
    CHECK(ptx.kernels[0].launches.size() == 2);
    proof += test::prove(module, ptx);
  }
  CHECK(proof.kernels == 5);
}

TEST_CASE("mapping: nests of one launch have blocks of their own; those that wait for each other come in order", "[cuda][ptx-machine]") {
  const auto launches_of = [](const ir::Module& module) {
    const cuda::Ptx ptx = cuda::emit_ptx(module);
    REQUIRE(ptx.kernels.size() == 1);
    CHECK(test::prove(module, ptx).kernels == 1);
    return ptx.kernels[0].launches;
  };
  // A little after each other: one block.
  const ir::Module chain =
      planned("  input %x: f32[8,4]\n  %0 = sum(%x) {axes = [1]} : f32[8]\n  %1 = sum(%0) {axes = [0]} : f32[]\n  output y = %1\n", true);
  CHECK(launches_of(chain) == std::vector<cuda::KernelLaunch>{{"weft_k00_2_nests", 1, 256}});
  // Many that do not wait, and one that waits for them: two launches.
  std::string inputs, sums;
  for (int i = 0; i < 6; ++i) {
    inputs += fmt::format("  input %x{0}: f32[8,{1}]\n", i, 40 + i);
    sums += fmt::format("  %s{0} = sum(%x{0}) {{axes = [1]}} : f32[8]\n  output y{0} = %s{0}\n", i);
  }
  const std::string lines = inputs + sums + "  %y = sum(%s0) {axes = [0]} : f32[]\n  output y = %y\n";
  const std::vector<cuda::KernelLaunch> wide = launches_of(planned(lines, true));
  REQUIRE(wide.size() == 2);
  CHECK(wide[0].blocks == 6);
  CHECK(wide[1].blocks == 1);
  // Who writes over what another reads comes after it.
  const std::vector<cuda::KernelLaunch> update =
      launches_of(planned("  input %w: f32[64]\n  %h = slice(%w) {start = [0], end = [32]} : f32[32]\n  %s = sum(%h) {axes = [0]} : f32[]\n"
                          "  %e = exp(%w) : f32[64]\n  output w = %e aliases %w\n  output s = %s\n" +
                              inputs + sums,
                          true));
  REQUIRE(update.size() == 2);
  CHECK(update[0].blocks == 7);
  CHECK(update[1].blocks == 1);
}

TEST_CASE("mapping: bits where every stage of a large nest has launches of its own", "[cuda][ptx-machine]") {
  const auto normalized = [](const std::string& full, const std::string& axis, const std::string& kept, const std::string& place) {
    return fmt::format(
        "  input %x: {0}\n  input %r: {2}\n  %0 = sum(%x) {{axes = [{1}], keep_dims = true}} : {3}\n  %1 = broadcast(%0) {{shape = {4}}} : "
        "{0}\n"
        "  %2 = sub(%x, %1) : {0}\n  %3 = mul(%2, %2) : {0}\n  %4 = sum(%3) {{axes = [{1}]}} : {2}\n  %5 = reshape(%4) {{shape = {5}}} : "
        "{3}\n"
        "  %6 = broadcast(%5) {{shape = {4}}} : {0}\n  %7 = div(%2, %6) : {0}\n  %8 = add(%r, %4) : {2}\n  output y = %7\n  output r = %8 "
        "aliases %r\n",
        full, axis, kept, place, full.substr(3), place.substr(3));
  };
  test::Proof proof;
  for (const std::string& lines :
       {normalized("f32[30,71000]", "1", "f32[30]", "f32[30,1]"), normalized("f32[70000,33]", "0", "f32[33]", "f32[1,33]")}) {
    INFO(lines);
    const ir::Module module = planned(lines);
    const cuda::Ptx ptx = cuda::emit_ptx(module);
    CHECK(ptx.kernels[0].launches.size() == 6);  // the last writes over what the sweep before has read
    proof += test::prove(module, ptx);
  }
  CHECK(proof.kernels == 2);
}

TEST_CASE("mapping: many reductions of one nest fit a block's shared memory", "[cuda]") {
  std::vector<std::string> texts;
  for (const char* axis : {"0", "1"})
    for (const char* type : {"f32", "f64"})
      for (int rows : {3, 40, 300, 70000}) {
        std::string lines = fmt::format("  input %x: {}[{},8192]\n  %p0 = mul(%x, %x) : {}[{},8192]\n", type, rows, type, rows);
        for (int i = 0; i < 30; ++i) {
          lines += fmt::format("  %p{} = add(%p{}, %x) : {}[{},8192]\n", i + 1, i, type, rows);
          lines += fmt::format("  %s{0} = sum(%p{0}) {{axes = [{1}]}} : {2}[{3}]\n  output y{0} = %s{0}\n", i, axis, type,
                               *axis == '0' ? 8192 : rows);
        }
        texts.push_back(ptx_of(nest_of(lines)));
      }
  if (test::why_no_ptxas().empty()) CHECK(test::assemble(texts, "sm_90") == "");
}

TEST_CASE("mapping: dear scalars are computed by one thread of a block", "[cuda][ptx-machine]") {
  const ir::Module module = planned(
      "  input %x: f32[33,65]\n  input %t: f64[]\n  %0 = exp(%t) : f64[]\n  %1 = log(%t) : f64[]\n  %2 = mul(%0, %1) : f64[]\n"
      "  %3 = cast(%2) {dtype = f32} : f32[]\n  %4 = broadcast(%3) {shape = [33,65]} : f32[33,65]\n  %5 = mul(%x, %4) : f32[33,65]\n"
      "  %6 = sum(%5) {axes = [1]} : f32[33]\n  output y = %5\n  output z = %6\n");
  const cuda::Ptx ptx = cuda::emit_ptx(module);
  CHECK(ptx.kernels.size() == 1);
  CHECK(ptx.text.find("bar.sync") != std::string::npos);
  CHECK(test::prove(module, ptx).kernels == 1);
  const ir::Module flat = planned(
      "  input %x: f32[33,65]\n  input %t: f64[]\n  %0 = exp(%t) : f64[]\n  %1 = log(%t) : f64[]\n  %2 = mul(%0, %1) : f64[]\n"
      "  %3 = cast(%2) {dtype = f32} : f32[]\n  %4 = broadcast(%3) {shape = [33,65]} : f32[33,65]\n  %5 = mul(%x, %4) : f32[33,65]\n"
      "  output y = %5\n");
  const std::string text = cuda::emit_ptx(flat).text;
  CHECK(count_of(text, "bar\\.sync") == 1);
  CHECK(test::prove(flat, cuda::emit_ptx(flat)).kernels == 1);
}

TEST_CASE("mapping: registers of the usual kernels", "[cuda]") {
  if (const std::string why = test::why_no_ptxas(); !why.empty()) {
    WARN("skipped: " << why);
    return;
  }
  const std::vector<std::pair<ir::Module, int>> most = [] {
    std::vector<std::pair<ir::Module, int>> all;
    all.emplace_back(add_of("f32[64,512]"), 32);
    all.emplace_back(add_of("bf16[64,512]"), 40);
    all.emplace_back(sum_of("f32[64,512]", "0", "f32[512]"), 40);
    all.emplace_back(sum_of("f32[4096,512]", "0", "f32[512]"), 40);
    all.emplace_back(sum_of("f32[1048576]", "0", "f32[]"), 40);
    all.emplace_back(softmax_of("f32[64,1000]"), 64);
    all.emplace_back(softmax_of("f32[64,10000]"), 128);
    all.emplace_back(transpose_of("f32[256,512]", "f32[512,256]"), 32);
    return all;
  }();
  for (const std::string arch : {"sm_80", "sm_90"})
    for (const auto& [module, registers] : most)
      for (const test::KernelResources& k : test::resources_of({ptx_of(module)}, arch)) {
        INFO(arch << " " << k.name << " of " << to_string(module.graph().ops().front()->result().type()));
        CHECK(k.registers <= registers);
        CHECK(k.stack_bytes + k.spilled_bytes == 0);
      }
}
