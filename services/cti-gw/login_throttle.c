/*
 * The guard against guessed passwords. It counts failed logins over a while, in three ways:
 *
 *   a user from an address   one address must not try many passwords of a user: answers are held
 *                            back from a few failures on, and refused in the end
 *   a user                   nor may many addresses: answers are held back. They are never refused,
 *                            or anybody could lock a user out
 *   an address               nor may one address try the passwords of many users. That is far above
 *                            the others, since hundreds of people can be behind one address (NAT),
 *                            and does not hold for those who have logged in from there before
 *
 * Names are counted as they are said, so that nothing shows whether there is such a user.
 */
#include <netinet/in.h>
#include <stdlib.h>

#include "base/backoff.h"
#include "base/rng.h"
#include "internal.h"

/* A table is in sets; a new key takes the place in its set that says least. Where a key belongs is
 * secret, so that nobody can push another out on purpose. */
#define WAYS 4
#define SETS 1024
#define DELAY_FROM 5 /* failures; of a user, and of a user from an address */
#define PAIR_WINDOW_US 60000000u
#define PAIR_DELAY_MS 1000
#define PAIR_REFUSE_FROM 40
#define ADDRESS_WINDOW_US 60000000u
#define ADDRESS_DELAY_FROM 100
#define ADDRESS_DELAY_MS 1000
#define ADDRESS_REFUSE_FROM 400
#define KNOWN_WINDOW_US ((uint64_t)7 * 86400 * 1000000) /* since the last login */
#define USER_WINDOW_US 300000000u
#define USER_DELAY_MS 500 /* the first; each further failure doubles it */
#define DELAY_MAX_MS 5000
#define NAME_MAX_BYTES 256

struct slot {
    uint64_t key;
    uint64_t since; /* of the first failure that counts; the last login, for who is known */
    uint32_t failures;
};

struct table {
    uint64_t window_us;
    struct slot slots[SETS][WAYS];
};

struct login_throttle {
    uint64_t seed;
    struct table pairs, addresses, users;
    struct table known; /* users from addresses that they have logged in from */
};

struct login_throttle *login_throttle_new(void)
{
    struct login_throttle *g = calloc(1, sizeof(*g));

    if (!g)
        return NULL;
    g->seed = rng_u64();
    g->pairs.window_us = PAIR_WINDOW_US;
    g->known.window_us = KNOWN_WINDOW_US;
    g->addresses.window_us = ADDRESS_WINDOW_US;
    g->users.window_us = USER_WINDOW_US;
    return g;
}

void login_throttle_destroy(struct login_throttle **g)
{
    free(*g);
    *g = NULL;
}

/* ---- keys ---- */

uint64_t login_throttle_address(const struct login_throttle *g, const struct sockaddr *peer)
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

uint64_t login_throttle_user(const struct login_throttle *g, struct view login)
{
    char lower[NAME_MAX_BYTES];
    size_t n;

    login = view_trim(login);
    n = login.len < sizeof(lower) ? login.len : sizeof(lower);

    for (size_t i = 0; i < n; i++) {
        char c = login.ptr[i];
        lower[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    return map_hash(g->seed, view_of(lower, n));
}

static uint64_t pair_of(const struct login_throttle *g, uint64_t address, uint64_t user)
{
    const uint64_t both[2] = {address, user};

    return map_hash(g->seed, view_of(both, sizeof(both)));
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

void login_throttle_failed(struct login_throttle *g, uint64_t address, uint64_t user,
                           uint64_t now_us)
{
    count(&g->pairs, pair_of(g, address, user), now_us);
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

void login_throttle_forgive(struct login_throttle *g, uint64_t address, uint64_t user)
{
    uncount(&g->pairs, pair_of(g, address, user));
    uncount(&g->addresses, address);
    uncount(&g->users, user);
}

void login_throttle_succeeded(struct login_throttle *g, uint64_t address, uint64_t user,
                              uint64_t now_us)
{
    uint64_t key = pair_of(g, address, user);
    struct slot *set = g->known.slots[key % SETS];
    struct slot *oldest = &set[0];

    for (int i = 0; i < WAYS; i++) {
        if (set[i].key == key)
            oldest = &set[i];
        else if (oldest->key != key && set[i].since < oldest->since)
            oldest = &set[i];
    }
    *oldest = (struct slot){key, now_us, 1};
}

/* ms, twice as much with each failure beyond DELAY_FROM. */
static int doubled(uint32_t ms, uint32_t n)
{
    return n < DELAY_FROM ? 0 : (int)backoff_ms(ms, DELAY_MAX_MS, n - DELAY_FROM, 0);
}

static int longer(int a, int b)
{
    return a > b ? a : b;
}

int login_throttle_delay(const struct login_throttle *g, uint64_t address, uint64_t user,
                         uint64_t now_us)
{
    uint64_t pair = pair_of(g, address, user);
    uint32_t by_pair = failures(&g->pairs, pair, now_us);
    uint32_t by_address = failures(&g->addresses, address, now_us);
    int ms = doubled(PAIR_DELAY_MS, by_pair);

    if (by_pair >= PAIR_REFUSE_FROM)
        return -1;
    if (failures(&g->known, pair, now_us) > 0)
        return ms;
    if (by_address >= ADDRESS_REFUSE_FROM)
        return -1;
    if (by_address >= ADDRESS_DELAY_FROM)
        ms = longer(ms, ADDRESS_DELAY_MS);
    return longer(ms, doubled(USER_DELAY_MS, failures(&g->users, user, now_us)));
}
