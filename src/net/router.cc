#include "net/router.h"

#include <algorithm>
#include <array>

#include "net/target.h"

namespace bothy::net {
namespace {

constexpr size_t kMethods = static_cast<size_t>(Method::kOptions) + 1;
constexpr size_t kNoRoute = SIZE_MAX;

}  // namespace

struct RouteTable::Node {
  struct Parameter {
    std::string ending;  // ".git", or nothing
    std::unique_ptr<Node> node;
  };

  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;  // by the decoded text
  std::vector<Parameter> parameters;                                   // the longest ending first
  std::unique_ptr<Node> rest;
  // Where patterns end: the route of each method, with the names that its own pattern gives to the parameters.
  struct End {
    size_t route = kNoRoute;
    std::vector<std::string> names;
  };
  std::array<End, kMethods> ends;
};

// One walk through the tree. A node belongs to one position in the path, so each is visited at most once.
struct RouteTable::Search {
  Method method;
  std::vector<std::string> segments;  // decoded
  std::vector<std::string> values;
  const Node::End* found = nullptr;
  std::array<bool, kMethods> allowed{};

  bool End(const Node& node) {
    const auto index = static_cast<size_t>(method);
    const auto get = static_cast<size_t>(Method::kGet);
    if (node.ends[index].route != kNoRoute) {
      found = &node.ends[index];
    } else if (method == Method::kHead && node.ends[get].route != kNoRoute) {
      found = &node.ends[get];
    }
    for (size_t i = 0; i < kMethods; i++) allowed[i] = allowed[i] || node.ends[i].route != kNoRoute;
    return found != nullptr;
  }

  bool Walk(const Node& node, size_t position) {
    if (position == segments.size()) return End(node);
    const std::string& segment = segments[position];
    if (const auto literal = node.literals.find(segment); literal != node.literals.end()) {
      if (Walk(*literal->second, position + 1)) return true;
    }
    for (const auto& [ending, next] : node.parameters) {
      if (segment.size() <= ending.size() || !segment.ends_with(ending)) continue;
      values.push_back(segment.substr(0, segment.size() - ending.size()));
      if (Walk(*next, position + 1)) return true;
      values.pop_back();
    }
    if (node.rest == nullptr) return false;
    std::string rest = segment;
    for (size_t i = position + 1; i < segments.size(); i++) rest.append("/").append(segments[i]);
    if (rest.empty()) return false;
    values.push_back(std::move(rest));
    if (End(*node.rest)) return true;
    values.pop_back();
    return false;
  }
};

RouteTable::RouteTable() : root_(std::make_unique<Node>()) {}
RouteTable::~RouteTable() = default;
RouteTable::RouteTable(RouteTable&&) noexcept = default;
RouteTable& RouteTable::operator=(RouteTable&&) noexcept = default;

void RouteTable::Add(Method method, std::string_view pattern, size_t route) {
  CHECK(pattern.starts_with('/'));
  Node* node = root_.get();
  std::vector<std::string> names;
  bool ended = false;
  while (!pattern.empty()) {
    CHECK(!ended);  // nothing comes behind the rest
    pattern.remove_prefix(1);
    const std::string_view segment = pattern.substr(0, pattern.find('/'));
    pattern.remove_prefix(segment.size());
    std::unique_ptr<Node>* next = nullptr;
    if (!segment.starts_with('{')) {
      CHECK(segment.find_first_of("{}%") == std::string_view::npos);
      next = &node->literals[std::string(segment)];
    } else {
      const size_t close = segment.find('}');
      CHECK(close != std::string_view::npos && close > 1);
      std::string_view name = segment.substr(1, close - 1);
      const std::string_view ending = segment.substr(close + 1);
      if (name.ends_with("...")) {
        CHECK(ending.empty());
        name.remove_suffix(3);
        ended = true;
        next = &node->rest;
      } else {
        auto at = std::ranges::find(node->parameters, ending, &Node::Parameter::ending);
        if (at == node->parameters.end()) {
          const auto shorter =
              std::ranges::find_if(node->parameters, [&](const auto& p) { return p.ending.size() < ending.size(); });
          at = node->parameters.insert(shorter, {std::string(ending), nullptr});
        }
        next = &at->node;
      }
      CHECK(std::ranges::find(names, name) == names.end());
      names.emplace_back(name);
    }
    if (*next == nullptr) *next = std::make_unique<Node>();
    node = next->get();
  }
  Node::End& end = node->ends[static_cast<size_t>(method)];
  CHECK(end.route == kNoRoute);
  end = {route, std::move(names)};
}

RouteTable::Match RouteTable::Find(Method method, std::string_view raw_path) const {
  Match match;
  Search search;
  search.method = method;
  if (!raw_path.starts_with('/')) return match;  // "*"
  while (!raw_path.empty()) {
    raw_path.remove_prefix(1);
    const std::string_view raw = raw_path.substr(0, raw_path.find('/'));
    raw_path.remove_prefix(raw.size());
    auto segment = PercentDecode(raw);
    if (!segment) {
      match.status = Status::kBadRequest;
      return match;
    }
    search.segments.push_back(*std::move(segment));
  }
  search.Walk(*root_, 0);
  if (std::ranges::find(search.allowed, true) == search.allowed.end()) return match;
  search.allowed[static_cast<size_t>(Method::kHead)] |= search.allowed[static_cast<size_t>(Method::kGet)];
  search.allowed[static_cast<size_t>(Method::kOptions)] = true;
  for (size_t i = 0; i < kMethods; i++) {
    if (!search.allowed[i]) continue;
    if (!match.allow.empty()) match.allow += ", ";
    match.allow += MethodName(static_cast<Method>(i));
  }
  if (search.found == nullptr) {
    match.status = Status::kMethodNotAllowed;
    return match;
  }
  match.status = Status::kOk;
  match.route = search.found->route;
  for (size_t i = 0; i < search.values.size(); i++) {
    match.parameters.emplace_back(search.found->names[i], std::move(search.values[i]));
  }
  return match;
}

Response NoRoute(Status status, std::string_view allow) {
  switch (status) {
    case Status::kBadRequest: return Response::FromError(status, "the path has a malformed escape");
    case Status::kMethodNotAllowed:
      return Response::FromError(status, "this address does not take that method").With("Allow", allow);
    default: return Response::FromError(Status::kNotFound, "there is nothing at this address");
  }
}

}  // namespace bothy::net
