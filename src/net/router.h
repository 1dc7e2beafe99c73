// Finds which route a request is for, by its raw path: a "%2F" in a segment stays in that segment's parameter.
//
//   Router<Route> router;
//   router.Add(Method::kGet, "/api/{kind}/{namespace}/{name}/tree/{revision}/{path...}", {rights, handler});
//   const auto match = router.Find(request.method, request.path);
//   if (match.value == nullptr) co_return match.ToResponse();
//
// A pattern's segments are literal ("tree"), a parameter ("{name}", one segment, not empty), a parameter with something
// behind it ("{name}.git"), or at the end the rest of the path ("{path...}", at least one character). Where several
// patterns match, segment by segment from the left a literal wins over a parameter with an ending, that over a plain
// parameter, and that over the rest.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/response.h"
#include "net/status.h"

namespace bothy::net {

// The tree of patterns, which knows routes by number.
class RouteTable {
 public:
  RouteTable();
  ~RouteTable();
  RouteTable(RouteTable&&) noexcept;
  RouteTable& operator=(RouteTable&&) noexcept;

  // Malformed patterns and second routes for the same method and pattern are programmers' errors. Before the first
  // Find.
  void Add(Method method, std::string_view pattern, size_t route);

  struct Match {
    Status status = Status::kNotFound;  // kOk, kBadRequest, kNotFound or kMethodNotAllowed
    size_t route = 0;
    std::vector<std::pair<std::string_view, std::string>> parameters;  // decoded; names as in the pattern
    std::string allow;  // "GET, HEAD, OPTIONS": of all that match the path
  };
  // HEAD finds the route of GET where it has none. A malformed escape or an escaped NUL anywhere is kBadRequest.
  Match Find(Method method, std::string_view raw_path) const;

 private:
  struct Node;
  struct Search;
  std::unique_ptr<Node> root_;
};

// Routes with a value each, such as the handler and the row of the rights table.
template <class Value>
class Router {
 public:
  void Add(Method method, std::string_view pattern, Value value) {
    table_.Add(method, pattern, routes_.size());
    routes_.push_back({method, std::string(pattern), std::move(value)});
  }

  struct Match {
    const Value* value = nullptr;  // null: ToResponse says why
    Status status = Status::kNotFound;
    std::string_view pattern;
    std::string allow;
    std::vector<std::pair<std::string_view, std::string>> parameters;

    // A parameter of the pattern; "" for a name that it does not have.
    const std::string& Parameter(std::string_view name) const {
      static const std::string none;
      for (const auto& [parameter, text] : parameters) {
        if (parameter == name) return text;
      }
      return none;
    }
    Response ToResponse() const;
  };
  Match Find(Method method, std::string_view raw_path) const {
    auto found = table_.Find(method, raw_path);
    Match match;
    match.status = found.status;
    match.allow = std::move(found.allow);
    match.parameters = std::move(found.parameters);
    if (found.status == Status::kOk) {
      match.value = &routes_[found.route].value;
      match.pattern = routes_[found.route].pattern;
    }
    return match;
  }

  // Every route, in the order in which they were added: for tests that walk the table.
  struct Route {
    Method method;
    std::string pattern;
    Value value;
  };
  const std::deque<Route>& routes() const { return routes_; }

 private:
  RouteTable table_;
  std::deque<Route> routes_;
};

// 400, 404 or 405, with Allow.
Response NoRoute(Status status, std::string_view allow);

template <class Value>
Response Router<Value>::Match::ToResponse() const {
  return NoRoute(status, allow);
}

}  // namespace bothy::net
