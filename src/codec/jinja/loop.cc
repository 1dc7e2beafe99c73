#include "codec/jinja/loop.h"

#include <fmt/format.h>

#include <algorithm>

#include "codec/jinja/arguments.h"
#include "codec/jinja/compare.h"
#include "codec/jinja/interpreter.h"

namespace bothy::jinja {
namespace {

// loop.cycle and loop.changed.
struct LoopMethod final : Object {
  std::shared_ptr<Object> loop;
  bool cycles;

  LoopMethod(std::shared_ptr<Object> of, bool is_cycle) : loop(std::move(of)), cycles(is_cycle) {}
  std::string TypeName() const override { return "method"; }
  bool IsCallable() const override { return true; }
  Result<Value> Call(Runtime& rt, Arguments& arguments) override {
    auto& self = static_cast<LoopObject&>(*loop);
    if (!arguments.named.empty()) {
      return Fail(ErrorCode::kInvalidArgument, "loop.{}() takes no keyword arguments", cycles ? "cycle" : "changed");
    }
    return cycles ? self.Cycle(arguments) : self.Changed(rt, arguments);
  }
};

}  // namespace

Result<std::optional<Value>> LoopObject::Next(Runtime& rt) {
  std::optional<Value> next = std::move(*TRY(Peek(rt)));
  peeked_ = false;
  after_.reset();
  if (!next) return next;
  ++index_;
  before_ = std::move(current_);
  current_ = next;
  return next;
}

Result<const std::optional<Value>*> LoopObject::Peek(Runtime& rt) {
  if (!peeked_) {
    if (!all_read_) {
      after_ = TRY(items_->Next(rt));
    } else if (!rest_.empty()) {
      after_ = std::move(rest_.back());
      rest_.pop_back();
    } else {
      after_.reset();
    }
    peeked_ = true;
  }
  return &after_;
}

Result<size_t> LoopObject::LengthOf(Runtime& rt) {
  if (!length_) {
    while (auto item = TRY(items_->Next(rt))) {
      rest_.push_back(std::move(*item));
      TRY(rt.Fits(rest_.size() * sizeof(Value)));
    }
    all_read_ = true;
    length_ = rest_.size() + index_ + (peeked_ && after_ ? 1 : 0);
    std::reverse(rest_.begin(), rest_.end());
  }
  return *length_;
}

Result<std::string> LoopObject::Repr(Runtime& rt) const {
  auto& self = const_cast<LoopObject&>(*this);  // the length may have to be found out
  return fmt::format("<LoopContext {}/{}>", index_, TRY(self.LengthOf(rt)));
}

Result<Value> LoopObject::Call(Runtime&, Arguments& arguments) {
  const Bound bound = TRY(Bind("loop", arguments, {"iterable"}, 1));
  if (!statement_.recursive) {
    return Fail(ErrorCode::kInvalidArgument, "The loop must have the 'recursive' marker to be called recursively.");
  }
  return interpreter_.CallLoop(*this, bound[0]);
}

Result<std::optional<Value>> LoopObject::GetAttribute(Runtime& rt, std::string_view name) {
  const auto integer = [](size_t i) { return Value::Int(static_cast<int64_t>(i)); };
  if (name == "index") return integer(index_);
  if (name == "index0") return Value::Int(static_cast<int64_t>(index_) - 1);
  if (name == "first") return Value::Bool(index_ == 1);
  if (name == "last") return Value::Bool(!TRY(Peek(rt))->has_value());
  if (name == "length") return integer(TRY(LengthOf(rt)));
  if (name == "revindex") return Value::Int(static_cast<int64_t>(TRY(LengthOf(rt)) - index_) + 1);
  if (name == "revindex0") return integer(TRY(LengthOf(rt)) - index_);
  if (name == "depth") return integer(depth_ + 1);
  if (name == "depth0") return integer(depth_);
  if (name == "previtem") return before_ ? *before_ : rt.UndefinedHint("there is no previous item");
  if (name == "nextitem") {
    const auto* next = TRY(Peek(rt));
    return *next ? **next : rt.UndefinedHint("there is no next item");
  }
  if (name == "cycle" || name == "changed") {
    auto method = rt.Make<LoopMethod>(1, 0, shared_from_this(), name == "cycle");
    return Value(Kind::kObject, std::move(method));
  }
  return std::nullopt;
}

Result<Value> LoopObject::Cycle(const Arguments& arguments) const {
  if (arguments.positional.empty()) return Fail(ErrorCode::kInvalidArgument, "no items for cycling given");
  return arguments.positional[(index_ - 1) % arguments.positional.size()];
}

Result<Value> LoopObject::Changed(Runtime& rt, const Arguments& arguments) {
  Value now = rt.Tuple(arguments.positional);
  if (last_changed_ && TRY(Equal(rt, *last_changed_, now))) return Value::Bool(false);
  last_changed_ = std::move(now);
  return Value::Bool(true);
}

void LoopObject::Clear() {
  scope_.reset();
  items_.reset();
  rest_.clear();
  before_.reset();
  current_.reset();
  after_.reset();
  last_changed_.reset();
}

}  // namespace bothy::jinja
