// The same for what works on graphs.
#include "precompiled_standard.h"
#include "weft/ir/builder.h"
#include "weft/ir/module.h"
