#pragma once
// The text of an error, where several things are asked of it.

#include <string>

#include "weft/support/error.h"

namespace weft::test {

/// What it throws, or "".
template <class Do>
std::string error_of(Do what) {
  try {
    what();
    return "";
  } catch (const Error& e) {
    return e.what();
  }
}

}  // namespace weft::test
