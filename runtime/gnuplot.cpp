#include "weft/runtime/gnuplot.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "weft/runtime/columns.h"
#include "weft/runtime/replace_file.h"
#include "weft/support/error.h"
#include "weft/support/shell.h"

namespace weft::detail {
namespace {

/// Nothing that a program takes for an option, or gnuplot for a home directory (~) or a command to write to (|).
std::string file_argument(const std::string& path) { return path.starts_with('/') ? path : "./" + path; }

std::string terminal(const std::string& path) {
  if (path.ends_with(".svg")) return "svg";
  if (path.ends_with(".png")) return "pngcairo";
  throw Error("cannot draw '{}': the name of a picture ends in .svg or .png", path);
}

void write_script(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) throw Error(ErrorKind::file, "cannot write '{}': {}", path, std::strerror(errno));
}

/// What the shell command wrote, and its exit code.
std::pair<std::string, int> run(const std::string& command) {
  std::FILE* pipe = popen(command.c_str(), "r");
  if (!pipe) throw Error("cannot run a program: {}", std::strerror(errno));
  std::string said;
  char buffer[512];
  while (const size_t got = std::fread(buffer, 1, sizeof buffer, pipe)) said.append(buffer, got);
  const int status = pclose(pipe);
  return {said, WIFEXITED(status) ? WEXITSTATUS(status) : -1};
}

}  // namespace

std::string gnuplot_quoted(std::string_view bytes) {
  std::string result = "\"";
  for (const char c : bytes) {
    const auto code = static_cast<unsigned char>(c);
    // A backquote would run a command.
    if (c == '"' || c == '\\' || c == '`' || code < 0x20 || code == 0x7f) result += fmt::format("\\{:03o}", code);
    else result += c;
  }
  return result + "\"";
}

std::string gnuplot_text(std::string_view text) {
  std::string clean = one_line(text);
  // gnuplot leaves this in SVG as it is, where XML forbids it.
  for (size_t at; (at = clean.find("]]>")) != std::string::npos;) clean.insert(at + 2, " ");
  return gnuplot_quoted(clean);
}

void run_gnuplot(const std::string& path, int width, int height, const std::string& script) {
  for (const std::string& file : {path, path + ".gp"})
    if (std::error_code code; std::filesystem::is_directory(file, code)) throw Error("cannot draw '{}': '{}' is a folder", path, file);
  // Under its last name from the start, so that a script left behind draws what it should.
  const std::string head = fmt::format("set terminal {} size {},{} noenhanced background rgb 'white' font 'sans,12'\nset encoding utf8\n",
                                       terminal(path), width, height);
  const std::string script_path = path + ".gp";
  write_script(script_path, head + "set output " + gnuplot_quoted(file_argument(path)) + "\n" + script);
  std::remove(link_target(path).c_str());  // a link to it stays
  const auto [said, code] = run("gnuplot " + shell_quoted(file_argument(script_path)) + " 2>&1");
  constexpr int not_found = 127;
  if (code == not_found) {
    fmt::print(stderr, "gnuplot is not installed: wrote '{}' in place of the picture; `gnuplot {}` draws it\n", script_path, script_path);
    return;
  }
  if (code != 0 || access(path.c_str(), R_OK) != 0)
    throw Error(ErrorKind::file, "gnuplot cannot draw '{}': {}; its script is '{}'", path, said, script_path);
  std::remove(script_path.c_str());
}

}  // namespace weft::detail
