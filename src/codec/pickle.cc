#include "codec/pickle.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <unordered_map>

namespace bothy {
namespace {

constexpr size_t kMaxLine = 1024;  // of the two lines that name a global
constexpr std::string_view kWhat = "pickle";

}  // namespace

std::string_view PickleKindName(PickleKind kind) {
  switch (kind) {
    case PickleKind::kNone: return "None";
    case PickleKind::kBool: return "a boolean";
    case PickleKind::kInteger: return "an integer";
    case PickleKind::kLong: return "a long integer";
    case PickleKind::kFloat: return "a float";
    case PickleKind::kString: return "a string";
    case PickleKind::kBytes: return "bytes";
    case PickleKind::kTuple: return "a tuple";
    case PickleKind::kList: return "a list";
    case PickleKind::kSet: return "a set";
    case PickleKind::kDict: return "a dict";
    case PickleKind::kGlobal: return "a global";
    case PickleKind::kCall: return "an object";
    case PickleKind::kPersistent: return "a persistent id";
  }
  return "nothing";
}

PickleKind PickleValue::kind() const { return pickle_->nodes_[node_].kind; }
int64_t PickleValue::integer() const {
  DCHECK(is(PickleKind::kInteger) || is(PickleKind::kBool));
  return pickle_->nodes_[node_].integer;
}
double PickleValue::number() const {
  DCHECK(is(PickleKind::kFloat));
  return pickle_->nodes_[node_].number;
}
std::string_view PickleValue::text() const {
  DCHECK(is(PickleKind::kString) || is(PickleKind::kBytes) || is(PickleKind::kLong));
  const auto& place = pickle_->nodes_[node_].pair;
  return std::string_view(pickle_->text_).substr(place.first, place.second);
}
size_t PickleValue::size() const {
  const size_t values = pickle_->List(node_).size();
  return is(PickleKind::kDict) || is(PickleKind::kCall) ? values / 2 : values;
}
PickleValue PickleValue::at(size_t i) const { return {*pickle_, pickle_->List(node_)[i]}; }
PickleValue PickleValue::key(size_t i) const { return {*pickle_, pickle_->List(node_)[2 * i]}; }
PickleValue PickleValue::value(size_t i) const { return {*pickle_, pickle_->List(node_)[2 * i + 1]}; }
int PickleValue::global() const {
  DCHECK(is(PickleKind::kGlobal) || is(PickleKind::kCall));
  return static_cast<int>(pickle_->nodes_[node_].pair.first);
}
PickleValue PickleValue::argument() const {
  DCHECK(is(PickleKind::kCall) || is(PickleKind::kPersistent));
  return {*pickle_, pickle_->nodes_[node_].pair.second};
}

std::span<const uint32_t> Pickle::List(uint32_t node) const { return lists_[nodes_[node].list]; }

std::vector<PickleValue> Pickle::PersistentIds() const {
  std::vector<PickleValue> ids;
  for (size_t i = 0; i < nodes_.size(); i++) {
    if (nodes_[i].kind == PickleKind::kPersistent) ids.push_back({*this, static_cast<uint32_t>(i)});
  }
  return ids;
}

class PickleReader {
 public:
  PickleReader(ByteReader& reader, std::string_view name, std::span<const PickleGlobal> globals)
      : reader_(reader), name_(name), globals_(globals) {}

  Result<Pickle> Read() {
    const auto first = TRY(Opcode());
    if (first != 0x80) return Corrupt("a pickle that starts with its protocol", fmt::format("byte {:#04x}", first));
    const auto protocol = TRY(reader_.Number<uint8_t>(kWhat));
    if (protocol < 2 || protocol > 5) {
      return Fail(ErrorCode::kUnimplemented, "{}: offset {}: expected a pickle of protocol 2 to 5, found {}", name_,
                  at_, protocol);
    }
    while (true) {
      if (++steps_ > Pickle::kMaxSteps) {
        return Fail(ErrorCode::kResourceExhausted, "{}: offset {}: more than {} steps", name_, at_, Pickle::kMaxSteps);
      }
      const auto opcode = TRY(Opcode());
      if (opcode == '.') break;
      TRY(Step(opcode));
    }
    if (stack_.size() != 1 || !marks_.empty()) {
      return Corrupt("one value when the pickle stops", fmt::format("{} and {} marks", stack_.size(), marks_.size()));
    }
    pickle_.root_ = stack_.back();
    return std::move(pickle_);
  }

 private:
  using Kind = PickleKind;
  using Node = Pickle::Node;

  tl::unexpected<Error> Corrupt(std::string_view expected, std::string_view found) const {
    return Fail(ErrorCode::kCorrupt, "{}: offset {}: expected {}, found {}", name_, at_, expected, found);
  }

  Result<uint8_t> Opcode() {
    at_ = reader_.offset();
    return reader_.Number<uint8_t>(kWhat);
  }

  Result<void> Step(uint8_t opcode) {
    switch (opcode) {
      case 0x95: return reader_.Skip(8, kWhat);  // FRAME: how much to read ahead
      case '(': marks_.push_back(stack_.size()); return {};
      case '0': TRY(Pop()); return {};
      case '1': TRY(PopMark()); return {};
      case '2': return Duplicate();
      case 'N': return Push({});
      case 0x88: return PushInteger(1, Kind::kBool);
      case 0x89: return PushInteger(0, Kind::kBool);
      case 'J': return PushInteger(TRY(reader_.Number<int32_t>(kWhat)));
      case 'K': return PushInteger(TRY(reader_.Number<uint8_t>(kWhat)));
      case 'M': return PushInteger(TRY(reader_.Number<uint16_t>(kWhat)));
      case 0x8a: return PushLong(TRY(reader_.Number<uint8_t>(kWhat)));
      case 0x8b: return PushLong(TRY(reader_.Number<uint32_t>(kWhat)));
      case 'G': return PushFloat();
      case 'U': return PushText(Kind::kString, TRY(reader_.Number<uint8_t>(kWhat)));  // Python 2's strings
      case 'T': return PushText(Kind::kString, TRY(reader_.Number<uint32_t>(kWhat)));
      case 0x8c: return PushText(Kind::kString, TRY(reader_.Number<uint8_t>(kWhat)));
      case 'X': return PushText(Kind::kString, TRY(reader_.Number<uint32_t>(kWhat)));
      case 0x8d: return PushText(Kind::kString, TRY(reader_.Number<uint64_t>(kWhat)));
      case 'C': return PushText(Kind::kBytes, TRY(reader_.Number<uint8_t>(kWhat)));
      case 'B': return PushText(Kind::kBytes, TRY(reader_.Number<uint32_t>(kWhat)));
      case 0x8e: return PushText(Kind::kBytes, TRY(reader_.Number<uint64_t>(kWhat)));
      case 0x96: return PushText(Kind::kBytes, TRY(reader_.Number<uint64_t>(kWhat)));  // a bytearray
      case ')': return Push({.kind = Kind::kTuple});
      case ']': return Push({.kind = Kind::kList});
      case '}': return Push({.kind = Kind::kDict});
      case 0x8f: return Push({.kind = Kind::kSet});
      case 0x85: return PushTuple(1);
      case 0x86: return PushTuple(2);
      case 0x87: return PushTuple(3);
      case 't': return PushOf(Kind::kTuple);
      case 'l': return PushOf(Kind::kList);
      case 'd': return PushOf(Kind::kDict);
      case 0x91: return PushOf(Kind::kSet);  // a frozenset
      case 'a': return Append({TRY(Pop())}, Kind::kList);
      case 'e': return Append(TRY(PopMark()), Kind::kList);
      case 0x90: return Append(TRY(PopMark()), Kind::kSet);
      case 's': {
        const auto value = TRY(Pop());
        return Append({TRY(Pop()), value}, Kind::kDict);
      }
      case 'u': return Append(TRY(PopMark()), Kind::kDict);
      case 'q': return Put(TRY(reader_.Number<uint8_t>(kWhat)));
      case 'r': return Put(TRY(reader_.Number<uint32_t>(kWhat)));
      case 0x94: return Put(static_cast<uint32_t>(memo_.size()));
      case 'h': return Get(TRY(reader_.Number<uint8_t>(kWhat)));
      case 'j': return Get(TRY(reader_.Number<uint32_t>(kWhat)));
      case 'c': {
        const std::string module = TRY(Line());
        return PushGlobal(module, TRY(Line()));
      }
      case 0x93: {
        const auto name = TRY(Pop(Kind::kString));
        const auto module = TRY(Pop(Kind::kString));
        return PushGlobal(std::string(Value(module).text()), std::string(Value(name).text()));
      }
      case 'R':
      case 0x81: {  // calling a function, making an object of a class: the same to us
        const auto arguments = TRY(Pop(Kind::kTuple));
        const auto function = TRY(Pop(Kind::kGlobal));
        return PushPair(Kind::kCall, pickle_.nodes_[function].pair.first, arguments);
      }
      case 'b': return Build();
      case 'Q': return PushPair(Kind::kPersistent, 0, TRY(Pop()));
      default: break;
    }
    return Fail(ErrorCode::kUnimplemented, "{}: offset {}: a pickle with opcode {:#04x} is not supported", name_, at_,
                opcode);
  }

  PickleValue Value(uint32_t node) const { return {pickle_, node}; }

  Result<void> Push(Node node) {
    pickle_.nodes_.push_back(node);
    stack_.push_back(static_cast<uint32_t>(pickle_.nodes_.size() - 1));
    return {};
  }

  Result<void> PushInteger(int64_t value, Kind kind = Kind::kInteger) {
    Node node = {.kind = kind};
    node.integer = value;
    return Push(node);
  }

  Result<void> PushPair(Kind kind, uint32_t first, uint32_t second) {
    Node node = {.kind = kind};
    node.pair = {first, second};
    return Push(node);
  }

  Result<void> PushLong(uint64_t size) {
    if (size > sizeof(int64_t)) return PushText(Kind::kLong, size);
    const std::string_view bytes = TRY(reader_.View(size, kWhat));
    uint64_t value = !bytes.empty() && (bytes.back() & 0x80) != 0 ? ~uint64_t{0} : 0;
    for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
    return PushInteger(static_cast<int64_t>(value));
  }

  Result<void> PushFloat() {  // the one number that is stored big-endian
    Node node = {.kind = Kind::kFloat};
    node.number = std::bit_cast<double>(__builtin_bswap64(TRY(reader_.Number<uint64_t>(kWhat))));
    return Push(node);
  }

  Result<void> PushText(Kind kind, uint64_t size) {
    TRY(reader_.Expect(size, kWhat));
    if (size > Pickle::kMaxText - pickle_.text_.size()) {
      return Fail(ErrorCode::kResourceExhausted, "{}: offset {}: more than {} bytes of strings", name_, at_,
                  Pickle::kMaxText);
    }
    const size_t offset = pickle_.text_.size();
    pickle_.text_.resize(offset + static_cast<size_t>(size));
    TRY(reader_.Copy(std::as_writable_bytes(std::span(pickle_.text_).subspan(offset)), kWhat));
    return PushPair(kind, static_cast<uint32_t>(offset), static_cast<uint32_t>(size));
  }

  Result<void> PushTuple(size_t size) {
    std::vector<uint32_t> values(size);
    for (size_t i = size; i-- > 0;) values[i] = TRY(Pop());
    return PushList(Kind::kTuple, std::move(values));
  }

  Result<void> PushOf(Kind kind) {
    auto values = TRY(PopMark());
    if (kind == Kind::kDict && values.size() % 2 != 0) return Corrupt("keys with values", "a key without one");
    return PushList(kind, std::move(values));
  }

  Result<void> PushList(Kind kind, std::vector<uint32_t> values) {
    Node node = {.kind = kind};
    if (!values.empty()) {
      node.list = static_cast<uint32_t>(pickle_.lists_.size());
      pickle_.lists_.push_back(std::move(values));
    }
    return Push(node);
  }

  Result<void> PushGlobal(std::string_view module, std::string_view name) {
    const auto found = std::ranges::find_if(
        globals_, [&](const PickleGlobal& global) { return global.module == module && global.name == name; });
    if (found == globals_.end()) {
      return Fail(
          ErrorCode::kPermissionDenied,
          "{}: offset {}: the pickle asks for \"{}.{}\", which no checkpoint of arrays needs: it is refused, and "
          "nothing of it was run",
          name_, at_, module, name);
    }
    return PushPair(Kind::kGlobal, static_cast<uint32_t>(found->id), 0);
  }

  Result<std::string> Line() {
    std::string line;
    while (true) {
      const auto c = static_cast<char>(TRY(reader_.Number<uint8_t>(kWhat)));
      if (c == '\n') return line;
      if (line.size() == kMaxLine) return Corrupt(fmt::format("a name of at most {} bytes", kMaxLine), "a longer one");
      line += c;
    }
  }

  // What lies above the last mark.
  Result<uint32_t> Pop() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) return Corrupt("a value on the stack", "none");
    const uint32_t node = stack_.back();
    stack_.pop_back();
    return node;
  }

  Result<uint32_t> Pop(Kind kind) {
    const auto node = TRY(Pop());
    if (!Value(node).is(kind)) return Corrupt(PickleKindName(kind), PickleKindName(Value(node).kind()));
    return node;
  }

  Result<std::vector<uint32_t>> PopMark() {
    if (marks_.empty()) return Corrupt("a mark on the stack", "none");
    const auto begin = stack_.begin() + static_cast<ptrdiff_t>(marks_.back());
    std::vector<uint32_t> values(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return values;
  }

  // Copies what the stack ends with, above the last mark.
  Result<uint32_t> Top() {
    const auto node = TRY(Pop());
    stack_.push_back(node);
    return node;
  }

  Result<void> Duplicate() {
    stack_.push_back(TRY(Top()));
    return {};
  }

  // Puts values into the container below them; what looks like a dict may be an object that behaves like one.
  Result<void> Append(const std::vector<uint32_t>& values, Kind kind) {
    const auto target = TRY(Top());
    Node& node = pickle_.nodes_[target];
    if (node.kind != kind && !(kind == Kind::kDict && node.kind == Kind::kCall)) {
      return Corrupt(PickleKindName(kind), PickleKindName(node.kind));
    }
    if (kind == Kind::kDict && values.size() % 2 != 0) return Corrupt("keys with values", "a key without one");
    if (values.empty()) return {};
    if (node.list == 0) {
      node.list = static_cast<uint32_t>(pickle_.lists_.size());
      pickle_.lists_.emplace_back();
    }
    auto& list = pickle_.lists_[node.list];
    list.insert(list.end(), values.begin(), values.end());
    return {};
  }

  // Attributes of an object ("_metadata" of a state_dict): no array is among them.
  Result<void> Build() {
    TRY(Pop());
    const auto target = TRY(Top());
    const Kind kind = Value(target).kind();
    if (kind == Kind::kCall || kind == Kind::kDict) return {};
    return Corrupt("an object to give attributes to", PickleKindName(kind));
  }

  Result<void> Put(uint32_t index) {
    memo_[index] = TRY(Top());
    return {};
  }

  Result<void> Get(uint32_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) return Corrupt(fmt::format("a value remembered as {}", index), "none");
    stack_.push_back(found->second);
    return {};
  }

  ByteReader& reader_;
  std::string name_;
  std::span<const PickleGlobal> globals_;
  Pickle pickle_;
  uint64_t at_ = 0;  // of the opcode
  uint64_t steps_ = 0;
  std::vector<uint32_t> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint32_t, uint32_t> memo_;
};

Result<Pickle> Pickle::Read(ByteReader& reader, std::string_view name, std::span<const PickleGlobal> globals) {
  return PickleReader(reader, name, globals).Read();
}

}  // namespace bothy
