#include "net/access_log.h"

#include "base/log.h"

namespace bothy::net {

void LogAccess(const AccessRecord& record) {
  if (!LogEnabled(LogLevel::kInfo)) return;
  Log(LogLevel::kInfo, "request",
      {{"id", record.request_id},
       {"actor", record.actor.empty() ? "-" : record.actor},
       {"remote", record.remote},
       {"method", record.method},
       {"path", record.path},
       {"status", Number(record.status)},
       {"in", record.bytes_in},
       {"out", record.bytes_out},
       {"ms", fmt::format("{:.1f}", record.seconds * 1000)},
       {"complete", record.complete}});
}

}  // namespace bothy::net
