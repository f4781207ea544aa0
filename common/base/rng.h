/* Random bytes from the kernel. */
#ifndef CTIBUS_BASE_RNG_H
#define CTIBUS_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* Fills p with n random bytes fit for cryptography. Cannot fail on a kernel with getrandom(2). */
void rng_bytes(void *p, size_t n);
uint64_t rng_u64(void);

/* Writes n random letters and digits and a NUL (s has n + 1 bytes), about 5.95 bits each. */
void rng_alnum(char *s, size_t n);

#endif
