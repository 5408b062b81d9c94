// The tensor language against PyTorch: values, gradients and second derivatives. See tests/expected/language.py.

#include "weft/tests/frontend/language_case.h"

using namespace weft;
using testing::language_calls;

TEST_CASE("the language is PyTorch's, by the reference in f64") {
  testing::check_cases("language", language_calls(), Target::reference(), f64, 1e-10);
}
TEST_CASE("the language is PyTorch's, by kernels in f64") { testing::check_cases("language", language_calls(), Target::cpu(), f64, 1e-10); }
TEST_CASE("the language is PyTorch's, by kernels in f32") { testing::check_cases("language", language_calls(), Target::cpu(), f32, 1e-5); }
TEST_CASE("every call of the language has a stored case, and the other way round") { testing::check_names("language", language_calls()); }
