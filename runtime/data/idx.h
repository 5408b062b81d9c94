#pragma once
// The IDX format of MNIST and its relatives (http://yann.lecun.com/exdb/mnist): two zero bytes, an element
// type, a rank, big-endian extents, big-endian elements. A file may be gzip-compressed; its content tells,
// not its name.

#include <string>

#include "weft/runtime/array.h"
#include "weft/runtime/data/dataset.h"

namespace weft {

/// Reads one IDX file. Its element types are u8, i8, i16, i32, f32 and f64.
/// Throws weft::Error naming the file and the byte offset (in the uncompressed content) when the file cannot
/// be read, is no IDX file, is shorter or longer than its header says, is a damaged gzip stream or one with other
/// bytes behind it, or takes more memory than the machine has.
Array read_idx(const std::string& path);

/// Images and labels of one split, in the shapes of the files and the types of Dataset::from: inputs [N, ...]
/// (divisor 255 if u8), targets i64 [N], classes named by their numbers. Throws weft::Error as read_idx does
/// and when the counts differ.
Dataset read_idx_pair(const std::string& images_path, const std::string& labels_path);

/// {train,t10k}-images-idx3-ubyte and -labels-idx1-ubyte in `directory`, each plain or with .gz (plain is
/// preferred). Inputs are u8 [N, 1, height, width]. Throws weft::Error listing what was looked for when one
/// is missing.
Dataset load_idx_directory(const std::string& directory, bool train);

}  // namespace weft
