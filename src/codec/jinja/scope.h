// Where variables live while a template runs: one scope for the whole, one for each body that keeps what it sets to
// itself (a loop's turn, a macro's call, with, set and filter blocks).
#pragma once

#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/jinja/value.h"

namespace bothy::jinja {

struct Scope : HeapObject {
  explicit Scope(std::shared_ptr<Scope> outer) : parent(std::move(outer)) {}

  // In this scope and those around it; null where nothing is called so. Names outlive the scope.
  const Value* Find(std::string_view name) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->parent.get()) {
      if (const Value* found = scope->FindHere(name)) return found;
    }
    return nullptr;
  }

  void Set(std::string_view name, Value value) {
    if (const Value* found = FindHere(name)) {
      const_cast<Value&>(*found) = std::move(value);
      return;
    }
    variables.emplace_back(name, std::move(value));
    if (variables.size() == kIndexed) {
      for (size_t i = 0; i < variables.size(); ++i) index.emplace(variables[i].first, i);
    } else if (variables.size() > kIndexed) {
      index.emplace(name, variables.size() - 1);
    }
  }

  void Clear() {
    variables.clear();
    index.clear();
  }

  static constexpr size_t kIndexed = 16;  // few variables are found faster by looking at all
  std::shared_ptr<Scope> parent;
  std::vector<std::pair<std::string_view, Value>> variables;
  std::map<std::string_view, size_t> index;
  bool kept = false;  // a macro looks at it: it lives to the end of the rendering

 private:
  const Value* FindHere(std::string_view name) const {
    if (variables.size() >= kIndexed) {
      const auto found = index.find(name);
      return found != index.end() ? &variables[found->second].second : nullptr;
    }
    for (const auto& [key, value] : variables) {
      if (key == name) return &value;
    }
    return nullptr;
  }
};

}  // namespace bothy::jinja
