/* What sys/queue.h of glibc lacks: walks whose body may remove and free the entry that it is at.
 * `next` is a second pointer, for the walk alone; the entry that it points at must stay. */
#ifndef CTIBUS_BASE_QUEUE_H
#define CTIBUS_BASE_QUEUE_H

#include <sys/queue.h>

#ifndef LIST_FOREACH_SAFE
#define LIST_FOREACH_SAFE(var, head, field, next)                                                  \
    for ((var) = LIST_FIRST(head); (var) && ((next) = LIST_NEXT(var, field), 1); (var) = (next))
#endif

#ifndef TAILQ_FOREACH_SAFE
#define TAILQ_FOREACH_SAFE(var, head, field, next)                                                 \
    for ((var) = TAILQ_FIRST(head); (var) && ((next) = TAILQ_NEXT(var, field), 1); (var) = (next))
#endif

#endif
