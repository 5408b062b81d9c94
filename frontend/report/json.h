#pragma once
// Reports as JSON, for those that put them together. Every number is in the unit that its name ends with.

#include <nlohmann/json.hpp>

#include "weft/frontend/report/cost.h"
#include "weft/frontend/report/fusion.h"
#include "weft/frontend/report/machine.h"
#include "weft/frontend/report/memory_plan.h"
#include "weft/frontend/report/profile.h"

namespace weft::detail {

using Json = nlohmann::ordered_json;

Json to_json(const Profile& profile);
Json to_json(const MachineLimits& limits);
Json to_json(const Machine& machine);
Json to_json(const MemoryPlan& plan);
Json to_json(const Cost& cost);
Json to_json(const Fusion& fusion);

/// A list of what each is.
template <class Of>
Json list_of(const std::vector<Of>& all, Json (*one)(const Of&)) {
  Json list = Json::array();
  for (const Of& each : all) list.push_back(one(each));
  return list;
}

/// On lines of its own; bytes that are no UTF-8, which names from files may hold, are replaced.
inline std::string text_of(const Json& json) { return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace weft::detail
