#include "weft/backends/cuda/exec/launches.h"

#include "weft/support/error.h"

namespace weft::cuda {

DeviceLaunches::DeviceLaunches(std::shared_ptr<Context> context, LaunchList list, std::vector<KernelCall> calls,
                               std::unique_ptr<Module> module)
    : context_(std::move(context)), list_(std::move(list)), module_(std::move(module)) {
  for (KernelCall& call : calls) {
    Bound& bound = calls_.emplace_back(Bound{std::move(call), {}, {}});
    for (const KernelLaunch& launch : bound.call.launches) bound.functions.push_back(module_->find(launch.name));
    bound.table.resize(bound.call.pointers.size());
  }
  arena_ = context_->buffer(static_cast<size_t>(list_.arena_bytes));
  for (const Array& constant : list_.constants) {
    constants_.push_back(context_->buffer(constant.bytes()));
    context_->copy_in_now(constants_.back().get(), constant.data(), constant.bytes());
  }
}

void DeviceLaunches::bind(std::span<std::byte* const> inputs) {
  inputs_.assign(inputs.begin(), inputs.end());
  for (size_t i = 0; i < calls_.size(); ++i)
    for (size_t p = 0; p < calls_[i].table.size(); ++p) {
      const KernelCall::Pointer& pointer = calls_[i].call.pointers[p];
      calls_[i].table[p] = address(list_.launches[i].buffers[pointer.buffer]) + pointer.offset;
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

void DeviceLaunches::enqueue(const Bound& bound, StreamHandle* stream) {
  for (size_t i = 0; i < bound.functions.size(); ++i)
    context_->launch(bound.call.launches[i], bound.functions[i], bound.table.data(), stream);
}

void DeviceLaunches::enqueue(StreamHandle* stream) {
  for (const Bound& bound : calls_) enqueue(bound, stream);
}

void DeviceLaunches::run() {
  if (!steps_) return enqueue(context_->stream());
  for (size_t i = 0; i < calls_.size(); ++i) {
    context_->record(events_[i]);
    enqueue(calls_[i], context_->stream());
  }
  context_->record(events_.back());
  context_->wait_for(events_.back());
  for (size_t i = 0; i < calls_.size(); ++i) milliseconds_[i] += context_->elapsed(events_[i], events_[i + 1]);
  ++*steps_;
}

void DeviceLaunches::run_one_by_one() {
  for (size_t i = 0; i < calls_.size(); ++i) try {
      enqueue(calls_[i], context_->stream());
      context_->synchronize();
    } catch (Error& e) {
      e.of(fmt::format("launch {} of {}, {}", i, calls_.size(), list_.launches[i].description));
      throw;
    }
}

void DeviceLaunches::start_profile() {
  while (events_.size() <= calls_.size()) events_.push_back(context_->event());
  milliseconds_.assign(calls_.size(), 0);
  steps_ = 0;
}

std::vector<CallTime> DeviceLaunches::profile() const {
  std::vector<CallTime> all;
  if (!steps_) return all;
  for (size_t i = 0; i < calls_.size(); ++i) {
    const Launch& launch = list_.launches[i];
    const double mean = *steps_ == 0 ? 0 : 1000 * milliseconds_[i] / static_cast<double>(*steps_);
    all.push_back({launch.description, mean, 0, launch.flops, launch.bytes});
  }
  return all;
}

}  // namespace weft::cuda
