// One rendering: its limits, what it has used of them, and how values are made within them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/jinja/template.h"
#include "codec/jinja/value.h"

namespace bothy::jinja {

class Runtime {
 public:
  explicit Runtime(const RenderOptions& options);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  const RenderOptions& options() const { return options_; }

  // Counts work; fails once there was too much of it, or once the values alive are too many or too deep.
  Result<void> Step(size_t steps = 1);
  // Before something of this many bytes is read or made: counts the work and refuses what could not be kept anyway.
  Result<void> Bytes(size_t bytes);
  // Whether this many bytes more could be kept, without counting work: for what grows piece by piece.
  Result<void> Fits(size_t bytes) const;
  // A product that may overflow, for repetitions.
  Result<void> Bytes(size_t count, size_t each);

  Value String(std::string text, bool markup = false);
  Value BytesValue(std::string data);
  Value List(std::vector<Value> items);
  Value Tuple(std::vector<Value> items);
  Value Group(Value grouper, std::vector<Value> items);
  Value Dict(std::vector<DictObject::Entry> entries);  // keys are hashable
  Value DictView(Value dict, DictViewObject::Part part);
  Value Range(int64_t start, int64_t stop, int64_t step, int64_t size);
  Value Integer(BigInt value);  // 64 bits where they suffice
  Value Undefined(std::string_view name);
  Value UndefinedHint(std::string hint, std::string_view name = {});
  Value UndefinedAttribute(const Value& owner, std::string_view name);
  Value UndefinedElement(const Value& owner, const Value& key);

  // Takes over an object that was made elsewhere; `below` is the depth of what it holds.
  template <class T, class... Args>
  std::shared_ptr<T> Make(uint32_t below, size_t payload, Args&&... args) {
    auto object = std::make_shared<T>(std::forward<Args>(args)...);
    Account(*object, below, payload);
    return object;
  }

  // An object that came to hold more.
  void Grow(HeapObject& object, size_t bytes) {
    object.bytes += bytes;
    budget_.live += bytes;
  }

  // An object that may hold itself: it lives until the rendering ends and is then cleared.
  void KeepUntilEnd(std::shared_ptr<Object> object) { kept_.push_back(std::move(object)); }
  void KeepUntilEnd(std::function<void()> clear) { clearings_.push_back(std::move(clear)); }

  // Bounds recursion: one lives on the stack of every function that may call itself through a template.
  class Deeper {
   public:
    explicit Deeper(Runtime& rt) : rt_(rt) { ++rt_.depth_; }
    ~Deeper() { --rt_.depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

   private:
    Runtime& rt_;
  };
  Result<void> CheckDepth() const;

  bool autoescape = false;
  uint64_t random_state = 0;

 private:
  void Account(HeapObject& object, uint32_t below, size_t payload);

  const RenderOptions& options_;
  MemoryBudget budget_;
  size_t steps_ = 0;
  size_t depth_ = 0;
  std::vector<std::shared_ptr<Object>> kept_;
  std::vector<std::function<void()>> clearings_;
};

// The message that a failed operation on an undefined value has.
[[nodiscard]] tl::unexpected<Error> FailUndefined(const Value& undefined);

}  // namespace bothy::jinja
