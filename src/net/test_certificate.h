// Makes a certificate for tests, so that none that expires lies in the repository.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>
#include <string>

namespace bothy::net {

// A self-signed certificate for 127.0.0.1 and its key, as PEM files.
inline void WriteTestCertificate(const std::filesystem::path& certificate, const std::filesystem::path& key,
                                 const std::string& common_name) {
  EVP_PKEY* const pair = EVP_EC_gen("P-256");
  X509* const x509 = X509_new();
  X509_set_version(x509, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), static_cast<long>(std::hash<std::string>()(common_name) % 100'000));
  X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
  X509_set_pubkey(x509, pair);
  X509_NAME* const name = X509_get_subject_name(x509);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(common_name.c_str()), -1,
                             -1, 0);
  X509_set_issuer_name(x509, name);
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, x509, x509, nullptr, nullptr, 0);
  for (const auto& [id, value] :
       {std::pair(NID_basic_constraints, "critical,CA:TRUE"), std::pair(NID_subject_alt_name, "IP:127.0.0.1")}) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, id, value);
    X509_add_ext(x509, extension, -1);
    X509_EXTENSION_free(extension);
  }
  X509_sign(x509, pair, EVP_sha256());
  if (std::FILE* file = std::fopen(certificate.c_str(), "w")) {
    PEM_write_X509(file, x509);
    std::fclose(file);
  }
  if (std::FILE* file = std::fopen(key.c_str(), "w")) {
    PEM_write_PrivateKey(file, pair, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
  }
  X509_free(x509);
  EVP_PKEY_free(pair);
}

}  // namespace bothy::net
