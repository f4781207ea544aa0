/* The beginning of a connection behind a balancer, cut this way and that: a header means the same
 * whatever the cut, and no more than it is ever asked for. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "net/proxy.h"

#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond))                                                                               \
            abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As the gate reads it, at most `step` bytes at a time. */
static int read_parts(struct view in, size_t step, struct proxy_header *h)
{
    size_t have = 0;
    size_t more;
    int rc;

    while ((rc = proxy_parse(view_of(in.ptr, have), h, &more)) == 0) {
        MUST(more > 0 && have + more <= PROXY_HEADER_MAX);
        if (more > step)
            more = step;
        if (have + more > in.len)
            return 0;
        have += more;
    }
    MUST(rc < 0 || (size_t)rc == have);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proxy_header whole, parts;
    struct view in = view_of(data + 1, size ? size - 1 : 0);
    size_t more;
    int rc;

    if (size == 0)
        return 0;
    rc = proxy_parse(in, &whole, &more);
    MUST(rc == 0 ? more > 0 : rc == -EPROTO || (rc > 0 && (size_t)rc <= in.len));
    if (rc > 0) {
        MUST(read_parts(in, 1 + data[0] % 64, &parts) == rc);
        MUST(memcmp(&whole, &parts, sizeof(whole)) == 0);
        MUST(whole.client.ss_family == AF_UNSPEC || whole.client.ss_family == AF_INET ||
             whole.client.ss_family == AF_INET6);
    } else if (rc < 0) {
        MUST(read_parts(in, 1, &parts) <= 0);
    }
    return 0;
}
