#pragma once
// Metrics of classes, to hand to a Trainer: Trainer::metric, Measured.
//
// Scores are [N, C, ...] with classes along axis 1, as the losses take them, and targets i64 class indices [N, ...]; targets outside of
// 0 .. C-1 (ignored ones) do not count. Of two classes scores may have the targets' shape: the class is 1 where a score is positive,
// as the logits of binary_cross_entropy_with_logits are, and targets are 0 or 1, of any type. Each throws weft::Error naming the
// shapes and the line when these do not fit.

#include <string>
#include <string_view>
#include <vector>

#include "weft/frontend/training/history.h"
#include "weft/frontend/training/metric.h"

namespace weft::metrics {

/// The fraction of targets that have the largest score.
Metric accuracy(Arg scores, Arg target);

/// The fraction of targets for which fewer than k classes have larger scores: sklearn's top_k_accuracy_score, torchmetrics'
/// MulticlassAccuracy with top_k and "micro". Not of scores that have the targets' shape.
Metric top_k_accuracy(Arg scores, Arg target, int64_t k);

struct AverageOverClasses {
  /// "macro": the mean over the classes that occur, in targets or predictions; "weighted": each as often as the targets have it;
  /// "micro": of all classes together; "none": a number of each class, "recall.0", "recall.1" of a metric called "recall", nan where the
  /// class does not occur. Of two classes by one score: of class 1 alone.
  std::string average = "macro";
  /// Their names for "none", "recall.cat" then; empty: their numbers.
  std::vector<std::string> classes = {};
};

/// tp / (tp + fp), of what is predicted the part that is right: sklearn.metrics.precision_score; 0 for a class that is never predicted,
/// and nan where nothing occurs, as below.
Metric precision(Arg scores, Arg target, AverageOverClasses options = {});

/// tp / (tp + fn), the part of a class that is found: sklearn.metrics.recall_score; 0 for a class that is predicted and no target.
Metric recall(Arg scores, Arg target, AverageOverClasses options = {});

/// 2 tp / (2 tp + fp + fn): sklearn.metrics.f1_score. nan where nothing occurs.
Metric f1_score(Arg scores, Arg target, AverageOverClasses options = {});

/// Intersection over union, tp / (tp + fp + fn): sklearn.metrics.jaccard_score, the mean IoU of segmentation. nan where nothing occurs.
Metric iou(Arg scores, Arg target, AverageOverClasses options = {});

struct ConfusionMatrix {
  /// "none": counts; "true": fractions of each target's row; "pred": of each prediction's column; "all": of all. nan where there are none.
  std::string normalize = "none";
  /// Names of the classes; empty: their numbers.
  std::vector<std::string> classes = {};
};

/// How often each class is predicted for each: sklearn.metrics.confusion_matrix. Of a metric called "confusion" the number "confusion.1.0" is
/// of targets 1 for which 0 is predicted, row by row; numbers_of() gives them all. Two classes by one score are 0 and 1.
Metric confusion_matrix(Arg scores, Arg target, ConfusionMatrix options = {});

/// The numbers of a metric of several, in their order: of a confusion matrix row by row. Throws weft::Error when there are none.
std::vector<double> numbers_of(const NamedNumbers& all, std::string_view metric);

/// The area under the receiver operating characteristic, sklearn.metrics.roc_auc_score: how likely a sample of class 1 has a larger
/// score than one of class 0, equal ones counting half. Scores have the targets' shape. Exact: all scores of an epoch are kept. nan
/// where a class does not occur, or a score is nan.
Metric auc(Arg scores, Arg target);

/// exp of the mean cross entropy of the targets.
Metric perplexity(Arg scores, Arg target);

}  // namespace weft::metrics
