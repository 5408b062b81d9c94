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
  explicit Linker(const llvm::object::ObjectFile& object) : object_(object) {}

  MachineCode link() {
    for (const SectionRef& section : object_.sections()) place(section);
    for (const SectionRef& section : object_.sections()) {
      const auto target = must(section.getRelocatedSection());
      if (target == object_.section_end()) continue;
      if (const auto at = offsets_.find(target->getIndex()); at != offsets_.end())
        for (const RelocationRef& r : section.relocations()) relocate(r, at->second);
    }
    for (const SymbolRef& s : object_.symbols()) add_function(s);
    return std::move(code_);
  }

 private:
  static bool is_loaded(const SectionRef& section) {
    const llvm::object::ELFSectionRef elf(section);
    // Nobody unwinds through a kernel.
    return (elf.getFlags() & llvm::ELF::SHF_ALLOC) != 0 && elf.getType() != llvm::ELF::SHT_X86_64_UNWIND &&
           must(section.getName()) != ".eh_frame";
  }

  void place(const SectionRef& section) {
    if (!is_loaded(section) || section.getSize() == 0) return;
    WEFT_CHECK(!section.isBSS() && (llvm::object::ELFSectionRef(section).getFlags() & llvm::ELF::SHF_TLS) == 0,
               "generated code has variables, in the section {}", must(section.getName()).str());
    offsets_[section.getIndex()] = reserve(section.getSize(), static_cast<int64_t>(section.getAlignment().value()));
    const llvm::StringRef bytes = must(section.getContents());
    std::memcpy(code_.image.data() + offsets_[section.getIndex()], bytes.data(), bytes.size());
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
      WEFT_CHECK(is_importable(name), "generated code calls '{}', which is none of the functions that it may", name);
      return {name};
    }
    const auto section = must(symbol.getSection());
    WEFT_CHECK(section != object_.section_end() && offsets_.contains(section->getIndex()), "the symbol '{}' of generated code lies nowhere",
               must(symbol.getName()).str());
    return {{}, offsets_.at(section->getIndex()) + static_cast<int64_t>(must(symbol.getValue()))};
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
    code_.functions.push_back({must(symbol.getName()).str(), find(symbol).offset});
  }

  const llvm::object::ObjectFile& object_;
  MachineCode code_;
  std::map<uint64_t, int64_t> offsets_;  // of the sections that are loaded, by their index
  std::map<std::pair<std::string, int64_t>, int64_t> slots_;
  std::map<std::string, int64_t> stubs_;
};

}  // namespace

MachineCode image_of(std::span<const char> object) {
  const auto file = must(llvm::object::ObjectFile::createELFObjectFile(llvm::MemoryBufferRef({object.data(), object.size()}, "kernels")));
  WEFT_CHECK(file->getArch() == llvm::Triple::x86_64, "generated code is for {}", llvm::Triple::getArchTypeName(file->getArch()).str());
  return Linker(*file).link();
}

}  // namespace weft::cpu
