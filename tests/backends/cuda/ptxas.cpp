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

Ran run_ptxas(const std::vector<std::string>& texts, const std::string& options) {
  // One process for all: the texts become one, with one header, and a prefix tells apart the names of each.
  std::ostringstream all;
  for (size_t i = 0; i < texts.size(); ++i) {
    std::istringstream lines(texts[i]);
    for (std::string line; std::getline(lines, line);) {
      const bool is_header = line.starts_with(".version") || line.starts_with(".target") || line.starts_with(".address_size");
      if (is_header && i > 0) continue;
      all << std::regex_replace(line, std::regex("weft_k"), "t" + std::to_string(i) + "_weft_k") << "\n";
    }
  }
  const TempDir dir;
  const std::string file = dir.write("all.ptx", all.str());
  return run_command("PATH=$PATH:/usr/local/cuda/bin ptxas " + options + " --output-file=" + (dir / "all.cubin") + " " + file);
}

}  // namespace

std::string assemble(const std::vector<std::string>& texts, const std::string& arch) {
  const Ran ran = run_ptxas(texts, "--gpu-name=" + arch);
  return ran.code == 0 ? "" : ran.out + ran.err + "(exit code " + std::to_string(ran.code) + ")";
}

std::string on_stack(const std::vector<std::string>& texts, const std::string& arch) {
  const Ran ran = run_ptxas(texts, "--verbose --gpu-name=" + arch);
  if (ran.code != 0) return ran.out + ran.err;
  std::istringstream lines(ran.out + ran.err);
  std::string function, found;
  size_t kernels = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("Compiling entry function") != std::string::npos) function = line;
    if (line.find("bytes stack frame") == std::string::npos) continue;
    ++kernels;
    if (line.find(" 0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads") == std::string::npos)
      found += function + ": " + line + "\n";
  }
  return kernels > 0 ? found : "ptxas names no kernel: " + ran.out + ran.err;
}

}  // namespace weft::test
