// A symbolic tensor has no value. With WEFT_MUST_FAIL this must not compile, and the message must say where there is one.
// expect: then step(...)["name"].item() once a step has run
#include <weft/weft.h>

double number(weft::Graph& graph, weft::Tensor x, weft::Step step) {
#ifdef WEFT_MUST_FAIL
  (void)graph, (void)step;
  return x.item();
#else
  graph.output("x", x);
  return step()["x"].item();
#endif
}
