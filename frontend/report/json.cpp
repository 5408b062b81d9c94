#include "weft/frontend/report/json.h"

namespace weft::detail {
namespace {

void add(Json& to, const Origin& origin) {
  to["op"] = origin.op;
  to["layer"] = origin.layer;
  to["source"] = origin.source;
  to["phase"] = origin.phase;
}

Json profile_row(const ProfileRow& r) {
  Json row{{"name", r.name}};
  if (!r.kernel.empty()) {
    row["kernel"] = r.kernel;
    add(row, r.origin);
    row["recorded"] = r.recorded;
    row["computes_in"] = name_of(r.computes_in);
    row["runs"] = r.runs;
  }
  row["calls"] = r.calls, row["us"] = r.microseconds, row["waiting_us"] = r.waiting;
  row["flops"] = r.flops, row["bytes"] = r.bytes;
  if (r.least > 0) row["least_us"] = r.least, row["share_of_limits"] = r.share_of_limits();
  return row;
}

Json value(const PlannedValue& v) {
  Json json{{"name", v.name}, {"type", v.type}};
  add(json, v.origin);
  json["bytes"] = v.bytes, json["offset"] = v.offset, json["first_op"] = v.first, json["last_op"] = v.last;
  return json;
}

Json held(const HeldInputs& inputs) { return {{"role", inputs.role}, {"count", inputs.count}, {"bytes", inputs.bytes}}; }

Json cost_row(const CostRow& r) {
  Json row{{"name", r.name}};
  if (!r.type.empty()) {
    row["type"] = r.type;
    add(row, r.origin);
  }
  row["ops"] = r.ops, row["flops"] = r.flops, row["read_bytes"] = r.read, row["written_bytes"] = r.written;
  return row;
}

Json fused_call(const FusedCall& c) {
  Json json{{"call", c.call}};
  add(json, c.origin);
  json["ops"] = c.ops, json["recorded"] = c.recorded, json["runs"] = c.runs, json["flops"] = c.flops, json["bytes"] = c.bytes;
  if (c.scratch > 0) json["scratch_bytes"] = c.scratch;
  if (!c.body.empty()) json["body"] = c.body;
  return json;
}

Json remarked(const passes::Remark::Of& of) {
  Json json{{"op", of.op}, {"type", to_string(of.type)}, {"source", to_string(of.locations)}};
  if (!of.name.empty()) json["value"] = of.name;
  json["recorded"] = of.recorded, json["calls"] = of.calls;
  return json;
}

Json remark(const passes::Remark& r) {
  Json json{{"what", r.what}, {"of", remarked(r.of)}};
  if (r.other) json[r.beside ? "beside" : "to"] = remarked(*r.other);
  json["why"] = r.why;
  if (r.other || r.reorders) json["unless"] = r.unless, json["bytes"] = r.bytes;
  if (r.aside) json["aside"] = true;
  return json;
}

}  // namespace

Json to_json(const Profile& p) {
  Json json{{"step", profile_row(p.step)},
            {"phases", list_of(p.phases, profile_row)},
            {"layers", list_of(p.layers, profile_row)},
            {"sources", list_of(p.sources, profile_row)},
            {"ops", list_of(p.ops, profile_row)},
            {"kernels", list_of(p.kernels, profile_row)},
            {"calls", list_of(p.calls, profile_row)}};
  if (p.limits) json["limits"] = to_json(*p.limits);
  return json;
}

Json to_json(const MachineLimits& l) {
  Json memories = Json::array();
  for (const MachineLimits::Memory& m : l.memories) memories.push_back({{"name", m.name}, {"bytes", m.bytes}, {"gbs", m.gbs}});
  return {{"threads", l.threads}, {"f32_gflops", l.f32}, {"f64_gflops", l.f64}, {"bf16_gflops", l.bf16}, {"memories", memories}};
}

Json to_json(const Machine& m) { return {{"machine", m.name}, {"limits", list_of(m.limits, to_json)}}; }

Json to_json(const MemoryPlan& plan) {
  Json json{{"arena_bytes", plan.arena_bytes ? Json(*plan.arena_bytes) : Json()},
            {"peak_bytes", plan.peak_bytes()},
            {"peak_op", plan.peak},
            {"inputs", list_of(plan.inputs, held)},
            {"in_use_bytes", plan.in_use},
            {"at_peak", plan.at_peak},
            {"values", list_of(plan.values, value)}};
  return json;
}

Json to_json(const Cost& c) {
  return {{"whole", cost_row(c.whole)},
          {"phases", list_of(c.phases, cost_row)},
          {"layers", list_of(c.layers, cost_row)},
          {"sources", list_of(c.sources, cost_row)},
          {"kinds", list_of(c.kinds, cost_row)},
          {"ops", list_of(c.ops, cost_row)}};
}

Json to_json(const Fusion& f) { return {{"calls", list_of(f.calls, fused_call)}, {"remarks", list_of(f.remarks, remark)}}; }

}  // namespace weft::detail

namespace weft {

std::string Profile::json() const { return detail::text_of(detail::to_json(*this)); }
std::string Machine::json() const { return detail::text_of(detail::to_json(*this)); }
std::string MemoryPlan::json() const { return detail::text_of(detail::to_json(*this)); }
std::string Cost::json() const { return detail::text_of(detail::to_json(*this)); }
std::string Fusion::json() const { return detail::text_of(detail::to_json(*this)); }

}  // namespace weft
