#include "store/git/diff.h"

#include <git2.h>

#include "store/git/objects.h"
#include "store/git/raw_tree.h"

namespace bothy::git {
namespace {

// As git does with core.quotePath off: control characters, quotes and backslashes put a name in quotes.
std::string Quoted(std::string_view path) {
  std::string quoted;
  bool needed = false;
  for (const char c : path) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
      needed = true;
    } else if (byte < 0x20 || byte == 0x7f) {
      quoted += c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\r' ? "\\r" : fmt::format("\\{:03o}", byte);
      needed = true;
    } else {
      quoted += c;
    }
  }
  return needed ? fmt::format("\"{}\"", quoted) : quoted;
}

std::string Header(const Change& change) {
  std::string text = fmt::format("diff --git {} {}\n", Quoted("a/" + change.old_path), Quoted("b/" + change.path));
  if (change.kind == ChangeKind::kAdded) text += fmt::format("new file mode {:06o}\n", change.mode);
  if (change.kind == ChangeKind::kDeleted) text += fmt::format("deleted file mode {:06o}\n", change.old_mode);
  const bool both = change.old_mode != 0 && change.mode != 0;
  if (both && change.old_mode != change.mode) {
    text += fmt::format("old mode {:06o}\nnew mode {:06o}\n", change.old_mode, change.mode);
  }
  if (change.kind == ChangeKind::kRenamed) {
    text += fmt::format("similarity index 100%\nrename from {}\nrename to {}\n", Quoted(change.old_path),
                        Quoted(change.path));
  }
  if (change.old_oid != change.oid) {
    text += fmt::format("index {}..{}", change.old_oid.ToHex(), change.oid.ToHex());
    if (both && change.old_mode == change.mode) text += fmt::format(" {:06o}", change.mode);
    text += '\n';
  }
  return text;
}

// A side's content; nothing where it is too large.
Result<std::optional<std::string>> Content(const ObjectReader& reader, uint32_t mode, const Oid& oid, uint64_t limit) {
  if (mode == 0) return std::string();
  if (mode == kModeSubmodule) return fmt::format("Subproject commit {}\n", oid.ToHex());
  if (TRY(reader.Header(oid)).size > limit) return std::nullopt;
  return std::string(TRY(reader.Read(oid, ObjectKind::kBlob, limit)).bytes());
}

bool IsBinary(std::string_view text) {
  constexpr size_t kLookedAt = 8000;  // as git: a NUL in the beginning
  return text.substr(0, kLookedAt).find('\0') != std::string_view::npos;
}

int AppendLine(const git_diff_delta*, const git_diff_hunk*, const git_diff_line* line, void* payload) {
  auto& text = *static_cast<std::string*>(payload);
  switch (line->origin) {
    case GIT_DIFF_LINE_FILE_HDR:
    case GIT_DIFF_LINE_BINARY: return 0;
    case GIT_DIFF_LINE_CONTEXT:
    case GIT_DIFF_LINE_ADDITION:
    case GIT_DIFF_LINE_DELETION: text += line->origin; break;
    default: break;
  }
  text.append(line->content, line->content_len);
  return 0;
}

Result<std::string> Hunks(const std::string& before, const std::string& after) {
  git_diff_options options;
  git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
  options.flags |= GIT_DIFF_FORCE_TEXT;
  git_patch* raw = nullptr;
  const int status =
      git_patch_from_buffers(&raw, before.data(), before.size(), "a", after.data(), after.size(), "b", &options);
  if (status != 0) return tl::unexpected(LibgitError(status, "diff"));
  const Owned<git_patch> patch(raw, git_patch_free);
  std::string text;
  const int printed = git_patch_print(raw, AppendLine, &text);
  if (printed != 0) return tl::unexpected(LibgitError(printed, "diff"));
  return text;
}

}  // namespace

Result<DiffText> FormatDiff(const GitRepository& repository, const std::vector<Change>& changes,
                            const DiffLimits& limits) {
  const ObjectReader reader = TRY(ObjectReader::Open(repository));
  DiffText diff;
  for (const Change& change : changes) {
    std::string text = Header(change);
    if (change.old_oid != change.oid) {
      const auto before = TRY(Content(reader, change.old_mode, change.old_oid, limits.file_bytes));
      const auto after = TRY(Content(reader, change.mode, change.oid, limits.file_bytes));
      // A name with a space ends with a tab there, as in git (diff.c), for programs that look for a time after it.
      const auto tab = [](const std::string& side) { return side.find(' ') == std::string::npos ? "" : "\t"; };
      const std::string old_name = change.old_mode == 0 ? "/dev/null" : Quoted("a/" + change.old_path);
      const std::string name = change.mode == 0 ? "/dev/null" : Quoted("b/" + change.path);
      if (!before || !after || IsBinary(*before) || IsBinary(*after)) {
        text += fmt::format("Binary files {} and {} differ\n", old_name, name);
      } else if (const std::string hunks = TRY(Hunks(*before, *after)); !hunks.empty()) {
        text += fmt::format("--- {}{}\n+++ {}{}\n{}", old_name, tab(old_name), name, tab(name), hunks);
      }
    }
    if (diff.text.size() + text.size() > limits.text_bytes) {
      diff.complete = false;
      break;
    }
    diff.text += text;
  }
  return diff;
}

}  // namespace bothy::git
