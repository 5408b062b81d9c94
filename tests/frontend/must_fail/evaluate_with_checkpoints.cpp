// Evaluating writes no checkpoint and reads none. With WEFT_MUST_FAIL it is handed a rule for them, which must not compile.
// expect: checkpoints
#include <weft/weft.h>

weft::Evaluation measured(weft::Trainer& trainer, const weft::Dataset& data) {
#ifdef WEFT_MUST_FAIL
  return trainer.evaluate(data, weft::EvaluateOptions{.batch = 64, .checkpoints = {.path = "run.safetensors"}});
#else
  return trainer.evaluate(data, weft::EvaluateOptions{.batch = 64});
#endif
}
