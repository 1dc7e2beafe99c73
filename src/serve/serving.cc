#include "serve/serving.h"

#include "client/hub_cache.h"
#include "hub/files.h"
#include "hub/rights.h"
#include "serve/revision_folder.h"

namespace bothy::serve {
namespace {

// What clients send that must name a model and have none in mind: "tgi" is Text Generation Inference's own name,
// "dummy" InferenceClient's (huggingface_hub 2.4).
bool IsPlaceholder(std::string_view name) {
  return name.empty() || name == "tgi" || name == "dummy" || name == "default" || name == "-";
}

tl::unexpected<Error> Unknown(std::string_view name) {
  return Fail(ErrorCode::kNotFound, "the model \"{}\" does not exist, or you do not have access to it", name);
}

}  // namespace

Serving::Serving(Hub& hub, Options options)
    : hub_(hub), default_model_(std::move(options.default_model)), pool_(std::move(options.pool)) {}

Result<void> Serving::AddLocal(const std::string& name, const std::filesystem::path& path) {
  if (!local_.emplace(name, path).second) {
    return Fail(ErrorCode::kAlreadyExists, "two models would be called {}: name one of them with --alias", name);
  }
  return {};
}

std::vector<std::string> Serving::LocalNames() const {
  std::vector<std::string> names;
  for (const auto& [name, path] : local_) names.push_back(name);
  return names;
}

Result<Serving::Found> Serving::Find(const Actor& actor, std::string_view name) const {
  std::string wanted(name);
  if (IsPlaceholder(name) && !local_.contains(name)) {
    wanted = default_model_.empty() && local_.size() == 1 ? local_.begin()->first : default_model_;
    if (wanted.empty()) {
      return Fail(ErrorCode::kInvalidArgument,
                  "model: expected the name of a model, and there is no default_model in the configuration");
    }
  }
  if (const auto local = local_.find(wanted); local != local_.end()) {
    return Found{wanted,
                 {.key = wanted, .model = wanted, .open = [path = local->second] { return OpenModelFiles(path); }}};
  }
  return FindInHub(actor, wanted);
}

Result<Serving::Found> Serving::FindInHub(const Actor& actor, const std::string& name) const {
  const auto parsed = ParseHubName(name);
  const size_t slash = parsed ? parsed->id.find('/') : std::string::npos;
  if (!parsed || parsed->type != "models" || slash == std::string::npos) return Unknown(name);
  const auto found = TRY(hub_.repositories().Find(actor, RepositoryKind::kModel, parsed->id.substr(0, slash),
                                                  parsed->id.substr(slash + 1)));
  if (!found || Decide(actor, Right::kSee, found->facts) != Verdict::kAllowed) return Unknown(name);
  switch (Decide(actor, Right::kReadContent, found->facts)) {
    case Verdict::kAllowed: break;
    case Verdict::kNotFound: return Unknown(name);
    case Verdict::kUnauthenticated:
      return Fail(ErrorCode::kUnauthenticated, "the model \"{}\" is gated: log in and ask for access to it", name);
    default: return Fail(ErrorCode::kPermissionDenied, "you have no access to the files of the model \"{}\"", name);
  }
  auto files = std::make_shared<const RepositoryFiles>(
      TRY(RepositoryFiles::Open(hub_.repositories(), found->repository, hub_.large_content())));
  const std::string revision = parsed->revision.empty() ? "main" : parsed->revision;
  auto commit = files->Resolve(revision);
  if (!commit && commit.error().code == ErrorCode::kNotFound) {
    return Fail(ErrorCode::kNotFound, "the model \"{}\" has no revision \"{}\"", found->repository.FullName(),
                revision);
  }
  const git::Oid oid = TRY(std::move(commit));
  const std::string full = found->repository.FullName();
  const std::string file = parsed->file.empty() ? "" : ":" + parsed->file;
  return Found{name,
               {.key = full + "@" + oid.ToHex() + file,
                .model = full + (parsed->revision.empty() ? "" : "@" + parsed->revision) + file,
                .open = [files, oid, wanted = parsed->file, full] { return OpenRevision(files, oid, wanted, full); }}};
}

}  // namespace bothy::serve
