// The driver's functions: streams and what is put into them, captures, graphs, events.

#include "weft/backends/cuda/exec/driver.h"

#include <utility>

#include "weft/tests/fake_cuda/call.h"

using namespace weft::cuda;
namespace fake = weft::test::fake_cuda;
using fake::call;
using fake::capturing, fake::device, fake::outside_of_captures;

namespace {

std::shared_ptr<fake::Stream> stream_of(StreamHandle* handle) { return fake::device().streams.find(handle); }

}  // namespace

extern "C" {

Result cuMemcpyHtoDAsync_v2(DevicePointer to, const void* from, size_t bytes, StreamHandle* handle) {
  return call("cuMemcpyHtoDAsync_v2", [&](fake::Device& d) {
    const auto stream = stream_of(handle);
    if (!stream) return fake::invalid_handle;
    const auto* host = static_cast<const std::byte*>(from);
    if (d.is_pinned(host, bytes)) {
      const Result result = d.enqueue(*stream, [&d, to, host, bytes] { d.copy_in(to, host, bytes); });
      if (d.early_copies && !stream->captured) d.run(*stream, stream->asked);
      return result;
    }
    // Other memory the driver reads before it returns; a graph would read it when nobody knows what is there.
    if (stream->captured) return fake::invalid_value;
    return d.enqueue(*stream, [&d, to, copy = std::vector<std::byte>(host, host + bytes)] { d.copy_in(to, copy.data(), copy.size()); });
  });
}
Result cuMemcpyDtoHAsync_v2(void* to, DevicePointer from, size_t bytes, StreamHandle* handle) {
  return call("cuMemcpyDtoHAsync_v2", [&](fake::Device& d) {
    const auto stream = stream_of(handle);
    if (!stream) return fake::invalid_handle;
    return d.enqueue(*stream, [&d, to, from, bytes] { d.copy_out(static_cast<std::byte*>(to), from, bytes); });
  });
}

Result cuStreamCreate(StreamHandle** out, unsigned) {
  return call("cuStreamCreate", [&](fake::Device& d) {
    const auto stream = std::make_shared<fake::Stream>();
    stream->context = fake::current.back();
    return *out = d.streams.add<StreamHandle>(stream), success;
  });
}
Result cuStreamDestroy_v2(StreamHandle* handle) {
  return call("cuStreamDestroy_v2",
              [&](fake::Device& d) {
                const auto stream = stream_of(handle);
                if (!stream) return fake::invalid_handle;
                d.run(*stream, stream->asked);
                if (capturing == stream.get()) capturing = nullptr;
                d.streams.remove(handle);
                return success;
              },
              {.after_fault = true});
}
Result cuStreamWaitEvent(StreamHandle* handle, EventHandle* waited_for, unsigned flags) {
  return call("cuStreamWaitEvent", [&](fake::Device& d) {
    const auto stream = stream_of(handle);
    const auto event = d.events.find(waited_for);
    if (!stream || !event || stream->captured || flags != 0) return fake::invalid_handle;
    if (event->number == 0) return success;
    return d.enqueue(*stream, [&d, other = event->stream, number = event->number] { d.run(*other, number); });
  });
}
Result cuStreamSynchronize(StreamHandle* handle) {
  return call(
      "cuStreamSynchronize",
      [&](fake::Device& d) {
        const auto stream = stream_of(handle);
        if (!stream) return fake::invalid_handle;
        d.run(*stream, stream->asked);
        return success;
      },
      outside_of_captures);
}
Result cuStreamBeginCapture_v2(StreamHandle* handle, int) {
  return call("cuStreamBeginCapture_v2", [&](fake::Device&) {
    const auto stream = stream_of(handle);
    if (!stream || stream->captured || capturing) return fake::invalid_value;
    stream->captured = std::make_shared<fake::Graph>();
    capturing = stream.get();
    return success;
  });
}
Result cuStreamEndCapture(StreamHandle* handle, GraphHandle** out) {
  return call("cuStreamEndCapture", [&](fake::Device& d) {
    const auto stream = stream_of(handle);
    if (!stream || !stream->captured) return fake::invalid_value;
    capturing = nullptr;
    const auto graph = std::exchange(stream->captured, nullptr);
    if (std::exchange(stream->invalidated, false)) return *out = nullptr, fake::capture_invalidated;
    return *out = d.graphs.add<GraphHandle>(graph), ++d.report.captures, success;
  });
}
Result cuGraphInstantiateWithFlags(GraphExecHandle** out, GraphHandle* handle, unsigned long long) {
  return call("cuGraphInstantiateWithFlags", [&](fake::Device& d) {
    const auto graph = d.graphs.find(handle);
    if (!graph) return fake::invalid_handle;
    return *out = d.executables.add<GraphExecHandle>(std::make_shared<fake::Graph>(*graph)), success;
  });
}
Result cuGraphDestroy(GraphHandle* handle) { return fake::remove("cuGraphDestroy", &fake::Device::graphs, handle); }
Result cuGraphExecDestroy(GraphExecHandle* handle) { return fake::remove("cuGraphExecDestroy", &fake::Device::executables, handle); }
Result cuGraphLaunch(GraphExecHandle* handle, StreamHandle* to) {
  return call("cuGraphLaunch", [&](fake::Device& d) {
    const auto graph = d.executables.find(handle);
    const auto stream = stream_of(to);
    if (!graph || !stream || stream->captured) return fake::invalid_handle;
    ++d.report.graph_launches;
    return d.enqueue(*stream, [graph] {
      for (const fake::Work& work : graph->work) work();
    });
  });
}

Result cuEventCreate(EventHandle** out, unsigned) {
  return call("cuEventCreate", [&](fake::Device& d) { return *out = d.events.add<EventHandle>(std::make_shared<fake::Event>()), success; });
}
Result cuEventDestroy_v2(EventHandle* handle) { return fake::remove("cuEventDestroy_v2", &fake::Device::events, handle); }
Result cuEventRecord(EventHandle* handle, StreamHandle* to) {
  return call("cuEventRecord", [&](fake::Device& d) {
    const auto event = d.events.find(handle);
    const auto stream = stream_of(to);
    if (!event || !stream || stream->captured) return fake::invalid_handle;
    const Result result = d.enqueue(*stream, [&d, event] { event->milliseconds = d.clock; });
    event->stream = stream.get(), event->number = stream->asked;
    return result;
  });
}
Result cuEventSynchronize(EventHandle* handle) {
  return call(
      "cuEventSynchronize",
      [&](fake::Device& d) {
        const auto event = d.events.find(handle);
        if (!event) return fake::invalid_handle;
        if (event->number > 0) d.run(*event->stream, event->number);
        return success;
      },
      outside_of_captures);
}
Result cuEventElapsedTime(float* milliseconds, EventHandle* start, EventHandle* end) {
  return call("cuEventElapsedTime", [&](fake::Device& d) {
    const auto first = d.events.find(start), last = d.events.find(end);
    if (!first || !last || first->number == 0 || last->number == 0) return fake::invalid_handle;
    return *milliseconds = static_cast<float>(last->milliseconds - first->milliseconds), success;
  });
}

}  // extern "C"
