#pragma once
// Every optimizer of weft::optim.

#include "weft/frontend/optim/adam.h"
#include "weft/frontend/optim/adaptive.h"
#include "weft/frontend/optim/custom.h"
#include "weft/frontend/optim/descent.h"
#include "weft/frontend/optim/muon.h"
#include "weft/frontend/optim/schedule.h"
#include "weft/frontend/optim/sparse.h"
#include "weft/frontend/optim/warmup.h"
