#include "weft/frontend/program/remembered_programs.h"

#include <algorithm>
#include <list>

#include "weft/ir/printer.h"
#include "weft/runtime/threads.h"

namespace weft::detail {
namespace {

constexpr size_t most_programs = 8;  // a data set has two batch sizes, mostly

struct Remembered {
  std::string key;
  std::shared_ptr<const ProgramCache::Entry> entry;
};

struct Memory {
  ForkSafeMutex mutex;
  std::list<Remembered> all;  // the one that was used last in front
};

Memory& memory() {
  static auto* const all = new Memory;  // never destroyed
  return *all;
}
[[maybe_unused]] const Memory& made_before_main = memory();

thread_local int remembering = 0;

}  // namespace

Remembering::Remembering() { ++remembering; }
Remembering::~Remembering() { --remembering; }
bool Remembering::on() { return remembering > 0; }

std::string program_key(const ir::Module& recorded, const Backend& backend) {
  const std::string machine = backend.fingerprint();
  return machine.empty() ? "" : fmt::format("{}\n{}\n{}", backend.name(), machine, ir::print(recorded));
}

std::shared_ptr<const ProgramCache::Entry> remembered_program(const std::string& key) {
  Memory& m = memory();
  const std::lock_guard lock(m.mutex);
  const auto found = std::find_if(m.all.begin(), m.all.end(), [&](const Remembered& r) { return r.key == key; });
  if (found == m.all.end()) return nullptr;
  m.all.splice(m.all.begin(), m.all, found);
  return m.all.front().entry;
}

void remember_program(const std::string& key, ProgramCache::Entry entry) {
  Memory& m = memory();
  const std::lock_guard lock(m.mutex);
  m.all.push_front({key, std::make_shared<const ProgramCache::Entry>(std::move(entry))});
  if (m.all.size() > most_programs) m.all.pop_back();
}

}  // namespace weft::detail
