/* What state is asked: the environment in UTF-8, as a body of the bus. */
#include <errno.h>

#include "internal.h"
#include "msg/msg.h"

/* Texts of a telephone may be in any encoding. */
static void put_text(struct fagi *f, struct buf *out, struct view v, enum ami_charset charset)
{
    buf_reset(&f->scratch);
    ami_text(&f->scratch, v, charset);
    out->failed |= f->scratch.failed;
    msg_put_str(out, buf_view(&f->scratch));
}

/* A copy that may be published; NULL without memory. */
static char *keep(struct fagi *f, struct view v, enum ami_charset charset)
{
    buf_reset(&f->scratch);
    ami_text(&f->scratch, v, charset);
    return f->scratch.failed ? NULL : view_dup(buf_view(&f->scratch));
}

static void put_env(struct session *s, enum ami_charset charset)
{
    const struct agi_env *env = &s->f->env;
    struct buf *out = &s->request;

    msg_put_cstr(out, "args");
    msg_put_array(out, env->n_args);
    for (unsigned i = 0; i < env->n_args; i++)
        put_text(s->f, out, env->args[i], charset);
    msg_put_cstr(out, "env");
    msg_put_map(out, env->n);
    for (unsigned i = 0; i < env->n; i++) {
        put_text(s->f, out, env->vars[i].name, charset);
        put_text(s->f, out, env->vars[i].value, charset);
    }
}

int request_make(struct session *s, struct view script, const struct ipbx *ipbx)
{
    struct fagi *f = s->f;
    enum ami_charset charset = ipbx ? ipbx->charset : AMI_CHARSET_UTF8;

    s->script = keep(f, script, charset);
    s->channel = keep(f, agi_env_get(&f->env, "channel"), charset);
    s->uniqueid = keep(f, agi_env_get(&f->env, "uniqueid"), charset);
    if (!s->script || !s->channel || !s->uniqueid)
        return -ENOMEM;
    msg_put_pair(&s->request, "ipbx", view_cstr(s->ipbx));
    msg_put_pair(&s->request, "script", view_cstr(s->script));
    msg_put_pair(&s->request, "channel", view_cstr(s->channel));
    msg_put_pair(&s->request, "uniqueid", view_cstr(s->uniqueid));
    put_env(s, charset);
    return s->request.failed ? -ENOMEM : 0;
}
