#include "weft/frontend/training/callback.h"

#include "weft/support/error.h"

namespace weft {

const Evaluation& TrainingState::evaluation() const {
  if (!now_.evaluation)
    throw Error("nothing was evaluated").of("TrainingState::evaluation").hint("it is there in Trainer::after_evaluation");
  return *now_.evaluation;
}

}  // namespace weft
