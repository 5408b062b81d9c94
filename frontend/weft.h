#pragma once
// Everything that a program which trains a model needs.

#include "weft/frontend/compile.h"
#include "weft/frontend/defaults.h"
#include "weft/frontend/graph.h"
#include "weft/frontend/init.h"
#include "weft/frontend/loss.h"
#include "weft/frontend/nn/nn.h"
#include "weft/frontend/ops.h"
#include "weft/frontend/optim/optim.h"
#include "weft/frontend/trainer.h"
#include "weft/runtime/data/csv.h"
#include "weft/runtime/data/dataset.h"
#include "weft/runtime/data/digits.h"
#include "weft/runtime/data/idx.h"
#include "weft/runtime/data/npy.h"
