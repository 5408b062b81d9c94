#pragma once
// Programs for evaluation, which this process compiled last: whoever evaluates again, by the same trainer or another one, records the
// model anew, as it may have changed, and compiles only what is new.

#include <memory>
#include <string>

#include "weft/backends/program/backend.h"
#include "weft/frontend/program/program_cache.h"

namespace weft::detail {

/// While one lives, what its thread compiles is remembered, and taken from memory if it was compiled before.
class Remembering {
 public:
  Remembering();
  ~Remembering();
  Remembering(const Remembering&) = delete;
  Remembering& operator=(const Remembering&) = delete;
  static bool on();
};

/// What the program follows from: equal texts are equal programs. Empty where a backend's programs cannot be kept.
std::string program_key(const ir::Module& recorded, const Backend& backend);

/// Null where it is not remembered.
std::shared_ptr<const ProgramCache::Entry> remembered_program(const std::string& key);
/// In the place of the one that was used longest ago, if there are many.
void remember_program(const std::string& key, ProgramCache::Entry entry);

}  // namespace weft::detail
