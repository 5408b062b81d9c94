#pragma once
// What the lessons that classify images do around the training.

#include <cstdio>
#include <string>

#include "options.h"

struct Images {
  weft::Dataset train, test;
};

/// How many examples a program draws to train on: of `all`, no more than --overfit uses.
int64_t drawn(int64_t all, const Options& o);

/// From a directory of IDX files (--data), or digits drawn by the program; says which.
Images load_images(const Options& o, std::FILE* say = stdout);

/// The one that --optimizer names.
weft::optim::Optimizer optimizer_for(const Options& o);

// Of several nets, each has a name, which stands in what is printed and in the names of files.

/// Looks for a learning rate and sets the optimizer to it (--find-lr), with a picture where there are plots.
void find_lr(weft::Trainer& trainer, const weft::Dataset& train, const weft::optim::Optimizer& optimizer, const Options& o,
             const std::string& name = "");

/// Prints what came of the training, and the profile if asked for.
void report(const weft::History& history, const Options& o, const std::string& name = "");

/// The gradients' norms over steps, into a file; nothing when a training that went on from its end made no step.
void draw_gradients(const weft::History& history, const std::string& path);

/// Loss over epochs and the gradients' norms over steps, into a directory.
void draw_losses(const weft::History& history, const std::string& directory);

/// What the net takes the first 64 of `images` for: "3", or "3 (is 5)".
std::vector<std::string> predictions(weft::nn::Module& net, const weft::Dataset& images, const Options& o);

/// Loss and accuracy over epochs, the gradients' norms over steps and the first 64 of `images`, into a directory. Above each image
/// stands its caption, or its class where there are none.
void draw(const weft::History& history, const weft::Dataset& images, const std::string& directory,
          const std::vector<std::string>& captions = {});
