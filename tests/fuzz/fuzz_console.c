/* Lines to WEBI and INFO. The first byte says which, and whether INFO is asked through its Unix
 * socket, where it does more. Nothing that is said there may end state. */
#include <errno.h>
#include <stdlib.h>
#include <sys/un.h>

#include "console/console.h"
#include "fuzz/socket.h"
#include "support/whole_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CONFIG                                                                                     \
    "{\"main\":{\"incoming_tcp\":{\"WEBI\":[\"127.0.0.1\",0,true],"                                \
    "\"INFO\":[\"127.0.0.1\",0,true]},\"incoming_udp\":{\"ANNOUNCE\":[\"127.0.0.1\",0,true]}},"    \
    "\"ipbxes\":{\"xivo\":{\"ipbx_connection\":{"                                                  \
    "\"ipaddress\":\"127.0.0.1\",\"ipport\":5038,\"username\":\"u\",\"password\":\"p\"},"          \
    "\"urllists\":{\"urllist_users\":[\"file:users.json\"],"                                       \
    "\"urllist_lines\":[\"file:lines.json\"]}}},\"ctibus\":{\"console\":{\"socket\":\"sock\"}}}"

struct world {
    struct state_world s;
    struct console *console;
};

static struct world *world(void)
{
    static struct world *w;
    int err = 0;

    if (w)
        return w;
    w = calloc(1, sizeof(*w));
    strcpy(w->s.dir, "/tmp/ctibus-console-XXXXXX");
    if (!mkdtemp(w->s.dir))
        abort();
    state_write(&w->s, "ctibus.json", CONFIG);
    state_write(&w->s, "users.json", STATE_USERS);
    state_write(&w->s, "lines.json", STATE_LINES);
    w->s.loop = loop_new();
    w->s.cfg = state_config(&w->s);
    if (state_start(&w->s, NULL, NULL, NULL) < 0)
        abort();
    w->console = console_new(w->s.s, &err);
    if (!w->console)
        abort();
    return w;
}

static int socket_path(const struct world *w)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(at.sun_path, sizeof(at.sun_path), "%s/sock", w->s.dir);
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        abort();
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world *w = world();
    int fd;

    if (size == 0)
        return 0;
    fd = data[0] & 1   ? socket_to(console_port(w->console, CONSOLE_WEBI))
         : data[0] & 2 ? socket_path(w)
                       : socket_to(console_port(w->console, CONSOLE_INFO));
    socket_talk(w->s.loop, fd, data + 1, size - 1);
    close(fd);
    loop_once(w->s.loop, 0);
    return 0;
}
