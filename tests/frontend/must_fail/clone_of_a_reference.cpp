// A clone is of the module's own type. With WEFT_MUST_FAIL one is made of a Module&, whose type nobody knows, which must not compile.
// expect: clone() takes a module that can be copied, by its own type

#include "weft/weft.h"

int main() {
  weft::nn::Linear layer(2, 2);
#ifdef WEFT_MUST_FAIL
  const weft::nn::Module& module = layer;
#else
  const weft::nn::Linear& module = layer;
#endif
  weft::nn::clone(module);
}
