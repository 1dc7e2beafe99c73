// Malformed, truncated and hostile model files of every format, made here field by field. Each has to end in an error
// that names the file, the place, what was expected and what was found, without an allocation that the file's size does
// not justify.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "base/testing.h"
#include "codec/gguf.h"
#include "codec/llama2c.h"
#include "codec/safetensors.h"
#include "codec/torch_checkpoint.h"
#include "codec/zip_builder.h"

namespace {

// Bytes that this program has from operator new, and the most of them since the last reset.
std::atomic<size_t> live_bytes = 0, most_bytes = 0;

void* Count(void* memory) {
  if (memory == nullptr) std::abort();
  const size_t live = live_bytes += malloc_usable_size(memory);
  if (live > most_bytes) most_bytes = live;  // exact as long as one thread allocates, as here
  return memory;
}

void Uncount(void* memory) {
  live_bytes -= malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

void* operator new(size_t size) { return Count(std::malloc(size)); }
void* operator new[](size_t size) { return Count(std::malloc(size)); }
void* operator new(size_t size, std::align_val_t align) { return Count(std::aligned_alloc(size_t(align), size)); }
void* operator new[](size_t size, std::align_val_t align) { return Count(std::aligned_alloc(size_t(align), size)); }
void operator delete(void* memory) noexcept { Uncount(memory); }
void operator delete[](void* memory) noexcept { Uncount(memory); }
void operator delete(void* memory, size_t) noexcept { Uncount(memory); }
void operator delete[](void* memory, size_t) noexcept { Uncount(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { Uncount(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { Uncount(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { Uncount(memory); }
void operator delete[](void* memory, size_t, std::align_val_t) noexcept { Uncount(memory); }

namespace bothy {
namespace {

struct Case {
  std::string what;
  std::string bytes;
  ErrorCode code;
  std::vector<std::string> parts;  // of the message, besides the file's name
};

using Read = std::function<Result<Checkpoint>(std::shared_ptr<const ByteSource>)>;

// A window of 64 KiB, a z_stream of 40 KiB and the like are there for every file; beyond that at most this many bytes
// for one of the file's: a value of one byte (an empty list of a pickle) is a node of 16, in vectors that double.
constexpr size_t kFixed = 512 << 10;
constexpr size_t kForAByte = 64;

void CheckCases(const std::string& file, const Read& read, const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    const std::shared_ptr<const ByteSource> source = MemorySource(file, c.bytes);
    const size_t before = live_bytes;
    most_bytes = before;
    const auto result = read(source);
    const size_t most = most_bytes - before;
    EXPECT_LE(most, kFixed + kForAByte * c.bytes.size());
    if (result) {
      ADD_FAILURE() << "was read";
      continue;
    }
    const std::string& message = result.error().message;
    EXPECT_EQ(ErrorCodeName(result.error().code), ErrorCodeName(c.code)) << message;
    EXPECT_EQ(message.find(file), 0u) << message;
    EXPECT_THAT(message, testing::AnyOf(testing::HasSubstr("offset "), testing::HasSubstr("key \""),
                                        testing::HasSubstr("array \""), testing::HasSubstr("tensor \""),
                                        testing::HasSubstr("member \""), testing::HasSubstr("expected ")));
    for (const std::string& part : c.parts) EXPECT_THAT(message, testing::HasSubstr(part));
  }
}

std::string U8(uint64_t v) { return {static_cast<char>(v)}; }
std::string Number(uint64_t v, size_t bytes) {
  std::string text;
  AppendNumber(text, v, bytes);
  return text;
}
std::string U32(uint64_t v) { return Number(v, 4); }
std::string U64(uint64_t v) { return Number(v, 8); }

constexpr ErrorCode kCorrupt = ErrorCode::kCorrupt;
constexpr ErrorCode kUnimplemented = ErrorCode::kUnimplemented;
constexpr ErrorCode kExhausted = ErrorCode::kResourceExhausted;

// ---- GGUF ----

std::string Text(std::string_view text) { return U64(text.size()) + std::string(text); }
std::string Key(std::string_view key, uint32_t type) { return Text(key) + U32(type); }
std::string Gguf3(uint64_t tensors, uint64_t keys, const std::string& rest = "") {
  return "GGUF" + U32(3) + U64(tensors) + U64(keys) + rest;
}
std::string OneKey(uint32_t type, const std::string& value) { return Gguf3(0, 1, Key("the.key", type) + value); }
std::string Tensor(std::string_view name, const std::vector<uint64_t>& dimensions, uint32_t type, uint64_t offset) {
  std::string text = Text(name) + U32(dimensions.size());
  for (const uint64_t n : dimensions) text += U64(n);
  return text + U32(type) + U64(offset);
}
std::string OneTensor(const std::vector<uint64_t>& dimensions, uint32_t type, uint64_t offset) {
  return Gguf3(1, 0, Tensor("the.tensor", dimensions, type, offset) + std::string(256, '\0'));
}

std::vector<Case> GgufCases() {
  constexpr uint64_t kHuge = uint64_t{1} << 62;
  const std::string key = "key \"the.key\"", tensor = "tensor \"the.tensor\"";
  std::string nested;
  for (int depth = 0; depth < 20; depth++) nested += U32(9) + U64(1);
  std::string many_nested;
  for (int i = 0; i < 1000; i++) many_nested += U32(0) + U64(0);
  const std::string two_f32 = Tensor("a", {8}, 0, 0) + Tensor("b", {8}, 0, 0);
  return {
      {"empty", "", kCorrupt, {"offset 0", "magic", "expected 4 more bytes, the file ends at 0"}},
      {"other magic", "GGML" + U32(3), kCorrupt, {"offset 0", "magic", "expected \"GGUF\""}},
      {"magic only", "GGUF", kCorrupt, {"offset 4", "version"}},
      {"version 1", "GGUF" + U32(1), kUnimplemented, {"offset 4", "expected GGUF version 2 or 3, found 1"}},
      {"version 4", "GGUF" + U32(4), kUnimplemented, {"offset 4", "found 4"}},
      {"big-endian", "GGUF" + std::string("\0\0\0\3", 4), kUnimplemented, {"offset 4", "big-endian"}},
      {"big-endian magic", "FUGG" + std::string("\0\0\0\3", 4), kUnimplemented, {"big-endian"}},
      {"no counts", "GGUF" + U32(3) + U32(0), kCorrupt, {"offset 8", "tensor count"}},
      {"2^62 tensors", Gguf3(kHuge, 0), kCorrupt, {"offset 8", "at most 0", "found 4611686018427387904"}},
      {"2^62 keys", Gguf3(0, kHuge), kCorrupt, {"offset 16", "key count", "found 4611686018427387904"}},
      {"a key more than there is", Gguf3(0, 2, Key("a", 4) + U32(1) + std::string(9, '\0')), kCorrupt, {"offset"}},
      {"2^62 bytes of key",
       Gguf3(0, 1, U64(kHuge) + std::string(64, 'x')),
       kCorrupt,
       {"offset 24", "key 1 of 1", "65535"}},
      {"65536 bytes of key", Gguf3(0, 1, U64(65536) + std::string(70000, 'x')), kCorrupt, {"offset 24", "found 65536"}},
      {"value type 13", OneKey(13, U64(0)), kCorrupt, {key, "expected a value type below 13, found 13"}},
      {"2^62 bytes of string", OneKey(8, U64(kHuge)), kCorrupt, {key, "expected 4611686018427387904 more bytes"}},
      {"a string past the end",
       OneKey(8, U64(10) + "123456789"),
       kCorrupt,
       {key, "expected 10 more bytes, the file ends"}},
      {"a boolean of 2", OneKey(7, U8(2)), kCorrupt, {key, "expected a boolean of 0 or 1, found 2"}},
      {"a boolean of 9 in an array",
       OneKey(9, U32(7) + U64(3) + std::string("\0\1\x09", 3)),
       kCorrupt,
       {key, "found 9"}},
      {"an array of type 99", OneKey(9, U32(99) + U64(1)), kCorrupt, {key, "below 13, found 99"}},
      {"an array of 2^62 numbers", OneKey(9, U32(10) + U64(kHuge)), kCorrupt, {key, "at most 0 elements"}},
      {"an array of 2^61 + 1 numbers", OneKey(9, U32(10) + U64(kHuge / 2 + 1) + U64(0)), kCorrupt, {key, "at most 1 "}},
      {"an array of 2^32 strings", OneKey(9, U32(8) + U64(uint64_t{1} << 32)), kCorrupt, {key, "at most 0 elements"}},
      {"a string past the array", OneKey(9, U32(8) + U64(1) + U64(99)), kCorrupt, {key, "expected 99 more bytes"}},
      {"arrays 20 deep", OneKey(9, nested + U64(0)), kExhausted, {key, "nested more than 8 deep"}},
      {"1001 of 1000 arrays", OneKey(9, U32(9) + U64(1001) + many_nested), kCorrupt, {key, "at most 1000 elements"}},
      {"a key twice", Gguf3(0, 2, Key("k", 4) + U32(1) + Key("k", 4) + U32(2)), kCorrupt, {"key \"k\" is there twice"}},
      {"alignment 0",
       Gguf3(0, 1, Key("general.alignment", 4) + U32(0)),
       kCorrupt,
       {"general.alignment", "power of two", "found 0"}},
      {"alignment 24", Gguf3(0, 1, Key("general.alignment", 4) + U32(24)), kCorrupt, {"general.alignment", "found 24"}},
      {"alignment \"32\"",
       Gguf3(0, 1, Key("general.alignment", 8) + Text("32")),
       kCorrupt,
       {"general.alignment", "found string"}},
      {"alignment 2^63",
       Gguf3(0, 1, Key("general.alignment", 10) + U64(uint64_t{1} << 63)),
       kCorrupt,
       {"general.alignment"}},
      {"9 dimensions",
       OneTensor(std::vector<uint64_t>(9, 1), 0, 0),
       kCorrupt,
       {tensor, "at most 8 dimensions, found 9"}},
      {"2^32 dimensions",
       Gguf3(1, 0, Text("the.tensor") + U32(0xffffffff) + U64(1)),
       kCorrupt,
       {tensor, "found 4294967295"}},
      {"2^64 elements", OneTensor({1 << 16, 1 << 16, 1 << 16, 1 << 16}, 0, 0), kCorrupt, {tensor, "below 2^64"}},
      {"a row of 2^63", OneTensor({uint64_t{1} << 63}, 0, 0), kCorrupt, {tensor, "rows of a multiple of 1"}},
      {"tensor type 99", OneTensor({4}, 99, 0), kCorrupt, {tensor, "a tensor type of the format, found 99"}},
      {"tensor type 4, given up", OneTensor({4}, 4, 0), kCorrupt, {tensor, "found 4"}},
      {"tensor type IQ2_XXS", OneTensor({256}, 16, 0), kUnimplemented, {tensor, "IQ2_XXS"}},
      {"half a block of Q4_0",
       OneTensor({48}, 2, 0),
       kCorrupt,
       {tensor, "multiple of 32 elements, for Q4_0", "found 48"}},
      {"an offset of 8", OneTensor({4}, 0, 8), kCorrupt, {tensor, "a multiple of 32, found 8"}},
      {"data past the end",
       OneTensor({4096}, 0, 0),
       kCorrupt,
       {"\"the.tensor\"", "expected 16384 bytes", "the file ends"}},
      {"an offset past the end", OneTensor({4}, 0, 1 << 20), kCorrupt, {"\"the.tensor\"", "the file ends"}},
      {"an offset of 2^64 - 32", OneTensor({4}, 0, ~uint64_t{31}), kCorrupt, {tensor, "expected an offset below"}},
      {"tensors that share data",
       Gguf3(2, 0, two_f32 + std::string(256, '\0')),
       kCorrupt,
       {"tensor \"", "\"a\"", "\"b\""}},
      {"a tensor twice",
       Gguf3(2, 0, Tensor("a", {8}, 0, 0) + Tensor("a", {8}, 0, 32) + std::string(256, '\0')),
       kCorrupt,
       {"\"a\" is there twice"}},
  };
}

TEST(Hostile, GgufFiles) {
  CheckCases(
      "bad.gguf", [](auto source) -> Result<Checkpoint> { return TRY(ReadGguf(source)).checkpoint; }, GgufCases());
}

// ---- safetensors ----

std::string Safe(const std::string& header, const std::string& data = "") { return Text(header) + data; }

std::vector<Case> SafetensorsCases() {
  const auto array = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return "{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
  };
  const auto one = [&](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return Safe("{\"a\":" + array(dtype, shape, offsets) + "}", "12345678");
  };
  const std::string key = "key \"a\"";
  const std::string good = array("U8", "[4]", "[0,4]");
  return {
      {"empty", "", kCorrupt, {"offset 0", "length of the header"}},
      {"seven bytes", "1234567", kCorrupt, {"expected 8 more bytes, the file ends at 7"}},
      {"a header of 2^64 - 1", U64(~uint64_t{0}), kCorrupt, {"offset 0", "at most 100000000 bytes"}},
      {"a header of 100000001", U64(100'000'001) + "{}", kCorrupt, {"found 100000001"}},
      {"a header past the end", U64(100) + "{}", kCorrupt, {"offset 8", "header", "expected 100 more bytes"}},
      {"no brace", Safe("[]"), kCorrupt, {"offset 8", "starts with {", "0x5b"}},
      {"no JSON", Safe("{\"a\""), kCorrupt, {"offset ", "not valid JSON"}},
      {"no UTF-8", Safe("{\"\xc3\x28\":1}"), kCorrupt, {"offset ", "not valid JSON"}},
      {"100 deep", Safe("{\"a\":{\"x\":" + std::string(100, '[') + std::string(100, ']') + "}}"), kCorrupt, {"JSON"}},
      {"a million open brackets", Safe("{\"a\":{\"x\":" + std::string(1'000'000, '[')), kCorrupt, {"JSON"}},
      {"two headers", Safe("{}{}"), kCorrupt, {"offset 10", "text after"}},
      {"an array that is a number", Safe("{\"a\":1}"), kCorrupt, {key, "expected an object, found 1"}},
      {"no dtype", Safe("{\"a\":{\"shape\":[],\"data_offsets\":[0,0]}}"), kCorrupt, {key, "\"dtype\""}},
      {"dtype 7", Safe("{\"a\":{\"dtype\":7}}"), kCorrupt, {key, "a dtype that is a string, found 7"}},
      {"an unknown dtype", one("F31", "[2]", "[0,8]"), kCorrupt, {key, "found F31"}},
      {"a dtype of four bits",
       one("F4", "[16]", "[0,8]"),
       kUnimplemented,
       {"array \"a\"", "type F4 are not supported"}},
      {"a negative shape", one("U8", "[-8]", "[0,8]"), kCorrupt, {key, "found -8"}},
      {"a shape of fractions", one("U8", "[8.5]", "[0,8]"), kCorrupt, {key, "whole numbers", "found 8.5"}},
      {"a shape of 2^64", one("U8", "[18446744073709551616]", "[0,8]"), kCorrupt, {key, "whole numbers"}},
      {"2^64 elements", one("U8", "[4294967296,4294967296]", "[0,8]"), kCorrupt, {key, "fewer than 2^64"}},
      {"another size", one("F32", "[3]", "[0,8]"), kCorrupt, {key, "expected 12 bytes for F32 of shape [3]", "[0, 8]"}},
      {"offsets backwards", one("U8", "[8]", "[8,0]"), kCorrupt, {key, "found [8, 0]"}},
      {"one offset", one("U8", "[8]", "[0]"), kCorrupt, {key, "two data_offsets, found 1"}},
      {"three offsets", one("U8", "[8]", "[0,8,8]"), kCorrupt, {key, "two data_offsets, found 3"}},
      {"data past the end", one("U8", "[9]", "[0,9]"), kCorrupt, {key, "up to offset"}},
      {"2^60 bytes",
       one("U8", "[1152921504606846976]", "[0,1152921504606846976]"),
       kCorrupt,
       {key, "the file ends at"}},
      {"data left over", one("U8", "[7]", "[0,7]"), kCorrupt, {"offset ", "the end of the file, found 1 more bytes"}},
      {"a hole",
       Safe("{\"a\":" + good + ",\"b\":" + array("U8", "[2]", "[6,8]") + "}", "12345678"),
       kCorrupt,
       {"key \"b\"", "begin at 4", "[6, 8]"}},
      {"an overlap",
       Safe("{\"a\":" + good + ",\"b\":" + array("U8", "[6]", "[2,8]") + "}", "12345678"),
       kCorrupt,
       {"key \"b\"", "begin at 4", "[2, 8]"}},
      {"a key twice",
       Safe("{\"a\":" + good + ",\"a\":" + array("U8", "[4]", "[4,8]") + "}", "12345678"),
       kCorrupt,
       {"\"a\" is there twice"}},
      {"metadata of numbers", Safe("{\"__metadata__\":{\"k\":1}}"), kCorrupt, {"key \"k\"", "strings only, found 1"}},
      {"metadata twice", Safe("{\"__metadata__\":{\"k\":\"\",\"k\":\"\"}}"), kCorrupt, {"\"k\" is there twice"}},
  };
}

TEST(Hostile, SafetensorsFiles) {
  CheckCases(
      "bad.safetensors", [](auto source) -> Result<Checkpoint> { return TRY(ReadSafetensors(source)).checkpoint; },
      SafetensorsCases());
}

// ---- PyTorch ----

std::string PickledText(std::string_view text) { return "X" + U32(text.size()) + std::string(text); }
std::string Global(std::string_view module, std::string_view name) { return fmt::format("c{}\n{}\n", module, name); }
std::string Long(int64_t v) { return U8(0x8a) + U8(8) + U64(static_cast<uint64_t>(v)); }
std::string Tuple(const std::string& items) { return "(" + items + "t"; }
std::string Sizes(const std::vector<int64_t>& sizes) {
  std::string text;
  for (const int64_t n : sizes) text += Long(n);
  return Tuple(text);
}
std::string PickledStorage(std::string_view key, int64_t elements, std::string_view type = "FloatStorage") {
  return Tuple(PickledText("storage") + Global("torch", type) + PickledText(key) + PickledText("cpu") +
               Long(elements)) +
         "Q";
}
std::string PickledTensor(const std::string& storage, int64_t offset, const std::vector<int64_t>& sizes,
                          const std::vector<int64_t>& strides) {
  return Global("torch._utils", "_rebuild_tensor_v2") +
         Tuple(storage + Long(offset) + Sizes(sizes) + Sizes(strides) + "\x89" + "}") + "R";
}
std::string Pickled(const std::string& body) { return "\x80\x02" + body + "."; }
std::string Dict(const std::string& items) { return Pickled("}(" + items + "u"); }
std::string OneArray(const std::string& tensor) { return Dict(PickledText("w") + tensor); }

// An archive with that pickle and a storage "0" of 6 floats.
ZipBuilder TorchZip(const std::string& pickle) {
  ZipBuilder zip;
  zip.Add("m/data.pkl", pickle);
  zip.Add("m/data/0", std::string(24, 'x'));
  return zip;
}
std::string Torch(const std::string& pickle) { return TorchZip(pickle).Finish(); }
std::string TorchTensorOf(int64_t elements, int64_t offset, const std::vector<int64_t>& sizes,
                          const std::vector<int64_t>& strides) {
  return Torch(OneArray(PickledTensor(PickledStorage("0", elements), offset, sizes, strides)));
}

std::vector<Case> TorchCases() {
  constexpr ErrorCode kDenied = ErrorCode::kPermissionDenied;
  const std::string pickle = "m/data.pkl: offset", array = "array \"w\"";
  const std::string fine = OneArray(PickledTensor(PickledStorage("0", 6), 0, {2, 3}, {3, 1}));
  const auto changed = [&](const std::function<void(ZipBuilder&)>& change) {
    ZipBuilder zip = TorchZip(fine);
    change(zip);
    return zip.Finish();
  };
  std::string bad_locator = TorchZip(fine).Finish(true);
  bad_locator[bad_locator.size() - 22 - 20 + 8 + 6] = '\x7f';
  std::string bad_directory = Torch(fine);
  bad_directory[bad_directory.size() - 22 + 16 + 3] = '\x7f';
  return {
      {"empty", "", kCorrupt, {"offset 0", "a zip archive"}},
      {"no archive", std::string(1000, 'x'), kCorrupt, {"the end record of a zip archive"}},
      {"cut", Torch(fine).substr(0, 200), kCorrupt, {"the end record"}},
      {"members that are not there", TorchZip(fine).Finish(false, 100), kCorrupt, {"offset", "at most", "found 102"}},
      {"2^40 members", TorchZip(fine).Finish(true, int64_t{1} << 40), kCorrupt, {"at most"}},
      {"a directory past the end", bad_directory, kCorrupt, {"offset", "a directory that ends before"}},
      {"a zip64 record past the end", bad_locator, kCorrupt, {"offset", "zip64 end record"}},
      {"members that share bytes", changed([](auto& zip) { zip.members[1].header = 0; }), kCorrupt, {"member \""}},
      {"a member past the end",
       changed([](auto& zip) { zip.members[1].header = 1 << 30; }),
       kCorrupt,
       {"member \"m/data/0\""}},
      {"a member twice",
       changed([](auto& zip) { zip.Add("m/data/0", "x"); }),
       kCorrupt,
       {"\"m/data/0\" is there twice"}},
      {"an encrypted pickle",
       changed([](auto& zip) { zip.members[0].flags = 1; }),
       kUnimplemented,
       {"m/data.pkl", "encryption"}},
      {"a pickle of 4 GB out of 10 bytes",
       [] {
         ZipBuilder zip;
         zip.Add("m/data.pkl", "0123456789", true).size = 0xfffffff0;
         return zip.Finish();
       }(),
       kCorrupt,
       {"m/data.pkl", "cannot become the 4294967280"}},
      {"no pickle",
       [] {
         ZipBuilder zip;
         zip.Add("m/other.pkl", "}.");
         return zip.Finish();
       }(),
       kCorrupt,
       {"expected a member NAME/data.pkl"}},
      {"two pickles",
       changed([](auto& zip) { zip.Add("n/data.pkl", "x"); }),
       kCorrupt,
       {"expected one checkpoint", "n/data.pkl"}},
      {"a program", changed([](auto& zip) { zip.Add("m/constants.pkl", "x"); }), kUnimplemented, {"TorchScript"}},
      {"big-endian",
       changed([](auto& zip) { zip.Add("m/byteorder", "big"); }),
       kUnimplemented,
       {"m/byteorder", "found \"big\""}},
      {"an empty pickle", Torch(""), kCorrupt, {pickle, "expected 1 more bytes"}},
      {"no protocol", Torch("}."), kCorrupt, {pickle, "starts with its protocol"}},
      {"protocol 0", Torch(std::string("\x80\0}.", 4)), kUnimplemented, {pickle, "protocol 2 to 5, found 0"}},
      {"os.system",
       Torch(Pickled(Global("os", "system") + Tuple(PickledText("true")) + "R")),
       kDenied,
       {pickle, "\"os.system\""}},
      {"posix.system on the stack",
       Torch(Pickled(PickledText("posix") + PickledText("system") + "\x93")),
       kDenied,
       {"\"posix.system\""}},
      {"eval hidden in a tensor",
       Torch(OneArray(Global("builtins", "eval") + Tuple("") + "R")),
       kDenied,
       {"\"builtins.eval\""}},
      {"an attribute of an allowed name",
       Torch(Pickled(Global("collections", "OrderedDict.__init__"))),
       kDenied,
       {"OrderedDict.__init__"}},
      {"a call of no name",
       Torch(Pickled(PickledText("x") + ")R")),
       kCorrupt,
       {pickle, "expected a global, found a string"}},
      {"an object of protocol 0", Torch(Pickled("(ios\nsystem\n")), kUnimplemented, {pickle, "opcode 0x69"}},
      {"extension codes", Torch(Pickled("\x82\x01")), kUnimplemented, {pickle, "opcode 0x82"}},
      {"an empty stack", Torch(Pickled("R")), kCorrupt, {pickle, "expected a value on the stack"}},
      {"below the mark", Torch(Pickled("}(s")), kCorrupt, {pickle, "expected a value on the stack"}},
      {"no mark", Torch(Pickled("}u")), kCorrupt, {pickle, "expected a mark"}},
      {"a key without value", Torch(Pickled("}(Nu")), kCorrupt, {pickle, "keys with values"}},
      {"items of a list", Torch(Pickled("](NNu")), kCorrupt, {pickle, "expected a dict, found a list"}},
      {"nothing remembered", Torch(Pickled("h\x07")), kCorrupt, {pickle, "remembered as 7"}},
      {"a string of 4 GB", Torch("\x80\x02X" + U32(0xfffffff0)), kCorrupt, {pickle, "expected 4294967280 more bytes"}},
      {"a string of 2^63", Torch("\x80\x04\x8d" + U64(uint64_t{1} << 63)), kCorrupt, {pickle, "more bytes"}},
      {"a number of 2 GB", Torch("\x80\x02\x8b" + U32(0x7ffffff0)), kCorrupt, {pickle, "more bytes"}},
      {"a name without end",
       Torch("\x80\x02"
             "c" +
             std::string(5000, 'x')),
       kCorrupt,
       {pickle, "a name of at most 1024"}},
      {"values left over", Torch(Pickled("}}")), kCorrupt, {pickle, "one value when the pickle stops"}},
      {"no end", Torch(std::string(fine.begin(), fine.end() - 1)), kCorrupt, {pickle, "expected 1 more bytes"}},
      {"100000 empty lists", Torch(Pickled(std::string(100'000, ']'))), kCorrupt, {"found 100000"}},
      {"no dictionary", Torch(Pickled("N")), kCorrupt, {"a dictionary of tensors, found None"}},
      {"no tensors", Torch(Dict(PickledText("epoch") + Long(1))), kCorrupt, {"one of 1 keys without any: \"epoch\""}},
      {"itself as state_dict",
       Torch("\x80\x02}q\x01(" + PickledText("state_dict") + "h\x01u."),
       kCorrupt,
       {"\"state_dict\""}},
      {"a storage that is a string",
       Torch(OneArray(PickledTensor(PickledText("x"), 0, {1}, {1}))),
       kCorrupt,
       {array, "a storage"}},
      {"a storage of no type",
       Torch(OneArray(PickledTensor(PickledText("x") + "Q", 0, {1}, {1}))),
       kCorrupt,
       {array, "persistent id"}},
      {"no such storage",
       Torch(OneArray(PickledTensor(PickledStorage("7", 6), 0, {6}, {1}))),
       kCorrupt,
       {array, "m/data/7"}},
      {"a path as storage",
       Torch(OneArray(PickledTensor(PickledStorage("../x", 6), 0, {6}, {1}))),
       kCorrupt,
       {"data/../x"}},
      {"a storage that is too small", TorchTensorOf(7, 0, {7}, {1}), kCorrupt, {array, "\"0\" of 28 bytes, found 24"}},
      {"a storage of -1", TorchTensorOf(-1, 0, {6}, {1}), kCorrupt, {array, "a storage with a number of elements"}},
      {"a storage of 2^62", TorchTensorOf(int64_t{1} << 62, 0, {6}, {1}), kCorrupt, {array}},
      {"elements past the storage", TorchTensorOf(6, 0, {7}, {1}), kCorrupt, {array, "a storage of 6", "shape [7]"}},
      {"an offset past the storage", TorchTensorOf(6, 6, {1}, {1}), kCorrupt, {array, "from 6 on"}},
      {"strides past the storage", TorchTensorOf(6, 0, {2, 3}, {4, 1}), kCorrupt, {array, "strides [4, 1]"}},
      {"strides of 2^62", TorchTensorOf(6, 0, {9, 9}, {int64_t{1} << 62, 1}), kCorrupt, {array, "a storage of 6"}},
      {"a negative stride", TorchTensorOf(6, 5, {6}, {-1}), kCorrupt, {array, "as many strides"}},
      {"a stride too few", TorchTensorOf(6, 0, {2, 3}, {1}), kCorrupt, {array, "as many strides"}},
      {"2^64 elements of one", TorchTensorOf(6, 0, {int64_t{1} << 32, int64_t{1} << 32}, {0, 0}), kCorrupt, {array}},
      {"2^40 elements of one",
       TorchTensorOf(6, 0, {int64_t{1} << 40}, {0}),
       kCorrupt,
       {array, "at most 4194304 elements"}},
  };
}

TEST(Hostile, TorchZips) { CheckCases("bad.bin", ReadTorchCheckpoint, TorchCases()); }

std::vector<Case> OldTorchCases() {
  const std::string magic = std::string("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
  const std::string protocol = Pickled("M" + Number(1001, 2));
  const std::string machine = Dict(PickledText("little_endian") + "\x88");
  const std::string object = OneArray(PickledTensor(PickledStorage("k", 6), 0, {6}, {1}));
  const std::string keys = Pickled("](" + PickledText("k") + "e");
  const std::string before = magic + protocol + machine + object;
  return {
      {"protocol 1002", magic + Pickled("M" + Number(1002, 2)), kCorrupt, {"a checkpoint of protocol 1001"}},
      {"big-endian",
       magic + protocol + Dict(PickledText("little_endian") + "\x89"),
       kUnimplemented,
       {"key \"little_endian\""}},
      {"a name among the machine's facts",
       magic + protocol + Pickled(Global("os", "system")),
       ErrorCode::kPermissionDenied,
       {"\"os.system\""}},
      {"no keys", before + Pickled("N"), kCorrupt, {"a list of the storages' keys, found None"}},
      {"a key that nobody uses", before + Pickled("](" + PickledText("z") + "e"), kCorrupt, {"found \"z\""}},
      {"no storage", before + Pickled("]"), kCorrupt, {"array \"w\"", "a storage \"k\", found none"}},
      {"a storage of 2^62", before + keys + U64(uint64_t{1} << 62), kCorrupt, {"storage \"k\"", "the file ends"}},
      {"a storage that is too small",
       before + keys + U64(5) + std::string(20, 'x'),
       kCorrupt,
       {"of 24 bytes, found 20"}},
      {"a storage cut short",
       before + keys + U64(6) + std::string(23, 'x'),
       kCorrupt,
       {"storage \"k\"", "expected 24 more"}},
  };
}

TEST(Hostile, TorchFilesFromBeforeZip) { CheckCases("bad.pt", ReadTorchCheckpoint, OldTorchCases()); }

// ---- llama2.c ----

std::vector<Case> Llama2cCases() {
  const auto header = [](const std::vector<int64_t>& fields) {
    std::string text;
    for (const int64_t field : fields) text += U32(static_cast<uint64_t>(field));
    return text;
  };
  const std::string small = header({8, 12, 2, 4, 2, 6, 4});
  const auto versioned = [&](uint32_t version, int64_t group) {
    std::string text = U32(0x616b3432) + U32(version) + small + U8(1) + U32(static_cast<uint64_t>(group));
    text.resize(256);
    return text;
  };
  return {
      {"empty", "", kCorrupt, {"offset 0", "header"}},
      {"half a header", small.substr(0, 14), kCorrupt, {"offset 12", "n_heads"}},
      {"a width of 0", header({0, 12, 2, 4, 2, 6, 4}), kCorrupt, {"offset 0", "dim: expected 1 to", "found 0"}},
      {"a width of -8", header({-8, 12, 2, 4, 2, 6, 4}), kCorrupt, {"offset 0", "found -8"}},
      {"a width of 2^31 - 1", header({0x7fffffff, 12, 2, 4, 2, 6, 4}), kCorrupt, {"found 2147483647"}},
      {"a million layers", header({8, 12, 1'000'000, 4, 2, 6, 4}), kCorrupt, {"offset 8", "n_layers", "found 1000000"}},
      {"no vocabulary", header({8, 12, 2, 4, 2, 0, 4}), kCorrupt, {"offset 20", "vocab_size", "found 0"}},
      {"a vocabulary of -2^31", header({8, 12, 2, 4, 2, -2147483648LL, 4}), kCorrupt, {"offset 20", "vocab_size"}},
      {"heads that do not share the width", header({8, 12, 2, 3, 1, 6, 4}), kCorrupt, {"found 8, 3, 1"}},
      {"key heads that do not share", header({24, 12, 2, 4, 3, 6, 4}), kCorrupt, {"found 24, 4, 3"}},
      {"no data", small, kCorrupt, {"offset 28", "array \"model.embed_tokens.weight\"", "expected 192 bytes"}},
      {"the largest of all",
       header({1 << 24, 1 << 24, 4096, 2, 2, 1 << 24, 1 << 24}) + std::string(99, 'x'),
       kCorrupt,
       {"offset 28", "expected 1125899906842624 bytes"}},
      {"version 9", versioned(9, 4), kUnimplemented, {"offset 4", "version 1 or 2", "found 9"}},
      {"groups of 0", versioned(2, 0), kCorrupt, {"group_size", "found 0"}},
      {"groups of 3", versioned(2, 3), kCorrupt, {"group_size", "expected a divisor of 8, found 3"}},
      {"version 1 without data",
       versioned(1, 0),
       kCorrupt,
       {"offset 256", "array \"model.layers.0.input_layernorm.weight\""}},
  };
}

TEST(Hostile, Llama2cFiles) {
  CheckCases(
      "bad.bin", [](auto source) -> Result<Checkpoint> { return TRY(ReadLlama2c(source)).checkpoint; }, Llama2cCases());
}

}  // namespace
}  // namespace bothy
