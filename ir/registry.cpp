#include "weft/ir/registry.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>

#include "weft/ir/definition_problems.h"
#include "weft/ir/ops/families.h"

namespace weft::ir {

void Registry::add(std::shared_ptr<const OpDef> def) {
  WEFT_CHECK(!find(def->name), "op '{}' is defined twice", def->name);
  const OpDef* added = owned_.emplace_back(std::move(def)).get();
  const auto by_name = [](const OpDef* a, const OpDef* b) { return a->name < b->name; };
  sorted_.insert(std::upper_bound(sorted_.begin(), sorted_.end(), added, by_name), added);
}

const OpDef* Registry::find(std::string_view name) const {
  const auto at = std::lower_bound(sorted_.begin(), sorted_.end(), name, [](const OpDef* d, std::string_view n) { return d->name < n; });
  return at != sorted_.end() && (*at)->name == name ? *at : nullptr;
}

namespace {

/// Registries are never changed, so that nobody who reads one waits: whoever registers an op puts a larger one in its place.
struct Registries {
  std::mutex adding;
  std::vector<std::unique_ptr<const Registry>> all;  // those that were given out may still be read
  std::atomic<const Registry*> now;

  Registries() {
    auto own = std::make_unique<Registry>();
    define_all_ops(*own);
    put(std::move(own));
  }
  void put(std::unique_ptr<const Registry> next) {
    now.store(next.get(), std::memory_order_release);
    all.push_back(std::move(next));
  }
};

Registries& registries() {
  static Registries instance;
  return instance;
}

std::string already_defined(const OpDef& taken) {
  if (taken.registered == 0)
    return fmt::format("weft has an op of that name: {}; call yours \"<your project>.{}\", say", taken.doc, taken.name);
  return fmt::format("the name was registered before, at {}", to_string(taken.registered_at));
}

}  // namespace

const Registry& registry() { return *registries().now.load(std::memory_order_acquire); }

const OpDef& register_op(OpDef def, Location at) {
  std::vector<std::string> problems;
  if (const OpDef* taken = registry().find(def.name)) problems.push_back(already_defined(*taken));
  def.registered_at = std::move(at);
  def.registered = std::numeric_limits<int>::max();  // behind all others, while it is tried
  const auto added = std::make_shared<OpDef>(std::move(def));
  if (problems.empty()) problems = problems_of_a_programs_op(*added);
  Registries& r = registries();
  const std::lock_guard lock(r.adding);
  if (problems.empty())
    if (const OpDef* taken = registry().find(added->name)) problems.push_back(already_defined(*taken));
  if (!problems.empty())
    throw Error("'{}' cannot be registered, at {}: {}", added->name, to_string(added->registered_at), fmt::join(problems, "; "))
        .of("register_op");
  added->registered = static_cast<int>(r.all.size());
  auto next = std::make_unique<Registry>(registry());
  next->add(added);
  r.put(std::move(next));
  return *added;
}

const OpDef& op_def(std::string_view name) {
  const OpDef* def = registry().find(name);
  WEFT_CHECK(def, "{}", unknown_op(name).what());
  return *def;
}

Error unknown_op(std::string_view name) {
  std::vector<std::string> known;
  for (const OpDef* def : registry().all()) known.push_back(def->name);
  return Error("unknown op '{}'", name).hint(did_you_mean(name, known));
}

}  // namespace weft::ir
