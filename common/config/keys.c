/*
 * The table of keys: what there is, and what the reference of the configuration is made from.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "config/internal.h"

#define RE KEY_RELOADABLE
#define NEED KEY_NEEDED
#define MI ((int64_t)1 << 20)

/* clang-format off */
#define OF_XIVO(path) {path, KEY_ANY, NULL, 0, 0, 0, NULL, "Of XiVO, not used."}
#define METRICS_OF(service, port) \
    {"ctibus.http." service, KEY_ADDRESS, "127.0.0.1:" port, 0, 0, 0, NULL, "Metrics and health of " service "."}
/* Of a duration that has its unit in its name now. */
#define FORMERLY(path, unit, min, max, flags) \
    {path, KEY_INT, NULL, min, max, flags | KEY_RENAMED, path unit, "The former name of " path unit "."}

const struct config_key config_keys[] = {
    /* XiVO's own section `main` */
    {"main.incoming_tcp.CTI", KEY_LISTEN, "[\"0.0.0.0\",5003,true]", 0, 0, 0, NULL,
     "Where cti-gw listens for clients in clear text."},
    {"main.incoming_tcp.CTIS", KEY_LISTEN, "[\"0.0.0.0\",5013,false]", 0, 0, 0, NULL,
     "Where cti-gw listens for clients with TLS."},
    {"main.incoming_tcp.FAGI", KEY_LISTEN, "[\"0.0.0.0\",5002,true]", 0, 0, 0, NULL,
     "Where fagi-gw listens for FastAGI."},
    {"main.incoming_tcp.WEBI", KEY_LISTEN, "[\"127.0.0.1\",5004,true]", 0, 0, 0, NULL,
     "Where state listens for web interfaces."},
    {"main.incoming_tcp.INFO", KEY_LISTEN, "[\"127.0.0.1\",5005,true]", 0, 0, 0, NULL,
     "Where state offers its console."},
    {"main.incoming_udp.ANNOUNCE", KEY_LISTEN, "[\"127.0.0.1\",5006,true]", 0, 0, 0, NULL,
     "Where state hears that an Asterisk has been restarted."},
    {"main.logintimeout", KEY_INT, "5", 1, 3600, RE, NULL,
     "Seconds that a client has to log in."},
    {"main.sockettimeout", KEY_INT, "2", 1, 3600, RE, NULL,
     "Seconds that the server of a list may be silent, a lookup in a directory behind HTTP may take, "
     "or an Asterisk until the login is done."},
    {"main.updates_period", KEY_INT, "3600", 0, 31536000, RE, NULL,
     "Seconds from one fetching of a list over HTTP to the next; 0: only at a reload."},
    {"main.parting_astid_context", KEY_STRINGS, "[]", 0, 0, RE, "context|astid|ipbxid",
     "\"context\" here lets a client see only the objects of its own contexts."},
    OF_XIVO("main.asterisk_queuestat_db"),
    OF_XIVO("main.asterisklist"),
    OF_XIVO("main.context_separation"),
    OF_XIVO("main.ctilog_db_uri"),
    OF_XIVO("main.live_reload_conf"),
    OF_XIVO("main.prefixfile"),
    OF_XIVO("main.socktimeout"),
    OF_XIVO("main.starttls"),
    OF_XIVO("main.certfile"),
    OF_XIVO("main.keyfile"),
    {"bench", KEY_ANY, NULL, 0, 0, 0, NULL,
     "Of XiVO, not used: how long its web interface took to write this."},
    OF_XIVO("functions"),
    {"certfile", KEY_STRING, NULL, 0, 0, RE, NULL,
     "File (PEM) of the certificate that clients are shown, and its chain."},
    {"keyfile", KEY_STRING, NULL, 0, 0, RE, NULL,
     "File (PEM) of its private key, without a passphrase; default: it is in certfile."},

    /* what an IPBX is */
    {"ipbxes.*.ipbx_connection.ipaddress", KEY_STRING, NULL, 0, 0, NEED, NULL,
     "The Asterisk's name or address."},
    {"ipbxes.*.ipbx_connection.ipport", KEY_INT, "5038", 1, 65535, 0, NULL,
     "The port of its manager interface (AMI); with tls the default is 5039."},
    {"ipbxes.*.ipbx_connection.username", KEY_STRING, NULL, 0, 0, NEED, NULL,
     "The user of manager.conf."},
    {"ipbxes.*.ipbx_connection.password", KEY_STRING, NULL, 0, 0, NEED, NULL, "Its secret."},
    {"ipbxes.*.ipbx_connection.charset", KEY_CHOICE, "utf8", 0, 0, 0, "utf8|latin1",
     "How names in the Asterisk's own files are encoded."},
    {"ipbxes.*.ipbx_connection.tls", KEY_BOOL, "false", 0, 0, 0, NULL,
     "Whether the AMI is spoken over TLS."},
    {"ipbxes.*.ipbx_connection.tls_ca", KEY_STRING, NULL, 0, 0, 0, NULL,
     "File (PEM) of the CA, or of the very certificate, to believe; default: the system's store."},
    {"ipbxes.*.ipbx_connection.tls_verify", KEY_BOOL, "true", 0, 0, 0, NULL,
     "Whether its certificate is verified; without that anybody may pose as this Asterisk."},
    {"ipbxes.*.ipbx_connection.tls_name", KEY_STRING, NULL, 0, 0, 0, NULL,
     "The name or address that the certificate must carry; default: ipaddress."},
    {"ipbxes.*.userfeatures_db_uri", KEY_STRING, NULL, 0, 0, RE, NULL,
     "XiVO's database with the table userfeatures, postgresql://USER:PASSWORD@HOST/DATABASE; it is used "
     "when ctibus.features.publish has userfeatures."},
    {"ipbxes.*.cti_connection.ipaddress", KEY_STRING, NULL, 0, 0, NEED, NULL,
     "Another XiVO's name or address."},
    {"ipbxes.*.cti_connection.ipport", KEY_INT, "5003", 1, 65535, 0, NULL, "Its CTI port."},
    {"ipbxes.*.cti_connection.username", KEY_STRING, NULL, 0, 0, NEED, NULL,
     "The user to log in as."},
    {"ipbxes.*.cti_connection.password", KEY_STRING, NULL, 0, 0, NEED, NULL, "Its password."},
    {"ipbxes.*.cti_connection.encrypt", KEY_BOOL, "false", 0, 0, 0, NULL,
     "Whether to speak TLS."},
    {"ipbxes.*.cti_connection.tls_ca", KEY_STRING, NULL, 0, 0, 0, NULL,
     "File (PEM) of the CA, or of the very certificate, to believe with encrypt; default: any, which "
     "the log warns of."},
    {"ipbxes.*.cti_connection.profile", KEY_STRING, NULL, 0, 0, 0, NULL,
     "The profile whose ipbxcommands its users may ask for here; default: none."},
    {"ipbxes.*.peer.profile", KEY_STRING, NULL, 0, 0, RE, NULL,
     "The profile whose ipbxcommands its users may ask for here; default: none."},
    {"ipbxes.*.peer.publish", KEY_ENDPOINT, NULL, 0, 0, NEED, NULL,
     "The address where the peer's federation publishes."},
    {"ipbxes.*.peer.request", KEY_ENDPOINT, NULL, 0, 0, NEED, NULL, "Where it takes requests."},
    {"ipbxes.*.peer.publickey", KEY_STRING, NULL, 0, 0, NEED, NULL, "Its CURVE key."},

    /* ours */
    {"ctibus.bus.publish", KEY_ENDPOINT, "tcp://127.0.0.1:5550", 0, 0, 0, NULL,
     "Where state takes in what is published."},
    {"ctibus.bus.subscribe", KEY_ENDPOINT, "tcp://127.0.0.1:5551", 0, 0, 0, NULL,
     "Where state gives it out to subscribers."},
    {"ctibus.bus.request", KEY_ENDPOINT, "tcp://127.0.0.1:5552", 0, 0, 0, NULL,
     "Where state takes requests."},
    {"ctibus.ha.name", KEY_STRING, NULL, 0, 0, 0, NULL,
     "Of two states the name of this one among ctibus.ha.peers; default: the name of its machine."},
    {"ctibus.ha.silent_ms", KEY_INT, "3000", 2000, 60000, 0, NULL,
     "The state on standby takes over from an active one that has given no sign of life in the "
     "database for so many milliseconds, though its connection to the server is there."},
    {"ctibus.ha.peers.*.publish", KEY_ENDPOINT, NULL, 0, 0, NEED, NULL,
     "Where the state of this name takes in what is published. With peers there is no "
     "ctibus.bus.publish, unless a state is to bind to another address."},
    {"ctibus.ha.peers.*.subscribe", KEY_ENDPOINT, NULL, 0, 0, NEED, NULL,
     "Where it gives it out to subscribers."},
    {"ctibus.ha.peers.*.request", KEY_ENDPOINT, NULL, 0, 0, NEED, NULL,
     "Where it takes requests."},
    {"ctibus.config_copies", KEY_STRING, NULL, 0, 0, 0, NULL,
     "Folder of the last good copy of a configuration that is fetched over HTTP, by --set or the "
     "environment; default: $STATE_DIRECTORY, else the working directory."},
    {"ctibus.bus.hwm", KEY_INT, "300000", 1000, 10000000, 0, NULL,
     "Messages that may wait to be sent or read at one connection before the next are dropped."},
    {"ctibus.bus.subscriber_hwm", KEY_INT, "50000", 1000, 10000000, 0, NULL,
     "The same for each subscriber of state's forwarder: about 750 bytes of its memory each."},
    {"ctibus.bus.heartbeat_ms", KEY_INT, "2000", 100, 60000, 0, NULL,
     "A connection that is silent for so many milliseconds (in whole seconds) is tried; it ends after "
     "three times that."},
    {"ctibus.curve.server_key", KEY_STRING, NULL, 0, 0, 0, NULL, "File of state's public certificate."},
    {"ctibus.curve.own_key", KEY_STRING, NULL, 0, 0, 0, NULL, "This process's certificate; with _secret behind it its secret key."},
    {"ctibus.curve.allow", KEY_STRING, NULL, 0, 0, 0, NULL, "Directory of the certificates *.key that are let in, or a list."},
    {"ctibus.trusted", KEY_STRINGS, "[]", 0, 0, 0, NULL,
     "Addresses beside the loopback that the bus may listen at without CURVE."},
    {"ctibus.access.webi", KEY_NETWORKS, "[\"127.0.0.0/8\",\"::1\"]", 0, 0, RE, NULL,
     "Addresses and networks from which web interfaces may connect to WEBI."},
    {"ctibus.access.info", KEY_NETWORKS, "[\"127.0.0.0/8\",\"::1\"]", 0, 0, RE, NULL,
     "Addresses and networks from which the console INFO may be used."},
    {"ctibus.access.fagi", KEY_NETWORKS, "[\"127.0.0.0/8\",\"::1\"]", 0, 0, RE, NULL,
     "Addresses and networks from which scripts may be asked for (FastAGI) beside those of the IPBXes."},
    {"ctibus.console.socket", KEY_STRING, NULL, 0, 0, 0, NULL,
     "Unix socket (mode 0660) at which INFO may change things without a token; default: none."},
    {"ctibus.console.token", KEY_STRING, NULL, 0, 0, RE, NULL,
     "What is to be said to INFO over TCP before it changes anything; at least 16 characters, without "
     "blanks. Default: none, it only shows."},
    {"ctibus.budget.commands_per_second", KEY_INT, "20", 0, 1000000, RE, NULL,
     "Commands that a user may have carried out, over time; 0: no limit. More are answered with busy."},
    {"ctibus.budget.commands_burst", KEY_INT, "400", 1, 1000000, RE, NULL,
     "The same at once."},
    {"ctibus.budget.actions_per_second", KEY_INT, "10", 0, 1000000, RE, NULL,
     "Actions that a user may have Asterisk do, over time; 0: no limit."},
    {"ctibus.budget.actions_burst", KEY_INT, "500", 1, 1000000, RE, NULL,
     "The same at once: one command can be up to 500, as pausing in 500 queues."},
    {"ctibus.budget.chat_bytes_per_second", KEY_INT, "8192", 0, 1073741824, RE, NULL,
     "Bytes that a user may send to others, over time; 0: no limit."},
    {"ctibus.budget.chat_bytes_burst", KEY_INT, "262144", 1, 1073741824, RE, NULL,
     "The same at once."},
    {"ctibus.budget.disk_bytes_per_second", KEY_INT, "16384", 0, 1073741824, RE, NULL,
     "Bytes that a user may have kept in the database, over time; 0: no limit."},
    {"ctibus.budget.disk_bytes_burst", KEY_INT, "4194304", 1, 1073741824, RE, NULL,
     "The same at once."},
    {"ctibus.budget.lines_per_second", KEY_INT, "1000", 0, 1000000, RE, NULL,
     "Lines of a user that one cti-gw reads, over time; 0: no limit. More are read later."},
    {"ctibus.budget.lines_burst", KEY_INT, "50000", 100, 100000000, RE, NULL,
     "The same at once: a client asks for each object of all lists when it has logged in."},
    {"ctibus.database", KEY_DATABASE, "sqlite:ctibus.db", 0, 0, 0, NULL,
     "What must survive a restart is kept there: sqlite:FILE, made when it is not there, or "
     "postgresql://USER:PASSWORD@HOST/DATABASE, a database of its own in a PostgreSQL server (its "
     "tables are made)."},
    {"ctibus.agents.login", KEY_CHOICE, "application", 0, 0, RE, "application|member",
     "How an agent is logged in where the Asterisk has no AgentCallbackLogin: the phone is rung and "
     "put into the application AgentLogin, or the agent becomes a member of its queues."},
    {"ctibus.agents.interface", KEY_STRING, "Local/{exten}@{context}", 0, 0, RE, NULL,
     "The interface of such a member; {agent} stands for the agent's number, {exten}, {context} and "
     "{phone} for the phone."},
    {"ctibus.agents.queues", KEY_ANY, NULL, 0, 0, RE, NULL,
     "The queues of such members: {\"2001\": [\"blue\"], \"*\": [\"support\"]}."},
    {"ctibus.deny.*", KEY_STRINGS, NULL, 0, 0, RE, NULL,
     "By profile: the classes of messages that every profile permits (docs/cti-protocol.md), and this "
     "one does not."},
    {"ctibus.callcampaign", KEY_ANY, NULL, 0, 0, RE, NULL,
     "The numbers of the call campaign that clients are given, a list."},
    {"ctibus.dial_seconds", KEY_INT, "30", 1, 3600, RE, NULL,
     "Seconds that the user's own phone rings for dial and originate until they are given up; XiVO's "
     "limit was 3600."},
    {"ctibus.dialplan.busy", KEY_STRING, NULL, 0, 0, RE, NULL,
     "EXTEN@CONTEXT that lets a caller hear that it is busy, for calls that are refused; without it "
     "the phone is taken off the call as busy."},
    {"ctibus.dialplan.country", KEY_STRING, NULL, 0, 0, RE, NULL,
     "The country code of the site without a plus, such as 33: by it 0123456789 and +33123456789 are "
     "one number in directories and sheets. Without it, numbers with the same last nine digits are."},
    {"ctibus.dialplan.international", KEY_STRING, "00", 0, 0, RE, NULL,
     "What is dialled before a country code, for the comparison of numbers."},
    {"ctibus.dialplan.trunk", KEY_STRING, "0", 0, 0, RE, NULL,
     "What is dialled before a number of the own country, for the comparison of numbers; empty where "
     "there is nothing."},
    {"ctibus.dialplan.rules", KEY_STRINGS, "[]", 0, 0, RE, NULL,
     "How numbers that users dial begin, and what is dialled instead: [\"+49=0\",\"+=00\"]; the longest "
     "beginning counts."},
    {"ctibus.retention.calls_days", KEY_INT, "365", 0, 36500, RE, NULL,
     "Days that calls stay in the log of calls; 0: for ever."},
    FORMERLY("ctibus.retention.calls", "_days", 0, 36500, RE),
    {"ctibus.retention.queues_days", KEY_INT, "31", 1, 36500, RE, NULL,
     "Days that the log of the queues goes back, from which statistics are made."},
    FORMERLY("ctibus.retention.queues", "_days", 1, 36500, RE),
    {"ctibus.retention.clients_days", KEY_INT, "31", 0, 36500, RE, NULL,
     "Days that the log of what clients did goes back; 0: for ever."},
    FORMERLY("ctibus.retention.clients", "_days", 0, 36500, RE),
    {"ctibus.retention.chat_days", KEY_INT, "0", 0, 36500, RE, NULL,
     "Days that chat is kept, of users whose profile permits chat_history; 0: not at all."},
    {"ctibus.wall.wait_warn_s", KEY_INT, "30", 0, 86400, RE, NULL,
     "Seconds that a caller waits in a queue from which the wallboard shows the queue in amber."},
    {"ctibus.wall.wait_bad_s", KEY_INT, "60", 0, 86400, RE, NULL,
     "Seconds that a caller waits in a queue from which it is shown in red."},
    {"ctibus.wall.level_warn", KEY_INT, "80", 0, 100, RE, NULL,
     "Service level of the day, in per cent, below which the wallboard shows a queue in amber."},
    {"ctibus.wall.level_bad", KEY_INT, "60", 0, 100, RE, NULL,
     "Service level of the day, in per cent, below which it is shown in red."},
    METRICS_OF("state", "9101"),
    METRICS_OF("ami-gw", "9102"),
    METRICS_OF("fagi-gw", "9103"),
    METRICS_OF("cti-gw", "9104"),
    METRICS_OF("federation", "9105"),
    METRICS_OF("http-gw", "9106"),
    {"ctibus.api.listen", KEY_ADDRESS, "127.0.0.1:5088", 0, 0, 0, NULL,
     "Where http-gw answers programs (HTTP API)."},
    {"ctibus.api.tls", KEY_BOOL, "false", 0, 0, 0, NULL,
     "Whether it speaks TLS there, with certfile; tokens cross the network, so other machines need it "
     "or a reverse proxy."},
    {"ctibus.api.max_connections", KEY_INT, "10000", 10, 1000000, 0, NULL,
     "Connections to one http-gw at a time; more are closed."},
    {"ctibus.api.max_output", KEY_INT, "4194304", 65536, 1073741824, 0, NULL,
     "Bytes that may wait for one connection; a listener that is slower is disconnected, and resumes."},
    {"ctibus.api.requests_per_second", KEY_INT, "100", 0, 1000000, RE, NULL,
     "Requests of a token to one http-gw, over time; 0: no limit. More are answered with 429."},
    {"ctibus.api.requests_burst", KEY_INT, "1000", 1, 1000000, RE, NULL, "The same at once."},
    {"ctibus.webhooks.*.url", KEY_STRING, NULL, 0, 0, RE | NEED, NULL,
     "Where http-gw posts events to: https:, or http: to a host of ctibus.webhook_hosts."},
    {"ctibus.webhooks.*.events", KEY_STRING, "call.*", 0, 0, RE, NULL,
     "Which events, with commas between them: call.answered,agent.*."},
    {"ctibus.webhooks.*.ipbx", KEY_STRING, NULL, 0, 0, RE, NULL,
     "Only those of this IPBX; default: of all."},
    {"ctibus.webhooks.*.filter", KEY_ANY, NULL, 0, 0, RE, NULL,
     "Only events in which these paths have these values: {\"call.direction\": [\"in\", \"out\"]}."},
    {"ctibus.webhooks.*.secret", KEY_STRING, NULL, 0, 0, RE, NULL,
     "What the posts are signed with (header Ctibus-Signature); default: they are not."},
    {"ctibus.webhooks.*.template", KEY_CHOICE, "json", 0, 0, RE, "json|form|zammad",
     "What is posted: the event as JSON, as a form, or as Zammad's generic CTI takes it."},
    {"ctibus.webhooks.*.body", KEY_STRING, NULL, 0, 0, RE, NULL,
     "A text of your own instead, in which {{call.caller_number}} is replaced from the event."},
    {"ctibus.webhooks.*.content_type", KEY_STRING, NULL, 0, 0, RE, NULL,
     "Its Content-Type; default: application/json."},
    {"ctibus.webhook_hosts", KEY_STRINGS, "[]", 0, 0, RE, NULL,
     "Hosts of webhooks that may be in private networks, or be spoken to without TLS."},
    {"ctibus.webhook_ca", KEY_STRING, NULL, 0, 0, 0, NULL,
     "File (PEM) of the CA to believe for webhooks; default: the system's store."},
    {"ctibus.webhook_queue.path", KEY_STRING, "webhooks.db", 0, 0, 0, NULL,
     "Where http-gw keeps what is still to be posted; each instance has a file of its own."},
    {"ctibus.webhook_queue.max", KEY_INT, "20000", 10, 10000000, 0, NULL,
     "Posts that may wait; more are lost, and counted."},
    {"ctibus.webhook_queue.give_up_hours", KEY_INT, "24", 1, 8760, RE, NULL,
     "Hours after which a post that no receiver takes is given up (ctibus webhooks dead)."},
    {"ctibus.cti.max_line", KEY_INT, "262144", 1024, 16 * MI, 0, NULL,
     "Bytes of the longest line that a client may send."},
    {"ctibus.cti.max_output", KEY_INT, "4194304", 65536, 1024 * MI, 0, NULL,
     "Bytes that may wait for a client; with more it is disconnected."},
    {"ctibus.cti.max_clients", KEY_INT, "10000", 1, 1000000, 0, NULL,
     "Clients that one cti-gw takes at a time."},
    {"ctibus.cti.max_logins", KEY_INT, "4000", 1, 1000000, 0, NULL,
     "Connections to one cti-gw that have not logged in, at a time; one more ends the one that has been "
     "silent for longest."},
    {"ctibus.cti.max_logins_per_address", KEY_INT, "1000", 1, 1000000, 0, NULL,
     "The same of one address (of IPv6, one /64)."},
    {"ctibus.cti.guessable_passwords", KEY_BOOL, "false", 0, 0, RE, NULL,
     "Whether clients may come from other machines although the password of a user is the login name."},
    {"ctibus.cti.idle_timeout_seconds", KEY_INT, "300", 0, 86400, RE, NULL,
     "Seconds after which a silent client is disconnected; 0: never."},
    FORMERLY("ctibus.cti.idle_timeout", "_seconds", 0, 86400, RE),
    {"ctibus.cti.proxy_protocol", KEY_BOOL, "false", 0, 0, 0, NULL,
     "Whether a balancer announces each client (PROXY protocol, version 1 or 2), at all ports for "
     "clients; a connection without the header is closed."},
    {"ctibus.cti.drain_seconds", KEY_INT, "5", 0, 3600, RE, NULL,
     "Seconds over which a cti-gw that is stopped sends its clients away; 0: all at once."},
    {"ctibus.cti.proxy_from", KEY_NETWORKS,
     "[\"127.0.0.0/8\",\"::1\",\"10.0.0.0/8\",\"172.16.0.0/12\",\"192.168.0.0/16\","
     "\"fc00::/7\",\"fe80::/10\"]",
     0, 0, RE, NULL, "Addresses and networks of such balancers; others are disconnected."},
    {"ctibus.cti.tls_min", KEY_CHOICE, "1.2", 0, 0, RE, "1.0|1.1|1.2|1.3",
     "The oldest TLS that a client may speak."},
    {"ctibus.cti.websocket", KEY_ADDRESS, NULL, 0, 0, 0, NULL,
     "Where cti-gw listens for browsers (WebSocket, path /cti); default: nowhere."},
    {"ctibus.cti.origins", KEY_STRINGS, "[]", 0, 0, 0, NULL,
     "Origins whose pages may connect there, as \"https://cti.example.com\", beside those of the "
     "same host."},
    {"ctibus.cti.websocket_ping_seconds", KEY_INT, "30", 1, 3600, 0, NULL,
     "Seconds after which a silent WebSocket is asked for a sign of life, and again until it is "
     "given up."},
    FORMERLY("ctibus.cti.websocket_ping", "_seconds", 1, 3600, 0),
    {"ctibus.auth.token_days", KEY_INT, "30", 1, 3650, RE, NULL,
     "Days after its last use for which a browser stays logged in without a password."},
    {"ctibus.auth.tls_at_balancer", KEY_BOOL, "false", 0, 0, 0, NULL,
     "A balancer in front (proxy_protocol) ends TLS: passwords are accepted from its clients. Else "
     "login_password is only accepted over TLS and from this machine."},
    {"ctibus.cti.banner_to", KEY_NETWORKS, "[]", 0, 0, RE, NULL,
     "Addresses and networks that are sent a first line \"XiVO CTI Server...\": XiVOs of early 2012 "
     "that log in here wait for it."},
    {"ctibus.auth.remote_user_from", KEY_NETWORKS, "[]", 0, 0, RE, NULL,
     "Addresses and networks of reverse proxies whose header Remote-User says who the user is."},
    {"ctibus.auth.ldap.uri", KEY_STRING, NULL, 0, 0, 0, NULL,
     "An LDAP server that checks the passwords of users who have none in the list of users: "
     "ldaps://ldap.example.com."},
    {"ctibus.auth.ldap.user_dn", KEY_STRING, NULL, 0, 0, 0, NULL,
     "The distinguished name of a user there, %s for the login: \"uid=%s,ou=people,dc=example,dc=com\"."},
    {"ctibus.auth.ldap.base", KEY_STRING, NULL, 0, 0, 0, NULL,
     "Without user_dn: where users are searched: \"dc=example,dc=com\"."},
    {"ctibus.auth.ldap.filter", KEY_STRING, "(uid=%s)", 0, 0, 0, NULL,
     "By which filter, %s for the login."},
    {"ctibus.auth.ldap.search_dn", KEY_STRING, NULL, 0, 0, 0, NULL,
     "As whom; default: anonymously."},
    {"ctibus.auth.ldap.search_password", KEY_STRING, NULL, 0, 0, 0, NULL, "With which password."},
    {"ctibus.auth.ldap.starttls", KEY_BOOL, "false", 0, 0, 0, NULL,
     "Over to TLS before anything is said (for ldap://)."},
    {"ctibus.auth.ldap.ca", KEY_STRING, NULL, 0, 0, 0, NULL,
     "File (PEM) with what certificates of that server are verified with; default: the system's store."},
    {"ctibus.fax.spool", KEY_STRING, "fax", 0, 0, 0, NULL,
     "Folder for the files of faxes, which the Asterisk reads under the same path."},
    {"ctibus.fax.max_bytes", KEY_INT, "20971520", 1024, 1024 * MI, 0, NULL,
     "Bytes of the largest PDF that a client may send as a fax."},
    {"ctibus.fax.ghostscript", KEY_STRING, "gs", 0, 0, 0, NULL,
     "The program that makes a TIFF of it."},
    {"ctibus.fax.context", KEY_STRING, "txfax", 0, 0, RE, NULL,
     "The context of the dialplan that sends it: XIVO_FAX_PATH is the file."},
    {"ctibus.caller_names", KEY_BOOL, "true", 0, 0, RE, NULL,
     "Whether the directories of a phone's context are asked for the name of the other party of its "
     "calls, where only a number came with the call; 50 numbers a second at most."},
    {"ctibus.explain.events", KEY_INT, "8", 0, 100, 0, NULL,
     "How many of the last events state keeps for each phone, channel, agent, member and queue, for "
     "`ctibus explain`; some 150 bytes each. 0: none."},
    {"ctibus.sheets.picture_url", KEY_STRING, NULL, 0, 0, RE, NULL,
     "Where pictures of users are, for {xivo-callerpicture} in sheets: of a XiVO "
     "http://127.0.0.1/getatt.php?id={xivo-userid}&obj=user; default: nowhere."},
    {"ctibus.ipbx.name", KEY_STRING, NULL, 0, 0, 0, NULL,
     "The name of the only IPBX of the configuration, in place of the one that it has in `ipbxes`: "
     "for containers, whose variables cannot name a section."},
    {"ctibus.ipbx.sip_is_pjsip", KEY_BOOL, "false", 0, 0, RE, NULL,
     "true: phones and trunks whose protocol is sip in the lists are PJSIP endpoints, as after a "
     "migration of the Asterisk."},
    {"ctibus.ami.gone_seconds", KEY_INT, "3", 0, 3600, 0, NULL,
     "An Asterisk that refuses connections for so many seconds has ended, and its calls with it; 0: "
     "they are shown as last known until it is back."},
    {"ctibus.fagi.ami_wait_ms", KEY_INT, "200", 0, 10000, RE, NULL,
     "Milliseconds that a script that needs it waits for its channel to be seen on the AMI."},
    {"ctibus.fagi.deadline_ms", KEY_INT, "2000", 100, 60000, RE, NULL,
     "Milliseconds that a call waits for a script; then it goes on with XIVO_CTI_AGI=FAIL."},
    {"ctibus.fagi.max_sessions", KEY_INT, "15000", 1, 1000000, 0, NULL,
     "Scripts that one fagi-gw answers at a time; more are refused, and their calls go on."},
    {"ctibus.features.publish", KEY_STRINGS, "[\"agi\"]", 0, 0, RE, "agi|astdb|devstate|userfeatures",
     "How the dialplan gets to know the services and forwards of users: agi (it asks, by the FastAGI "
     "script features), astdb (they are kept in Asterisk's own database), devstate (device states), "
     "userfeatures (they are kept in XiVO's table)."},
    {"ctibus.features.userfeatures.db_uri", KEY_STRING, NULL, 0, 0, RE, NULL,
     "The database of that table, in place of the IPBX's own userfeatures_db_uri (a XiVO writes localhost "
     "there); with one IPBX only."},
    {"ctibus.features.astdb.dnd", KEY_STRING, "DND/{number}", 0, 0, RE, NULL,
     "The key of do not disturb, FAMILY/KEY, as FreePBX has it; {number}, {context} and {userid} stand "
     "for the user's phone and the user. Empty: this service is not kept there."},
    {"ctibus.features.astdb.unc", KEY_STRING, "CF/{number}", 0, 0, RE, NULL,
     "The key of the forward of all calls; its value is the destination."},
    {"ctibus.features.astdb.busy", KEY_STRING, "CFB/{number}", 0, 0, RE, NULL,
     "The key of the forward when busy."},
    {"ctibus.features.astdb.rna", KEY_STRING, "CFU/{number}", 0, 0, RE, NULL,
     "The key of the forward when there is no answer."},
    {"ctibus.features.astdb.incallfilter", KEY_STRING, NULL, 0, 0, RE, NULL,
     "The key of the filter of incoming calls."},
    {"ctibus.features.astdb.voicemail", KEY_STRING, NULL, 0, 0, RE, NULL,
     "The key of the mailbox that is on."},
    {"ctibus.features.astdb.callrecord", KEY_STRING, NULL, 0, 0, RE, NULL,
     "The key of the recording of calls."},
    {"ctibus.features.astdb.on", KEY_STRING, "YES", 0, 0, RE, NULL,
     "The value of a service without a destination that is on; one that is off has no key."},
    {"ctibus.features.devstate.dnd", KEY_STRING, "Custom:DND{number}", 0, 0, RE, NULL,
     "The device that is busy while do not disturb is on, as FreePBX has it. Empty: none."},
    {"ctibus.features.devstate.unc", KEY_STRING, "Custom:CF{number}", 0, 0, RE, NULL,
     "The same for the forward of all calls."},
    {"ctibus.features.devstate.busy", KEY_STRING, NULL, 0, 0, RE, NULL,
     "The same for the forward when busy."},
    {"ctibus.features.devstate.rna", KEY_STRING, NULL, 0, 0, RE, NULL,
     "The same for the forward when there is no answer."},
    {"ctibus.features.devstate.incallfilter", KEY_STRING, NULL, 0, 0, RE, NULL,
     "The same for the filter of incoming calls."},
    {"ctibus.features.devstate.voicemail", KEY_STRING, NULL, 0, 0, RE, NULL,
     "The same for the mailbox."},
    {"ctibus.features.devstate.callrecord", KEY_STRING, NULL, 0, 0, RE, NULL,
     "The same for the recording of calls."},
    {"ctibus.features.devstate.on", KEY_CHOICE, "BUSY", 0, 0, RE, "BUSY|INUSE",
     "The state of such a device while the service is on; otherwise it is NOT_INUSE."},
    {"ctibus.federation.publish", KEY_ENDPOINT, "tcp://127.0.0.1:5560", 0, 0, 0, NULL,
     "The address where federation publishes to peers."},
    {"ctibus.federation.request", KEY_ENDPOINT, "tcp://127.0.0.1:5561", 0, 0, 0, NULL,
     "Where it takes their requests."},
    {"ctibus.federation.key", KEY_STRING, NULL, 0, 0, 0, NULL,
     "File of this installation's CURVE key pair; its public key is what peers have in "
     "ipbxes.*.peer.publickey."},
    {"ctibus.federation.lists", KEY_STRINGS, "[\"users\",\"phones\",\"agents\",\"queues\",\"groups\",\"channels\"]", 0, 0, 0,
     "users|phones|agents|queues|groups|channels",
     "The lists that peers may see."},
    {"ctibus.federation.contexts", KEY_STRINGS, "[]", 0, 0, 0, NULL,
     "The contexts whose objects they may see; default: all."},
    {"ctibus.session_grace_seconds", KEY_INT, "5", 0, 3600, RE, NULL,
     "Seconds that a user whose connection broke without a logout is still shown as there; 0: not at "
     "all."},
    FORMERLY("ctibus.session_grace", "_seconds", 0, 3600, RE),
    {"ctibus.lists_cache", KEY_STRING, NULL, 0, 0, RE, NULL,
     "Folder for the last good copies of lists that come over HTTP; they have passwords in them. "
     "Default: none, so that a restart knows nothing of them until they are fetched."},
    {"ctibus.lists_ca", KEY_STRING, NULL, 0, 0, RE, NULL,
     "File (PEM) of the CA to believe for https: lists and directories; default: the system's store."},
    {"ctibus.timezone", KEY_STRING, NULL, 0, 0, 0, NULL,
     "The time zone of dates that people are shown (Europe/Paris): call history, sheets, names of "
     "recordings; default: that of the system, or of the variable TZ."},
    {"ctibus.dns.server", KEY_STRING, NULL, 0, 0, RE, NULL,
     "The address of the name server to ask for hosts of this configuration; default: those of /etc/resolv.conf."},
    {"ctibus.log.level", KEY_CHOICE, "info", 0, 0, RE, "error|warning|notice|info|debug",
     "How much is logged."},
    {"ctibus.log.format", KEY_CHOICE, "text", 0, 0, 0, "text|json", "How it is written."},
    {"ctibus.log.buffer", KEY_INT, "262144", 8192, 64 * MI, 0, NULL,
     "Bytes of the log that may wait for its reader; what comes while it is full is lost, and counted."},
};
/* clang-format on */

const size_t config_key_count = ARRAY_SIZE(config_keys);

const char *config_type_name(enum key_type type)
{
    static const char *const names[] = {
        [KEY_STRING] = "a string",
        [KEY_CHOICE] = "a string",
        [KEY_INT] = "a whole number",
        [KEY_BOOL] = "true or false",
        [KEY_ADDRESS] = "an address (\"HOST:PORT\", or null)",
        [KEY_ENDPOINT] = "an endpoint (\"tcp://HOST:PORT\")",
        [KEY_DATABASE] =
            "a database (\"sqlite:FILE\", or \"postgresql://USER:PASSWORD@HOST/DATABASE\")",
        [KEY_STRINGS] = "an array of strings",
        [KEY_NETWORKS] = "an array of addresses and networks (\"10.0.0.0/8\")",
        [KEY_LISTEN] = "a listener ([\"HOST\", PORT, true or false])",
        [KEY_ANY] = "anything",
    };

    return names[type];
}

bool config_type_is_text(enum key_type type)
{
    return type == KEY_STRING || type == KEY_CHOICE || type == KEY_ADDRESS ||
           type == KEY_ENDPOINT || type == KEY_DATABASE;
}

/* Whether `path` fits the first parts of `pattern`; *rest becomes what is left of the pattern:
 * empty, or with a point in front unless the last part of the path is empty. */
static bool fits(const char *pattern, const char *path, const char **rest)
{
    const char *start = path;

    while (*path) {
        if (*pattern == '*') { /* a part of any name */
            path += strcspn(path, ".");
            pattern++;
        } else if (*path++ != *pattern++) { /* most differ soon: this is called for each event */
            return false;
        }
    }
    *rest = pattern;
    return !*pattern || *pattern == '.' || (path > start && path[-1] == '.');
}

const struct config_key *config_key_find(const char *path)
{
    const char *rest;

    for (size_t i = 0; i < config_key_count; i++)
        if (fits(config_keys[i].path, path, &rest) && !*rest)
            return &config_keys[i];
    return NULL;
}

bool config_key_is_parent(const char *path)
{
    const char *rest;

    for (size_t i = 0; i < config_key_count; i++)
        if (fits(config_keys[i].path, path, &rest) && *rest)
            return true;
    return false;
}

static char loose(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c | 0x20);
    return c == '-' ? '_' : c;
}

static bool same_loosely(struct view a, const char *b, size_t n)
{
    if (a.len != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (loose(a.ptr[i]) != loose(b[i]))
            return false;
    return true;
}

const char *config_key_spelling(const char *parent, struct view part, char *out, size_t n)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const char *rest = config_keys[i].path;
        size_t len;
        if (*parent && !fits(config_keys[i].path, parent, &rest))
            continue;
        if (*parent && *rest++ != '.')
            continue;
        len = strcspn(rest, ".");
        if (len >= n || !same_loosely(part, rest, len))
            continue;
        snprintf(out, n, "%.*s", (int)len, rest);
        return out;
    }
    return NULL;
}

const char *config_key_nearest(const char *path, char *out, size_t n)
{
    const char *last = strrchr(path, '.');
    unsigned short_of = (unsigned)strlen(last ? last + 1 : path); /* or it is another word */
    unsigned best = (unsigned)strlen(path) / 5 + 2;

    if (best > short_of)
        best = short_of;
    *out = '\0';
    for (size_t i = 0; i < config_key_count; i++) {
        const char *candidate = config_keys[i].path;
        for (const char *end = strchr(candidate, '.'); end; end = strchr(end, '.')) {
            unsigned d;
            end++;
            end += strcspn(end, ".");
            d = view_distance(view_cstr(path), view_of(candidate, (size_t)(end - candidate)));
            if (d < best) {
                best = d;
                snprintf(out, n, "%.*s", (int)(end - candidate), candidate);
            }
        }
    }
    return *out ? out : NULL;
}

void config_each_key(config_key_fn *fn, void *arg)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *k = &config_keys[i];
        fn(arg, k->path, config_type_name(k->type), k->default_value ? k->default_value : "",
           k->flags & KEY_RELOADABLE, k->doc);
    }
}
