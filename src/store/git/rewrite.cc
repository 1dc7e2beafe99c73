#include "store/git/rewrite.h"

#include <array>
#include <charconv>
#include <map>
#include <optional>

#include "store/git/git_lines.h"
#include "store/git/git_process.h"

namespace bothy::git {
namespace {

// Where the new history grows beside the old one: refs of a kind that nothing else looks at, but for annotated tags,
// which git fast-import makes below refs/tags/ only.
constexpr std::string_view kRefs = "refs/";
constexpr std::string_view kTags = "refs/tags/";
constexpr std::string_view kRewritten = "refs/bothy-being-rewritten/";
constexpr std::string_view kRewrittenTags = "refs/tags/bothy-being-rewritten/";
constexpr size_t kMaxCommandBytes = 64 << 10;  // of git fast-export: a path, quoted

// The ref that one of the new history takes the place of; nothing for what is none.
std::optional<std::string> OriginalOf(std::string_view rewritten) {
  if (rewritten.starts_with(kRewritten)) return fmt::format("{}{}", kRefs, rewritten.substr(kRewritten.size()));
  if (rewritten.starts_with(kRewrittenTags)) return fmt::format("{}{}", kTags, rewritten.substr(kRewrittenTags.size()));
  return std::nullopt;
}

// Passes the output of git fast-export on. Each "M 100644 OID PATH" of an unwanted blob becomes "D PATH", and each
// "tag REF" names the tag below refs/tags/ where it is to grow.
class Filter {
 public:
  explicit Filter(const std::unordered_set<Oid>& blobs) : blobs_(blobs) {}

  Result<void> Add(std::string_view text, std::string& out) {
    while (!text.empty()) {
      if (data_left_ > 0) {
        const auto take = static_cast<size_t>(std::min<uint64_t>(data_left_, text.size()));
        out += text.substr(0, take);
        text.remove_prefix(take);
        data_left_ -= take;
        continue;
      }
      const size_t end = text.find('\n');
      line_ += text.substr(0, end);
      if (line_.size() > kMaxCommandBytes) return Fail(ErrorCode::kInternal, "git fast-export: a very long line");
      if (end == std::string_view::npos) return {};
      text.remove_prefix(end + 1);
      TRY(TakeLine(out));
      line_.clear();
    }
    return {};
  }

 private:
  Result<void> TakeLine(std::string& out) {
    constexpr std::string_view kData = "data ", kModify = "M ", kTag = "tag ";
    const std::string_view line = line_;
    if (line.starts_with(kData)) {
      const std::string_view digits = line.substr(kData.size());
      const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), data_left_);
      if (read.ec != std::errc()) return Fail(ErrorCode::kInternal, "git fast-export: data of no length");
    }
    const auto original = line.starts_with(kTag) ? OriginalOf(line.substr(kTag.size())) : std::nullopt;
    if (original && original->starts_with(kTags)) {
      (out += kTag) += kRewrittenTags.substr(kTags.size());
      out += std::string_view(*original).substr(kTags.size());
    } else if (line.starts_with(kModify) && IsUnwanted(line)) {
      (out += "D ") += PathOf(line);
    } else {
      out += line;
    }
    out += '\n';
    return {};
  }

  // "M MODE OID PATH"; the mode has six digits.
  static constexpr size_t kOidAt = 9;
  static std::string_view PathOf(std::string_view line) {
    return line.substr(std::min(line.size(), kOidAt + Oid::kHexDigits + 1));
  }
  bool IsUnwanted(std::string_view line) const {
    const auto oid = Oid::FromHex(line.substr(std::min(line.size(), kOidAt), Oid::kHexDigits));
    return oid && blobs_.contains(*oid);
  }

  const std::unordered_set<Oid>& blobs_;
  std::string line_;
  uint64_t data_left_ = 0;
};

Result<std::map<std::string, Oid>> ReadRefs(const GitRepository& repository) {
  std::map<std::string, Oid> refs;
  LineCutter lines([&](std::string_view line) -> Result<void> {
    const auto oid = Oid::FromHex(line.substr(0, Oid::kHexDigits));
    if (!oid || line.size() < Oid::kHexDigits + 2) return Fail(ErrorCode::kInternal, "git for-each-ref: {}", line);
    refs.emplace(line.substr(Oid::kHexDigits + 1), *oid);
    return {};
  });
  TRY(RunGit(repository, {"for-each-ref", "--format=%(objectname) %(refname)"}, {},
             [&](std::string_view text) { return lines.Add(text); }));
  return refs;
}

Result<void> RunWithInput(const GitRepository& repository, std::vector<std::string> arguments,
                          const Subprocess::Producer& produce) {
  const std::string what = arguments.front();
  const auto process = TRY(StartGit(repository, std::move(arguments)));
  const int status = TRY(process->Exchange(produce, [](std::string_view) -> Result<void> { return {}; }));
  if (status == 0) return {};
  return Fail(ErrorCode::kInternal, "git {} of {}: {}", what, repository.name(), process->error_output());
}

Result<void> UpdateRefs(const GitRepository& repository, const std::string& commands) {
  std::string_view rest = commands;
  return RunWithInput(repository, {"update-ref", "--stdin"},
                      [&]() -> Result<std::string_view> { return std::exchange(rest, {}); });
}

// Also what a crash has left of an earlier one.
Result<void> DropRewritten(const GitRepository& repository) {
  std::string commands;
  for (const auto& [ref, oid] : TRY(ReadRefs(repository))) {
    if (OriginalOf(ref)) commands += fmt::format("delete {}\n", ref);
  }
  return commands.empty() ? Result<void>() : UpdateRefs(repository, commands);
}

// Ends with "done", so that a history which was cut short is no history.
Result<void> CopyHistory(const GitRepository& repository, const std::unordered_set<Oid>& blobs) {
  const auto source = TRY(StartGit(repository, {"fast-export", "--no-data", "--use-done-feature", "--signed-tags=strip",
                                                "--reencode=no", "--tag-of-filtered-object=rewrite",
                                                fmt::format("--refspec={0}*:{1}*", kRefs, kRewritten), "--all"}));
  Filter filter(blobs);
  std::array<char, 64 << 10> piece;
  std::string out;
  return RunWithInput(repository, {"fast-import", "--quiet", "--force", "--done"}, [&]() -> Result<std::string_view> {
    for (out.clear(); out.empty();) {
      const size_t read = TRY(source->Read(piece));
      if (read == 0) {
        if (TRY(source->Wait()) == 0) return std::string_view();
        return Fail(ErrorCode::kInternal, "git fast-export of {}: {}", repository.name(), source->error_output());
      }
      TRY(filter.Add(std::string_view(piece.data(), read), out));
    }
    return std::string_view(out);
  });
}

}  // namespace

Result<std::vector<RewrittenRef>> RemoveBlobs(GitRepository& repository, const DropGuard&,
                                              const std::unordered_set<Oid>& blobs) {
  TRY(DropRewritten(repository));
  TRY(CopyHistory(repository, blobs));
  const auto refs = TRY(ReadRefs(repository));
  // An annotated tag may have come twice, as a commit's name and as itself, which is later in the order of names.
  std::map<std::string, Oid> rewritten;
  std::string commands;
  for (const auto& [ref, oid] : refs) {
    const auto original = OriginalOf(ref);
    if (!original) continue;
    rewritten[*original] = oid;
    commands += fmt::format("delete {} {}\n", ref, oid.ToHex());
  }
  std::vector<RewrittenRef> moved;
  for (const auto& [ref, after] : rewritten) {
    const auto before = refs.find(ref);
    if (before == refs.end() || before->second == after) continue;
    commands += fmt::format("update {} {} {}\n", ref, after.ToHex(), before->second.ToHex());
    moved.push_back({.ref = ref, .before = before->second, .after = after});
  }
  if (!commands.empty()) TRY(UpdateRefs(repository, commands));
  return moved;
}

}  // namespace bothy::git
