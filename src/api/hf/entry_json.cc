#include "api/hf/entry_json.h"

namespace bothy::api {

json::value GatedJson(Gating gating) {
  switch (gating) {
    case Gating::kNone: break;
    case Gating::kAutomatic: return "auto";
    case Gating::kManual: return "manual";
  }
  return false;
}

json::object EntryJson(const RepositoryEntry& entry) {
  json::object json = {{"type", entry.is_folder ? "directory" : "file"},
                       {"oid", entry.oid.ToHex()},
                       {"size", entry.size},
                       {"path", entry.path}};
  if (entry.pointer) {
    json["lfs"] = json::object{
        {"oid", entry.pointer->sha256}, {"size", entry.pointer->size}, {"pointerSize", entry.pointer_size}};
  }
  if (entry.xet_hash) json["xetHash"] = *entry.xet_hash;
  if (entry.last_commit) {
    json["lastCommit"] = json::object{{"id", entry.last_commit->oid.ToHex()},
                                      {"title", entry.last_commit->title},
                                      {"date", FormatTime(entry.last_commit->time)}};
  }
  return json;
}

}  // namespace bothy::api
