/* What arrives at a WebSocket that is open: wslay reads frames, lines come out. */
#include <errno.h>
#include <stdio.h>

#include "net/ws_deflate.h"
#include "net/ws_impl.h"

static ssize_t on_receive(wslay_event_context_ptr events, uint8_t *p, size_t n, int flags,
                          void *arg)
{
    struct ws *ws = arg;
    size_t early = buf_len(&ws->request);
    ssize_t got = -1;

    if (early > 0) { /* read together with the request */
        got = (ssize_t)(n < early ? n : early);
        memcpy(p, buf_data(&ws->request), (size_t)got);
        buf_consume(&ws->request, (size_t)got);
        if (buf_len(&ws->request) == 0)
            buf_free(&ws->request);
        ws->pulled += (uint64_t)got;
        return got;
    }
    if (ws->budget > 0)
        got = ws_receive(ws, p, n < ws->budget ? n : ws->budget);
    if (got > 0) {
        ws->budget -= (size_t)got;
        ws->pulled += (uint64_t)got;
        return got;
    }
    wslay_event_set_error(events, WSLAY_ERR_WOULDBLOCK);
    return -1;
}

static ssize_t on_send(wslay_event_context_ptr events, const uint8_t *p, size_t n, int flags,
                       void *arg)
{
    struct ws *ws = arg;

    buf_append(&ws->out, p, n);
    return (ssize_t)n;
}

static void on_frame(wslay_event_context_ptr events,
                     const struct wslay_event_on_frame_recv_start_arg *frame, void *arg)
{
    struct ws *ws = arg;
    uint64_t n = frame->payload_length;
    /* Half a status, which wslay takes for none. */
    bool bad_close = frame->opcode == WSLAY_CONNECTION_CLOSE && frame->payload_length == 1;

    ws->framed += 2 + (n < 126 ? 0 : n < 65536 ? 2 : 8) + 4 + n; /* a client masks */
    if (!(frame->opcode & 8))                                    /* not a control frame */
        ws->inside_message = !frame->fin;
    if (frame->opcode != WSLAY_BINARY_FRAME && !bad_close)
        return;
    wslay_event_queue_close(
        events, bad_close ? WSLAY_CODE_PROTOCOL_ERROR : WSLAY_CODE_UNSUPPORTED_DATA, NULL, 0);
    wslay_event_shutdown_read(events);
}

/* A message is one line, whatever line feeds are in it: in JSON those are blanks. */
static void put_message(struct ws *ws, struct view text)
{
    char *scratch = buf_reserve(&ws->lines, text.len + 1);

    if (!scratch)
        return;
    for (size_t i = 0; i < text.len; i++)
        scratch[i] = (char)(text.ptr[i] == '\n' ? ' ' : text.ptr[i]);
    scratch[text.len] = '\n';
    buf_commit(&ws->lines, text.len + 1);
}

static void put_deflated(struct ws *ws, struct view message)
{
    struct buf text;
    int rc;

    buf_init(&text, ws->max_message);
    rc = ws_inflate(&text, message, ws->max_message);
    if (rc == 0) {
        put_message(ws, buf_view(&text));
    } else if (rc == -ENOMEM) {
        ws->error = ENOMEM;
    } else {
        wslay_event_queue_close(ws->events,
                                rc == -EMSGSIZE ? WSLAY_CODE_MESSAGE_TOO_BIG
                                                : WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA,
                                NULL, 0);
        wslay_event_shutdown_read(ws->events);
    }
    buf_free(&text);
}

static void on_message(wslay_event_context_ptr events, const struct wslay_event_on_msg_recv_arg *m,
                       void *arg)
{
    struct ws *ws = arg;
    struct view payload = view_of((const char *)m->msg, m->msg_length);

    if (m->opcode != WSLAY_TEXT_FRAME)
        return;
    if (m->rsv & WSLAY_RSV1_BIT)
        put_deflated(ws, payload);
    else
        put_message(ws, payload);
}

int ws_open(struct ws *ws)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = on_receive,
        .send_callback = on_send,
        .on_frame_recv_start_callback = on_frame,
        .on_msg_recv_callback = on_message,
    };

    if (ws->events)
        return 0;
    if (wslay_event_context_server_init(&ws->events, &callbacks, ws) != 0)
        return -ENOMEM;
    ws->pulled = ws->framed = 0;
    wslay_event_config_set_max_recv_msg_length(ws->events, ws->max_message);
    if (ws->deflate_bits)
        wslay_event_config_set_allowed_rsv_bits(ws->events, WSLAY_RSV1_BIT);
    ws->phase = WS_OPEN;
    return 0;
}

/* A frame that is none: wslay would close without a status. */
static void refuse_frame(struct ws *ws)
{
    ws_put_close(ws, WSLAY_CODE_PROTOCOL_ERROR);
    ws_set_over(ws, "WebSocket closed with status 1002");
}

/* Between two messages wslay holds nothing: its buffers are not kept for a connection that is idle.
 */
static void rest(struct ws *ws)
{
    if (ws->pulled != ws->framed || ws->inside_message || wslay_event_want_write(ws->events))
        return;
    wslay_event_context_free(ws->events);
    ws->events = NULL;
}

static void read_frames(struct ws *ws)
{
    char why[64];
    int rc;

    ws->budget = WS_READ_MAX;
    if (ws_open(ws) < 0) {
        ws->error = ENOMEM;
        return;
    }
    rc = wslay_event_recv(ws->events);
    if (rc == WSLAY_ERR_CALLBACK_FAILURE) { /* not ours, which only say "later" */
        refuse_frame(ws);
        return;
    }
    if (rc != 0 || wslay_event_send(ws->events) != 0 || ws->lines.failed || ws->out.failed)
        ws->error = ENOMEM;
    if (wslay_event_get_read_enabled(ws->events)) {
        rest(ws);
        return;
    }
    snprintf(why, sizeof(why), "WebSocket closed with status %u",
             (unsigned)wslay_event_get_status_code_sent(ws->events));
    ws->ended = ws->ended || wslay_event_get_close_received(ws->events);
    ws_set_over(ws, wslay_event_get_close_received(ws->events) ? "" : why);
}

/* TLS may hold more than one portion, of which the socket knows nothing: what is there is read
 * until it makes a line. */
void ws_read_messages(struct ws *ws)
{
    do
        read_frames(ws);
    while (ws->beneath && ws->budget == 0 && ws->phase == WS_OPEN && !ws->error &&
           buf_len(&ws->lines) == 0 && buf_len(&ws->out) <= WS_STAGE_MAX);
}
