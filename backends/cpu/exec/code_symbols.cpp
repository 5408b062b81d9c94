#include "weft/backends/cpu/exec/code_symbols.h"

#include <elf.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>

#include "weft/backends/cpu/exec/jit_interface.h"
#include "weft/support/error.h"

__attribute__((weak)) jit_descriptor __jit_debug_descriptor = {1, 0, nullptr, nullptr};
__attribute__((weak, noinline)) void __jit_debug_register_code() { asm volatile("" ::: "memory"); }

namespace weft::cpu {
namespace {

constexpr uint32_t jit_register = 1, jit_unregister = 2;

struct Symbol {
  std::string name;
  uint64_t offset, bytes;
};

/// Each reaches to the next one.
std::vector<Symbol> symbols_of(const std::vector<MachineCode::Function>& functions, size_t bytes) {
  std::vector<Symbol> all;
  for (const MachineCode::Function& f : functions) all.push_back({f.name, static_cast<uint64_t>(f.offset), 0});
  std::sort(all.begin(), all.end(), [](const Symbol& a, const Symbol& b) { return a.offset < b.offset; });
  for (size_t i = 0; i < all.size(); ++i) all[i].bytes = (i + 1 < all.size() ? all[i + 1].offset : bytes) - all[i].offset;
  return all;
}

template <class T>
void append(std::string& to, const T& x) {
  to.append(reinterpret_cast<const char*>(&x), sizeof x);
}

/// An object file that has a section of code at `memory`, without its bytes, and the symbols in it.
std::string object_of(const std::vector<Symbol>& symbols, const std::byte* memory, size_t bytes) {
  enum : Elf64_Word { none, text, symbol_table, names, section_names, sections };
  const std::string of_sections("\0.text\0.symtab\0.strtab\0.shstrtab\0", 34);
  std::string table, strings(1, '\0');
  append(table, Elf64_Sym{});
  for (const Symbol& s : symbols) {
    append(table, Elf64_Sym{.st_name = static_cast<Elf64_Word>(strings.size()),
                            .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
                            .st_other = 0,
                            .st_shndx = text,
                            .st_value = s.offset,
                            .st_size = s.bytes});
    strings += s.name + '\0';
  }
  const uint64_t at_table = sizeof(Elf64_Ehdr), at_strings = at_table + table.size(), at_names = at_strings + strings.size();
  const uint64_t at_sections = (at_names + of_sections.size() + 7) / 8 * 8;
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64, header.e_ident[EI_DATA] = ELFDATA2LSB, header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_REL, header.e_machine = EM_X86_64, header.e_version = EV_CURRENT;
  header.e_shoff = at_sections, header.e_ehsize = sizeof header, header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = sections, header.e_shstrndx = section_names;
  std::string object;
  append(object, header);
  object += table + strings + of_sections;
  object.resize(at_sections, '\0');
  const auto section = [&](Elf64_Word name, Elf64_Word type, uint64_t offset, uint64_t size) {
    Elf64_Shdr s{};
    s.sh_name = name, s.sh_type = type, s.sh_offset = offset, s.sh_size = size, s.sh_addralign = 8;
    return s;
  };
  Elf64_Shdr code = section(1, SHT_NOBITS, at_table, bytes), symtab = section(7, SHT_SYMTAB, at_table, table.size());
  code.sh_flags = SHF_ALLOC | SHF_EXECINSTR, code.sh_addr = reinterpret_cast<uint64_t>(memory);
  symtab.sh_link = names, symtab.sh_info = 1, symtab.sh_entsize = sizeof(Elf64_Sym);  // the first symbol is the only local one
  for (const Elf64_Shdr& s : {Elf64_Shdr{}, code, symtab, section(15, SHT_STRTAB, at_strings, strings.size()),
                              section(23, SHT_STRTAB, at_names, of_sections.size())})
    append(object, s);
  return object;
}

std::mutex& registering() {
  static auto* const all = new std::mutex;
  return *all;
}

void tell_debugger(uint32_t action, jit_code_entry& entry) {
  __jit_debug_descriptor.action_flag = action, __jit_debug_descriptor.relevant_entry = &entry;
  __jit_debug_register_code();
}

bool wants_perf() {
  const char* variable = std::getenv("WEFT_PERF");
  const std::string text = variable ? variable : "";
  if (text != "0" && text != "1" && !text.empty()) throw Error("WEFT_PERF must be 0 or 1, not '{}'", text);
  return text == "1";
}

void write_map(const std::vector<Symbol>& symbols, const std::byte* memory) {
  const std::string path = fmt::format("/tmp/perf-{}.map", getpid());
  std::string lines;
  for (const Symbol& s : symbols) lines += fmt::format("{:x} {:x} {}\n", reinterpret_cast<uint64_t>(memory) + s.offset, s.bytes, s.name);
  std::ofstream file(path, std::ios::app);
  if (!(file << lines << std::flush)) throw Error(ErrorKind::file, "WEFT_PERF: cannot write '{}'", path);
}

}  // namespace

struct CodeSymbols::Entry {
  std::string object;
  jit_code_entry registered;
};

CodeSymbols::CodeSymbols(const std::vector<MachineCode::Function>& functions, const std::byte* memory, size_t bytes)
    : entry_(std::make_unique<Entry>()) {
  const std::vector<Symbol> symbols = symbols_of(functions, bytes);
  entry_->object = object_of(symbols, memory, bytes);
  const std::lock_guard lock(registering());
  if (wants_perf()) write_map(symbols, memory);
  jit_code_entry& entry = entry_->registered;
  entry = {__jit_debug_descriptor.first_entry, nullptr, entry_->object.data(), entry_->object.size()};
  if (entry.next_entry) entry.next_entry->prev_entry = &entry;
  __jit_debug_descriptor.first_entry = &entry;
  tell_debugger(jit_register, entry);
}

CodeSymbols::~CodeSymbols() {
  const std::lock_guard lock(registering());
  jit_code_entry& entry = entry_->registered;
  (entry.prev_entry ? entry.prev_entry->next_entry : __jit_debug_descriptor.first_entry) = entry.next_entry;
  if (entry.next_entry) entry.next_entry->prev_entry = entry.prev_entry;
  tell_debugger(jit_unregister, entry);
}

}  // namespace weft::cpu
