#include "weft/backends/cuda/exec/launches.h"

#include <algorithm>
#include <utility>

#include "weft/support/error.h"

namespace weft::cuda {
namespace {

/// A graph holds each of them, and takes some hundreds of bytes for it.
constexpr size_t most_turns = 1 << 20;

}  // namespace

DeviceLaunches::DeviceLaunches(std::shared_ptr<Context> context, LaunchList list, std::vector<DeviceCall> calls,
                               std::unique_ptr<Module> module)
    : context_(std::move(context)), list_(std::move(list)), module_(std::move(module)) {
  for (DeviceCall& call : calls) {
    Bound& bound = calls_.emplace_back(Bound{std::move(call), {}, {}, {}});
    if (!bound.call.library)
      for (const KernelLaunch& launch : bound.call.kernels.launches) bound.functions.push_back(module_->find(launch.name));
  }
  Dims passes;
  add_turns(0, calls_.size(), 0, passes);
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

/// Of the launches from first to last - 1, and of the loops among them, of which `loop` is the first.
void DeviceLaunches::add_turns(size_t first, size_t last, size_t loop, Dims& passes) {
  const std::vector<LaunchLoop>& loops = list_.loops;
  while (first < last) {
    if (loop == loops.size() || loops[loop].first > first) {
      if (turns_.size() == most_turns)
        throw Error(ErrorKind::device,
                    "a step of the program makes more than {} launches, since its loops run {} times: a GPU is not given as many",
                    most_turns, fmt::join(passes, " x "));
      turns_.push_back({first++, passes});
      continue;
    }
    const LaunchLoop& around = loops[loop];
    passes.push_back(0);
    for (int64_t pass = 0; pass < around.count; passes.back() = ++pass) {
      const size_t before = turns_.size();
      add_turns(around.first, around.last, loop + 1, passes);
      if (turns_.size() == before) break;  // nor will another pass
    }
    passes.pop_back();
    first = around.last;
    while (loop < loops.size() && loops[loop].first < around.last) ++loop;
  }
}

void DeviceLaunches::fill_tables() {
  if (std::exchange(has_tables_, true)) return;
  for (size_t i = 0; i < calls_.size(); ++i) {
    const std::vector<BufferPlace>& buffers = list_.launches[i].buffers;
    Bound& bound = calls_[i];
    bound.table.clear(), bound.steps.clear();
    const auto add = [&](const BufferPlace& place, int64_t offset) {
      bound.table.push_back(address(place) + offset);
      bound.steps.push_back(place.steps);
    };
    if (bound.call.library)
      for (const BufferPlace& place : buffers) add(place, 0);
    else
      for (const KernelCall::Pointer& p : bound.call.kernels.pointers) add(buffers[p.buffer], p.offset);
  }
}

std::byte* DeviceLaunches::address(const BufferPlace& place) const {
  const auto at = static_cast<size_t>(place.position);
  switch (place.kind) {
    case BufferPlace::Kind::input: return inputs_[at] + place.offset;
    case BufferPlace::Kind::arena: return arena_.get() + place.position + place.offset;
    case BufferPlace::Kind::constant: return constants_[at].get() + place.offset;
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

void DeviceLaunches::enqueue(const Turn& turn, StreamHandle* stream) {
  const Bound& bound = calls_[turn.call];
  moved_ = bound.table;
  for (size_t i = 0; i < moved_.size(); ++i)
    for (size_t loop = 0; loop < bound.steps[i].size(); ++loop) moved_[i] += bound.steps[i][loop] * turn.passes[loop];
  try {
    if (bound.call.library) return context_->with_current([&] { bound.call.library->enqueue(moved_, stream); });
    for (size_t i = 0; i < bound.functions.size(); ++i)
      context_->launch(bound.call.kernels.launches[i], bound.functions[i], moved_.data(), stream);
  } catch (Error& e) {
    add_name(e, turn);
    throw;
  }
}

void DeviceLaunches::add_name(Error& e, const Turn& turn) const {
  const std::string pass = turn.passes.empty() ? "" : fmt::format(" in pass {}", fmt::join(turn.passes, ", "));
  e.of(fmt::format("launch {} of {}{}, {}", turn.call, calls_.size(), pass, descriptions()[turn.call]));
}

void DeviceLaunches::enqueue(StreamHandle* stream) {
  fill_tables();
  for (const Turn& turn : turns_) enqueue(turn, stream);
}

void DeviceLaunches::run() {
  if (!steps_) return enqueue(context_->stream());
  fill_tables();
  const auto began = std::chrono::steady_clock::now();
  for (size_t i = 0; i < turns_.size(); ++i) {
    context_->record(events_[i], context_->stream());
    enqueue(turns_[i], context_->stream());
  }
  context_->record(events_.back(), context_->stream());
  context_->wait_for(events_.back());
  for (size_t i = 0; i < turns_.size(); ++i) milliseconds_[turns_[i].call] += context_->elapsed(events_[i], events_[i + 1]);
  if (*steps_ < traced_runs_) keep_times(began);
  ++*steps_;
}

/// A step's launches follow each other from where the host began to ask for them.
void DeviceLaunches::keep_times(std::chrono::steady_clock::time_point began) {
  if (trace_.steps.empty()) trace_began_ = began;
  const double start = std::chrono::duration<double, std::micro>(began - trace_began_).count();
  const auto at = [&](const Event& event) { return start + 1000 * context_->elapsed(events_.front(), event); };
  for (size_t i = 0; i < turns_.size(); ++i) trace_.events.push_back({0, turns_[i].call, false, {at(events_[i]), at(events_[i + 1])}});
  trace_.steps.push_back({start, at(events_.back())});
}

void DeviceLaunches::run_one_by_one() {
  fill_tables();
  for (const Turn& turn : turns_) {
    enqueue(turn, context_->stream());
    try {
      context_->synchronize();
    } catch (Error& e) {
      add_name(e, turn);
      throw;
    }
  }
}

void DeviceLaunches::start_profile(int64_t traced_runs) {
  while (events_.size() <= turns_.size()) events_.push_back(context_->event());
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
