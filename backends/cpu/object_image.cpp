#include "weft/backends/cpu/object_image.h"

#include <llvm/BinaryFormat/ELF.h>
#include <llvm/Object/ELFObjectFile.h>

#include <cstring>
#include <map>

#include "weft/backends/cpu/exec/code.h"
#include "weft/support/error.h"

namespace weft::cpu {
namespace {

using llvm::object::RelocationRef;
using llvm::object::SectionRef;
using llvm::object::SymbolRef;

template <class T>
T must(llvm::Expected<T> value) {
  if (!value) throw InternalError(fmt::format("generated code is no object file: {}", llvm::toString(value.takeError())));
  return std::move(*value);
}

/// Where a symbol is: in the image, or in the C library.
struct Symbol {
  std::string import = {};  // empty: in the image
  int64_t offset = 0;
};

class Linker {
 public:
  using Objects = std::vector<std::unique_ptr<llvm::object::ObjectFile>>;

  MachineCode link(const Objects& objects) {
    for (const auto& object : objects)
      for (const SectionRef& section : object->sections()) place(section);
    for (const auto& object : objects)
      for (const SymbolRef& symbol : object->symbols()) add_function(symbol);
    for (const auto& object : objects)
      for (const SectionRef& section : object->sections()) relocate_all(*object, section);
    return std::move(code_);
  }

 private:
  static bool is_loaded(const SectionRef& section) {
    const llvm::object::ELFSectionRef elf(section);
    // Nobody unwinds through a kernel.
    return (elf.getFlags() & llvm::ELF::SHF_ALLOC) != 0 && elf.getType() != llvm::ELF::SHT_X86_64_UNWIND &&
           must(section.getName()) != ".eh_frame";
  }

  using Key = std::pair<const llvm::object::ObjectFile*, uint64_t>;
  static Key key_of(const SectionRef& section) { return {section.getObject(), section.getIndex()}; }

  void place(const SectionRef& section) {
    if (!is_loaded(section) || section.getSize() == 0) return;
    WEFT_CHECK(!section.isBSS() && (llvm::object::ELFSectionRef(section).getFlags() & llvm::ELF::SHF_TLS) == 0,
               "generated code has variables, in the section {}", must(section.getName()).str());
    const int64_t offset = reserve(section.getSize(), static_cast<int64_t>(section.getAlignment().value()));
    offsets_[key_of(section)] = offset;
    const llvm::StringRef bytes = must(section.getContents());
    std::memcpy(code_.image.data() + offset, bytes.data(), bytes.size());
  }

  int64_t reserve(uint64_t bytes, int64_t alignment) {
    const int64_t offset = (static_cast<int64_t>(code_.image.size()) + alignment - 1) / alignment * alignment;
    code_.image.resize(static_cast<size_t>(offset) + bytes);
    return offset;
  }

  Symbol find(const SymbolRef& symbol) {
    const uint32_t flags = must(symbol.getFlags());
    if (flags & SymbolRef::SF_Undefined) {
      const std::string name = must(symbol.getName()).str();
      if (const auto at = functions_.find(name); at != functions_.end()) return {{}, at->second};
      WEFT_CHECK(is_importable(name), "generated code calls '{}', which is none of the functions that it may", name);
      return {name};
    }
    const auto section = must(symbol.getSection());
    const auto at = section == symbol.getObject()->section_end() ? offsets_.end() : offsets_.find(key_of(*section));
    WEFT_CHECK(at != offsets_.end(), "the symbol '{}' of generated code lies nowhere", must(symbol.getName()).str());
    return {{}, at->second + static_cast<int64_t>(must(symbol.getValue()))};
  }

  /// The slot that holds the symbol's address.
  int64_t slot_of(const Symbol& symbol) {
    const auto [at, added] = slots_.try_emplace({symbol.import, symbol.offset}, 0);
    if (added) {
      at->second = reserve(8, 8);
      code_.slots.push_back({at->second, symbol.import, symbol.offset});
    }
    return at->second;
  }

  /// A jump to what a slot points to: jmp *slot(%rip).
  int64_t stub_of(const Symbol& symbol) {
    const auto [at, added] = stubs_.try_emplace(symbol.import, 0);
    if (added) {
      const int64_t slot = slot_of(symbol);
      at->second = reserve(6, 16);
      const std::byte jump[] = {std::byte{0xff}, std::byte{0x25}};
      std::memcpy(code_.image.data() + at->second, jump, sizeof jump);
      write32(at->second + 2, slot - (at->second + 6));
    }
    return at->second;
  }

  void write32(int64_t at, int64_t value) {
    WEFT_CHECK(value == static_cast<int32_t>(value), "generated code of {} bytes is too large", code_.image.size());
    const auto narrow = static_cast<int32_t>(value);
    std::memcpy(code_.image.data() + at, &narrow, sizeof narrow);
  }

  void relocate_all(const llvm::object::ObjectFile& object, const SectionRef& section) {
    const auto target = must(section.getRelocatedSection());
    if (target == object.section_end()) return;
    if (const auto at = offsets_.find(key_of(*target)); at != offsets_.end())
      for (const RelocationRef& r : section.relocations()) relocate(r, at->second);
  }

  void relocate(const RelocationRef& r, int64_t section) {
    const llvm::object::ELFRelocationRef elf(r);
    const int64_t at = section + static_cast<int64_t>(r.getOffset()), addend = must(elf.getAddend());
    const Symbol symbol = find(*r.getSymbol());
    switch (r.getType()) {
      case llvm::ELF::R_X86_64_PC32:
      case llvm::ELF::R_X86_64_PLT32: return write32(at, (symbol.import.empty() ? symbol.offset : stub_of(symbol)) + addend - at);
      case llvm::ELF::R_X86_64_GOTPCREL:
      case llvm::ELF::R_X86_64_GOTPCRELX:
      case llvm::ELF::R_X86_64_REX_GOTPCRELX: return write32(at, slot_of(symbol) + addend - at);
      case llvm::ELF::R_X86_64_64: code_.slots.push_back({at, symbol.import, symbol.offset + addend}); return;
      default: refuse(r);
    }
  }

  [[noreturn]] static void refuse(const RelocationRef& r) {
    llvm::SmallString<32> name;
    r.getTypeName(name);
    throw InternalError(fmt::format("generated code refers to '{}' by {}", must(r.getSymbol()->getName()).str(), name.str().str()));
  }

  void add_function(const SymbolRef& symbol) {
    const uint32_t flags = must(symbol.getFlags());
    if (must(symbol.getType()) != SymbolRef::ST_Function || (flags & SymbolRef::SF_Undefined) || !(flags & SymbolRef::SF_Global)) return;
    const auto [at, added] = functions_.try_emplace(must(symbol.getName()).str(), find(symbol).offset);
    WEFT_CHECK(added, "two functions of generated code are called '{}'", at->first);
    code_.functions.push_back({at->first, at->second});
  }

  MachineCode code_;
  std::map<Key, int64_t> offsets_;            // of the sections that are loaded, in the image
  std::map<std::string, int64_t> functions_;  // those that other objects may call
  std::map<std::pair<std::string, int64_t>, int64_t> slots_;
  std::map<std::string, int64_t> stubs_;
};

}  // namespace

MachineCode image_of(const std::vector<ObjectFile>& objects) {
  Linker::Objects files;
  for (const ObjectFile& object : objects) {
    files.push_back(must(llvm::object::ObjectFile::createELFObjectFile(llvm::MemoryBufferRef({object.data(), object.size()}, "kernels"))));
    const llvm::Triple::ArchType machine = files.back()->getArch();
    WEFT_CHECK(machine == llvm::Triple::x86_64, "generated code is for {}", llvm::Triple::getArchTypeName(machine).str());
  }
  return Linker().link(files);
}

}  // namespace weft::cpu
