/*
 * The guard against guessed passwords. It counts failed logins over a while, by address and by user
 * name: one address must not try many passwords, nor many addresses the passwords of one user.
 *
 * From a few failures on answers are held back. Only an address is refused in the end: to refuse a
 * user name would let anybody lock a user out. Names are counted as they are said, so that nothing
 * shows whether there is such a user.
 */
#include <netinet/in.h>
#include <stdlib.h>

#include "base/rng.h"
#include "internal.h"

/* A table is in sets; a new key takes the place in its set that says least. Where a key belongs is
 * secret, so that nobody can push another out on purpose. */
#define WAYS 4
#define SETS 1024
#define DELAY_FROM 5
#define ADDRESS_WINDOW_US 60000000u
#define ADDRESS_DELAY_MS 1000
#define ADDRESS_REFUSE_FROM 40
#define USER_WINDOW_US 300000000u
#define USER_DELAY_MS 500 /* the first; each further failure doubles it */
#define USER_DELAY_MAX_MS 5000
#define NAME_MAX_BYTES 256

struct slot {
    uint64_t key;
    uint64_t since; /* of the first failure that counts */
    uint32_t failures;
};

struct table {
    uint64_t window_us;
    struct slot slots[SETS][WAYS];
};

struct guard {
    uint64_t seed;
    struct table addresses, users;
};

struct guard *guard_new(void)
{
    struct guard *g = calloc(1, sizeof(*g));

    if (!g)
        return NULL;
    g->seed = rng_u64();
    g->addresses.window_us = ADDRESS_WINDOW_US;
    g->users.window_us = USER_WINDOW_US;
    return g;
}

void guard_destroy(struct guard **g)
{
    free(*g);
    *g = NULL;
}

/* ---- keys ---- */

uint64_t guard_address(const struct guard *g, const struct sockaddr *peer)
{
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)peer;

    if (peer->sa_family == AF_INET)
        return map_hash(g->seed, view_of(&((const struct sockaddr_in *)peer)->sin_addr, 4));
    if (peer->sa_family != AF_INET6)
        return 0;
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        return map_hash(g->seed, view_of(v6->sin6_addr.s6_addr + 12, 4));
    return map_hash(g->seed, view_of(&v6->sin6_addr, 8)); /* a network: who has one has all of it */
}

uint64_t guard_user(const struct guard *g, struct view login)
{
    char lower[NAME_MAX_BYTES];
    size_t n = login.len < sizeof(lower) ? login.len : sizeof(lower);

    for (size_t i = 0; i < n; i++) {
        char c = login.ptr[i];
        lower[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    return map_hash(g->seed, view_of(lower, n));
}

/* ---- tables ---- */

static bool counts(const struct table *t, const struct slot *s, uint64_t now_us)
{
    return s->failures > 0 && now_us - s->since <= t->window_us;
}

static uint32_t failures(const struct table *t, uint64_t key, uint64_t now_us)
{
    const struct slot *set = t->slots[key % SETS];

    for (int i = 0; i < WAYS; i++)
        if (set[i].key == key && counts(t, &set[i], now_us))
            return set[i].failures;
    return 0;
}

static void count(struct table *t, uint64_t key, uint64_t now_us)
{
    struct slot *set = t->slots[key % SETS];
    struct slot *least = &set[0];

    for (int i = 0; i < WAYS; i++) {
        if (!counts(t, &set[i], now_us))
            set[i].failures = 0;
        if (set[i].key == key && set[i].failures > 0) {
            set[i].failures++;
            return;
        }
        if (set[i].failures < least->failures)
            least = &set[i];
    }
    *least = (struct slot){key, now_us, 1};
}

/* ---- verdicts ---- */

void guard_failed(struct guard *g, uint64_t address, uint64_t user, uint64_t now_us)
{
    count(&g->addresses, address, now_us);
    count(&g->users, user, now_us);
}

static void uncount(struct table *t, uint64_t key)
{
    struct slot *set = t->slots[key % SETS];

    for (int i = 0; i < WAYS; i++)
        if (set[i].key == key && set[i].failures > 0)
            set[i].failures--;
}

void guard_forgive(struct guard *g, uint64_t address, uint64_t user)
{
    uncount(&g->addresses, address);
    uncount(&g->users, user);
}

static int user_delay(uint32_t n)
{
    int ms = USER_DELAY_MS;

    if (n < DELAY_FROM)
        return 0;
    for (; n > DELAY_FROM && ms < USER_DELAY_MAX_MS; n--)
        ms *= 2;
    return ms < USER_DELAY_MAX_MS ? ms : USER_DELAY_MAX_MS;
}

int guard_delay(const struct guard *g, uint64_t address, uint64_t user, uint64_t now_us)
{
    uint32_t by_address = failures(&g->addresses, address, now_us);
    int ms = user_delay(failures(&g->users, user, now_us));

    if (by_address >= ADDRESS_REFUSE_FROM)
        return -1;
    if (by_address >= DELAY_FROM && ms < ADDRESS_DELAY_MS)
        ms = ADDRESS_DELAY_MS;
    return ms;
}
