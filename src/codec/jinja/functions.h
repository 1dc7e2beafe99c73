// The functions and types that every template can call, and the namespaces they make.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "codec/jinja/runtime.h"
#include "codec/jinja/value.h"

namespace bothy::jinja {

// namespace(): the one value that a template can change.
struct NamespaceObject final : Object {
  std::map<std::string, Value, std::less<>> attributes;
  std::vector<std::string> order;  // of the attributes, for printing

  std::string TypeName() const override { return "Namespace"; }
  Result<std::string> Repr(Runtime& rt) const override;
  Result<std::optional<Value>> GetAttribute(Runtime& rt, std::string_view name) override;
  void Clear() override { attributes.clear(); }
  Result<void> Set(Runtime& rt, const std::string& name, const Value& value);
};

// range, dict, namespace, cycler, joiner, lipsum, raise_exception, strftime_now; nothing for another name.
std::optional<Value> FindFunction(Runtime& rt, std::string_view name);

}  // namespace bothy::jinja
