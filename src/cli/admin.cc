// bothy admin: users, organizations, tokens and quotas, beside a running server or without one.
#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/command.h"
#include "cli/hub_options.h"
#include "cli/terminal.h"
#include "codec/json.h"
#include "hub/usage.h"

namespace bothy::cli {
namespace {

// Without showing what is typed.
std::string AskPassword(const std::string& prompt) {
  termios before{};
  const bool hidden = tcgetattr(STDIN_FILENO, &before) == 0;
  if (hidden) {
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  fmt::print(stderr, "{}: ", prompt);
  std::string line;
  std::getline(std::cin, line);
  if (hidden) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
  fmt::print(stderr, "\n");
  return line;
}

struct UserOptions {
  HubPlace place;
  NewUser user;
  bool password_stdin = false;
};

// From standard input, from the terminal, or nothing: then one is generated and shown.
Result<std::optional<std::string>> PasswordFor(const UserOptions& options) {
  if (options.password_stdin) {
    std::string password;
    if (!std::getline(std::cin, password)) return Fail(ErrorCode::kUsage, "--password-stdin: standard input is empty");
    return password;
  }
  if (!IsTerminal(STDIN_FILENO)) return std::nullopt;
  std::string password = AskPassword("Password of " + options.user.name + " (empty: one is generated)");
  if (password.empty()) return std::nullopt;
  if (AskPassword("Once more") != password) return Fail(ErrorCode::kUsage, "the two passwords differ");
  return password;
}

Result<void> CreateUser(UserOptions options) {
  const auto hub = TRY(OpenHub(options.place));
  options.user.password = TRY(PasswordFor(options));
  const CreatedUser created = TRY(hub->accounts().Create(options.user, Cause::Operator()));
  fmt::print(stderr, "made the {} {}\n", created.user.administrator ? "administrator" : "user", created.user.name);
  if (!created.password.empty()) {
    fmt::print(stderr, "their password, which is shown only now:\n");
    fmt::print("{}\n", created.password);
  }
  return {};
}

struct OrganizationOptions {
  HubPlace place;
  NewOrganization organization;
  std::vector<std::string> members;  // "ada:admin"
};

Result<void> CreateOrganization(OrganizationOptions options) {
  for (const std::string& text : options.members) {
    const size_t colon = text.find(':');
    const auto role = colon == std::string::npos ? std::nullopt : FindOrganizationRole(text.substr(colon + 1));
    if (!role) {
      return Fail(ErrorCode::kUsage,
                  "--member: expected USER:ROLE, with admin, write, contributor or read, found \"{}\"", text);
    }
    options.organization.members.push_back({text.substr(0, colon), *role});
  }
  const auto hub = TRY(OpenHub(options.place));
  const Organization made = TRY(hub->organizations().Create(options.organization, Cause::Operator()));
  fmt::print(stderr, "made the organization {}\n", made.name);
  return {};
}

struct TokenOptions {
  HubPlace place;
  std::string user;
  std::string role = "read";
  std::string name;
  int64_t days = 0;
};

Result<void> CreateToken(const TokenOptions& options) {
  const auto role = FindTokenRole(options.role);
  if (!role || *role == TokenRole::kFineGrained) {
    return Fail(ErrorCode::kUsage, "--role: expected read or write, found \"{}\"", options.role);
  }
  const auto hub = TRY(OpenHub(options.place));
  const User user = TRY(hub->accounts().Find(options.user));
  NewToken token = {.user_id = user.id,
                    .name = options.name.empty() ? "made by the operator" : options.name,
                    .role = *role,
                    .scopes = {},
                    .expires_at = {}};
  if (options.days > 0) token.expires_at = hub->now() + std::chrono::days(options.days);
  fmt::print("{}\n", TRY(hub->tokens().Create(token, Cause::Operator())).secret);
  return {};
}

struct QuotaOptions {
  HubPlace place;
  std::string name;  // of a user or an organization; empty: what all have that have none of their own
  std::string size;
  bool json = false;
};

Result<void> SetQuota(const QuotaOptions& options) {
  const bool unlimited = options.size == "none";
  if (options.name.empty() && options.size == "default") {
    return Fail(ErrorCode::kUsage, "the default itself: give a size like 50GB, or none");
  }
  Quota quota;
  if (unlimited) quota.kind = Quota::Kind::kUnlimited;
  if (!unlimited && options.size != "default") quota = {Quota::Kind::kBytes, TRY(ParseBytes(options.size))};
  const auto hub = TRY(OpenExistingHub(options.place));
  if (!options.name.empty()) return bothy::SetQuota(hub->database(), options.name, quota);
  return SetDefaultQuota(hub->database(), unlimited ? std::nullopt : std::optional(quota.bytes));
}

void ShowUsage(const NamespaceUsage& one) {
  const auto human = [](int64_t bytes) { return HumanBytes(static_cast<uint64_t>(bytes)); };
  fmt::print("{:<30} {:>10} {:>10} {:>12} {:>10}\n", one.name, human(one.usage.bytes()),
             one.quota ? human(*one.quota) : "no limit", one.repositories, one.usage.large_files);
}

Result<void> ShowUsages(const QuotaOptions& options) {
  const auto hub = TRY(OpenExistingHub(options.place));
  const auto print = [&](const NamespaceUsage& one) -> Result<void> {
    if (!options.json) {
      ShowUsage(one);
      return {};
    }
    fmt::print("{}\n", json::Serialize(json::object{{"name", one.name},
                                                    {"repositories", one.repositories},
                                                    {"large_files", one.usage.large_files},
                                                    {"large_bytes", one.usage.large_bytes},
                                                    {"git_bytes", one.usage.git_bytes},
                                                    {"quota", one.quota ? json::value(*one.quota) : json::value()}}));
    return {};
  };
  if (!options.json) {
    fmt::print("{:<30} {:>10} {:>10} {:>12} {:>10}\n", "NAME", "USED", "QUOTA", "REPOSITORIES", "LARGE FILES");
  }
  if (!options.name.empty()) return print(TRY(UsageOfNamespace(hub->database(), options.name)));
  TRY(ForEachNamespaceUsage(hub->database(), print));
  if (options.json) return {};
  const auto all = TRY(DefaultQuota(hub->database()));
  fmt::print("who has none of their own may take {}\n",
             all ? HumanBytes(static_cast<uint64_t>(*all)) : "as much as there is");
  return {};
}

void AddUser(CLI::App& admin, Runner& runner) {
  auto options = std::make_shared<UserOptions>();
  CLI::App* user = admin.add_subcommand("user", "Users");
  user->require_subcommand(1);
  CLI::App* app = user->add_subcommand("create", "Make a user");
  app->add_option("name", options->user.name, "The user's name")->required();
  app->add_flag("--admin", options->user.administrator, "An administrator of the whole hub");
  app->add_option("--full-name", options->user.full_name, "As people read it");
  app->add_option("--email", options->user.email, "An address");
  app->add_flag("--password-stdin", options->password_stdin, "The password is the first line of standard input");
  AddHubOptions(*app, options->place);
  app->footer(
      "Without a terminal and without --password-stdin a password is generated and printed.\n\n"
      "Example:\n  bothy admin user create ada --admin --full-name 'Ada Lovelace'");
  runner.Set(app, [options] { return CreateUser(*options); });
}

void AddOrganization(CLI::App& admin, Runner& runner) {
  auto options = std::make_shared<OrganizationOptions>();
  CLI::App* organization = admin.add_subcommand("org", "Organizations");
  organization->require_subcommand(1);
  CLI::App* app = organization->add_subcommand("create", "Make an organization");
  app->add_option("name", options->organization.name, "Its name")->required();
  app->add_option("--full-name", options->organization.full_name, "As people read it");
  app->add_option("--member", options->members, "USER:ROLE, with admin, write, contributor or read")
      ->allow_extra_args(false);
  app->add_flag("--private-by-default", options->organization.private_by_default,
                "New repositories are private where nobody says otherwise");
  AddHubOptions(*app, options->place);
  app->footer("Example:\n  bothy admin org create lab --member ada:admin --member bob:write");
  runner.Set(app, [options] { return CreateOrganization(*options); });
}

void AddToken(CLI::App& admin, Runner& runner) {
  auto options = std::make_shared<TokenOptions>();
  CLI::App* token = admin.add_subcommand("token", "Access tokens");
  token->require_subcommand(1);
  CLI::App* app = token->add_subcommand("create", "Make a token, and print it alone on standard output");
  app->add_option("user", options->user, "Whose")->required();
  app->add_option("--role", options->role, "read or write");
  app->add_option("--name", options->name, "By which its user knows it");
  app->add_option("--days", options->days, "How long it is good for (0: for ever)")->check(CLI::Range(0, 36500));
  AddHubOptions(*app, options->place);
  app->footer("Example:\n  export HF_TOKEN=$(bothy admin token create ada --role write)");
  runner.Set(app, [options] { return CreateToken(*options); });
}

void AddQuota(CLI::App& admin, Runner& runner) {
  auto options = std::make_shared<QuotaOptions>();
  CLI::App* quota = admin.add_subcommand("quota", "How much users and organizations take, and may take");
  quota->require_subcommand(1);
  CLI::App* show = quota->add_subcommand("show", "What is taken, and the quotas");
  show->add_option("name", options->name, "A user or an organization (all)");
  show->add_flag("--json", options->json, "A JSON object a line, in bytes");
  AddHubOptions(*show, options->place);
  show->footer("Example:\n  bothy admin quota show lab");
  runner.Set(show, [options] { return ShowUsages(*options); });

  auto change = std::make_shared<QuotaOptions>();
  CLI::App* set = quota->add_subcommand("set", "Change how much may be taken");
  set->add_option("size", change->size, "50GB, 1.5TiB ...; none: no limit; default: what all have")->required();
  set->add_option("name", change->name, "A user or an organization (all that have no quota of their own)");
  AddHubOptions(*set, change->place);
  set->footer(
      "It counts what repositories hold: large files of all of their history, and git's own. Who has more than their\n"
      "quota keeps it, and can delete but not add.\n\n"
      "Example:\n  bothy admin quota set 100GB\n  bothy admin quota set 2TB lab");
  runner.Set(set, [change] { return SetQuota(*change); });
}

}  // namespace
}  // namespace bothy::cli

BOTHY_SUBCOMMAND(admin)(CLI::App& root, Runner& runner) {
  CLI::App* app = root.add_subcommand("admin", "Manage the hub's users, organizations, tokens and quotas");
  app->require_subcommand(1);
  AddUser(*app, runner);
  AddOrganization(*app, runner);
  AddToken(*app, runner);
  AddQuota(*app, runner);
  app->footer("Example:\n  bothy admin user create ada --admin");
}
