#pragma once
// The binary version of CIFAR-10 (https://www.cs.toronto.edu/~kriz/cifar.html): records of one label and 3 x 32 x 32 pixels.

#include <string>
#include <vector>

#include "weft/runtime/data/dataset.h"

namespace weft {

/// The records of the files, one file after the other: inputs u8 [N, 3, 32, 32] (red, green, blue; divisor 255), targets
/// i64 [N], classes named as the data set's authors do. Throws weft::Error naming the file when it cannot be read or is
/// empty, with the byte offset when it ends within a record, and with the record when its label is not 0 .. 9.
Dataset read_cifar10(const std::vector<std::string>& paths);

/// data_batch_1.bin ... data_batch_5.bin (50,000 images), or test_batch.bin (10,000), in `directory`. Throws weft::Error
/// listing what is missing, and as read_cifar10 does.
Dataset load_cifar10_directory(const std::string& directory, bool train);

}  // namespace weft
