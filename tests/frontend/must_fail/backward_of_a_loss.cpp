// A loss has no backward(). With WEFT_MUST_FAIL this must not compile, and the message must say what there is.
// expect: training_step(graph, loss, net.parameters(), optimizer) adds gradients
#include <weft/weft.h>

void train(weft::Graph& graph, weft::Tensor loss, weft::nn::Linear net, weft::optim::Adam adam) {
#ifdef WEFT_MUST_FAIL
  (void)graph, (void)net, (void)adam;
  loss.backward();
#else
  training_step(graph, loss, net.parameters(), adam);
#endif
}
