/* SPDX-License-Identifier: Apache-2.0
 * The byte stream of one connection to an OVSDB server: a socket that never blocks, with TLS for ssl: addresses. As in
 * OVS, TLS checks that both certificates come from the same authority, and not the name in them. One thread. */
#pragma once

#include "drivers/ovsdb/ovsdb_remote.h"

struct ssl_ctx_st; /* OpenSSL's; its headers stay in ovsdb_stream.c */
struct ssl_st;

/* Paths of PEM files; needed for ssl: addresses alone. Constant, owned by the configuration. */
struct ovsdb_tls {
	const char *authority, *certificate, *key;
};

struct ovsdb_stream {
	int fd; /* -1: closed */
	struct ssl_ctx_st *tls_files;
	struct ssl_st *tls;  /* NULL: plain */
	bool is_connected;   /* the socket is; TLS may still be under way */
	bool is_ready;       /* bytes may be sent */
	bool wants_room;     /* wait for POLLOUT too */
	const char *problem; /* reason of a failure, for people; NULL: errno has it */
	char problem_text[128];
};

/* Begins to connect, and reads the certificates anew, so a renewed one serves from the next connection on. False:
 * failed, with the problem. End with ovsdb_stream_close() in any case. */
bool ovsdb_stream_open(struct ovsdb_stream *s, const struct ovsdb_remote *remote,
		       const struct ovsdb_tls *tls);
/* Goes on after the socket became ready, until is_ready. False: failed. */
bool ovsdb_stream_continue(struct ovsdb_stream *s);
/* Number of bytes; 0: closed by the server; -1: failed, with errno EAGAIN if the caller should wait. */
ssize_t ovsdb_stream_receive(struct ovsdb_stream *s, char *bytes, size_t size);
ssize_t ovsdb_stream_send(struct ovsdb_stream *s, const char *bytes, size_t size);
/* True if received bytes wait in TLS's buffer, of which poll() knows nothing. */
bool ovsdb_stream_has_more(const struct ovsdb_stream *s);
void ovsdb_stream_close(struct ovsdb_stream *s); /* idempotent */
