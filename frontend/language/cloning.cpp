#include "weft/frontend/language/cloning.h"

#include <utility>

namespace weft::detail {
namespace {

thread_local Cloning* innermost = nullptr;

}  // namespace

Cloning::Cloning() : outer_(std::exchange(innermost, this)) {}
Cloning::~Cloning() { innermost = outer_; }

Cloning* Cloning::current() { return innermost; }

}  // namespace weft::detail
