// Calls that NVIDIA's libraries carry out: right in every form, in whole steps, and replaced by weft's kernels where there is no library.

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "weft/backends/cuda/exec/library_file.h"
#include "weft/backends/cuda/exec/product.h"
#include "weft/ir/parser.h"
#include "weft/support/error.h"
#include "weft/tests/catch.h"
#include "weft/tests/gpu/fake_cuda.h"
#include "weft/tests/gpu/lowered.h"
#include "weft/tests/gpu/nets.h"
#include "weft/tests/process.h"

using namespace weft;

namespace {

constexpr int blas_internal_error = 14;

struct Form {
  DType dtype = f32;
  Dims batch = {};
  bool transpose_a = false, transpose_b = false, bias = false, addend = false;
  int64_t m = 5, k = 17, n = 7;
};

std::string text_of(const Form& f) {
  return fmt::format("{} batch {} {}{}{}{}", name_of(f.dtype), f.batch.size(), f.transpose_a ? "a' " : "", f.transpose_b ? "b' " : "",
                     f.bias ? "bias " : "", f.addend ? "addend" : "");
}

/// Whole numbers whose products and sums every type holds.
std::vector<float> numbers(const Shape& shape, int seed) {
  std::vector<float> all;
  for (int64_t i = 0; i < shape.numel(); ++i) all.push_back(static_cast<float>((i * 7 + seed * 3 + i * i) % 5) - 2);
  return all;
}

Shape matrices(Dims batch, int64_t rows, int64_t columns) {
  batch.insert(batch.end(), {rows, columns});
  return Shape(batch);
}

/// What three runs of the product give, one behind the other, and what the last step's calls are.
std::pair<std::vector<float>, std::vector<std::string>> results(const Form& f, const Target& target) {
  Graph g("product");
  const Shape a_shape = f.transpose_a ? matrices(f.batch, f.k, f.m) : matrices(f.batch, f.m, f.k);
  const Shape b_shape = f.transpose_b ? matrices(f.batch, f.n, f.k) : matrices(f.batch, f.k, f.n);
  const Tensor a = g.input("a", f32, a_shape), b = g.input("b", f32, b_shape), c = g.input("c", f32, {f.n});
  const auto typed = [&](const Tensor& t) { return cast(t, f.dtype); };
  const Tensor left = f.transpose_a ? transpose(typed(a)) : typed(a), right = f.transpose_b ? transpose(typed(b)) : typed(b);
  const Shape shape = matrices(f.batch, f.m, f.n);
  Parameter w("w", Array(f.dtype, shape));
  if (f.addend) g.update(w, w + matmul(left, right));
  g.output("y", f.addend ? c : cast(f.bias ? matmul(left, right) + typed(c) : matmul(left, right), f32));
  Step step = compile(g, target);
  std::vector<float> all;
  for (int n = 0; n < 3; ++n) {
    const std::vector<float> y =
        step({{"a", numbers(a_shape, n)}, {"b", numbers(b_shape, n + 1)}, {"c", numbers({f.n}, n + 2)}})["y"].values<float>();
    all.insert(all.end(), y.begin(), y.end());
  }
  for (int64_t i = 0; f.addend && i < shape.numel(); ++i)
    all.push_back(static_cast<float>(load_element(f.dtype, std::as_const(w).array().data(), i)));
  return {all, step.calls()};
}

int products_of(const std::vector<std::string>& calls, const std::string& library) {
  return static_cast<int>(std::count_if(calls.begin(), calls.end(), [&](const std::string& c) { return c.find(library) != c.npos; }));
}

}  // namespace

TEST_CASE("gpu: products of every form, by the library and by weft's kernels") {
  std::vector<Form> forms;
  for (const DType dtype : {f32, f64, bf16})
    for (const Dims& batch : {Dims{}, Dims{2, 3}})
      for (const int transposed : {0, 1, 2, 3})
        for (const int behind : {0, 1, 2})
          forms.push_back({dtype, batch, (transposed & 1) != 0, (transposed & 2) != 0, behind == 1, behind == 2});
  forms.push_back({.bias = true, .m = 1, .k = 1, .n = 1});
  forms.push_back({.addend = true, .m = 3, .k = 700, .n = 2});  // cut along k
  for (const Form& form : forms) {
    INFO(text_of(form));
    const test::FakeCuda gpu;
    const auto [want, unused] = results(form, Target::reference());
    const auto [by_kernels, kernels] = results(form, gpu.target());
    CHECK(gpu.report().products == 0);
    CHECK(by_kernels == want);
    const auto [by_library, calls] = results(form, gpu.target_with_libraries());
    CHECK(by_library == want);
    CHECK(products_of(calls, "by cuBLASLt 13.1") == 1);
    CHECK(gpu.report().products == 3);
    CHECK(products_of(kernels, "cuBLASLt") == 0);
  }
}

TEST_CASE("gpu: steps whose products a library runs give the CPU's losses") {
  for (const test::NetTraining::Net& net : test::nets()) {
    INFO(net.name);
    const test::FakeCuda gpu;
    test::NetTraining here(net, Target::cpu()), there(net, gpu.target_with_libraries());
    for (int n = 0; n < 20; ++n) {
      INFO("step " << n);
      const double want = here.train(n), got = there.train(n);
      CHECK(std::isfinite(want));
      CHECK(std::abs(got - want) <= 1e-5 * std::max(1.0, std::abs(want)));
    }
    const test::FakeCudaReport report = gpu.report();
    CHECK((net.name == "temperature" || report.products > 0));
    CHECK(report.captures == 2);
    CHECK(report.graph_launches >= 17);
  }
}

TEST_CASE("gpu: mixed precision with a library's products follows the CPU's f32 losses") {
  for (const std::string name : {"fashion", "gpt"}) {
    INFO(name);
    const test::FakeCuda gpu;
    test::NetTraining here(test::net_named(name), Target::cpu());
    test::NetTraining there(test::net_named(name), gpu.target_with_libraries({.autocast = bf16}));
    for (int n = 0; n < 20; ++n) {
      INFO("step " << n);
      const double want = here.train(n);
      CHECK(std::abs(there.train(n) - want) <= 2e-2 * std::max(1.0, std::abs(want)));
    }
    CHECK(gpu.report().products > 0);
  }
}

namespace {

/// x y for factors that TF32 has not: 1 + 2^-12.
float product_of_long_factors(const Target& target) {
  Graph g("long");
  const Tensor x = g.input("x", f32, {4, 8}), y = g.input("y", f32, {8, 4});
  g.output("z", matmul(x, y));
  Step step = compile(g, target);
  const std::vector<float> ones(32, 1), more(32, 1 + 0x1p-12f);
  return step({{"x", more}, {"y", ones}})["z"].values<float>()[0];
}

}  // namespace

TEST_CASE("gpu: TF32 only where it is asked for by name") {
  const test::FakeCuda gpu;
  CHECK(product_of_long_factors(gpu.target_with_libraries()) == 8 * (1 + 0x1p-12f));
  CHECK(product_of_long_factors(gpu.target_with_libraries({.tf32 = true})) == 8);
  CHECK(product_of_long_factors(gpu.target({.tf32 = true})) == 8 * (1 + 0x1p-12f));
}

TEST_CASE("gpu: where a library does not start or has nothing for a product, weft's kernels run") {
  for (const char* function : {"cublasLtCreate", "cublasLtMatmulAlgoGetHeuristic"}) {
    INFO(function);
    const test::FakeCuda gpu;
    gpu->fail(function, blas_internal_error, 0);
    const auto [got, calls] = results({.bias = true}, gpu.target_with_libraries());
    CHECK(got == results({.bias = true}, Target::reference()).first);
    CHECK(products_of(calls, "cuBLASLt") == 0);
    CHECK(gpu.report().products == 0);
  }
}

TEST_CASE("gpu: a call of a library that fails is named") {
  for (const char* function : {"cublasLtMatmul", "cublasLtMatmulDescSetAttribute", "cublasLtMatrixLayoutCreate"}) {
    INFO(function);
    const test::FakeCuda gpu;
    gpu->fail(function, blas_internal_error, 0);
    CHECK_THROWS_WITH(results({.bias = true}, gpu.target_with_libraries({.check = true})),
                      contains_text("cublas") || contains_text("cuBLAS"));
  }
  const test::FakeCuda gpu;
  gpu->fail("cublasLtMatmul", blas_internal_error, 0);
  CHECK_THROWS_WITH(results({}, gpu.target_with_libraries({.check = true})),
                    contains_text("launch") && contains_text("libraries_test.cpp") && contains_text("by cuBLASLt"));
}

TEST_CASE("gpu: what a file says of a library's call is checked") {
  const test::FakeCuda gpu;
  const auto refusal = [](const std::function<void(ProgramData&, CallDescriptor&)>& damage) -> std::string {
    Graph g("product");
    g.output("z", matmul(g.input("x", f32, {3, 4}), g.input("y", f32, {4, 5})) + g.input("b", f32, {5}));
    ProgramData data = test::lowered(g);
    CallDescriptor& product = test::call_of(data, "product");
    damage(data, product);
    return test::refusal_of(std::move(data));
  };
  const auto with = [&](const char* field, const CallDescriptor::Value& value) {
    return refusal([&](ProgramData&, CallDescriptor& product) { product.fields.find(field)->second = value; });
  };
  CHECK(refusal([](ProgramData&, CallDescriptor&) {}) == "");
  CHECK_THAT(with("m", int64_t{300}), contains_text("buffer 0 of a product has 48 bytes and needs 4800"));
  CHECK_THAT(with("n", int64_t{-1}), contains_text("'n'"));
  CHECK_THAT(with("k", int64_t{1} << 62), contains_text("18446744073709551612") || contains_text("elements"));
  CHECK_THAT(with("bias", int64_t{0}), contains_text("a product takes 3 buffers, and scratch memory, not 5"));
  CHECK_THAT(with("addend", int64_t{1}), contains_text("both bias and addend"));
  CHECK_THAT(with("dtype", std::string("f99")), contains_text("f99"));
  CHECK_THAT(refusal([](ProgramData&, CallDescriptor& product) { product.fields.erase("tf32"); }), contains_text("tf32"));
}

TEST_CASE("gpu: libraries are looked for where they may be, and a variable decides") {
  const test::TempDir folder;
  const std::filesystem::path package = folder / "lib/python3.12/site-packages/nvidia/some/lib";
  std::filesystem::create_directories(package);
  std::filesystem::copy_file(test::FakeCuda::file(), package / "libweft_some.so.2");
  const cuda::LibraryNames names{"WEFT_SOME_LIBRARY", {"libweft_some.so.3", "libweft_some.so.2"}, {"nvidia/some/lib"}};
  CHECK(cuda::open_library(names).handle == nullptr);
  CHECK_THAT(cuda::open_library(names).why, contains_text("libweft_some.so.3"));
  setenv("VIRTUAL_ENV", folder.path().c_str(), 1);
  CHECK(cuda::open_library(names).file == (package / "libweft_some.so.2").string());
  setenv("WEFT_SOME_LIBRARY", "none", 1);
  CHECK(cuda::open_library(names).handle == nullptr);
  setenv("WEFT_SOME_LIBRARY", "/nowhere/lib.so", 1);
  CHECK_THROWS_WITH(cuda::open_library(names), contains_text("WEFT_SOME_LIBRARY names no library") && contains_text("/nowhere/lib.so"));
  unsetenv("WEFT_SOME_LIBRARY"), unsetenv("VIRTUAL_ENV");
}

// A process of its own, which the next test starts with the library's file in WEFT_CUBLASLT.
TEST_CASE("real cuBLASLt: products are described to it, and run by kernels since it finds no driver", "[.real]") {
  const test::FakeCuda gpu;
  for (const Form& form :
       {Form{.bias = true}, Form{.dtype = bf16, .batch = {2}, .transpose_a = true}, Form{.dtype = f64, .addend = true}}) {
    const auto [got, calls] = results(form, gpu.target_with_libraries());
    CHECK(got == results(form, Target::reference()).first);
    CHECK(products_of(calls, "cuBLASLt") == 0);
  }
}

TEST_CASE("gpu: what weft describes to cuBLASLt, the real library takes") {
  unsetenv("WEFT_REAL_CUBLASLT");
  const cuda::LibraryFile real = cuda::open_library({"WEFT_REAL_CUBLASLT", {"libcublasLt.so.13", "libcublasLt.so.12"}, {}});
  if (!real.handle) {
    WARN("skipped: cuBLASLt is not installed");
    return;
  }
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  const test::Ran ran = test::run_command("WEFT_CUBLASLT=" + real.file + " " + self + " 'real cuBLASLt*'");
  INFO(ran.out << ran.err);
  CHECK(ran.code == 0);
  CHECK_THAT(ran.out, contains_text("All tests passed"));
  const test::Ran refused = test::run_command("WEFT_CUBLASLT=" + real.file + "x " + self + " 'real cuBLASLt*'");
  CHECK(refused.code != 0);
}
