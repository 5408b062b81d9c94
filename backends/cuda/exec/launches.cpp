#include "weft/backends/cuda/exec/launches.h"

#include <algorithm>
#include <utility>

#include "weft/support/error.h"

namespace weft::cuda {

DeviceLaunches::DeviceLaunches(std::shared_ptr<Context> context, LaunchList list, std::vector<DeviceCall> calls,
                               std::unique_ptr<Module> module)
    : context_(std::move(context)), list_(std::move(list)), module_(std::move(module)) {
  for (DeviceCall& call : calls) {
    Bound& bound = calls_.emplace_back(Bound{std::move(call), {}, {}});
    if (!bound.call.library)
      for (const KernelLaunch& launch : bound.call.kernels.launches) bound.functions.push_back(module_->find(launch.name));
  }
  arena_ = context_->buffer(static_cast<size_t>(list_.arena_bytes));
  for (const Array& constant : list_.constants) {
    constants_.push_back(context_->buffer(constant.bytes()));
    context_->copy_in_now(constants_.back().get(), constant.data(), constant.bytes());
  }
}

void DeviceLaunches::bind(std::span<std::byte* const> inputs) {
  if (std::equal(inputs.begin(), inputs.end(), inputs_.begin(), inputs_.end())) return;
  inputs_.assign(inputs.begin(), inputs.end());
  has_tables_ = false;
}

void DeviceLaunches::fill_tables() {
  if (std::exchange(has_tables_, true)) return;
  for (size_t i = 0; i < calls_.size(); ++i) {
    const std::vector<BufferPlace>& buffers = list_.launches[i].buffers;
    std::vector<std::byte*>& table = calls_[i].table;
    table.clear();
    if (calls_[i].call.library)
      for (const BufferPlace& place : buffers) table.push_back(address(place));
    else
      for (const KernelCall::Pointer& p : calls_[i].call.kernels.pointers) table.push_back(address(buffers[p.buffer]) + p.offset);
  }
}

std::byte* DeviceLaunches::address(const BufferPlace& place) const {
  const auto at = static_cast<size_t>(place.position);
  switch (place.kind) {
    case BufferPlace::Kind::input: return inputs_[at];
    case BufferPlace::Kind::arena: return arena_.get() + place.position;
    case BufferPlace::Kind::constant: return constants_[at].get();
  }
  return nullptr;
}

std::vector<std::string> DeviceLaunches::descriptions() const {
  std::vector<std::string> all;
  for (size_t i = 0; i < calls_.size(); ++i) {
    std::string& text = all.emplace_back(list_.launches[i].description);
    const DeviceCall& call = calls_[i].call;
    if (!call.library) continue;
    const std::string kernels = call.kernels.launches.empty() ? "" : "by " + call.kernels.launches.front().name;
    const size_t at = kernels.empty() ? std::string::npos : text.find(kernels);
    if (at == std::string::npos) text += "  by " + call.library->name();
    else text.replace(at, kernels.size(), "by " + call.library->name());
  }
  return all;
}

void DeviceLaunches::enqueue(const Bound& bound, StreamHandle* stream) {
  if (bound.call.library) return context_->with_current([&] { bound.call.library->enqueue(bound.table, stream); });
  for (size_t i = 0; i < bound.functions.size(); ++i)
    context_->launch(bound.call.kernels.launches[i], bound.functions[i], bound.table.data(), stream);
}

void DeviceLaunches::enqueue(StreamHandle* stream) {
  fill_tables();
  for (const Bound& bound : calls_) enqueue(bound, stream);
}

void DeviceLaunches::run() {
  if (!steps_) return enqueue(context_->stream());
  fill_tables();
  const auto began = std::chrono::steady_clock::now();
  for (size_t i = 0; i < calls_.size(); ++i) {
    context_->record(events_[i], context_->stream());
    enqueue(calls_[i], context_->stream());
  }
  context_->record(events_.back(), context_->stream());
  context_->wait_for(events_.back());
  for (size_t i = 0; i < calls_.size(); ++i) milliseconds_[i] += context_->elapsed(events_[i], events_[i + 1]);
  if (*steps_ < traced_runs_) keep_times(began);
  ++*steps_;
}

/// A step's launches follow each other from where the host began to ask for them.
void DeviceLaunches::keep_times(std::chrono::steady_clock::time_point began) {
  if (trace_.steps.empty()) trace_began_ = began;
  const double start = std::chrono::duration<double, std::micro>(began - trace_began_).count();
  const auto at = [&](const Event& event) { return start + 1000 * context_->elapsed(events_.front(), event); };
  for (size_t i = 0; i < calls_.size(); ++i) trace_.events.push_back({0, i, false, {at(events_[i]), at(events_[i + 1])}});
  trace_.steps.push_back({start, at(events_.back())});
}

void DeviceLaunches::run_one_by_one() {
  fill_tables();
  for (size_t i = 0; i < calls_.size(); ++i) try {
      enqueue(calls_[i], context_->stream());
      context_->synchronize();
    } catch (Error& e) {
      e.of(fmt::format("launch {} of {}, {}", i, calls_.size(), descriptions()[i]));
      throw;
    }
}

void DeviceLaunches::start_profile(int64_t traced_runs) {
  while (events_.size() <= calls_.size()) events_.push_back(context_->event());
  milliseconds_.assign(calls_.size(), 0);
  steps_ = 0;
  traced_runs_ = traced_runs;
  trace_ = {.on_device = true};
}

std::vector<CallTime> DeviceLaunches::profile() const {
  std::vector<CallTime> all;
  if (!steps_) return all;
  const std::vector<std::string> names = descriptions();
  for (size_t i = 0; i < calls_.size(); ++i) {
    const Launch& launch = list_.launches[i];
    const double mean = *steps_ == 0 ? 0 : 1000 * milliseconds_[i] / static_cast<double>(*steps_);
    all.push_back({names[i], mean, 0, launch.flops, launch.bytes});
  }
  return all;
}

}  // namespace weft::cuda
