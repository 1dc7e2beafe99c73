#include "store/database/statement.h"

namespace bothy {

void Statement::Append(std::string_view part) {
  size_t copied = 0;
  internal::FindPlaceholders(part, [&](size_t begin, size_t end, size_t number) {
    text_.append(part.substr(copied, begin - copied));
    text_ += '$';
    text_ += std::to_string(number + values_.size());
    copied = end;
  });
  text_.append(part.substr(copied));
}

}  // namespace bothy
