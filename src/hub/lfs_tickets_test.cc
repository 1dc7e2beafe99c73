#include "hub/lfs_tickets.h"

#include "hub/accounts_testing.h"

namespace bothy {
namespace {

class LfsTicketsTest : public AccountsTest {
 protected:
  std::optional<LfsTicket> Open(std::string_view text, LfsTicket::Purpose purpose = LfsTicket::Purpose::kUpload,
                                std::string_view sha256 = {}) {
    const auto signatures = Signatures::Load(*database_, clock());
    EXPECT_OK(signatures);
    return OpenLfsTicket(*signatures, purpose, sha256.empty() ? ticket_.sha256 : sha256, text);
  }
  std::string Sign() {
    const auto signatures = Signatures::Load(*database_, clock());
    EXPECT_OK(signatures);
    return SignLfsTicket(*signatures, ticket_, now_ + kLfsTicketLifetime);
  }

  const LfsTicket ticket_ = {.purpose = LfsTicket::Purpose::kUpload,
                             .repository_id = 7,
                             .user_id = 3,
                             .sha256 = std::string(64, 'a'),
                             .size = 1'000'000'000'000};
};
BOTHY_ON_BOTH_DATABASES(LfsTicketsTest);

TEST_P(LfsTicketsTest, ATicketSaysWhatWasSigned) { EXPECT_EQ(Open(Sign()), ticket_); }

TEST_P(LfsTicketsTest, ATicketIsForOneContentAndOnePurpose) {
  const std::string signed_text = Sign();
  EXPECT_EQ(Open(signed_text, LfsTicket::Purpose::kDownload), std::nullopt);
  EXPECT_EQ(Open(signed_text, LfsTicket::Purpose::kUpload, std::string(64, 'b')), std::nullopt);
}

TEST_P(LfsTicketsTest, NoCharacterOfATicketCanBeChanged) {
  const std::string signed_text = Sign();
  for (size_t i = 0; i < signed_text.size(); i++) {
    std::string forged = signed_text;
    forged[i] = forged[i] == '1' ? '2' : '1';
    EXPECT_EQ(Open(forged), std::nullopt) << i;
  }
  for (const char* forged : {"", ".", "..", "7-3-10"}) EXPECT_EQ(Open(forged), std::nullopt);
}

TEST_P(LfsTicketsTest, ATicketEnds) {
  const std::string signed_text = Sign();
  now_ += kLfsTicketLifetime - std::chrono::seconds(1);
  EXPECT_TRUE(Open(signed_text));
  now_ += std::chrono::seconds(1);
  EXPECT_FALSE(Open(signed_text));
}

}  // namespace
}  // namespace bothy
