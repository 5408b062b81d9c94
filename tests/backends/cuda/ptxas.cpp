#include "weft/tests/backends/cuda/ptxas.h"

#include <regex>
#include <sstream>

#include "weft/tests/process.h"

namespace weft::test {

std::string why_no_ptxas(double version) {
  static const std::string text = run_command("ptxas --version || /usr/local/cuda/bin/ptxas --version").out;
  std::smatch found;
  if (!std::regex_search(text, found, std::regex("release ([0-9]+\\.[0-9]+)"))) return "no ptxas is installed";
  if (std::stod(found[1]) < version) return "ptxas is of release " + found[1].str() + ", older than needed";
  return "";
}

namespace {

/// One process for all: the texts become one, with one header, and a prefix tells apart the names of each.
Ran run_ptxas(const std::vector<std::string>& texts, const std::string& arch) {
  std::ostringstream all;
  for (size_t i = 0; i < texts.size(); ++i) {
    std::istringstream lines(texts[i]);
    for (std::string line; std::getline(lines, line);) {
      const bool is_target = line.starts_with(".target");
      if (i > 0 && (is_target || line.starts_with(".version") || line.starts_with(".address_size"))) continue;
      all << (is_target ? ".target " + arch : std::regex_replace(line, std::regex("weft_"), "t" + std::to_string(i) + "_weft_")) << "\n";
    }
  }
  const TempDir dir;
  const std::string file = dir.write("all.ptx", all.str());
  return run_command("PATH=$PATH:/usr/local/cuda/bin ptxas -v --gpu-name=" + arch + " --output-file=" + (dir / "all.cubin") + " " + file);
}

}  // namespace

std::string assemble(const std::vector<std::string>& texts, const std::string& arch) {
  const Ran ran = run_ptxas(texts, arch);
  return ran.code == 0 ? "" : ran.out + ran.err + "(exit code " + std::to_string(ran.code) + ")";
}

std::vector<KernelResources> resources_of(const std::vector<std::string>& texts, const std::string& arch) {
  const Ran ran = run_ptxas(texts, arch);
  std::vector<KernelResources> all;
  std::istringstream lines(ran.out + ran.err);
  std::smatch found;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_search(line, found, std::regex("Compiling entry function '(\\w+)'"))) all.push_back({found[1]});
    if (all.empty()) continue;
    if (std::regex_search(line, found, std::regex("(\\d+) bytes stack frame, (\\d+) bytes spill stores")))
      all.back().stack_bytes = std::stoi(found[1]), all.back().spilled_bytes = std::stoi(found[2]);
    if (std::regex_search(line, found, std::regex("Used (\\d+) registers"))) all.back().registers = std::stoi(found[1]);
  }
  return all;
}

std::string on_stack(const std::vector<std::string>& texts, const std::string& arch) {
  const std::vector<KernelResources> all = resources_of(texts, arch);
  if (all.empty()) return "ptxas names no kernel: " + assemble(texts, arch);
  std::string found;
  for (const KernelResources& k : all)
    if (k.stack_bytes + k.spilled_bytes > 0)
      found += k.name + ": a stack of " + std::to_string(k.stack_bytes) + " bytes, " + std::to_string(k.spilled_bytes) + " spilled\n";
  return found;
}

}  // namespace weft::test
