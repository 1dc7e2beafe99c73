// What a repository is, at one of its revisions.
#include "hub/info.h"
#include "api/hf/entry_json.h"
#include "api/route.h"
#include "hub/info_fields.h"
#include "hub/object_id.h"
#include "hub/usage.h"

namespace bothy::api {
namespace {

struct Revision {
  git::Oid commit;
  int64_t time = 0;  // seconds since 1970
};

json::array Strings(const std::vector<std::string>& texts) {
  json::array list;
  for (const std::string& text : texts) list.emplace_back(text);
  return list;
}

Result<json::array> Siblings(const RepositoryFiles& files, const git::Oid& commit, bool with_blobs) {
  json::array list;
  for (const RepositoryEntry& file : TRY(ListFiles(files, commit))) {
    json::object sibling = {{"rfilename", file.path}};
    if (with_blobs) {
      sibling["size"] = file.size;
      sibling["blobId"] = file.oid.ToHex();
      if (file.pointer) {
        sibling["lfs"] = json::object{
            {"sha256", file.pointer->sha256}, {"size", file.pointer->size}, {"pointerSize", file.pointer_size}};
      }
    }
    list.push_back(std::move(sibling));
  }
  return list;
}

// Fields that are read from the database or known already.
Result<void> AddRepositoryFields(Call& call, const InfoFields& fields, json::object& info) {
  const Repository& repository = call.repository();
  const auto add = [&](InfoField field, const auto& value) {
    if (fields.Has(field)) info[InfoFieldName(field)] = json::value(value);
  };
  add(InfoField::kAuthor, repository.owner);
  add(InfoField::kPrivate, repository.is_private);
  add(InfoField::kGated, GatedJson(repository.gating));
  add(InfoField::kDisabled, repository.disabled);
  add(InfoField::kCreatedAt, FormatTime(repository.created_at));
  // Nobody counts them yet: clients read numbers.
  add(InfoField::kDownloads, 0);
  add(InfoField::kDownloadsAllTime, 0);
  add(InfoField::kLikes, 0);
  add(InfoField::kTrendingScore, 0);
  add(InfoField::kSpaces, json::array());
  add(InfoField::kXetEnabled, true);
  if (fields.Has(InfoField::kUsedStorage)) {
    info[InfoFieldName(InfoField::kUsedStorage)] = TRY(UsageOf(call.hub().database(), repository)).bytes();
  }
  return {};
}

// Fields that follow from the files of the revision.
Result<void> AddFacts(Call& call, const RepositoryFiles& files, const git::Oid& commit, const InfoFields& fields,
                      json::object& info) {
  const RevisionFacts facts = TRY(ReadRevisionFacts(call.hub().database(), files, call.repository().kind, commit));
  const auto add = [&](InfoField field, const auto& value) {
    if (fields.Has(field)) info[InfoFieldName(field)] = json::value(value);
  };
  const auto add_text = [&](InfoField field, const std::optional<std::string>& text) {
    if (text) add(field, *text);
  };
  const auto add_object = [&](InfoField field, const json::object& object) {
    if (!object.empty()) add(field, object);
  };
  add(InfoField::kTags, Strings(facts.tags));
  add_text(InfoField::kPipelineTag, facts.pipeline_tag);
  add_text(InfoField::kLibraryName, facts.library_name);
  add_text(InfoField::kMaskToken, facts.mask_token);
  add_object(InfoField::kCardData, facts.card_data);
  add_object(InfoField::kConfig, facts.config);
  add_object(InfoField::kTransformersInfo, facts.transformers_info);
  if (facts.gguf) add(InfoField::kGguf, *facts.gguf);
  if (const json::value* index = facts.card_data.if_contains("model-index")) add(InfoField::kModelIndex, *index);
  if (const json::value* sdk = facts.card_data.if_contains("sdk")) add(InfoField::kSdk, *sdk);
  if (call.repository().kind == RepositoryKind::kDataset) add(InfoField::kDescription, facts.card_text);
  if (facts.safetensors) {
    json::object parameters;
    for (const auto& [type, count] : facts.safetensors->parameters) parameters[type] = count;
    add(InfoField::kSafetensors,
        json::object{{"parameters", std::move(parameters)}, {"total", facts.safetensors->total}});
  }
  return {};
}

Result<Response> GetInfo(Call& call) {
  const Repository& repository = call.repository();
  std::vector<std::string> names;
  for (const std::string_view key : {"expand", "expand[]"}) {
    for (const std::string_view name : call.query.FindAll(key)) names.emplace_back(name);
  }
  const InfoFields fields =
      names.empty() ? InfoFields::Usual(repository.kind) : TRY(InfoFields::Parse(repository.kind, names));
  const std::string& asked = call.Parameter("revision");
  const RepositoryFiles files = TRY(call.Files());
  const git::Oid commit = OR_REFUSE(kRevisionNotFound, files.Resolve(asked.empty() ? "HEAD" : asked));

  json::object info = {{"_id", ObjectId(repository.id)}, {"id", repository.FullName()}};
  if (repository.kind == RepositoryKind::kModel) info["modelId"] = repository.FullName();
  TRY(AddRepositoryFields(call, fields, info));
  if (fields.Has(InfoField::kSha)) info["sha"] = commit.ToHex();
  if (fields.Has(InfoField::kLastModified)) {
    info["lastModified"] = FormatTime(TRY(git::ReadCommit(files.git(), commit)).committer.time);
  }
  if (fields.NeedFacts()) TRY(AddFacts(call, files, commit, fields, info));
  if (fields.Has(InfoField::kSiblings)) info["siblings"] = TRY(Siblings(files, commit, call.QueryFlag("blobs")));
  if (call.QueryFlag("securityStatus")) info["securityRepoStatus"] = json::object{{"scansDone", false}};
  return Json(info);
}

// Ids of one name are those of huggingface.co's first models: no repository here has one.
Result<Response> NoSuchName(Call& call) { return Refuse(Verdict::kNotFound, call.Parameter("name"), ""); }

}  // namespace
}  // namespace bothy::api

BOTHY_ROUTES(info)(Routes& routes) {
  routes.Repository(Method::kGet, "", Right::kSee, GetInfo);
  routes.Repository(Method::kGet, "/revision/{revision}", Right::kSee, GetInfo);
  for (const RepositoryKind kind : kRepositoryKinds) {
    routes.Add(Method::kGet, "/api/" + std::string(KindPlural(kind)) + "/{name}", Right::kBrowse, NoSuchName);
  }
}
