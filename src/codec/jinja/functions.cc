#include "codec/jinja/functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "codec/jinja/arguments.h"
#include "codec/jinja/attributes.h"
#include "codec/jinja/compare.h"
#include "codec/jinja/iterate.h"
#include "codec/jinja/text.h"

namespace bothy::jinja {
namespace {

using Call = Result<Value>;

constexpr int64_t kMaxRange = 100'000;  // the sandbox's limit

struct FunctionObject final : Object {
  std::string_view name;
  Result<Value> (*function)(Runtime& rt, const Arguments& arguments) = nullptr;

  std::string TypeName() const override { return "function"; }
  Result<std::string> Repr(Runtime&) const override { return fmt::format("<function {}>", name); }
  bool IsCallable() const override { return true; }
  Result<Value> Call(Runtime& rt, Arguments& arguments) override { return function(rt, arguments); }
  Result<std::optional<Value>> GetAttribute(Runtime& rt, std::string_view attribute) override;
};

Value Function(Runtime& rt, std::string_view name, Result<Value> (*function)(Runtime&, const Arguments&)) {
  auto object = rt.Make<FunctionObject>(0, 0);
  object->name = name;
  object->function = function;
  return {Kind::kObject, std::move(object)};
}

Call Range(Runtime& rt, const Arguments& arguments) {
  const Bound bound = TRY(Bind("range", arguments, {"", "", ""}, 1));
  const int64_t first = TRY(bound.Integer(0, 0));
  const int64_t start = bound.Has(1) ? first : 0;
  const int64_t stop = TRY(bound.Integer(1, first));
  const int64_t step = TRY(bound.Integer(2, 1));
  if (step == 0) return Fail(ErrorCode::kInvalidArgument, "range() arg 3 must not be zero");
  uint64_t size = 0;
  if (step > 0 ? start < stop : start > stop) {
    const auto wide = [](int64_t i) { return static_cast<uint64_t>(i); };
    const uint64_t distance = step > 0 ? wide(stop) - wide(start) : wide(start) - wide(stop);
    const uint64_t stride = step > 0 ? wide(step) : ~wide(step) + 1;
    size = (distance - 1) / stride + 1;
  }
  if (size > kMaxRange) {
    return Fail(ErrorCode::kResourceExhausted, "range too big: {} items, the limit is {}", size, kMaxRange);
  }
  return rt.Range(start, stop, step, static_cast<int64_t>(size));
}

// What dict(...) collects: a mapping or pairs, then names.
Result<std::vector<DictObject::Entry>> Collect(Runtime& rt, std::string_view function, const Arguments& arguments) {
  std::vector<DictObject::Entry> entries;
  if (arguments.positional.size() > 1) {
    return Fail(ErrorCode::kInvalidArgument, "{} expected at most 1 argument, got {}", function,
                arguments.positional.size());
  }
  if (!arguments.positional.empty() && arguments.positional[0].IsDict()) {
    TRY(rt.Bytes(arguments.positional[0].dict().entries.size(), sizeof(DictObject::Entry)));
    entries = arguments.positional[0].dict().entries;
  } else if (!arguments.positional.empty()) {
    for (const Value& pair : TRY(ToVector(rt, arguments.positional[0]))) {
      std::vector<Value> both = TRY(ToVector(rt, pair));
      if (both.size() != 2) {
        return Fail(ErrorCode::kInvalidArgument, "dictionary update sequence element has length {}; 2 is required",
                    both.size());
      }
      TRY(CheckKey(rt, both[0]));
      entries.emplace_back(std::move(both[0]), std::move(both[1]));
      TRY(rt.Step());
    }
  }
  for (const auto& [name, value] : arguments.named) entries.emplace_back(rt.String(name), value);
  return entries;
}

Call Dict(Runtime& rt, const Arguments& arguments) { return rt.Dict(TRY(Collect(rt, "dict", arguments))); }

Call FromKeys(Runtime& rt, const Arguments& arguments) { return DictFromKeys(rt, arguments); }

Call MakeNamespace(Runtime& rt, const Arguments& arguments) {
  auto object = rt.Make<NamespaceObject>(0, 0);
  rt.KeepUntilEnd(object);
  for (const auto& [key, value] : TRY(Collect(rt, "namespace", arguments))) {
    // Names that are no strings can be stored and never be read.
    if (key.IsString()) TRY(object->Set(rt, key.text(), value));
  }
  return Value(Kind::kObject, std::move(object));
}

struct CyclerObject final : Object {
  std::vector<Value> items;
  size_t position = 0;

  std::string TypeName() const override { return "Cycler"; }
  Result<std::optional<Value>> GetAttribute(Runtime& rt, std::string_view name) override;
};

// cycler.next and cycler.reset.
struct CyclerMethod final : Object {
  std::shared_ptr<HeapObject> cycler;
  bool reset = false;

  std::string TypeName() const override { return "method"; }
  bool IsCallable() const override { return true; }
  Result<Value> Call(Runtime&, Arguments& arguments) override {
    TRY(Bind(reset ? "reset" : "next", arguments, {}, 0));
    auto& self = static_cast<CyclerObject&>(*cycler);
    if (reset) {
      self.position = 0;
      return Value();
    }
    const Value current = self.items[self.position];
    self.position = (self.position + 1) % self.items.size();
    return current;
  }
  CyclerMethod(std::shared_ptr<HeapObject> of, bool resets) : cycler(std::move(of)), reset(resets) {}
};

Call Cycler(Runtime& rt, const Arguments& arguments) {
  if (!arguments.named.empty()) return Fail(ErrorCode::kInvalidArgument, "cycler() takes no keyword arguments");
  if (arguments.positional.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "at least one item has to be provided");
  }
  const Value items = rt.Tuple(arguments.positional);
  auto object = rt.Make<CyclerObject>(items.depth(), items.items().size() * sizeof(Value));
  object->items = items.items();
  return Value(Kind::kObject, std::move(object));
}

struct JoinerObject final : Object {
  Value separator;
  bool used = false;

  std::string TypeName() const override { return "Joiner"; }
  bool IsCallable() const override { return true; }
  Result<Value> Call(Runtime& rt, Arguments& arguments) override {
    TRY(Bind("joiner", arguments, {}, 0));
    if (used) return separator;
    used = true;
    return rt.String("");
  }
  Result<std::optional<Value>> GetAttribute(Runtime&, std::string_view name) override {
    if (name == "sep") return separator;
    if (name == "used") return Value::Bool(used);
    return std::nullopt;
  }
};

Call Joiner(Runtime& rt, const Arguments& arguments) {
  const Bound bound = TRY(Bind("joiner", arguments, {"sep"}, 0));
  Value separator = bound.Has(0) ? bound[0] : rt.String(", ");
  auto object = rt.Make<JoinerObject>(separator.depth(), 0);
  object->separator = std::move(separator);
  return Value(Kind::kObject, std::move(object));
}

Call Lipsum(Runtime&, const Arguments&) { return Fail(ErrorCode::kUnimplemented, "lipsum() is not supported"); }

Call RaiseException(Runtime& rt, const Arguments& arguments) {
  const Bound bound = TRY(Bind("raise_exception", arguments, {"message"}, 1));
  return Fail(ErrorCode::kInvalidArgument, "{}", TRY(Str(rt, bound[0])));
}

LocalTime Now() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  LocalTime local;
  localtime_r(&seconds, &local.time);
  const auto since = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  local.microsecond = static_cast<int>(since % 1'000'000);
  return local;
}

Call StrftimeNow(Runtime& rt, const Arguments& arguments) {
  const Bound bound = TRY(Bind("strftime_now", arguments, {"format"}, 1));
  const std::string_view given = TRY(bound.Text(0));
  const LocalTime now = rt.options().now ? *rt.options().now : Now();
  // What C's strftime lacks: %f. A time without a zone prints none.
  std::string format;
  for (size_t i = 0; i < given.size(); ++i) {
    if (given[i] == '\0') return Fail(ErrorCode::kInvalidArgument, "embedded null character");
    if (given[i] != '%' || i + 1 == given.size()) {
      format += given[i];
      continue;
    }
    const char c = given[++i];
    if (c == 'f') {
      format += fmt::format("{:06}", now.microsecond);
    } else if (c != 'z' && c != 'Z') {
      format += '%';
      format += c;
    }
  }
  if (format.empty()) return rt.String("");
  // Widths, which glibc takes (%09999d), are no reason to make room for them.
  const size_t room = std::max<size_t>(1024, 256 * std::min<size_t>(format.size(), 4096));
  TRY(rt.Bytes(room));
  std::string out(room, '\0');
  out.resize(std::strftime(out.data(), out.size(), format.c_str(), &now.time));
  return rt.String(std::move(out));
}

Result<std::optional<Value>> FunctionObject::GetAttribute(Runtime& rt, std::string_view attribute) {
  if (name == "dict" && attribute == "fromkeys") return Function(rt, "fromkeys", FromKeys);
  return std::nullopt;
}

Result<std::optional<Value>> CyclerObject::GetAttribute(Runtime& rt, std::string_view name) {
  if (name == "current") return items[position];
  if (name == "pos") return Value::Int(static_cast<int64_t>(position));
  if (name == "items") return rt.Tuple(items);
  if (name != "next" && name != "reset") return std::nullopt;
  auto self = weak_from_this().lock();
  return Value(Kind::kObject, rt.Make<CyclerMethod>(depth, 0, std::move(self), name == "reset"));
}

}  // namespace

Result<std::string> NamespaceObject::Repr(Runtime& rt) const {
  std::string out = "<Namespace {";
  bool first = true;
  for (const std::string& name : order) {
    const auto found = attributes.find(name);
    if (found == attributes.end()) continue;
    if (!first) out += ", ";
    first = false;
    out += QuoteString(name) + ": ";
    TRY(AppendRepr(rt, out, found->second));
  }
  return out + "}>";
}

Result<std::optional<Value>> NamespaceObject::GetAttribute(Runtime&, std::string_view name) {
  const auto found = attributes.find(name);
  if (found == attributes.end()) return std::nullopt;
  return found->second;
}

Result<void> NamespaceObject::Set(Runtime& rt, const std::string& name, const Value& value) {
  if (name.starts_with('_')) {
    return Fail(ErrorCode::kInvalidArgument, "a namespace cannot store an attribute whose name begins with _: {}",
                QuoteString(name));
  }
  const auto found = attributes.find(name);
  if (found != attributes.end()) {
    found->second = value;
    return {};
  }
  constexpr size_t kEntry = 160;  // of a tree's node and two copies of a short name
  rt.Grow(*this, kEntry + 2 * name.size());
  attributes.emplace(name, value);
  order.push_back(name);
  return rt.Step();
}

std::optional<Value> FindFunction(Runtime& rt, std::string_view name) {
  struct Entry {
    std::string_view name;
    Result<Value> (*function)(Runtime& rt, const Arguments& arguments);
  };
  static constexpr std::array kFunctions = {
      Entry{"namespace", MakeNamespace},
      Entry{"range", Range},
      Entry{"raise_exception", RaiseException},
      Entry{"strftime_now", StrftimeNow},
      Entry{"dict", Dict},
      Entry{"cycler", Cycler},
      Entry{"joiner", Joiner},
      Entry{"lipsum", Lipsum},
  };
  const auto found =
      std::find_if(kFunctions.begin(), kFunctions.end(), [&](const Entry& entry) { return entry.name == name; });
  if (found == kFunctions.end()) return std::nullopt;
  return Function(rt, found->name, found->function);
}

}  // namespace bothy::jinja
