#include <errno.h>
#include <stdlib.h>

#include "base/netaddr.h"

#define V4_BITS 96 /* of the 128, in front of those of IPv4 */

/* Whether the first `bits` of both are the same. */
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8;
    unsigned rest = bits % 8;

    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

static bool is_zero_behind(const uint8_t *a, unsigned bits)
{
    static const uint8_t zero[16];
    uint8_t rest[16];

    memcpy(rest, a, sizeof(rest));
    for (unsigned i = 0; i < bits; i++)
        rest[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
    return memcmp(rest, zero, sizeof(rest)) == 0;
}

static int wrong(const char **why, const char *reason)
{
    *why = reason;
    return -EINVAL;
}

int network_parse(struct view text, struct network *out, const char **why)
{
    struct view length = text;
    struct view address = view_cut(&length, '/');
    bool v4 = address.len && !memchr(address.ptr, ':', address.len);
    unsigned most = v4 ? 32 : 128;
    uint64_t bits = most;

    if (netaddr_parse(address, &out->address) < 0)
        return wrong(why, "is neither an address nor a network: names are not looked up");
    if (address.len < text.len && (view_to_u64(length, &bits) < 0 || bits > most))
        return wrong(why,
                     v4 ? "behind the / must stand 0 to 32" : "behind the / must stand 0 to 128");
    out->bits = (uint8_t)(v4 ? V4_BITS + bits : bits);
    if (!is_zero_behind(out->address.byte, out->bits))
        return wrong(why, "has bits that its length does not count: the network's own address is "
                          "meant, as 10.0.0.0/8");
    return 0;
}

int netlist_add(struct netlist *l, const struct network *net)
{
    struct network *list = reallocarray(l->list, l->n + 1, sizeof(*list));

    if (!list)
        return -ENOMEM;
    list[l->n++] = *net;
    l->list = list;
    return 0;
}

bool netlist_has(const struct netlist *l, const struct netaddr *a)
{
    for (size_t i = 0; i < l->n; i++)
        if (same_bits(l->list[i].address.byte, a->byte, l->list[i].bits))
            return true;
    return false;
}

void netlist_clear(struct netlist *l)
{
    free(l->list);
    *l = (struct netlist){NULL, 0};
}
