#include "hub/info_fields.h"

#include <algorithm>
#include <optional>

namespace bothy {
namespace {

using enum InfoField;

constexpr std::array<std::string_view, kInfoFields> kNames = {"author",
                                                              "baseModels",
                                                              "cardData",
                                                              "childrenModelCount",
                                                              "citation",
                                                              "config",
                                                              "createdAt",
                                                              "datasets",
                                                              "description",
                                                              "disabled",
                                                              "downloads",
                                                              "downloadsAllTime",
                                                              "evalResults",
                                                              "gated",
                                                              "gguf",
                                                              "inference",
                                                              "inferenceProviderMapping",
                                                              "lastModified",
                                                              "library_name",
                                                              "likes",
                                                              "mainSize",
                                                              "mask_token",
                                                              "model-index",
                                                              "models",
                                                              "paperswithcode_id",
                                                              "pipeline_tag",
                                                              "private",
                                                              "region",
                                                              "resourceGroup",
                                                              "runtime",
                                                              "safetensors",
                                                              "sdk",
                                                              "sha",
                                                              "siblings",
                                                              "spaces",
                                                              "subdomain",
                                                              "tags",
                                                              "transformersInfo",
                                                              "trendingScore",
                                                              "usedStorage",
                                                              "widgetData",
                                                              "xetEnabled"};

// huggingface_hub 2.4.0, ExpandModelProperty_T and its sisters.
constexpr InfoField kModelFields[] = {kAuthor,
                                      kBaseModels,
                                      kCardData,
                                      kChildrenModelCount,
                                      kConfig,
                                      kCreatedAt,
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
                                      kMaskToken,
                                      kModelIndex,
                                      kPipelineTag,
                                      kPrivate,
                                      kResourceGroup,
                                      kSafetensors,
                                      kSha,
                                      kSiblings,
                                      kSpaces,
                                      kTags,
                                      kTransformersInfo,
                                      kTrendingScore,
                                      kUsedStorage,
                                      kWidgetData};
constexpr InfoField kDatasetFields[] = {
    kAuthor,           kCardData, kCitation,     kCreatedAt, kDescription,   kDisabled,         kDownloads,
    kDownloadsAllTime, kGated,    kLastModified, kLikes,     kMainSize,      kPapersWithCodeId, kPrivate,
    kResourceGroup,    kSha,      kSiblings,     kTags,      kTrendingScore, kUsedStorage};
constexpr InfoField kSpaceFields[] = {kAuthor,        kCardData, kCreatedAt,     kDatasets,   kDisabled,
                                      kLastModified,  kLikes,    kModels,        kPrivate,    kRegion,
                                      kResourceGroup, kRuntime,  kSdk,           kSha,        kSiblings,
                                      kSubdomain,     kTags,     kTrendingScore, kUsedStorage};
// Those that take the server the most, or that it knows nothing of, come only when they are asked for.
constexpr InfoField kOnRequest[] = {
    kBaseModels, kChildrenModelCount, kDownloadsAllTime, kEvalResults, kInference, kInferenceProviderMapping, kMainSize,
    kRegion,     kResourceGroup,      kTrendingScore};
constexpr InfoField kFromFacts[] = {kBaseModels, kCardData,         kConfig,      kDescription,     kCitation,
                                    kDatasets,   kEvalResults,      kGguf,        kLibraryName,     kMaskToken,
                                    kModelIndex, kModels,           kPipelineTag, kSafetensors,     kSdk,
                                    kTags,       kTransformersInfo, kWidgetData,  kPapersWithCodeId};

}  // namespace

std::string_view InfoFieldName(InfoField field) { return kNames[static_cast<size_t>(field)]; }

std::span<const InfoField> FieldsOf(RepositoryKind kind) {
  switch (kind) {
    case RepositoryKind::kModel:
    case RepositoryKind::kKernel: return kModelFields;
    case RepositoryKind::kDataset: return kDatasetFields;
    case RepositoryKind::kSpace: return kSpaceFields;
  }
  return {};
}

Result<InfoFields> InfoFields::Parse(RepositoryKind kind, std::span<const std::string> names) {
  InfoFields fields;
  const auto allowed = FieldsOf(kind);
  for (const std::string& name : names) {
    if (name == InfoFieldName(kXetEnabled)) {  // of huggingface_hub 0.36, and in no list of today's
      fields.fields_.set(static_cast<size_t>(kXetEnabled));
      continue;
    }
    const auto field =
        std::find_if(allowed.begin(), allowed.end(), [&](InfoField one) { return InfoFieldName(one) == name; });
    if (field == allowed.end()) {
      std::string all;
      for (const InfoField one : allowed) (all += all.empty() ? "" : ", ") += InfoFieldName(one);
      return Fail(ErrorCode::kInvalidArgument, "\"expand\" must be one of [{}]", all);
    }
    fields.fields_.set(static_cast<size_t>(*field));
  }
  return fields;
}

InfoFields InfoFields::Usual(RepositoryKind kind) {
  InfoFields fields;
  for (const InfoField field : FieldsOf(kind)) fields.fields_.set(static_cast<size_t>(field));
  for (const InfoField field : kOnRequest) fields.fields_.reset(static_cast<size_t>(field));
  return fields;
}

bool InfoFields::NeedFacts() const {
  return std::any_of(std::begin(kFromFacts), std::end(kFromFacts), [&](InfoField field) { return Has(field); });
}

}  // namespace bothy
