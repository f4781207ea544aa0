/* What libevent has to say, in our log. */
#include <event2/event.h>
#include <stdatomic.h>

#include "loop/loop.h"

/* Global, since libevent has one place for the whole process and hands no argument over. */
static struct log *_Atomic messages;

static void on_message(int severity, const char *text)
{
    struct log *log = atomic_load(&messages);

    if (severity == EVENT_LOG_ERR)
        log_error(log, "libevent: %s", text);
    else if (severity == EVENT_LOG_WARN)
        log_warning(log, "libevent: %s", text);
    else
        log_debug(log, "libevent: %s", text);
}

void loop_messages_to(struct log *log)
{
    atomic_store(&messages, log);
    event_set_log_callback(log ? on_message : NULL);
}
