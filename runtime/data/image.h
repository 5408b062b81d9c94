#pragma once
// Pictures from files: PNG and JPEG (torchvision.io.read_image).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "weft/runtime/array.h"
#include "weft/runtime/data/dataset.h"

namespace weft {

/// What a picture becomes, whatever it is in its file. Transparency is dropped.
enum class ImageMode { rgb, gray };

/// u8 [3 or 1, height, width]. Of 16 bits a sample the upper 8 stay. Gray from colours is 0.299 R + 0.587 G + 0.114 B; CMYK becomes RGB.
/// A picture is not turned as EXIF would have it. Throws weft::Error naming the file and about which byte where it is neither PNG nor
/// JPEG, damaged or cut short, and where it has more than 178,956,970 pixels, Pillow's limit.
Array read_image(const std::string& path, ImageMode mode = ImageMode::rgb);

/// The same of a file's bytes; `name` is what messages call it.
Array decode_image(std::span<const std::byte> bytes, ImageMode mode = ImageMode::rgb, const std::string& name = "image");

/// torchvision.datasets.ImageFolder: each folder in `root` is a class, in the order of their names, and has its pictures (.png, .jpg,
/// .jpeg) in it or in folders below, in the order of their paths. They are read and decoded on the batcher's workers when a batch wants
/// them; the divisor is 255. Transforms must make one shape of pictures of several. Throws weft::Error for a root without folders, a
/// class without pictures, and for files that ImageFolder would read and weft cannot (.bmp, .webp, ...); other files count for nothing.
///
///   Dataset train = image_folder("flowers/train");
///   train.transforms = {transforms::random_resized_crop(224, 224), transforms::random_horizontal_flip()};
Dataset image_folder(const std::string& root, ImageMode mode = ImageMode::rgb);

}  // namespace weft
