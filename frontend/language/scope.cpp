#include "weft/frontend/language/scope.h"

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

std::string file_of(std::source_location at) {
  const std::string file = at.file_name();
  return file.starts_with('/') ? file.substr(file.rfind('/') + 1) : file;
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

std::string line_text(std::source_location at) { return to_string(Scope::locate(at)); }

}  // namespace weft::detail
