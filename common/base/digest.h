/* Message digests of short texts, as protocols write them: in hexadecimal. */
#ifndef CTIBUS_BASE_DIGEST_H
#define CTIBUS_BASE_DIGEST_H

#include <openssl/evp.h>

#include "base/view.h"

#define DIGEST_HEX (2 * EVP_MAX_MD_SIZE + 1)

/* The digest of n parts, one after the other, in lower-case hexadecimal: MD5 has 32 digits, SHA-1
 * 40, SHA-256 64. False: OpenSSL refuses the algorithm (FIPS), or has no memory; out is "" then. */
bool digest_hex(const EVP_MD *algorithm, const struct view *parts, size_t n, char out[DIGEST_HEX]);

/* digest_hex of the views that are given. */
#define DIGEST_HEX_OF(algorithm, out, ...)                                                         \
    digest_hex((algorithm), (const struct view[]){__VA_ARGS__},                                    \
               sizeof((const struct view[]){__VA_ARGS__}) / sizeof(struct view), (out))

#endif
