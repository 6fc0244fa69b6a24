// Shards for tests, put together from plain text: nothing of keyshift's own writer is in them.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace keyshift::test {

/// A whole file from a header's JSON text and its data section.
inline std::string shard_file(std::string_view json, std::string_view data) {
  const std::uint64_t length = json.size();
  std::string file(8, '\0');
  std::memcpy(file.data(), &length, 8);
  return file.append(json).append(data);
}

/// Tensors of U8 with these names and contents, in order, with the padding that the safetensors library
/// makes.
struct NamedBytes {
  std::string name, bytes;
};
inline std::string shard_of(const std::vector<NamedBytes>& tensors,
                            std::string_view metadata = R"({"format":"pt"})") {
  std::string json = "{";
  std::string data;
  if (!metadata.empty()) json += "\"__metadata__\":" + std::string(metadata);
  for (const NamedBytes& tensor : tensors) {
    if (json.size() > 1) json += ",";
    json += "\"" + tensor.name + "\":{\"dtype\":\"U8\",\"shape\":[" + std::to_string(tensor.bytes.size()) +
            "],\"data_offsets\":[" + std::to_string(data.size()) + "," +
            std::to_string(data.size() + tensor.bytes.size()) + "]}";
    data += tensor.bytes;
  }
  json += "}";
  json.resize((json.size() + 7) / 8 * 8, ' ');
  return shard_file(json, data);
}

}  // namespace keyshift::test
