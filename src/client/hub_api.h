// The requests that a download makes of a hub, and what its refusals mean to a person.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "client/answers.h"
#include "client/endpoint.h"
#include "client/hub_cache.h"
#include "client/retries.h"
#include "net/http_client.h"

namespace bothy::client {

// Safe to use from several threads; each call waits on the thread that makes it.
class HubApi {
 public:
  // All must outlive the object. When `cancelled` becomes true, requests end with kCancelled.
  HubApi(net::HttpClient& client, const Endpoint& endpoint, const RetryPolicy& retries,
         const std::atomic<bool>& cancelled)
      : client_(client), endpoint_(endpoint), retries_(retries), cancelled_(cancelled) {}

  const Endpoint& endpoint() const { return endpoint_; }
  bool cancelled() const { return cancelled_.load(); }

  // The same, until another flag becomes true.
  HubApi Until(const std::atomic<bool>& cancelled) const { return {client_, endpoint_, retries_, cancelled}; }

  Retries NewRetries() const { return {retries_, cancelled_}; }

  // The commit of the name's revision, or of main. Errors of this and of what follows name the repository, what the
  // hub said and what can be done: kNotFound, kUnauthenticated, kPermissionDenied; kUnavailable where the hub cannot be
  // reached or cannot answer now, after as many tries as the policy has.
  Result<std::string> FindCommit(const HubName& name);

  // The repository, at the name's revision, or main; errors as of FindCommit.
  Result<RemoteRepository> FindRepository(const HubName& name);

  // Where a large file's content is, in whichever commit it may be. kNotFound where the repository has none such.
  Result<LargeObject> FindLargeObject(const HubName& name, const std::string& sha256, uint64_t size);

  // Of a commit, sorted by path. kResourceExhausted where there are more than a million.
  Result<std::vector<RemoteFile>> ListFiles(const HubName& name, const std::string& commit);

  Result<XetGrant> GrantXet(const HubName& name, const std::string& commit);

  // The content of a file, from `begin` on to before `end`: 206, or 200 with all of it. One try.
  Result<net::ClientResponse> OpenContent(const HubName& name, const std::string& commit, const RemoteFile& file,
                                          uint64_t begin, uint64_t end, Retries& retries);

  // The same of a large file: of `size` bytes, which `what` is called in errors.
  Result<net::ClientResponse> OpenObject(const LargeObject& object, std::string_view what, uint64_t size,
                                         uint64_t begin, uint64_t end, Retries& retries);

  // Any request, to this or another server, without a token; its answer, whatever its status. A body makes it a POST.
  // One try: what the server says about when to come again is told to `retries`.
  Result<net::ClientResponse> Send(std::string address, net::Headers headers, Retries& retries, std::string body = {});

  // The error of an answer that is not what was hoped for; `what` was asked for.
  static Error Refusal(net::ClientResponse& response, std::string_view what);

 private:
  struct Answer {
    std::string body;
    net::Headers headers;
  };
  net::Headers Authorized() const;
  Result<Answer> Get(const HubName& name, const std::string& address, size_t limit) {
    return Ask(name, address, Authorized(), "", limit);
  }
  Result<Answer> Ask(const HubName& name, const std::string& address, const net::Headers& headers,
                     const std::string& body, size_t limit);
  Error Explain(net::ClientResponse& response, const HubName& name, std::string_view file) const;
  std::string ApiAddress(const HubName& name) const;

  net::HttpClient& client_;
  const Endpoint& endpoint_;
  const RetryPolicy& retries_;
  const std::atomic<bool>& cancelled_;
};

}  // namespace bothy::client
