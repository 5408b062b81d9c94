#pragma once
// With gnuplot, and as if there were none.

#include <cstdlib>
#include <string>

#include "weft/runtime/plot.h"
#include "weft/support/error.h"
#include "weft/tests/catch.h"
#include "weft/tests/runtime/temp_files.h"

namespace weft::test {

/// Says so where there is none.
inline bool has_gnuplot() {
  if (std::system("gnuplot --version > /dev/null 2>&1") == 0) return true;
  WARN("skipped: no gnuplot");
  return false;
}

/// While it lives, `gnuplot` is what stands in an otherwise empty folder.
class OnlyIn {
 public:
  explicit OnlyIn(const std::string& folder) : before_(std::getenv("PATH")) { setenv("PATH", folder.c_str(), 1); }
  ~OnlyIn() { setenv("PATH", before_.c_str(), 1); }

 private:
  std::string before_;
};

/// The script of what `save` draws into the path that it is given, as a gnuplot that fails leaves it.
template <class Save>
std::string script_of(Save save) {
  const TempDir dir, tools;
  std::filesystem::permissions(tools.write("gnuplot", "#!/bin/sh\nexit 1\n"), std::filesystem::perms::owner_all);
  const OnlyIn path(tools.path());
  CHECK_THROWS_AS(save(dir / "picture.svg"), Error);
  return read_file(dir / "picture.svg.gp");
}

/// The SVG that gnuplot draws.
template <class Save>
std::string drawn(Save save) {
  const TempDir dir;
  save(dir / "picture.svg");
  return read_file(dir / "picture.svg");
}

}  // namespace weft::test
