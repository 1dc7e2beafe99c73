// The fields of a repository's information that a client may ask for one by one (?expand=...).
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "hub/repository_kind.h"

namespace bothy {

enum class InfoField : uint8_t {
  kAuthor,
  kBaseModels,
  kCardData,
  kChildrenModelCount,
  kCitation,
  kConfig,
  kCreatedAt,
  kDatasets,
  kDescription,
  kDisabled,
  kDownloads,
  kDownloadsAllTime,
  kEvalResults,
  kGated,
  kGguf,
  kInference,
  kInferenceProviderMapping,
  kLastModified,
  kLibraryName,
  kLikes,
  kMainSize,
  kMaskToken,
  kModelIndex,
  kModels,
  kPapersWithCodeId,
  kPipelineTag,
  kPrivate,
  kRegion,
  kResourceGroup,
  kRuntime,
  kSafetensors,
  kSdk,
  kSha,
  kSiblings,
  kSpaces,
  kSubdomain,
  kTags,
  kTransformersInfo,
  kTrendingScore,
  kUsedStorage,
  kWidgetData,
  kXetEnabled,
};
inline constexpr size_t kInfoFields = static_cast<size_t>(InfoField::kXetEnabled) + 1;

std::string_view InfoFieldName(InfoField field);  // as clients spell it: "model-index", "library_name"

class InfoFields {
 public:
  // kInvalidArgument, in the words that clients look for, where a name is no field of that kind of repository.
  static Result<InfoFields> Parse(RepositoryKind kind, std::span<const std::string> names);
  // What is given to who asks for none in particular.
  static InfoFields Usual(RepositoryKind kind);

  bool Has(InfoField field) const { return fields_[static_cast<size_t>(field)]; }
  // Whether files other than the commit have to be read for them.
  bool NeedFacts() const;

 private:
  std::bitset<kInfoFields> fields_;
};

// In the order in which clients list them.
std::span<const InfoField> FieldsOf(RepositoryKind kind);

}  // namespace bothy
