#include "runtime/grammar/string_formats.h"

#include <map>
#include <string>

namespace bothy {
namespace {

std::map<std::string, std::string, std::less<>> MakePatterns() {
  const auto group = [](const std::string& alternatives) { return "(?:" + alternatives + ")"; };
  // RFC 3339. Year 0 and the leap second are left out: many readers know neither.
  const std::string year = "(?:[0-9]{3}[1-9]|[0-9]{2}[1-9][0-9]|[0-9][1-9][0-9]{2}|[1-9][0-9]{3})";
  const std::string fourth = "(?:0[48]|[2468][048]|[13579][26])";
  const std::string leap_year = group("[0-9]{2}" + fourth + "|" + fourth + "00");
  const std::string date = group(year +
                                 "-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|"
                                 "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))|" +
                                 leap_year + "-02-29");
  const std::string time =
      "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])";
  const std::string n = "[0-9]{1,9}";
  const std::string seconds = n + "S", minutes = n + "M(?:" + seconds + ")?", hours = n + "H(?:" + minutes + ")?";
  const std::string times = "T" + group(hours + "|" + minutes + "|" + seconds);
  const std::string days = n + "D", months = n + "M(?:" + days + ")?", years = n + "Y(?:" + months + ")?";
  const std::string duration =
      "P" + group(group(years + "|" + months + "|" + days) + "(?:" + times + ")?|" + times + "|" + n + "W");
  const std::string octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
  const std::string ipv4 = "(?:" + octet + "\\.){3}" + octet;
  const std::string h = "[0-9a-fA-F]{1,4}";
  std::string ipv6 = "(?:" + h + ":){7}" + h + "|(?:" + h + ":){1,7}:|:(?::" + h + "){1,7}|::";
  for (int before = 1; before <= 6; before++) {
    const std::string after = std::to_string(7 - before);
    ipv6 += "|(?:" + h + ":){" + std::to_string(before) + "}(?::" + h + "){1," + after + "}";
  }
  const std::string label = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,60}[A-Za-z0-9])?";
  const std::string atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}";
  const std::string path_character = "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})";
  return {
      {"date", date},
      {"time", time},
      {"date-time", date + "T" + time},
      {"duration", duration},
      {"uuid", "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"},
      {"ipv4", ipv4},
      {"ipv6", ipv6},
      {"hostname", label + "(?:\\." + label + "){0,3}"},
      {"email", atom + "(?:\\." + atom + "){0,2}@" + label + "(?:\\." + label + "){1,3}"},
      {"uri", "[A-Za-z][A-Za-z0-9+.-]{0,20}://" + label + "(?:\\." + label + "){0,3}(?::[0-9]{1,4})?(?:/" +
                  path_character + "*)*(?:\\?(?:" + path_character + "|[/?])*)?(?:#(?:" + path_character + "|[/?])*)?"},
  };
}

}  // namespace

std::optional<std::string_view> PatternOfFormat(std::string_view format) {
  static const auto patterns = MakePatterns();
  const auto found = patterns.find(format);
  if (found == patterns.end()) return std::nullopt;
  return found->second;
}

}  // namespace bothy
