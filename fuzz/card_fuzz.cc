#include "hub/card.h"
#include "hub/card_tags.h"
#include "input.h"

using namespace bothy;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view readme = InputText(data, size);
  const Card card = ReadCard(readme);
  for (const RepositoryKind kind : kRepositoryKinds) {
    DeriveFacts(kind, card, &card.data, {"a.safetensors"});
    ValidateCard(readme, kind);
  }
  return 0;
}
