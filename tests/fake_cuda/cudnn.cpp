// cuDNN's functions, by their own names, on the device that there is not. It refuses what the library refuses, as far as weft could ask
// for it: attributes of another type, number or kind of descriptor, what is not finalized, shapes that do not agree, tensors that a pack
// does not name. Of its engines, those that weft must not take compute something else.

#include <algorithm>
#include <cstring>

#include "weft/tests/fake_cuda/call.h"
#include "weft/tests/fake_cuda/dnn_descriptors.h"

using namespace weft::cuda;
namespace fake = weft::test::fake_cuda;

namespace weft::cuda {

struct DnnHandle {
  StreamHandle* stream = nullptr;
};

}  // namespace weft::cuda

namespace {

using fake::Attribute, fake::Descriptor, fake::Engine;
using fake::bad_param, fake::execution_failed, fake::misaligned, fake::not_finalized, fake::shape_mismatch;

constexpr DnnStatus not_initialized = 1001;

DnnStatus execute(fake::Device& device, const DnnHandle& handle, const Descriptor& plan, const Descriptor& pack) {
  if (!plan.finalized || !pack.finalized) return not_finalized;
  if (plan.kind != DnnKind::plan || pack.kind != DnnKind::variant_pack || plan.one<const DnnHandle*>(Attribute::plan_handle) != &handle)
    return bad_param;
  const std::vector<int64_t> ids = pack.list<int64_t>(Attribute::pack_ids);
  const std::vector<uint64_t> pointers = pack.list<uint64_t>(Attribute::pack_pointers);
  const auto workspace = pack.one<uint64_t>(Attribute::pack_workspace);
  const auto workspace_bytes = static_cast<uint64_t>(fake::workspace_of(plan));
  fake::Places places;
  std::vector<float> numbers;
  for (const fake::Tensor* tensor : fake::tensors_of(plan.operation)) {
    const auto at = std::ranges::find(ids, tensor->id);
    if (at == ids.end()) return bad_param;
    const uint64_t place = pointers[static_cast<size_t>(at - ids.begin())];
    if (place == 0) return bad_param;
    if (place % static_cast<uint64_t>(tensor->alignment) != 0) return misaligned;
    if (tensor->on_host) numbers.push_back(*reinterpret_cast<const float*>(place));
    else places.push_back(place);
  }
  const auto stream = device.streams.find(handle.stream);
  if (!stream || (workspace_bytes > 0 && workspace == 0)) return bad_param;
  if (workspace % 16 != 0) return misaligned;
  if (!stream->captured) ++device.report.launches;
  const Engine& engine = fake::engines()[plan.engine];
  const double error = engine.kind == Engine::Kind::right ? 0 : 1;
  const bool has_matrix_units = std::ranges::find(engine.notes, DnnNote::tensor_core) != engine.notes.end();
  return device.enqueue(*stream,
                        [&device, operation = plan.operation, places, numbers, workspace, workspace_bytes, has_matrix_units, error] {
                          fake::spoil(device, workspace, workspace_bytes);
                          if (const auto* c = std::get_if<fake::Convolution>(&operation))
                            fake::convolve(device, *c, places, has_matrix_units && c->x.element == fake::Element::f32, error);
                          else fake::attend(device, std::get<fake::Attention>(operation), places, numbers, error);
                        });
}

thread_local std::string last_error;

DnnStatus answer(const char* name, auto what, fake::Allowed allowed = fake::anywhere) {
  const Result result = fake::call(name, what, allowed);
  const DnnStatus status = result == fake::invalid_context || result == fake::not_initialized ? not_initialized
                           : result == fake::illegal_address                                  ? execution_failed
                                                                                              : result;
  if (status != dnn_success) last_error = std::string(name) + " refuses it";
  return status;
}

}  // namespace

extern "C" {

size_t cudnnGetVersion() { return 92800; }
const char* cudnnGetErrorString(DnnStatus status) {
  switch (status) {
    case dnn_success: return "CUDNN_STATUS_SUCCESS";
    case not_initialized: return "CUDNN_STATUS_NOT_INITIALIZED";
    case not_finalized: return "CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED";
    case shape_mismatch: return "CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH";
    case execution_failed: return "CUDNN_STATUS_EXECUTION_FAILED";
    default: return status / 1000 == 2 ? "CUDNN_STATUS_BAD_PARAM" : "CUDNN_STATUS_NOT_SUPPORTED";
  }
}
void cudnnGetLastErrorString(char* text, size_t bytes) {
  const size_t size = std::min(last_error.size(), bytes - 1);
  std::memcpy(text, last_error.data(), size);
  text[size] = '\0';
}

DnnStatus cudnnCreate(DnnHandle** out) {
  return call(
      "cudnnCreate", [&](fake::Device& device) { return *out = new DnnHandle, ++device.library_objects, dnn_success; },
      fake::outside_of_captures);
}
DnnStatus cudnnDestroy(DnnHandle* handle) {
  fake::Device& device = fake::device();
  const std::lock_guard lock(device.mutex);
  delete handle;
  return --device.library_objects, dnn_success;
}
DnnStatus cudnnSetStream(DnnHandle* handle, StreamHandle* stream) {
  return answer("cudnnSetStream",
                [&](fake::Device& device) { return handle->stream = stream, device.streams.find(stream) ? dnn_success : bad_param; }, {});
}

DnnStatus cudnnBackendCreateDescriptor(int kind, DnnPointer* out) {
  return answer("cudnnBackendCreateDescriptor", [&](fake::Device& device) {
    auto made = std::make_shared<Descriptor>(Descriptor{.kind = static_cast<DnnKind>(kind)});
    *out = made.get();
    fake::descriptors()[*out] = std::move(made);
    return ++device.library_objects, dnn_success;
  });
}
DnnStatus cudnnBackendDestroyDescriptor(DnnPointer descriptor) {
  fake::Device& device = fake::device();
  const std::lock_guard lock(device.mutex);
  device.library_objects -= fake::descriptors().erase(descriptor);
  return dnn_success;
}
DnnStatus cudnnBackendSetAttribute(DnnPointer descriptor, int attribute, int type, int64_t count, const void* values) {
  return answer("cudnnBackendSetAttribute", [&](auto&) {
    const std::shared_ptr<Descriptor> d = fake::find_descriptor(descriptor);
    return d ? fake::set(*d, static_cast<Attribute>(attribute), static_cast<DnnType>(type), count, values) : bad_param;
  });
}
DnnStatus cudnnBackendGetAttribute(DnnPointer descriptor, int attribute, int type, int64_t room, int64_t* count, void* values) {
  return answer("cudnnBackendGetAttribute", [&](auto&) {
    const std::shared_ptr<Descriptor> d = fake::find_descriptor(descriptor);
    return d ? fake::get(*d, static_cast<Attribute>(attribute), static_cast<DnnType>(type), room, count, values) : bad_param;
  });
}
DnnStatus cudnnBackendFinalize(DnnPointer descriptor) {
  return answer("cudnnBackendFinalize", [&](auto&) {
    const std::shared_ptr<Descriptor> d = fake::find_descriptor(descriptor);
    return d ? fake::finalize(*d) : bad_param;
  });
}

DnnStatus cudnnBackendExecute(DnnHandle* handle, DnnPointer plan, DnnPointer pack) {
  return answer("cudnnBackendExecute",
                [&](fake::Device& device) {
                  const std::shared_ptr<Descriptor> p = fake::find_descriptor(plan), v = fake::find_descriptor(pack);
                  return handle && p && v ? execute(device, *handle, *p, *v) : bad_param;
                },
                {});
}

}  // extern "C"
