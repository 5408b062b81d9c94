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

std::string assemble(const std::vector<std::string>& texts, const std::string& arch) {
  // One process for all: the texts become one, with one header, and a prefix tells apart the names of each.
  std::ostringstream all;
  for (size_t i = 0; i < texts.size(); ++i) {
    std::istringstream lines(texts[i]);
    for (std::string line; std::getline(lines, line);) {
      const bool is_header = line.starts_with(".version") || line.starts_with(".target") || line.starts_with(".address_size");
      if (is_header && i > 0) continue;
      all << std::regex_replace(line, std::regex("weft_"), "t" + std::to_string(i) + "_weft_") << "\n";
    }
  }
  const TempDir dir;
  const std::string file = dir.write("all.ptx", all.str());
  const Ran ran =
      run_command("PATH=$PATH:/usr/local/cuda/bin ptxas --gpu-name=" + arch + " --output-file=" + (dir / "all.cubin") + " " + file);
  return ran.code == 0 ? "" : ran.out + ran.err + "(exit code " + std::to_string(ran.code) + ")";
}

}  // namespace weft::test
