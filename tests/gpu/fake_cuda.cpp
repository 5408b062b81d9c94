#include "weft/tests/gpu/fake_cuda.h"

#include <dlfcn.h>

#include <cstdlib>

#include "weft/support/error.h"
#include "weft/tests/catch.h"

namespace weft::test {
namespace {

const FakeCudaControl* control() {
  // Before anybody looks for the libraries, so that nobody finds real ones by chance.
  for (const char* variable : {"WEFT_CUBLASLT", "WEFT_CUDNN"}) setenv(variable, FakeCuda::file(), 0);
  void* const library = dlopen(FakeCuda::file(), RTLD_NOW | RTLD_LOCAL);
  WEFT_CHECK(library, "{}", dlerror());
  return reinterpret_cast<FakeCudaControlFunction>(dlsym(library, "fake_cuda_control"))();
}

}  // namespace

FakeCuda::FakeCuda() : control_(control()) {
  control_->reset();
  control_->set_seed(0);
  control_->copy_early(false);
  control_->set_capability(8, 0);
  control_->limit_memory(size_t{1} << 30);
  control_->fault_in("");
  control_->refuse_contexts(false);
  before_ = report();
}

FakeCuda::~FakeCuda() {
  const FakeCudaReport now = report();
  CHECK(now.contexts == before_.contexts);
  CHECK(now.allocations == before_.allocations);
  CHECK(now.pinned == before_.pinned);
  CHECK(now.modules == before_.modules);
  CHECK(now.streams == before_.streams);
  CHECK(now.events == before_.events);
  CHECK(now.graphs == before_.graphs);
  CHECK(now.library_objects == before_.library_objects);
  control_->forget_fault();
}

const char* FakeCuda::file() { return WEFT_FAKE_CUDA; }

Target FakeCuda::target(cuda::Options options) const {
  options.libraries = false;
  return target_with_libraries(std::move(options));
}

Target FakeCuda::target_with_libraries(cuda::Options options) const {
  options.driver = file();
  return Target::cuda(std::move(options));
}

FakeCudaReport FakeCuda::report() const {
  FakeCudaReport report;
  control_->report(&report);
  return report;
}

}  // namespace weft::test
