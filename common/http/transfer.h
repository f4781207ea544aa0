/* One fetch under way, by libcurl. Private to the thread of fetch.c. */
#ifndef CTIBUS_HTTP_TRANSFER_H
#define CTIBUS_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "http/fetch.h"
#include "json/json.h"

struct transfer {
    LIST_ENTRY(transfer) link;
    struct fetch *fetch; /* borrowed */
    CURL *easy;
    struct curl_slist *headers;
    struct buf body;
    char error[CURL_ERROR_SIZE];
    const char *refused; /* why we have ended it ourselves */
    bool tls;            /* HTTPS was spoken: no more HTTP from there on */
};

/* Ready to be added to a multi handle, with itself as CURLOPT_PRIVATE. NULL without memory. */
struct transfer *transfer_new(struct fetch *f);
/* Remove it from the multi handle first. The fetch stays. */
void transfer_free(struct transfer *t);

/* It has ended with rc: puts what came of it into its fetch, and on disk. */
void transfer_judge(struct transfer *t, CURLcode rc, struct json_parser *p);

#endif
