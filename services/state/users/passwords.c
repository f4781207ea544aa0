/* Passwords, which never enter xod. */
#include <errno.h>
#include <stdlib.h>

#include "base/map.h"
#include "users/passwords.h"

struct secret {
    char *password;
    size_t key_len;
    char key[]; /* IPBX NUL user id */
};

struct passwords {
    struct map *by_user;
};

struct passwords *passwords_new(void)
{
    struct passwords *s = calloc(1, sizeof(*s));

    if (s)
        s->by_user = map_new();
    if (s && !s->by_user)
        passwords_destroy(&s);
    return s;
}

static void secret_free(void *arg)
{
    struct secret *sec = arg;

    if (sec && sec->password)
        explicit_bzero(sec->password, strlen(sec->password));
    if (sec)
        free(sec->password);
    free(sec);
}

void passwords_destroy(struct passwords **s)
{
    if (!s || !*s)
        return;
    map_destroy_with(&(*s)->by_user, secret_free);
    free(*s);
    *s = NULL;
}

static struct secret *secret_new(struct view ipbx, struct view user, struct view password)
{
    size_t n = ipbx.len + 1 + user.len;
    struct secret *sec = calloc(1, sizeof(*sec) + n);

    if (!sec)
        return NULL;
    memcpy(sec->key, ipbx.ptr, ipbx.len);
    memcpy(sec->key + ipbx.len + 1, user.ptr, user.len);
    sec->key_len = n;
    sec->password = view_dup(password);
    if (!sec->password) {
        free(sec);
        return NULL;
    }
    return sec;
}

int passwords_set(struct passwords *s, struct view ipbx, struct view user, struct view password)
{
    struct secret *sec = secret_new(ipbx, user, password);

    if (!sec)
        return -ENOMEM;
    secret_free(map_del(s->by_user, view_of(sec->key, sec->key_len)));
    if (password.len == 0) {
        secret_free(sec);
        return 0;
    }
    if (map_put(s->by_user, view_of(sec->key, sec->key_len), sec) == 0)
        return 0;
    secret_free(sec);
    return -ENOMEM;
}

const char *passwords_get(const struct passwords *s, struct view ipbx, struct view user)
{
    struct secret *probe = secret_new(ipbx, user, VIEW(""));
    struct secret *sec = probe ? map_get(s->by_user, view_of(probe->key, probe->key_len)) : NULL;

    secret_free(probe);
    return sec ? sec->password : NULL;
}
