/* SPDX-License-Identifier: Apache-2.0
 * Sockets and TLS of the OVSDB client (ovsdb_stream.h). */
#include "drivers/ovsdb/ovsdb_stream.h"

#include <errno.h>
#include <limits.h>
#define ERR_STATE OPENSSL_ERR_STATE /* a type of OpenSSL has the name of one of our error kinds */
#include <openssl/err.h>
#include <openssl/ssl.h>
#undef ERR_STATE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool fail(struct ovsdb_stream *s, const char *why)
{
	s->problem = why;
	errno = EPROTO;
	return false;
}

/* Tells which file is wrong and OpenSSL's reason. */
static bool fail_file(struct ovsdb_stream *s, const char *path)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	(void) snprintf(s->problem_text, sizeof s->problem_text, "%s: %s",
			path ? path : "no TLS file is configured", reason ? reason : "cannot be used");
	ERR_clear_error();
	return fail(s, s->problem_text);
}

static bool load_files(struct ovsdb_stream *s, const struct ovsdb_tls *tls)
{
	s->tls_files = SSL_CTX_new(TLS_client_method());
	if (!s->tls_files || SSL_CTX_set_min_proto_version(s->tls_files, TLS1_2_VERSION) != 1)
		return fail(s, "out of memory");
	SSL_CTX_set_verify(s->tls_files, SSL_VERIFY_PEER, NULL);
	/* a buffer's remainder moves between two calls, and a call may send a part */
	SSL_CTX_set_mode(s->tls_files, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (!tls->authority || SSL_CTX_load_verify_locations(s->tls_files, tls->authority, NULL) != 1)
		return fail_file(s, tls->authority);
	if (!tls->certificate || SSL_CTX_use_certificate_chain_file(s->tls_files, tls->certificate) != 1)
		return fail_file(s, tls->certificate);
	if (!tls->key || SSL_CTX_use_PrivateKey_file(s->tls_files, tls->key, SSL_FILETYPE_PEM) != 1)
		return fail_file(s, tls->key);
	s->tls = SSL_new(s->tls_files);
	if (!s->tls || SSL_set_fd(s->tls, s->fd) != 1)
		return fail(s, "out of memory");
	SSL_set_connect_state(s->tls);
	return true;
}

bool ovsdb_stream_open(struct ovsdb_stream *s, const struct ovsdb_remote *remote, const struct ovsdb_tls *tls)
{
	const struct sockaddr *address = (const struct sockaddr *) &remote->address;
	*s = (struct ovsdb_stream){.fd = -1};
	s->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0 || (remote->is_tls && !load_files(s, tls)))
		return false;
	s->is_connected = connect(s->fd, address, remote->size) == 0;
	if (!s->is_connected && errno != EINPROGRESS)
		return false;
	s->wants_room = !s->is_connected;
	return !s->is_connected || ovsdb_stream_continue(s);
}

/* Converts TLS's answer into that of recv() and send(). */
static ssize_t take_tls_result(struct ovsdb_stream *s, int n)
{
	s->wants_room = false;
	if (n > 0)
		return n;
	int error = SSL_get_error(s->tls, n);
	s->wants_room = error == SSL_ERROR_WANT_WRITE;
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
		errno = EAGAIN;
		return -1;
	}
	if (error == SSL_ERROR_ZERO_RETURN || (error == SSL_ERROR_SYSCALL && errno == 0))
		return 0;
	if (error == SSL_ERROR_SYSCALL)
		return -1;
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	(void) snprintf(s->problem_text, sizeof s->problem_text, "TLS: %s", reason ? reason : "broken");
	(void) fail(s, s->problem_text);
	return -1;
}

bool ovsdb_stream_continue(struct ovsdb_stream *s)
{
	if (!s->is_connected) {
		int error = 0;
		socklen_t size = sizeof error;
		if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
			return false;
		if (error) {
			errno = error;
			return false;
		}
		s->is_connected = true;
		s->wants_room = false;
	}
	if (!s->tls) {
		s->is_ready = true;
		return true;
	}
	ERR_clear_error();
	errno = 0;
	ssize_t n = take_tls_result(s, SSL_do_handshake(s->tls));
	s->is_ready = n > 0;
	return n > 0 || (n < 0 && errno == EAGAIN) || (n == 0 && fail(s, "the server ended TLS"));
}

ssize_t ovsdb_stream_receive(struct ovsdb_stream *s, char *bytes, size_t size)
{
	if (!s->tls)
		return recv(s->fd, bytes, size, MSG_DONTWAIT);
	ERR_clear_error();
	errno = 0;
	return take_tls_result(s, SSL_read(s->tls, bytes, size > INT_MAX ? INT_MAX : (int) size));
}

/* OpenSSL sends without MSG_NOSIGNAL: the program ignores SIGPIPE. */
ssize_t ovsdb_stream_send(struct ovsdb_stream *s, const char *bytes, size_t size)
{
	if (!s->tls)
		return send(s->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	ERR_clear_error();
	errno = 0;
	ssize_t n = take_tls_result(s, SSL_write(s->tls, bytes, size > INT_MAX ? INT_MAX : (int) size));
	if (n == 0)
		errno = EPIPE;
	return n > 0 ? n : -1;
}

bool ovsdb_stream_has_more(const struct ovsdb_stream *s)
{
	return s->tls && SSL_pending(s->tls) > 0;
}

void ovsdb_stream_close(struct ovsdb_stream *s)
{
	SSL_free(s->tls);
	SSL_CTX_free(s->tls_files);
	if (s->fd >= 0)
		close(s->fd);
	s->tls = NULL;
	s->tls_files = NULL;
	s->fd = -1;
}
