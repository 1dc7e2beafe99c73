// The variable `loop` of a for statement.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/jinja/ast.h"
#include "codec/jinja/runtime.h"
#include "codec/jinja/scope.h"
#include "codec/jinja/value.h"

namespace bothy::jinja {

class Interpreter;

class LoopObject final : public Object {
 public:
  LoopObject(Interpreter& interpreter, const Statement& statement, std::shared_ptr<Scope> scope,
             std::shared_ptr<IteratorObject> items, std::optional<size_t> length, size_t depth)
      : interpreter_(interpreter),
        statement_(statement),
        scope_(std::move(scope)),
        items_(std::move(items)),
        length_(length),
        depth_(depth) {}

  // The next item; nothing at the end.
  Result<std::optional<Value>> Next(Runtime& rt);

  const Statement& statement() const { return statement_; }
  const std::shared_ptr<Scope>& scope() const { return scope_; }
  size_t depth0() const { return depth_; }

  std::string TypeName() const override { return "LoopContext"; }
  Result<std::string> Repr(Runtime& rt) const override;
  bool IsCallable() const override { return true; }
  Result<Value> Call(Runtime& rt, Arguments& arguments) override;
  Result<std::optional<Value>> GetAttribute(Runtime& rt, std::string_view name) override;
  void Clear() override;

  Result<Value> Cycle(const Arguments& arguments) const;
  Result<Value> Changed(Runtime& rt, const Arguments& arguments);

 private:
  Result<const std::optional<Value>*> Peek(Runtime& rt);
  Result<size_t> LengthOf(Runtime& rt);

  Interpreter& interpreter_;
  const Statement& statement_;
  std::shared_ptr<Scope> scope_;  // around the loop
  std::shared_ptr<IteratorObject> items_;
  std::vector<Value> rest_;  // items that were read to know how many there are, the last first
  bool all_read_ = false;
  std::optional<size_t> length_;
  size_t depth_;
  size_t index_ = 0;  // of the current item, from 1; 0 before the first
  std::optional<Value> before_;
  std::optional<Value> current_;
  std::optional<Value> after_;
  bool peeked_ = false;
  std::optional<Value> last_changed_;
};

}  // namespace bothy::jinja
