// A JSON schema as a document: references into it, and where in it things stand, for messages.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "codec/json.h"

namespace bothy {

class SchemaDocument {
 public:
  // `root` must outlive it.
  explicit SchemaDocument(const json::value& root);

  const json::value& root() const { return root_; }

  // "#", or "#/" and a JSON pointer; nothing else is looked up.
  Result<const json::value*> Resolve(std::string_view reference) const;

  // A reference's siblings count, as since draft 2019-09, unless "$schema" says that the document is older.
  bool references_stand_alone() const { return references_stand_alone_; }

  // "#/properties/a/items", for a value of the document.
  std::string PointerTo(const json::value& value) const;

  // kInvalidArgument: "JSON schema, #/properties/a: ...".
  template <class... Args>
  tl::unexpected<Error> Refuse(const json::value& at, fmt::format_string<Args...> what, Args&&... args) const {
    return Fail(ErrorCode::kInvalidArgument, "JSON schema, {}: {}", PointerTo(at),
                fmt::format(what, std::forward<Args>(args)...));
  }

 private:
  const json::value& root_;
  bool references_stand_alone_ = false;
};

}  // namespace bothy
