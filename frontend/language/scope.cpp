#include "weft/frontend/language/scope.h"

#include <mutex>
#include <unordered_map>
#include <vector>

namespace weft::detail {
namespace {

struct Frame {
  std::string path;
  Scope::Code code;
  std::source_location call;
  std::shared_ptr<Recording> recording;
};

thread_local std::vector<Frame> frames;

/// Of the files with absolute names, by their last parts; the last one of a name.
struct Paths {
  std::mutex mutex;
  std::unordered_map<std::string, std::string> of;
};
Paths& paths() {
  static Paths all;
  return all;
}

std::string file_of(std::source_location at) {
  const std::string_view path = at.file_name();
  if (!path.starts_with('/')) return std::string(path);
  const std::string file(path.substr(path.rfind('/') + 1));
  const std::lock_guard lock(paths().mutex);
  std::string& known = paths().of[file];
  if (known != path) known = path;
  return file;
}

}  // namespace

Scope::Scope(std::string_view name, Code code, std::source_location call, std::shared_ptr<Recording> recording) {
  std::string path = Scope::path();
  if (!path.empty() && !name.empty()) path += ".";
  path += name;
  if (!recording) recording = Scope::recording();
  frames.push_back({std::move(path), code, call_site(call), std::move(recording)});
}

Scope::~Scope() { frames.pop_back(); }

std::source_location Scope::call_site(std::source_location at) {
  return !frames.empty() && frames.back().code == Code::library ? frames.back().call : at;
}

ir::Location Scope::locate(std::source_location at) {
  const std::source_location line = call_site(at);
  return {file_of(line), static_cast<int>(line.line()), path()};
}

std::source_location Scope::innermost_call() { return frames.empty() ? std::source_location() : frames.back().call; }

std::string Scope::path() { return frames.empty() ? "" : frames.back().path; }

std::shared_ptr<Recording> Scope::recording() { return frames.empty() ? nullptr : frames.back().recording; }

std::string source_path(const std::string& file) {
  const std::lock_guard lock(paths().mutex);
  const auto known = paths().of.find(file);
  return known == paths().of.end() ? file : known->second;
}

std::string line_text(std::source_location at) { return to_string(Scope::locate(at)); }

}  // namespace weft::detail
