#pragma once
// Every module of weft::nn.

#include "weft/frontend/nn/activations.h"
#include "weft/frontend/nn/attention.h"
#include "weft/frontend/nn/convolution.h"
#include "weft/frontend/nn/embedding.h"
#include "weft/frontend/nn/key_value_cache.h"
#include "weft/frontend/nn/layers.h"
#include "weft/frontend/nn/linear.h"
#include "weft/frontend/nn/module.h"
#include "weft/frontend/nn/norm.h"
#include "weft/frontend/nn/pooling.h"
#include "weft/frontend/nn/recurrent.h"
#include "weft/frontend/nn/sequential.h"
#include "weft/frontend/nn/transformer.h"
