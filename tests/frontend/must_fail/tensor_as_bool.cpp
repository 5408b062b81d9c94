// A symbolic tensor has no truth value. With WEFT_MUST_FAIL this must not compile, and the message must say why.
// expect: a weft::Tensor has no value while the graph is recorded
#include <weft/weft.h>

weft::Tensor larger(weft::Tensor a, weft::Tensor b) {
#ifdef WEFT_MUST_FAIL
  if (a > b) return a;
  return b;
#else
  return select(a > b, a, b);
#endif
}
