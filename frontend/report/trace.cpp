#include "weft/frontend/report/trace.h"

#include "weft/frontend/report/json.h"

namespace weft::detail {
namespace {

constexpr int process = 1, steps_track = 0;  // threads have the tracks behind

Json track_name(int track, const std::string& name) {
  return {{"ph", "M"}, {"pid", process}, {"tid", track}, {"name", "thread_name"}, {"args", {{"name", name}}}};
}

Json slice(const std::string& name, const std::string& category, int track, Trace::Span when) {
  return {
      {"ph", "X"}, {"pid", process}, {"tid", track}, {"name", name}, {"cat", category}, {"ts", when.begin}, {"dur", when.end - when.begin}};
}

Json call_slice(const Trace::Event& event, const ProfileRow& call) {
  const std::string name = call.origin.place() + " " + call.origin.op;
  if (event.waits) return slice("waits", "wait", event.thread + 1, event.when);
  Json json = slice(name, call.origin.phase, event.thread + 1, event.when);
  const auto runs = static_cast<double>(std::max<int64_t>(1, call.runs));  // of which this is one
  json["args"] = {{"call", call.name},          {"kernel", call.kernel},      {"source", call.origin.source},
                  {"phase", call.origin.phase}, {"flops", call.flops / runs}, {"bytes", call.bytes / runs}};
  return json;
}

}  // namespace

std::string trace_text(const Trace& trace, const Profile& profile, const std::string& program) {
  Json events = Json::array();
  events.push_back({{"ph", "M"}, {"pid", process}, {"name", "process_name"}, {"args", {{"name", program}}}});
  events.push_back(track_name(steps_track, "steps"));
  int threads = 0;
  for (const Trace::Event& event : trace.events) threads = std::max(threads, event.thread + 1);
  for (int thread = 0; thread < threads; ++thread)
    events.push_back(track_name(thread + 1, trace.on_device ? "device" : fmt::format("thread {}", thread)));
  for (size_t i = 0; i < trace.steps.size(); ++i) events.push_back(slice(fmt::format("step {}", i), "step", steps_track, trace.steps[i]));
  for (const Trace::Event& event : trace.events) events.push_back(call_slice(event, profile.calls.at(event.call)));
  return Json{{"displayTimeUnit", "ms"}, {"traceEvents", std::move(events)}}.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace weft::detail
