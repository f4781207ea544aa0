/*
 * AsyncAPI 3.0: where which messages come and go. What is in them stands in the JSON Schema beside
 * it. An operation is said from the side of ctibus: it sends what is published, and receives
 * requests and the messages of clients.
 */
#include <stdio.h>
#include <string.h>

#include "apidoc/internal.h"
#include "base/array.h"
#include "json/json.h"

#define SCHEMA_FORMAT "application/schema+json;version=draft-2020-12"

static struct json_object *ref(const char *fmt, const char *name)
{
    struct json_object *schema = json_object_new_object();
    char path[256];

    snprintf(path, sizeof(path), fmt, name);
    apidoc_put_text(schema, "$ref", path);
    return schema;
}

static struct json_object *refs(const char *fmt, const char *name)
{
    struct json_object *list = json_object_new_array();

    apidoc_add(list, ref(fmt, name));
    return list;
}

/* ---- servers ---- */

static struct json_object *servers(void)
{
    static const struct {
        const char *name, *host, *path, *protocol, *doc;
    } all[] = {
        {"bus", "127.0.0.1:5551", NULL, "zmq",
         "Subscribers of the bus (ctibus.bus.subscribe): a SUB socket. With CURVE a key is "
         "needed."},
        {"requests", "127.0.0.1:5552", NULL, "zmq",
         "Requests to state (ctibus.bus.request): a DEALER socket."},
        {"cti", "127.0.0.1:5003", NULL, "tcp",
         "Clients: a JSON object a line (main.incoming_tcp.CTI)."},
        {"ctis", "127.0.0.1:5013", NULL, "tls", "The same with TLS (main.incoming_tcp.CTIS)."},
        {"websocket", "127.0.0.1:5020", "/cti", "ws",
         "Clients in browsers: a JSON object a text frame (ctibus.cti.websocket; the port is the "
         "administrator's)."},
    };
    struct json_object *made = json_object_new_object();

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        struct json_object *s = json_object_new_object();
        apidoc_put_text(s, "host", all[i].host);
        if (all[i].path)
            apidoc_put_text(s, "pathname", all[i].path);
        apidoc_put_text(s, "protocol", all[i].protocol);
        apidoc_put_text(s, "description", all[i].doc);
        apidoc_put_member(made, all[i].name, s);
    }
    return made;
}

/* ---- channels, operations, messages ---- */

struct parts {
    struct json_object *channels, *operations, *messages;
};

static void put_message(struct parts *p, const char *name, const char *content, const char *doc)
{
    struct json_object *message = json_object_new_object();
    struct json_object *payload = json_object_new_object();

    apidoc_put_text(message, "name", name);
    apidoc_put_text(message, "summary", doc);
    apidoc_put_text(message, "contentType", content);
    apidoc_put_text(payload, "schemaFormat", SCHEMA_FORMAT);
    apidoc_put_member(payload, "schema", ref(APIDOC_SCHEMA "#/$defs/%s", name));
    apidoc_put_member(message, "payload", payload);
    apidoc_put_member(p->messages, name, message);
}

/* A channel without messages; `address` NULL: all of the server is one. */
static struct json_object *channel(const char *address, const char *doc, const char *const *on)
{
    struct json_object *made = json_object_new_object();
    struct json_object *places = json_object_new_array();

    apidoc_put_member(made, "address", address ? json_object_new_string(address) : NULL);
    apidoc_put_text(made, "description", doc);
    for (; *on; on++)
        apidoc_add(places, ref("#/servers/%s", *on));
    apidoc_put_member(made, "servers", places);
    apidoc_put_member(made, "messages", json_object_new_object());
    return made;
}

static void carries(struct json_object *made, const char *message)
{
    apidoc_put_member(json_get(made, "messages"), message,
                      ref("#/components/messages/%s", message));
}

static struct json_object *operation(const char *action, const char *on)
{
    struct json_object *made = json_object_new_object();

    apidoc_put_text(made, "action", action);
    apidoc_put_member(made, "channel", ref("#/channels/%s", on));
    return made;
}

/* "xod/<ipbx>/..." as "xod/{ipbx}/...", and its parameters. */
static struct json_object *parameters(const char *topic, char address[128])
{
    struct json_object *made = json_object_new_object();
    const char *open;

    snprintf(address, 128, "%s", topic);
    for (char *c = address; *c; c++)
        *c = *c == '<' ? '{' : *c == '>' ? '}' : *c;
    for (open = strchr(address, '{'); open; open = strchr(open + 1, '{')) {
        struct json_object *one = json_object_new_object();
        char name[64];
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(open + 1, "}"), open + 1);
        apidoc_put_text(one, "description",
                        strcmp(name, "ipbx") == 0 ? "The name of the IPBX in the configuration."
                                                  : "Percent-encoded as docs/bus.md says.");
        apidoc_put_member(made, name, one);
    }
    return made;
}

static void put_topic(void *arg, const char *topic, const char *doc)
{
    static const char *const on[] = {"bus", NULL};
    struct parts *p = arg;
    char name[128], address[128];
    struct json_object *variable = parameters(topic, address);
    struct json_object *made = channel(address, doc, on);

    apidoc_topic_name(name, topic);
    put_message(p, name, "application/msgpack", doc);
    carries(made, name);
    apidoc_put_member(made, "parameters", variable);
    apidoc_put_member(p->channels, name, made);
    apidoc_put_member(p->operations, name, operation("send", name));
}

static void put_request(struct parts *p, struct json_object *made, enum bus_method method)
{
    char asked[128], answered[128], path[160];
    struct json_object *o = operation("receive", "requests");
    struct json_object *reply = json_object_new_object();
    const char *doc = schema_method_doc(method);

    snprintf(asked, sizeof(asked), "request.%s", schema_method_name(method).ptr);
    snprintf(answered, sizeof(answered), "reply.%s", schema_method_name(method).ptr);
    put_message(p, asked, "application/msgpack", doc);
    put_message(p, answered, "application/msgpack", doc);
    carries(made, asked);
    carries(made, answered);
    snprintf(path, sizeof(path), "#/channels/requests/messages/%s", asked);
    apidoc_put_member(o, "messages", refs("%s", path));
    apidoc_put_member(reply, "channel", ref("%s", "#/channels/requests"));
    snprintf(path, sizeof(path), "#/channels/requests/messages/%s", answered);
    apidoc_put_member(reply, "messages", refs("%s", path));
    apidoc_put_member(o, "reply", reply);
    apidoc_put_member(p->operations, asked, o);
}

static void put_requests(struct parts *p)
{
    static const char *const on[] = {"requests", NULL};
    struct json_object *made = channel(
        NULL, "Frames 1, id, method, body; the answer 1, id, status, body (docs/bus.md).", on);

    for (int m = 0; m < METHOD_COUNT; m++)
        put_request(p, made, (enum bus_method)m);
    apidoc_put_member(p->channels, "requests", made);
}

static void put_clients(struct parts *p)
{
    static const char *const on[] = {"cti", "ctis", "websocket", NULL};
    struct json_object *made =
        channel(NULL, "JSON objects, a line or a text frame each (docs/cti-protocol.md).", on);
    struct json_object *asked = operation("receive", "clients");
    struct json_object *told = operation("send", "clients");
    struct json_object *reply = json_object_new_object();

    put_message(p, "client.send", "application/json", "A message of a client.");
    put_message(p, "client.get", "application/json", "A line that a client gets.");
    carries(made, "client.send");
    carries(made, "client.get");
    apidoc_put_member(p->channels, "clients", made);
    apidoc_put_member(asked, "messages", refs("#/channels/clients/messages/%s", "client.send"));
    apidoc_put_member(reply, "channel", ref("%s", "#/channels/clients"));
    apidoc_put_member(reply, "messages", refs("#/channels/clients/messages/%s", "client.get"));
    apidoc_put_member(asked, "reply", reply);
    apidoc_put_member(told, "messages", refs("#/channels/clients/messages/%s", "client.get"));
    apidoc_put_member(p->operations, "client.send", asked);
    apidoc_put_member(p->operations, "client.get", told);
}

static struct json_object *info(void)
{
    struct json_object *made = json_object_new_object();

    apidoc_put_text(made, "title", "ctibus");
    apidoc_put_text(made, "version", APIDOC_VERSION);
    apidoc_put_text(made, "description",
                    "The bus of ctibus, and the protocol of its clients. Operations are said from "
                    "the side of ctibus: it sends what is published.");
    return made;
}

struct json_object *apidoc_asyncapi(void)
{
    struct json_object *document = json_object_new_object();
    struct json_object *components = json_object_new_object();
    struct parts p = {json_object_new_object(), json_object_new_object(), json_object_new_object()};

    apidoc_each_topic(put_topic, &p);
    put_requests(&p);
    put_clients(&p);
    apidoc_put_text(document, "asyncapi", "3.0.0");
    apidoc_put_member(document, "info", info());
    apidoc_put_member(document, "servers", servers());
    apidoc_put_member(document, "channels", p.channels);
    apidoc_put_member(document, "operations", p.operations);
    apidoc_put_member(components, "messages", p.messages);
    apidoc_put_member(document, "components", components);
    return document;
}
