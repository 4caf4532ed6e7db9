/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/: one request to a cloud by libcurl, without redirects and proxies, bounded in time
 * and size. */
#pragma once

#include "base/buf.h"
#include "drivers/remote.h"

enum {
	REMOTE_ANSWER_CAP = 32 << 20,
	REMOTE_HEADERS_MAX = 8,
	REMOTE_CONNECT_MS = 10000,
	REMOTE_UPLOAD_IDLE_S =
		60, /* also for the answer; a cloud that still stores the data shows that in the image's status */
	REMOTE_TOKEN_MAX = 8192,
	REMOTE_URL_MAX = 1024,
	REMOTE_ACCOUNT_MAX = 255,
	REMOTE_SESSION_IDS = 16,
	REMOTE_SESSION_ID_MAX = 159
};

/* A body that is read from a file while it is sent. The request ends when nothing moves for REMOTE_UPLOAD_IDLE_S. */
struct remote_upload {
	int fd;
	int64_t size;
	struct crypto_digest *digest; /* takes all bytes that are sent */
	bool (*goes_on)(void *arg);   /* asked about once a second; false ends the request with ERR_AGAIN */
	void *arg;
};

/* Takes the body of a success in pieces, without a limit of size or time. The request ends when nothing moves for
 * REMOTE_UPLOAD_IDLE_S. */
struct remote_body_taker {
	RESULT (*add)(void *arg, struct ctx *c, struct str bytes); /* its failure is the request's */
	bool (*goes_on)(void *arg);                                /* as above */
	void *arg;
};

struct remote_request {
	const char *method; /* NULL: POST */
	struct str url;
	struct str body;                         /* empty: none */
	const struct remote_upload *upload;      /* the body of a PUT; NULL: `body` */
	const struct remote_body_taker *taker;   /* takes the body of the answer; NULL: ret_answer keeps it */
	const char *headers[REMOTE_HEADERS_MAX]; /* "Name: value"; NULL-terminated */
	const char *wanted_header;               /* a header of the answer; NULL: none */
	const char *wanted_start;                /* start of that header's value; NULL: any */
	bool takes_list;                         /* the answer may be a list of JSON instead of an object */
	bool only_reads; /* may be sent twice, which curl does on a connection that the cloud has closed */
	bool is_http1;   /* HTTP/1.1 over one connection, as NTLM needs, which signs in a connection */
};

struct remote_answer {
	int status;
	struct buf body;   /* to be freed with buf_done(), after a failure, too */
	struct str header; /* the wanted one, in the arena; empty: absent */
	bool is_new;       /* a connection was made for the request */
};

/* Sends the request over r's connection. OK for every status except 3xx, which is ERR_IO. */
RESULT remote_send(struct ctx *c, struct remote *r, const struct remote_request *request,
		   struct remote_answer *ret_answer);

/* The parts of an endpoint's URL that a signature covers, in the arena. ERR_INVALID with the field `endpoint`:
 * no URL of http or https, or one with a password, a query or a fragment. */
struct remote_url {
	struct str scheme, host, path; /* host with the port, unless it is the scheme's */
};
RESULT remote_parse_url(struct ctx *c, struct str url, struct remote_url *ret_url);

/* The forms that a text of a provider has which goes into URLs, headers and bodies. */
enum remote_form {
	REMOTE_WORD,  /* letters, digits and '-': codes of regions and locations */
	REMOTE_PLACE, /* a host's name or an id, also with '.' and '_', but no part of it empty */
	REMOTE_NAME /* what people give names to: letters of any script, digits, inner blanks, and ._-@()+,:' */
};
/* ERR_INVALID names the field. what: the rule, in words. */
RESULT remote_check_text(struct ctx *c, struct str text, enum remote_form form, const char *field,
			 const char *what);

/* The kind of failure that a status of HTTP means. Statuses below 400 mean that the answer cannot be used. */
enum err remote_err_of_status(int status);

/* ---- sessions ---- */

/* Services beside the API proper that have URLs of their own. */
enum remote_service {
	REMOTE_SERVICE_IMAGE,
	REMOTE_SERVICE_NETWORK,
	REMOTE_SERVICE_VOLUME,
	REMOTE_SERVICE_METRIC,
	REMOTE_SERVICE_ORCHESTRATION,
	REMOTE_SERVICES
};

/* Result of a sign-in, for clouds that give tokens. Kept with the connection, and wiped with it. */
struct remote_session {
	uint8_t of[32];   /* digest of the endpoint and the credentials that it belongs to */
	int64_t until_us; /* 0: closed */
	int version;      /* API version, as the driver counts */
	bool is_reader;   /* the credentials may only read */
	char token[REMOTE_TOKEN_MAX + 1];
	char url[REMOTE_URL_MAX + 1]; /* the API proper, without a slash at the end */
	char others[REMOTE_SERVICES]
		   [REMOTE_URL_MAX + 1]; /* URLs of other services; empty: none that is usable */
	char account[REMOTE_ACCOUNT_MAX + 1];
	char ids[REMOTE_SESSION_IDS][REMOTE_SESSION_ID_MAX + 1]; /* further ids, as the driver counts */
};
/* Session of r's connection. Closes it if it has expired, or belongs to other credentials. */
struct remote_session *remote_session_of(const struct remote *r);
bool remote_session_is_open(const struct remote_session *session);
/* Keeps the token for `life_us`. ERR_IO: the token, the URL or the account is not usable. A URL of http is refused if
 * r's endpoint is https: the token would travel in the clear. */
RESULT remote_session_open(struct ctx *c, const struct remote *r, int64_t life_us, struct str token,
			   struct str url, struct str account);
/* Keeps the URL of another service with the open session. One that is not usable, as above, is left out. */
void remote_session_add(struct ctx *c, const struct remote *r, enum remote_service service, struct str url);
void remote_session_close(struct remote_session *session);
/* Session of r's connection, also one that has expired or belongs to other credentials, to be signed out. */
struct remote_session *remote_session_peek(const struct remote *r);
/* Keeps a further id with the open session. ERR_IO: it is no line of text, or too long. */
RESULT remote_session_keep_id(struct ctx *c, const struct remote *r, size_t place, struct str id);
